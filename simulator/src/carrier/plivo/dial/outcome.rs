//! How a `<Dial>` ended, in Plivo's words.

use crate::carrier::event::LegStatus;
use crate::carrier::plivo::options::UnconfirmedDialStatus;
use crate::carrier::plivo::phone::Unanswered;

/// How a `<Dial>` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The human and the caller talked.
    Bridged,
    /// Somebody picked up and did not accept the call.
    Unconfirmed,
    Unanswered(Unanswered),
}

impl Outcome {
    /// `DialStatus`. UNCONFIRMED: Plivo's list has nothing for a call that was answered and not
    /// confirmed, so the options say it.
    pub(super) fn dial_status(self, unconfirmed: UnconfirmedDialStatus) -> &'static str {
        match (self, unconfirmed) {
            (Self::Bridged, _) | (Self::Unconfirmed, UnconfirmedDialStatus::Completed) => {
                "completed"
            }
            (Self::Unconfirmed, UnconfirmedDialStatus::NoAnswer) => "no-answer",
            (Self::Unanswered(why), _) => why.dial_status(),
        }
    }

    /// `DialHangupCause`, in the words of the switch.
    pub(super) fn hangup_cause(self) -> &'static str {
        match self {
            Self::Bridged | Self::Unconfirmed => "NORMAL_CLEARING",
            Self::Unanswered(why) => why.hangup_cause(),
        }
    }

    pub(super) fn leg_status(self) -> LegStatus {
        match self {
            Self::Bridged | Self::Unconfirmed => LegStatus::Completed,
            Self::Unanswered(why) => why.leg_status(),
        }
    }
}
