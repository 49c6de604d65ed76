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
    /// The carrier follows the new instructions.
    Accepted,
    /// The carrier took the new instructions and has yet to follow them. Proof is that it fetches the
    /// document ([`Event::DocumentFetched`](super::Event::DocumentFetched)).
    Taken,
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
    /// A human took the call: by the key that they were asked for, or by the carrier's word that the
    /// two are joined.
    Accepted,
    /// Caller and human have been joined for as long as it takes to be sure.
    Bridged,
    /// The leg is over.
    Completed,
}

impl LegProgress {
    /// The word for it in metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Accepted => "accepted",
            Self::Bridged => "bridged",
            Self::Completed => "completed",
        }
    }
}

/// How the attempt to reach a target ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialEnd {
    /// Caller and human talked.
    Bridged,
    /// Somebody or something answered and did not take the call: a voicemail, or a human who hung up
    /// in the whisper.
    AnsweredNotBridged,
    /// The two were joined, and the human was gone before it could count as a talk.
    HungUpAtOnce,
    /// Nobody picked up in time.
    NoAnswer,
    /// The line was busy.
    Busy,
    /// The human turned the call down.
    Rejected,
    /// The carrier could not place the leg.
    Failed {
        /// Its error code, or the SIP status of the far end, if it gave one.
        code: Option<u32>,
    },
    /// The leg was given up before an answer.
    Canceled,
    /// No target was open and available.
    NobodyAvailable,
}

/// What a caller gets after the last target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastResort {
    /// The promise that somebody calls back.
    CallBack,
    /// The chance to leave a message.
    Voicemail,
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
    /// The human turned the call down.
    Rejected,
    /// Somebody or something answered and did not take the call.
    NotAccepted,
    /// No target was open and available.
    NobodyAvailable,
    /// Nobody took the call, and the caller left a message.
    Voicemail,
    /// The carrier refused or failed to move the call or to reach the human.
    CarrierRefused {
        /// Its error code, or the SIP status of the far end, if it gave one.
        code: Option<u32>,
    },
    /// The caller hung up before the handoff was done.
    CallerHungUp,
    /// The end of the call was never reported.
    Unknown,
}

impl From<DialEnd> for Disposition {
    fn from(end: DialEnd) -> Self {
        match end {
            DialEnd::Bridged => Self::Bridged,
            DialEnd::AnsweredNotBridged | DialEnd::HungUpAtOnce => Self::NotAccepted,
            DialEnd::NoAnswer => Self::NoAnswer,
            DialEnd::Busy => Self::Busy,
            DialEnd::Rejected => Self::Rejected,
            DialEnd::Failed { code } => Self::CarrierRefused { code },
            DialEnd::Canceled => Self::CallerHungUp,
            DialEnd::NobodyAvailable => Self::NobodyAvailable,
        }
    }
}

impl Disposition {
    /// The code used in tickets, timelines and metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StayedWithVoiceAgent => "stayed_with_voice_agent",
            Self::Bridged => "bridged",
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::Rejected => "rejected",
            Self::NotAccepted => "not_accepted",
            Self::NobodyAvailable => "nobody_available",
            Self::Voicemail => "voicemail",
            Self::CarrierRefused { code: _ } => "carrier_refused",
            Self::CallerHungUp => "caller_hung_up",
            Self::Unknown => "unknown",
        }
    }
}
