//! What the human hears before they have the caller.
//!
//! As the document of `<Number url>` and its like it runs on the human's leg while the caller still hears
//! the ring: it bridges the two when it runs out and drops the human when it hangs up.

use super::verb::{hang_up, response, say};
use crate::carrier::argument::{Spoken, Voice, WebUrl};
use crate::carrier::document::{Acceptance, Document, RoomName};
use crate::carrier::markup::Xml;

/// How long the human has for the key after each time they were told.
const KEY_SECONDS: &str = "5";

/// What the human hears.
#[derive(Clone, Debug)]
pub struct Whisper<'a> {
    /// Who calls, and why.
    pub text: &'a Spoken,
    /// Which key takes the call, for [`Acceptance::Key`].
    pub prompt: &'a Spoken,
    /// Who says it.
    pub voice: &'a Voice,
    /// When the human has taken the call.
    pub acceptance: Acceptance,
    /// Where Twilio asks what a key does ([`Keyed`](crate::carrier::twilio::webhook::Keyed)).
    pub keyed_url: &'a WebUrl,
}

/// Builds the document of a dialled leg. Where a key is asked for, it is asked for twice, and then the
/// human is dropped: so an answering machine takes no call.
pub fn whisper(whisper: &Whisper<'_>) -> Document {
    response(|xml| match whisper.acceptance {
        Acceptance::Key => ask_twice(xml, whisper),
        Acceptance::Answer => say(xml, whisper.text, whisper.voice),
    })
}

/// Builds the answer to the right key: the document runs out, and the two are joined.
pub fn accepted() -> Document {
    response(|_| {})
}

/// Builds the answer to any other key.
pub fn not_accepted() -> Document {
    response(hang_up)
}

/// Builds the document of a human who is called to a caller in a conference.
pub fn conference_whisper(whisper: &Whisper<'_>, room: &RoomName) -> Document {
    response(|xml| match whisper.acceptance {
        Acceptance::Key => ask_twice(xml, whisper),
        Acceptance::Answer => {
            say(xml, whisper.text, whisper.voice);
            join(xml, room);
        }
    })
}

/// Builds the answer to the right key of such a human. Once they leave, the conference is over for the
/// caller too, whose document goes on.
pub fn conference_accepted(room: &RoomName) -> Document {
    response(|xml| join(xml, room))
}

fn ask_twice(xml: &mut Xml, whisper: &Whisper<'_>) {
    let attributes = [
        ("input", "dtmf"),
        ("numDigits", "1"),
        ("timeout", KEY_SECONDS),
        ("action", whisper.keyed_url.as_str()),
        ("method", "POST"),
    ];
    for _ in 0..2 {
        xml.element("Gather", attributes, |xml| {
            say(xml, whisper.text, whisper.voice);
            say(xml, whisper.prompt, whisper.voice);
        });
    }
    hang_up(xml);
}

fn join(xml: &mut Xml, room: &RoomName) {
    let attributes = [
        ("beep", "false"),
        ("startConferenceOnEnter", "true"),
        ("endConferenceOnExit", "true"),
        ("participantLabel", "human"),
    ];
    xml.element("Dial", [], |xml| {
        xml.element("Conference", attributes, |xml| xml.text(room.as_str()));
    });
}
