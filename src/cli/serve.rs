//! `handoff serve`: wires everything together, runs it, and takes it down without losing a call.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use handoff_core::call::Arrival;
use metrics_exporter_prometheus::PrometheusBuilder;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::entrance::{self, Limits};
use super::{check, wiring};
use crate::config::{self, Loaded};
use crate::delivery::{Schedule, Worker};
use crate::egress::{Egress, EgressOptions};
use crate::http::{Front, router};
use crate::journal::Journal;
use crate::recognizer::Recognizers;
use crate::session::{Registry, Surroundings, Tokens};
use crate::targets::Targets;
use crate::telemetry::metrics::{self, LeftAlone};

/// Deliveries under way may take this long once everything else has ended.
const LAST_DELIVERIES: Duration = Duration::from_secs(8);

/// Requests under way when everything else has ended may take this long.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Runs the server until it is told to stop.
pub(super) fn run(loaded: Loaded) -> anyhow::Result<ExitCode> {
    start_logging();
    allow_sockets(loaded.config.server.max_calls);
    let data = &loaded.config.server.data_dir;
    std::fs::create_dir_all(data)
        .with_context(|| format!("cannot make the data directory {}", data.display()))?;
    let egress = Egress::new(EgressOptions::default()).context("cannot make the HTTP client")?;
    let recognizers = match wiring::recognizers(&loaded.config, data, &egress) {
        Ok(recognizers) => recognizers,
        Err(error) => return Ok(check::refuse(&error)),
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(serve(loaded, recognizers, egress))
}

/// A call has its media socket and one for each recognizer.
const SOCKETS_A_CALL: u64 = 3;

/// Raises the number of files that the process may open to what its owner allows: 1,024, the usual
/// beginning, are some 300 calls.
fn allow_sockets(max_calls: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        warn!(%error, "the limit of open files stays where it is");
    }
    let wanted = SOCKETS_A_CALL.saturating_mul(max_calls as u64);
    if let Some(open_files) = getrlimit(Resource::Nofile).current
        && open_files < wanted
    {
        warn!(
            open_files,
            wanted, "server.max_calls are more than the open files allow (ulimit -n)"
        );
    }
}

async fn serve(
    loaded: Loaded,
    recognizers: Recognizers,
    egress: Egress,
) -> anyhow::Result<ExitCode> {
    // Listened for and not looked at: a file that may not grow is then an error of the write, which
    // the journal outlasts, and not the end of the process.
    let _limit =
        signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).context("cannot listen for SIGXFSZ")?;
    let Loaded { mut config, notes } = loaded;
    for note in &notes {
        info!("{note}");
    }
    let prometheus = PrometheusBuilder::new()
        .set_buckets(&[
            0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
        ])
        .context("metric buckets")?
        .install_recorder()
        .context("cannot install the metrics")?;
    let data = config.server.data_dir.clone();
    let journal = Journal::open(&data.join("journal.sqlite")).context("cannot open the journal")?;
    let tokens = Tokens::open(&data).context("cannot make the key of stream tokens")?;
    info!(recognizer = recognizers.name(), "recognizer");
    let sinks = wiring::sinks(&config);
    let routing = config.routing.clone();
    let targets = Targets::open(&config.targets, routing, journal.clone(), egress.clone())
        .await
        .context("cannot read what was told of targets")?;
    let around = Arc::new(Surroundings {
        policy: Arc::new(wiring::policy(&mut config)),
        journal: journal.clone(),
        egress: egress.clone(),
        carriers: wiring::carriers(&config),
        targets: Arc::new(targets),
        recognizers,
        sinks: sinks.iter().map(|sink| sink.name().to_owned()).collect(),
        start_deadline: config.stream.start_deadline,
    });
    let registry = Registry::new(Arc::clone(&around), tokens, config.server.max_calls);
    // Bound before any call is taken up: a start that fails must not have acted.
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.server.listen))?;
    revive(&registry, &around, &journal).await?;

    let (stop, stopping) = watch::channel(false);
    let schedule = Schedule {
        give_up_after: config.delivery.give_up_after,
        ..Schedule::default()
    };
    let worker = Worker {
        journal,
        egress,
        schedule,
        drain: LAST_DELIVERIES,
    };
    #[expect(clippy::disallowed_methods, reason = "waited for below")]
    let worker = tokio::task::spawn(worker.run(sinks, until(stopping.clone())));
    let ready = Arc::new(AtomicBool::new(true));
    let (twilio, plivo) = wiring::doors(&config, &around.carriers)?;
    let front = Front {
        registry: Arc::clone(&registry),
        twilio,
        plivo,
        api_token: config.api_token.clone(),
        metrics: prometheus,
        ready: Arc::clone(&ready),
        around,
    };
    let limits = Limits::of_this_process();
    let mut signals = StopSignals::listen()?;
    announce(&listener)?;
    let server = entrance::serve(listener, router(front), limits, stopping);
    #[expect(clippy::disallowed_methods, reason = "waited for below")]
    let mut server = tokio::task::spawn(server);

    tokio::select! {
        () = signals.next() => {}
        // Whoever started us starts us again, and the calls are taken up.
        ended = &mut server => {
            ended.context("the entrance failed")?;
            anyhow::bail!("the entrance closed by itself");
        }
    }
    info!("stopping: new calls pass by, live ones may end");
    ready.store(false, Ordering::Relaxed);
    registry.drain();
    drain(&registry, config.server.drain, &mut signals).await;
    // Nobody listens any more only if the receivers are gone, and then there is nothing to stop.
    let _ = stop.send(true);
    worker.await.context("the delivery worker failed")?;
    // Answers under way are given, a peer that does not take them is left. Media sockets that are
    // still open end with the process; their calls go on at the carrier.
    if tokio::time::timeout(LAST_ANSWERS, &mut server)
        .await
        .is_err()
    {
        server.abort();
    }
    info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Takes up the calls that an earlier process left open.
async fn revive(
    registry: &Arc<Registry>,
    around: &Surroundings,
    journal: &Journal,
) -> anyhow::Result<()> {
    let mut revived = 0;
    for open in journal
        .open_calls()
        .await
        .context("cannot read the open calls")?
    {
        let records = match journal.records(&open.call).await {
            Ok(records) => records,
            Err(error) => {
                error!(%error, "an open call cannot be read; it is left alone");
                metrics::call_left_alone(LeftAlone::Unreadable);
                continue;
            }
        };
        let announced = records
            .first()
            .and_then(|first| Arrival::from_fact(open.call, first.wall, &first.fact));
        let Some(arrival) = announced else {
            warn!("an open call does not begin with its announcement; it is left alone");
            metrics::call_left_alone(LeftAlone::Unannounced);
            continue;
        };
        let Some(account) = around.carriers.of(arrival.carrier) else {
            let carrier = arrival.carrier.as_str();
            warn!(
                carrier,
                "an open call is of a carrier that is not configured; it is left alone"
            );
            metrics::call_left_alone(LeftAlone::NoCarrier);
            continue;
        };
        registry.revive(
            account,
            arrival,
            (records.into_iter())
                .map(|record| (record.at, record.fact))
                .collect(),
        );
        revived += 1;
    }
    if revived > 0 {
        info!(calls = revived, "took up open calls");
    }
    Ok(())
}

/// The one line that scripts wait for.
fn announce(listener: &TcpListener) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    out.flush()?;
    info!(%address, "listening");
    Ok(())
}

/// The signals that stop the process. Listened for before the first line is printed, so that
/// whoever waits for that line can stop us.
struct StopSignals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl StopSignals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Gives live calls their time. A second signal, or the end of the time, leaves the rest to the
/// carrier: they stay with whoever has them.
async fn drain(registry: &Registry, limit: Duration, signals: &mut StopSignals) {
    let idle = async {
        let mut look = tokio::time::interval(Duration::from_millis(50));
        while !registry.is_idle() {
            look.tick().await;
        }
    };
    tokio::select! {
        () = idle => {}
        () = tokio::time::sleep(limit) => warn!("calls are left to the carrier"),
        () = signals.next() => warn!("stopped at once; calls are left to the carrier"),
    }
}

async fn until(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone, and so is the reason to run.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// What is logged unless the operator says otherwise.
const DEFAULT_LOG: &str = "info";

fn start_logging() {
    let wanted = config::variable("HANDOFF_LOG")
        .filter(|wanted| !wanted.trim().is_empty())
        .unwrap_or_else(|| DEFAULT_LOG.to_owned());
    let filter = log_filter(&wanted);
    tracing_subscriber::fmt()
        .with_env_filter(match &filter {
            Ok(filter) => filter.clone(),
            Err(_) => EnvFilter::new(DEFAULT_LOG),
        })
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    if let Err(error) = filter {
        warn!("HANDOFF_LOG is not used, {DEFAULT_LOG} is: {error}");
    }
}

/// Reads a filter. A misspelt level is a filter too, for a target of that name, and silences
/// everything else: a word by itself has to be a level.
fn log_filter(wanted: &str) -> Result<EnvFilter, String> {
    let directives = wanted.split(',').map(str::trim);
    let misspelt = directives
        .filter(|directive| !directive.is_empty() && !directive.contains(['=', '[']))
        .find(|word| word.parse::<LevelFilter>().is_err());
    if let Some(word) = misspelt {
        return Err(format!(
            "{word:?} is no level (off, error, warn, info, debug, trace); a target wants one, as in \
             {word}=debug"
        ));
    }
    EnvFilter::builder()
        .parse(wanted)
        .map_err(|error| format!("{wanted:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_would_silence_the_log_is_refused() {
        for good in [
            "info",
            "WARN",
            "off",
            "handoff=debug,warn",
            "info,handoff::session[call]=trace",
        ] {
            assert!(log_filter(good).is_ok(), "{good}");
        }
        for bad in ["inof", "info,handoff", "handoff=loud", "[", "a=b=c"] {
            let told = log_filter(bad).expect_err(bad);
            assert!(told.contains(bad.rsplit(',').next().unwrap()), "{told}");
        }
    }
}
