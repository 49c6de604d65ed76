//! What a server may send on a bidirectional stream, and what it does to the queue it is played from.
//!
//! Source: <https://plivo.com/docs/voice-agents/audio-streaming/concepts/audio-streaming-reference>,
//! read 2026-11-21.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::xml::Codec;

/// Plivo keeps this much audio. UNCONFIRMED: 40 s by one page and 60 s by another.
pub(super) const LONGEST_QUEUE: Duration = Duration::from_secs(40);
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
const MAX_PAYLOAD_BYTES: usize = 16 * 1024;

/// A message of the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ServerMessage {
    /// Audio to play to the caller, so long.
    PlayAudio { length: Duration },
    /// To be reported when everything before it was played.
    Checkpoint { name: String },
    /// Forget what is queued.
    ClearAudio,
    /// Keys to send to the caller's side.
    SendDtmf,
}

/// Reads a message of the server for the stream with this id.
///
/// # Errors
///
/// A sentence that says which rule the message breaks.
pub(super) fn read(text: &str, stream_id: &str, codec: Codec) -> Result<ServerMessage, String> {
    if text.len() > MAX_MESSAGE_BYTES {
        return Err(format!(
            "a message has {} bytes; Plivo takes 64 KB",
            text.len()
        ));
    }
    let message: Value =
        serde_json::from_str(text).map_err(|error| format!("a message is not JSON: {error}"))?;
    let event = message["event"].as_str().ok_or("a message has no event")?;
    match event {
        "playAudio" => {
            only_fields(&message, event, &["event", "media"])?;
            play_audio(&message["media"], codec)
        }
        "checkpoint" => {
            only_fields(&message, event, &["event", "streamId", "name"])?;
            names_stream(&message, event, stream_id)?;
            match message["name"].as_str() {
                Some(name) if !name.is_empty() => Ok(ServerMessage::Checkpoint {
                    name: name.to_owned(),
                }),
                Some(_) | None => Err("a checkpoint has no name".into()),
            }
        }
        "clearAudio" => {
            only_fields(&message, event, &["event", "streamId"])?;
            names_stream(&message, event, stream_id)?;
            Ok(ServerMessage::ClearAudio)
        }
        "sendDTMF" => {
            only_fields(&message, event, &["event", "dtmf"])?;
            let digits = message["dtmf"].as_str().unwrap_or_default();
            let is_key = |digit: char| digit.is_ascii_digit() || "*#ABCD".contains(digit);
            if digits.is_empty() || !digits.chars().all(is_key) {
                return Err("sendDTMF has no keys of a telephone".into());
            }
            Ok(ServerMessage::SendDtmf)
        }
        other => Err(format!("{other:?} is no event that a server may send")),
    }
}

fn play_audio(media: &Value, codec: Codec) -> Result<ServerMessage, String> {
    only_fields(media, "media", &["contentType", "sampleRate", "payload"])?;
    let (content_type, rate, bytes_per_millisecond) = match codec {
        Codec::Mulaw => ("audio/x-mulaw", 8000, 8),
        Codec::L16At8k => ("audio/x-l16", 8000, 16),
        Codec::L16At16k => ("audio/x-l16", 16_000, 32),
    };
    if media["contentType"] != content_type {
        return Err(format!(
            "playAudio has contentType {}, and the stream is {content_type:?} without a rate",
            media["contentType"]
        ));
    }
    if media["sampleRate"] != rate {
        return Err(format!(
            "playAudio has sampleRate {}, not the number {rate}",
            media["sampleRate"]
        ));
    }
    let payload = media["payload"]
        .as_str()
        .ok_or("playAudio has no payload")?;
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(format!(
            "playAudio has {} bytes of base64; Plivo takes 16 KB",
            payload.len()
        ));
    }
    let audio = STANDARD
        .decode(payload)
        .map_err(|error| format!("the payload of playAudio is not base64: {error}"))?;
    if audio.is_empty() {
        return Err("the payload of playAudio is empty".into());
    }
    if audio.starts_with(b"RIFF") {
        return Err("the payload of playAudio begins with a file header".into());
    }
    let milliseconds = u64::try_from(audio.len() / bytes_per_millisecond).unwrap_or(u64::MAX);
    Ok(ServerMessage::PlayAudio {
        length: Duration::from_millis(milliseconds),
    })
}

fn names_stream(message: &Value, event: &str, stream_id: &str) -> Result<(), String> {
    match message["streamId"].as_str() {
        Some(id) if id == stream_id => Ok(()),
        Some(id) => Err(format!(
            "{event} names stream {id:?}, and this is {stream_id}"
        )),
        None => Err(format!("{event} has no streamId")),
    }
}

fn only_fields(object: &Value, what: &str, allowed: &[&str]) -> Result<(), String> {
    let Some(fields) = object.as_object() else {
        return Err(format!("{what} is not an object"));
    };
    match fields
        .keys()
        .find(|field| !allowed.contains(&field.as_str()))
    {
        Some(unknown) => Err(format!("{what} has an unknown field {unknown:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<ServerMessage, &str>) {
        match (read(text, "s-1", Codec::Mulaw), expected) {
            (Err(fault), Err(part)) => assert!(fault.contains(part), "{fault}"),
            (read, expected) => assert_eq!(read, expected.map_err(str::to_owned)),
        }
    }

    #[track_caller]
    fn check_media(media: &str, expected: Result<ServerMessage, &str>) {
        check(
            &format!(r#"{{"event":"playAudio","media":{media}}}"#),
            expected,
        );
    }

    #[test]
    fn the_messages_of_a_server_are_read() {
        let audio = STANDARD.encode([0xff; 160]);
        check_media(
            &format!(r#"{{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":"{audio}"}}"#),
            Ok(ServerMessage::PlayAudio {
                length: Duration::from_millis(20),
            }),
        );
        check(
            r#"{"event":"checkpoint","streamId":"s-1","name":"c1"}"#,
            Ok(ServerMessage::Checkpoint { name: "c1".into() }),
        );
        check(
            r#"{"event":"clearAudio","streamId":"s-1"}"#,
            Ok(ServerMessage::ClearAudio),
        );
        check(
            r#"{"event":"sendDTMF","dtmf":"12#"}"#,
            Ok(ServerMessage::SendDtmf),
        );
    }

    #[test]
    fn messages_of_another_shape_are_violations() {
        for (text, part) in [
            ("hello", "not JSON"),
            (r#"{"media":{}}"#, "no event"),
            (
                r#"{"event":"media","streamId":"s-1"}"#,
                "no event that a server",
            ),
            (r#"{"event":"clearAudio"}"#, "no streamId"),
            (r#"{"event":"clearAudio","streamId":"s-2"}"#, "names stream"),
            (
                r#"{"event":"clearAudio","streamSid":"s-1"}"#,
                "unknown field",
            ),
            (r#"{"event":"checkpoint","streamId":"s-1"}"#, "no name"),
            (r#"{"event":"sendDTMF","dtmf":"hello"}"#, "no keys"),
            (r#"{"event":"playAudio"}"#, "not an object"),
        ] {
            check(text, Err(part));
        }
        check(&" ".repeat(MAX_MESSAGE_BYTES + 1), Err("64 KB"));
    }

    #[test]
    fn audio_of_another_form_is_a_violation() {
        let with = |content_type: &str, rate: &str, payload: &str| {
            format!(
                r#"{{"contentType":"{content_type}","sampleRate":{rate},"payload":"{payload}"}}"#
            )
        };
        let long = STANDARD.encode(vec![0xff; MAX_PAYLOAD_BYTES]);
        for (media, part) in [
            (
                with("audio/x-mulaw;rate=8000", "8000", "f39/fw=="),
                "without a rate",
            ),
            (with("audio/x-l16", "8000", "f39/fw=="), "without a rate"),
            (
                with("audio/x-mulaw", "\"8000\"", "f39/fw=="),
                "not the number",
            ),
            (with("audio/x-mulaw", "16000", "f39/fw=="), "not the number"),
            (with("audio/x-mulaw", "8000", "f39/f"), "not base64"),
            (with("audio/x-mulaw", "8000", ""), "empty"),
            (with("audio/x-mulaw", "8000", "UklGRgAA"), "file header"),
            (with("audio/x-mulaw", "8000", &long), "16 KB"),
        ] {
            check_media(&media, Err(part));
        }
        let payload = r#"{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":"f38=","track":"inbound"}"#;
        check_media(payload, Err("unknown field"));
    }
}
