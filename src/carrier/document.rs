//! What every carrier's documents have in common: the parts they are made of, and that they are not shown.

use std::fmt;
use std::time::Duration;

use handoff_core::id::HandoffId;
pub use handoff_core::route::Acceptance;

use super::argument::{RingSeconds, Spoken, Voice, WebUrl};
use super::brief::Brief;
use super::number::E164;
use super::target::Reach;

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
    /// How the human is reached, as [`Reach::without_us`] gives it. What it says of the handoff is left
    /// out, because there is none yet. Of any other reach the tail is the apology alone.
    pub reach: Reach,
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
pub struct Handoff<'a> {
    /// What the caller hears first. Nothing is said if it is empty.
    pub announcement: &'a Spoken,
    /// Who says it.
    pub voice: &'a Voice,
    /// How the human is reached.
    pub reach: &'a Reach,
    /// The number their phone shows.
    pub caller_id: Option<E164>,
    /// How long it rings, or the caller waits in a queue.
    pub ring: RingSeconds,
    /// Whether the human hears something before they have the caller.
    pub whisper: bool,
    /// When the human has taken the call.
    pub acceptance: Acceptance,
    /// Where caller and human meet, if they meet in a room.
    pub room: RoomName,
    /// What the human's side is told of the call.
    pub brief: &'a Brief,
    /// Where the carrier asks and reports.
    pub urls: HandoffUrls,
}

/// Where a carrier asks and reports while it moves a call to a human. All are of one handoff and attempt.
#[derive(Clone, Debug)]
pub struct HandoffUrls {
    /// What comes after the dial, the queue, the referral or the conference.
    pub after: WebUrl,
    /// How the human's leg is.
    pub leg: WebUrl,
    /// What the human hears first.
    pub whisper: WebUrl,
    /// What the caller hears while they wait in a queue or conference.
    pub wait: WebUrl,
    /// The recording for that, if it is not the carrier's to choose.
    pub music: Option<WebUrl>,
}

/// The conference or multi-party call in which a caller waits for a human: one of its own for each rewrite,
/// so that a human who was called for an earlier one comes to nobody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomName(String);

impl RoomName {
    /// The room of a rewrite.
    pub fn of(handoff: &HandoffId, attempt: u32) -> Self {
        Self(format!("{handoff}_{attempt}"))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key by which a human takes a call.
pub const ACCEPT_KEY: char = '1';

/// What a caller gets whom no human could take.
#[derive(Clone, Debug)]
pub enum LastResort {
    /// The promise of a call.
    CallBack {
        /// What they hear.
        message: Spoken,
    },
    /// A recording of what they say.
    Voicemail {
        /// What they hear before the tone.
        prompt: Spoken,
        /// How long they can speak. Rounded to whole seconds, at least one.
        longest: Duration,
        /// What comes after the recording.
        done_url: WebUrl,
        /// Where the carrier says that the recording can be fetched.
        status_url: WebUrl,
    },
}
