//! From the first ring to the human's voice, one target after the other.

use std::time::Duration;

use super::command::{Anomaly, Command};
use super::event::Effort;
use super::fact::Fact;
use super::machine::Call;
use super::outcome::{DialEnd, LastResort, LegProgress};
use super::state::{Leg, Stage, State};
use super::timer::Timer;
use crate::id::{CarrierCallId, HandoffId};
use crate::pii::Pii;
use crate::route::{Joining, TargetName};
use crate::time::CallTime;

/// Users of every product like this one are cut off within the first minutes, if at all.
const WATCHED: Duration = Duration::from_secs(120);

/// Nobody hears a whisper, twice, and thinks about it for longer.
const LONGEST_WHISPER: Duration = Duration::from_secs(90);

/// What a carrier that asks is told to do with the caller after a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// End the call: caller and human have talked.
    HangUp,
    /// Try these, in this order.
    Reach(Vec<TargetName>),
    /// Nobody is left to try.
    LastResort,
}

impl Call {
    /// What comes after a target, once it is told how the effort to reach it ended. The same whenever
    /// it is asked; `None` if the call knows nothing of it.
    pub fn next_step(&self, effort: &Effort) -> Option<NextStep> {
        let latest = self.handoff.as_ref()?;
        if latest.trigger.handoff != effort.handoff || latest.attempts != effort.attempt {
            return None;
        }
        let place = latest.place(&effort.target)?;
        if latest.end_at(place)? == DialEnd::Bridged {
            return Some(NextStep::HangUp);
        }
        let left = latest.targets().iter().skip(place + 1);
        let left: Vec<_> = left.map(|planned| planned.name.clone()).collect();
        Some(match left.is_empty() {
            true => NextStep::LastResort,
            false => NextStep::Reach(left),
        })
    }

    /// The carrier follows our document: the caller waits for the target under way, or hears what is
    /// left to say.
    pub(super) fn on_placed(&mut self, now: CallTime) {
        let Some(latest) = &self.handoff else {
            return;
        };
        let handoff = latest.trigger.handoff.clone();
        match (&latest.stage, latest.current()) {
            (Stage::Dialling(_), Some(target)) if target.joining == Joining::Conference => {
                self.commands.push_back(Command::CallHuman(Effort {
                    handoff,
                    attempt: latest.attempts,
                    target: target.name.clone(),
                }));
                self.timers
                    .set(Timer::HumanAbsent, now + self.policy.human_deadline);
            }
            (Stage::Parting(_, end), _) => {
                // A caller who left hears no promise.
                let left = *end == DialEnd::Canceled;
                match self.policy.last_resort {
                    LastResort::CallBack if left => {}
                    LastResort::CallBack => self.record(Fact::CallBackPromised { handoff }),
                    LastResort::Voicemail => {}
                }
                self.expect_end(now);
            }
            (
                Stage::Decided
                | Stage::Rewriting
                | Stage::NotSent
                | Stage::Unknown
                | Stage::Taken
                | Stage::Refused
                | Stage::Dialling(_)
                | Stage::Talking(_)
                | Stage::GivenUp,
                _,
            ) => {}
        }
    }

    pub(super) fn on_leg(&mut self, effort: &Effort, progress: LegProgress, now: CallTime) {
        // That a human took the call is true of the call after its end too. Anything else that comes
        // then, like a phone that stops ringing, is a consequence of the end.
        let taken = matches!(progress, LegProgress::Answered | LegProgress::Accepted);
        if (self.state != State::Open && !taken) || !self.speaks_of_plan(effort) {
            return self.note(Anomaly::StaleHandoff);
        }
        self.adopt(effort.attempt);
        let known = self.leg_of(&effort.target);
        if known.is_some_and(|leg| !leg.is_news(progress)) {
            return self.note(Anomaly::LegOutOfOrder);
        }
        self.timers.stop(Timer::RewriteRetry);
        let had_human = self.has_human();
        self.record(Fact::LegProgressed {
            handoff: effort.handoff.clone(),
            target: effort.target.clone(),
            progress,
        });
        if !self.has_human() {
            return self.await_human(now);
        }
        if self.state != State::Open {
            // The news was late, so nobody knows how long the two had each other.
            return self.hold();
        }
        if !had_human {
            self.timers.stop(Timer::HumanAbsent);
            self.timers
                .set(Timer::BridgeHeld, now + self.policy.bridged_after);
        }
        let leg = self.handoff.as_ref().and_then(|latest| latest.leg());
        if leg.is_some_and(|leg| leg.is_over()) {
            self.expect_end(now);
        }
    }

    /// A leg of which news comes was called, so that more is to come.
    fn await_human(&mut self, now: CallTime) {
        if self.timers.is_set(Timer::HumanAbsent) {
            self.timers
                .set(Timer::HumanAbsent, now + self.policy.human_deadline);
        }
    }

    /// Caller and human have been joined for long enough to be sure of it.
    pub(super) fn hold(&mut self) {
        let Some(latest) = &self.handoff else {
            return;
        };
        let (Stage::Talking(leg), Some(current)) = (&latest.stage, latest.current()) else {
            return;
        };
        if !leg.is_over() && leg.is_news(LegProgress::Bridged) {
            self.record(Fact::LegProgressed {
                handoff: latest.trigger.handoff.clone(),
                target: current.name.clone(),
                progress: LegProgress::Bridged,
            });
        }
    }

    pub(super) fn on_dial_ended(&mut self, effort: &Effort, end: DialEnd, now: CallTime) {
        if self.state != State::Open || !self.speaks_of_plan(effort) || self.is_done(effort) {
            return self.note(Anomaly::StaleHandoff);
        }
        self.adopt(effort.attempt);
        let end = self.judge(effort, end, now);
        if end == DialEnd::Canceled {
            self.stop_ringing();
        }
        self.conclude(effort, end, now);
        self.on_placed_next(now);
    }

    pub(super) fn on_human_called(
        &mut self,
        effort: &Effort,
        leg: Result<CarrierCallId, DialEnd>,
        now: CallTime,
    ) {
        let awaited = self.awaits(effort);
        let leg_known = self.leg_of(&effort.target);
        let known = leg_known.is_some_and(|leg| leg.called.is_some());
        match leg {
            // Told by the answer to our request and by each callback of the leg, for which a carrier may
            // have two names.
            Ok(_) if awaited && known => {}
            Ok(leg) if awaited => self.record(Fact::HumanCalled {
                handoff: effort.handoff.clone(),
                target: effort.target.clone(),
                leg,
            }),
            // The caller did not wait, or has somebody else.
            Ok(leg) => self.commands.push_back(Command::HangUpHuman(leg)),
            Err(end) => self.on_human_left(effort, end, now),
        }
    }

    /// Whether the caller waits for the target of an effort, or has the human already.
    pub fn awaits(&self, effort: &Effort) -> bool {
        self.state == State::Open && self.is_under_way(effort)
    }

    /// Nobody knows whether the human's phone was called: its news has its time to come.
    pub(super) fn on_human_maybe_called(&mut self, effort: &Effort, now: CallTime) {
        if self.state != State::Open || !self.is_under_way(effort) {
            return self.note(Anomaly::StaleHandoff);
        }
        if self.leg_of(&effort.target).is_some_and(Leg::is_untold) {
            self.timers
                .set(Timer::HumanAbsent, now + self.policy.rewrite_evidence);
        }
    }

    /// The human who was called to the caller's conference is gone. If they never came, the caller
    /// has to be taken elsewhere; if they did, the conference ends and the carrier asks.
    pub(super) fn on_human_left(&mut self, effort: &Effort, end: DialEnd, now: CallTime) {
        if self.state != State::Open || !self.is_under_way(effort) {
            return self.note(Anomaly::StaleHandoff);
        }
        if self.has_human() {
            return self.on_leg(effort, LegProgress::Completed, now);
        }
        let came = end == DialEnd::Bridged;
        let end = if came {
            DialEnd::AnsweredNotBridged
        } else {
            end
        };
        self.conclude(effort, end, now);
        self.request_rewrite();
    }

    pub(super) fn on_human_absent(&mut self, now: CallTime) {
        let Some(latest) = &self.handoff else {
            return;
        };
        let (Stage::Dialling(leg), Some(current)) = (&latest.stage, latest.current()) else {
            return;
        };
        let effort = Effort {
            handoff: latest.trigger.handoff.clone(),
            attempt: latest.attempts,
            target: current.name.clone(),
        };
        let end = match leg.is_untold() {
            true => DialEnd::Failed { code: None },
            false => DialEnd::NoAnswer,
        };
        if let Some(leg) = leg.called.clone() {
            self.commands.push_back(Command::HangUpHuman(leg));
        }
        self.on_human_left(&effort, end, now);
    }

    pub(super) fn on_message_left(
        &mut self,
        handoff: HandoffId,
        url: Pii<String>,
        length: Duration,
    ) {
        let latest = (self.handoff.as_ref()).filter(|latest| latest.trigger.handoff == handoff);
        if latest.is_none() || self.message.is_some() {
            return self.note(Anomaly::StaleHandoff);
        }
        self.record(Fact::MessageLeft {
            handoff,
            url,
            length,
        });
    }

    /// Nobody may come to a caller who is gone.
    pub(super) fn stop_ringing(&mut self) {
        let latest = self.handoff.as_ref();
        if let Some(latest) = latest
            && let Stage::Dialling(leg) = &latest.stage
            && let Some(called) = leg.called.clone()
        {
            self.commands.push_back(Command::HangUpHuman(called));
        }
    }

    /// Notes a talk that ended so soon that it may have been cut.
    pub(super) fn watch_for_cut(&mut self, now: CallTime) {
        let Some(latest) = self.handoff.as_ref().filter(|latest| latest.has_human()) else {
            return;
        };
        let Some(joined) = latest.leg().and_then(|leg| leg.joined_at()) else {
            return;
        };
        let talked = now.since(joined);
        if talked < WATCHED && self.cut_short.is_none() {
            self.record(Fact::CutShort {
                handoff: latest.trigger.handoff.clone(),
                talked,
            });
        }
    }

    fn conclude(&mut self, effort: &Effort, end: DialEnd, now: CallTime) {
        self.timers.stop(Timer::RewriteRetry);
        self.timers.stop(Timer::HumanAbsent);
        self.timers.stop(Timer::BridgeHeld);
        self.record(Fact::DialEnded {
            handoff: effort.handoff.clone(),
            target: effort.target.clone(),
            end,
        });
        if end == DialEnd::Bridged {
            self.watch_for_cut(now);
        }
    }

    /// The carrier is told in the answer to its question where the caller goes next.
    fn on_placed_next(&mut self, now: CallTime) {
        if self.has_human() {
            // The last document is short: if the carrier does not report the end, it is looked for.
            self.expect_end(now);
        } else {
            self.on_placed(now);
        }
    }

    /// Weighs the carrier's word against what was told of the leg: not every carrier says whether the
    /// two were joined, and a human who hangs up at once has not taken the call.
    fn judge(&self, effort: &Effort, end: DialEnd, now: CallTime) -> DialEnd {
        let leg = self.leg_of(&effort.target);
        let latest = self.handoff.as_ref();
        let under_way = latest.and_then(|latest| latest.current());
        let taken = self.has_human() && under_way.is_some_and(|at| at.name == effort.target);
        let until = (leg.and_then(|leg| leg.at(LegProgress::Completed))).unwrap_or(now);
        // Whoever stayed for longer than any whisper lasts had the caller, though nobody said so.
        let stayed = (leg.and_then(|leg| leg.at(LegProgress::Answered)))
            .is_some_and(|answered| until.since(answered) > LONGEST_WHISPER);
        // Whoever waits for a human who is still being called has left by themselves.
        let left = leg.is_some_and(|leg| leg.called.is_some() && !leg.is_over());
        let end = match end == DialEnd::AnsweredNotBridged {
            true if taken || stayed => DialEnd::Bridged,
            true if left => DialEnd::Canceled,
            true | false => end,
        };
        let joined = leg.and_then(|leg| leg.joined_at());
        match (end, joined) {
            (DialEnd::Bridged, Some(joined)) if until.since(joined) < self.policy.bridged_after => {
                DialEnd::HungUpAtOnce
            }
            (end, _) => end,
        }
    }

    /// The last document is short, or the caller speaks as long as they like: the carrier is asked.
    fn expect_end(&mut self, now: CallTime) {
        self.timers
            .set(Timer::Inspect, now + self.policy.stream_grace);
    }

    /// Whether a callback speaks of the latest rewrite and of a target of the plan.
    fn speaks_of_plan(&self, effort: &Effort) -> bool {
        let latest = self.handoff.as_ref();
        // Where the plan is lost with the process that made it, it is made again.
        let planned = latest.is_some_and(|latest| match latest.place(&effort.target) {
            // Nobody is tried after a human had the caller.
            Some(place) => !(latest.has_human() && place > latest.tried.len()),
            None => latest.plan.is_none(),
        });
        planned && self.is_current(&effort.handoff, effort.attempt)
    }

    /// Whether the end of that effort is known.
    fn is_done(&self, effort: &Effort) -> bool {
        (self.handoff.as_ref()).is_some_and(|latest| {
            let place = latest.place(&effort.target);
            place.is_some_and(|place| latest.end_at(place).is_some())
        })
    }

    fn is_under_way(&self, effort: &Effort) -> bool {
        let current = self.handoff.as_ref().and_then(|latest| latest.current());
        self.is_current(&effort.handoff, effort.attempt)
            && current.is_some_and(|current| current.name == effort.target)
            && !self.is_done(effort)
    }

    /// The leg to a target, under way or over.
    fn leg_of(&self, target: &TargetName) -> Option<&Leg> {
        let latest = self.handoff.as_ref()?;
        let place = latest.place(target)?;
        match latest.tried.get(place) {
            Some(tried) => Some(&tried.leg),
            None if place == latest.tried.len() => latest.leg(),
            None => None,
        }
    }
}
