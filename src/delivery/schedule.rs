//! When a failed delivery is tried again, and when it is given up.

use std::time::Duration;

use handoff_core::time::WallTime;

/// Exponential pauses with full jitter, up to an end.
///
/// The pause before repeat *n* is anything between nothing and `first_pause` × 2ⁿ⁻¹, at most
/// `longest_pause`: what failed together does not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The longest pause after the first failure.
    pub first_pause: Duration,
    /// No pause of our own is longer.
    pub longest_pause: Duration,
    /// A vendor that asks for more than this gets this.
    pub longest_asked: Duration,
    /// Counted from the first attempt. Time in which this program did not run before that does not
    /// count.
    pub give_up_after: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(30 * 60),
            longest_asked: Duration::from_secs(60 * 60),
            give_up_after: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, not before this.
    At(WallTime),
    /// The schedule has ended.
    GiveUp,
}

/// A failed attempt.
#[derive(Clone, Copy, Debug)]
pub struct Failed {
    /// Counts the attempts, from 1.
    pub attempt: u32,
    /// When the first of them began.
    pub first_attempt: WallTime,
    /// The pause that the vendor asks for (`Retry-After` in seconds).
    pub asked: Option<Duration>,
}

impl Schedule {
    /// Says what follows. `random` is uniform over all values.
    ///
    /// A pause that the vendor asks for is kept in full and lengthened by a first pause's jitter.
    /// The last attempt is made when the schedule ends, unless the vendor asks for longer.
    pub fn next(&self, failed: Failed, now: WallTime, random: u64) -> Next {
        let end = later(failed.first_attempt, self.give_up_after);
        if now >= end {
            return Next::GiveUp;
        }
        match failed.asked {
            Some(asked) => {
                let earliest = later(now, asked.min(self.longest_asked));
                if earliest > end {
                    return Next::GiveUp;
                }
                Next::At(later(earliest, fraction(self.first_pause, random)))
            }
            None => {
                let doublings = failed.attempt.saturating_sub(1).min(31);
                let ceiling = self.first_pause.saturating_mul(1 << doublings);
                let pause = fraction(ceiling.min(self.longest_pause), random);
                Next::At(later(now, pause).min(end))
            }
        }
    }
}

/// `random` of `u64::MAX` of the span.
fn fraction(span: Duration, random: u64) -> Duration {
    let nanos = (span.as_nanos().min(u128::from(u64::MAX)) * (u128::from(random) + 1)) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn later(at: WallTime, by: Duration) -> WallTime {
    WallTime(at.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: WallTime = WallTime(1_000_000);
    const ALL: u64 = u64::MAX;
    const HALF: u64 = u64::MAX / 2;
    const DAY: u64 = 24 * 60 * 60 * 1_000;

    /// The pause in milliseconds after a failure at `elapsed` milliseconds, `None` for the end.
    fn pause(attempt: u32, elapsed: u64, asked: Option<f64>, random: u64) -> Option<u64> {
        let now = WallTime(FIRST.0 + elapsed);
        let asked = asked.map(Duration::from_secs_f64);
        let failed = Failed {
            attempt,
            first_attempt: FIRST,
            asked,
        };
        match Schedule::default().next(failed, now, random) {
            Next::At(at) => Some(at.0 - now.0),
            Next::GiveUp => None,
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        for (attempt, expected) in [
            (1, 2_000),
            (2, 4_000),
            (3, 8_000),
            (10, 1_024_000),
            (11, 1_800_000),
        ] {
            assert_eq!(
                pause(attempt, 0, None, ALL),
                Some(expected),
                "attempt {attempt}"
            );
        }
        assert_eq!(pause(u32::MAX, 0, None, ALL), Some(1_800_000));
        assert_eq!(pause(0, 0, None, ALL), Some(2_000));
    }

    #[test]
    fn jitter_covers_the_whole_pause() {
        assert_eq!(pause(3, 0, None, 0), Some(0));
        assert_eq!(pause(3, 0, None, HALF), Some(4_000));
        assert_eq!(pause(3, 0, None, ALL), Some(8_000));
    }

    #[test]
    fn what_the_vendor_asks_for_is_kept_up_to_a_limit() {
        assert_eq!(pause(1, 0, Some(30.0), 0), Some(30_000));
        assert_eq!(pause(1, 0, Some(30.0), ALL), Some(32_000));
        assert_eq!(pause(9, 0, Some(0.0), 0), Some(0));
        assert_eq!(pause(1, 0, Some(1.5), 0), Some(1_500));
        assert_eq!(pause(1, 0, Some(86_400.0), 0), Some(3_600_000));
    }

    #[test]
    fn the_schedule_ends_a_day_after_the_first_attempt() {
        assert_eq!(pause(50, DAY - 1_000, None, ALL), Some(1_000));
        assert_eq!(pause(50, DAY, None, 0), None);
        assert_eq!(pause(50, DAY + 1, Some(0.0), 0), None);
        assert_eq!(pause(50, DAY - 1_000, Some(1.0), 0), Some(1_000));
        assert_eq!(pause(50, DAY - 1_000, Some(2.0), 0), None);
    }

    #[test]
    fn clocks_at_their_limits_do_not_overflow() {
        let failed = Failed {
            attempt: 1,
            first_attempt: WallTime(u64::MAX),
            asked: Some(Duration::MAX),
        };
        let schedule = Schedule {
            longest_asked: Duration::MAX,
            ..Schedule::default()
        };
        assert_eq!(schedule.next(failed, WallTime(u64::MAX), ALL), Next::GiveUp);
        let schedule = Schedule {
            first_pause: Duration::MAX,
            longest_pause: Duration::MAX,
            give_up_after: Duration::MAX,
            ..schedule
        };
        let failed = Failed {
            first_attempt: WallTime(0),
            asked: None,
            ..failed
        };
        assert!(matches!(
            schedule.next(failed, WallTime(5), ALL),
            Next::At(_)
        ));
    }
}
