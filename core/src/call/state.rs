//! Where a call and its latest handoff stand.

use std::collections::BTreeMap;

use super::fact::{Planned, Trigger};
use super::outcome::{DialEnd, Disposition, LegProgress, RewriteOutcome};
use crate::id::CarrierCallId;
use crate::route::{Acceptance, Joining, TargetName};
use crate::time::CallTime;

/// Whether the call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The caller is on the line, as far as we know.
    Open,
    /// The call is over; the recognizers give their last words.
    Leaving,
    /// The end is being written down.
    Ending(Disposition),
    /// Nothing more happens.
    Ended(Disposition),
}

/// The latest handoff of a call, under way or over. Facts alone change it.
#[derive(Debug)]
pub(super) struct Handoff {
    pub(super) trigger: Trigger,
    /// Counts the handoffs of the call, from 0.
    pub(super) nth: u32,
    /// Whom to try, once that is known.
    pub(super) plan: Option<Plan>,
    /// The targets that were tried in vain.
    pub(super) tried: Vec<Tried>,
    /// Rewrites asked for so far.
    pub(super) attempts: u32,
    /// How many of them brought the caller to where they were before the one under way.
    pub(super) settled_attempts: u32,
    /// The carrier's code for the latest rewrite that it refused.
    pub(super) refusal: Option<u32>,
    /// When the first rewrite was asked for.
    pub(super) sent: Option<CallTime>,
    /// When the carrier first took one.
    pub(super) taken: Option<CallTime>,
    /// Whether the caller said or pressed anything since the trigger.
    pub(super) caller_added: bool,
    pub(super) stage: Stage,
}

/// Whom a handoff tries.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) route: Option<String>,
    pub(super) targets: Vec<Planned>,
}

/// A target that was tried in vain.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) target: TargetName,
    /// The rewrite under which it ended.
    attempt: u32,
    pub(super) leg: Leg,
    /// How it ended, if that was told.
    pub(super) end: Option<DialEnd>,
}

/// How far a handoff is.
#[derive(Debug)]
pub(super) enum Stage {
    /// The decision is on its way to the journal, or it is not known yet whom to try.
    Decided,
    /// The carrier was asked; its answer is awaited.
    Rewriting,
    /// The carrier certainly did not act; the next attempt waits for its time.
    NotSent,
    /// Nobody knows whether the carrier acted: the call is looked at, and the human's leg has its
    /// time to be heard of.
    Unknown,
    /// The carrier said that it will act; proof is awaited.
    Taken,
    /// The carrier will not act; the handoff is about to be given up.
    Refused,
    /// The carrier follows the document, and a target is being reached.
    Dialling(Leg),
    /// A human has the caller.
    Talking(Leg),
    /// No further target is tried; the caller hears the last document of the call.
    Parting(Leg, DialEnd),
    /// No further attempt is made; whoever had the caller before has them still.
    GivenUp,
}

/// What was told of the leg to one target, in whatever order, and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Leg {
    told: BTreeMap<LegProgress, CallTime>,
    /// Whether its end was told before anybody had taken the call.
    over_first: bool,
    /// The carrier's name for it, where we had it called.
    pub(super) called: Option<CarrierCallId>,
}

impl Handoff {
    pub(super) fn begun(trigger: Trigger, nth: u32) -> Self {
        Self {
            trigger,
            nth,
            plan: None,
            tried: Vec::new(),
            attempts: 0,
            settled_attempts: 0,
            refusal: None,
            sent: None,
            taken: None,
            caller_added: false,
            stage: Stage::Decided,
        }
    }

    /// All targets of the plan, in order.
    pub(super) fn targets(&self) -> &[Planned] {
        self.plan.as_ref().map_or(&[], |plan| &plan.targets)
    }

    /// The target under way, or the next one before there is any.
    pub(super) fn current(&self) -> Option<&Planned> {
        self.targets().get(self.tried.len())
    }

    /// Whether the carrier has followed a document of this handoff, so that nobody else has the caller.
    pub(super) fn was_placed(&self) -> bool {
        self.settled_attempts > 0
    }

    /// The targets that are not done with.
    pub(super) fn remaining(&self) -> Vec<TargetName> {
        let left = self.targets().iter().skip(self.tried.len());
        left.map(|planned| planned.name.clone()).collect()
    }

    /// Where a target stands in the plan.
    pub(super) fn place(&self, target: &TargetName) -> Option<usize> {
        (self.targets().iter()).position(|planned| planned.name == *target)
    }

    /// A rewrite that is asked for interrupts whatever an earlier one set going.
    pub(super) fn on_requested(&mut self, attempt: u32, at: CallTime) {
        self.attempts = attempt;
        self.sent.get_or_insert(at);
        self.stage = Stage::Rewriting;
    }

    /// An answer counts while it is awaited, not once the leg was heard of.
    pub(super) fn on_settled(&mut self, attempt: u32, outcome: &RewriteOutcome, at: CallTime) {
        let awaited = match self.stage {
            Stage::Rewriting => attempt == self.attempts,
            // Asked for by a process that died before the request was on disk.
            Stage::Decided => true,
            Stage::NotSent
            | Stage::Unknown
            | Stage::Taken
            | Stage::Refused
            | Stage::Dialling(_)
            | Stage::Talking(_)
            | Stage::Parting(..)
            | Stage::GivenUp => false,
        };
        if !awaited {
            return;
        }
        self.attempts = attempt;
        self.stage = match outcome {
            RewriteOutcome::Accepted => {
                self.taken.get_or_insert(at);
                self.placed()
            }
            RewriteOutcome::Taken => {
                self.taken.get_or_insert(at);
                Stage::Taken
            }
            RewriteOutcome::NotSent => Stage::NotSent,
            // "Not in progress" is also said of a call that has not been answered yet.
            RewriteOutcome::Unknown | RewriteOutcome::CallerGone => Stage::Unknown,
            RewriteOutcome::Refused { code, .. } => {
                self.refusal = *code;
                Stage::Refused
            }
        };
    }

    /// A fetch proves that the carrier follows the document, whatever its answer says.
    pub(super) fn on_fetched(&mut self, at: CallTime) {
        if self.leg().is_none() {
            self.taken.get_or_insert(at);
            self.stage = self.placed();
        }
    }

    /// What the document that the carrier follows has the caller do.
    fn placed(&mut self) -> Stage {
        self.settled_attempts = self.attempts;
        match self.current() {
            Some(_) => Stage::Dialling(Leg::default()),
            None => Stage::Parting(Leg::default(), self.last_end()),
        }
    }

    /// News of a leg proves that the carrier follows the document.
    pub(super) fn on_leg(&mut self, target: &TargetName, progress: LegProgress, at: CallTime) {
        let Some(place) = self.place(target) else {
            return;
        };
        if let Some(tried) = self.tried.get_mut(place) {
            tried.leg.told.entry(progress).or_insert(at);
            return;
        }
        self.catch_up(place);
        let planned = &self.targets()[place];
        let joins = match progress {
            LegProgress::Accepted | LegProgress::Bridged => true,
            LegProgress::Answered => planned.joins_at_answer(),
            LegProgress::Initiated | LegProgress::Ringing | LegProgress::Completed => false,
        };
        if self.leg().is_none() {
            self.settled_attempts = self.attempts;
            self.stage = Stage::Dialling(Leg::default());
        }
        let untaken = !matches!(self.stage, Stage::Talking(_));
        if let Some(leg) = self.leg_mut() {
            leg.told.entry(progress).or_insert(at);
            leg.over_first |= untaken && progress == LegProgress::Completed;
        }
        if joins && let Stage::Dialling(leg) = &mut self.stage {
            self.stage = Stage::Talking(std::mem::take(leg));
        }
    }

    pub(super) fn on_called(&mut self, target: &TargetName, called: CarrierCallId) {
        if self
            .current()
            .is_some_and(|current| current.name == *target)
            && let Some(leg) = self.leg_mut()
        {
            leg.called = Some(called);
        }
    }

    /// The effort to reach a target is over: the next one is tried, if there is one and no human had
    /// the caller.
    pub(super) fn on_dial_ended(&mut self, target: &TargetName, end: DialEnd) {
        let Some(place) = self
            .place(target)
            .filter(|place| *place >= self.tried.len())
        else {
            return;
        };
        self.catch_up(place);
        let leg = self.leg_mut().map(std::mem::take).unwrap_or_default();
        if end == DialEnd::Bridged {
            self.stage = Stage::Parting(leg, end);
            return;
        }
        self.tried.push(Tried {
            target: target.clone(),
            attempt: self.attempts,
            leg,
            end: Some(end),
        });
        self.stage = self.placed();
    }

    /// News of a later target proves that the ones before it are over, though nobody said so.
    fn catch_up(&mut self, place: usize) {
        while self.tried.len() < place {
            let Some(current) = self.current() else {
                return;
            };
            let target = current.name.clone();
            let leg = self.leg_mut().map(std::mem::take).unwrap_or_default();
            self.tried.push(Tried {
                target,
                attempt: self.attempts,
                leg,
                end: None,
            });
            self.stage = Stage::Dialling(Leg::default());
        }
    }

    /// How the last effort ended, or why there was none.
    fn last_end(&self) -> DialEnd {
        let last = self.tried.last();
        last.map_or(DialEnd::NobodyAvailable, |tried| {
            tried.end.unwrap_or(DialEnd::NoAnswer)
        })
    }

    /// How the effort to reach a target ended, if it did.
    pub(super) fn end_at(&self, place: usize) -> Option<DialEnd> {
        if let Some(tried) = self.tried.get(place) {
            return Some(tried.end.unwrap_or(DialEnd::NoAnswer));
        }
        match &self.stage {
            Stage::Parting(_, end) if place == self.tried.len() => Some(*end),
            Stage::Parting(..)
            | Stage::Decided
            | Stage::Rewriting
            | Stage::NotSent
            | Stage::Unknown
            | Stage::Taken
            | Stage::Refused
            | Stage::Dialling(_)
            | Stage::Talking(_)
            | Stage::GivenUp => None,
        }
    }

    /// The leg to the target under way, once the carrier follows the document.
    pub(super) fn leg(&self) -> Option<&Leg> {
        match &self.stage {
            Stage::Dialling(leg) | Stage::Talking(leg) | Stage::Parting(leg, _) => Some(leg),
            Stage::Decided
            | Stage::Rewriting
            | Stage::NotSent
            | Stage::Unknown
            | Stage::Taken
            | Stage::Refused
            | Stage::GivenUp => None,
        }
    }

    fn leg_mut(&mut self) -> Option<&mut Leg> {
        match &mut self.stage {
            Stage::Dialling(leg) | Stage::Talking(leg) | Stage::Parting(leg, _) => Some(leg),
            Stage::Decided
            | Stage::Rewriting
            | Stage::NotSent
            | Stage::Unknown
            | Stage::Taken
            | Stage::Refused
            | Stage::GivenUp => None,
        }
    }

    /// Whether the caller may still wait in the conference of a human who did not come, because the
    /// rewrite that takes them out of it is not known to have been asked for.
    pub(super) fn may_wait_for_nobody(&self) -> bool {
        let in_vain = match &self.stage {
            Stage::Dialling(leg) => leg.is_untold(),
            Stage::Parting(_, end) => *end != DialEnd::Bridged,
            Stage::Decided
            | Stage::Rewriting
            | Stage::NotSent
            | Stage::Unknown
            | Stage::Taken
            | Stage::Refused
            | Stage::Talking(_)
            | Stage::GivenUp => false,
        };
        let place = self.tried.len().checked_sub(1);
        let last = place.map(|place| (&self.targets()[place], self.tried[place].attempt));
        in_vain
            && last.is_some_and(|(target, attempt)| {
                target.joining == Joining::Conference && attempt == self.attempts
            })
    }

    /// Whether a human has, or had, the caller.
    pub(super) fn has_human(&self) -> bool {
        match &self.stage {
            Stage::Talking(_) | Stage::Parting(_, DialEnd::Bridged) => true,
            Stage::Parting(..)
            | Stage::Decided
            | Stage::Rewriting
            | Stage::NotSent
            | Stage::Unknown
            | Stage::Taken
            | Stage::Refused
            | Stage::Dialling(_)
            | Stage::GivenUp => false,
        }
    }

    /// The outcome of the call if it ended at this instant and the caller left no message.
    pub(super) fn outlook(&self) -> Disposition {
        match &self.stage {
            Stage::Refused | Stage::GivenUp => Disposition::CarrierRefused { code: self.refusal },
            Stage::Decided | Stage::Rewriting | Stage::NotSent | Stage::Unknown | Stage::Taken => {
                Disposition::CallerHungUp
            }
            // A carrier asks what comes next before a call can end for any other reason.
            Stage::Dialling(_) => Disposition::CallerHungUp,
            Stage::Talking(leg) if leg.was_held() => Disposition::Bridged,
            Stage::Talking(_) => Disposition::CallerHungUp,
            Stage::Parting(_, end) => (*end).into(),
        }
    }
}

impl Planned {
    /// Whether a human who answers has the caller at once.
    fn joins_at_answer(&self) -> bool {
        self.acceptance == Acceptance::Answer
            && matches!(self.joining, Joining::Dial | Joining::Conference)
    }
}

impl Leg {
    /// Whether it adds to what is known. That somebody answered or took the call and that the leg is
    /// over is worth knowing whenever it comes; that it rings only before that.
    pub(super) fn is_news(&self, progress: LegProgress) -> bool {
        match progress {
            LegProgress::Initiated | LegProgress::Ringing => {
                (self.told.last_key_value()).is_none_or(|(latest, _)| *latest < progress)
            }
            LegProgress::Answered
            | LegProgress::Accepted
            | LegProgress::Bridged
            | LegProgress::Completed => !self.told.contains_key(&progress),
        }
    }

    /// When it was first told.
    pub(super) fn at(&self, progress: LegProgress) -> Option<CallTime> {
        self.told.get(&progress).copied()
    }

    /// Since when human and caller are joined, if they are: by the key, or else by the answer.
    pub(super) fn joined_at(&self) -> Option<CallTime> {
        self.at(LegProgress::Accepted)
            .or_else(|| self.at(LegProgress::Answered))
    }

    /// Whether nothing is known of it, not even that it was called.
    pub(super) fn is_untold(&self) -> bool {
        self.told.is_empty() && self.called.is_none()
    }

    pub(super) fn is_over(&self) -> bool {
        self.told.contains_key(&LegProgress::Completed)
    }

    /// Whether the two were joined long enough. Of a leg whose end is told first nobody knows how long.
    fn was_held(&self) -> bool {
        self.told.contains_key(&LegProgress::Bridged) || self.over_first
    }
}
