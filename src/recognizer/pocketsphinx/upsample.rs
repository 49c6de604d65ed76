//! From 8 kHz, the telephone's rate, to 16 kHz, the acoustic model's.

/// Samples on each side that a new sample is made from.
const REACH: usize = 16;

/// Doubles the rate of a stream by windowed-sinc interpolation, 2 ms late.
///
/// Every second sample is an old one; those between come from 32 neighbours through a Blackman
/// window. Nothing appears above 4 kHz, so the acoustic model's upper filters stay empty; filling
/// them by folding or noise was measured and made recognition no better.
pub(super) struct Upsampler {
    kernel: [f32; 2 * REACH],
    past: [f32; 2 * REACH],
}

impl Upsampler {
    pub(super) fn new() -> Self {
        Self {
            kernel: std::array::from_fn(tap),
            past: [0.0; 2 * REACH],
        }
    }

    /// Forgets the past, at the beginning of an utterance.
    pub(super) fn restart(&mut self) {
        self.past = [0.0; 2 * REACH];
    }

    /// Appends twice as many samples to `out`.
    pub(super) fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        for &sample in samples {
            self.past.copy_within(1.., 0);
            self.past[2 * REACH - 1] = f32::from(sample);
            let between: f32 = self.kernel.iter().zip(&self.past).map(|(k, s)| k * s).sum();
            // A float to integer cast saturates, which is what an overshoot needs.
            out.extend([self.past[REACH - 1] as i16, between as i16]);
        }
    }
}

/// The weight of the neighbour at `at`: a sinc half a sample off the middle, windowed.
fn tap(at: usize) -> f32 {
    use std::f32::consts::PI;
    let x = at as f32 - (REACH as f32 - 0.5);
    let turn = PI * x / REACH as f32;
    let window = 0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos();
    (PI * x).sin() / (PI * x) * window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_keeps_its_pitch_and_level() {
        let tone = |rate: f32, n: usize| {
            (10_000.0 * (n as f32 * 1_000.0 / rate * std::f32::consts::TAU).sin()) as i16
        };
        let narrow: Vec<i16> = (0..800).map(|n| tone(8_000.0, n)).collect();
        let mut wide = Vec::new();
        let mut upsampler = Upsampler::new();
        upsampler.push(&narrow[..123], &mut wide);
        upsampler.push(&narrow[123..], &mut wide);

        assert_eq!(wide.len(), 1_600);
        for (n, &sample) in wide.iter().enumerate().skip(200) {
            let expected = tone(16_000.0, n - 2 * REACH);
            assert!(
                (sample - expected).abs() < 40,
                "sample {n}: {sample}, not {expected}"
            );
        }
    }

    #[test]
    fn the_loudest_samples_do_not_wrap_around() {
        let mut wide = Vec::new();
        Upsampler::new().push(&[i16::MAX; 200], &mut wide);
        assert!(wide[2 * REACH..].iter().all(|&sample| sample > 0));
    }
}
