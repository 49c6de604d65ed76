//! From the vendor's JSON to messages.

use std::collections::BTreeMap;

use handoff_core::id::{CarrierCallId, StreamId};
use handoff_core::pii::Pii;
use serde_json::Value;

use super::message::{Dtmf, MAX_TIMESTAMP_MS, Media, Message, Start, Track, WireError};
use crate::carrier::lenient::{Decimal, Text, is_identifier, is_key, scalar};

/// Reads one text frame.
///
/// Shape: one JSON object. Counters are taken as strings, as documented, and as numbers; unknown
/// events are let through, and so is every member that is not read, whatever it holds.
///
/// # Errors
///
/// Any [`WireError`]. The message may be dropped and counted; after a refused `start` the stream is
/// still without an identity.
pub fn parse(text: &str) -> Result<Message<'_>, WireError> {
    match serde_json::from_str(text) {
        Ok(Wire { event, media: wire }) => match event.0.as_ref() {
            "media" => media(wire).map(Message::Media),
            event => rare(event, text),
        },
        Err(error) => refuse(text, &error),
    }
}

/// Everything that comes once in a while.
fn rare<'a>(event: &str, text: &str) -> Result<Message<'a>, WireError> {
    match event {
        "connected" => Ok(Message::Connected),
        "start" => start(read(text)?).map(Message::Start),
        "dtmf" => dtmf(read(text)?).map(Message::Dtmf),
        "mark" => Ok(Message::Mark),
        // An end is believed even without its particulars.
        "stop" => Ok(Message::Stop),
        _ => Ok(Message::Unknown),
    }
}

/// A message with its audio, which nearly all have. An internally tagged enum would copy each
/// message before reading it, at twice the time; the members of the few other events are read by a
/// second pass, so that they are of no account where they do not belong.
#[derive(serde::Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    event: Text<'a>,
    #[serde(borrow)]
    media: Option<WireMedia<'a>>,
}

#[derive(serde::Deserialize)]
struct WireMedia<'a> {
    #[serde(borrow)]
    track: Option<Text<'a>>,
    timestamp: Option<Decimal>,
    #[serde(borrow)]
    payload: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
struct StartMessage<'a> {
    #[serde(borrow, rename = "streamSid")]
    stream: Option<Text<'a>>,
    #[serde(borrow)]
    start: Option<WireStart<'a>>,
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
    #[serde(borrow)]
    media_format: Option<WireFormat<'a>>,
    custom_parameters: Option<Value>,
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
struct DtmfMessage {
    dtmf: Option<WireDtmf>,
}

#[derive(serde::Deserialize)]
struct WireDtmf {
    digit: Option<Value>,
}

/// A refused message of an event other than `media` is read without audio: tomorrow's events may
/// reuse today's members with other types.
fn refuse<'a>(text: &str, error: &serde_json::Error) -> Result<Message<'a>, WireError> {
    #[derive(serde::Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        event: Text<'a>,
    }

    let Event { event } = read(text)?;
    match event.0.as_ref() {
        "media" => Err(refusal(error)),
        event => rare(event, text),
    }
}

fn read<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, WireError> {
    serde_json::from_str(text).map_err(|error| refusal(&error))
}

fn refusal(error: &serde_json::Error) -> WireError {
    let column = error.column();
    match error.classify() {
        serde_json::error::Category::Data => WireError::Shape { column },
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => WireError::NotJson { column },
    }
}

fn media(wire: Option<WireMedia<'_>>) -> Result<Media<'_>, WireError> {
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
        payload: Pii::new(payload.0),
    })
}

fn start(message: StartMessage<'_>) -> Result<Start, WireError> {
    let missing = |field| WireError::Missing {
        event: "start",
        field,
    };
    let wire = message.start.ok_or(missing("start"))?;
    let call = wire.call_sid.ok_or(missing("start.callSid"))?;
    let stream = match (wire.stream_sid, message.stream) {
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
        parameters: wire.custom_parameters.map_or_else(BTreeMap::new, named),
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

/// The parameters of the document, where there are any.
fn named(parameters: Value) -> BTreeMap<String, Pii<String>> {
    let Value::Object(parameters) = parameters else {
        return BTreeMap::new();
    };
    (parameters.into_iter())
        .map(|(name, value)| (name, Pii::new(scalar(value))))
        .collect()
}

fn dtmf(message: DtmfMessage) -> Result<Dtmf, WireError> {
    let missing = |field| WireError::Missing {
        event: "dtmf",
        field,
    };
    let wire = message.dtmf.ok_or(missing("dtmf"))?;
    let digit = scalar(wire.digit.ok_or(missing("dtmf.digit"))?);
    let mut keys = digit.chars();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(WireError::Digit);
    };
    if !is_key(key) {
        return Err(WireError::Digit);
    }
    Ok(Dtmf {
        digit: Pii::new(key),
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
