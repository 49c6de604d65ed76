//! How fast waiting audio is sent.

use std::time::Duration;

use handoff_core::time::SAMPLE_RATE;
use tokio::time::Instant;

/// The flow of one connection's audio.
#[derive(Debug)]
pub(super) enum Flow {
    /// As it comes.
    Live,
    /// Faster than real time but not faster than Deepgram takes it, until nothing waits.
    CatchingUp(Pace),
}

/// What is left for later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    Nothing,
    /// One frame at most.
    Little,
    /// So much that sending it at once would be a burst.
    Much,
}

/// Never more than `rate` × the time since catching up began, and one frame.
#[derive(Debug)]
pub(super) struct Pace {
    rate: f64,
    next: Instant,
}

impl Flow {
    /// Begins a connection: what waits was kept while there was none.
    pub(super) fn new(rate: f64, now: Instant) -> Self {
        Self::CatchingUp(Pace { rate, next: now })
    }

    /// Notes what waits.
    pub(super) fn on_waiting(&mut self, waiting: Waiting, rate: f64, now: Instant) {
        match (&self, waiting) {
            (Self::CatchingUp(_), Waiting::Nothing) => *self = Self::Live,
            (Self::Live, Waiting::Much) => *self = Self::new(rate, now),
            (Self::Live, Waiting::Nothing | Waiting::Little)
            | (Self::CatchingUp(_), Waiting::Little | Waiting::Much) => {}
        }
    }

    /// When the next frame may go; `None` is at once.
    pub(super) fn next_frame_at(&self) -> Option<Instant> {
        match self {
            Self::Live => None,
            Self::CatchingUp(pace) => Some(pace.next),
        }
    }

    /// Notes that a frame went. Time in which nothing was sent is not made up for.
    pub(super) fn on_sent(&mut self, samples: usize, now: Instant) {
        let Self::CatchingUp(pace) = self else { return };
        let seconds = samples as f64 / (SAMPLE_RATE as f64 * pace.rate);
        // A rate of zero or less would wait for ever; it is treated as no limit.
        let gap = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        pace.next = pace.next.max(now) + gap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends frames of 100 ms as soon as they may go, and tells when the last went.
    fn sends(flow: &mut Flow, frames: u32, begun: Instant) -> Duration {
        let mut now = begun;
        for _ in 0..frames {
            now = now.max(flow.next_frame_at().unwrap_or(now));
            flow.on_sent(800, now);
        }
        now - begun
    }

    #[test]
    fn catching_up_is_a_quarter_above_real_time() {
        let begun = Instant::now();
        let mut flow = Flow::new(1.25, begun);
        assert_eq!(sends(&mut flow, 51, begun), Duration::from_secs(4));
        let later = begun + Duration::from_secs(60);
        assert_eq!(sends(&mut flow, 3, later), Duration::from_millis(160));
    }

    #[test]
    fn live_audio_goes_at_once_until_much_waits() {
        let now = Instant::now();
        let mut flow = Flow::new(1.25, now);
        for (waiting, live) in [
            (Waiting::Much, false),
            (Waiting::Little, false),
            (Waiting::Nothing, true),
            (Waiting::Little, true),
            (Waiting::Much, false),
        ] {
            flow.on_waiting(waiting, 1.25, now);
            assert_eq!(matches!(flow, Flow::Live), live, "{waiting:?}");
        }
    }

    #[test]
    fn rates_that_are_none_do_not_wait() {
        let begun = Instant::now();
        for rate in [f64::INFINITY, 0.0, -1.0, f64::NAN] {
            assert_eq!(
                sends(&mut Flow::new(rate, begun), 50, begun),
                Duration::ZERO,
                "{rate}"
            );
        }
    }
}
