//! A human's phone: what comes of ringing it, and what the human does on the line, whoever rings.

use std::time::Duration;

use crate::carrier::event::LegStatus;
use crate::carrier::human::Human;

/// How long the network lets a phone ring when nobody says how long.
const NETWORK_PATIENCE: Duration = Duration::from_secs(60);
/// A human who refuses the call looks at their phone first.
const REJECTION: Duration = Duration::from_secs(1);

/// Why a phone was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    Busy,
    /// The human refused.
    Rejected,
    /// The network has no way to the address.
    Unreachable,
    /// The network gave up.
    NoAnswer,
    /// Whoever rang had said how long, and it was over.
    TimedOut,
    /// Whoever rang gave up, or the caller did.
    Canceled,
}

impl Unanswered {
    /// `DialStatus`. UNCONFIRMED: Plivo's list has both `timeout` and `no-answer` without saying which
    /// is which.
    pub(super) fn dial_status(self) -> &'static str {
        match self {
            Self::Busy | Self::Rejected => "busy",
            Self::Unreachable => "failed",
            Self::NoAnswer => "no-answer",
            Self::TimedOut => "timeout",
            Self::Canceled => "cancel",
        }
    }

    /// `CallStatus` of a call that the REST API made.
    pub(super) fn call_status(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Busy | Self::Rejected | Self::Unreachable | Self::NoAnswer | Self::TimedOut => {
                self.dial_status()
            }
        }
    }

    /// The cause in the words of the switch. UNCONFIRMED for an address that cannot be reached, which
    /// has many.
    pub(super) fn hangup_cause(self) -> &'static str {
        match self {
            Self::Busy => "USER_BUSY",
            Self::Rejected => "CALL_REJECTED",
            Self::Unreachable => "NO_ROUTE_DESTINATION",
            Self::NoAnswer | Self::TimedOut => "NO_ANSWER",
            Self::Canceled => "ORIGINATOR_CANCEL",
        }
    }

    pub(super) fn leg_status(self) -> LegStatus {
        match self {
            Self::Busy | Self::Rejected => LegStatus::Busy,
            Self::Unreachable => LegStatus::Failed,
            Self::NoAnswer | Self::TimedOut => LegStatus::NoAnswer,
            Self::Canceled => LegStatus::Canceled,
        }
    }
}

/// What ends the ringing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Answers,
    Fails(Unanswered),
}

/// How long a phone rings, and what ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ringing {
    /// Whether the phone rings at all.
    pub(super) rings: bool,
    /// How long after it was rung.
    pub(super) after: Duration,
    pub(super) fate: Fate,
}

impl Ringing {
    /// Rings the phone for as long as said, or as the network lets it.
    pub(super) fn of(human: Human, patience: Option<Duration>) -> Self {
        let at_once = |why| Self {
            rings: false,
            after: Duration::ZERO,
            fate: Fate::Fails(why),
        };
        let comes = match human {
            Human::Busy => return at_once(Unanswered::Busy),
            Human::Unreachable => return at_once(Unanswered::Unreachable),
            Human::Rejects => Some((REJECTION, Fate::Fails(Unanswered::Rejected))),
            Human::Answers { .. }
            | Human::HangsUpInWhisper { .. }
            | Human::Voicemail { .. }
            | Human::NoAnswer => human.picks_up_after().map(|after| (after, Fate::Answers)),
        };
        let (longest, given_up) = match patience {
            Some(patience) => (patience, Unanswered::TimedOut),
            None => (NETWORK_PATIENCE, Unanswered::NoAnswer),
        };
        let (after, fate) = comes
            .filter(|(after, _)| *after <= longest)
            .unwrap_or((longest, Fate::Fails(given_up)));
        Self {
            rings: true,
            after,
            fate,
        }
    }
}
