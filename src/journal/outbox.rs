//! What the outbox takes and gives: deliveries, the claims on them, and how they end.

use std::fmt;
use std::time::Duration;

use handoff_core::context::HandoffContext;
use handoff_core::id::{CallId, CarrierCallId, HandoffId};
use handoff_core::pii::Pii;
use handoff_core::time::WallTime;

/// A delivery to be made. Its handoff is that of the context's trigger.
///
/// The same handoff, sink, kind and revision are one row, however often they are added.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDelivery {
    /// The configured name of the sink.
    pub sink: String,
    /// Whether it opens the handoff at the sink or adds to it.
    pub kind: DeliveryKind,
    /// What is to be delivered.
    pub context: HandoffContext,
    /// When it was decided; it is due from then on.
    pub created: WallTime,
}

impl NewDelivery {
    /// The handoff it belongs to.
    pub const fn handoff(&self) -> &HandoffId {
        &self.context.trigger.handoff
    }
}

/// Whether a delivery is the first of its handoff at a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryKind {
    /// Creates the ticket, card or message.
    Open,
    /// Adds to it.
    Update,
}

/// Deliveries to make, and when to ask again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims {
    /// What is due. At most one delivery of a handoff at a sink is claimed at a time.
    pub ready: Vec<Claim>,
    /// When the next delivery falls due or its lease ends, if any waits. Deliveries that wait for
    /// an earlier one of their handoff do not count.
    pub next_due: Option<WallTime>,
}

/// One delivery to make. Held until its lease ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// What to settle it by.
    pub id: ClaimId,
    /// The handoff it belongs to.
    pub handoff: HandoffId,
    /// The configured name of the sink.
    pub sink: String,
    /// What is to be done.
    pub kind: Claimed,
    /// What is to be delivered.
    pub context: HandoffContext,
    /// Counts the claims of this delivery, from 1.
    pub attempt: u32,
    /// When it was claimed for the first time.
    pub first_claimed: WallTime,
    /// What the sink stored of earlier steps.
    pub progress: Option<Progress>,
}

/// Names a claim. Useless once the delivery is settled or claimed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClaimId {
    pub(super) row: i64,
    pub(super) attempt: u32,
}

/// What a claimed delivery amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Creates something.
    Open,
    /// Adds to what was created.
    Update {
        /// The receipt of the opening delivery.
        opened: Receipt,
    },
    /// An update whose opening delivery is dead or was never added: there is nothing to add to.
    NeverOpened,
}

/// What a sink stored between two steps. The bytes may hold what callers said, so that `Debug`
/// shows their number.
#[derive(Clone, PartialEq, Eq)]
pub struct Progress {
    /// The sink's own bytes.
    pub bytes: Vec<u8>,
    /// When progress of this delivery was first stored.
    pub first_saved: WallTime,
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Progress({} bytes)", self.bytes.len())
    }
}

/// How an attempt at a delivery ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Settlement {
    /// It is where it belongs.
    Delivered(Receipt),
    /// It is to be tried again.
    RetryAt {
        /// Not before.
        due: WallTime,
        /// Why it did not succeed.
        reason: FailureReason,
    },
    /// It is given up. The row stays, and can be revived.
    Dead {
        /// When.
        at: WallTime,
        /// Why.
        reason: FailureReason,
        /// The beginning of the vendor's last answer.
        excerpt: Option<Excerpt>,
    },
}

/// The beginning of a vendor's answer, kept with a dead letter for whoever looks into it. It may
/// repeat what was sent, so it is personal and goes nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt(Pii<String>);

impl Excerpt {
    /// Characters kept.
    pub const MAX_CHARS: usize = 1_024;

    /// Keeps the beginning of a body.
    pub fn of(body: &[u8]) -> Self {
        // Four bytes a character at most, so this many bytes hold enough characters.
        let beginning = &body[..body.len().min(Self::MAX_CHARS * 4)];
        let text = String::from_utf8_lossy(beginning);
        Self(Pii::new(text.chars().take(Self::MAX_CHARS).collect()))
    }

    /// The text.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
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

/// A delivery as it stands, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The row, to revive it by.
    pub id: i64,
    /// The configured name of the sink.
    pub sink: String,
    /// Whether it opens or updates.
    pub kind: DeliveryKind,
    /// The revision of its context.
    pub revision: u32,
    /// When it was decided.
    pub created: WallTime,
    /// How often it was claimed.
    pub attempts: u32,
    /// How far it is.
    pub state: DeliveryState,
}

/// How far a delivery is.
#[derive(Clone, Debug, PartialEq)]
pub enum DeliveryState {
    /// It is still to be made.
    Waiting {
        /// Not before.
        due: WallTime,
        /// Why the last attempt failed, if there was one.
        last_failure: Option<FailureReason>,
    },
    /// It was made.
    Delivered(Receipt),
    /// It was given up.
    Dead {
        /// When.
        at: WallTime,
        /// Why.
        reason: FailureReason,
        /// The beginning of the vendor's last answer.
        excerpt: Option<Excerpt>,
    },
}

/// What is still to be delivered, over all sinks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undelivered {
    /// How many deliveries.
    pub count: u64,
    /// When the oldest was decided.
    pub oldest: Option<WallTime>,
}

impl Undelivered {
    /// How long the oldest has been waiting.
    pub fn oldest_age(&self, now: WallTime) -> Duration {
        self.oldest.map_or(Duration::ZERO, |oldest| {
            Duration::from_millis(now.0.saturating_sub(oldest.0))
        })
    }
}

/// A call that was announced and has not ended, as far as the journal knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCall {
    /// Its id.
    pub call: CallId,
    /// The carrier's name for it.
    pub carrier_call: CarrierCallId,
    /// When it was announced.
    pub announced: WallTime,
}
