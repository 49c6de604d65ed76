//! From the vendor's JSON to messages.

use std::collections::BTreeMap;

use handoff_core::id::{CarrierCallId, StreamId};
use handoff_core::pii::Pii;

use super::message::{Dtmf, MAX_TIMESTAMP_MS, Mark, Media, Message, Start, Stop, Track, WireError};
use crate::carrier::lenient::{Decimal, Text, is_identifier, is_key, scalar};

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
    let call = wire.call_sid.ok_or(missing("start.callSid"))?;
    let stream = match (wire.stream_sid, outer_stream) {
        (Some(inner), Some(outer)) if inner.0 != outer.0 => return Err(WireError::TwoStreams),
        (Some(stream), _) | (None, Some(stream)) => stream,
        (None, None) => return Err(missing("streamSid")),
    };
    check_format(wire.media_format.ok_or(missing("start.mediaFormat"))?)?;
    Ok(Start {
        account_sid: (wire.account_sid.as_ref())
            .map(|sid| identifier(sid, "start.accountSid"))
            .transpose()?,
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

fn dtmf(wire: Option<WireDtmf<'_>>) -> Result<Dtmf, WireError> {
    let missing = |field| WireError::Missing {
        event: "dtmf",
        field,
    };
    let wire = wire.ok_or(missing("dtmf"))?;
    let digit = wire.digit.ok_or(missing("dtmf.digit"))?;
    let mut keys = digit.0.chars();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(WireError::Digit);
    };
    if !is_key(key) {
        return Err(WireError::Digit);
    }
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
    if is_identifier(&text.0) {
        Ok(text.0.as_ref().to_owned())
    } else {
        Err(WireError::Identifier { field })
    }
}
