//! The messages of one stream and when each is sent: the recording in Plivo's form, then silence.
//!
//! Source: <https://plivo.com/docs/voice-agents/audio-streaming/concepts/audio-streaming-reference>,
//! read 2026-11-21.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::options::ExtraHeadersForm;
use super::stage::Stage;
use super::xml::{Codec, Stream, Tracks};
use crate::carrier::caller::AfterRecording;
use crate::carrier::lock::lock;
use crate::carrier::speed::Speed;
use crate::recording::{Line, LineKind, Track};

const FRAME: Duration = Duration::from_millis(20);
/// 20 ms of mu-law silence.
const SILENCE: [u8; 160] = [0xff; 160];

/// A message to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    pub(super) text: String,
    pub(super) is_frame: bool,
}

/// Plays the recording into one stream, from where the call is.
pub(super) struct Player<'a> {
    stage: &'a Stage,
    stream: &'a Stream,
    id: &'a str,
    extra_headers: Option<String>,
    cursor: usize,
    /// The recording's time at which the stream began.
    origin: Duration,
    opened: Instant,
    /// The calendar time at which the stream began.
    opened_at: Duration,
    last_sent: Instant,
    sequence: u64,
    chunks: [u64; 2],
    /// Media time since the stream began.
    last_media: Duration,
    silence_since: Option<Instant>,
    silent_frames: u32,
}

impl<'a> Player<'a> {
    pub(super) fn new(stage: &'a Stage, stream: &'a Stream, id: &'a str) -> Self {
        let cursor = lock(&stage.call.state).played_lines;
        let lines = stage.call.lines();
        let end = lines.last().map_or(Duration::ZERO, |line| line.due);
        let now = Instant::now();
        Self {
            stage,
            stream,
            id,
            extra_headers: written(&stream.extra_headers, stage.account.options.extra_headers),
            cursor,
            origin: lines.get(cursor).map_or(end, |line| line.due),
            opened: now,
            opened_at: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            last_sent: now,
            sequence: 0,
            chunks: [0, 0],
            last_media: Duration::ZERO,
            silence_since: None,
            silent_frames: 0,
        }
    }

    /// When something is to be sent; never when there is nothing until somebody ends the stream.
    pub(super) fn next(&self) -> Option<Instant> {
        if self.sequence == 0 {
            return Some(self.opened);
        }
        let Some(line) = self.upcoming() else {
            return match (
                self.silence_since,
                self.stage.account.options.after_recording,
            ) {
                (Some(since), AfterRecording::WaitForHandoff { .. }) => {
                    Some(since + FRAME * (self.silent_frames + 1))
                }
                (None, _) => Some(self.last_sent),
                (Some(_), AfterRecording::HangUp) => None,
            };
        };
        let speed = self.stage.account.options.speed;
        match speed {
            Speed::Max => Some(self.last_sent),
            Speed::Times(_) => {
                let due = self.opened + speed.wall(line.due.saturating_sub(self.origin));
                Some(due.max(self.last_sent + speed.wall(line.stall)))
            }
        }
    }

    /// Whether the recording is at its end.
    pub(super) fn is_played_out(&self) -> bool {
        self.silence_since.is_some()
    }

    /// The messages that are due, as [`Player::next`] said. None when the recorded message is not one
    /// that Plivo has or this stream carries.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Outgoing> {
        if self.sequence == 0 {
            return vec![self.start()];
        }
        let Some(line) = self.upcoming() else {
            return self.silence(now);
        };
        self.cursor += 1;
        self.last_sent = now;
        {
            let mut state = lock(&self.stage.call.state);
            state.played_lines = state.played_lines.max(self.cursor);
        }
        self.message(line).into_iter().collect()
    }

    /// The report that a checkpoint was reached.
    pub(super) fn played_stream(&mut self, name: &str) -> String {
        self.written("playedStream", "name", name.into())
    }

    /// The answer to `clearAudio`.
    pub(super) fn cleared_audio(&mut self) -> String {
        let sequence = self.next_sequence();
        json!({"event": "clearedAudio", "sequenceNumber": sequence, "streamId": self.id})
            .to_string()
    }

    /// The last message, if the carrier sends one. UNCONFIRMED.
    pub(super) fn stop(&mut self) -> String {
        self.written("stop", "stop", json!({"reason": "stream ended"}))
    }

    fn upcoming(&self) -> Option<&'a Line> {
        let stage = self.stage;
        stage.call.lines().get(self.cursor)
    }

    fn start(&mut self) -> Outgoing {
        let tracks = match self.stream.tracks {
            Tracks::Inbound => json!(["inbound"]),
            Tracks::Outbound => json!(["outbound"]),
            Tracks::Both => json!(["inbound", "outbound"]),
        };
        let (encoding, rate) = match self.stream.codec {
            Codec::Mulaw => ("audio/x-mulaw", 8000),
            Codec::L16At8k => ("audio/x-l16", 8000),
            Codec::L16At16k => ("audio/x-l16", 16_000),
        };
        let start = json!({
            "callId": self.stage.call.uuid.as_ref(),
            "streamId": self.id,
            "accountId": self.stage.account.options.auth_id,
            "tracks": tracks,
            "mediaFormat": {"encoding": encoding, "sampleRate": rate},
        });
        let sequence = self.next_sequence();
        let message = json!({"event": "start", "sequenceNumber": sequence, "start": start});
        self.outgoing(message, false)
    }

    fn message(&mut self, line: &Line) -> Option<Outgoing> {
        match line.kind {
            // Plivo has none of these; a socket that was replaced in the recording is not lost here.
            LineKind::Connected | LineKind::Start | LineKind::Stop | LineKind::Mark => None,
            LineKind::Media { track, .. } if self.carries(track) => {
                let payload = parse(&line.raw)["media"]["payload"].take();
                let audio = STANDARD.decode(payload.as_str().unwrap_or_default());
                let audio = audio.expect("a recording is checked when it is loaded");
                self.last_media = line.due.saturating_sub(self.origin);
                Some(self.media(track, &audio))
            }
            LineKind::Dtmf if self.stream.bidirectional => {
                let digit = parse(&line.raw)["dtmf"]["digit"].take();
                let timestamp = self.timestamp();
                let dtmf = json!({"track": "inbound", "digit": digit, "timestamp": timestamp});
                let text = self.written("dtmf", "dtmf", dtmf);
                Some(Outgoing {
                    text,
                    is_frame: false,
                })
            }
            LineKind::Unknown => {
                let event = parse(&line.raw)["event"].take();
                let event = event.as_str().unwrap_or_default().to_owned();
                let text = self.written(&event, "detail", Value::Null);
                Some(Outgoing {
                    text,
                    is_frame: false,
                })
            }
            LineKind::Media { .. } | LineKind::Dtmf => None,
        }
    }

    fn media(&mut self, track: Track, mulaw: &[u8]) -> Outgoing {
        let (name, index) = match track {
            Track::Inbound => ("inbound", 0),
            Track::Outbound => ("outbound", 1),
        };
        // UNCONFIRMED whether each track counts its chunks.
        self.chunks[index] += 1;
        let media = json!({
            "track": name,
            "timestamp": self.timestamp(),
            "chunk": self.chunks[index],
            "payload": STANDARD.encode(coded(mulaw, self.stream.codec)),
        });
        let sequence = self.next_sequence();
        let message = json!({"event": "media", "sequenceNumber": sequence, "streamId": self.id, "media": media});
        self.outgoing(message, true)
    }

    /// The next 20 ms after the recording's end, in real time whatever the speed.
    fn silence(&mut self, now: Instant) -> Vec<Outgoing> {
        if self.silence_since.is_none() {
            self.silence_since = Some(now);
            return Vec::new();
        }
        self.silent_frames += 1;
        self.last_media += FRAME;
        let carried = [Track::Inbound, Track::Outbound]
            .into_iter()
            .filter(|track| self.carries(*track));
        let carried: Vec<_> = carried.collect();
        carried
            .into_iter()
            .map(|track| self.media(track, &SILENCE))
            .collect()
    }

    fn carries(&self, track: Track) -> bool {
        match self.stream.tracks {
            Tracks::Both => true,
            Tracks::Inbound => track == Track::Inbound,
            Tracks::Outbound => track == Track::Outbound,
        }
    }

    /// Media time as Plivo writes it: milliseconds since 1970, in a string.
    fn timestamp(&self) -> String {
        (self.opened_at + self.last_media).as_millis().to_string()
    }

    fn outgoing(&self, mut message: Value, is_frame: bool) -> Outgoing {
        if let Some(headers) = &self.extra_headers {
            message["extra_headers"] = headers.as_str().into();
        }
        Outgoing {
            text: message.to_string(),
            is_frame,
        }
    }

    fn written(&mut self, event: &str, field: &str, value: Value) -> String {
        let sequence = self.next_sequence();
        let mut message = json!({"event": event, "sequenceNumber": sequence, "streamId": self.id});
        message[field] = value;
        message.to_string()
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

/// `extra_headers`. UNCONFIRMED whether a stream without any has an empty one; here it has none.
fn written(pairs: &[(String, String)], form: ExtraHeadersForm) -> Option<String> {
    if pairs.is_empty() {
        return None;
    }
    let joined = |separator: &str| {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join(separator)
    };
    Some(match form {
        ExtraHeadersForm::Semicolons => joined(";"),
        ExtraHeadersForm::Commas => joined(","),
        ExtraHeadersForm::Json => {
            let object: Map<_, _> = pairs
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().into()))
                .collect();
            Value::Object(object).to_string()
        }
    })
}

/// Recorded mu-law in the stream's coding. L16 is little-endian in Plivo's samples; its pages do not
/// say.
fn coded(mulaw: &[u8], codec: Codec) -> Vec<u8> {
    let repeats = match codec {
        Codec::Mulaw => return mulaw.to_vec(),
        Codec::L16At8k => 1,
        Codec::L16At16k => 2,
    };
    let samples = mulaw.iter().map(|&code| linear(code));
    samples
        .flat_map(|sample| std::iter::repeat_n(sample, repeats))
        .flat_map(i16::to_le_bytes)
        .collect()
}

/// One mu-law code as a 16-bit sample, by ITU-T G.711.
fn linear(code: u8) -> i16 {
    let code = !code;
    let exponent = (code >> 4) & 0x07;
    let mantissa = i16::from(code & 0x0f);
    let magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    if code & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// Reads a recorded message again.
fn parse(raw: &str) -> Value {
    serde_json::from_str(raw).expect("a recording is checked when it is loaded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mu_law_is_decoded_as_the_standard_says() {
        for (code, sample) in [
            (0xff, 0),
            (0x7f, 0),
            (0x80, 32_124),
            (0x00, -32_124),
            (0xf0, 120),
        ] {
            assert_eq!(linear(code), sample, "{code:#x}");
        }
        assert_eq!(coded(&[0x80], Codec::L16At16k), [0x7c, 0x7d, 0x7c, 0x7d]);
    }

    #[test]
    fn extra_headers_have_three_forms() {
        let pairs = [
            ("a".to_owned(), "1".to_owned()),
            ("b".to_owned(), "2".to_owned()),
        ];
        for (form, expected) in [
            (ExtraHeadersForm::Semicolons, "a=1;b=2"),
            (ExtraHeadersForm::Commas, "a=1,b=2"),
            (ExtraHeadersForm::Json, r#"{"a":"1","b":"2"}"#),
        ] {
            assert_eq!(written(&pairs, form).as_deref(), Some(expected));
        }
        assert_eq!(written(&[], ExtraHeadersForm::Json), None);
    }
}
