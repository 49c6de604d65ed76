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
#[derive(Debug)]
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

/// What a sink makes of the answer to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Proof that a context was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The vendor's name for what was created (ticket id, channel and timestamp).
    pub external_id: String,
    /// Where a human can open it.
    pub url: Option<String>,
    /// SHA-256 of the delivered content, to prove which.
    pub content_sha256: [u8; 32],
    /// Whether the vendor recognises repeats, so that the content is certainly there once.
    pub exactly_once: bool,
    /// When the vendor confirmed it.
    pub at: WallTime,
}

/// A credential that a sink obtained for itself.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// The token. Handed to the sink with each job.
    pub token: Secret,
    /// How long it is accepted; `None` means until it is refused.
    pub valid_for: Option<Duration>,
}

/// Why a request brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFailure {
    /// It certainly did not act: the name did not resolve or the connection was refused.
    NotSent,
    /// It may or may not have acted: the connection broke or the time ran out after sending began.
    Unknown,
}

/// Why a delivery did not succeed. Carries nothing of what was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureReason {
    /// No answer came.
    Unreachable,
    /// The vendor limits our rate.
    Throttled,
    /// The vendor failed (5xx, 408).
    Broken {
        /// The HTTP status.
        status: u16,
    },
    /// The answer could not be understood.
    Unreadable,
    /// Our credentials are refused, also after a new authorization.
    Unauthorized,
    /// The vendor does not accept what we sent.
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The vendor's error code, if it is one word: free text could repeat what was sent.
        code: Option<String>,
    },
    /// The sink no longer exists at the vendor.
    Gone,
    /// The delivery that opens this handoff at the sink never succeeded, so there is nothing to
    /// update.
    NeverOpened,
}

impl FailureReason {
    /// The code used in journal rows, logs and metric labels.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Throttled => "throttled",
            Self::Broken { .. } => "broken",
            Self::Unreadable => "unreadable",
            Self::Unauthorized => "unauthorized",
            Self::Rejected { .. } => "rejected",
            Self::Gone => "gone",
            Self::NeverOpened => "never_opened",
        }
    }
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::Broken { status } | Self::Rejected { status, code: None } => {
                write!(f, " ({status})")
            }
            Self::Rejected {
                status,
                code: Some(code),
            } => write!(f, " ({status} {code})"),
            Self::Unreachable
            | Self::Throttled
            | Self::Unreadable
            | Self::Unauthorized
            | Self::Gone
            | Self::NeverOpened => Ok(()),
        }
    }
}
