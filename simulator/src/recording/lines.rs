//! `stream.jsonl` and `pace.json`: the carrier's WebSocket messages and when each is sent.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// One message of the carrier as it was on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What the message is.
    pub kind: LineKind,
    /// The text of the WebSocket message, unchanged.
    pub raw: String,
    /// How long after the recording's start the message falls due, at speed 1. A replacement socket
    /// opens when its predecessor's last message was due.
    pub due: Duration,
    /// Nothing is sent for this long before the message, at speed 1; what fell due meanwhile follows
    /// at once.
    pub stall: Duration,
}

/// The kinds of message a carrier sends on a media stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// The socket is open. A second one in a recording opens a replacement socket.
    Connected,
    /// The stream's ids, tracks and parameters.
    Start,
    /// Audio of one track, with its media time since the stream's start.
    Media {
        /// Whose audio it is.
        track: Track,
        /// `media.timestamp`, in milliseconds.
        timestamp_ms: u64,
    },
    /// A key the caller pressed. Bidirectional streams only.
    Dtmf,
    /// The echo of a mark. Bidirectional streams only.
    Mark,
    /// The stream ended.
    Stop,
    /// An event that no documentation has, which a server must ignore.
    Unknown,
}

/// Direction of audio as the carrier names it, seen from the caller's leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    /// From the caller.
    Inbound,
    /// To the caller.
    Outbound,
}

/// A line that is not a message of the carrier, with its number counted from 1.
#[derive(Debug)]
pub(super) struct BadLine {
    pub(super) number: usize,
    pub(super) what: String,
}

/// Reads the whole of `stream.jsonl`, and `pace.json` when there is one.
pub(super) fn read(stream: &str, pace: &BTreeMap<usize, Duration>) -> Result<Vec<Line>, BadLine> {
    let mut lines = Vec::new();
    let mut opened = Duration::ZERO;
    let mut due = Duration::ZERO;
    let mut started = false;
    for (index, raw) in stream.lines().enumerate() {
        let number = index + 1;
        let bad = |what: String| BadLine { number, what };
        let message: WireMessage = serde_json::from_str(raw)
            .map_err(|error| bad(format!("not a carrier message: {error}")))?;
        let kind = message.kind().map_err(bad)?;
        match kind {
            LineKind::Connected => {
                opened = due;
                started = false;
            }
            LineKind::Start if started => {
                return Err(bad("a second start without a connected".into()));
            }
            LineKind::Start => started = true,
            LineKind::Media { timestamp_ms, .. } if started => {
                due = due.max(opened + Duration::from_millis(timestamp_ms));
            }
            LineKind::Dtmf | LineKind::Mark | LineKind::Stop | LineKind::Unknown if started => {}
            LineKind::Media { .. }
            | LineKind::Dtmf
            | LineKind::Mark
            | LineKind::Stop
            | LineKind::Unknown => {
                return Err(bad("comes before the stream's start".into()));
            }
        }
        if index == 0 && kind != LineKind::Connected {
            return Err(bad("the first message must be connected".into()));
        }
        let stall = pace.get(&index).copied().unwrap_or_default();
        lines.push(Line {
            kind,
            raw: raw.to_owned(),
            due,
            stall,
        });
    }
    if lines.is_empty() {
        return Err(BadLine {
            number: 1,
            what: "the recording is empty".into(),
        });
    }
    if let Some(&beyond) = pace.keys().find(|&&line| line >= lines.len()) {
        let what = format!("pace.json stalls at line {beyond}, which does not exist");
        return Err(BadLine {
            number: lines.len(),
            what,
        });
    }
    Ok(lines)
}

/// The stream's id, of a start message.
pub(super) fn stream_sid(start: &str) -> Option<String> {
    match serde_json::from_str(start) {
        Ok(WireMessage::Start { start }) => Some(start.stream_sid),
        Ok(_) | Err(_) => None,
    }
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum WireMessage {
    Connected {},
    Start {
        start: WireStart,
    },
    Media {
        media: WireMedia,
    },
    Dtmf {},
    Mark {},
    Stop {},
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "the fields must be there; their values are replaced when played"
)]
struct WireStart {
    stream_sid: String,
    call_sid: String,
    account_sid: String,
    tracks: Vec<String>,
}

#[derive(Deserialize)]
struct WireMedia {
    track: String,
    timestamp: WireNumber,
    payload: String,
}

/// Twilio documents strings; recordings of odd streams have numbers too.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum WireNumber {
    Text(String),
    Number(u64),
}

impl WireMessage {
    fn kind(&self) -> Result<LineKind, String> {
        match self {
            Self::Connected {} => Ok(LineKind::Connected),
            Self::Start { start } if start.tracks.is_empty() => Err("start names no track".into()),
            Self::Start { .. } => Ok(LineKind::Start),
            Self::Media { media } => media.kind(),
            Self::Dtmf {} => Ok(LineKind::Dtmf),
            Self::Mark {} => Ok(LineKind::Mark),
            Self::Stop {} => Ok(LineKind::Stop),
            Self::Unknown => Ok(LineKind::Unknown),
        }
    }
}

impl WireMedia {
    fn kind(&self) -> Result<LineKind, String> {
        let track = match self.track.as_str() {
            "inbound" => Track::Inbound,
            "outbound" => Track::Outbound,
            other => return Err(format!("media.track is {other:?}, not inbound or outbound")),
        };
        let timestamp_ms = match &self.timestamp {
            WireNumber::Number(number) => *number,
            WireNumber::Text(text) => match text.parse() {
                Ok(number) => number,
                Err(_) => return Err(format!("media.timestamp is {text:?}, not milliseconds")),
            },
        };
        if let Err(error) = STANDARD.decode(&self.payload) {
            return Err(format!("media.payload is not base64: {error}"));
        }
        Ok(LineKind::Media {
            track,
            timestamp_ms,
        })
    }
}
