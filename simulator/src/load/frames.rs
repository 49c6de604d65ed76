//! Media messages rendered once and shared by all calls.
//!
//! Every frame is a finished, masked WebSocket frame (the masking key is zero, which RFC 6455 allows, so
//! masked and plain bytes are the same); only the stream's id is written into it for each call.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// Which tracks a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Tracks {
    /// Inbound and outbound: two frames every 20 ms.
    Both,
    /// Inbound only: one frame every 20 ms.
    Inbound,
}

impl Tracks {
    /// Names as in `start.tracks` and `media.track`.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Both => &["inbound", "outbound"],
            Self::Inbound => &["inbound"],
        }
    }
}

/// Bytes of mu-law in one frame: 20 ms.
pub const FRAME_AUDIO: usize = 160;
/// Frames of one track in a second.
pub const FRAMES_PER_SECOND: usize = 50;
const SID_LENGTH: usize = 34;

/// One message, ready to be written but for the stream's id.
#[derive(Debug, Clone)]
pub struct Frame {
    bytes: Vec<u8>,
    sid_at: usize,
}

impl Frame {
    /// Puts the frame into `buffer`, replacing what it held, with the id of a stream in its place.
    pub fn render(&self, stream_sid: &[u8; SID_LENGTH], buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.extend_from_slice(&self.bytes);
        buffer[self.sid_at..self.sid_at + SID_LENGTH].copy_from_slice(stream_sid);
    }
}

/// The media of a whole call.
#[derive(Debug)]
pub struct Frames {
    /// In order of sending: at each 20 ms one frame for every track.
    pub list: Vec<Frame>,
    /// Frames sent at each 20 ms.
    pub per_tick: usize,
}

impl Frames {
    /// Renders that many seconds.
    pub fn new(tracks: Tracks, seconds: usize) -> Self {
        let names = tracks.names();
        let ticks = seconds * FRAMES_PER_SECOND;
        let mut list = Vec::with_capacity(ticks * names.len());
        for tick in 0..ticks {
            for (index, track) in names.iter().enumerate() {
                let sequence = 2 + list.len();
                list.push(media_frame(sequence, track, tick, index));
            }
        }
        Self {
            list,
            per_tick: names.len(),
        }
    }
}

/// A placeholder as long as an id, which occurs nowhere else in a message.
const SID_PLACEHOLDER: &str = "MZ________________________________";

/// Field order as in Twilio's documentation (Media Streams, WebSocket messages, read 2026-11-21).
fn media_frame(sequence: usize, track: &str, tick: usize, track_index: usize) -> Frame {
    let payload = STANDARD.encode(audio(tick, track_index));
    let text = format!(
        r#"{{"event":"media","sequenceNumber":"{sequence}","streamSid":"{SID_PLACEHOLDER}","media":{{"track":"{track}","chunk":"{}","timestamp":"{}","payload":"{payload}"}}}}"#,
        tick + 1,
        tick * 20,
    );
    let bytes = text_frame(&text);
    let sid_at =
        bytes.len() - text.len() + text.find(SID_PLACEHOLDER).expect("the text above has it");
    Frame { bytes, sid_at }
}

/// Voice-like enough to keep a voice detector busy: a second of noise bursts, then half a second of quiet.
fn audio(tick: usize, track_index: usize) -> [u8; FRAME_AUDIO] {
    let speaks = tick % 75 < 50;
    std::array::from_fn(|index| {
        let sample = (tick * FRAME_AUDIO + index + track_index * 7919) as u32;
        let noise = (sample.wrapping_mul(2_654_435_761) >> 24) as u8;
        if speaks { noise } else { 0xF0 | (noise & 0x0F) }
    })
}

/// A client's text frame with a masking key of zero (RFC 6455 §5.2).
pub fn text_frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("messages of this module are short");
    let mut bytes = vec![0x81];
    if length < 126 {
        bytes.push(0x80 | length as u8);
    } else {
        bytes.push(0x80 | 126);
        bytes.extend_from_slice(&length.to_be_bytes());
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// A client's close frame with code 1000.
pub const CLOSE_FRAME: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8];

/// The two messages before the first media.
pub fn opening(
    ids: &CallIds,
    account_sid: &str,
    tracks: Tracks,
    parameters: &[(String, String)],
) -> Vec<u8> {
    let custom: serde_json::Map<String, serde_json::Value> = parameters
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let connected = json!({"event": "connected", "protocol": "Call", "version": "1.0.0"});
    let start = json!({"event": "start", "sequenceNumber": "1", "streamSid": ids.stream_sid, "start": {
        "accountSid": account_sid, "streamSid": ids.stream_sid, "callSid": ids.call_sid, "tracks": tracks.names(),
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}, "customParameters": custom}});
    let mut bytes = text_frame(&connected.to_string());
    bytes.extend(text_frame(&start.to_string()));
    bytes
}

/// The message after the last media, and the close.
pub fn closing(ids: &CallIds, account_sid: &str, frames: usize) -> Vec<u8> {
    let stop = json!({"event": "stop", "sequenceNumber": (frames + 2).to_string(), "streamSid": ids.stream_sid,
        "stop": {"accountSid": account_sid, "callSid": ids.call_sid}});
    let mut bytes = text_frame(&stop.to_string());
    bytes.extend(CLOSE_FRAME);
    bytes
}

/// The ids of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallIds {
    /// `CA` and 32 hexadecimal digits.
    pub call_sid: String,
    /// `MZ` and 32 hexadecimal digits.
    pub stream_sid: String,
}

impl CallIds {
    /// Ids that differ for every number.
    pub fn new(number: u128) -> Self {
        Self {
            call_sid: format!("CA{number:032x}"),
            stream_sid: format!("MZ{number:032x}"),
        }
    }

    /// The stream's id as bytes of fixed length.
    pub fn stream_sid_bytes(&self) -> [u8; SID_LENGTH] {
        self.stream_sid
            .as_bytes()
            .try_into()
            .expect("new makes 34 ASCII characters")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn frames_are_twilios_messages_as_the_wire_has_them() {
        let frames = Frames::new(Tracks::Both, 1);
        assert_eq!((frames.list.len(), frames.per_tick), (100, 2));
        let ids = CallIds::new(7);
        let mut buffer = Vec::new();
        frames.list[3].render(&ids.stream_sid_bytes(), &mut buffer);
        assert_eq!(buffer[..2], [0x81, 0xFE]);
        assert_eq!(
            usize::from(u16::from_be_bytes([buffer[2], buffer[3]])),
            buffer.len() - 8
        );
        let message: Value = serde_json::from_slice(&buffer[8..]).unwrap();
        assert_eq!(message["streamSid"], ids.stream_sid);
        assert_eq!(message["sequenceNumber"], "5");
        let media = &message["media"];
        assert_eq!(
            (&media["track"], &media["chunk"], &media["timestamp"]),
            (&json!("outbound"), &json!("2"), &json!("20"))
        );
        assert_eq!(
            STANDARD
                .decode(media["payload"].as_str().unwrap())
                .unwrap()
                .len(),
            FRAME_AUDIO
        );
    }

    #[test]
    fn short_frames_have_a_short_header() {
        assert_eq!(text_frame("ab"), [0x81, 0x82, 0, 0, 0, 0, b'a', b'b']);
    }

    #[test]
    fn ids_have_twilios_form() {
        let ids = CallIds::new(u128::MAX);
        assert_eq!((ids.call_sid.len(), ids.stream_sid.len()), (34, 34));
        assert!(ids.call_sid.starts_with("CA") && ids.stream_sid.starts_with("MZ"));
    }
}
