//! One speaker's hearing: frames in, windows and turns of speech out.
//!
//! An [`Ear`] lives as long as the call and hears the call's streams one after another. Carriers
//! stamp frames with milliseconds since the stream began; the ear lays each stream onto the call's
//! media clock and keeps the promise that **a window's place in time is exact**: what was lost up
//! to two seconds is heard as silence, what was lost beyond that is a jump, what comes twice is
//! dropped. So a recognizer's times, which count the bytes it was given, stay media time.
//!
//! Nothing here fails, waits or allocates. A carrier's timestamps are believed as long as they make
//! sense; once they do not (a second of audio that claims to lie in the past, a jump of ten
//! minutes), the stream is timed by counting its samples.

use std::time::Duration;

use super::activity::{Activity, Turning};
use super::mulaw;
use super::window::{WINDOW_SAMPLES, Window};
use crate::speech::Speaker;
use crate::time::MediaTime;

/// Timestamps are whole milliseconds and payloads need not be whole frames: what is off by less
/// than a usual frame is rounding, not loss.
const TOLERANCE: u64 = MediaTime::from_millis(20).0;
/// Longer gaps are jumped over; filling them would only make a recognizer late.
const LONGEST_FILL: u64 = MediaTime::from_millis(2_000).0;
/// No carrier pauses a live stream for longer; a timestamp that says so is wrong.
const LONGEST_JUMP: u64 = MediaTime::from_millis(600_000).0;
/// Audio in the past, heard without a break for so long, means that timestamps are wrong.
const STALE_LIMIT: u64 = MediaTime::from_millis(1_000).0;

/// What an [`Ear`] makes of the frames it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sound<'a> {
    /// A run of codes to recognize. All windows are [`WINDOW_SAMPLES`] long but the last before a
    /// jump and the last of all.
    Window {
        /// Where the window begins, on the call's media clock.
        start: MediaTime,
        /// The codes.
        mulaw: &'a [u8],
        /// The level of the whole window, from [`mulaw::FLOOR_DBFS`] to 0.
        level_dbfs: f32,
    },
    /// The speaker has begun to speak.
    SpeechStarted {
        /// The beginning of the first active frame, 100 ms before it was certain.
        at: MediaTime,
    },
    /// The speaker has been quiet for half a second.
    SpeechEnded {
        /// The end of the last active frame.
        at: MediaTime,
    },
    /// Audio that the carrier did not deliver.
    Gap {
        /// Its length. Up to two seconds are heard as silence, longer gaps not at all.
        missing: Duration,
    },
    /// A frame, or the first part of one, that lies in audio already heard. It was dropped.
    Stale,
}

/// Whether the timestamps of the current stream are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timing {
    /// Timestamp 0 lies at `origin`; `stale` samples on end claimed to lie in the past.
    Stamped { origin: MediaTime, stale: u64 },
    /// Samples are counted and timestamps ignored until the next stream.
    Counted,
}

/// One speaker's hearing throughout a call.
pub struct Ear {
    speaker: Speaker,
    timing: Timing,
    window: Window,
    activity: Activity,
    begun: bool,
    level_dbfs: f32,
}

impl Ear {
    /// Makes the hearing of one speaker, before any stream.
    pub fn new(speaker: Speaker) -> Self {
        Self {
            speaker,
            timing: Timing::Stamped {
                origin: MediaTime::default(),
                stale: 0,
            },
            window: Window::starting_at(MediaTime::default()),
            activity: Activity::of(speaker),
            begun: false,
            level_dbfs: mulaw::FLOOR_DBFS,
        }
    }

    /// Takes up a stream, the first or a replacement, whose timestamp 0 lies at `at` on the call's
    /// media clock. What was already heard stays where it is: a replacement that would begin
    /// before begins right after it.
    pub fn begin_stream(&mut self, at: MediaTime) {
        if !self.begun {
            self.begun = true;
            self.window.restart(at);
            self.activity.begin(at);
        }
        self.timing = Timing::Stamped {
            origin: at.max(self.heard_to()),
            stale: 0,
        };
    }

    /// Hears one frame of any length. The cost of a call is bounded by the payload plus two seconds
    /// of silence, whatever the timestamp says.
    pub fn hear(&mut self, timestamp_ms: u64, mulaw: &[u8], sink: &mut impl FnMut(Sound<'_>)) {
        self.begun = true;
        let codes = self.place(timestamp_ms, mulaw, sink);
        self.take(codes, sink);
    }

    /// Gives out what is left of the last window, at the end of the call or of recognition.
    pub fn finish(&mut self, sink: &mut impl FnMut(Sound<'_>)) {
        self.give_window(sink);
    }

    /// Who is heard.
    pub fn speaker(&self) -> Speaker {
        self.speaker
    }

    /// The end of what was heard, on the call's media clock.
    pub fn heard_to(&self) -> MediaTime {
        self.window.end()
    }

    /// The samples that are missing to the next full window.
    pub fn missing(&self) -> usize {
        WINDOW_SAMPLES - self.window.codes().len()
    }

    /// Whether the speaker is in the middle of speech.
    pub fn is_speaking(&self) -> bool {
        self.activity.is_speaking()
    }

    /// The end of the last speech, or where hearing began if there was none.
    pub fn quiet_since(&self) -> MediaTime {
        self.activity.quiet_since()
    }

    /// How long the speaker has been silent, by media time. It does not grow while no audio comes.
    pub fn silence(&self) -> Duration {
        self.heard_to().since(self.quiet_since())
    }

    /// The level of the last window.
    pub fn level_dbfs(&self) -> f32 {
        self.level_dbfs
    }

    /// Moves to where the frame lies and returns the part of it that is new.
    fn place<'a>(
        &mut self,
        timestamp_ms: u64,
        codes: &'a [u8],
        sink: &mut impl FnMut(Sound<'_>),
    ) -> &'a [u8] {
        let Timing::Stamped { origin, stale } = self.timing else {
            return codes;
        };
        if codes.is_empty() {
            return codes;
        }
        let heard = self.heard_to().0;
        let at = timestamp_ms.saturating_mul(8).saturating_add(origin.0);
        let (ahead, behind) = (at.saturating_sub(heard), heard.saturating_sub(at));

        if behind >= TOLERANCE {
            let stale = stale + codes.len() as u64;
            if stale > STALE_LIMIT {
                self.timing = Timing::Counted;
                return codes;
            }
            sink(Sound::Stale);
            let old = codes
                .len()
                .min(usize::try_from(behind).unwrap_or(usize::MAX));
            let new = &codes[old..];
            let stale = if new.is_empty() { stale } else { 0 };
            self.timing = Timing::Stamped { origin, stale };
            return new;
        }
        if ahead > LONGEST_JUMP {
            self.timing = Timing::Counted;
            return codes;
        }
        self.timing = Timing::Stamped { origin, stale: 0 };
        if ahead >= TOLERANCE {
            let missing = MediaTime(at).since(MediaTime(heard));
            sink(Sound::Gap { missing });
            if ahead <= LONGEST_FILL {
                self.fill(ahead, sink);
            } else {
                self.jump(MediaTime(at), sink);
            }
        }
        codes
    }

    fn fill(&mut self, mut samples: u64, sink: &mut impl FnMut(Sound<'_>)) {
        const SILENCE: [u8; WINDOW_SAMPLES] = [mulaw::SILENCE; WINDOW_SAMPLES];
        while samples > 0 {
            let run = samples.min(WINDOW_SAMPLES as u64);
            self.take(&SILENCE[..run as usize], sink);
            samples -= run;
        }
    }

    fn jump(&mut self, to: MediaTime, sink: &mut impl FnMut(Sound<'_>)) {
        self.give_window(sink);
        self.window.restart(to);
        report(self.activity.pass(to), sink);
    }

    fn take(&mut self, mut codes: &[u8], sink: &mut impl FnMut(Sound<'_>)) {
        while !codes.is_empty() {
            codes = self.window.fill(codes);
            if let Some(frame) = self.window.complete_frame() {
                let turning = self.activity.judge(frame, self.window.end());
                report(turning, sink);
            }
            if self.window.is_full() {
                self.give_window(sink);
            }
        }
    }

    fn give_window(&mut self, sink: &mut impl FnMut(Sound<'_>)) {
        if self.window.codes().is_empty() {
            return;
        }
        self.level_dbfs = self.window.level_dbfs();
        sink(Sound::Window {
            start: self.window.start,
            mulaw: self.window.codes(),
            level_dbfs: self.level_dbfs,
        });
        self.window.restart(self.window.end());
    }
}

fn report(turning: Option<Turning>, sink: &mut impl FnMut(Sound<'_>)) {
    match turning {
        Some(Turning::Started { at }) => sink(Sound::SpeechStarted { at }),
        Some(Turning::Ended { at }) => sink(Sound::SpeechEnded { at }),
        None => {}
    }
}
