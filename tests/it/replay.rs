//! Whole recorded calls through `handoff replay`, compared with the timelines that were checked by
//! hand.

use std::path::Path;

use futures_util::future::join_all;

use super::process::{Environment, run};
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
        "human answered",
        "ended       bridged",
    ] {
        assert!(told.stdout.contains(part), "{part}:\n{}", told.stdout);
    }
    let check = ["replay", call, "--carrier", "plivo", "--check"];
    let told = run(&check, &scratch.0, &Environment::new()).await;
    assert_eq!(told.code, Some(1));
    assert!(told.stderr.contains("leave --check out"), "{}", told.stderr);
}
