//! News of a human's leg, in whichever of its shapes.

use handoff_core::call::{DialEnd, LegProgress};

use super::call::CallStatus;
use super::leg::LegStatus;
use super::room::RoomReport;
use crate::carrier::form::WebhookError;

/// What is posted to the URL of a human's leg: Plivo tells of one that a `<Dial>` rings, of one that is
/// called apart, and of the room that it enters in parameters of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LegReport {
    /// Of a leg that a `<Dial>` rings.
    Dialled(LegStatus),
    /// Of a leg that is called apart.
    Called(CallStatus),
    /// Of the room in which the caller waits.
    Room(RoomReport),
}

impl LegReport {
    /// Parses the parameters, by their names.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: count it and answer 200, a report is not worth a retry.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let has = |prefix: &str| parameters.iter().any(|(name, _)| name.starts_with(prefix));
        if has("Dial") {
            LegStatus::parse(parameters).map(Self::Dialled)
        } else if has("Conference") || has("MPC") || has("Participant") {
            RoomReport::parse(parameters).map(Self::Room)
        } else {
            CallStatus::parse(parameters).map(Self::Called)
        }
    }

    /// How far the human's leg is, or `None` where this does not say.
    pub fn progress(&self) -> Option<LegProgress> {
        match self {
            Self::Dialled(status) => status.progress(),
            Self::Called(status) => status.progress(),
            Self::Room(report) => report.progress(),
        }
    }

    /// How a leg that was called apart ended, or `None` while it has not. The end of one that was dialled is
    /// told by [`DialOutcome`](super::DialOutcome).
    pub fn end(&self) -> Option<DialEnd> {
        match self {
            Self::Called(status) => status.end(),
            Self::Dialled(_) | Self::Room(_) => None,
        }
    }
}
