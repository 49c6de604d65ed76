//! One attempt at one delivery: step after step until the sink says how it ended.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handoff_core::pii::Secret;
use tokio::time::{Instant, sleep, timeout_at};

use super::metrics;
use super::outcome::{FailureReason, Job, Kind, Receipt, Step, Verdict};
use super::schedule::{Failed, Next, Schedule};
use super::sink::Sink;
use super::token::{NoToken, TokenCell};
use crate::clock;
use crate::egress::Egress;
use crate::journal::{Claim, Claimed, Excerpt, Journal, JournalError, Progress, Settlement};

/// How long a claim is held.
pub(super) const LEASE: Duration = Duration::from_secs(120);

/// How long the steps of an attempt may take together. Well within the lease, so that nobody else
/// is at work on the row when it is settled.
const BUDGET: Duration = Duration::from_secs(90);

/// The pause before a settlement is offered to a full or locked journal again.
const SETTLE_PAUSE: Duration = Duration::from_secs(1);

/// What the attempts at one sink share.
#[derive(Debug)]
pub(super) struct Attempts {
    pub(super) journal: Journal,
    pub(super) egress: Egress,
    pub(super) schedule: Schedule,
    pub(super) sink: Sink,
    pub(super) token: TokenCell,
}

/// Whether the sink takes more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SinkState {
    /// It may.
    Usable,
    /// It no longer exists at the vendor.
    Gone,
}

/// How the steps ended.
enum Outcome {
    Delivered(Receipt),
    Retry {
        after: Option<Duration>,
        reason: FailureReason,
    },
    Dead {
        reason: FailureReason,
        excerpt: Option<Excerpt>,
    },
    Gone(FailureReason),
}

impl Attempts {
    /// Makes an attempt and settles it.
    pub(super) async fn make(self: Arc<Self>, mut claim: Claim) -> SinkState {
        let lease_end = Instant::now() + LEASE;
        let steps = timeout_at(Instant::now() + BUDGET, self.steps(&mut claim)).await;
        let outcome = match steps {
            Ok(Ok(outcome)) => outcome,
            // What was under way may have acted; the saved progress says so to the next attempt.
            Err(_) => Outcome::Retry {
                after: None,
                reason: FailureReason::Unreachable,
            },
            // The row is not ours any more, or the journal is closing: whoever claims it next goes
            // on from the progress that is on disk.
            Ok(Err(error)) => {
                tracing::warn!(
                    handoff.id = %claim.handoff, sink = self.sink.name(), error = &error as &dyn Error,
                    "delivery was left to a later claim"
                );
                return SinkState::Usable;
            }
        };
        let state = match &outcome {
            Outcome::Delivered(_) | Outcome::Retry { .. } | Outcome::Dead { .. } => {
                SinkState::Usable
            }
            Outcome::Gone(_) => SinkState::Gone,
        };
        let settlement = self.settlement(&claim, outcome);
        self.note(&claim, &settlement);
        self.settle(&claim, settlement, lease_end).await;
        state
    }

    async fn steps(&self, claim: &mut Claim) -> Result<Outcome, JournalError> {
        let opened = match claim.kind.clone() {
            Claimed::Open => None,
            Claimed::Update { opened } => Some(opened),
            Claimed::NeverOpened => return Ok(dead(FailureReason::NeverOpened)),
        };
        let mut refreshed = false;
        loop {
            let token = match self.token.current(&self.sink, &self.egress).await {
                Ok(token) => token,
                Err(NoToken { after, reason }) => return Ok(Outcome::Retry { after, reason }),
            };
            let secret = token.as_ref().map(|token| &token.secret);
            let step = self
                .sink
                .step(&job(claim, opened.as_ref(), secret), saved(claim));
            let (progress, request) = match step {
                Step::Send(request) => (None, request),
                Step::SaveThenSend { progress, request } => (Some(progress), request),
                Step::Done(receipt) => return Ok(Outcome::Delivered(receipt)),
                Step::Fail(reason) => return Ok(dead(reason)),
            };
            if let Some(progress) = progress {
                self.save(claim, progress).await?;
            }

            let answer = self.egress.send(request).await;
            let body = answer
                .as_ref()
                .map_or_else(|_| Bytes::new(), |answer| answer.body().clone());
            let job = job(claim, opened.as_ref(), secret);
            match self.sink.interpret(&job, saved(claim), answer) {
                Verdict::Continue { progress } => {
                    self.save(claim, progress).await?;
                    refreshed = false;
                }
                Verdict::Done(receipt) => return Ok(Outcome::Delivered(receipt)),
                Verdict::Retry {
                    after,
                    progress,
                    reason,
                } => {
                    if let Some(progress) = progress {
                        self.save(claim, progress).await?;
                    }
                    return Ok(Outcome::Retry { after, reason });
                }
                Verdict::Refresh => match token {
                    Some(token) if !refreshed => {
                        self.token.refused(&token);
                        refreshed = true;
                    }
                    Some(_) | None => {
                        return Ok(Outcome::Retry {
                            after: None,
                            reason: FailureReason::Unauthorized,
                        });
                    }
                },
                Verdict::Dead(reason) => {
                    let excerpt = (!body.is_empty()).then(|| Excerpt::of(&body));
                    return Ok(Outcome::Dead { reason, excerpt });
                }
                Verdict::DisableSink(reason) => return Ok(Outcome::Gone(reason)),
            }
        }
    }

    async fn save(&self, claim: &mut Claim, bytes: Vec<u8>) -> Result<(), JournalError> {
        let now = clock::wall();
        self.journal
            .save_progress(claim.id, now, bytes.clone())
            .await?;
        let first_saved = claim
            .progress
            .as_ref()
            .map_or(now, |progress| progress.first_saved);
        claim.progress = Some(Progress { bytes, first_saved });
        Ok(())
    }

    fn settlement(&self, claim: &Claim, outcome: Outcome) -> Settlement {
        let now = clock::wall();
        match outcome {
            Outcome::Delivered(receipt) => Settlement::Delivered(receipt),
            Outcome::Dead { reason, excerpt } => Settlement::Dead {
                at: now,
                reason,
                excerpt,
            },
            // Due at once, for a process that is started with a sink that exists.
            Outcome::Gone(reason) => Settlement::RetryAt { due: now, reason },
            Outcome::Retry { after, reason } => {
                let failed = Failed {
                    attempt: claim.attempt,
                    first_attempt: claim.first_claimed,
                    asked: after,
                };
                // Without randomness all wait the full pause.
                let random = getrandom::u64().unwrap_or(u64::MAX);
                match self.schedule.next(failed, now, random) {
                    Next::At(due) => Settlement::RetryAt { due, reason },
                    Next::GiveUp => Settlement::Dead {
                        at: now,
                        reason,
                        excerpt: None,
                    },
                }
            }
        }
    }

    fn note(&self, claim: &Claim, settlement: &Settlement) {
        let (handoff, attempt) = (&claim.handoff, claim.attempt);
        let sink = self.sink.name();
        match settlement {
            Settlement::Delivered(receipt) => {
                metrics::delivered(&self.sink);
                tracing::info!(
                    handoff.id = %handoff, sink, attempt, exactly_once = receipt.exactly_once,
                    "context delivered"
                );
            }
            Settlement::RetryAt { reason, .. } => {
                metrics::retried(&self.sink, reason);
                tracing::warn!(handoff.id = %handoff, sink, attempt, reason = %reason,
                    "delivery failed and will be repeated");
            }
            Settlement::Dead { reason, .. } => {
                metrics::dead(&self.sink);
                tracing::error!(handoff.id = %handoff, sink, attempt, reason = %reason,
                    "delivery was given up");
            }
        }
    }

    /// Settles while the lease lasts. A delivery that was made and cannot be settled is made again
    /// when the lease has ended.
    async fn settle(&self, claim: &Claim, settlement: Settlement, lease_end: Instant) {
        loop {
            let Err(error) = self.journal.settle(claim.id, settlement.clone()).await else {
                return;
            };
            if !error.may_pass() || Instant::now() + SETTLE_PAUSE >= lease_end {
                tracing::error!(
                    handoff.id = %claim.handoff, sink = self.sink.name(), error = &error as &dyn Error,
                    "delivery could not be settled and will be repeated"
                );
                return;
            }
            sleep(SETTLE_PAUSE).await;
        }
    }
}

fn job<'a>(claim: &'a Claim, opened: Option<&'a Receipt>, token: Option<&'a Secret>) -> Job<'a> {
    Job {
        kind: opened.map_or(Kind::Open, |opened| Kind::Update { opened }),
        context: &claim.context,
        now: clock::wall(),
        first_saved: claim.progress.as_ref().map(|progress| progress.first_saved),
        token,
    }
}

fn saved(claim: &Claim) -> Option<&[u8]> {
    claim
        .progress
        .as_ref()
        .map(|progress| progress.bytes.as_slice())
}

const fn dead(reason: FailureReason) -> Outcome {
    Outcome::Dead {
        reason,
        excerpt: None,
    }
}
