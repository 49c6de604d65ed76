//! The `recognizer` command.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use super::options::{CallResults, FAULT_GRAMMAR, Fault, Pace, RecognizerOptions};
use super::server::Recognizer;
use crate::command::{Form, announce, conclude, follow, until_stopped};

/// Stands in for Deepgram's live transcription.
///
/// Serves `GET /v1/listen` as a WebSocket, plays the recorded results of calls by media time, and checks
/// what the client sends. The first line of output is
/// `{"event":"listening","service":"deepgram","url":"ws://…"}`; give that URL to handoff as the base URL
/// of the recognizer. Then one line for every event, without the words of the call. The command ends
/// when its standard input closes or on SIGINT or SIGTERM: it prints the violations and exits with 1 if
/// there were any, else with 0.
///
/// Example: handoff-simulator recognizer --listen 127.0.0.1:7001 --call fixtures/calls/refund
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    listen: SocketAddr,
    /// Recorded calls (folders with call.json and hypotheses.jsonl) whose results are played.
    #[arg(long = "call", num_args = 1.., value_name = "DIR")]
    calls: Vec<PathBuf>,
    /// The carrier's name of the one recorded call, where it is played under another than its own.
    #[arg(long, value_name = "ID")]
    call_id: Option<String>,
    /// The only API key that is accepted.
    #[arg(long, default_value = "dg-test-key", value_name = "KEY")]
    api_key: String,
    /// Misbehave on the next connections; may be repeated. `--help` tells the grammar.
    #[arg(long = "fault", value_name = "FAULT", long_help = fault_help())]
    faults: Vec<Fault>,
    /// Call audio that comes faster than 1.25 × SPEED × real time for long a violation.
    #[arg(long, value_name = "SPEED")]
    enforce_pace: Option<f64>,
    /// Audio that may be ahead of that pace, in milliseconds.
    #[arg(
        long,
        default_value_t = 2000,
        value_name = "MS",
        requires = "enforce_pace"
    )]
    pace_allowance_ms: u64,
    /// Close with NET-0001 after this many milliseconds without a message.
    #[arg(long, default_value_t = 10_000, value_name = "MS")]
    idle_timeout_ms: u64,
    /// Print events as JSON, one object a line.
    #[arg(long)]
    json: bool,
}

fn fault_help() -> String {
    format!(
        "Misbehave on the next connections; may be repeated and is used up in order.\n\n{FAULT_GRAMMAR}; MS counts \
         milliseconds of audio on the connection.\n\nExamples: refuse=429*2, caller:close=1011@2500, stall@1000"
    )
}

/// Runs the command to its end.
///
/// # Errors
/// A recorded call cannot be read, or the address cannot be bound.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut results = args
        .calls
        .iter()
        .map(|call| CallResults::read(call))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(id) = args.call_id {
        let [only] = results.as_mut_slice() else {
            anyhow::bail!(
                "--call-id names one recorded call, and {} are given",
                results.len()
            );
        };
        only.call_sid = id;
    }
    let pace = |speed| Pace {
        speed,
        allowance: Duration::from_millis(args.pace_allowance_ms),
    };
    let options = RecognizerOptions {
        listen: args.listen,
        api_key: args.api_key,
        results,
        faults: args.faults,
        idle_timeout: Duration::from_millis(args.idle_timeout_ms),
        enforce_pace: args.enforce_pace.map(pace),
        keep_audio: true,
    };
    let recognizer = Recognizer::start(options)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    announce("deepgram", &recognizer.url(), &[]);
    let form = Form::from_flag(args.json);
    let events = follow(recognizer.observed(), form, |state, seen| {
        let fresh = state.log.iter().skip(seen);
        fresh
            .map(|entry| serde_json::to_value(&entry.event).unwrap_or_default())
            .collect()
    });
    tokio::select! {
        () = events => {}
        stopped = until_stopped() => stopped.context("cannot listen to signals")?,
    }
    Ok(conclude(&recognizer.violations(), form))
}
