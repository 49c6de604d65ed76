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
    /// They decline the call.
    Rejects,
    /// A machine picks up: it hears the whisper, presses no key and stays on the line.
    Voicemail {
        /// How long the phone rings first.
        after: Duration,
        /// How long it stays once it is joined to the caller.
        speaks_for: Duration,
    },
    /// The carrier cannot reach the phone.
    Unreachable,
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

    /// How long the phone rings before somebody or something picks up; `None` when nobody does.
    #[must_use]
    pub fn picks_up_after(self) -> Option<Duration> {
        match self {
            Self::Answers { after, .. }
            | Self::HangsUpInWhisper { after }
            | Self::Voicemail { after, .. } => Some(after),
            Self::NoAnswer | Self::Busy | Self::Rejects | Self::Unreachable => None,
        }
    }

    /// The key they press when they are asked for one.
    #[must_use]
    pub fn presses(self) -> Option<char> {
        match self {
            Self::Answers { presses, .. } => presses,
            Self::HangsUpInWhisper { .. }
            | Self::Voicemail { .. }
            | Self::NoAnswer
            | Self::Busy
            | Self::Rejects
            | Self::Unreachable => None,
        }
    }

    /// How long they stay once they are joined to the caller.
    #[must_use]
    pub fn talks_for(self) -> Duration {
        match self {
            Self::Answers { talks_for, .. } => talks_for,
            Self::Voicemail { speaks_for, .. } => speaks_for,
            Self::HangsUpInWhisper { .. }
            | Self::NoAnswer
            | Self::Busy
            | Self::Rejects
            | Self::Unreachable => Duration::ZERO,
        }
    }

    /// Whether they hang up when they hear the first words.
    #[must_use]
    pub fn hangs_up_in_whisper(self) -> bool {
        matches!(self, Self::HangsUpInWhisper { .. })
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
