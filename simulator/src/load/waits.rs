//! How long callers who asked for a human waited: for the rewrite, and for the human's phone to ring.

use std::time::Duration;

use serde_json::{Value, json};

use super::carrier::Delays;
use super::report::round;

/// From the trigger to the human's phone ringing it may take less than this, the carrier included.
const RINGING_LIMIT_MS: f64 = 3000.0;
/// Of which less than this may be handoff's.
const OURS_LIMIT_MS: f64 = 150.0;

/// Times of many calls, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spread(Vec<f64>);

impl Spread {
    /// Takes the times in any order.
    pub fn new(times: impl Iterator<Item = Duration>) -> Self {
        let mut milliseconds: Vec<f64> = times.map(|time| time.as_secs_f64() * 1000.0).collect();
        milliseconds.sort_by(f64::total_cmp);
        Self(milliseconds)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The value below which that share lies (nearest rank); `None` when there are none.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied()
    }

    fn to_json(&self) -> Value {
        json!({"p50_ms": self.quantile(0.5).map(round), "p99_ms": self.quantile(0.99).map(round),
            "max_ms": self.0.last().copied().map(round)})
    }
}

/// One phone that rang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rang {
    /// From the recognizer's final leaving to the phone ringing.
    pub after: Duration,
    /// What of it was handoff's: to the rewrite request on the wire, and to serve the document.
    pub ours: Duration,
    /// How long the announcement is, whether or not it was waited for.
    pub announcement: Duration,
}

/// What happened to the callers who asked for a human.
#[derive(Debug, Clone, PartialEq)]
pub struct Waits {
    /// Calls whose caller asked.
    pub asked: usize,
    /// From the recognizer's final leaving to the rewrite request arriving, one for every rewrite.
    pub rewrite: Spread,
    /// The phones that rang.
    pub rang: Vec<Rang>,
    /// How long the carrier took for its part.
    pub carrier: Delays,
    /// Why phones did not ring, each reason once.
    pub failed: Vec<String>,
}

impl Waits {
    /// The wait for the rewrite.
    pub fn rewrite_json(&self) -> Value {
        let mut told = self.rewrite.to_json();
        told["asked"] = json!(self.asked);
        told["rewritten"] = json!(self.rewrite.count());
        told
    }

    /// The wait for the phone: without the announcement, with it, and whose it was.
    pub fn ringing_json(&self) -> Value {
        let mut told = self.ringing(false).to_json();
        told["asked"] = json!(self.asked);
        told["rang"] = json!(self.rang.len());
        told["with_announcement"] = self.ringing(true).to_json();
        told["announcement"] = json!(if self.carrier.speech {
            "waited for"
        } else {
            "added"
        });
        told["ours"] = self.ours().to_json();
        told["carrier"] = json!({"rest_ms": self.carrier.rest.as_millis() as u64,
            "setup_ms": self.carrier.setup.as_millis() as u64});
        told
    }

    fn ringing(&self, with_announcement: bool) -> Spread {
        let time = |rang: &Rang| match (self.carrier.speech, with_announcement) {
            (true, true) | (false, false) => rang.after,
            (true, false) => rang.after.saturating_sub(rang.announcement),
            (false, true) => rang.after + rang.announcement,
        };
        Spread::new(self.rang.iter().map(time))
    }

    fn ours(&self) -> Spread {
        Spread::new(self.rang.iter().map(|rang| rang.ours))
    }

    /// What went wrong, in sentences.
    pub fn failures(&self) -> Vec<String> {
        let asked = self.asked;
        let mut failures = Vec::new();
        if self.rewrite.count() != asked {
            failures.push(format!(
                "{asked} callers asked for a human, {} calls were rewritten",
                self.rewrite.count()
            ));
        } else if self.rang.len() != asked {
            failures.push(format!(
                "{asked} callers asked for a human, {} phones rang",
                self.rang.len()
            ));
        }
        failures.extend(self.failed.iter().cloned());
        failures
    }

    /// Which limits were not kept, in sentences. The announcement counts where it was waited for.
    pub fn over_limit(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        for (what, spread, limit) in [
            (
                "from trigger to ringing",
                self.ringing(self.carrier.speech),
                RINGING_LIMIT_MS,
            ),
            ("handoff's share of it", self.ours(), OURS_LIMIT_MS),
        ] {
            match spread.quantile(0.99) {
                Some(p99) if p99 < limit => {}
                Some(p99) => sentences.push(format!(
                    "{what}: p99 was {p99:.0} ms and has to be below {limit:.0} ms"
                )),
                None => sentences.push(format!("{what}: no phone rang, so nothing is shown")),
            }
        }
        sentences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(rang: &[[u64; 3]], speech: bool) -> Waits {
        let ms = Duration::from_millis;
        let rang = rang.iter().map(|&[after, ours, announcement]| Rang {
            after: ms(after),
            ours: ms(ours),
            announcement: ms(announcement),
        });
        let rang: Vec<_> = rang.collect();
        Waits {
            asked: rang.len(),
            rewrite: Spread::new(rang.iter().map(|rang| rang.ours)),
            rang,
            carrier: Delays {
                rest: ms(300),
                setup: ms(500),
                speech,
            },
            failed: Vec::new(),
        }
    }

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let spread = Spread::new([9, 1, 3, 2].into_iter().map(Duration::from_millis));
        assert_eq!(
            (spread.quantile(0.5), spread.quantile(0.99)),
            (Some(2.0), Some(9.0))
        );
        assert_eq!(Spread::default().quantile(0.5), None);
    }

    #[test]
    fn ringing_is_told_with_the_announcement_and_without() {
        let expected = json!({"asked": 2, "rang": 2, "p50_ms": 810.0, "p99_ms": 820.0, "max_ms": 820.0,
            "with_announcement": {"p50_ms": 4810.0, "p99_ms": 4820.0, "max_ms": 4820.0},
            "announcement": "added", "ours": {"p50_ms": 2.0, "p99_ms": 4.0, "max_ms": 4.0},
            "carrier": {"rest_ms": 300, "setup_ms": 500}});
        let added = waits(&[[820, 4, 4000], [810, 2, 4000]], false);
        assert_eq!(added.ringing_json(), expected);
        let waited = waits(&[[4820, 4, 4000], [4810, 2, 4000]], true).ringing_json();
        assert_eq!(waited["announcement"], "waited for");
        for value in ["p50_ms", "p99_ms", "max_ms", "with_announcement"] {
            assert_eq!(waited[value], expected[value], "{value}");
        }
    }

    #[test]
    fn a_missing_rewrite_or_ring_is_a_failure() {
        let mut one = waits(&[[820, 4, 0]], false);
        assert!(one.failures().is_empty());
        one.asked = 2;
        let sentence = "2 callers asked for a human, 1 calls were rewritten";
        assert_eq!(one.failures(), [sentence]);
        one.asked = 1;
        one.rang.clear();
        one.failed.push("the document has no <Dial>".to_owned());
        let sentence = "1 callers asked for a human, 0 phones rang";
        assert_eq!(one.failures(), [sentence, "the document has no <Dial>"]);
    }

    #[test]
    fn limits_are_of_the_whole_and_of_our_share() {
        for (rang, speech, expected) in [
            ([2999, 149, 4000], false, vec![]),
            (
                [3000, 149, 0],
                false,
                vec!["from trigger to ringing: p99 was 3000 ms and has to be below 3000 ms"],
            ),
            (
                [812, 150, 0],
                false,
                vec!["handoff's share of it: p99 was 150 ms and has to be below 150 ms"],
            ),
            (
                [4812, 4, 4000],
                true,
                vec!["from trigger to ringing: p99 was 4812 ms and has to be below 3000 ms"],
            ),
        ] {
            assert_eq!(waits(&[rang], speech).over_limit(), expected, "{rang:?}");
        }
        assert_eq!(waits(&[], false).over_limit().len(), 2);
    }
}
