//! Audio on its way to Deepgram: what waits, and what may have to be sent again.
//!
//! A window waits until it is sent, is then kept until a final hypothesis covers it (or newer
//! audio pushes it out), and waits again if the connection breaks first. Both parts are bounded,
//! so a server that does not read costs a few seconds of audio, never more.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use handoff_core::audio::mulaw;
use handoff_core::time::{MediaTime, SAMPLE_RATE};

use super::options::Replay;
use super::pace::Waiting;
use crate::recognizer::Feeding;

/// The longest run sent as one frame: 250 ms, the upper end of Deepgram's advice (page
/// `measuring-streaming-latency`, read 2026-11-21).
const FRAME_SAMPLES: usize = 2_000;

/// Entries of any length kept at most; a carrier with 10 ms windows reaches the sample cap first.
const ENTRIES: usize = 1_024;

/// By how much the memory for sent audio grows: 200 ms.
const GROWTH: usize = 1_600;

/// Codes below it are within 124 of 32,768: 48 dB under full scale, where no speech is.
const QUIET_BELOW: u8 = 0x10;

/// The audio of one speaker that Deepgram has not finally answered.
///
/// What was sent is copied into a ring, so that the windows themselves are given back at once to
/// whoever made them, who can then use their memory again. Of quiet frames only the length is kept:
/// at any time one side of a call listens, and there are thousands of calls.
#[derive(Debug)]
pub(super) struct Backlog {
    waiting: VecDeque<Feeding>,
    waiting_samples: u64,
    cap: u64,
    sent: VecDeque<Stretch>,
    sent_samples: usize,
    /// The samples of the sent stretches that are not quiet, one after the other.
    kept: VecDeque<u8>,
    rewind: usize,
}

/// A frame that was sent.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: MediaTime,
    len: usize,
    quiet: bool,
}

impl Backlog {
    pub(super) fn new(replay: Replay) -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_samples: 0,
            cap: samples(replay.cap),
            sent: VecDeque::new(),
            sent_samples: 0,
            kept: VecDeque::new(),
            rewind: usize::try_from(samples(replay.rewind)).unwrap_or(usize::MAX),
        }
    }

    /// Takes what the feed gave. Returns how many windows were dropped to stay within the cap.
    pub(super) fn push(&mut self, feeding: Feeding) -> u64 {
        match feeding {
            Feeding::Flush => {
                if !matches!(self.waiting.back(), Some(Feeding::Flush)) {
                    self.waiting.push_back(Feeding::Flush);
                }
            }
            Feeding::Window {
                mut start,
                mut mulaw,
            } => {
                // Deepgram takes an empty frame for the end of the audio, so none may remain.
                while !mulaw.is_empty() {
                    let frame = mulaw.split_to(mulaw.len().min(FRAME_SAMPLES));
                    let samples = frame.len() as u64;
                    self.waiting_samples += samples;
                    self.waiting.push_back(Feeding::Window {
                        start,
                        mulaw: frame,
                    });
                    start = MediaTime(start.0.saturating_add(samples));
                }
            }
        }
        let mut dropped = 0;
        while self.waiting_samples > self.cap || self.waiting.len() > ENTRIES {
            dropped += u64::from(self.drop_oldest_waiting());
        }
        dropped
    }

    /// Whether anything waits to be sent.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether audio waits to be sent.
    pub(super) fn has_audio(&self) -> bool {
        self.waiting_samples > 0
    }

    /// How much audio waits to be sent.
    pub(super) fn waiting(&self) -> Waiting {
        match self.waiting_samples {
            0 => Waiting::Nothing,
            samples if samples <= FRAME_SAMPLES as u64 => Waiting::Little,
            _ => Waiting::Much,
        }
    }

    /// Takes the next entry to send.
    pub(super) fn poll_next(&mut self) -> Option<Feeding> {
        let next = self.waiting.pop_front()?;
        if let Feeding::Window { start, mulaw } = &next {
            self.waiting_samples -= mulaw.len() as u64;
            while self.sent_samples + mulaw.len() > self.rewind && !self.sent.is_empty() {
                self.forget_oldest_sent();
            }
            if mulaw.len() <= self.rewind {
                let quiet = is_quiet(mulaw);
                self.sent_samples += mulaw.len();
                self.sent.push_back(Stretch {
                    start: *start,
                    len: mulaw.len(),
                    quiet,
                });
                if !quiet {
                    self.keep(mulaw);
                }
            }
        }
        Some(next)
    }

    /// Forgets sent audio up to `until`: a final hypothesis covers it.
    pub(super) fn on_settled(&mut self, until: MediaTime) {
        while self
            .sent
            .front()
            .is_some_and(|oldest| end(*oldest) <= until)
        {
            self.forget_oldest_sent();
        }
    }

    /// Makes what was sent and not settled wait again: the connection is gone.
    pub(super) fn on_broken(&mut self) {
        while let Some(Stretch { start, len, quiet }) = self.sent.pop_back() {
            let mulaw = if quiet {
                vec![mulaw::SILENCE; len]
            } else {
                Vec::from(self.kept.split_off(self.kept.len() - len))
            };
            self.sent_samples -= len;
            self.waiting_samples += len as u64;
            let mulaw = Bytes::from(mulaw);
            self.waiting.push_front(Feeding::Window { start, mulaw });
        }
    }

    fn keep(&mut self, mulaw: &[u8]) {
        if self.kept.capacity() - self.kept.len() < mulaw.len() {
            self.kept.reserve_exact(mulaw.len().max(GROWTH));
        }
        self.kept.extend(mulaw);
    }

    fn forget_oldest_sent(&mut self) {
        let Some(oldest) = self.sent.pop_front() else {
            return;
        };
        self.sent_samples -= oldest.len;
        if !oldest.quiet {
            self.kept.drain(..oldest.len);
            if self.kept.is_empty() {
                self.kept = VecDeque::new();
            }
        }
    }

    /// Says whether a window went; a flush goes silently, as what it would flush is gone.
    fn drop_oldest_waiting(&mut self) -> bool {
        match self.waiting.pop_front() {
            Some(Feeding::Window { mulaw, .. }) => {
                self.waiting_samples -= mulaw.len() as u64;
                true
            }
            Some(Feeding::Flush) | None => false,
        }
    }
}

fn is_quiet(mulaw: &[u8]) -> bool {
    // The low seven bits are the inverted magnitude (G.711 table 2a).
    mulaw.iter().all(|code| !code & 0x7f < QUIET_BELOW)
}

fn samples(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX / SAMPLE_RATE) * SAMPLE_RATE / 1_000
}

fn end(stretch: Stretch) -> MediaTime {
    MediaTime(stretch.start.0.saturating_add(stretch.len as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(cap_ms: u64, rewind_ms: u64) -> Replay {
        Replay {
            cap: Duration::from_millis(cap_ms),
            rewind: Duration::from_millis(rewind_ms),
            rate: 1.25,
        }
    }

    const LOUD: u8 = 0x90;

    fn window(start_ms: u64) -> Feeding {
        window_of(start_ms, LOUD)
    }

    fn window_of(start_ms: u64, code: u8) -> Feeding {
        let start = MediaTime::from_millis(start_ms);
        Feeding::Window {
            start,
            mulaw: Bytes::from(vec![code; 800]),
        }
    }

    fn drain(backlog: &mut Backlog) -> Vec<String> {
        std::iter::from_fn(|| backlog.poll_next())
            .map(|entry| match entry {
                Feeding::Flush => "flush".to_owned(),
                Feeding::Window { start, mulaw } => {
                    format!("{}+{}", start.as_millis(), mulaw.len() / 8)
                }
            })
            .collect()
    }

    #[test]
    fn what_waits_goes_out_in_order_with_its_flush() {
        let mut backlog = Backlog::new(replay(5_000, 1_000));
        backlog.push(window(0));
        backlog.push(Feeding::Flush);
        backlog.push(Feeding::Flush);
        backlog.push(window(100));
        assert_eq!(drain(&mut backlog), ["0+100", "flush", "100+100"]);
        assert!(!backlog.is_waiting());
    }

    #[test]
    fn the_oldest_is_dropped_and_counted() {
        let mut backlog = Backlog::new(replay(300, 1_000));
        let dropped: u64 = (0..5).map(|n| backlog.push(window(n * 100))).sum();
        assert_eq!(dropped, 2);
        assert_eq!(drain(&mut backlog), ["200+100", "300+100", "400+100"]);
    }

    #[test]
    fn a_break_sends_the_unsettled_tail_again() {
        let mut backlog = Backlog::new(replay(5_000, 300));
        for n in 0..6 {
            backlog.push(window(n * 100));
        }
        drain(&mut backlog);
        backlog.on_settled(MediaTime::from_millis(450));
        backlog.push(window(600));
        backlog.on_broken();
        assert_eq!(drain(&mut backlog), ["400+100", "500+100", "600+100"]);
    }

    #[test]
    fn a_break_does_not_overrun_the_cap() {
        let mut backlog = Backlog::new(replay(300, 300));
        for n in 0..3 {
            backlog.push(window(n * 100));
        }
        drain(&mut backlog);
        backlog.on_broken();
        assert_eq!(backlog.push(window(300)), 1);
        assert_eq!(drain(&mut backlog), ["100+100", "200+100", "300+100"]);
    }

    #[test]
    fn settled_audio_is_not_kept() {
        let mut backlog = Backlog::new(replay(5_000, 1_000));
        backlog.push(window(0));
        drain(&mut backlog);
        backlog.on_settled(MediaTime::from_millis(100));
        backlog.on_broken();
        assert!(!backlog.has_audio());
        assert_eq!(backlog.kept.len(), 0);
    }

    #[test]
    fn quiet_audio_is_sent_again_as_silence_and_takes_no_memory() {
        let quiet = [0xff, 0x7f, 0xf0, 0x70];
        let mut backlog = Backlog::new(replay(5_000, 1_000));
        for n in 0..10 {
            backlog.push(window_of(n * 100, quiet[n as usize % quiet.len()]));
        }
        drain(&mut backlog);
        assert_eq!(backlog.kept.capacity(), 0);
        backlog.push(window(1_000));
        backlog.push(window_of(1_100, 0xef));
        backlog.push(window_of(1_200, 0xf0));
        drain(&mut backlog);
        assert_eq!(backlog.kept.len(), 1_600);
        backlog.on_broken();
        let again: Vec<_> = std::iter::from_fn(|| backlog.poll_next())
            .map(|entry| match entry {
                Feeding::Flush => panic!("nobody flushed"),
                Feeding::Window { start, mulaw } => (start.as_millis(), mulaw[0], mulaw.len()),
            })
            .collect();
        let expected: Vec<_> = (3..13u64)
            .map(|n| {
                (
                    n * 100,
                    [0xff, LOUD, 0xef, 0xff][n.saturating_sub(9) as usize],
                    800,
                )
            })
            .collect();
        assert_eq!(again, expected);
        for n in 13..23 {
            backlog.push(window_of(n * 100, 0xff));
        }
        drain(&mut backlog);
        assert_eq!(backlog.kept.capacity(), 0);
    }

    #[test]
    fn long_windows_are_cut_and_empty_ones_vanish() {
        let mut backlog = Backlog::new(replay(5_000, 1_000));
        let start = MediaTime::from_millis(1_000);
        backlog.push(Feeding::Window {
            start,
            mulaw: Bytes::new(),
        });
        backlog.push(Feeding::Window {
            start,
            mulaw: Bytes::from_static(&[0xff; 4_800]),
        });
        assert_eq!(drain(&mut backlog), ["1000+250", "1250+250", "1500+100"]);
    }

    #[test]
    fn many_tiny_windows_stay_bounded() {
        let mut backlog = Backlog::new(replay(5_000, 1_000));
        for n in 0..10_000 {
            let mulaw = Bytes::from_static(&[0xff]);
            backlog.push(Feeding::Window {
                start: MediaTime(n),
                mulaw,
            });
        }
        assert_eq!(backlog.waiting.len(), ENTRIES);
    }
}
