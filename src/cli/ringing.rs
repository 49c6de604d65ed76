//! How long a caller who needs a human waits until the human's phone rings.
//!
//! Times are the journal's: as long after the trigger as the facts were written down, in real time
//! whatever the speed of a replay. An announcement that the caller hears first is in them.

use handoff_core::call::{Fact, LegProgress, RewriteOutcome};
use handoff_core::id::HandoffId;
use handoff_core::time::CallTime;
use serde::Serialize;
use serde_json::{Value, json};

use super::replay::Line;
use super::stage::CarrierChoice;
use crate::journal::Record;

/// One handoff. Each step counts from the trigger, and is `None` if it was not reached or not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Wait {
    handoff: String,
    ringing: Ringing,
    rewrite_sent_ms: Option<u64>,
    rewrite_taken_ms: Option<u64>,
    document_fetched_ms: Option<u64>,
    ringing_ms: Option<u64>,
}

/// What is known of the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Ringing {
    /// The carrier told when it rang.
    Told,
    /// The carrier tells of nothing before an answer.
    NotTold,
    /// It would have told, and did not.
    DidNotRing,
}

/// Reads a call's handoffs out of its records.
pub(super) fn waits(carrier: CarrierChoice, records: &[Record]) -> Vec<Wait> {
    let triggered = records.iter().filter_map(|record| {
        let Fact::Triggered(trigger) = &record.fact else {
            return None;
        };
        Some((&trigger.handoff, record.at))
    });
    triggered
        .map(|(handoff, trigger)| {
            let since = |wanted: fn(&Fact) -> Option<&HandoffId>| {
                let found =
                    (records.iter()).find(|record| wanted(&record.fact) == Some(handoff))?;
                Some(CallTime(found.at.since(trigger)).as_millis())
            };
            let rang = since(rung);
            Wait {
                handoff: handoff.as_str().to_owned(),
                ringing: match (rang, carrier) {
                    (Some(_), _) => Ringing::Told,
                    (None, CarrierChoice::Plivo) => Ringing::NotTold,
                    (None, CarrierChoice::Twilio) => Ringing::DidNotRing,
                },
                rewrite_sent_ms: since(requested),
                rewrite_taken_ms: since(taken),
                document_fetched_ms: since(fetched),
                ringing_ms: rang,
            }
        })
        .collect()
}

fn requested(fact: &Fact) -> Option<&HandoffId> {
    if let Fact::RewriteRequested { handoff, .. } = fact {
        return Some(handoff);
    }
    None
}

fn taken(fact: &Fact) -> Option<&HandoffId> {
    if let Fact::RewriteSettled {
        handoff,
        outcome: RewriteOutcome::Accepted | RewriteOutcome::Taken,
        ..
    } = fact
    {
        return Some(handoff);
    }
    None
}

fn fetched(fact: &Fact) -> Option<&HandoffId> {
    if let Fact::DocumentFetched { handoff, .. } = fact {
        return Some(handoff);
    }
    None
}

fn rung(fact: &Fact) -> Option<&HandoffId> {
    if let Fact::LegProgressed {
        handoff,
        progress: LegProgress::Ringing,
        ..
    } = fact
    {
        return Some(handoff);
    }
    None
}

impl Wait {
    /// The steps in their order, by the words they are told with.
    fn steps(&self) -> [(&'static str, Option<u64>); 4] {
        [
            ("rewrite sent", self.rewrite_sent_ms),
            ("taken", self.rewrite_taken_ms),
            ("document fetched", self.document_fetched_ms),
            ("ringing", self.ringing_ms),
        ]
    }

    /// The line that says so, and each step in a field of its own.
    pub(super) fn to_json(&self, line: &Line) -> Value {
        let mut told = json!(line);
        if let (Value::Object(told), Value::Object(steps)) = (&mut told, json!(self)) {
            told.extend(steps);
        }
        told
    }

    /// As the detail of a line of the timeline.
    pub(super) fn detail(&self) -> String {
        let head = match (self.ringing, self.ringing_ms) {
            (Ringing::Told, Some(ms)) => format!("{ms} ms after the trigger"),
            (Ringing::Told | Ringing::NotTold, _) => "not told by the carrier".to_owned(),
            (Ringing::DidNotRing, _) => "no phone rang".to_owned(),
        };
        let steps = self.steps();
        let told = steps
            .iter()
            .filter_map(|(step, ms)| Some(format!("{step} {} ms", (*ms)?)));
        let told: Vec<_> = told.collect();
        match told.is_empty() {
            true => head,
            false => format!("{head} ({})", told.join(", ")),
        }
    }
}

/// The handoffs of several calls in one line.
pub(super) fn print_summary(waits: &[Wait]) -> String {
    let steps = quantiles(waits)
        .into_iter()
        .filter_map(|(step, quantiles)| {
            let (p50, p99) = quantiles?;
            Some(format!("{step} p50 {p50} ms, p99 {p99} ms"))
        });
    let steps: Vec<_> = steps.collect();
    format!("{} handoffs: {}", waits.len(), steps.join("; "))
        .trim_end_matches(": ")
        .to_owned()
}

/// The same as one JSON object.
pub(super) fn summary(waits: &[Wait]) -> Value {
    let mut told = json!({"kind": "summary", "handoffs": waits.len()});
    for (step, quantiles) in quantiles(waits) {
        let name = match step {
            "taken" => "rewrite_taken_ms".to_owned(),
            step => format!("{}_ms", step.replace(' ', "_")),
        };
        told[name] = json!(quantiles.map(|(p50, p99)| json!({"p50": p50, "p99": p99})));
    }
    told
}

/// The p50 and p99 of each step (nearest rank), over the handoffs that came so far.
fn quantiles(waits: &[Wait]) -> Vec<(&'static str, Option<(u64, u64)>)> {
    let Some(first) = waits.first() else {
        return Vec::new();
    };
    let steps = first.steps().map(|(step, _)| step);
    steps
        .into_iter()
        .enumerate()
        .map(|(place, step)| {
            let reached = waits.iter().filter_map(|wait| wait.steps()[place].1);
            let mut reached: Vec<_> = reached.collect();
            reached.sort_unstable();
            let rank = |percent: usize| {
                let rank = (reached.len() * percent).div_ceil(100);
                reached.get(rank.saturating_sub(1)).copied()
            };
            (step, rank(50).zip(rank(99)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(ringing: Ringing, steps: [Option<u64>; 4]) -> Wait {
        let [sent, taken, fetched, rang] = steps;
        Wait {
            handoff: "ho_1".to_owned(),
            ringing,
            rewrite_sent_ms: sent,
            rewrite_taken_ms: taken,
            document_fetched_ms: fetched,
            ringing_ms: rang,
        }
    }

    #[test]
    fn a_wait_is_told_as_far_as_it_is_known() {
        for (ringing, steps, expected) in [
            (
                Ringing::Told,
                [Some(3), Some(304), None, Some(812)],
                "812 ms after the trigger (rewrite sent 3 ms, taken 304 ms, ringing 812 ms)",
            ),
            (
                Ringing::NotTold,
                [Some(3), Some(304), Some(306), None],
                "not told by the carrier (rewrite sent 3 ms, taken 304 ms, document fetched 306 ms)",
            ),
            (
                Ringing::DidNotRing,
                [Some(3), None, None, None],
                "no phone rang (rewrite sent 3 ms)",
            ),
            (Ringing::DidNotRing, [None; 4], "no phone rang"),
        ] {
            assert_eq!(wait(ringing, steps).detail(), expected);
        }
    }

    #[test]
    fn a_summary_has_the_quantiles_of_what_was_reached() {
        let rang = |ms| wait(Ringing::Told, [Some(1), Some(ms), None, Some(ms + 500)]);
        let silent = wait(Ringing::DidNotRing, [Some(9), None, None, None]);
        let waits = [rang(304), rang(300), silent];
        assert_eq!(
            print_summary(&waits),
            "3 handoffs: rewrite sent p50 1 ms, p99 9 ms; taken p50 300 ms, p99 304 ms; \
             ringing p50 800 ms, p99 804 ms"
        );
        let expected = json!({"kind": "summary", "handoffs": 3, "rewrite_sent_ms": {"p50": 1, "p99": 9},
            "rewrite_taken_ms": {"p50": 300, "p99": 304}, "document_fetched_ms": null,
            "ringing_ms": {"p50": 800, "p99": 804}});
        assert_eq!(summary(&waits), expected);
        assert_eq!(print_summary(&[]), "0 handoffs");
    }
}
