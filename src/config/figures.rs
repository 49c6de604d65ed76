//! The figures by which targets are compared, and what each may be.

use std::fmt;

/// A figure about a target, as it is named in the configuration and the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// How long a call takes on average, in seconds.
    HandleSeconds,
    /// How satisfied callers are.
    Csat,
    /// How long a caller who comes now will wait, in seconds.
    WaitSeconds,
}

/// A figure that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from {} to {}, {why}", .bounds.0, .bounds.1)]
pub struct OutOfBounds {
    bounds: (u32, u32),
    why: &'static str,
}

impl Figure {
    /// Its key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HandleSeconds => "handle_seconds",
            Self::Csat => "csat",
            Self::WaitSeconds => "wait_seconds",
        }
    }

    /// Accepts a value.
    ///
    /// # Errors
    ///
    /// [`OutOfBounds`] says what it may be.
    pub fn check(self, value: f64) -> Result<f64, OutOfBounds> {
        let (bounds, why) = match self {
            Self::HandleSeconds => ((0, 86_400), "the seconds that a call takes on average"),
            Self::Csat => (
                (0, 100),
                "of any scale on which more is better, the same for all targets",
            ),
            Self::WaitSeconds => ((0, 86_400), "the seconds that a caller would wait"),
        };
        let (least, most) = (f64::from(bounds.0), f64::from(bounds.1));
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            Err(OutOfBounds { bounds, why })
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
