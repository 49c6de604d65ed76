//! The documents that tell Twilio what to do with a call.
//!
//! Every document that starts a stream ends with the *dead-man tail*: a `<Dial>` of a human, then an
//! apology and the end, with no URL of ours in it. Whatever dies on our side, the carrier itself
//! still rings somebody. The shapes are in `golden/*.xml`, one file a document.
//!
//! Sources: <https://www.twilio.com/docs/voice/twiml/stream>, …/dial, …/number, …/connect,
//! read 2026-11-21.

use super::xml::InlineVerbs;
use crate::carrier::argument::{Spoken, StreamToken, StreamUrl, Voice, WebUrl};
use crate::carrier::markup::Xml;
use crate::carrier::number::E164;

pub use crate::carrier::document::{DeadManTail, Document, Handoff};

/// The answer to the voice webhook of a new call.
#[derive(Clone, Debug)]
pub struct VoiceAnswer {
    /// How we stand in the call.
    pub mode: Mode,
    /// Where the audio goes.
    pub media_url: StreamUrl,
    /// What binds the stream to this answer.
    pub token: StreamToken,
    /// A name unique within the call, by which a one-way stream can be stopped.
    pub stream_name: Option<String>,
    /// Where Twilio reports on the stream.
    pub stream_status_url: Option<WebUrl>,
    /// What happens if everything above ends.
    pub tail: DeadManTail,
}

/// How we stand in a call.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Hear both sides, on a stream that outlives rewrites and our own outages.
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
    /// Verbs of the operator. The tail follows if they run out.
    Document(InlineVerbs),
}

/// Builds an answer that lets the call go on to its voice agent without a stream, or to the human
/// where we would have been the voice agent's way in.
pub fn bypass(mode: &Mode, dead_man: &DeadManTail) -> Document {
    response(|xml| {
        match mode {
            Mode::Listen {
                then: Then::Redirect(url),
            } => redirect(xml, url),
            Mode::Listen {
                then: Then::Document(verbs),
            } => xml.verbatim(verbs.as_str()),
            Mode::Converse => {}
        }
        tail(xml, dead_man);
    })
}

/// Builds the dead-man tail alone: a human's phone rings, with no URL of ours in it.
pub fn dead_man(dead_man: &DeadManTail) -> Document {
    response(|xml| tail(xml, dead_man))
}

/// Builds the answer to a voice webhook. The same answer gives the same document.
pub fn voice_answer(answer: &VoiceAnswer) -> Document {
    response(|xml| {
        match &answer.mode {
            Mode::Listen { then } => {
                xml.element("Start", [], |xml| {
                    stream(xml, answer, Some("both_tracks"));
                });
                match then {
                    Then::Redirect(url) => redirect(xml, url),
                    Then::Document(verbs) => xml.verbatim(verbs.as_str()),
                }
            }
            Mode::Converse => xml.element("Connect", [], |xml| stream(xml, answer, None)),
        }
        tail(xml, &answer.tail);
    })
}

/// Builds the document that rings the human. Nothing follows the `<Dial>`: its action URL decides.
pub fn handoff_document(handoff: &Handoff) -> Document {
    response(|xml| {
        say(xml, &handoff.announcement, &handoff.voice);
        let ring = handoff.ring.get().to_string();
        let dial = dial_attributes(&ring, handoff.caller_id.as_ref())
            .chain([
                ("action", handoff.after_dial_url.as_str()),
                ("method", "POST"),
            ])
            .collect::<Vec<_>>();
        let number = [
            ("statusCallback", handoff.leg_status_url.as_str()),
            ("statusCallbackMethod", "POST"),
            (
                "statusCallbackEvent",
                "initiated ringing answered completed",
            ),
        ];
        xml.element("Dial", dial, |xml| {
            xml.element("Number", number, |xml| xml.text(handoff.target.expose()));
        });
    })
}

/// Builds the document for a dial that reached nobody.
pub fn after_dial_nobody(message: &Spoken, voice: &Voice) -> Document {
    response(|xml| {
        say(xml, message, voice);
        xml.empty("Hangup", []);
    })
}

/// Builds the document for a dial after which caller and human have talked.
pub fn after_dial_bridged() -> Document {
    response(|xml| xml.empty("Hangup", []))
}

fn response(verbs: impl FnOnce(&mut Xml)) -> Document {
    let mut xml = Xml::new();
    xml.element("Response", [], verbs);
    Document::new(xml.finish())
}

/// `track` is for one-way streams: anything but the default ends a `<Connect>` with error 31941.
fn stream(xml: &mut Xml, answer: &VoiceAnswer, track: Option<&str>) {
    let attributes = [
        ("url", Some(answer.media_url.as_str())),
        ("track", track),
        ("name", answer.stream_name.as_deref()),
        (
            "statusCallback",
            answer.stream_status_url.as_ref().map(WebUrl::as_str),
        ),
    ];
    let given = attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    xml.element("Stream", given, |xml| {
        let token = [
            ("name", StreamToken::PARAMETER),
            ("value", answer.token.expose()),
        ];
        xml.empty("Parameter", token);
    });
}

fn redirect(xml: &mut Xml, url: &WebUrl) {
    xml.element("Redirect", [("method", "POST")], |xml| {
        xml.text(url.as_str());
    });
}

fn tail(xml: &mut Xml, tail: &DeadManTail) {
    let ring = tail.ring.get().to_string();
    xml.element(
        "Dial",
        dial_attributes(&ring, tail.caller_id.as_ref()),
        |xml| xml.element("Number", [], |xml| xml.text(tail.target.expose())),
    );
    say(xml, &tail.apology, &tail.voice);
    xml.empty("Hangup", []);
}

fn dial_attributes<'a>(
    ring: &'a str,
    caller_id: Option<&'a E164>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let caller_id = caller_id.map(|number| ("callerId", number.expose()));
    [("timeout", ring)].into_iter().chain(caller_id)
}

fn say(xml: &mut Xml, text: &Spoken, voice: &Voice) {
    if text.expose().is_empty() {
        return;
    }
    let attributes = [("voice", &voice.name), ("language", &voice.language)];
    let given = attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)));
    xml.element("Say", given, |xml| xml.text(text.expose()));
}
