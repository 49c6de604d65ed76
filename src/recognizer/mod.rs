//! Speech recognizers behind one port.
//!
//! A recognizer gets one speaker's audio as windows through a [`Feed`] and answers with [`Heard`]
//! on the channel of the call. It runs beside the call's task and never blocks it: a full feed
//! drops the window and says so.

mod any;
pub mod deepgram;
mod feed;
pub mod pocketsphinx;

pub use any::{Recognition, Recognizers};
pub use feed::{FEED_CAPACITY, Feed, Feeding, Feedings};

use handoff_core::speech::{Hypothesis, Speaker};
use handoff_core::time::MediaTime;

/// What a recognizer says about one speaker of the call.
#[derive(Debug)]
pub enum Heard {
    /// Words. Boxed, because every call keeps room for a few of these from its start.
    Hypothesis(Box<Hypothesis>),
    /// The speaker stopped; what was final so far is one utterance.
    UtteranceEnded {
        /// Whose utterance ended.
        speaker: Speaker,
        /// The end of the last word.
        at: MediaTime,
    },
    /// No words can be expected until [`Heard::Restored`].
    Lost {
        /// Whose recognition failed.
        speaker: Speaker,
        /// Why.
        reason: LostReason,
    },
    /// Words come again after [`Heard::Lost`].
    Restored {
        /// Whose recognition is back.
        speaker: Speaker,
    },
}

/// Why a recognizer stopped giving words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostReason {
    /// It refused our credentials or plan (401, 402, 403): not retried.
    Refused,
    /// It could not decode what we sent (close code 1008): a configuration error, not retried.
    Undecodable,
    /// It could not be reached, or its connections kept breaking.
    Unreachable,
    /// No recognizer was free (concurrency limits).
    Busy,
    /// Its process or thread failed.
    Failed,
}
