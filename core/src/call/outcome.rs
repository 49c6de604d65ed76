//! How things end: streams, rewrites, legs, dialling, calls.

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// The carrier said stop.
    Stopped,
    /// The socket closed without a stop.
    Closed,
    /// A newer stream of the same call took its place.
    Replaced,
    /// It broke the protocol and was closed by us.
    Refused,
    /// It was closed by us so that the carrier goes on with the call.
    Released,
}

/// What came of asking the carrier to rewrite the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RewriteOutcome {
    /// The carrier took the new instructions.
    Accepted,
    /// The caller had hung up.
    CallerGone,
    /// The carrier refused for a reason that repeating does not mend.
    Refused {
        /// The carrier's error code, if it gave one.
        code: Option<u32>,
        /// The HTTP status.
        status: u16,
    },
    /// The request certainly did not act (refused connection, 429) and could not be repeated in
    /// time.
    NotSent,
    /// The request may or may not have acted.
    Unknown,
}

/// How far the human's leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LegProgress {
    /// The carrier began to set it up.
    Initiated,
    /// The phone rings.
    Ringing,
    /// Somebody or something answered.
    Answered,
    /// The leg is over.
    Completed,
}

/// How the dialling of the human ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialEnd {
    /// Caller and human talked.
    Bridged,
    /// The leg was answered, but the carrier says that the two were not joined.
    AnsweredNotBridged,
    /// Nobody picked up in time.
    NoAnswer,
    /// The line was busy.
    Busy,
    /// The carrier could not place the leg.
    Failed,
    /// The leg was given up before an answer.
    Canceled,
}

/// The one final outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    /// The voice agent kept the call to its end.
    StayedWithVoiceAgent,
    /// A human took the call.
    Bridged,
    /// The human's phone rang and nobody picked up.
    NoAnswer,
    /// The human's line was busy.
    Busy,
    /// The carrier refused or failed to move the call or to reach the human.
    CarrierRefused,
    /// The caller hung up before the handoff was done.
    CallerHungUp,
    /// The end of the call was never reported.
    Unknown,
}

impl Disposition {
    /// The code used in tickets, timelines and metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StayedWithVoiceAgent => "stayed_with_voice_agent",
            Self::Bridged => "bridged",
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::CarrierRefused => "carrier_refused",
            Self::CallerHungUp => "caller_hung_up",
            Self::Unknown => "unknown",
        }
    }
}
