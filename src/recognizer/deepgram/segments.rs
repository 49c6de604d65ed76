//! Two clocks: Deepgram counts the audio of one connection, the call counts its own.
//!
//! They run apart at every reconnect (Deepgram starts at zero again) and at every gap in the
//! audio (Deepgram does not hear the gap). A segment is a run in which they run together.

use std::collections::VecDeque;

use handoff_core::time::{MediaTime, SAMPLE_RATE};

/// Segments kept for results that are still to come. Results lag by seconds, so this many gaps
/// in that time are noise of the carrier; then the oldest is forgotten and its times are guessed
/// from the next one.
const CAPACITY: usize = 64;

/// A position in the audio of one connection, in samples since its first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ConnectionTime(pub(super) u64);

impl ConnectionTime {
    /// Converts from Deepgram's seconds. What is not a time becomes zero.
    pub(super) fn from_seconds(seconds: f64) -> Self {
        // A cast from float saturates, and makes zero of what is negative or not a number.
        Self((seconds * SAMPLE_RATE as f64).round() as u64)
    }
}

/// The map from one connection's audio to the call's media clock.
#[derive(Debug, Default)]
pub(super) struct Segments {
    segments: VecDeque<Segment>,
    sent: u64,
}

#[derive(Debug)]
struct Segment {
    begins: ConnectionTime,
    media: MediaTime,
}

impl Segments {
    /// Notes that samples from `start` on were sent.
    pub(super) fn on_sent(&mut self, start: MediaTime, samples: u64) {
        let begins = ConnectionTime(self.sent);
        let continues = self
            .segments
            .back()
            .is_some_and(|last| last.at(begins) == start);
        if !continues {
            if self.segments.len() == CAPACITY {
                self.segments.pop_front();
            }
            self.segments.push_back(Segment {
                begins,
                media: start,
            });
        }
        self.sent += samples;
    }

    /// The audio sent so far.
    pub(super) fn sent(&self) -> ConnectionTime {
        ConnectionTime(self.sent)
    }

    /// Where a stretch that begins at `time` begins on the call's clock.
    pub(super) fn beginning(&self, time: ConnectionTime) -> MediaTime {
        self.map(time, |segment| segment.begins <= time)
    }

    /// Where a stretch that ends at `time` ends on the call's clock. At a gap this is the edge
    /// before it, where [`Segments::beginning`] is the edge after it.
    pub(super) fn end(&self, time: ConnectionTime) -> MediaTime {
        self.map(time, |segment| segment.begins < time)
    }

    /// Forgets what only results before `time` would need.
    pub(super) fn on_settled(&mut self, time: ConnectionTime) {
        while self
            .segments
            .get(1)
            .is_some_and(|second| second.begins < time)
        {
            self.segments.pop_front();
        }
    }

    fn map(&self, time: ConnectionTime, holds: impl Fn(&Segment) -> bool) -> MediaTime {
        let segment = self.segments.iter().rev().find(|segment| holds(segment));
        segment
            .or(self.segments.front())
            .map_or(MediaTime(time.0), |segment| segment.at(time))
    }
}

impl Segment {
    fn at(&self, time: ConnectionTime) -> MediaTime {
        let before = self.begins.0.saturating_sub(time.0);
        let after = time.0.saturating_sub(self.begins.0);
        MediaTime(self.media.0.saturating_add(after).saturating_sub(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> ConnectionTime {
        ConnectionTime::from_seconds(seconds)
    }

    #[test]
    fn a_connection_made_later_is_shifted() {
        let mut segments = Segments::default();
        segments.on_sent(MediaTime::from_millis(7_000), 800);
        segments.on_sent(MediaTime::from_millis(7_100), 800);
        assert_eq!(
            segments.beginning(seconds(0.05)),
            MediaTime::from_millis(7_050)
        );
        assert_eq!(segments.end(seconds(0.2)), MediaTime::from_millis(7_200));
        assert_eq!(segments.segments.len(), 1);
    }

    #[test]
    fn a_gap_is_on_the_side_the_stretch_is_on() {
        let mut segments = Segments::default();
        segments.on_sent(MediaTime::from_millis(0), 8_000);
        segments.on_sent(MediaTime::from_millis(3_000), 8_000);
        assert_eq!(segments.end(seconds(1.0)), MediaTime::from_millis(1_000));
        assert_eq!(
            segments.beginning(seconds(1.0)),
            MediaTime::from_millis(3_000)
        );
        assert_eq!(
            segments.beginning(seconds(0.5)),
            MediaTime::from_millis(500)
        );
        assert_eq!(segments.end(seconds(1.25)), MediaTime::from_millis(3_250));
    }

    #[test]
    fn settled_segments_are_forgotten_and_the_table_stays_small() {
        let mut segments = Segments::default();
        for gap in 0..1_000 {
            segments.on_sent(MediaTime::from_millis(gap * 1_000), 800);
        }
        assert_eq!(segments.segments.len(), CAPACITY);
        segments.on_settled(seconds(99.95));
        assert_eq!(segments.segments.len(), 1);
        assert_eq!(
            segments.end(seconds(99.95)),
            MediaTime::from_millis(999_050)
        );
    }

    #[test]
    fn times_that_are_none_do_not_panic() {
        let segments = Segments::default();
        assert_eq!(segments.beginning(seconds(-1.0)), MediaTime(0));
        assert_eq!(segments.end(seconds(f64::NAN)), MediaTime(0));
        assert_eq!(segments.end(seconds(1e300)), MediaTime(u64::MAX));
        let mut segments = Segments::default();
        segments.on_sent(MediaTime(u64::MAX), 800);
        assert_eq!(segments.end(seconds(1e300)), MediaTime(u64::MAX));
    }
}
