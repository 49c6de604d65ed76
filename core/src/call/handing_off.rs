//! From the trigger to the human's voice, one rewrite at a time.

use std::time::Duration;

use super::command::{Anomaly, Command};
use super::fact::Fact;
use super::machine::Call;
use super::outcome::{DialEnd, LegProgress, RewriteOutcome};
use super::state::{HandingOff, Phase, State};
use super::timer::Timer;
use crate::id::HandoffId;
use crate::time::CallTime;

/// The caller is listening.
const LONGEST_RETRY: Duration = Duration::from_secs(2);

impl Call {
    pub(super) fn on_decision_recorded(&mut self, handoff: &HandoffId) {
        // If the deadline passed first, the rewrite is already on its way.
        if let State::HandingOff(handing) = &self.state
            && matches!(handing.phase, Phase::Recording)
            && handing.trigger.handoff == *handoff
        {
            self.timers.stop(Timer::JournalDeadline);
            self.request_rewrite();
        }
    }

    pub(super) fn on_journal_deadline(&mut self) {
        if let State::HandingOff(handing) = &self.state
            && matches!(handing.phase, Phase::Recording)
        {
            self.note(Anomaly::JournalLate);
            self.request_rewrite();
        }
    }

    pub(super) fn on_rewrite_retry(&mut self) {
        let State::HandingOff(handing) = &self.state else {
            return;
        };
        if !matches!(handing.phase, Phase::Waiting) {
            return;
        }
        if self.attempts < self.policy.rewrite_attempts {
            self.request_rewrite();
        } else {
            self.give_caller_back(RewriteOutcome::Unknown);
        }
    }

    pub(super) fn on_rewrite_settled(
        &mut self,
        handoff: &HandoffId,
        attempt: u32,
        outcome: RewriteOutcome,
        now: CallTime,
    ) {
        if self.state.handoff() != Some(handoff) {
            return self.note(Anomaly::StaleHandoff);
        }
        self.record(Fact::RewriteSettled {
            handoff: handoff.clone(),
            attempt,
            outcome: outcome.clone(),
        });
        let State::HandingOff(handing) = &mut self.state else {
            // A leg was heard of before the answer came; that was proof enough.
            return;
        };
        if !matches!(handing.phase, Phase::Rewriting) || attempt != self.attempts {
            return;
        }
        match outcome {
            RewriteOutcome::Accepted => handing.phase = Phase::Dialling { progress: None },
            RewriteOutcome::NotSent => {
                let doubled = 2u32.saturating_pow(attempt.saturating_sub(1));
                let wait = self.policy.rewrite_retry.saturating_mul(doubled);
                self.retry_rewrite(wait.min(LONGEST_RETRY), now);
            }
            // "Not in progress" is also said of a call that has not been answered yet.
            RewriteOutcome::Unknown | RewriteOutcome::CallerGone => {
                handing.phase = Phase::Inspecting;
                self.commands.push_back(Command::InspectCall);
            }
            RewriteOutcome::Refused { .. } => self.give_caller_back(outcome),
        }
    }

    pub(super) fn on_leg(
        &mut self,
        handoff: &HandoffId,
        attempt: u32,
        progress: LegProgress,
        now: CallTime,
    ) {
        if !self.is_news(handoff, attempt) {
            return self.note(Anomaly::StaleHandoff);
        }
        let State::HandingOff(handing) = &mut self.state else {
            if progress != LegProgress::Completed {
                return self.note(Anomaly::LegOutOfOrder);
            }
            self.record(Fact::LegProgressed {
                handoff: handoff.clone(),
                progress,
            });
            self.timers
                .set(Timer::Inspect, now + self.policy.stream_grace);
            return;
        };
        // News of the leg proves that the carrier took the document, whatever its answer says.
        let before = match &handing.phase {
            Phase::Dialling { progress } => *progress,
            Phase::Recording | Phase::Rewriting | Phase::Waiting | Phase::Inspecting => None,
        };
        if before.is_some_and(|before| before >= progress) {
            return self.note(Anomaly::LegOutOfOrder);
        }
        self.timers.stop(Timer::RewriteRetry);
        handing.phase = Phase::Dialling {
            progress: Some(progress),
        };
        self.record(Fact::LegProgressed {
            handoff: handoff.clone(),
            progress,
        });
        if progress == LegProgress::Answered {
            self.state = State::Talking {
                handoff: handoff.clone(),
            };
        }
    }

    pub(super) fn on_dial_ended(
        &mut self,
        handoff: &HandoffId,
        attempt: u32,
        end: DialEnd,
        now: CallTime,
    ) {
        if !self.is_news(handoff, attempt) || matches!(self.state, State::Parting { .. }) {
            return self.note(Anomaly::StaleHandoff);
        }
        self.timers.stop(Timer::RewriteRetry);
        self.record(Fact::DialEnded {
            handoff: handoff.clone(),
            end,
        });
        self.state = State::Parting {
            handoff: handoff.clone(),
            end,
        };
        // The last document is short: if the carrier does not report the end, it is looked for.
        self.timers
            .set(Timer::Inspect, now + self.policy.stream_grace);
    }

    pub(super) fn retry_rewrite(&mut self, wait: Duration, now: CallTime) {
        let State::HandingOff(handing) = &mut self.state else {
            return;
        };
        handing.phase = Phase::Waiting;
        self.timers.set(Timer::RewriteRetry, now + wait);
    }

    /// Whether a callback speaks of the handoff under way and of its latest rewrite. The dial of an
    /// earlier rewrite was interrupted by the later one, and the carrier reports that as an end.
    ///
    /// A handoff that was given up turns out to be under way if its latest rewrite acted after all.
    fn is_news(&mut self, handoff: &HandoffId, attempt: u32) -> bool {
        match &self.state {
            State::HandingOff(handing) => {
                handing.trigger.handoff == *handoff && attempt >= self.attempts
            }
            State::Talking { handoff: current }
            | State::Parting {
                handoff: current, ..
            } => current == handoff && attempt >= self.attempts,
            State::Listening => {
                let given_up = (self.trigger.as_ref())
                    .filter(|trigger| trigger.handoff == *handoff && attempt >= self.attempts);
                let Some(trigger) = given_up.cloned() else {
                    return false;
                };
                self.refused = None;
                let phase = Phase::Dialling { progress: None };
                self.state = State::HandingOff(HandingOff { trigger, phase });
                true
            }
            State::Leaving(_) | State::Ending(_) | State::Ended(_) => false,
        }
    }

    fn request_rewrite(&mut self) {
        let State::HandingOff(handing) = &mut self.state else {
            return;
        };
        handing.phase = Phase::Rewriting;
        self.attempts += 1;
        let (handoff, attempt) = (handing.trigger.handoff.clone(), self.attempts);
        self.record(Fact::RewriteRequested {
            handoff: handoff.clone(),
            attempt,
        });
        self.commands
            .push_back(Command::RewriteCall { handoff, attempt });
    }

    /// The carrier would not move the call: the voice agent still has the caller.
    fn give_caller_back(&mut self, outcome: RewriteOutcome) {
        self.refused = Some(outcome);
        self.state = State::Listening;
    }
}
