//! Builds a call again from what was written down, after the process that drove it died.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::command::Command;
use super::fact::Fact;
use super::machine::{Arrival, Call};
use super::outcome::{LegProgress, RewriteOutcome};
use super::policy::Policy;
use super::state::{HandingOff, Phase, State};
use super::timer::Timer;
use crate::id::HandoffId;
use crate::speech::Speaker;
use crate::time::CallTime;

/// How old a decision may be that is acted on again after a restart.
const FRESH: Duration = Duration::from_secs(30);

impl Call {
    /// Builds the call that the facts, in order of their times, tell of, as of `now`, and has it settle what was left open:
    /// the carrier is asked about the call first, and a decision whose rewrite is not known to have
    /// been taken is acted on again unless the human's leg is heard of.
    pub fn restore(
        arrival: Arrival,
        policy: Arc<Policy>,
        facts: impl IntoIterator<Item = Fact>,
        now: CallTime,
    ) -> Self {
        let mut call = Self::silent(arrival, policy);
        for fact in facts {
            call.replay(fact);
        }
        call.watch(now);
        call.resume(now);
        call
    }

    fn replay(&mut self, fact: Fact) {
        match fact {
            Fact::CallAnnounced { .. }
            | Fact::StreamStarted { .. }
            | Fact::StreamStopped { .. } => {}
            Fact::UtteranceHeard(utterance) => {
                self.ear.heard_to = self.ear.heard_to.max(utterance.end);
                self.ear.remember(utterance);
            }
            Fact::DigitPressed { digit, at } => self.ear.press(digit, at),
            Fact::RecognizerLost {
                speaker: Speaker::Caller,
            } => {
                self.ear.signals.recognizer.lost = true;
            }
            Fact::RecognizerRestored {
                speaker: Speaker::Caller,
            } => {
                self.ear.signals.recognizer.lost = false;
            }
            Fact::RecognizerLost { .. } | Fact::RecognizerRestored { .. } => {}
            Fact::Triggered(trigger) => {
                self.handoffs += 1;
                self.attempts = 0;
                self.refused = None;
                self.trigger = Some(trigger.clone());
                let phase = Phase::Recording;
                self.state = State::HandingOff(HandingOff { trigger, phase });
            }
            Fact::RewriteRequested { attempt, .. } => {
                self.attempts = attempt;
                self.in_phase(Phase::Rewriting);
            }
            Fact::RewriteSettled {
                attempt, outcome, ..
            } => self.replay_settled(attempt, outcome),
            Fact::LegProgressed { handoff, progress } => self.replay_leg(handoff, progress),
            Fact::DialEnded { handoff, end } => self.state = State::Parting { handoff, end },
            Fact::CallEnded { disposition } => self.state = State::Ended(disposition),
        }
    }

    /// As when it happened: an answer counts while it is awaited, not after the leg was heard of.
    fn replay_settled(&mut self, attempt: u32, outcome: RewriteOutcome) {
        let State::HandingOff(handing) = &mut self.state else {
            return;
        };
        if !matches!(handing.phase, Phase::Rewriting) || attempt != self.attempts {
            return;
        }
        match outcome {
            RewriteOutcome::Accepted => handing.phase = Phase::Dialling { progress: None },
            RewriteOutcome::NotSent => handing.phase = Phase::Waiting,
            RewriteOutcome::Unknown | RewriteOutcome::CallerGone => {
                handing.phase = Phase::Inspecting;
            }
            RewriteOutcome::Refused { .. } => {
                self.refused = Some(outcome);
                self.state = State::Listening;
            }
        }
    }

    fn replay_leg(&mut self, handoff: HandoffId, progress: LegProgress) {
        match progress {
            LegProgress::Answered => self.state = State::Talking { handoff },
            LegProgress::Initiated | LegProgress::Ringing | LegProgress::Completed => {
                self.in_phase(Phase::Dialling {
                    progress: Some(progress),
                });
            }
        }
    }

    /// Moves a handoff on; anything else has left the stage that the fact speaks of.
    fn in_phase(&mut self, phase: Phase) {
        if let State::HandingOff(handing) = &mut self.state {
            handing.phase = phase;
        }
    }

    fn resume(&mut self, now: CallTime) {
        if let State::HandingOff(handing) = &mut self.state {
            let old = now.since(handing.trigger.at) > FRESH;
            match handing.phase {
                // Whoever has the caller has had them for a while: the voice agent hears them if
                // they ask again, and a human must not be cut off.
                Phase::Recording | Phase::Rewriting | Phase::Inspecting | Phase::Waiting if old => {
                    self.refused = Some(RewriteOutcome::Unknown);
                    self.state = State::Listening;
                }
                // The rewrite is asked for while its own fact is on the way to the disk, so it may
                // have acted although nothing says so.
                Phase::Recording | Phase::Rewriting => handing.phase = Phase::Inspecting,
                Phase::Waiting => self.timers.set(Timer::RewriteRetry, now),
                Phase::Inspecting | Phase::Dialling { .. } => {}
            }
        }
        self.commands.push_back(Command::InspectCall);
        self.timers.stop(Timer::StreamAbsent);
        self.expect_news(now);
    }
}

impl Arrival {
    /// Rebuilds the arrival from the first fact of a call, or `None` if it is another fact.
    pub fn from_fact(
        call: crate::id::CallId,
        accepted: crate::time::WallTime,
        fact: &Fact,
    ) -> Option<Self> {
        let Fact::CallAnnounced {
            carrier_call,
            caller,
            called,
            parameters,
        } = fact
        else {
            return None;
        };
        Some(Self {
            call,
            carrier_call: carrier_call.clone(),
            caller: caller.clone(),
            called: called.clone(),
            parameters: BTreeMap::clone(parameters),
            accepted,
        })
    }
}
