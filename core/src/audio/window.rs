//! The run of codes that is being filled for a recognizer.

use super::activity::FRAME_SAMPLES;
use super::mulaw;
use crate::time::MediaTime;

/// Samples, and therefore bytes, of a full window: 100 ms.
///
/// Long enough to cost a recognizer's socket ten writes a second, short enough to leave the
/// budget of a decision alone.
pub const WINDOW_SAMPLES: usize = 800;

const _: () = assert!(
    WINDOW_SAMPLES.is_multiple_of(FRAME_SAMPLES),
    "the last frame of a window must end with it"
);

/// Codes of one window with the samples of its newest frame and the energy of the frames before.
pub(super) struct Window {
    pub(super) start: MediaTime,
    codes: [u8; WINDOW_SAMPLES],
    len: usize,
    frame: [i16; FRAME_SAMPLES],
    energy: u64,
}

impl Window {
    pub(super) fn starting_at(start: MediaTime) -> Self {
        Self {
            start,
            codes: [mulaw::SILENCE; WINDOW_SAMPLES],
            len: 0,
            frame: [0; FRAME_SAMPLES],
            energy: 0,
        }
    }

    /// The end of what the window holds.
    pub(super) fn end(&self) -> MediaTime {
        MediaTime(self.start.0.saturating_add(self.len as u64))
    }

    /// Takes codes up to the end of the current frame and returns the rest.
    pub(super) fn fill<'a>(&mut self, codes: &'a [u8]) -> &'a [u8] {
        let filled = self.len % FRAME_SAMPLES;
        let (taken, rest) = codes.split_at(codes.len().min(FRAME_SAMPLES - filled));
        let end = filled + taken.len();
        for (sample, &code) in self.frame[filled..end].iter_mut().zip(taken) {
            *sample = mulaw::decode(code);
        }
        self.codes[self.len..self.len + taken.len()].copy_from_slice(taken);
        self.len += taken.len();
        self.energy += mulaw::energy(&self.frame[filled..end]);
        rest
    }

    /// The newest frame, if the last fill completed it.
    pub(super) fn complete_frame(&self) -> Option<&[i16; FRAME_SAMPLES]> {
        (self.len > 0 && self.len.is_multiple_of(FRAME_SAMPLES)).then_some(&self.frame)
    }

    pub(super) fn is_full(&self) -> bool {
        self.len == WINDOW_SAMPLES
    }

    pub(super) fn codes(&self) -> &[u8] {
        &self.codes[..self.len]
    }

    pub(super) fn level_dbfs(&self) -> f32 {
        mulaw::level_of(self.energy, self.len)
    }

    /// Empties the window; it starts at `start` from here.
    pub(super) fn restart(&mut self, start: MediaTime) {
        self.start = start;
        self.len = 0;
        self.energy = 0;
    }
}
