//! Speech recognizers behind one port.
//!
//! A recognizer gets one speaker's audio as windows through a [`Feed`] and answers with [`Heard`]
//! on the channel of the call. It runs beside the call's task and never blocks it: a full feed
//! drops the window and says so.

mod any;
pub mod deepgram;
pub mod pocketsphinx;

pub use any::{Recognition, Recognizers};

use bytes::Bytes;
use handoff_core::speech::{Hypothesis, Speaker};
use handoff_core::time::MediaTime;
use tokio::sync::mpsc;

/// Windows a feed holds before it drops: 6.4 s of audio at 100 ms a window.
pub const FEED_CAPACITY: usize = 64;

/// What goes to a recognizer. Dropping the [`Feed`] ends the recognition.
#[derive(Debug)]
pub enum Feeding {
    /// A run of mu-law samples, usually 100 ms (800 bytes). `start` is on the call's media clock
    /// and jumps where audio is missing.
    Window {
        /// Position of the first sample.
        start: MediaTime,
        /// The samples, one byte each.
        mulaw: Bytes,
    },
    /// Give the words heard so far as final, now.
    Flush,
}

/// The sending side of one speaker's recognition.
#[derive(Clone, Debug)]
pub struct Feed(mpsc::Sender<Feeding>);

impl Feed {
    /// Makes a feed and the receiving side that the recognizer drains.
    pub fn new() -> (Self, mpsc::Receiver<Feeding>) {
        let (sender, receiver) = mpsc::channel(FEED_CAPACITY);
        (Self(sender), receiver)
    }

    /// Passes something on without waiting. `false` means that it was dropped: the recognizer is
    /// gone or lags by more than [`FEED_CAPACITY`] windows.
    #[must_use]
    pub fn push(&self, feeding: Feeding) -> bool {
        self.0.try_send(feeding).is_ok()
    }
}

/// What a recognizer says about one speaker of the call.
#[derive(Debug)]
pub enum Heard {
    /// Words.
    Hypothesis(Hypothesis),
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
