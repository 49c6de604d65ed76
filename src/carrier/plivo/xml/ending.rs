//! What the caller hears when the attempt to reach a human is over.

use super::element::{hang_up, response, speak};
use crate::carrier::argument::{Spoken, Voice};
use crate::carrier::document::{Document, LastResort};

/// What Plivo takes of a recording's length, in seconds: "greater than 1", and no longer than a call.
const RECORDING_SECONDS: (u64, u64) = (2, 14_400);

/// How long a caller may be silent before their message is over.
const SILENCE_SECONDS: &str = "10";

/// Builds the document for a dial that reached nobody.
pub fn after_dial_nobody(message: &Spoken, voice: &Voice) -> Document {
    response(|xml| {
        speak(xml, message, voice);
        hang_up(xml);
    })
}

/// Builds the document for a dial after which caller and human have talked.
pub fn after_dial_bridged() -> Document {
    response(hang_up)
}

/// Builds the document for a caller whom no human could take.
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
    let (least, most) = RECORDING_SECONDS;
    let longest = longest.as_secs().clamp(least, most).to_string();
    let attributes = [
        ("action", done.as_str()),
        ("method", "POST"),
        ("redirect", "true"),
        ("callbackUrl", status.as_str()),
        ("callbackMethod", "POST"),
        ("maxLength", longest.as_str()),
        ("timeout", SILENCE_SECONDS),
        ("finishOnKey", "#"),
        ("playBeep", "true"),
    ];
    response(|xml| {
        speak(xml, prompt, voice);
        xml.empty("Record", attributes);
        hang_up(xml);
    })
}
