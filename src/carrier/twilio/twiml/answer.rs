//! What a new call is told.
//!
//! Every document that starts a stream ends with the *dead-man tail*: a `<Dial>` of a human, then an
//! apology and the end, with no URL of ours in it. Whatever dies on our side, the carrier itself still
//! rings somebody.

use super::noun::rung;
use super::verb::{dial_attributes, hang_up, redirect, response, say};
use crate::carrier::argument::{StreamToken, StreamUrl, WebUrl};
use crate::carrier::document::{DeadManTail, Document};
use crate::carrier::markup::Xml;
use crate::carrier::twilio::xml::InlineVerbs;

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

fn tail(xml: &mut Xml, tail: &DeadManTail) {
    if tail.reach.without_us().is_some() {
        let ring = tail.ring.get().to_string();
        let attributes = dial_attributes(&ring, tail.caller_id.as_ref());
        xml.element("Dial", attributes, |xml| {
            rung(xml, &tail.reach, None, |template| {
                template.constant().map(str::to_owned)
            });
        });
    }
    say(xml, &tail.apology, &tail.voice);
    hang_up(xml);
}
