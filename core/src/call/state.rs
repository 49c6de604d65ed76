//! Where a call and its latest handoff stand.

use std::collections::BTreeSet;

use super::fact::Trigger;
use super::outcome::{DialEnd, Disposition, LegProgress, RewriteOutcome};

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
    /// Rewrites asked for so far.
    pub(super) attempts: u32,
    /// Whether the caller said or pressed anything since the trigger.
    pub(super) caller_added: bool,
    pub(super) stage: Stage,
}

/// How far a handoff is.
#[derive(Debug)]
pub(super) enum Stage {
    /// The decision is on its way to the journal.
    Decided,
    /// The carrier was asked; its answer is awaited.
    Rewriting,
    /// The carrier certainly did not act; the next attempt waits for its time.
    NotSent,
    /// Nobody knows whether the carrier acted: the call is looked at, and the human's leg has its
    /// time to be heard of.
    Unknown,
    /// The carrier will not act; the handoff is about to be given up.
    Refused,
    /// The carrier took the document and dials the human.
    Dialling(Leg),
    /// The human answered.
    Talking(Leg),
    /// Dialling is over; the caller hears the last document of the call.
    Parting(Leg, DialEnd),
    /// No further attempt is made; whoever had the caller before has them still.
    GivenUp,
}

/// What the carrier told of the human's leg, in whatever order.
#[derive(Debug, Default)]
pub(super) struct Leg(BTreeSet<LegProgress>);

impl Handoff {
    pub(super) fn begun(trigger: Trigger, nth: u32) -> Self {
        Self {
            trigger,
            nth,
            attempts: 0,
            caller_added: false,
            stage: Stage::Decided,
        }
    }

    /// A rewrite that is asked for interrupts whatever an earlier one set going.
    pub(super) fn on_requested(&mut self, attempt: u32) {
        self.attempts = attempt;
        self.stage = Stage::Rewriting;
    }

    /// An answer counts while it is awaited, not once the leg was heard of.
    pub(super) fn on_settled(&mut self, attempt: u32, outcome: &RewriteOutcome) {
        let awaited = match self.stage {
            Stage::Rewriting => attempt == self.attempts,
            // Asked for by a process that died before the request was on disk.
            Stage::Decided => true,
            Stage::NotSent
            | Stage::Unknown
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
            RewriteOutcome::Accepted => Stage::Dialling(Leg::default()),
            RewriteOutcome::NotSent => Stage::NotSent,
            // "Not in progress" is also said of a call that has not been answered yet.
            RewriteOutcome::Unknown | RewriteOutcome::CallerGone => Stage::Unknown,
            RewriteOutcome::Refused { .. } => Stage::Refused,
        };
    }

    /// News of the leg proves that the carrier took the document, whatever its answer says.
    pub(super) fn on_leg(&mut self, progress: LegProgress) {
        if let Stage::Dialling(leg) | Stage::Talking(leg) | Stage::Parting(leg, _) = &mut self.stage
        {
            leg.0.insert(progress);
        } else {
            self.stage = Stage::Dialling(Leg(BTreeSet::from([progress])));
        }
        if progress == LegProgress::Answered
            && let Stage::Dialling(leg) = &mut self.stage
        {
            self.stage = Stage::Talking(std::mem::take(leg));
        }
    }

    pub(super) fn on_dial_ended(&mut self, end: DialEnd) {
        let leg = match &mut self.stage {
            Stage::Dialling(leg) | Stage::Talking(leg) | Stage::Parting(leg, _) => {
                std::mem::take(leg)
            }
            Stage::Decided
            | Stage::Rewriting
            | Stage::NotSent
            | Stage::Unknown
            | Stage::Refused
            | Stage::GivenUp => Leg::default(),
        };
        self.stage = Stage::Parting(leg, end);
    }

    /// The leg, once the carrier dials it.
    pub(super) fn leg(&self) -> Option<&Leg> {
        match &self.stage {
            Stage::Dialling(leg) | Stage::Talking(leg) | Stage::Parting(leg, _) => Some(leg),
            Stage::Decided
            | Stage::Rewriting
            | Stage::NotSent
            | Stage::Unknown
            | Stage::Refused
            | Stage::GivenUp => None,
        }
    }
}

impl Leg {
    /// Whether it adds to what is known. That somebody answered and that the leg is over is worth
    /// knowing whenever it comes; that it rings only before that.
    pub(super) fn is_news(&self, progress: LegProgress) -> bool {
        match progress {
            LegProgress::Initiated | LegProgress::Ringing => {
                self.0.last().is_none_or(|latest| *latest < progress)
            }
            LegProgress::Answered | LegProgress::Completed => !self.0.contains(&progress),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.contains(&LegProgress::Completed)
    }
}
