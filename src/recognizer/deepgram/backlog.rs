//! Audio on its way to Deepgram: what waits, and what may have to be sent again.
//!
//! A window waits until it is sent, is then kept until a final hypothesis covers it (or newer
//! audio pushes it out), and waits again if the connection breaks first. Both parts are bounded,
//! so a server that does not read costs a few seconds of audio, never more.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use handoff_core::time::{MediaTime, SAMPLE_RATE};

use super::options::Replay;
use super::pace::Waiting;
use crate::recognizer::Feeding;

/// The longest run sent as one frame: 250 ms, the upper end of Deepgram's advice (page
/// `measuring-streaming-latency`, read 2026-11-21).
const FRAME_SAMPLES: usize = 2_000;

/// Entries of any length kept at most; a carrier with 10 ms windows reaches the sample cap first.
const ENTRIES: usize = 1_024;

/// Memory reserved at once for sent audio; a longer rewind grows into more.
const LARGEST_RING: usize = 8_000;

/// The audio of one speaker that Deepgram has not finally answered.
///
/// What was sent is copied into a ring, so that the windows themselves are given back at once to
/// whoever made them, who can then use their memory again.
#[derive(Debug)]
pub(super) struct Backlog {
    waiting: VecDeque<Feeding>,
    waiting_samples: u64,
    cap: u64,
    sent: VecDeque<Stretch>,
    /// The samples of the sent stretches, one after the other.
    kept: VecDeque<u8>,
    rewind: usize,
}

/// A frame that was sent.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: MediaTime,
    len: usize,
}

impl Backlog {
    pub(super) fn new(replay: Replay) -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_samples: 0,
            cap: samples(replay.cap),
            sent: VecDeque::new(),
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
            while self.kept.len() + mulaw.len() > self.rewind && !self.sent.is_empty() {
                self.forget_oldest_sent();
            }
            if self.kept.capacity() == 0 {
                self.kept
                    .reserve_exact(self.rewind.min(LARGEST_RING).max(mulaw.len()));
            }
            if mulaw.len() <= self.rewind {
                self.sent.push_back(Stretch {
                    start: *start,
                    len: mulaw.len(),
                });
                self.kept.extend(mulaw);
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
        while let Some(Stretch { start, len }) = self.sent.pop_back() {
            let samples = self.kept.split_off(self.kept.len() - len);
            self.waiting_samples += len as u64;
            let mulaw = Bytes::from(Vec::from(samples));
            self.waiting.push_front(Feeding::Window { start, mulaw });
        }
    }

    fn forget_oldest_sent(&mut self) {
        if let Some(oldest) = self.sent.pop_front() {
            self.kept.drain(..oldest.len);
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

    fn window(start_ms: u64) -> Feeding {
        let start = MediaTime::from_millis(start_ms);
        Feeding::Window {
            start,
            mulaw: Bytes::from_static(&[0xff; 800]),
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
