//! Builds a call again from what was written down, after the process that drove it died.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::command::Command;
use super::fact::{Fact, GiveUpReason};
use super::machine::{Arrival, Call};
use super::outcome::{LegProgress, RewriteOutcome};
use super::policy::Policy;
use super::state::{Stage, State};
use super::timer::Timer;
use crate::time::CallTime;

/// How old a decision may be that is acted on again after a restart.
const FRESH: Duration = Duration::from_secs(30);

impl Call {
    /// Builds the call that the facts, in order of their times, tell of, as of `now`, and has it
    /// settle what was left open: the carrier is asked about the call first, and a decision whose
    /// rewrite is not known to have been taken is acted on again unless the human's leg is heard
    /// of.
    pub fn restore(
        arrival: impl Into<Arc<Arrival>>,
        policy: Arc<Policy>,
        facts: impl IntoIterator<Item = (CallTime, Fact)>,
        now: CallTime,
    ) -> Self {
        let mut call = Self::silent(arrival.into(), policy);
        for (at, fact) in facts {
            call.now = at;
            call.apply(&fact);
        }
        call.now = now;
        if let State::Ending(disposition) = call.state {
            // The fact that says so is written down, or it would not have been read.
            call.state = State::Ended(disposition);
            return call;
        }
        call.watch(now);
        call.resume(now);
        call
    }

    fn resume(&mut self, now: CallTime) {
        // Its socket died with the process.
        self.stream = None;
        if self.ear.keys.is_entering() {
            self.timers
                .set(Timer::DigitsPause, now + self.policy.digits_pause);
        }
        self.resume_handoff(now);
        self.commands.push_back(Command::InspectCall);
        self.timers.stop(Timer::StreamAbsent);
        self.expect_news(now);
    }

    fn resume_handoff(&mut self, now: CallTime) {
        let Some(handoff) = &self.handoff else {
            return;
        };
        // A caller who waits in a document of ours waits still.
        let old = !handoff.was_placed() && now.since(handoff.trigger.at) > FRESH;
        match handoff.stage {
            Stage::Refused => self.give_up(GiveUpReason::Refused),
            // Whoever has the caller has had them for a while: the voice agent hears them if
            // they ask again, and a human must not be cut off.
            Stage::Decided | Stage::Rewriting | Stage::NotSent | Stage::Unknown | Stage::Taken
                if old =>
            {
                self.give_up(GiveUpReason::Outdated);
            }
            // The rewrite is asked for while its own fact is on the way to the disk, so it may
            // have acted although nothing says so. Nobody will hear the answer.
            Stage::Decided => {
                let attempt = handoff.attempts + 1;
                self.route_as_listed();
                self.settle_unheard(attempt);
            }
            Stage::Rewriting => self.settle_unheard(handoff.attempts),
            Stage::NotSent | Stage::Taken => self
                .timers
                .set(Timer::RewriteRetry, now + self.policy.rewrite_evidence),
            Stage::Dialling(_) | Stage::Parting(..) if handoff.may_wait_for_nobody() => {
                self.request_rewrite();
            }
            // A human whose call was asked for by a process that died before it knew is called twice:
            // that beats a caller who waits for nobody.
            Stage::Dialling(ref leg) if leg.called.is_none() && leg.is_untold() => {
                self.on_placed(now);
            }
            Stage::Dialling(_) => self
                .timers
                .set(Timer::HumanAbsent, now + self.policy.human_deadline),
            Stage::Talking(ref leg) if leg.at(LegProgress::Bridged).is_none() => self
                .timers
                .set(Timer::BridgeHeld, now + self.policy.bridged_after),
            Stage::Unknown | Stage::Talking(_) | Stage::Parting(..) | Stage::GivenUp => {}
        }
    }

    fn settle_unheard(&mut self, attempt: u32) {
        let Some(handoff) = &self.handoff else {
            return;
        };
        self.record(Fact::RewriteSettled {
            handoff: handoff.trigger.handoff.clone(),
            attempt,
            outcome: RewriteOutcome::Unknown,
        });
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
            carrier,
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
            carrier: *carrier,
            carrier_call: carrier_call.clone(),
            caller: caller.clone(),
            called: called.clone(),
            parameters: BTreeMap::clone(parameters),
            accepted,
        })
    }
}
