//! How much audio must have come before a call is woken for it.
//!
//! At the pace of live speech a call costs what its wake-ups cost: fifty frames a second from each
//! track, each far cheaper to understand than to be woken for. A window of 100 ms goes out only
//! when it is full, so a call asks the kernel to be woken for what fills it and not before. The
//! price: what comes between two windows, a key or a stop, is seen up to 100 ms later, and within
//! [`QUIET`] if the audio pauses. Not for a stream whose audio is passed on as it comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use handoff_core::speech::Speaker;

/// How long a stream may say nothing before the call wants to be woken for anything.
pub(super) const QUIET: Duration = Duration::from_millis(200);

/// Header and masking key of a client's message of 126 to 65,535 bytes (RFC 6455 §5.2).
const FRAMING: usize = 8;

/// The bytes that must have come before the kernel calls a socket readable. The call says how
/// many; whoever owns the socket sees to it before the next read.
#[derive(Clone, Debug)]
pub struct LowWater(Arc<AtomicUsize>);

impl LowWater {
    /// A mark of one byte.
    pub fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(1)))
    }

    /// Moves the mark.
    pub fn set(&self, bytes: usize) {
        self.0.store(bytes.max(1), Ordering::Relaxed);
    }

    /// Where the mark is to be.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for LowWater {
    fn default() -> Self {
        Self::new()
    }
}

/// The media messages of one wake-up, from which the next is foreseen.
#[derive(Debug, Default)]
pub(super) struct Wake {
    caller: Option<Frame>,
    voice_agent: Option<Frame>,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    samples: usize,
    message: usize,
}

impl Wake {
    /// Notes a media message of so many bytes with so many samples in it.
    pub(super) fn on_frame(&mut self, speaker: Speaker, message: usize, samples: usize) {
        if samples == 0 {
            return;
        }
        let frame = Some(Frame { samples, message });
        match speaker {
            Speaker::Caller => self.caller = frame,
            Speaker::VoiceAgent | Speaker::Human => self.voice_agent = frame,
        }
    }

    /// The bytes that fill the window of every track that spoke, of which these many samples are
    /// missing. `None` if no track did. Messages grow with their counters and never shrink, so the
    /// last of what is waited for is the frame that fills a window and not the one after.
    pub(super) fn expect(
        &self,
        caller_missing: usize,
        voice_agent_missing: usize,
    ) -> Option<usize> {
        let tracks = [
            (self.caller, caller_missing),
            (self.voice_agent, voice_agent_missing),
        ];
        let bytes = tracks.into_iter().filter_map(|(frame, missing)| {
            let Frame { samples, message } = frame?;
            Some(missing.div_ceil(samples) * (message + FRAMING))
        });
        bytes.reduce(|a, b| a + b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_waits_for_the_frames_that_fill_its_windows() {
        let mut wake = Wake::default();
        assert_eq!(wake.expect(800, 800), None);
        wake.on_frame(Speaker::Caller, 395, 160);
        assert_eq!(wake.expect(640, 800), Some(4 * 403));
        wake.on_frame(Speaker::VoiceAgent, 396, 160);
        assert_eq!(wake.expect(800, 800), Some(5 * 403 + 5 * 404));
        assert_eq!(wake.expect(161, 1), Some(2 * 403 + 404));
    }

    #[test]
    fn frames_of_any_length_are_waited_for_whole() {
        let mut wake = Wake::default();
        wake.on_frame(Speaker::Caller, 90, 0);
        assert_eq!(wake.expect(800, 800), None);
        wake.on_frame(Speaker::Caller, 2_200, 1_600);
        assert_eq!(wake.expect(800, 800), Some(2_208));
    }
}
