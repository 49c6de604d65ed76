//! How fast the carrier's world runs.

use std::str::FromStr;
use std::time::Duration;

/// How fast recordings are played and the carrier's own time passes.
///
/// Media, speech, pauses, ringing and the human's reactions are scaled. Network time is not: the
/// configured delays of REST and ringing, and every deadline for an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// So many times as fast as life; 1.0 is a frame each 20 ms.
    Times(f64),
    /// Media as fast as the socket takes it, the carrier's time [`Speed::MAX_TIMES`] as fast as life.
    Max,
}

impl Speed {
    /// How fast pauses and ringing pass at [`Speed::Max`]: a phone that rings for 30 s does so in 0.3 s.
    pub const MAX_TIMES: f64 = 100.0;

    /// How long a span of the carrier's time takes on the wall clock.
    #[must_use]
    pub fn wall(self, span: Duration) -> Duration {
        span.div_f64(self.times())
    }

    /// How much of the carrier's time passes in a span of the wall clock.
    #[must_use]
    pub fn carrier(self, wall: Duration) -> Duration {
        wall.mul_f64(self.times())
    }

    fn times(self) -> f64 {
        match self {
            Self::Times(times) => times,
            Self::Max => Self::MAX_TIMES,
        }
    }
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.parse::<f64>() {
            Ok(times) if (0.01..=1000.0).contains(&times) => Ok(Self::Times(times)),
            Ok(_) | Err(_) => {
                Err("expected `max` or a number from 0.01 to 1000, such as 1 or 4".into())
            }
        }
    }
}
