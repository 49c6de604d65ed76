//! From the vendor's JSON to messages.

use handoff_core::id::{CarrierCallId, StreamId};
use handoff_core::pii::Pii;

use super::headers;
use super::message::{Dtmf, EpochMs, Media, Message, Played, Start, Track, WireError};
use crate::carrier::lenient::{Decimal, Text, is_identifier, is_key, scalar};

/// Reads one text frame.
///
/// Shape: one JSON object. Counters are taken as numbers, as documented, and as strings; unknown members
/// and events are let through.
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
        "start" => start(wire.start, wire.stream, text).map(Message::Start),
        "dtmf" => dtmf(wire.dtmf).map(Message::Dtmf),
        // The pages name it in both ways.
        "playedStream" | "played" => played(wire.name).map(Message::Played),
        "clearedAudio" => Ok(Message::Cleared),
        "playFailed" => Ok(Message::PlayFailed),
        "error" => Ok(Message::Failed),
        "stop" => Ok(Message::Stop),
        _ => Ok(Message::Unknown),
    }
}

/// Every documented member of every event, side by side: an internally tagged enum would copy each
/// message before reading it. `extra_headers` are not among them, because every media message repeats
/// them; [`start_headers`] reads those of a `start`.
#[derive(serde::Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    event: Text<'a>,
    #[serde(rename = "sequenceNumber")]
    sequence: Option<Decimal>,
    #[serde(borrow, rename = "streamId")]
    stream: Option<Text<'a>>,
    #[serde(borrow)]
    media: Option<WireMedia<'a>>,
    #[serde(borrow)]
    start: Option<WireStart<'a>>,
    #[serde(borrow)]
    dtmf: Option<WireDtmf<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
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
    account_id: Option<Text<'a>>,
    #[serde(borrow)]
    stream_id: Option<Text<'a>>,
    #[serde(borrow)]
    call_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    tracks: Vec<Text<'a>>,
    #[serde(borrow)]
    media_format: Option<WireFormat<'a>>,
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
    digit: Option<serde_json::Value>,
    timestamp: Option<serde_json::Value>,
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
            // These mean what they say whatever comes with them.
            "clearedAudio" => Ok(Message::Cleared),
            "playFailed" => Ok(Message::PlayFailed),
            "error" => Ok(Message::Failed),
            "stop" => Ok(Message::Stop),
            "media" | "start" | "dtmf" | "playedStream" | "played" => {
                Err(WireError::Shape { column })
            }
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
    let Decimal(timestamp) = wire.timestamp.ok_or(missing("media.timestamp"))?;
    let payload = wire.payload.ok_or(missing("media.payload"))?;
    Ok(Media {
        track: Track::parse(&track.0)?,
        timestamp: EpochMs(timestamp),
        chunk: wire.chunk.map(|Decimal(count)| count),
        sequence: sequence.map(|Decimal(count)| count),
        payload: Pii::new(payload.0),
    })
}

fn start(
    wire: Option<WireStart<'_>>,
    outer_stream: Option<Text<'_>>,
    text: &str,
) -> Result<Start, WireError> {
    let missing = |field| WireError::Missing {
        event: "start",
        field,
    };
    let wire = wire.ok_or(missing("start"))?;
    let call = wire.call_id.ok_or(missing("start.callId"))?;
    let stream = match (wire.stream_id, outer_stream) {
        (Some(inner), Some(outer)) if inner.0 != outer.0 => return Err(WireError::TwoStreams),
        (Some(stream), _) | (None, Some(stream)) => stream,
        (None, None) => return Err(missing("start.streamId")),
    };
    check_format(wire.media_format.ok_or(missing("start.mediaFormat"))?)?;
    Ok(Start {
        account_id: (wire.account_id.as_ref())
            .map(|id| identifier(id, "start.accountId"))
            .transpose()?,
        call: CarrierCallId(identifier(&call, "start.callId")?),
        stream: StreamId(identifier(&stream, "start.streamId")?),
        tracks: wire
            .tracks
            .iter()
            .map(|track| Track::parse(&track.0))
            .collect::<Result<_, _>>()?,
        parameters: headers::parse(start_headers(text)?),
    })
}

/// Reads a `start` once more for the one member that [`Wire`] leaves out. The vendor's pages show it
/// beside `start`; inside, nobody is known to send it, and nobody would mean something else by it.
fn start_headers(text: &str) -> Result<Option<serde_json::Value>, WireError> {
    #[derive(serde::Deserialize)]
    struct Outer {
        extra_headers: Option<serde_json::Value>,
        start: Inner,
    }
    #[derive(serde::Deserialize)]
    struct Inner {
        extra_headers: Option<serde_json::Value>,
    }

    let outer: Outer = serde_json::from_str(text).map_err(|error| WireError::Shape {
        column: error.column(),
    })?;
    Ok(outer.extra_headers.or(outer.start.extra_headers))
}

/// Documents write the rate into the content type, messages beside the encoding; here either will do.
/// Channels are in no page, and one is what there is.
fn check_format(wire: WireFormat<'_>) -> Result<(), WireError> {
    let missing = |field| WireError::Missing {
        event: "start",
        field,
    };
    let encoding = wire.encoding.ok_or(missing("start.mediaFormat.encoding"))?;
    let (name, suffix) = encoding.0.split_once(';').unwrap_or((&encoding.0, ""));
    if !name.trim().eq_ignore_ascii_case("audio/x-mulaw") {
        return Err(WireError::Encoding);
    }
    let in_suffix = suffix
        .trim()
        .strip_prefix("rate=")
        .map(|rate| rate.parse().map_err(|_| WireError::Encoding))
        .transpose()?;
    let beside = wire.sample_rate.map(|Decimal(rate)| rate);
    if beside.is_none() && in_suffix.is_none() {
        return Err(missing("start.mediaFormat.sampleRate"));
    }
    if let Some(rate) = [beside, in_suffix]
        .into_iter()
        .flatten()
        .find(|rate| *rate != 8_000)
    {
        return Err(WireError::SampleRate(rate));
    }
    match wire.channels {
        None | Some(Decimal(1)) => Ok(()),
        Some(Decimal(channels)) => Err(WireError::Channels(channels)),
    }
}

/// A key is a wish of the caller: it counts whatever is said, or not said, about its track and time.
fn dtmf(wire: Option<WireDtmf<'_>>) -> Result<Dtmf, WireError> {
    let missing = |field| WireError::Missing {
        event: "dtmf",
        field,
    };
    let wire = wire.ok_or(missing("dtmf"))?;
    let digit = wire.digit.ok_or(missing("dtmf.digit"))?;
    let digit = scalar(digit);
    let mut keys = digit.chars();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(WireError::Digit);
    };
    if !is_key(key) {
        return Err(WireError::Digit);
    }
    Ok(Dtmf {
        track: wire.track.and_then(|track| Track::parse(&track.0).ok()),
        digit: Pii::new(key),
        timestamp: (wire.timestamp)
            .and_then(|at| scalar(at).parse().ok())
            .map(EpochMs),
    })
}

fn played(name: Option<Text<'_>>) -> Result<Played<'_>, WireError> {
    let name = name.ok_or(WireError::Missing {
        event: "playedStream",
        field: "name",
    })?;
    Ok(Played { name: name.0 })
}

/// Names go into URLs and records: letters, digits, `-` and `_` only.
fn identifier(text: &Text<'_>, field: &'static str) -> Result<String, WireError> {
    if is_identifier(&text.0) {
        Ok(text.0.as_ref().to_owned())
    } else {
        Err(WireError::Identifier { field })
    }
}
