//! Whether somebody is speaking, judged frame by frame with hysteresis.
//!
//! The caller's line carries streets, cars and televisions. The judge of a single frame there is WebRTC's Gaussian mixture detector (`earshot` 0.1, 8 kHz,
//! 20 ms). It tells sound from silence well and speech from music or babble badly, and it holds on
//! after the last sound: three frames after a click, five after speech. Speech starts after five
//! active frames on end, so that a click starts nothing, and ends after half a second without one,
//! so that a pause for breath ends nothing.
//!
//! The voice agent's audio is made by a program and comes with no noise of its own: there a frame
//! counts by its level, which costs a hundredth and takes no memory.
//!
//! The detector was checked 2026-11-21 against the C original (`webrtcvad` 2.0.10, aggressiveness 2) on 7,084 frames
//! of two people talking: the same verdict on 99.7 % of them.

use earshot::{VoiceActivityDetector, VoiceActivityProfile};

use super::mulaw;
use crate::speech::Speaker;
use crate::time::MediaTime;

/// Samples in the 20 ms over which activity is judged.
pub(super) const FRAME_SAMPLES: usize = 160;
const ONSET_FRAMES: u32 = 5;
/// The level of a frame in which a program speaks. Comfort noise is made at -60 to -50 dBFS.
const LOUD_DBFS: f32 = -45.0;
const HANGOVER: u64 = MediaTime::from_millis(500).0;

/// A change in whether somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turning {
    Started { at: MediaTime },
    Ended { at: MediaTime },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Quiet, but for `active` frames on end that may become speech.
    Quiet { active: u32 },
    /// Speech, last heard at `until`.
    Speaking { until: MediaTime },
}

/// Who judges a single frame.
enum Judge {
    /// Made for the first frame: it is 5 KiB, and some streams stay silent for long.
    Detector(Option<Box<VoiceActivityDetector>>),
    Level,
}

pub(super) struct Activity {
    judge: Judge,
    state: State,
    /// The end of the last speech, or the beginning of everything.
    quiet_since: MediaTime,
}

impl Judge {
    fn is_active(&mut self, frame: &[i16; FRAME_SAMPLES]) -> bool {
        match self {
            Self::Detector(detector) => detector
                .get_or_insert_with(|| {
                    Box::new(VoiceActivityDetector::new(VoiceActivityProfile::AGGRESSIVE))
                })
                .predict_8khz(frame)
                .expect("160 samples are a valid frame at 8 kHz"),
            Self::Level => mulaw::level_dbfs(frame) > LOUD_DBFS,
        }
    }
}

impl Activity {
    pub(super) fn of(speaker: Speaker) -> Self {
        Self {
            judge: match speaker {
                Speaker::Caller => Judge::Detector(None),
                Speaker::VoiceAgent | Speaker::Human => Judge::Level,
            },
            state: State::Quiet { active: 0 },
            quiet_since: MediaTime::default(),
        }
    }

    /// Counts silence from here, where nothing was heard before.
    pub(super) fn begin(&mut self, at: MediaTime) {
        self.quiet_since = at;
    }

    /// Judges the frame that ends at `end`.
    pub(super) fn judge(
        &mut self,
        frame: &[i16; FRAME_SAMPLES],
        end: MediaTime,
    ) -> Option<Turning> {
        let active = self.judge.is_active(frame);
        match (self.state, active) {
            (State::Quiet { active }, true) if active + 1 < ONSET_FRAMES => {
                self.state = State::Quiet { active: active + 1 };
                None
            }
            (State::Quiet { .. }, true) => {
                self.state = State::Speaking { until: end };
                self.quiet_since = end;
                let onset = u64::from(ONSET_FRAMES) * FRAME_SAMPLES as u64;
                let at = MediaTime(end.0.saturating_sub(onset));
                Some(Turning::Started { at })
            }
            (State::Speaking { .. }, true) => {
                self.state = State::Speaking { until: end };
                self.quiet_since = end;
                None
            }
            (State::Quiet { .. } | State::Speaking { .. }, false) => self.pass(end),
        }
    }

    /// Lets time go on to `now` without sound.
    pub(super) fn pass(&mut self, now: MediaTime) -> Option<Turning> {
        match self.state {
            State::Speaking { until } if now.0.saturating_sub(until.0) >= HANGOVER => {
                self.state = State::Quiet { active: 0 };
                Some(Turning::Ended { at: until })
            }
            State::Speaking { .. } => None,
            State::Quiet { .. } => {
                self.state = State::Quiet { active: 0 };
                None
            }
        }
    }

    pub(super) fn is_speaking(&self) -> bool {
        matches!(self.state, State::Speaking { .. })
    }

    pub(super) fn quiet_since(&self) -> MediaTime {
        self.quiet_since
    }
}
