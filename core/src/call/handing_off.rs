//! From the trigger to the human's voice, one rewrite at a time.

use std::time::Duration;

use super::command::{Anomaly, Command};
use super::fact::Fact;
use super::machine::Call;
use super::outcome::{DialEnd, Disposition, LegProgress, RewriteOutcome};
use super::state::{HandingOff, Phase, State};
use super::timer::Timer;
use crate::id::HandoffId;
use crate::time::CallTime;

impl Call {
    pub(super) fn on_decision_recorded(&mut self, handoff: &HandoffId) {
        match &self.state {
            State::HandingOff(HandingOff {
                trigger,
                phase: Phase::Recording,
            }) if trigger.handoff == *handoff => {
                self.timers.stop(Timer::JournalDeadline);
                self.request_rewrite(1);
            }
            // The deadline passed first and the rewrite is already on its way.
            State::HandingOff(_)
            | State::Listening
            | State::Talking { .. }
            | State::Parting { .. }
            | State::Ending(_)
            | State::Ended(_) => {}
        }
    }

    pub(super) fn on_journal_deadline(&mut self) {
        if matches!(
            &self.state,
            State::HandingOff(HandingOff {
                phase: Phase::Recording,
                ..
            })
        ) {
            self.note(Anomaly::JournalLate);
            self.request_rewrite(1);
        }
    }

    pub(super) fn on_rewrite_retry(&mut self) {
        if let State::HandingOff(HandingOff {
            phase: Phase::Waiting { attempt },
            ..
        }) = &self.state
        {
            let next = attempt + 1;
            self.request_rewrite(next);
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
        if !matches!(handing.phase, Phase::Rewriting { attempt: current } if current == attempt) {
            return;
        }
        match outcome {
            RewriteOutcome::Accepted => handing.phase = Phase::Dialling { progress: None },
            RewriteOutcome::CallerGone => self.end(Disposition::CallerHungUp),
            RewriteOutcome::NotSent => {
                let wait = self.policy.rewrite_retry * 2u32.saturating_pow(attempt - 1);
                self.retry_rewrite(attempt, wait, now);
            }
            RewriteOutcome::Unknown => {
                handing.phase = Phase::Inspecting { attempt };
                self.commands.push_back(Command::InspectCall);
            }
            RewriteOutcome::Refused { .. } => self.give_caller_back(outcome),
        }
    }

    pub(super) fn on_leg(&mut self, handoff: &HandoffId, progress: LegProgress, now: CallTime) {
        if self.state.handoff() != Some(handoff) {
            return self.note(Anomaly::StaleHandoff);
        }
        let State::HandingOff(handing) = &mut self.state else {
            if progress == LegProgress::Completed {
                self.record(Fact::LegProgressed {
                    handoff: handoff.clone(),
                    progress,
                });
                self.timers
                    .set(Timer::Inspect, now + self.policy.stream_grace);
            }
            return;
        };
        // News of the leg proves that the carrier took the document, whatever its answer says.
        let before = match &handing.phase {
            Phase::Dialling { progress } => *progress,
            Phase::Recording
            | Phase::Rewriting { .. }
            | Phase::Waiting { .. }
            | Phase::Inspecting { .. } => None,
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

    pub(super) fn on_dial_ended(&mut self, handoff: &HandoffId, end: DialEnd, now: CallTime) {
        if self.state.handoff() != Some(handoff) || matches!(self.state, State::Parting { .. }) {
            return self.note(Anomaly::StaleHandoff);
        }
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

    pub(super) fn retry_rewrite(&mut self, attempt: u32, wait: Duration, now: CallTime) {
        let State::HandingOff(handing) = &mut self.state else {
            return;
        };
        if attempt >= self.policy.rewrite_attempts {
            return self.give_caller_back(RewriteOutcome::NotSent);
        }
        handing.phase = Phase::Waiting { attempt };
        self.timers.set(Timer::RewriteRetry, now + wait);
    }

    fn request_rewrite(&mut self, attempt: u32) {
        let State::HandingOff(handing) = &mut self.state else {
            return;
        };
        handing.phase = Phase::Rewriting { attempt };
        let handoff = handing.trigger.handoff.clone();
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
