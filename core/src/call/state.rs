//! Where a call stands.

use super::fact::Trigger;
use super::outcome::{DialEnd, Disposition, LegProgress};
use crate::id::HandoffId;

/// The stages of a call. Each owns what only it knows.
#[derive(Debug)]
pub(super) enum State {
    /// The voice agent has the caller; rules are watched.
    Listening,
    /// A human is being fetched; rules are frozen.
    HandingOff(HandingOff),
    /// The human answered.
    Talking { handoff: HandoffId },
    /// Dialling is over; the caller hears the last document of the call.
    Parting { handoff: HandoffId, end: DialEnd },
    /// The call is over; the recognizers give their last words.
    Leaving(Disposition),
    /// The end is being written down.
    Ending(Disposition),
    /// Nothing more happens.
    Ended(Disposition),
}

/// A handoff under way.
#[derive(Debug)]
pub(super) struct HandingOff {
    pub(super) trigger: Trigger,
    pub(super) phase: Phase,
}

/// How far a handoff is.
#[derive(Debug)]
pub(super) enum Phase {
    /// The decision is on its way to the journal.
    Recording,
    /// The carrier was asked; its answer is awaited.
    Rewriting,
    /// The next attempt waits for its time.
    Waiting,
    /// Nobody knows whether the carrier acted; the call is being looked at.
    Inspecting,
    /// The carrier took the document.
    Dialling { progress: Option<LegProgress> },
}

impl State {
    /// The handoff that callbacks may speak of.
    pub(super) fn handoff(&self) -> Option<&HandoffId> {
        match self {
            Self::HandingOff(handing) => Some(&handing.trigger.handoff),
            Self::Talking { handoff } | Self::Parting { handoff, .. } => Some(handoff),
            Self::Listening | Self::Leaving(_) | Self::Ending(_) | Self::Ended(_) => None,
        }
    }
}
