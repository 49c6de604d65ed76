//! The three clocks, as types that cannot be mixed.
//!
//! - [`MediaTime`]: samples of one stream, 8,000 a second. What was heard when.
//! - [`CallTime`]: monotonic time since the call was accepted, given by the shell with each event.
//!   Timers run on it.
//! - [`WallTime`]: the calendar, for records and tickets only. No decision reads it.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Samples per second of telephone audio (ITU-T G.711).
pub const SAMPLE_RATE: u64 = 8_000;

/// A position in one stream's audio, in samples since the stream began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime(pub u64);

impl MediaTime {
    /// Converts from the milliseconds that carriers and recognizers speak.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * SAMPLE_RATE / 1_000)
    }

    /// Converts to whole milliseconds, rounding down.
    pub const fn as_millis(self) -> u64 {
        self.0 * 1_000 / SAMPLE_RATE
    }

    /// Measures the span back to `earlier`, zero if that lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        let samples = self.0.saturating_sub(earlier.0);
        Duration::from_nanos(samples.saturating_mul(1_000_000_000 / SAMPLE_RATE))
    }
}

/// Monotonic time since the call was accepted.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallTime(pub Duration);

impl CallTime {
    /// Builds a time from whole milliseconds since the call was accepted.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// Converts to whole milliseconds, rounding down and saturating.
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// Measures the span back to `earlier`, zero if that lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for CallTime {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

impl Sub<Duration> for CallTime {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span))
    }
}

impl fmt::Debug for CallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Prints as the timeline does: `+SS.mmm`.
impl fmt::Display for CallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{:02}.{:03}", self.0.as_secs(), self.0.subsec_millis())
    }
}

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub u64);
