//! The stand-in human: the person whose phone rings when a call is handed off.

use std::time::Duration;

use crate::recording::StandIn;

/// What the human does when their phone rings. Times are the carrier's, so they are scaled by speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Human {
    /// They pick up and, if nothing stops them, talk to the caller and hang up.
    Answers {
        /// How long the phone rings first.
        after: Duration,
        /// How long they talk once they are joined to the caller.
        talks_for: Duration,
        /// The key they press when the whisper asks for one.
        presses: Option<char>,
    },
    /// They pick up, hear the whisper and hang up before they are joined to the caller.
    HangsUpInWhisper {
        /// How long the phone rings first.
        after: Duration,
    },
    /// The phone rings until the carrier gives up.
    NoAnswer,
    /// The line is busy.
    Busy,
}

impl Human {
    /// A human who picks up after a second, presses 1 if asked, and talks for three seconds.
    #[must_use]
    pub fn answers() -> Self {
        Self::Answers {
            after: Duration::from_secs(1),
            talks_for: Duration::from_secs(3),
            presses: Some('1'),
        }
    }
}

impl From<StandIn> for Human {
    fn from(stand_in: StandIn) -> Self {
        match stand_in {
            StandIn::Answers => Self::answers(),
            StandIn::NoAnswer | StandIn::None => Self::NoAnswer,
            StandIn::Busy => Self::Busy,
        }
    }
}
