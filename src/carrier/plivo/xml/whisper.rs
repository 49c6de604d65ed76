//! What a human hears before they have the caller.

use super::element::{hang_up, pause, response, speak};
use super::room::Room;
use crate::carrier::argument::{Spoken, Voice, WebUrl};
use crate::carrier::document::{Acceptance, Document};
use crate::carrier::markup::Xml;

/// How long the human has for the key each time they are told. Whether Plivo counts from the first word or
/// the last is UNCONFIRMED, so two sentences fit as well.
const KEY_SECONDS: &str = "20";

/// Between the first time and the second.
const BREATH_SECONDS: u32 = 2;

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
}

impl Whisper<'_> {
    fn say(&self, xml: &mut Xml) {
        speak(xml, self.text, self.voice);
        match self.acceptance {
            Acceptance::Key => speak(xml, self.prompt, self.voice),
            Acceptance::Answer => {}
        }
    }
}

/// Builds what Plivo plays to a leg of a `<Dial>` (`confirmSound`), where only `<Speak>`, `<Play>` and
/// `<Wait>` count. Where a key is asked for, it is asked for twice; the `<Dial>` waits for it.
pub fn whisper(whisper: &Whisper<'_>) -> Document {
    response(|xml| {
        whisper.say(xml);
        match whisper.acceptance {
            Acceptance::Key => {
                pause(xml, BREATH_SECONDS);
                whisper.say(xml);
            }
            Acceptance::Answer => {}
        }
    })
}

/// Builds the document of a human who is called to a caller in a room. Where a key is asked for, it is asked
/// for twice, and then the human is dropped: so an answering machine takes no call. `keyed_url` is asked what
/// a key does ([`Keyed`](crate::carrier::plivo::webhook::Keyed)).
pub fn room_whisper(whisper: &Whisper<'_>, keyed_url: &WebUrl, room: &Room<'_>) -> Document {
    response(|xml| match whisper.acceptance {
        Acceptance::Key => {
            ask(xml, whisper, keyed_url);
            ask(xml, whisper, keyed_url);
            hang_up(xml);
        }
        Acceptance::Answer => {
            whisper.say(xml);
            room.admit_human(xml);
        }
    })
}

/// Builds the answer to the right key of such a human.
pub fn room_accepted(room: &Room<'_>) -> Document {
    response(|xml| room.admit_human(xml))
}

/// Builds the answer to any other key, or to none.
pub fn not_accepted() -> Document {
    response(hang_up)
}

fn ask(xml: &mut Xml, whisper: &Whisper<'_>, keyed_url: &WebUrl) {
    let attributes = [
        ("action", keyed_url.as_str()),
        ("method", "POST"),
        ("redirect", "true"),
        ("inputType", "dtmf"),
        ("numDigits", "1"),
        ("executionTimeout", KEY_SECONDS),
    ];
    xml.element("GetInput", attributes, |xml| whisper.say(xml));
}
