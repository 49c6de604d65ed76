//! `handoff serve`: wires everything together, runs it, and takes it down without losing a call.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use handoff_core::call::Arrival;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

use super::entrance::Entrance;
use super::{check, wiring};
use crate::config::{self, Loaded};
use crate::delivery::{Schedule, Worker};
use crate::egress::{Egress, EgressOptions};
use crate::http::{Front, router};
use crate::journal::Journal;
use crate::recognizer::Recognizers;
use crate::session::{LowWater, Registry, Surroundings, Tokens};

/// Deliveries under way may take this long once everything else has ended.
const LAST_DELIVERIES: Duration = Duration::from_secs(8);

/// Runs the server until it is told to stop.
pub(super) fn run(loaded: Loaded) -> anyhow::Result<ExitCode> {
    start_logging();
    let data = &loaded.config.server.data_dir;
    std::fs::create_dir_all(data)
        .with_context(|| format!("cannot make the data directory {}", data.display()))?;
    let recognizers = match wiring::recognizers(&loaded.config, data) {
        Ok(recognizers) => recognizers,
        Err(error) => return Ok(check::refuse(&error)),
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(serve(loaded, recognizers))
}

async fn serve(loaded: Loaded, recognizers: Recognizers) -> anyhow::Result<ExitCode> {
    let Loaded { mut config, notes } = loaded;
    for note in &notes {
        info!("{note}");
    }
    let metrics = PrometheusBuilder::new()
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
    let egress = Egress::new(EgressOptions::default()).context("cannot make the HTTP client")?;
    let around = Arc::new(Surroundings {
        policy: Arc::new(wiring::policy(&mut config)),
        journal: journal.clone(),
        egress: egress.clone(),
        account: wiring::account(&config.twilio),
        carrier_timeout: config.twilio.timeout,
        documents: wiring::documents(&config),
        recognizers,
        sinks: sinks.iter().map(|sink| sink.name().to_owned()).collect(),
        start_deadline: config.stream.start_deadline,
    });
    let registry = Registry::new(Arc::clone(&around), tokens, config.server.max_calls);
    // Bound before any call is taken up: a start that fails must not have acted.
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.server.listen))?;
    revive(&registry, &journal).await?;

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
    let front = Front {
        registry: Arc::clone(&registry),
        around,
        verifier: Arc::new(wiring::verifier(&config)?),
        account_sid: config.twilio.account_sid.as_str().into(),
        api_token: config.api_token.clone(),
        metrics,
        ready: Arc::clone(&ready),
    };
    let mut signals = StopSignals::listen()?;
    announce(&listener)?;
    let stopped = until(stopping);
    let router = router(front).into_make_service_with_connect_info::<LowWater>();
    let server = axum::serve(Entrance(listener), router).with_graceful_shutdown(stopped);
    #[expect(clippy::disallowed_methods, reason = "ended below, after the calls")]
    let server = tokio::task::spawn(server.into_future());

    signals.next().await;
    info!("stopping: new calls pass by, live ones may end");
    ready.store(false, Ordering::Relaxed);
    registry.drain();
    drain(&registry, config.server.drain, &mut signals).await;
    // Nobody listens any more only if the receivers are gone, and then there is nothing to stop.
    let _ = stop.send(true);
    worker.await.context("the delivery worker failed")?;
    // Media sockets that are still open end with the process; their calls go on at the carrier.
    server.abort();
    info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Takes up the calls that an earlier process left open.
async fn revive(registry: &Arc<Registry>, journal: &Journal) -> anyhow::Result<()> {
    let mut revived = 0;
    for open in journal
        .open_calls()
        .await
        .context("cannot read the open calls")?
    {
        let mut records = match journal.records(&open.call).await {
            Ok(records) => records,
            Err(error) => {
                error!(%error, "an open call cannot be read; it is left alone");
                continue;
            }
        };
        // A fact that the journal took late belongs where it happened.
        records.sort_by_key(|record| record.at);
        let announced = records
            .first()
            .and_then(|first| Arrival::from_fact(open.call, first.wall, &first.fact));
        let Some(arrival) = announced else {
            warn!("an open call does not begin with its announcement; it is left alone");
            continue;
        };
        registry.revive(
            arrival,
            records.into_iter().map(|record| record.fact).collect(),
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
    terminate: Signal,
    interrupt: Signal,
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

fn start_logging() {
    let filter = config::variable("HANDOFF_LOG").unwrap_or_else(|| "info".to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
