//! The `load` command.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use serde_json::json;

use super::baseline::Baseline;
use super::carrier::{Account, Carrier, Delays, Door, Rest};
use super::frames::{CallIds, Frames, Tracks};
use super::measure::{self, Handoff, Plan};
use super::process;
use super::report::{Run, summary};
use super::waits::Waits;
use crate::command::{Form, announce, print_line};
use crate::recognizer::Recognizer;

/// The media socket and two recognizer streams.
const SOCKETS_PER_CALL: usize = 3;
/// The rewrite of a call, and its callback or the fetch of its document.
const SOCKETS_PER_HANDOFF: usize = 2;
/// Listeners, standard streams and webhooks under way.
const SPARE_FILES: usize = 200;

/// Puts many calls on a running handoff and measures what they cost it and how long callers wait.
///
/// The command is the carrier and the recognizer of its calls. It first prints
/// `{"event":"listening","service":"twilio","url":…}` (or `plivo`) and the same for `deepgram`: start
/// handoff with these base URLs, then tell this command where it listens, either with
/// `--connect HOST:PORT` or with `--connect -` and a line `HOST:PORT [PID]` on standard input. Every call
/// goes through the signed webhook, the `<Stream>` of the answer and its token; frames are sent at 20 ms
/// or, with `--flood`, as fast as they are taken. A share of the callers asks for a human.
///
/// Measured are CPU time per frame and resident memory per silent and per active call (both need the
/// process id), audio that did not reach the recognizer, and of the callers who ask the time from the
/// recognizer's final leaving to the request that rewrites the call, and to the human's phone ringing:
/// the carrier answers the request after `--rest-ms`, executes the new document, and rings `--setup-ms`
/// after its `<Dial>`. Twilio tells the server that it rings; Plivo's pages have no such callback.
///
/// With `--baseline` a bare read-and-discard server is measured in turns with handoff, and the ratio is
/// printed. Memory per call is right in the first round only: a server keeps what it once took. Exits
/// with 1 when sockets broke, rewrites are missing or phones did not ring.
///
/// Example: handoff-simulator load --calls 1000 --seconds 20 --rounds 5 --connect - --public-url
/// https://handoff.example --auth-token T --account-sid AC… --baseline raw-tcp --baseline tungstenite
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Over whose line the calls come in.
    #[arg(long, value_enum, default_value_t = Carrier::Twilio)]
    carrier: Carrier,
    /// Calls at once.
    #[arg(long, default_value_t = 100, value_name = "N")]
    calls: usize,
    /// Seconds of media of each call.
    #[arg(long, default_value_t = 10, value_name = "S")]
    seconds: usize,
    /// Send frames as fast as they are taken instead of one every 20 ms.
    #[arg(long)]
    flood: bool,
    /// Measurements of each server, in turns.
    #[arg(long, default_value_t = 1, value_name = "N")]
    rounds: usize,
    /// Tracks of each call.
    #[arg(long, value_enum, default_value_t = Tracks::Both)]
    tracks: Tracks,
    /// Share of the callers who ask for a human, from 0 to 1.
    #[arg(long, default_value_t = 0.1, value_name = "SHARE")]
    ask_share: f64,
    /// How long the carrier takes to answer a REST request.
    #[arg(long, default_value_t = 300, value_name = "N")]
    rest_ms: u64,
    /// How long it takes the carrier from a Dial until the phone rings.
    #[arg(long, default_value_t = 500, value_name = "N")]
    setup_ms: u64,
    /// Let the announcement take 80 ms a character; otherwise that time is reported apart.
    #[arg(long)]
    speech: bool,
    /// Fail when the p99 from trigger to ringing is 3 s or more, or handoff's share of it 150 ms or more.
    #[arg(long, requires = "connect")]
    check: bool,
    /// Seconds of silence between opening the sockets and the first frame.
    #[arg(long, default_value_t = 2, value_name = "S")]
    idle_seconds: u64,
    /// Where handoff listens, or `-` to read it from standard input; leave out to measure baselines only.
    #[arg(long, value_name = "HOST:PORT", requires = "public_url")]
    connect: Option<String>,
    /// Process id of handoff, for CPU time and memory.
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// The public URL handoff is configured with; signatures cover it.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Twilio: account of the calls.
    #[arg(
        long,
        env = "TWILIO_ACCOUNT_SID",
        default_value = "AC00000000000000000000000000000001",
        value_name = "SID"
    )]
    account_sid: String,
    /// Twilio: key of the signatures.
    #[arg(
        long,
        env = "TWILIO_AUTH_TOKEN",
        hide_env_values = true,
        default_value = "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        value_name = "TOKEN"
    )]
    auth_token: String,
    /// Plivo: account of the calls.
    #[arg(
        long,
        env = "PLIVO_AUTH_ID",
        default_value = "MA0000000000000000000001",
        value_name = "MA…"
    )]
    plivo_auth_id: String,
    /// Plivo: key of the signatures.
    #[arg(
        long,
        env = "PLIVO_AUTH_TOKEN",
        hide_env_values = true,
        default_value = "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        value_name = "TOKEN"
    )]
    plivo_auth_token: String,
    /// API key that the recognizer accepts.
    #[arg(long, default_value = "dg-test-key", value_name = "KEY")]
    api_key: String,
    /// Also measure a bare read-and-discard server; may be repeated.
    #[arg(long = "baseline", value_enum, value_name = "KIND")]
    baselines: Vec<Baseline>,
    /// Core to which a baseline server is bound (with taskset).
    #[arg(long, value_name = "CORE")]
    baseline_core: Option<usize>,
    /// Threads that send frames.
    #[arg(long, default_value_t = 1, value_name = "N")]
    generator_threads: usize,
    /// Print results as JSON, one object a line.
    #[arg(long)]
    json: bool,
}

/// Runs the command to its end.
///
/// # Errors
/// A server cannot be reached, refuses a call, or cannot be measured.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    ensure!(
        (0.0..=1.0).contains(&args.ask_share),
        "--ask-share must be from 0 to 1"
    );
    let (needed, allowed) = (
        args.calls * SOCKETS_PER_CALL
            + measure::asking(args.calls, args.ask_share) * SOCKETS_PER_HANDOFF
            + SPARE_FILES,
        process::open_file_limit()?,
    );
    ensure!(
        needed <= allowed,
        "{} calls need {needed} open files and {allowed} are allowed; raise it with `ulimit -n {needed}`, for handoff too",
        args.calls,
    );
    let plan = Arc::new(Plan {
        calls: args.calls,
        carrier: args.carrier,
        frames: Frames::new(args.carrier, args.tracks, args.seconds),
        seconds: args.seconds,
        tracks: args.tracks,
        flood: args.flood,
        idle: Duration::from_secs(args.idle_seconds),
        threads: args.generator_threads,
    });
    let form = Form::from_flag(args.json);
    let rounds = call_ids(args.carrier, args.rounds, args.calls);
    let handoff = match &args.connect {
        Some(connect) => Some(prepare(&args, &plan, connect, &rounds).await?),
        None => None,
    };
    ensure!(
        handoff.is_some() || !args.baselines.is_empty(),
        "give --connect, --baseline or both"
    );
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    form.print(&json!({"event": "machine", "processor": process::processor(), "cores": cores,
        "calls": args.calls, "seconds": args.seconds, "flood": args.flood, "tracks": plan.frames.per_tick}));

    let mut runs: Vec<Run> = Vec::new();
    for calls in &rounds {
        if let Some(handoff) = &handoff {
            runs.push(told(
                measure::measure_handoff(&plan, handoff, calls).await?,
                form,
            ));
        }
        for kind in &args.baselines {
            runs.push(told(
                measure::measure_baseline(&plan, *kind, args.baseline_core).await?,
                form,
            ));
        }
    }
    form.print(&summary(&runs));
    let mut failures: Vec<String> = runs.iter().flat_map(Run::failures).collect();
    if let Some(handoff) = &handoff {
        failures.extend(handoff.recognizer.violations());
    }
    if args.check {
        let waits = runs.iter().filter_map(|run| run.waits.as_ref());
        failures.extend(waits.flat_map(Waits::over_limit));
    }
    for sentence in &failures {
        match form {
            Form::Json => form.print(&json!({"event": "failure", "sentence": sentence})),
            Form::Words => print_line(&format!("failure: {sentence}")),
        }
    }
    Ok(if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn told(run: Run, form: Form) -> Run {
    form.print(&run.to_json());
    run
}

/// Ids of every round's calls; the time makes them new to a server that remembers earlier ones.
fn call_ids(carrier: Carrier, rounds: usize, calls: usize) -> Vec<Vec<CallIds>> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    let first = now << 32;
    (0..rounds)
        .map(|round| {
            (0..calls)
                .map(|call| CallIds::new(carrier, first + (round * calls + call) as u128))
                .collect()
        })
        .collect()
}

/// Starts the carrier's and the recognizer's side and finds out where handoff listens.
async fn prepare(
    args: &Args,
    plan: &Plan,
    connect: &str,
    rounds: &[Vec<CallIds>],
) -> anyhow::Result<Handoff> {
    let (id, token) = match args.carrier {
        Carrier::Twilio => (&args.account_sid, &args.auth_token),
        Carrier::Plivo => (&args.plivo_auth_id, &args.plivo_auth_token),
    };
    let delays = Delays {
        rest: Duration::from_millis(args.rest_ms),
        setup: Duration::from_millis(args.setup_ms),
        speech: args.speech,
    };
    let rest = Rest::start(args.carrier, id, delays).await;
    let rest = rest.context("cannot listen")?;
    let results = rounds
        .iter()
        .flat_map(|calls| measure::asking_results(calls, args.ask_share, plan.seconds))
        .collect();
    let recognizer = Recognizer::start(measure::recognizer_options(&args.api_key, results)).await;
    let recognizer = recognizer.context("cannot listen")?;
    announce(args.carrier.as_str(), rest.url(), &[]);
    announce("deepgram", &recognizer.url(), &[]);
    let (address, told_pid) = match connect {
        "-" => read_address().await?,
        address => (address.to_owned(), None),
    };
    let public_url = args.public_url.as_ref();
    let public_url = public_url.context("--public-url is missing")?;
    let account = Account::new(args.carrier, id, token);
    let door = Arc::new(Door::new(account, &address, public_url)?);
    rest.connect(Arc::clone(&door));
    Ok(Handoff {
        door,
        pid: args.server_pid.or(told_pid),
        ask_share: args.ask_share,
        rest,
        recognizer,
    })
}

async fn read_address() -> anyhow::Result<(String, Option<u32>)> {
    let read = || std::io::stdin().lines().next().transpose();
    let line = tokio::task::spawn_blocking(read).await??;
    let line = line.context("standard input closed before it told where handoff listens")?;
    let mut words = line.split_whitespace();
    let address = words
        .next()
        .context("the line on standard input is empty")?
        .to_owned();
    let pid = words
        .next()
        .map(str::parse)
        .transpose()
        .context("the process id on standard input is not a number")?;
    Ok((address, pid))
}
