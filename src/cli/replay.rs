//! `handoff replay`: recorded calls through a real server, as timelines.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use handoff_core::call::{Stamp, describe};
use handoff_core::time::CallTime;
use serde::Serialize;
use serde_json::{Value, json};

use super::ringing::{self, Wait};
use super::stage::{self, CarrierChoice, Delays, Hearing, Play, Played};
use crate::journal::Record;

/// How far a moment of the audio may lie from where it is expected: recognizers answer in steps of
/// a window, and the caller's and the voice agent's windows race.
const TOLERANCE_MS: u64 = 250;

/// How the end of the human's leg reads.
const LEG_OVER: &str = "human's leg over";

#[derive(clap::Args)]
pub(super) struct Replay {
    /// The recorded calls, like fixtures/calls/asks-for-human. Several are played one after the other.
    #[arg(value_name = "DIR", required = true)]
    calls: Vec<PathBuf>,
    /// Over whose line the calls come in.
    #[arg(long, default_value = "twilio")]
    carrier: CarrierChoice,
    /// How many times as fast as life, or `max`.
    #[arg(long, default_value = "max", value_name = "N|max")]
    speed: String,
    /// Who turns speech into words. Without it: `recorded` if the call has hypotheses.jsonl.
    #[arg(long)]
    recognizer: Option<Hearing>,
    #[command(flatten)]
    delays: Delays,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
    /// Compares with each call's timeline.expected, which is that of a line at Twilio, and fails where
    /// it differs.
    #[arg(long)]
    check: bool,
}

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Line {
    /// Milliseconds of the call's audio.
    pub at_ms: u64,
    /// Whether the time is a place in the audio, which is the same in every replay.
    pub media: bool,
    /// One word.
    pub kind: &'static str,
    /// The rest.
    pub detail: String,
}

impl Replay {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        ensure!(
            !(self.check && self.carrier == CarrierChoice::Plivo),
            "timeline.expected tells of a line at Twilio: leave --check out with --carrier plivo"
        );
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        let mut waits = Vec::new();
        let mut has_complaints = false;
        for call in &self.calls {
            if self.calls.len() > 1 {
                self.say(
                    || json!({"kind": "call", "call": call}),
                    || format!("== {}", call.display()),
                );
            }
            let played = runtime.block_on(stage::play(&self.play(call), |_| {}));
            let played = played.with_context(|| format!("cannot replay {}", call.display()))?;
            waits.extend(self.tell(call, &played)?);
            has_complaints |= !played.complaints.is_empty();
        }
        if self.calls.len() > 1 {
            self.say(
                || ringing::summary(&waits),
                || ringing::print_summary(&waits),
            );
        }
        Ok(if has_complaints {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }

    fn play(&self, call: &Path) -> Play {
        let hearing = self.recognizer.unwrap_or_else(|| {
            if call.join("hypotheses.jsonl").is_file() {
                Hearing::Recorded
            } else {
                Hearing::Pocketsphinx
            }
        });
        Play {
            carrier: self.carrier,
            call: call.to_owned(),
            speed: self.speed.clone(),
            hearing,
            delays: self.delays,
        }
    }

    /// Prints what came of a call, and compares it where that is asked for.
    fn tell(&self, call: &Path, played: &Played) -> anyhow::Result<Vec<Wait>> {
        let lines = timeline(&played.records);
        for line in &lines {
            self.say(|| json!(line), || print(line));
        }
        let waits = ringing::waits(self.carrier, &played.records);
        for wait in &waits {
            let line = Line {
                at_ms: lines.last().map_or(0, |last| last.at_ms),
                media: false,
                kind: "ringing",
                detail: wait.detail(),
            };
            self.say(|| wait.to_json(&line), || print(&line));
        }
        for complaint in &played.complaints {
            eprintln!("{complaint}");
        }
        if self.check {
            compare(call, &lines)?;
            eprintln!("as expected");
        }
        Ok(waits)
    }

    fn say(&self, json: impl FnOnce() -> Value, words: impl FnOnce() -> String) {
        if self.json {
            println!("{}", json());
        } else {
            println!("{}", words());
        }
    }
}

/// The facts of a call as lines.
///
/// What was heard stands where it was heard. Everything else stands as long after the latest audio
/// as it really took, so that a trigger and what follows from it read right at any speed.
pub(super) fn timeline(records: &[Record]) -> Vec<Line> {
    let mut heard = (0, CallTime::default());
    let mut lines = Vec::new();
    for record in records {
        let (stamp, kind, detail) = describe(&record.fact);
        let (at_ms, media) = match stamp {
            Stamp::Media(at) => {
                if at.as_millis() > heard.0 || heard.1 == CallTime::default() {
                    heard = (at.as_millis(), record.at);
                }
                (at.as_millis(), true)
            }
            Stamp::Written => (
                heard.0 + CallTime(record.at.since(heard.1)).as_millis(),
                false,
            ),
        };
        lines.push(Line {
            at_ms,
            media,
            kind,
            detail,
        });
    }
    lines
}

/// `+SS.mmm  kind  detail`.
pub(super) fn print(line: &Line) -> String {
    format!(
        "{}  {:<10}  {}",
        CallTime::from_millis(line.at_ms),
        line.kind,
        line.detail
    )
}

/// Compares a timeline with the expected one. `+SS.mmm` must match within a quarter of a second;
/// `+--.---` stands for a time that differs from run to run.
///
/// What is of one kind, and what one speaker says, has an order. Everything else races: words with
/// the carrier's answers, and callbacks with each other. What is said after the trigger is not
/// compared: how much of it is heard, and whether a human has the line by then, depends on the pace.
/// Nor is the end of the human's leg, of which the carrier may tell after the end of the call.
fn compare(call: &Path, lines: &[Line]) -> anyhow::Result<()> {
    let path = call.join("timeline.expected");
    let expected = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let printed: Vec<_> = lines.iter().map(print).collect();
    let is_late = |rest: &str, at_ms: u64| {
        let trigger = lines.iter().find(|line| line.kind == "trigger");
        rest.contains(LEG_OVER)
            || rest.starts_with("utterance") && trigger.is_some_and(|trigger| at_ms > trigger.at_ms)
    };
    let mut awaited: BTreeMap<_, VecDeque<(usize, &str)>> = BTreeMap::new();
    for (nth, line) in expected.lines().enumerate() {
        let Some((at, rest)) = line.split_once("  ") else {
            continue;
        };
        if !is_late(rest, millis(at).unwrap_or(0)) {
            awaited
                .entry(racer(rest))
                .or_default()
                .push_back((nth + 1, line));
        }
    }
    for (line, found) in lines.iter().zip(&printed) {
        let (_, found_rest) = found
            .split_once("  ")
            .context("a line begins with a time")?;
        if is_late(found_rest, line.at_ms) {
            continue;
        }
        let next = awaited
            .get_mut(&racer(found_rest))
            .and_then(VecDeque::pop_front);
        let Some((nth, expected)) = next else {
            bail!("{} does not have {found}", path.display());
        };
        let (at, rest) = expected.split_once("  ").unwrap_or_default();
        let in_time = millis(at).is_none_or(|at_ms| at_ms.abs_diff(line.at_ms) <= TOLERANCE_MS);
        ensure!(
            in_time && rest.trim() == found_rest.trim(),
            "line {nth} of {} differs:\n  expected {expected}\n  found    {found}",
            path.display()
        );
    }
    let missing: Vec<_> = awaited
        .into_values()
        .flatten()
        .map(|(_, line)| line)
        .collect();
    ensure!(
        missing.is_empty(),
        "{} expects more:\n  {}",
        path.display(),
        missing.join("\n  ")
    );
    Ok(())
}

/// Reads `+SS.mmm`; `None` for a time that is not told.
fn millis(at: &str) -> Option<u64> {
    let seconds = at.trim_start_matches('+').parse::<f64>().ok()?;
    Some((seconds * 1_000.0) as u64)
}

/// Whose order a line is in: its kind, and of an utterance the speaker too.
fn racer(line: &str) -> (&str, &str) {
    let mut words = line.split_whitespace();
    match (words.next(), words.next()) {
        (Some("utterance"), Some(speaker)) => ("utterance", speaker),
        (kind, _) => (kind.unwrap_or_default(), ""),
    }
}
