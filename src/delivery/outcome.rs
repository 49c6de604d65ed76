//! What passes between the delivery worker and a sink.
//!
//! A sink is pure. The worker gives it a [`Job`] and the progress bytes of its earlier steps; the
//! sink names the next [`Step`]; the worker performs it and gives the answer back; the sink reads
//! it as a [`Verdict`]. Progress is the sink's own: the worker stores it in the journal and never
//! looks inside, so a delivery of several requests goes on after a crash where it stopped.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use handoff_core::context::HandoffContext;
use handoff_core::pii::Secret;
use handoff_core::time::WallTime;

pub use crate::egress::SendFailure;
pub use crate::journal::{FailureReason, Receipt};

/// One delivery, as a sink sees it at one step.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Whether the sink creates something or adds to what it created.
    pub kind: Kind<'a>,
    /// What is to be delivered. Its trigger carries the handoff's id, the key of every repeat.
    pub context: &'a HandoffContext,
    /// The instant of this step. The same job is asked again with a later one.
    pub now: WallTime,
    /// When progress was saved for the first time, if any was: the start of a vendor's window in
    /// which repeats are recognised as such.
    pub first_saved: Option<WallTime>,
    /// The credential that the sink's authorization request gave, if it has such a request.
    pub token: Option<&'a Secret>,
}

/// Whether a delivery is the first of its handoff at this sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Creates the ticket, card or message.
    Open,
    /// Adds what was learnt since, usually at the end of the call.
    Update {
        /// What the opening delivery left.
        opened: &'a Receipt,
    },
}

/// What a sink wants done next. Every answer comes back through the sink's `interpret`.
///
/// `Debug` shows neither requests nor progress, which hold what callers said.
pub enum Step {
    /// Send the request.
    Send(http::Request<Bytes>),
    /// Store the progress, and send the request only when it is on disk. For a request that must
    /// be repeated byte for byte, or whose sending must be known after a crash.
    SaveThenSend {
        /// What the sink wants to see when it is asked again.
        progress: Vec<u8>,
        /// The request.
        request: http::Request<Bytes>,
    },
    /// Nothing is left to do.
    Done(Receipt),
    /// No request can be made of this job; repeating does not mend it.
    Fail(FailureReason),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(_) => f.write_str("Send"),
            Self::SaveThenSend { .. } => f.write_str("SaveThenSend"),
            Self::Done(receipt) => f.debug_tuple("Done").field(receipt).finish(),
            Self::Fail(reason) => f.debug_tuple("Fail").field(reason).finish(),
        }
    }
}

/// What a sink makes of the answer to a step. `Debug` does not show progress.
#[derive(Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The step succeeded and another follows. The progress is stored before the sink is asked
    /// for it.
    Continue {
        /// What the sink wants to see when it is asked for the next step.
        progress: Vec<u8>,
    },
    /// The context is where it belongs.
    Done(Receipt),
    /// The step is to be repeated later.
    Retry {
        /// The pause that the vendor asked for. The worker waits at least that long.
        after: Option<Duration>,
        /// Progress to store meanwhile; `None` leaves the stored progress as it is.
        progress: Option<Vec<u8>>,
        /// Why.
        reason: FailureReason,
    },
    /// The token is no longer accepted: authorize once more and repeat this step, once.
    Refresh,
    /// Repeating does not mend it: dead letter.
    Dead(FailureReason),
    /// The sink itself is gone (webhook deleted, channel archived, account closed). It gets
    /// nothing more from this process; what waits for it stays in the journal.
    DisableSink(FailureReason),
}

impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Continue { .. } => f.write_str("Continue"),
            Self::Done(receipt) => f.debug_tuple("Done").field(receipt).finish(),
            Self::Retry { after, reason, .. } => f
                .debug_struct("Retry")
                .field("after", after)
                .field("reason", reason)
                .finish_non_exhaustive(),
            Self::Refresh => f.write_str("Refresh"),
            Self::Dead(reason) => f.debug_tuple("Dead").field(reason).finish(),
            Self::DisableSink(reason) => f.debug_tuple("DisableSink").field(reason).finish(),
        }
    }
}

/// A credential that a sink obtained for itself.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// The token. Handed to the sink with each job.
    pub token: Secret,
    /// How long it is accepted; `None` means until it is refused.
    pub valid_for: Option<Duration>,
}
