//! The only place that reads clocks.
#![expect(clippy::disallowed_methods, reason = "this is the place")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use handoff_core::time::{CallTime, WallTime};

/// Reads the calendar. A clock set before 1970 reads as 1970.
pub fn wall() -> WallTime {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    WallTime(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

/// The monotonic clock of one call.
#[derive(Clone, Copy, Debug)]
pub struct CallClock {
    accepted: Instant,
}

impl CallClock {
    /// Starts the clock at the instant the call is accepted.
    pub fn start() -> Self {
        Self {
            accepted: Instant::now(),
        }
    }

    /// Takes up the clock of a call that was accepted earlier, perhaps by another process.
    pub fn of_call_accepted(at: WallTime) -> Self {
        let age = Duration::from_millis(wall().0.saturating_sub(at.0));
        let now = Instant::now();
        Self {
            accepted: now.checked_sub(age).unwrap_or(now),
        }
    }

    /// Reads the time since the call was accepted.
    pub fn now(&self) -> CallTime {
        CallTime(self.accepted.elapsed())
    }

    /// Converts a deadline of the call to an instant that timers understand, or `None` if it lies
    /// beyond what the machine's clock can express.
    pub fn instant(&self, at: CallTime) -> Option<Instant> {
        self.accepted.checked_add(at.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_clock_counts_from_its_start_and_converts_back() {
        let clock = CallClock::start();
        let (earlier, later) = (clock.now(), clock.now());
        assert!(earlier <= later);
        assert_eq!(clock.instant(CallTime::default()), Some(clock.accepted));
        assert_eq!(clock.instant(CallTime(Duration::MAX)), None);
        assert!(wall() > WallTime(1_767_225_600_000));
    }
}
