//! Twilio's media socket: text frames of one JSON object each, both directions.
//!
//! [`parse`] reads what Twilio sends, [`StreamOut`] writes what a bidirectional stream accepts. The
//! vendor's spelling ends in this file. Reading a media message, decoding its payload into a reused
//! buffer and writing an outgoing one allocate nothing once buffers have grown; only a peer that
//! escapes `/` inside a payload costs a copy.
//!
//! Sources: <https://www.twilio.com/docs/voice/media-streams/websocket-messages> and
//! <https://www.twilio.com/docs/voice/media-streams>, read 2026-11-21.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use handoff_core::id::{CarrierCallId, StreamId};
use handoff_core::pii::Pii;
use serde::de::{self, Deserialize, Deserializer, Visitor};

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
    Mark(Mark<'a>),
    /// The stream ended. The caller may well still be there: a rewrite of the call ends the stream
    /// of a `<Connect>` in the same way.
    Stop(Stop),
    /// An event this version does not know.
    Unknown,
}

/// The begin of a stream whose audio is mu-law, 8,000 samples a second, one channel: [`parse`]
/// refuses every other format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The account that owns the call.
    pub account_sid: String,
    /// The call that the stream claims to carry. To be bound to the token before it is believed.
    pub call: CarrierCallId,
    /// The stream.
    pub stream: StreamId,
    /// The tracks that will arrive.
    pub tracks: BTreeSet<Track>,
    /// The `<Parameter>` values of the document, the one-use token among them.
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
    /// The carrier's count of media messages, from 1. Not a clock, and not promised to be per
    /// track.
    pub chunk: Option<u64>,
    /// The carrier's count of messages in the stream.
    pub sequence: Option<u64>,
    /// Base64 of mu-law audio of any length, for [`decode_payload`].
    pub payload: Pii<Cow<'a, str>>,
}

/// A key that the caller pressed. Keys may spell a card number, so they are personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dtmf {
    /// Whose key it is, where the carrier says so.
    pub track: Option<Track>,
    /// `0`-`9`, `*`, `#`, `A`-`D`.
    pub digit: Pii<char>,
}

/// The echo of a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark<'a> {
    /// The name that [`StreamOut::mark`] gave it.
    pub name: Cow<'a, str>,
}

/// The end of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The call, where the carrier says so.
    pub call: Option<CarrierCallId>,
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
    /// Media messages say `inbound`, keys and documents `inbound_track`.
    fn parse(text: &str) -> Result<Self, WireError> {
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

/// Reads one text frame.
///
/// Shape: one JSON object. Counters are taken as strings, as documented, and as numbers; unknown
/// members and events are let through.
///
/// # Errors
///
/// Any [`WireError`]. A refused media message may be dropped and counted; a refused `start` leaves
/// the stream without an identity, so its socket is to be closed.
pub fn parse(text: &str) -> Result<Message<'_>, WireError> {
    let wire: Wire<'_> = match serde_json::from_str(text) {
        Ok(wire) => wire,
        Err(error) => return refuse(text, &error),
    };
    match wire.event.0.as_ref() {
        "media" => media(wire.media, wire.sequence).map(Message::Media),
        "connected" => Ok(Message::Connected),
        "start" => start(wire.start, wire.stream).map(Message::Start),
        "dtmf" => dtmf(wire.dtmf).map(Message::Dtmf),
        "mark" => mark(wire.mark).map(Message::Mark),
        "stop" => stop(wire.stop).map(Message::Stop),
        _ => Ok(Message::Unknown),
    }
}

/// Decodes the base64 of a media message into `mulaw`, whose former content is dropped, and returns
/// the number of samples. Missing padding is accepted.
///
/// # Errors
///
/// [`WireError::Payload`], and `mulaw` is empty.
pub fn decode_payload(payload: &str, mulaw: &mut Vec<u8>) -> Result<usize, WireError> {
    mulaw.clear();
    if BASE64.decode_vec(payload, mulaw).is_err() {
        mulaw.clear();
        return Err(WireError::Payload);
    }
    Ok(mulaw.len())
}

/// Writes the messages that a bidirectional stream accepts. Anything sent on a one-way stream ends
/// it with error 31924.
#[derive(Clone, Debug)]
pub struct StreamOut {
    media: String,
    mark: String,
    clear: String,
}

impl StreamOut {
    /// Prepares the messages of one stream.
    pub fn new(stream: &StreamId) -> Self {
        let stream = json_string(&stream.0);
        Self {
            media: format!(r#"{{"event":"media","streamSid":{stream},"media":{{"payload":""#),
            mark: format!(r#"{{"event":"mark","streamSid":{stream},"mark":{{"name":"#),
            clear: format!(r#"{{"event":"clear","streamSid":{stream}}}"#),
        }
    }

    /// Replaces `text` by a message that plays `mulaw` after everything queued before it. Twilio
    /// paces playback itself and drops what exceeds ten minutes; messages below 20 ms are heard as
    /// jitter.
    pub fn media(&self, mulaw: &[u8], text: &mut String) {
        text.clear();
        text.push_str(&self.media);
        BASE64.encode_string(mulaw, text);
        text.push_str("\"}}");
    }

    /// Replaces `text` by a message that Twilio echoes once everything sent before it was played,
    /// or at once if nothing is queued, or when a clear throws it out: an echo alone does not prove
    /// that the caller heard something.
    pub fn mark(&self, name: &str, text: &mut String) {
        text.clear();
        text.push_str(&self.mark);
        text.push_str(&json_string(name));
        text.push_str("}}");
    }

    /// The message that empties the playback queue and echoes every outstanding mark.
    pub fn clear(&self) -> &str {
        &self.clear
    }
}

static BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Every documented member of every event, side by side: an internally tagged enum would copy each
/// message before reading it, at twice the time.
#[derive(serde::Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    event: Text<'a>,
    #[serde(rename = "sequenceNumber")]
    sequence: Option<Decimal>,
    #[serde(borrow, rename = "streamSid")]
    stream: Option<Text<'a>>,
    #[serde(borrow)]
    media: Option<WireMedia<'a>>,
    #[serde(borrow)]
    start: Option<WireStart<'a>>,
    #[serde(borrow)]
    dtmf: Option<WireDtmf<'a>>,
    #[serde(borrow)]
    mark: Option<WireMark<'a>>,
    #[serde(borrow)]
    stop: Option<WireStop<'a>>,
}

#[derive(serde::Deserialize)]
struct WireMedia<'a> {
    #[serde(borrow)]
    track: Option<Text<'a>>,
    chunk: Option<Decimal>,
    timestamp: Option<Decimal>,
    #[serde(borrow)]
    payload: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStart<'a> {
    #[serde(borrow)]
    account_sid: Option<Text<'a>>,
    #[serde(borrow)]
    stream_sid: Option<Text<'a>>,
    #[serde(borrow)]
    call_sid: Option<Text<'a>>,
    #[serde(borrow, default)]
    tracks: Vec<Text<'a>>,
    #[serde(borrow)]
    media_format: Option<WireFormat<'a>>,
    custom_parameters: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFormat<'a> {
    #[serde(borrow)]
    encoding: Option<Text<'a>>,
    sample_rate: Option<Decimal>,
    channels: Option<Decimal>,
}

#[derive(serde::Deserialize)]
struct WireDtmf<'a> {
    #[serde(borrow)]
    track: Option<Text<'a>>,
    #[serde(borrow)]
    digit: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
struct WireMark<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
struct WireStop<'a> {
    #[serde(borrow, rename = "callSid")]
    call: Option<Text<'a>>,
}

/// A refused message of an event we do not know is still just unknown: tomorrow's events may reuse
/// today's members with other types.
fn refuse<'a>(text: &str, error: &serde_json::Error) -> Result<Message<'a>, WireError> {
    #[derive(serde::Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        event: Text<'a>,
    }

    let column = error.column();
    match error.classify() {
        serde_json::error::Category::Data => {}
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => return Err(WireError::NotJson { column }),
    }
    match serde_json::from_str::<Event<'_>>(text) {
        Ok(Event { event }) => match event.0.as_ref() {
            "connected" => Ok(Message::Connected),
            "media" | "start" | "dtmf" | "mark" | "stop" => Err(WireError::Shape { column }),
            _ => Ok(Message::Unknown),
        },
        Err(rest) if rest.is_data() => Err(WireError::Shape { column }),
        Err(rest) => Err(WireError::NotJson {
            column: rest.column(),
        }),
    }
}

fn media<'a>(
    wire: Option<WireMedia<'a>>,
    sequence: Option<Decimal>,
) -> Result<Media<'a>, WireError> {
    let missing = |field| WireError::Missing {
        event: "media",
        field,
    };
    let wire = wire.ok_or(missing("media"))?;
    let track = wire.track.ok_or(missing("media.track"))?;
    let Decimal(timestamp_ms) = wire.timestamp.ok_or(missing("media.timestamp"))?;
    let payload = wire.payload.ok_or(missing("media.payload"))?;
    if timestamp_ms > MAX_TIMESTAMP_MS {
        return Err(WireError::Timestamp);
    }
    Ok(Media {
        track: Track::parse(&track.0)?,
        timestamp_ms,
        chunk: wire.chunk.map(|Decimal(count)| count),
        sequence: sequence.map(|Decimal(count)| count),
        payload: Pii::new(payload.0),
    })
}

fn start(wire: Option<WireStart<'_>>, outer_stream: Option<Text<'_>>) -> Result<Start, WireError> {
    let missing = |field| WireError::Missing {
        event: "start",
        field,
    };
    let wire = wire.ok_or(missing("start"))?;
    let account_sid = wire.account_sid.ok_or(missing("start.accountSid"))?;
    let call = wire.call_sid.ok_or(missing("start.callSid"))?;
    let stream = match (wire.stream_sid, outer_stream) {
        (Some(inner), Some(outer)) if inner.0 != outer.0 => return Err(WireError::TwoStreams),
        (Some(stream), _) | (None, Some(stream)) => stream,
        (None, None) => return Err(missing("streamSid")),
    };
    check_format(wire.media_format.ok_or(missing("start.mediaFormat"))?)?;
    Ok(Start {
        account_sid: identifier(&account_sid, "start.accountSid")?,
        call: CarrierCallId(identifier(&call, "start.callSid")?),
        stream: StreamId(identifier(&stream, "streamSid")?),
        tracks: wire
            .tracks
            .iter()
            .map(|track| Track::parse(&track.0))
            .collect::<Result<_, _>>()?,
        parameters: wire
            .custom_parameters
            .into_iter()
            .flatten()
            .map(|(name, value)| (name, Pii::new(scalar(value))))
            .collect(),
    })
}

fn check_format(wire: WireFormat<'_>) -> Result<(), WireError> {
    let missing = |field| WireError::Missing {
        event: "start",
        field,
    };
    let encoding = wire.encoding.ok_or(missing("start.mediaFormat.encoding"))?;
    let Decimal(rate) = wire
        .sample_rate
        .ok_or(missing("start.mediaFormat.sampleRate"))?;
    let Decimal(channels) = wire.channels.ok_or(missing("start.mediaFormat.channels"))?;
    if !encoding.0.eq_ignore_ascii_case("audio/x-mulaw") {
        return Err(WireError::Encoding);
    }
    if rate != 8_000 {
        return Err(WireError::SampleRate(rate));
    }
    if channels != 1 {
        return Err(WireError::Channels(channels));
    }
    Ok(())
}

/// Values are documented as strings; a number or truth value of another sender is kept as its text.
fn scalar(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

fn dtmf(wire: Option<WireDtmf<'_>>) -> Result<Dtmf, WireError> {
    let missing = |field| WireError::Missing {
        event: "dtmf",
        field,
    };
    let wire = wire.ok_or(missing("dtmf"))?;
    let digit = wire.digit.ok_or(missing("dtmf.digit"))?;
    let mut keys = digit.0.chars();
    let (Some(key @ ('0'..='9' | '*' | '#' | 'A'..='D')), None) = (keys.next(), keys.next()) else {
        return Err(WireError::Digit);
    };
    Ok(Dtmf {
        track: wire.track.map(|track| Track::parse(&track.0)).transpose()?,
        digit: Pii::new(key),
    })
}

fn mark(wire: Option<WireMark<'_>>) -> Result<Mark<'_>, WireError> {
    let missing = |field| WireError::Missing {
        event: "mark",
        field,
    };
    let name = wire
        .ok_or(missing("mark"))?
        .name
        .ok_or(missing("mark.name"))?;
    Ok(Mark { name: name.0 })
}

/// An end is believed even without its particulars.
fn stop(wire: Option<WireStop<'_>>) -> Result<Stop, WireError> {
    let call = wire
        .and_then(|stop| stop.call)
        .map(|call| identifier(&call, "stop.callSid"))
        .transpose()?;
    Ok(Stop {
        call: call.map(CarrierCallId),
    })
}

/// Names go into URLs and records: letters, digits, `-` and `_` only.
fn identifier(text: &Text<'_>, field: &'static str) -> Result<String, WireError> {
    if super::webhook::is_identifier(&text.0) {
        Ok(text.0.as_ref().to_owned())
    } else {
        Err(WireError::Identifier { field })
    }
}

/// A string that borrows from the frame unless it holds escapes. Serde borrows a plain `Cow` only
/// where it is not inside an `Option`, hence a type of its own.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// A counter: a decimal string as Twilio documents it, or a number.
struct Decimal(u64);

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DecimalVisitor;

        impl Visitor<'_> for DecimalVisitor {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, plain or in a string")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
                Ok(Decimal(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
                text.parse()
                    .map(Decimal)
                    .map_err(|_| E::custom("not a whole number"))
            }
        }

        deserializer.deserialize_any(DecimalVisitor)
    }
}
