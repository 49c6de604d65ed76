//! The messages of one media stream and when each is sent: the recording, then silence.

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::media::StreamIdentity;
use super::stage::Stage;
use super::twiml::{Stream, TrackChoice};
use crate::carrier::caller::AfterRecording;
use crate::carrier::event::Attachment;
use crate::carrier::lock::lock;
use crate::carrier::speed::Speed;
use crate::recording::{Line, LineKind, Mode, Track};

const FRAME: Duration = Duration::from_millis(20);
/// 20 ms of mu-law silence.
const SILENCE: [u8; 160] = [0xff; 160];

/// What a stream does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Something is to be sent at this instant.
    SendAt(Instant),
    /// The recording says that the socket is lost here and replaced.
    Replace,
    /// There is nothing to send until somebody ends the stream.
    Nothing,
}

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
    attachment: Attachment,
    sid: String,
    /// The recorded stream itself, and not another of the same call: keeps the recorded ids and sockets.
    recorded: bool,
    /// Recorded media goes out as it was on the wire.
    verbatim: bool,
    queued: VecDeque<Outgoing>,
    cursor: usize,
    /// The recording's time at which this socket's stream began.
    origin: Duration,
    opened: Instant,
    last_sent: Instant,
    sequence: u64,
    chunks: [u64; 2],
    last_timestamp: Duration,
    silence_since: Option<Instant>,
    silent_frames: u32,
}

impl<'a> Player<'a> {
    pub(super) fn new(
        stage: &'a Stage,
        stream: &'a Stream,
        identity: StreamIdentity,
        attachment: Attachment,
    ) -> Self {
        let lines = stage.call.recording.lines();
        let StreamIdentity {
            sid,
            is_recorded: recorded,
        } = identity;
        let cursor = lock(&stage.call.state).played_lines;
        let verbatim = recorded
            && stage.call.recording.mode == Mode::Listen
            && attachment == Attachment::Start
            && stream.track == TrackChoice::Both;
        let origin = lines
            .get(cursor)
            .map_or_else(|| stage.call.recording.duration(), |line| line.due);
        let now = Instant::now();
        let mut player = Self {
            stage,
            stream,
            attachment,
            sid,
            recorded,
            verbatim,
            queued: VecDeque::new(),
            cursor,
            origin,
            opened: now,
            last_sent: now,
            sequence: 0,
            chunks: [0, 0],
            last_timestamp: Duration::ZERO,
            silence_since: None,
            silent_frames: 0,
        };
        if !recorded {
            player.introduce();
        }
        player
    }

    pub(super) fn sid(&self) -> &str {
        &self.sid
    }

    /// Tells the player that its socket is open, the first or a replacement.
    pub(super) fn opened(&mut self, now: Instant) {
        self.opened = now;
        self.last_sent = now;
        let lines = self.lines();
        if let Some(line) = lines.get(self.cursor) {
            self.origin = line.due;
        }
        if let Some(start) = lines
            .iter()
            .skip(self.cursor)
            .find(|line| line.kind == LineKind::Start && self.recorded)
            && let Some(sid) = parse(&start.raw)["start"]["streamSid"].as_str()
        {
            sid.clone_into(&mut self.sid);
        }
    }

    pub(super) fn next(&self) -> Next {
        if !self.queued.is_empty() {
            return Next::SendAt(self.last_sent);
        }
        let Some(line) = self.upcoming() else {
            return match (
                self.silence_since,
                self.stage.account.options.after_recording,
            ) {
                (Some(since), AfterRecording::WaitForHandoff { .. }) => {
                    Next::SendAt(since + FRAME * (self.silent_frames + 1))
                }
                (None, _) => Next::SendAt(self.last_sent),
                (Some(_), AfterRecording::HangUp) => Next::Nothing,
            };
        };
        if line.kind == LineKind::Connected && self.recorded && self.sequence > 0 {
            return Next::Replace;
        }
        let speed = self.stage.account.options.speed;
        match speed {
            Speed::Max => Next::SendAt(self.last_sent),
            Speed::Times(_) => {
                let due = self.opened + speed.wall(line.due.saturating_sub(self.origin));
                Next::SendAt(due.max(self.last_sent + speed.wall(line.stall)))
            }
        }
    }

    /// Whether the recording is at its end.
    pub(super) fn is_played_out(&self) -> bool {
        self.silence_since.is_some()
    }

    /// The messages that are due, as [`Player::next`] said. None when the recorded message is not one
    /// that this stream carries.
    pub(super) fn take(&mut self, now: Instant) -> VecDeque<Outgoing> {
        if !self.queued.is_empty() {
            return std::mem::take(&mut self.queued);
        }
        let Some(line) = self.upcoming().cloned() else {
            return self.silence(now);
        };
        self.cursor += 1;
        self.last_sent = now;
        {
            let mut state = lock(&self.stage.call.state);
            state.played_lines = state.played_lines.max(self.cursor);
        }
        self.message(&line).into_iter().collect()
    }

    /// Gets ready to play the replacement socket.
    pub(super) fn replace(&mut self) {
        self.sequence = 0;
        self.chunks = [0, 0];
        self.last_timestamp = Duration::ZERO;
    }

    /// The last message of a stream that is ended in good order.
    pub(super) fn stop(&mut self) -> String {
        let sequence = self.next_sequence();
        let (account_sid, call_sid) = (
            &self.stage.account.options.account_sid,
            &self.stage.call.sid,
        );
        let stop = json!({"accountSid": account_sid, "callSid": call_sid.as_ref()});
        json!({"event": "stop", "sequenceNumber": sequence, "streamSid": self.sid, "stop": stop})
            .to_string()
    }

    /// The echo of a mark.
    pub(super) fn mark(&mut self, name: &str) -> String {
        let sequence = self.next_sequence();
        json!({"event": "mark", "sequenceNumber": sequence, "streamSid": self.sid, "mark": {"name": name}}).to_string()
    }

    fn lines(&self) -> &'a [Line] {
        let stage = self.stage;
        stage.call.recording.lines()
    }

    /// The next recorded message. A `stop` at the very end is not one: the stream goes on until the
    /// call's document or the caller ends it.
    fn upcoming(&self) -> Option<&'a Line> {
        let lines = self.lines();
        let line = lines.get(self.cursor)?;
        let is_last = self.cursor + 1 == lines.len();
        (!(is_last && line.kind == LineKind::Stop)).then_some(line)
    }

    /// The opening messages of a stream that the recording does not have.
    fn introduce(&mut self) {
        let Some(start) = self
            .lines()
            .iter()
            .find(|line| line.kind == LineKind::Start)
        else {
            return;
        };
        let connected =
            json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}).to_string();
        self.queued.push_back(Outgoing {
            text: connected,
            is_frame: false,
        });
        let text = self.start(&start.raw);
        self.queued.push_back(Outgoing {
            text,
            is_frame: false,
        });
    }

    fn message(&mut self, line: &Line) -> Option<Outgoing> {
        let text = match line.kind {
            LineKind::Connected if self.recorded => line.raw.clone(),
            LineKind::Start if self.recorded => self.start(&line.raw),
            LineKind::Stop if self.recorded => self.stop(),
            // The carrier echoes the marks it was sent, and not those of the recorded conversation.
            LineKind::Connected | LineKind::Start | LineKind::Stop | LineKind::Mark => return None,
            LineKind::Media { track, .. } if self.carries(track) => self.media(line, track),
            LineKind::Dtmf if self.attachment == Attachment::Connect => self.renumbered(&line.raw),
            LineKind::Unknown if self.recorded => line.raw.clone(),
            LineKind::Media { .. } | LineKind::Dtmf | LineKind::Unknown => return None,
        };
        Some(Outgoing {
            text,
            is_frame: matches!(line.kind, LineKind::Media { .. }),
        })
    }

    fn start(&mut self, recorded: &str) -> String {
        let mut message = parse(recorded);
        let tracks = match self.stream.track {
            TrackChoice::Inbound => json!(["inbound"]),
            TrackChoice::Outbound => json!(["outbound"]),
            TrackChoice::Both => json!(["inbound", "outbound"]),
        };
        let parameters = self
            .stream
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()));
        message["sequenceNumber"] = self.next_sequence().into();
        message["streamSid"] = self.sid.as_str().into();
        message["start"]["streamSid"] = self.sid.as_str().into();
        message["start"]["accountSid"] = self.stage.account.options.account_sid.as_str().into();
        message["start"]["callSid"] = self.stage.call.sid.as_ref().into();
        message["start"]["tracks"] = tracks;
        message["start"]["customParameters"] = Value::Object(parameters.collect());
        message.to_string()
    }

    fn media(&mut self, line: &Line, track: Track) -> String {
        self.last_timestamp = line.due.saturating_sub(self.origin);
        let chunk = self.next_chunk(track);
        if self.verbatim {
            self.sequence += 1;
            return line.raw.clone();
        }
        let mut message = parse(&line.raw);
        message["sequenceNumber"] = self.next_sequence().into();
        message["streamSid"] = self.sid.as_str().into();
        message["media"]["chunk"] = chunk.into();
        if !self.recorded {
            message["media"]["timestamp"] = self.last_timestamp.as_millis().to_string().into();
        }
        message.to_string()
    }

    fn renumbered(&mut self, raw: &str) -> String {
        let mut message = parse(raw);
        message["sequenceNumber"] = self.next_sequence().into();
        message["streamSid"] = self.sid.as_str().into();
        message.to_string()
    }

    /// The next 20 ms after the recording's end, in real time whatever the speed.
    fn silence(&mut self, now: Instant) -> VecDeque<Outgoing> {
        if self.silence_since.is_none() {
            self.silence_since = Some(now);
            return VecDeque::new();
        }
        self.silent_frames += 1;
        self.last_timestamp += FRAME;
        let mut frames = VecDeque::new();
        for (track, name) in [(Track::Inbound, "inbound"), (Track::Outbound, "outbound")] {
            if self.carries(track) {
                let media = json!({
                    "track": name,
                    "chunk": self.next_chunk(track),
                    "timestamp": self.last_timestamp.as_millis().to_string(),
                    "payload": STANDARD.encode(SILENCE),
                });
                let sequence = self.next_sequence();
                let message = json!({"event": "media", "sequenceNumber": sequence, "streamSid": self.sid, "media": media});
                frames.push_back(Outgoing {
                    text: message.to_string(),
                    is_frame: true,
                });
            }
        }
        frames
    }

    fn carries(&self, track: Track) -> bool {
        match self.stream.track {
            TrackChoice::Both => true,
            TrackChoice::Inbound => track == Track::Inbound,
            TrackChoice::Outbound => track == Track::Outbound,
        }
    }

    fn next_sequence(&mut self) -> String {
        self.sequence += 1;
        self.sequence.to_string()
    }

    fn next_chunk(&mut self, track: Track) -> String {
        let chunk = match track {
            Track::Inbound => &mut self.chunks[0],
            Track::Outbound => &mut self.chunks[1],
        };
        *chunk += 1;
        chunk.to_string()
    }
}

/// Reads a recorded message again.
fn parse(raw: &str) -> Value {
    serde_json::from_str(raw).expect("a recording is checked when it is loaded")
}
