//! The document of a new call: a stream, who answers beside it, and the tail that needs nobody of ours.

use super::dial::tail;
use super::element::{redirect, response};
use super::inline::InlineElements;
use crate::carrier::argument::{StreamToken, StreamUrl, WebUrl};
use crate::carrier::document::{DeadManTail, Document};
use crate::carrier::markup::Xml;

/// The answer to the answer webhook of a new call.
#[derive(Clone, Debug)]
pub struct VoiceAnswer {
    /// How we stand in the call.
    pub mode: Mode,
    /// Where the audio goes. Plivo takes 2,048 characters, a multiple of what a base and a token make.
    pub media_url: StreamUrl,
    /// What binds the stream to this answer.
    pub token: StreamToken,
    /// Where Plivo reports on the stream.
    pub stream_status_url: Option<WebUrl>,
    /// What happens if everything above ends.
    pub tail: DeadManTail,
}

/// How we stand in a call.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Hear both sides. Plivo allows one stream a call, so whoever answers the caller cannot have one
    /// of their own.
    Listen {
        /// Who answers the caller.
        then: Then,
    },
    /// Be the far end of the audio.
    Converse,
}

/// Who answers the caller while we listen.
#[derive(Clone, Debug)]
pub enum Then {
    /// The webhook of the existing bot. It replaces the document, tail included.
    Redirect(WebUrl),
    /// Elements of the operator. The tail follows if they run out.
    Document(InlineElements),
}

/// Builds an answer that lets the call go on to its voice agent without a stream, or to the human
/// where we would have been the voice agent's way in.
pub fn bypass(mode: &Mode, dead_man: &DeadManTail) -> Document {
    response(|xml| {
        match mode {
            Mode::Listen { then } => go_on(xml, then),
            Mode::Converse => {}
        }
        tail(xml, dead_man);
    })
}

/// Builds the dead-man tail alone: a human's phone rings, with no URL of ours in it.
pub fn dead_man(dead_man: &DeadManTail) -> Document {
    response(|xml| tail(xml, dead_man))
}

/// Builds the answer to an answer webhook. The same answer gives the same document.
pub fn voice_answer(answer: &VoiceAnswer) -> Document {
    response(|xml| {
        match &answer.mode {
            Mode::Listen { then } => {
                stream(xml, answer, LISTEN);
                go_on(xml, then);
            }
            Mode::Converse => stream(xml, answer, CONVERSE),
        }
        tail(xml, &answer.tail);
    })
}

/// What of a `<Stream>` depends on the mode, in the order `bidirectional`, `audioTrack`, `keepCallAlive`.
type StreamKind = [(&'static str, &'static str); 3];

/// The elements after the stream run at once, and the stream lasts as long as the call.
const LISTEN: StreamKind = [
    ("bidirectional", "false"),
    ("audioTrack", "both"),
    ("keepCallAlive", "false"),
];

/// The elements after the stream run when it ends. Both tracks are for one-way streams.
const CONVERSE: StreamKind = [
    ("bidirectional", "true"),
    ("audioTrack", "inbound"),
    ("keepCallAlive", "true"),
];

fn stream(xml: &mut Xml, answer: &VoiceAnswer, kind: StreamKind) {
    // One pair, because the pages disagree on what separates two.
    let token = format!("{}={}", StreamToken::PARAMETER, answer.token.expose());
    let status = answer.stream_status_url.iter().flat_map(|url| {
        [
            ("statusCallbackUrl", url.as_str()),
            ("statusCallbackMethod", "POST"),
        ]
    });
    // The pages disagree on the default of the format, so it is always told.
    let attributes = kind
        .into_iter()
        .chain([
            ("contentType", "audio/x-mulaw;rate=8000"),
            ("extraHeaders", token.as_str()),
        ])
        .chain(status);
    xml.element("Stream", attributes, |xml| {
        xml.text(answer.media_url.as_str());
    });
}

fn go_on(xml: &mut Xml, then: &Then) {
    match then {
        Then::Redirect(url) => redirect(xml, url),
        Then::Document(elements) => elements.write(xml),
    }
}
