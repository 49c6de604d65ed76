//! What the caller hears when the attempt to reach a human is over.

use super::verb::{hang_up, response, say};
use crate::carrier::argument::{Spoken, Voice};
use crate::carrier::document::{Document, LastResort};

/// The longest recording that Twilio makes, in seconds: four hours, as a call.
const LONGEST_RECORDING: u64 = 14_400;

/// Builds the document for a dial that reached nobody.
pub fn after_dial_nobody(message: &Spoken, voice: &Voice) -> Document {
    response(|xml| {
        say(xml, message, voice);
        hang_up(xml);
    })
}

/// Builds the document for a dial after which caller and human have talked.
pub fn after_dial_bridged() -> Document {
    response(hang_up)
}

/// Builds the document for a caller whom no human could take.
///
/// Where nothing is said for a recording, Twilio does not ask for what comes after it and goes on to the
/// hang-up.
pub fn last_resort(last: &LastResort, voice: &Voice) -> Document {
    let (prompt, longest, done, status) = match last {
        LastResort::CallBack { message } => return after_dial_nobody(message, voice),
        LastResort::Voicemail {
            prompt,
            longest,
            done_url,
            status_url,
        } => (prompt, longest, done_url, status_url),
    };
    let longest = longest.as_secs().clamp(1, LONGEST_RECORDING).to_string();
    let attributes = [
        ("action", done.as_str()),
        ("method", "POST"),
        ("maxLength", longest.as_str()),
        ("playBeep", "true"),
        ("recordingStatusCallback", status.as_str()),
        ("recordingStatusCallbackMethod", "POST"),
    ];
    response(|xml| {
        say(xml, prompt, voice);
        xml.empty("Record", attributes);
        hang_up(xml);
    })
}
