//! The queue from which a carrier plays what a server sends on a bidirectional stream.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::speed::Speed;

/// Audio that waits to be played, and the marks in it.
#[derive(Debug)]
pub(in crate::carrier) struct PlayQueue {
    speed: Speed,
    longest: Duration,
    played_until: Instant,
    marks: VecDeque<(Instant, String)>,
}

/// More audio was queued than the carrier keeps; the rest is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::carrier) struct Overflow;

impl PlayQueue {
    /// A queue that keeps audio of this length at most.
    pub(in crate::carrier) fn new(speed: Speed, longest: Duration, now: Instant) -> Self {
        Self {
            speed,
            longest,
            played_until: now,
            marks: VecDeque::new(),
        }
    }

    /// Queues audio of this length.
    pub(in crate::carrier) fn play(
        &mut self,
        length: Duration,
        now: Instant,
    ) -> Result<(), Overflow> {
        self.played_until = self.played_until.max(now) + self.speed.wall(length);
        if self.queued(now) > self.longest {
            self.played_until = now + self.speed.wall(self.longest);
            return Err(Overflow);
        }
        Ok(())
    }

    /// How much of the carrier's time is queued.
    pub(in crate::carrier) fn queued(&self, now: Instant) -> Duration {
        self.speed
            .carrier(self.played_until.saturating_duration_since(now))
    }

    /// Queues a mark behind the audio.
    pub(in crate::carrier) fn mark(&mut self, name: String, now: Instant) {
        self.marks.push_back((self.played_until.max(now), name));
    }

    /// Forgets the audio; the marks in it are due at once.
    pub(in crate::carrier) fn clear(&mut self, now: Instant) {
        self.played_until = now;
        for (due, _) in &mut self.marks {
            *due = now;
        }
    }

    /// Forgets the marks that are not yet due.
    pub(in crate::carrier) fn forget_marks(&mut self, now: Instant) {
        self.marks.retain(|(due, _)| *due <= now);
    }

    /// When the next mark is to be echoed.
    pub(in crate::carrier) fn next_due(&self) -> Option<Instant> {
        self.marks.front().map(|(due, _)| *due)
    }

    /// The mark that [`PlayQueue::next_due`] is about.
    pub(in crate::carrier) fn take_mark(&mut self) -> Option<String> {
        self.marks.pop_front().map(|(_, name)| name)
    }
}
