//! Why a human was not called, and what to do about it: the same judgement for every carrier.
//!
//! Neither carrier documents a key that makes a repeated request harmless. So a creation whose outcome is
//! not known is not repeated at all: if it did act, the human's phone rings, and whoever answers makes the
//! carrier ask us for that leg's document, which names it.

use std::time::Duration;

use super::verdict::{Fault, Retry, Verdict};

/// Why a human was not called, or is not known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreationError {
    /// The carrier refused for a reason that repeating does not mend.
    #[error("call to a human: refused with status {status}")]
    Refused {
        /// The carrier's error code, if the answer held one.
        code: Option<u32>,
        /// The HTTP status.
        status: u16,
    },
    /// Too many requests or calls at once; this one was not processed.
    #[error("call to a human: too many requests")]
    Throttled {
        /// How long the carrier asks us to wait, if it said so.
        after: Option<Duration>,
    },
    /// The carrier failed. The phone may ring.
    #[error("call to a human: the carrier failed with status {status}")]
    ServerFailed {
        /// The HTTP status.
        status: u16,
    },
    /// The carrier took it and did not name the leg, which therefore cannot be ended by us.
    #[error("call to a human: taken, but not named")]
    Unnamed,
    /// The shell reports that the request never left: no connection, no TLS.
    #[error("call to a human: not sent")]
    NotSent,
    /// The shell reports that the request left and no whole answer came. The phone may ring.
    #[error("call to a human: sent, but not answered")]
    Unanswered,
}

impl CreationError {
    /// Judges the failure.
    pub fn verdict(&self) -> Verdict {
        let (retry, fault) = match *self {
            Self::Refused { .. } => (Retry::Never, Fault::Ours),
            Self::Throttled { after } => (Retry::Repeat { after }, Fault::Ours),
            Self::ServerFailed { .. } | Self::Unnamed => (Retry::Never, Fault::Theirs),
            Self::NotSent => (Retry::Repeat { after: None }, Fault::Unclear),
            Self::Unanswered => (Retry::Never, Fault::Unclear),
        };
        Verdict { retry, fault }
    }

    /// Whether the human's phone may ring all the same.
    pub fn may_ring(&self) -> bool {
        match self {
            Self::ServerFailed { .. } | Self::Unnamed | Self::Unanswered => true,
            Self::Refused { .. } | Self::Throttled { .. } | Self::NotSent => false,
        }
    }
}
