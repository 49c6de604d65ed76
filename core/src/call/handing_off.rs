//! From the trigger to the human's voice, one rewrite at a time.

use std::time::Duration;

use super::command::{Anomaly, Command};
use super::fact::{Fact, GiveUpReason};
use super::machine::Call;
use super::outcome::{DialEnd, LegProgress, RewriteOutcome};
use super::policy::Mode;
use super::state::{Stage, State};
use super::timer::Timer;
use crate::id::{Carrier, HandoffId};
use crate::time::CallTime;

/// The caller is listening.
const LONGEST_RETRY: Duration = Duration::from_secs(2);

impl Call {
    pub(super) fn on_decision_recorded(&mut self, handoff: &HandoffId) {
        // If the deadline passed first, the rewrite is already on its way.
        if self.is_decided() && self.is_latest(handoff) {
            self.timers.stop(Timer::JournalDeadline);
            self.request_rewrite();
        }
    }

    pub(super) fn on_journal_deadline(&mut self) {
        if self.is_decided() {
            self.note(Anomaly::JournalLate);
            self.request_rewrite();
        }
    }

    pub(super) fn on_rewrite_retry(&mut self) {
        let Some(handoff) = &self.handoff else {
            return;
        };
        if !matches!(handoff.stage, Stage::NotSent | Stage::Unknown) {
            return;
        }
        if handoff.attempts < self.policy.rewrite_attempts {
            self.request_rewrite();
        } else {
            self.give_up(GiveUpReason::AttemptsUsedUp);
        }
    }

    pub(super) fn on_rewrite_settled(
        &mut self,
        handoff: &HandoffId,
        attempt: u32,
        outcome: RewriteOutcome,
        now: CallTime,
    ) {
        if self.state != State::Open || !self.is_latest(handoff) || self.is_listening() {
            return self.note(Anomaly::StaleHandoff);
        }
        let awaited = (self.handoff.as_ref()).is_some_and(|latest| {
            matches!(latest.stage, Stage::Rewriting) && latest.attempts == attempt
        });
        self.record(Fact::RewriteSettled {
            handoff: handoff.clone(),
            attempt,
            outcome: outcome.clone(),
        });
        if !awaited {
            // A leg was heard of before the answer came; that was proof enough.
            return;
        }
        match outcome {
            // Plivo begins the new document only when the stream that holds the caller ends.
            RewriteOutcome::Accepted
                if self.arrival.carrier == Carrier::Plivo && self.policy.mode == Mode::Converse =>
            {
                self.commands.push_back(Command::ReleaseCaller);
            }
            RewriteOutcome::Accepted => {}
            RewriteOutcome::NotSent => {
                let doubled = 2u32.saturating_pow(attempt.saturating_sub(1));
                let wait = self.policy.rewrite_retry.saturating_mul(doubled);
                self.timers
                    .set(Timer::RewriteRetry, now + wait.min(LONGEST_RETRY));
            }
            RewriteOutcome::Unknown | RewriteOutcome::CallerGone => {
                self.commands.push_back(Command::InspectCall);
            }
            RewriteOutcome::Refused { .. } => self.give_up(GiveUpReason::Refused),
        }
    }

    /// The caller is still there although a rewrite of unknown outcome may have acted: the human's
    /// leg gets its time to be heard of.
    pub(super) fn await_evidence(&mut self, now: CallTime) {
        let unknown =
            (self.handoff.as_ref()).is_some_and(|handoff| matches!(handoff.stage, Stage::Unknown));
        if unknown && !self.timers.is_set(Timer::RewriteRetry) {
            self.timers
                .set(Timer::RewriteRetry, now + self.policy.rewrite_evidence);
        }
    }

    pub(super) fn on_leg(
        &mut self,
        handoff: &HandoffId,
        attempt: u32,
        progress: LegProgress,
        now: CallTime,
    ) {
        // That a human answered is true of the call after its end too. Anything else that comes
        // then, like a phone that stops ringing, is a consequence of the end.
        let late = self.state != State::Open && progress != LegProgress::Answered;
        if late || !self.is_current(handoff, attempt) {
            return self.note(Anomaly::StaleHandoff);
        }
        self.adopt(attempt);
        let known = self.handoff.as_ref().and_then(|latest| latest.leg());
        if known.is_some_and(|leg| !leg.is_news(progress)) {
            return self.note(Anomaly::LegOutOfOrder);
        }
        self.timers.stop(Timer::RewriteRetry);
        self.record(Fact::LegProgressed {
            handoff: handoff.clone(),
            progress,
        });
        let leg = self.handoff.as_ref().and_then(|latest| latest.leg());
        if self.has_human() && self.state == State::Open && leg.is_some_and(|leg| leg.is_over()) {
            self.timers
                .set(Timer::Inspect, now + self.policy.stream_grace);
        }
    }

    pub(super) fn on_dial_ended(
        &mut self,
        handoff: &HandoffId,
        attempt: u32,
        end: DialEnd,
        now: CallTime,
    ) {
        if self.state != State::Open || !self.is_current(handoff, attempt) {
            return self.note(Anomaly::StaleHandoff);
        }
        self.adopt(attempt);
        let latest = self.handoff.as_ref();
        if latest.is_some_and(|latest| matches!(latest.stage, Stage::Parting(..))) {
            return self.note(Anomaly::StaleHandoff);
        }
        self.timers.stop(Timer::RewriteRetry);
        self.record(Fact::DialEnded {
            handoff: handoff.clone(),
            end,
        });
        // The last document is short: if the carrier does not report the end, it is looked for.
        self.timers
            .set(Timer::Inspect, now + self.policy.stream_grace);
    }

    /// Makes no further attempt. A voice agent beside us still has the caller; where we are the
    /// voice agent's line, nobody has, and the carrier's own document goes on.
    pub(super) fn give_up(&mut self, reason: GiveUpReason) {
        let Some(latest) = &self.handoff else {
            return;
        };
        self.record(Fact::HandoffGivenUp {
            handoff: latest.trigger.handoff.clone(),
            reason,
        });
        match self.policy.mode {
            Mode::Listen => {}
            Mode::Converse => self.commands.push_back(Command::ReleaseCaller),
        }
    }

    /// Whether a callback speaks of the latest handoff and of its latest rewrite. The dial of an
    /// earlier rewrite was interrupted by the later one, and the carrier reports that as an end.
    ///
    /// A rewrite that we do not know of is one whose fact did not reach the disk before a crash.
    fn is_current(&self, handoff: &HandoffId, attempt: u32) -> bool {
        let latest = self.handoff.as_ref();
        latest.is_some_and(|latest| {
            let asked = latest.attempts.max(1)..=latest.attempts.max(self.policy.rewrite_attempts);
            latest.trigger.handoff == *handoff && asked.contains(&attempt)
        })
    }

    /// Writes down the request that a callback proves.
    fn adopt(&mut self, attempt: u32) {
        let latest = self.handoff.as_ref();
        if let Some(latest) = latest.filter(|latest| attempt > latest.attempts) {
            self.timers.stop(Timer::JournalDeadline);
            self.record(Fact::RewriteRequested {
                handoff: latest.trigger.handoff.clone(),
                attempt,
            });
        }
    }

    fn request_rewrite(&mut self) {
        let Some(latest) = &self.handoff else {
            return;
        };
        let (handoff, attempt) = (latest.trigger.handoff.clone(), latest.attempts + 1);
        self.record(Fact::RewriteRequested {
            handoff: handoff.clone(),
            attempt,
        });
        self.commands
            .push_back(Command::RewriteCall { handoff, attempt });
    }

    fn is_decided(&self) -> bool {
        self.state == State::Open
            && (self.handoff.as_ref()).is_some_and(|latest| matches!(latest.stage, Stage::Decided))
    }

    fn is_latest(&self, handoff: &HandoffId) -> bool {
        (self.handoff.as_ref()).is_some_and(|latest| latest.trigger.handoff == *handoff)
    }
}
