//! Media messages rendered once and shared by all calls.
//!
//! Every frame is a finished, masked WebSocket frame (the masking key is zero, which RFC 6455 allows, so
//! masked and plain bytes are the same), but for what is a call's own: the stream's id, and at Plivo the
//! headers that every message repeats.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::carrier::{Account, Carrier, StreamElement};

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

/// What a stream's media messages have of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTag {
    /// The stream's id.
    pub stream: String,
    /// The members that end each message, with the comma before them.
    pub trailer: String,
}

impl StreamTag {
    /// The tag of a stream that was opened with these parameters.
    pub fn new(carrier: Carrier, ids: &CallIds, parameters: &[(String, String)]) -> Self {
        let headers = extra_headers(parameters);
        let trailer = match carrier {
            Carrier::Twilio => String::new(),
            Carrier::Plivo if headers.is_empty() => String::new(),
            Carrier::Plivo => format!(r#","extra_headers":{}"#, json!(headers)),
        };
        Self {
            stream: ids.stream.clone(),
            trailer,
        }
    }
}

/// One message, ready to be written but for what is the stream's own.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Up to the stream's id.
    head: String,
    /// From there to the brace that ends the message.
    body: String,
}

impl Frame {
    /// Puts the frame into `buffer`, replacing what it held.
    pub fn render(&self, tag: &StreamTag, buffer: &mut Vec<u8>) {
        let parts = [&self.head, &tag.stream, &self.body, &tag.trailer];
        buffer.clear();
        begin_text_frame(
            parts.iter().map(|part| part.len()).sum::<usize>() + 1,
            buffer,
        );
        for part in parts {
            buffer.extend_from_slice(part.as_bytes());
        }
        buffer.push(b'}');
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
    pub fn new(carrier: Carrier, tracks: Tracks, seconds: usize) -> Self {
        let names = tracks.names();
        let ticks = seconds * FRAMES_PER_SECOND;
        let mut list = Vec::with_capacity(ticks * names.len());
        for tick in 0..ticks {
            for (index, track) in names.iter().enumerate() {
                let sequence = 2 + list.len();
                list.push(media_frame(carrier, sequence, track, tick, index));
            }
        }
        Self {
            list,
            per_tick: names.len(),
        }
    }
}

/// Where Plivo's clock stands when a stream begins; handoff may look at differences only.
const EPOCH_MS: usize = 1_767_225_600_000;

/// Field order as in the documentation (Twilio's Media Streams, Plivo's audio streaming reference, both
/// read 2026-11-21).
fn media_frame(
    carrier: Carrier,
    sequence: usize,
    track: &str,
    tick: usize,
    track_index: usize,
) -> Frame {
    let payload = STANDARD.encode(audio(tick, track_index));
    let (chunk, at_ms) = (tick + 1, tick * 20);
    match carrier {
        Carrier::Twilio => Frame {
            head: format!(r#"{{"event":"media","sequenceNumber":"{sequence}","streamSid":""#),
            body: format!(
                r#"","media":{{"track":"{track}","chunk":"{chunk}","timestamp":"{at_ms}","payload":"{payload}"}}"#
            ),
        },
        Carrier::Plivo => Frame {
            head: format!(r#"{{"event":"media","sequenceNumber":{sequence},"streamId":""#),
            body: format!(
                r#"","media":{{"track":"{track}","timestamp":"{}","chunk":{chunk},"payload":"{payload}"}}"#,
                EPOCH_MS + at_ms
            ),
        },
    }
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
    let mut bytes = Vec::new();
    begin_text_frame(text.len(), &mut bytes);
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn begin_text_frame(length: usize, bytes: &mut Vec<u8>) {
    let length = u16::try_from(length).expect("messages of this module are short");
    bytes.push(0x81);
    if length < 126 {
        bytes.push(0x80 | length as u8);
    } else {
        bytes.push(0x80 | 126);
        bytes.extend_from_slice(&length.to_be_bytes());
    }
    bytes.extend_from_slice(&[0; 4]);
}

/// A client's close frame with code 1000.
pub const CLOSE_FRAME: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8];

/// What is sent before the first media.
pub fn opening(
    ids: &CallIds,
    account: &Account,
    tracks: Tracks,
    stream: &StreamElement,
) -> Vec<u8> {
    match account.carrier() {
        Carrier::Twilio => {
            let custom: serde_json::Map<String, Value> = stream
                .parameters
                .iter()
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect();
            let connected = json!({"event": "connected", "protocol": "Call", "version": "1.0.0"});
            let start = json!({"event": "start", "sequenceNumber": "1", "streamSid": ids.stream, "start": {
                "accountSid": account.id(), "streamSid": ids.stream, "callSid": ids.call, "tracks": tracks.names(),
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": custom}});
            let mut bytes = text_frame(&connected.to_string());
            bytes.extend(text_frame(&start.to_string()));
            bytes
        }
        Carrier::Plivo => {
            let mut start = json!({"event": "start", "sequenceNumber": 1, "start": {
                "callId": ids.call, "streamId": ids.stream, "accountId": account.id(), "tracks": tracks.names(),
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000}}});
            if !stream.parameters.is_empty() {
                start["extra_headers"] = json!(extra_headers(&stream.parameters));
            }
            text_frame(&start.to_string())
        }
    }
}

/// Pairs as Plivo's streaming reference writes them.
fn extra_headers(parameters: &[(String, String)]) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(";")
}

/// What is sent after the last media: at Plivo the close alone, whose reference has no `stop`.
pub fn closing(ids: &CallIds, account: &Account, frames: usize) -> Vec<u8> {
    let mut bytes = match account.carrier() {
        Carrier::Twilio => {
            let stop = json!({"event": "stop", "sequenceNumber": (frames + 2).to_string(),
                "streamSid": ids.stream, "stop": {"accountSid": account.id(), "callSid": ids.call}});
            text_frame(&stop.to_string())
        }
        Carrier::Plivo => Vec::new(),
    };
    bytes.extend(CLOSE_FRAME);
    bytes
}

/// The ids of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallIds {
    /// At Twilio `CA` and 32 hexadecimal digits, at Plivo a UUID.
    pub call: String,
    /// At Twilio `MZ` and 32 hexadecimal digits, at Plivo a UUID.
    pub stream: String,
}

impl CallIds {
    /// Ids that differ for every number.
    pub fn new(carrier: Carrier, number: u128) -> Self {
        match carrier {
            Carrier::Twilio => Self {
                call: format!("CA{number:032x}"),
                stream: format!("MZ{number:032x}"),
            },
            Carrier::Plivo => Self {
                call: uuid(number),
                stream: uuid(!number),
            },
        }
    }
}

fn uuid(number: u128) -> String {
    let digits = format!("{number:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message of the fourth frame, as it arrives on a stream with one parameter.
    fn fourth(carrier: Carrier) -> (CallIds, Value) {
        let frames = Frames::new(carrier, Tracks::Both, 1);
        assert_eq!((frames.list.len(), frames.per_tick), (100, 2));
        let ids = CallIds::new(carrier, 7);
        let parameters = [("tok".to_owned(), "t1".to_owned())];
        let mut buffer = vec![1, 2, 3];
        frames.list[3].render(&StreamTag::new(carrier, &ids, &parameters), &mut buffer);
        assert_eq!(buffer[..2], [0x81, 0xFE]);
        assert_eq!(
            usize::from(u16::from_be_bytes([buffer[2], buffer[3]])),
            buffer.len() - 8
        );
        let message: Value = serde_json::from_slice(&buffer[8..]).unwrap();
        let payload = message["media"]["payload"].as_str().unwrap();
        assert_eq!(STANDARD.decode(payload).unwrap().len(), FRAME_AUDIO);
        (ids, message)
    }

    #[test]
    fn frames_are_twilios_messages_as_the_wire_has_them() {
        let (ids, mut message) = fourth(Carrier::Twilio);
        message["media"]["payload"].take();
        let media = json!({"track": "outbound", "chunk": "2", "timestamp": "20", "payload": null});
        let expected = json!({"event": "media", "sequenceNumber": "5", "streamSid": ids.stream, "media": media});
        assert_eq!(message, expected);
    }

    #[test]
    fn frames_are_plivos_messages_as_the_wire_has_them() {
        let (ids, mut message) = fourth(Carrier::Plivo);
        message["media"]["payload"].take();
        let timestamp = (EPOCH_MS + 20).to_string();
        let media =
            json!({"track": "outbound", "chunk": 2, "timestamp": timestamp, "payload": null});
        let expected = json!({"event": "media", "sequenceNumber": 5, "streamId": ids.stream, "media": media,
            "extra_headers": "tok=t1"});
        assert_eq!(message, expected);
    }

    #[test]
    fn short_frames_have_a_short_header() {
        assert_eq!(text_frame("ab"), [0x81, 0x82, 0, 0, 0, 0, b'a', b'b']);
    }

    #[test]
    fn ids_have_the_carriers_form() {
        let ids = CallIds::new(Carrier::Twilio, u128::MAX);
        assert_eq!((ids.call.len(), ids.stream.len()), (34, 34));
        assert!(ids.call.starts_with("CA") && ids.stream.starts_with("MZ"));
        let ids = CallIds::new(Carrier::Plivo, 0x1234);
        assert_eq!(ids.call, "00000000-0000-0000-0000-000000001234");
        assert_ne!(ids.call, ids.stream);
    }
}
