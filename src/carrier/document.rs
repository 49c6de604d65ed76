//! What every carrier's documents have in common: the parts they are made of, and that they are not shown.

use std::fmt;

use super::argument::{RingSeconds, Spoken, Voice, WebUrl};
use super::number::E164;

/// A finished document: UTF-8, to be served as `text/xml`.
#[derive(Clone, PartialEq, Eq)]
pub struct Document(String);

impl Document {
    /// Takes what a carrier's module has written.
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Unwraps the text.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Documents hold numbers and tokens, so they are not shown.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<document of {} bytes>", self.0.len())
    }
}

/// The end of a document that needs nobody of ours: a human's phone rings, and if nobody answers the
/// caller hears an apology.
///
/// Without an action URL carriers go on after the dial even when the two have talked and the
/// human hung up first, so the apology has to suit that ending as well.
#[derive(Clone, Debug)]
pub struct DeadManTail {
    /// The human's number.
    pub target: E164,
    /// The number their phone shows.
    pub caller_id: Option<E164>,
    /// How long it rings.
    pub ring: RingSeconds,
    /// What the caller hears if nobody answers.
    pub apology: Spoken,
    /// Who says it.
    pub voice: Voice,
}

/// The document that moves a live call to a human.
#[derive(Clone, Debug)]
pub struct Handoff {
    /// What the caller hears first. Nothing is said if it is empty.
    pub announcement: Spoken,
    /// Who says it.
    pub voice: Voice,
    /// The human's number.
    pub target: E164,
    /// The number their phone shows.
    pub caller_id: Option<E164>,
    /// How long it rings.
    pub ring: RingSeconds,
    /// Where the carrier asks what comes after the dial.
    pub after_dial_url: WebUrl,
    /// Where the carrier reports on the human's leg.
    pub leg_status_url: WebUrl,
}
