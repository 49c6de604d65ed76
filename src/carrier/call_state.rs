//! How far a call is. Webhooks and REST API of a carrier spell it alike, and so do the carriers, nearly.

use handoff_core::call::LegProgress;

/// How far a call or leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Waits to be placed.
    Queued,
    /// Is being set up.
    Initiated,
    /// Rings.
    Ringing,
    /// Was answered.
    InProgress,
    /// Is over.
    Ended(CallEnd),
    /// Could not be told.
    Unknown,
}

impl CallState {
    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        match self {
            Self::Ended(_) => true,
            Self::Queued | Self::Initiated | Self::Ringing | Self::InProgress | Self::Unknown => {
                false
            }
        }
    }

    /// How far a human's leg in that state is, or `None` for a state this version does not know.
    pub(super) fn leg_progress(self) -> Option<LegProgress> {
        match self {
            Self::Queued | Self::Initiated => Some(LegProgress::Initiated),
            Self::Ringing => Some(LegProgress::Ringing),
            Self::InProgress => Some(LegProgress::Answered),
            Self::Ended(_) => Some(LegProgress::Completed),
            Self::Unknown => None,
        }
    }

    /// Reads a carrier's word. `timeout` and `cancel` are Plivo's for what Twilio calls `no-answer` and
    /// `canceled`.
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "queued" => Self::Queued,
            "initiated" => Self::Initiated,
            "ringing" => Self::Ringing,
            "answered" | "in-progress" => Self::InProgress,
            "completed" => Self::Ended(CallEnd::Completed),
            "busy" => Self::Ended(CallEnd::Busy),
            "no-answer" | "timeout" => Self::Ended(CallEnd::NoAnswer),
            "failed" => Self::Ended(CallEnd::Failed),
            "canceled" | "cancel" => Self::Ended(CallEnd::Canceled),
            _ => Self::Unknown,
        }
    }
}

/// How a call or leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// After an answer.
    Completed,
    /// The line was busy.
    Busy,
    /// Nobody picked up.
    NoAnswer,
    /// It could not be placed.
    Failed,
    /// It was given up before an answer.
    Canceled,
}
