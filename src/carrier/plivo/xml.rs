//! The documents that tell Plivo what to do with a call.
//!
//! Every document that starts a stream ends with the *dead-man tail*: a `<Dial>` of a human, then an
//! apology and the end, with no URL of ours in it. Whatever dies on our side, the carrier itself still
//! rings somebody. The shapes are in `golden/*.xml`, one file a document.
//!
//! An element or attribute that Plivo does not know ends the call (hangup code 8011), so there is none
//! here that its pages and its Python library do not both name. A document may have 100 kB: texts have
//! limits that keep ours below (test `the_longest_documents_are_taken`).
//!
//! Sources: <https://www.plivo.com/docs/voice/xml/>, the streaming reference and guide named in
//! [`super::wire`], and `plivo` 4.63.0 for Python, read 2026-11-21.

use crate::carrier::argument::{Spoken, StreamToken, StreamUrl, Voice, WebUrl};
use crate::carrier::markup::{self, INLINE_LIMIT_BYTES, Xml};
use crate::carrier::number::E164;

pub use crate::carrier::document::{DeadManTail, Document, Handoff};
pub use crate::carrier::markup::InlineVerbsError;

/// The longest document that Plivo takes.
pub const LIMIT_BYTES: usize = 100_000;

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

/// Elements that an operator wrote to go between `<Stream>` and the dead-man tail, without `<Response>`
/// around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineElements(String);

/// The elements that may stand directly in a `<Response>`, but for `<Stream>`: the one stream of the call is
/// ours.
const ELEMENTS: [&str; 14] = [
    "Conference",
    "DTMF",
    "Dial",
    "GetDigits",
    "GetInput",
    "Hangup",
    "Message",
    "MultiPartyCall",
    "Play",
    "PreAnswer",
    "Record",
    "Redirect",
    "Speak",
    "Wait",
];

/// Why an operator's elements are refused. Found by `check`, before any call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InlineElementsError {
    /// It is no text of elements that Plivo knows.
    #[error(transparent)]
    Markup(#[from] InlineVerbsError),
    /// A bot that streams itself cannot be listened to: we have to be its way in.
    #[error("<Stream> would be the call's second stream, and Plivo allows one: use converse mode")]
    SecondStream,
}

impl InlineElements {
    /// The longest text that is accepted.
    pub const LIMIT_BYTES: usize = INLINE_LIMIT_BYTES;

    /// Checks that a text is well-formed and made of elements. Attributes and what is inside of them are
    /// the operator's.
    ///
    /// # Errors
    ///
    /// [`InlineElementsError`] with the place.
    pub fn new(xml: &str) -> Result<Self, InlineElementsError> {
        match markup::checked(xml, &ELEMENTS) {
            Ok(checked) => Ok(Self(checked)),
            Err(InlineVerbsError::UnknownVerb(name)) if name == "Stream" => {
                Err(InlineElementsError::SecondStream)
            }
            Err(error) => Err(error.into()),
        }
    }
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

/// Builds the document that rings the human. Nothing follows the `<Dial>`: its action URL decides.
pub fn handoff_document(handoff: &Handoff) -> Document {
    response(|xml| {
        speak(xml, &handoff.announcement, &handoff.voice);
        let ring = handoff.ring.get().to_string();
        let attributes = dial_attributes(&ring, handoff.caller_id.as_ref()).chain([
            ("action", handoff.after_dial_url.as_str()),
            ("method", "POST"),
            ("redirect", "true"),
            ("callbackUrl", handoff.leg_status_url.as_str()),
            ("callbackMethod", "POST"),
        ]);
        dial(xml, attributes, &handoff.target);
    })
}

/// Builds the document for a dial that reached nobody.
pub fn after_dial_nobody(message: &Spoken, voice: &Voice) -> Document {
    response(|xml| {
        speak(xml, message, voice);
        xml.empty("Hangup", []);
    })
}

/// Builds the document for a dial after which caller and human have talked.
pub fn after_dial_bridged() -> Document {
    response(|xml| xml.empty("Hangup", []))
}

fn response(elements: impl FnOnce(&mut Xml)) -> Document {
    let mut xml = Xml::new();
    xml.element("Response", [], elements);
    Document::new(xml.finish())
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
        Then::Redirect(url) => xml.element("Redirect", [("method", "POST")], |xml| {
            xml.text(url.as_str());
        }),
        Then::Document(elements) => xml.verbatim(&elements.0),
    }
}

fn tail(xml: &mut Xml, tail: &DeadManTail) {
    let ring = tail.ring.get().to_string();
    let attributes = dial_attributes(&ring, tail.caller_id.as_ref());
    dial(xml, attributes, &tail.target);
    speak(xml, &tail.apology, &tail.voice);
    xml.empty("Hangup", []);
}

fn dial<'a>(
    xml: &mut Xml,
    attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
    target: &E164,
) {
    xml.element("Dial", attributes, |xml| {
        xml.element("Number", [], |xml| xml.text(digits(target)));
    });
}

fn dial_attributes<'a>(
    ring: &'a str,
    caller_id: Option<&'a E164>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let caller_id = caller_id.map(|number| ("callerId", digits(number)));
    [("timeout", ring)].into_iter().chain(caller_id)
}

/// Plivo writes numbers without `+`, in its examples as in what it posts.
fn digits(number: &E164) -> &str {
    number.expose().trim_start_matches('+')
}

fn speak(xml: &mut Xml, text: &Spoken, voice: &Voice) {
    if text.expose().is_empty() {
        return;
    }
    let attributes = [("voice", &voice.name), ("language", &voice.language)];
    let given = attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)));
    xml.element("Speak", given, |xml| xml.text(text.expose()));
}
