//! What a caller hears in a queue.
//!
//! Twilio fetches the document again whenever it runs out. So each one says where the caller stands, lasts
//! about half a minute, and leaves when the time is over.

use std::time::Duration;

use super::verb::{response, say};
use crate::carrier::argument::{RingSeconds, Spoken, Voice, WebUrl};
use crate::carrier::document::Document;
use crate::carrier::markup::Xml;
use crate::carrier::twilio::webhook::QueueWait;

/// How long a document lasts, and so how often a caller is told where they stand at most.
const ROUND_SECONDS: u64 = 30;

/// Until when the first document of a wait is asked for.
const FIRST_SECONDS: u64 = 2;

/// The longest silence between words.
const BREATH_SECONDS: u64 = 8;

/// How a queue waits.
#[derive(Clone, Debug)]
pub struct QueueHold<'a> {
    /// How the caller is told where they stand.
    pub standing: Option<&'a Standing>,
    /// What they hear in between.
    pub hold: &'a Hold,
    /// Who speaks.
    pub voice: &'a Voice,
    /// How long they wait in all.
    pub longest: RingSeconds,
}

/// What waiting sounds like.
#[derive(Clone, Debug)]
pub enum Hold {
    /// A recording, again and again. The caller leaves the queue only between two, so it should be short.
    Music {
        /// Where it is.
        url: WebUrl,
        /// How long it lasts.
        lasts: Duration,
    },
    /// Words, every few seconds.
    Words(Spoken),
}

/// A sentence with the caller's position in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    before: String,
    after: String,
}

/// The sentence does not say the position once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have {{position}} in it once, like \"You are number {{position}} in line.\"")]
pub struct StandingError;

impl Standing {
    /// Reads a sentence with `{position}` in it.
    ///
    /// # Errors
    ///
    /// [`StandingError`] for any other use of braces.
    pub fn parse(text: &str) -> Result<Self, StandingError> {
        let (before, after) = text.split_once("{position}").ok_or(StandingError)?;
        if [before, after].iter().any(|part| part.contains(['{', '}'])) {
            return Err(StandingError);
        }
        Ok(Self {
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }

    fn at(&self, position: u32) -> Spoken {
        Spoken::new(&format!("{}{position}{}", self.before, self.after))
    }
}

/// Builds the next half minute of a wait, or its end.
///
/// A wait of which Twilio does not say how long it has been goes on.
pub fn queue_wait(wait: &QueueWait, hold: &QueueHold<'_>) -> Document {
    let waited = wait.waited.map_or(0, |waited| waited.as_secs());
    let left = u64::from(hold.longest.get()).saturating_sub(waited);
    if left == 0 {
        return leave();
    }
    // The last documents of a wait are shorter, so that the caller has just been told.
    let is_due = waited <= FIRST_SECONDS || left >= ROUND_SECONDS;
    response(|xml| {
        if let (true, Some(standing), Some(position)) = (is_due, hold.standing, wait.position) {
            say(xml, &standing.at(position), hold.voice);
        }
        match hold.hold {
            Hold::Music { url, lasts } => play(xml, url, *lasts, left),
            Hold::Words(words) => speak(xml, words, hold.voice, left.min(ROUND_SECONDS)),
        }
    })
}

/// Builds the document that leads the caller out of the queue, to the action URL of its `<Enqueue>`.
pub fn leave() -> Document {
    response(|xml| xml.empty("Leave", []))
}

fn play(xml: &mut Xml, url: &WebUrl, lasts: Duration, left: u64) {
    let lasts = lasts.as_secs().max(1);
    let times = ROUND_SECONDS.div_ceil(lasts).min((left / lasts).max(1));
    xml.element("Play", [("loop", times.to_string().as_str())], |xml| {
        xml.text(url.as_str());
    });
}

fn speak(xml: &mut Xml, words: &Spoken, voice: &Voice, round: u64) {
    let mut left = round;
    while left > 0 {
        let breath = left.min(BREATH_SECONDS);
        say(xml, words, voice);
        xml.empty("Pause", [("length", breath.to_string().as_str())]);
        left -= breath;
    }
}
