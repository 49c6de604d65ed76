//! Where speech begins and ends, so that a decoder hears utterances and not silence.
//!
//! Activity is judged every 20 ms by WebRTC's detector (`earshot`). An utterance opens after five
//! active frames and begins 400 ms earlier, for soft first consonants; it closes after 500 ms
//! without activity. One that goes on for 15 s, as music on hold does, is closed all the same: a
//! decoder's memory and delay grow with the length of what it hears.

use std::collections::VecDeque;

use earshot::{VoiceActivityDetector, VoiceActivityProfile};
use handoff_core::time::MediaTime;

const FRAME_SAMPLES: usize = 160;
const ONSET_FRAMES: u32 = 5;
const PRE_ROLL: u64 = MediaTime::from_millis(400).0;
const HANG_OVER: u64 = MediaTime::from_millis(500).0;
const LONGEST: u64 = MediaTime::from_millis(15_000).0;

/// What is to be done with a stretch of samples.
#[derive(Debug, PartialEq)]
pub(super) enum Cut<'a> {
    /// An utterance begins at `start` with these samples.
    Opened {
        start: MediaTime,
        samples: &'a [i16],
    },
    /// It goes on.
    Continued { samples: &'a [i16] },
    /// It is over; the last activity ended at `at`.
    Closed { at: MediaTime },
}

enum State {
    /// Nobody speaks, but for the last `active` frames on end.
    Quiet { active: u32 },
    /// An utterance since `opened`, active until `until`.
    Speaking { opened: MediaTime, until: MediaTime },
}

pub(super) struct Endpointer {
    detector: VoiceActivityDetector,
    state: State,
    /// Where the next sample lies.
    end: MediaTime,
    frame: Vec<i16>,
    before: VecDeque<i16>,
}

impl Endpointer {
    pub(super) fn new() -> Self {
        Self {
            detector: VoiceActivityDetector::new(VoiceActivityProfile::AGGRESSIVE),
            state: State::Quiet { active: 0 },
            end: MediaTime::default(),
            frame: Vec::with_capacity(FRAME_SAMPLES),
            before: VecDeque::with_capacity(PRE_ROLL as usize + FRAME_SAMPLES),
        }
    }

    /// Where the next sample lies.
    pub(super) fn end(&self) -> MediaTime {
        self.end
    }

    /// Goes on at `to`, where the audio between is missing. An open utterance closes.
    pub(super) fn jump(&mut self, to: MediaTime, sink: &mut impl FnMut(Cut<'_>)) {
        self.close(sink);
        self.frame.clear();
        self.before.clear();
        self.end = to;
    }

    pub(super) fn push(&mut self, mut samples: &[i16], sink: &mut impl FnMut(Cut<'_>)) {
        while !samples.is_empty() {
            let room = (FRAME_SAMPLES - self.frame.len()).min(samples.len());
            let (now, later) = samples.split_at(room);
            self.frame.extend_from_slice(now);
            self.end.0 += now.len() as u64;
            samples = later;
            if self.frame.len() == FRAME_SAMPLES {
                self.judge(sink);
                self.frame.clear();
            }
        }
    }

    /// Closes an open utterance where the audio ends.
    pub(super) fn close(&mut self, sink: &mut impl FnMut(Cut<'_>)) {
        if let State::Speaking { until, .. } = self.state {
            self.state = State::Quiet { active: 0 };
            sink(Cut::Closed { at: until });
        }
    }

    fn judge(&mut self, sink: &mut impl FnMut(Cut<'_>)) {
        let voiced = self
            .detector
            .predict_8khz(&self.frame)
            .expect("160 samples are a valid frame at 8 kHz");
        match self.state {
            State::Quiet { active } => {
                self.before.extend(&self.frame);
                let spare = self.before.len().saturating_sub(PRE_ROLL as usize);
                self.before.drain(..spare);
                let active = if voiced { active + 1 } else { 0 };
                self.state = if active == ONSET_FRAMES {
                    let start = MediaTime(self.end.0 - self.before.len() as u64);
                    let samples = self.before.make_contiguous();
                    sink(Cut::Opened { start, samples });
                    self.before.clear();
                    State::Speaking {
                        opened: start,
                        until: self.end,
                    }
                } else {
                    State::Quiet { active }
                };
            }
            State::Speaking { opened, until } => {
                let until = if voiced { self.end } else { until };
                self.state = State::Speaking { opened, until };
                sink(Cut::Continued {
                    samples: &self.frame,
                });
                if self.end.0 - until.0 >= HANG_OVER || self.end.0 - opened.0 >= LONGEST {
                    self.close(sink);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Seen {
        Opened { start: u64, samples: usize },
        Closed { at: u64 },
    }

    /// A buzz with harmonics, which the detector takes for a voice.
    fn buzz(millis: u64) -> Vec<i16> {
        (0..millis * 8)
            .map(|n| {
                let phase = n as f32 * std::f32::consts::TAU / 8_000.0;
                let voice: f32 = (1..12)
                    .map(|h| (phase * 150.0 * h as f32).sin() / h as f32)
                    .sum();
                (voice * 4_000.0) as i16
            })
            .collect()
    }

    fn cuts(samples: &[i16], chunk: usize) -> (Vec<Seen>, usize) {
        let mut endpointer = Endpointer::new();
        let mut seen = Vec::new();
        let mut heard = 0;
        let mut sink = |cut: Cut<'_>| match cut {
            Cut::Opened { start, samples } => {
                heard += samples.len();
                seen.push(Seen::Opened {
                    start: start.as_millis(),
                    samples: samples.len(),
                });
            }
            Cut::Continued { samples } => heard += samples.len(),
            Cut::Closed { at } => seen.push(Seen::Closed { at: at.as_millis() }),
        };
        for chunk in samples.chunks(chunk) {
            endpointer.push(chunk, &mut sink);
        }
        endpointer.close(&mut sink);
        (seen, heard)
    }

    #[test]
    fn an_utterance_opens_early_and_closes_late_whatever_the_chunks() {
        let mut samples = vec![0; 8_000];
        samples.extend(buzz(1_000));
        samples.extend(vec![0; 8_000]);
        for chunk in [800, 160, 77] {
            let (seen, heard) = cuts(&samples, chunk);
            let [Seen::Opened { start, samples }, Seen::Closed { at }] = seen[..] else {
                panic!("{seen:?}");
            };
            assert!((640..=760).contains(&start), "{start}");
            assert_eq!(samples, 3_200);
            assert!((1_960..=2_140).contains(&at), "{at}");
            assert!((8 * 1_700..=8 * 2_100).contains(&heard), "{heard}");
        }
    }

    #[test]
    fn a_click_opens_nothing() {
        let mut samples = vec![0; 8_000];
        samples.extend([20_000, -20_000].repeat(12));
        samples.extend(vec![0; 8_000]);
        assert_eq!(cuts(&samples, 800), (Vec::new(), 0));
    }

    #[test]
    fn an_endless_sound_is_cut_and_goes_on() {
        let (seen, _) = cuts(&buzz(40_000), 800);
        let opened = seen
            .iter()
            .filter(|seen| matches!(seen, Seen::Opened { .. }));
        assert!(opened.count() >= 3, "{seen:?}");
    }

    #[test]
    fn a_jump_closes_what_was_open() {
        let mut endpointer = Endpointer::new();
        let mut closed = Vec::new();
        let mut sink = |cut: Cut<'_>| {
            if let Cut::Closed { at } = cut {
                closed.push(at);
            }
        };
        endpointer.push(&buzz(1_000), &mut sink);
        endpointer.jump(MediaTime::from_millis(60_000), &mut sink);
        endpointer.push(&[0; 800], &mut sink);
        assert_eq!(closed, [MediaTime::from_millis(1_000)]);
        assert_eq!(endpointer.end(), MediaTime::from_millis(60_100));
    }
}
