//! What a server may send on a bidirectional stream, and what it does to the queue it is played from.
//!
//! Source: <https://www.twilio.com/docs/voice/media-streams/websocket-messages>, read 2026-11-21.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::time::Instant;

use crate::carrier::play_queue::{Overflow, PlayQueue};

/// Twilio drops what is queued beyond this, with warning 31931.
pub(super) const LONGEST_QUEUE: Duration = Duration::from_secs(600);
const BYTES_PER_MILLISECOND: usize = 8;

/// A message of the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ServerMessage {
    /// Audio to play to the caller, in bytes of mu-law.
    Media { bytes: usize },
    /// To be echoed when everything before it was played.
    Mark { name: String },
    /// Forget what is queued.
    Clear,
}

/// Reads a message of the server for the stream with this id.
///
/// # Errors
///
/// A sentence that says which rule the message breaks.
pub(super) fn read(text: &str, stream_sid: &str) -> Result<ServerMessage, String> {
    let message: Value = serde_json::from_str(text)
        .map_err(|error| format!("a message is not JSON: {error} (31950)"))?;
    let event = message["event"]
        .as_str()
        .ok_or("a message has no event (31951)")?;
    let allowed: &[&str] = match event {
        "media" => &["event", "streamSid", "media"],
        "mark" => &["event", "streamSid", "mark"],
        "clear" => &["event", "streamSid"],
        other => {
            return Err(format!(
                "{other:?} is no event that a server may send (31951)"
            ));
        }
    };
    only_fields(&message, event, allowed)?;
    match message["streamSid"].as_str() {
        Some(sid) if sid == stream_sid => {}
        Some(sid) => {
            return Err(format!(
                "{event} names stream {sid:?}, and this is {stream_sid} (31951)"
            ));
        }
        None => return Err(format!("{event} has no streamSid (31951)")),
    }
    match event {
        "media" => media(&message["media"]),
        "mark" => {
            only_fields(&message["mark"], "mark", &["name"])?;
            match message["mark"]["name"].as_str() {
                Some(name) if !name.is_empty() => Ok(ServerMessage::Mark {
                    name: name.to_owned(),
                }),
                Some(_) | None => Err("a mark has no name (31951)".into()),
            }
        }
        _ => Ok(ServerMessage::Clear),
    }
}

fn media(media: &Value) -> Result<ServerMessage, String> {
    only_fields(media, "media", &["payload"])?;
    let payload = media["payload"]
        .as_str()
        .ok_or("a media message has no payload (31951)")?;
    let audio = STANDARD
        .decode(payload)
        .map_err(|error| format!("a media payload is not base64: {error} (31951)"))?;
    if audio.is_empty() {
        return Err("a media payload is empty (31951)".into());
    }
    if audio.starts_with(b"RIFF") {
        return Err("a media payload begins with a file header; Twilio plays it as noise".into());
    }
    Ok(ServerMessage::Media { bytes: audio.len() })
}

fn only_fields(object: &Value, what: &str, allowed: &[&str]) -> Result<(), String> {
    let Some(fields) = object.as_object() else {
        return Err(format!("{what} is not an object (31951)"));
    };
    match fields
        .keys()
        .find(|field| !allowed.contains(&field.as_str()))
    {
        Some(unknown) => Err(format!("{what} has an unknown field {unknown:?} (31951)")),
        None => Ok(()),
    }
}

/// Puts a message of the server on the queue.
///
/// # Errors
///
/// When more than ten minutes are queued.
pub(super) fn enqueue(
    queue: &mut PlayQueue,
    message: ServerMessage,
    now: Instant,
) -> Result<(), String> {
    match message {
        ServerMessage::Media { bytes } => {
            let milliseconds = u64::try_from(bytes / BYTES_PER_MILLISECOND).unwrap_or(u64::MAX);
            let length = Duration::from_millis(milliseconds);
            return queue.play(length, now).map_err(|Overflow| {
                "more than ten minutes of audio are queued; Twilio drops the rest (31931)".into()
            });
        }
        ServerMessage::Mark { name } => queue.mark(name, now),
        ServerMessage::Clear => queue.clear(now),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carrier::speed::Speed;

    const SID: &str = "MZ00000000000000000000000000000001";

    #[track_caller]
    fn check(text: &str, expected: Result<ServerMessage, &str>) {
        match (read(&text.replace("SID", SID), SID), expected) {
            (Err(fault), Err(part)) => assert!(fault.contains(part), "{fault}"),
            (read, expected) => assert_eq!(read, expected.map_err(str::to_owned)),
        }
    }

    #[test]
    fn the_three_messages_of_a_server_are_read() {
        check(
            r#"{"event":"media","streamSid":"SID","media":{"payload":"f39/fw=="}}"#,
            Ok(ServerMessage::Media { bytes: 4 }),
        );
        check(
            r#"{"event":"mark","streamSid":"SID","mark":{"name":"m1"}}"#,
            Ok(ServerMessage::Mark { name: "m1".into() }),
        );
        check(
            r#"{"event":"clear","streamSid":"SID"}"#,
            Ok(ServerMessage::Clear),
        );
    }

    #[test]
    fn messages_of_another_shape_are_violations() {
        check("hello", Err("31950"));
        check(
            r#"{"event":"start","streamSid":"SID"}"#,
            Err("no event that a server may send"),
        );
        check(r#"{"event":"clear"}"#, Err("no streamSid"));
        check(
            r#"{"event":"clear","streamSid":"MZ2"}"#,
            Err("names stream"),
        );
        check(
            r#"{"event":"clear","streamSid":"SID","now":true}"#,
            Err("unknown field"),
        );
        check(
            r#"{"event":"mark","streamSid":"SID","mark":{}}"#,
            Err("no name"),
        );
        check(
            r#"{"event":"media","streamSid":"SID","media":{"payload":"f39/f"}}"#,
            Err("not base64"),
        );
        check(
            r#"{"event":"media","streamSid":"SID","media":{"payload":""}}"#,
            Err("empty"),
        );
        check(
            r#"{"event":"media","streamSid":"SID","media":{"payload":"UklGRgAA"}}"#,
            Err("file header"),
        );
        check(
            r#"{"event":"media","streamSid":"SID","media":{"payload":"f39/fw==","track":"inbound"}}"#,
            Err("unknown field"),
        );
    }

    #[test]
    fn a_mark_is_due_when_the_audio_before_it_was_played_or_cleared() {
        let now = Instant::now();
        let mut queue = PlayQueue::new(Speed::Times(2.0), LONGEST_QUEUE, now);
        enqueue(
            &mut queue,
            ServerMessage::Mark {
                name: "idle".into(),
            },
            now,
        )
        .unwrap();
        assert_eq!(
            (queue.next_due(), queue.take_mark().as_deref()),
            (Some(now), Some("idle"))
        );

        enqueue(&mut queue, ServerMessage::Media { bytes: 8000 }, now).unwrap();
        enqueue(
            &mut queue,
            ServerMessage::Mark {
                name: "after".into(),
            },
            now,
        )
        .unwrap();
        assert_eq!(queue.next_due(), Some(now + Duration::from_millis(500)));

        enqueue(&mut queue, ServerMessage::Clear, now).unwrap();
        assert_eq!(queue.next_due(), Some(now));
    }

    #[test]
    fn more_than_ten_minutes_of_audio_is_a_violation() {
        let now = Instant::now();
        let mut queue = PlayQueue::new(Speed::Times(1.0), LONGEST_QUEUE, now);
        enqueue(&mut queue, ServerMessage::Media { bytes: 8000 * 600 }, now).unwrap();
        assert!(
            enqueue(&mut queue, ServerMessage::Media { bytes: 8000 }, now)
                .unwrap_err()
                .contains("31931")
        );
    }
}
