//! The messages of the media socket once they are understood.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use handoff_core::id::{CarrierCallId, StreamId};
use handoff_core::pii::Pii;

/// What Plivo says on the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// The stream begins. The first message.
    Start(Start),
    /// Audio of one track.
    Media(Media<'a>),
    /// The caller pressed a key.
    Dtmf(Dtmf),
    /// Playback reached our checkpoint.
    Played(Played<'a>),
    /// The playback queue is empty, as we asked.
    Cleared,
    /// Something of ours could not be played. In the vendor's own code, in no page.
    PlayFailed,
    /// Plivo reports an error. In the vendor's own code, in no page.
    Failed,
    /// The stream ended. The caller may well still be there. In the vendor's samples, in no page.
    Stop,
    /// An event this version does not know.
    Unknown,
}

/// The begin of a stream whose audio is mu-law, 8,000 samples a second, one channel: [`parse`](super::parse)
/// refuses every other format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The account that owns the call, if the message names it, as all documented ones do.
    pub account_id: Option<String>,
    /// The call that the stream claims to carry, in webhooks its `CallUUID`. To be bound to the token
    /// before it is believed.
    pub call: CarrierCallId,
    /// The stream.
    pub stream: StreamId,
    /// The tracks that will arrive.
    pub tracks: BTreeSet<Track>,
    /// The `extraHeaders` of the document, the one-use token among them.
    pub parameters: BTreeMap<String, Pii<String>>,
}

/// One media message, usually 20 ms of one track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    /// Whose audio it is.
    pub track: Track,
    /// When this audio begins, by the carrier's clock.
    pub timestamp: EpochMs,
    /// The carrier's count of media messages, from 1.
    pub chunk: Option<u64>,
    /// The carrier's count of messages in the stream.
    pub sequence: Option<u64>,
    /// Base64 of mu-law audio of any length, for [`decode_payload`](super::decode_payload).
    pub payload: Pii<Cow<'a, str>>,
}

/// Milliseconds since 1970 by the carrier's clock, as it came. Only differences mean something here: two
/// clocks never agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EpochMs(pub u64);

impl EpochMs {
    /// The longest distance that two messages of a stream may claim: 49 days, many times any call's
    /// limit, and far from where arithmetic on samples could overflow.
    pub const MAX_DISTANCE_MS: u64 = u32::MAX as u64;

    /// Milliseconds from `first` to this, or `None` if it is before `first` or past
    /// [`Self::MAX_DISTANCE_MS`].
    pub fn ms_after(self, first: Self) -> Option<u64> {
        (self.0.checked_sub(first.0)).filter(|distance| *distance <= Self::MAX_DISTANCE_MS)
    }
}

/// A key that the caller pressed. Keys may spell a card number, so they are personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dtmf {
    /// Whose key it is, where the carrier says so in a word that is known.
    pub track: Option<Track>,
    /// `0`-`9`, `*`, `#`, `A`-`D`.
    pub digit: Pii<char>,
    /// When it was pressed, where the carrier says so in milliseconds.
    pub timestamp: Option<EpochMs>,
}

/// Playback reached a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played<'a> {
    /// The name that [`StreamOut::checkpoint`](super::StreamOut::checkpoint) gave it.
    pub name: Cow<'a, str>,
}

/// A direction of audio, seen from Plivo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// What Plivo receives from the party on the leg.
    Inbound,
    /// What Plivo sends to that party.
    Outbound,
}

impl Track {
    pub(super) fn parse(text: &str) -> Result<Self, WireError> {
        match text {
            "inbound" => Ok(Self::Inbound),
            "outbound" => Ok(Self::Outbound),
            _ => Err(WireError::Track),
        }
    }
}

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
    /// A key that no telephone has.
    #[error("digit is not a key of a telephone")]
    Digit,
    /// A payload that is not base64.
    #[error("payload is not base64")]
    Payload,
}
