//! What a caller hears who waits in a room.
//!
//! Plivo fetches the document once and plays it again and again, which its pages promise for a multi-party
//! call and leave open for a conference: UNCONFIRMED there, so one document lasts as long as anybody's
//! phone rings.

use super::element::{LIMIT_BYTES, pause, response, speak};
use crate::carrier::argument::{Spoken, Voice, WebUrl};
use crate::carrier::document::Document;

/// The longest silence between words.
const BREATH_SECONDS: u32 = 8;

/// With a breath after each, words said so often last for the 600 seconds that a phone may ring.
const MOST_ROUNDS: usize = 75;

/// What waiting sounds like.
#[derive(Clone, Debug)]
pub enum Hold {
    /// A recording (MP3 or WAV), again and again.
    Music(WebUrl),
    /// Words, every few seconds.
    Words(Spoken),
}

/// Builds the document of a wait.
pub fn wait(hold: &Hold, voice: &Voice) -> Document {
    response(|xml| match hold {
        // Zero times is without end.
        Hold::Music(url) => xml.element("Play", [("loop", "0")], |xml| xml.text(url.as_str())),
        Hold::Words(words) => {
            for _ in 0..rounds(words) {
                speak(xml, words, voice);
                pause(xml, BREATH_SECONDS);
            }
        }
    })
}

/// As often as the document has room for: a character takes 6 bytes at most, which is `&quot;`.
fn rounds(words: &Spoken) -> usize {
    const ELEMENTS_BYTES: usize = 1_000;

    let round = 6 * words.expose().len() + ELEMENTS_BYTES;
    (LIMIT_BYTES / round).clamp(1, MOST_ROUNDS)
}
