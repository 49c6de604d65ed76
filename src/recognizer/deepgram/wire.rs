//! The messages of a live transcription, both ways, as Deepgram's AsyncAPI document and its pages
//! `interim-results`, `utterance-end`, `finalize`, `close-stream` and `audio-keep-alive` describe
//! them (read 2026-11-21).
//!
//! The schema marks most members of a result as optional and the server adds members and message
//! types over time, so parsing asks for as little as it can.

use handoff_core::pii::Pii;
use serde::Deserialize;
use thiserror::Error;

use super::segments::ConnectionTime;

/// What is said to Deepgram besides audio. All are text frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    /// Holds the connection open for ten more seconds without audio.
    KeepAlive,
    /// Asks for final results for all audio so far.
    Finalize,
    /// Asks for the remaining results and then for the end.
    CloseStream,
}

impl Control {
    pub(super) const fn as_json(self) -> &'static str {
        match self {
            Self::KeepAlive => r#"{"type":"KeepAlive"}"#,
            Self::Finalize => r#"{"type":"Finalize"}"#,
            Self::CloseStream => r#"{"type":"CloseStream"}"#,
        }
    }
}

/// What Deepgram says.
#[derive(Debug, PartialEq)]
pub(super) enum ServerMessage {
    /// Words, or the news that there were none.
    Results(Results),
    /// A gap between words was long enough to end the utterance. Deepgram gives -1 where it knows
    /// no last word: `None`.
    UtteranceEnd {
        last_word_end: Option<ConnectionTime>,
    },
    /// Voice began. Its time does not match the first word's.
    SpeechStarted,
    /// The goodbye after [`Control::CloseStream`].
    Metadata,
    /// Something went wrong there; the text is not kept.
    Error,
    /// A type that this version does not know.
    Unknown,
}

/// One guess about `[start, end)` of the connection's audio.
#[derive(Debug, PartialEq)]
pub(super) struct Results {
    pub(super) start: ConnectionTime,
    pub(super) end: ConnectionTime,
    /// The best alternative, without surrounding space; empty where nothing was said.
    pub(super) transcript: Pii<String>,
    /// 0..=1.
    pub(super) confidence: f32,
    pub(super) is_final: bool,
    /// Whether an endpoint was reached.
    pub(super) speech_final: bool,
}

/// A text frame that is not JSON, has no type, or lacks what its type needs.
///
/// The parser's own error is not kept: it can quote the text.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("malformed message")]
pub(super) struct Malformed;

/// Reads one text frame.
///
/// # Errors
/// [`Malformed`]: the frame is to be ignored and counted, the connection goes on.
pub(super) fn parse(text: &str) -> Result<ServerMessage, Malformed> {
    let WireKind { kind } = read(text)?;
    Ok(match kind.as_str() {
        "Results" => ServerMessage::Results(read::<WireResults>(text)?.into()),
        "UtteranceEnd" => {
            let seconds = read::<WireUtteranceEnd>(text)?.last_word_end;
            let last_word_end = seconds
                .filter(|end| *end >= 0.0)
                .map(ConnectionTime::from_seconds);
            ServerMessage::UtteranceEnd { last_word_end }
        }
        "SpeechStarted" => ServerMessage::SpeechStarted,
        "Metadata" => ServerMessage::Metadata,
        "Error" => ServerMessage::Error,
        _ => ServerMessage::Unknown,
    })
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|_| Malformed)
}

#[derive(Deserialize)]
struct WireKind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct WireResults {
    start: f64,
    duration: f64,
    is_final: Option<bool>,
    speech_final: Option<bool>,
    channel: WireChannel,
}

#[derive(Deserialize)]
struct WireChannel {
    #[serde(default)]
    alternatives: Vec<WireAlternative>,
}

#[derive(Deserialize)]
struct WireAlternative {
    transcript: Option<String>,
    confidence: Option<f32>,
}

#[derive(Deserialize)]
struct WireUtteranceEnd {
    last_word_end: Option<f64>,
}

impl From<WireResults> for Results {
    fn from(wire: WireResults) -> Self {
        let best = wire.channel.alternatives.into_iter().next();
        let (transcript, confidence) = match best {
            Some(best) => (
                best.transcript.unwrap_or_default(),
                best.confidence.unwrap_or(0.0),
            ),
            None => (String::new(), 0.0),
        };
        let speech_final = wire.speech_final == Some(true);
        Self {
            start: ConnectionTime::from_seconds(wire.start),
            end: ConnectionTime::from_seconds(wire.start + wire.duration.max(0.0)),
            transcript: Pii::new(transcript.trim().to_owned()),
            confidence: confidence.clamp(0.0, 1.0),
            // The page `understand-endpointing-interim-results`: speech_final implies is_final.
            is_final: wire.is_final == Some(true) || speech_final,
            speech_final,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"{"type":"Results","channel_index":[0,1],"start":12.34,"duration":1.5,
        "is_final":true,"speech_final":true,"from_finalize":false,"channel":{"alternatives":[
        {"transcript":"I want a refund.","confidence":0.98,"words":[{"word":"i",
        "punctuated_word":"I","start":12.4,"end":12.5,"confidence":0.99,"speaker":0}]}]},
        "metadata":{"request_id":"6f0c","model_info":{"name":"general-nova-3","version":"2025",
        "arch":"nova-3"},"model_uuid":"u"},"entities":[{"label":"ORDER","value":"4471",
        "raw_value":"four four seven one","confidence":0.9,"start_word":3,"end_word":4}]}"#;

    fn results(text: &str) -> Results {
        match parse(text) {
            Ok(ServerMessage::Results(results)) => results,
            other => panic!("no results but {other:?}"),
        }
    }

    #[test]
    fn controls_are_as_documented() {
        let shown = [Control::KeepAlive, Control::Finalize, Control::CloseStream]
            .map(|control| serde_json::from_str::<serde_json::Value>(control.as_json()).unwrap());
        assert_eq!(shown[0], serde_json::json!({"type": "KeepAlive"}));
        assert_eq!(shown[1], serde_json::json!({"type": "Finalize"}));
        assert_eq!(shown[2], serde_json::json!({"type": "CloseStream"}));
    }

    #[test]
    fn a_full_result_is_read() {
        let results = results(FULL);
        assert_eq!(results.start, ConnectionTime(98_720));
        assert_eq!(results.end, ConnectionTime(110_720));
        assert_eq!(results.transcript.expose(), "I want a refund.");
        assert_eq!(results.confidence, 0.98);
        assert!(results.is_final && results.speech_final);
    }

    #[test]
    fn what_the_schema_makes_optional_may_be_missing() {
        let bare = results(r#"{"type":"Results","start":1,"duration":1,"channel":{}}"#);
        assert_eq!(bare.transcript.expose(), "");
        assert!(!bare.is_final && !bare.speech_final);
        let null = results(
            r#"{"type":"Results","start":0,"duration":1,"is_final":null,"speech_final":null,
                "channel":{"alternatives":[{"transcript":" hm ","confidence":null}]}}"#,
        );
        assert_eq!(
            (null.transcript.expose().as_str(), null.confidence),
            ("hm", 0.0)
        );
    }

    #[test]
    fn an_endpoint_is_final_and_odd_numbers_are_bounded() {
        let odd = results(
            r#"{"type":"Results","start":-3,"duration":-1,"speech_final":true,
                "channel":{"alternatives":[{"transcript":"x","confidence":7.5}]}}"#,
        );
        assert!(odd.is_final);
        assert_eq!((odd.start, odd.end), (ConnectionTime(0), ConnectionTime(0)));
        assert_eq!(odd.confidence, 1.0);
    }

    #[test]
    fn the_other_messages_are_told_apart() {
        let utterance_end = |last_word_end| Ok(ServerMessage::UtteranceEnd { last_word_end });
        for (text, expected) in [
            (
                r#"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.395}"#,
                utterance_end(Some(ConnectionTime(19_160))),
            ),
            (
                r#"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":-1}"#,
                utterance_end(None),
            ),
            (r#"{"type":"UtteranceEnd"}"#, utterance_end(None)),
            (
                r#"{"type":"SpeechStarted","channel":[0,1],"timestamp":9.54}"#,
                Ok(ServerMessage::SpeechStarted),
            ),
            (
                r#"{"type":"Metadata","transaction_key":"deprecated","request_id":"r","sha256":"",
                    "created":"2026-11-21T00:00:00Z","duration":1.0,"channels":1}"#,
                Ok(ServerMessage::Metadata),
            ),
            (
                r#"{"type":"Error","description":"d","message":"m","variant":"v"}"#,
                Ok(ServerMessage::Error),
            ),
            (r#"{"type":"ConfigureSuccess"}"#, Ok(ServerMessage::Unknown)),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn bad_messages_are_malformed_and_quote_nothing() {
        for text in [
            "",
            "hello",
            "[]",
            "{}",
            r#"{"type":7}"#,
            r#"{"type":"Results"}"#,
            r#"{"type":"Results","start":"0","duration":1,"channel":{}}"#,
            r#"{"type":"Results","start":0,"duration":1,"channel":[0,1]}"#,
            r#"{"type":"Results","start":0,"duration":1,"channel":{"alternatives":"secret"}}"#,
            &FULL[..FULL.len() - 1],
        ] {
            assert_eq!(parse(text), Err(Malformed), "{text}");
        }
        assert_eq!(
            format!("{Malformed} {Malformed:?}"),
            "malformed message Malformed"
        );
    }
}
