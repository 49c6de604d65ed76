//! Whole recorded calls through `handoff replay`, compared with the timelines that were checked by
//! hand.

use std::path::Path;

use super::process::{Environment, run};
use super::stage::Scratch;

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
    for folder in folders {
        assert!(
            folder.join("timeline.expected").is_file(),
            "{} has no timeline",
            folder.display()
        );
        let scratch = Scratch::new();
        let call = folder.to_str().expect("a path in UTF-8");
        let told = run(
            &["replay", call, "--check"],
            &scratch.0,
            &Environment::new(),
        )
        .await;
        assert_eq!(
            told.code,
            Some(0),
            "{call}:\n{}\n{}",
            told.stdout,
            told.stderr
        );
    }
}
