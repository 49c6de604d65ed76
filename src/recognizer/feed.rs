//! How windows reach a recognizer: bounded, and never waited for.

use bytes::Bytes;
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
