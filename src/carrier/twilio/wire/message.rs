//! The messages of the media socket once they are understood. They hold what a decision needs and no
//! more: a member that nobody reads must not be able to refuse a message.

use std::borrow::Cow;
use std::collections::BTreeMap;

use handoff_core::id::{CarrierCallId, StreamId};
use handoff_core::pii::Pii;

/// What Twilio says on the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// The first message. It names neither call nor stream.
    Connected,
    /// The stream begins.
    Start(Start),
    /// Audio of one track.
    Media(Media<'a>),
    /// The caller pressed a key. Bidirectional streams only.
    Dtmf(Dtmf),
    /// Playback reached our mark, or a clear threw it out.
    Mark,
    /// The stream ended. The caller may well still be there: a rewrite of the call ends the stream
    /// of a `<Connect>` in the same way.
    Stop,
    /// An event this version does not know.
    Unknown,
}

/// The begin of a stream whose audio is mu-law, 8,000 samples a second, one channel: [`parse`](super::parse)
/// refuses every other format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The account that owns the call, if the message names it, as all documented ones do.
    pub account_sid: Option<String>,
    /// The call that the stream claims to carry. To be bound to the token before it is believed.
    pub call: CarrierCallId,
    /// The stream.
    pub stream: StreamId,
    /// The `<Parameter>` values of the document, the one-use token among them. Empty if the message
    /// has none, or something else in their place.
    pub parameters: BTreeMap<String, Pii<String>>,
}

/// One media message, usually 20 ms of one track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    /// Whose audio it is.
    pub track: Track,
    /// Milliseconds from the begin of the stream to the begin of this audio. At most
    /// [`MAX_TIMESTAMP_MS`].
    pub timestamp_ms: u64,
    /// Base64 of mu-law audio of any length, for [`decode_payload`](super::decode_payload).
    pub payload: Pii<Cow<'a, str>>,
}

/// A key that the caller pressed. Keys may spell a card number, so they are personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dtmf {
    /// `0`-`9`, `*`, `#`, `A`-`D`.
    pub digit: Pii<char>,
}

/// A direction of audio, seen from Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// What Twilio receives from the party on the leg.
    Inbound,
    /// What Twilio sends to that party.
    Outbound,
}

impl Track {
    /// Media messages say `inbound`, documents `inbound_track`.
    pub(super) fn parse(text: &str) -> Result<Self, WireError> {
        match text {
            "inbound" | "inbound_track" => Ok(Self::Inbound),
            "outbound" | "outbound_track" => Ok(Self::Outbound),
            _ => Err(WireError::Track),
        }
    }
}

/// The latest position that a media message may claim: 49 days, many times any call's limit, and far
/// from where arithmetic on samples could overflow.
pub const MAX_TIMESTAMP_MS: u64 = u32::MAX as u64;

/// Why a message was refused. Carries no content of the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not one JSON value.
    #[error("not JSON (column {column})")]
    NotJson {
        /// Where reading stopped.
        column: usize,
    },
    /// JSON, but a member of it has another type than documented.
    #[error("JSON of another shape (column {column})")]
    Shape {
        /// Where reading stopped.
        column: usize,
    },
    /// A member is missing without which the message means nothing.
    #[error("{event} without {field}")]
    Missing {
        /// The event.
        event: &'static str,
        /// The vendor's name of the member.
        field: &'static str,
    },
    /// A call, stream or account name that is none.
    #[error("{field} is not an identifier")]
    Identifier {
        /// The vendor's name of the member.
        field: &'static str,
    },
    /// `start` names two streams.
    #[error("start names two streams")]
    TwoStreams,
    /// Audio other than mu-law.
    #[error("encoding is not audio/x-mulaw")]
    Encoding,
    /// Audio at another rate than 8,000 samples a second.
    #[error("sample rate {0}")]
    SampleRate(u64),
    /// Audio of more or less than one channel.
    #[error("{0} channels")]
    Channels(u64),
    /// A track that is neither inbound nor outbound.
    #[error("track is neither inbound nor outbound")]
    Track,
    /// A timestamp past [`MAX_TIMESTAMP_MS`].
    #[error("timestamp past {MAX_TIMESTAMP_MS} ms")]
    Timestamp,
    /// A key that no telephone has.
    #[error("digit is not a key of a telephone")]
    Digit,
    /// A payload that is not base64.
    #[error("payload is not base64")]
    Payload,
}
