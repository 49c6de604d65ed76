//! Whole recorded calls through `handoff replay`, compared with the timelines that were checked by
//! hand.

use std::path::Path;

use futures_util::future::join_all;
use serde_json::Value;

use super::process::{Environment, Finished, run};
use super::stage::{Scratch, fixture};

#[tokio::test]
async fn every_recorded_call_gives_its_timeline() {
    let calls = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/calls");
    let mut folders: Vec<_> = std::fs::read_dir(calls)
        .expect("the recorded calls")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 4, "there are calls to replay");
    let replays = folders.iter().map(async |folder| {
        let expected = folder.join("timeline.expected");
        assert!(expected.is_file(), "{} is missing", expected.display());
        let scratch = Scratch::new();
        let call = folder.to_str().expect("a path in UTF-8");
        // Where a stream is replaced, the stand-in recognizer must have heard the old one to its
        // end before the new one begins, and what it is late by counts as often as life is faster.
        let speed = if call.ends_with("rough-line") {
            "2"
        } else {
            "8"
        };
        let arguments = ["replay", call, "--check", "--speed", speed];
        let told = run(&arguments, &scratch.0, &Environment::new()).await;
        assert_eq!(
            told.code,
            Some(0),
            "{call}:\n{}\n{}",
            told.stdout,
            told.stderr
        );
    });
    join_all(replays).await;
}

#[tokio::test]
async fn a_recorded_call_is_replayed_over_a_line_at_plivo() {
    let scratch = Scratch::new();
    let call = fixture("asks-for-human");
    let call = call.to_str().expect("a path in UTF-8");
    let arguments = ["replay", call, "--carrier", "plivo"];
    let told = run(&arguments, &scratch.0, &Environment::new()).await;
    assert_eq!(told.code, Some(0), "{}\n{}", told.stdout, told.stderr);
    for part in [
        "caller_asks_for_human",
        "human took the call (default)",
        "ended       bridged",
    ] {
        assert!(told.stdout.contains(part), "{part}:\n{}", told.stdout);
    }
    let check = ["replay", call, "--carrier", "plivo", "--check"];
    let told = run(&check, &scratch.0, &Environment::new()).await;
    assert_eq!(told.code, Some(1));
    assert!(told.stderr.contains("leave --check out"), "{}", told.stderr);
}

/// Replays recorded calls, told as JSON or in words.
async fn replayed(calls: &[&str], arguments: &[&str]) -> Finished {
    let scratch = Scratch::new();
    let folders: Vec<_> = calls.iter().map(|call| fixture(call)).collect();
    let folders = folders
        .iter()
        .map(|folder| folder.to_str().expect("a path in UTF-8"));
    let arguments: Vec<_> = ["replay"]
        .into_iter()
        .chain(folders)
        .chain(arguments.iter().copied())
        .collect();
    let told = run(&arguments, &scratch.0, &Environment::new()).await;
    assert_eq!(told.code, Some(0), "{}\n{}", told.stdout, told.stderr);
    told
}

/// The objects of a kind.
fn of_kind(told: &Finished, kind: &str) -> Vec<Value> {
    let objects = told.stdout.lines().map(|line| {
        let object: Value = serde_json::from_str(line).expect("one JSON object a line");
        object
    });
    objects.filter(|object| object["kind"] == kind).collect()
}

fn milliseconds(object: &Value, step: &str) -> u64 {
    let found = object[step].as_u64();
    found.unwrap_or_else(|| panic!("no {step}: {object}"))
}

#[tokio::test]
async fn the_wait_for_the_humans_phone_is_told_step_by_step() {
    let slow = ["--rest-ms", "40", "--setup-ms", "60", "--json"];
    let told = replayed(&["asks-for-human"], &slow).await;
    let waits = of_kind(&told, "ringing");
    let [wait] = waits.as_slice() else {
        panic!("one handoff: {waits:?}")
    };
    assert_eq!(wait["ringing"], "told");
    assert!(wait["document_fetched_ms"].is_null());
    let [sent, taken, rang] =
        ["rewrite_sent_ms", "rewrite_taken_ms", "ringing_ms"].map(|step| milliseconds(wait, step));
    // Milliseconds are cut off, so two of them may seem one closer than they are.
    assert!(taken + 1 >= sent + 40, "the answer took its time: {wait}");
    assert!(rang + 1 >= sent + 40 + 60, "so did the phone: {wait}");
    assert!(of_kind(&told, "summary").is_empty(), "of one call");
}

#[tokio::test]
async fn plivo_tells_of_no_ringing_but_fetches_the_document() {
    let arguments = ["--carrier", "plivo", "--rest-ms", "0", "--setup-ms", "0"];
    let told = replayed(&["asks-for-human"], &arguments).await;
    let wait = (told.stdout.lines())
        .find(|line| line.contains("  ringing "))
        .unwrap_or_else(|| panic!("no wait:\n{}", told.stdout));
    assert!(wait.contains("not told by the carrier"), "{wait}");
    assert!(wait.contains("document fetched "), "{wait}");
}

#[tokio::test]
async fn several_calls_are_summed_up() {
    let calls = ["asks-for-human", "stays-with-bot", "presses-zero"];
    let told = replayed(&calls, &["--json"]).await;
    assert_eq!(of_kind(&told, "call").len(), calls.len());
    let rang: Vec<_> = of_kind(&told, "ringing")
        .iter()
        .map(|wait| milliseconds(wait, "ringing_ms"))
        .collect();
    assert_eq!(rang.len(), 2, "one caller stays with the voice agent");
    let summaries = of_kind(&told, "summary");
    let [summary] = summaries.as_slice() else {
        panic!("one summary: {summaries:?}")
    };
    assert_eq!(summary["handoffs"], 2);
    let (shorter, longer) = (rang[0].min(rang[1]), rang[0].max(rang[1]));
    let of_ringing = &summary["ringing_ms"];
    assert_eq!(milliseconds(of_ringing, "p50"), shorter);
    assert_eq!(milliseconds(of_ringing, "p99"), longer);
}
