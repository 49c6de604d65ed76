//! How far a call is.

use handoff_core::call::{DialEnd, LegProgress};
use handoff_core::id::CarrierCallId;

use crate::carrier::call_state::{CallEnd, CallState};
use crate::carrier::form::{Form, WebhookError};
use crate::carrier::plivo::hangup::{HangupCause, HangupReason, letters};

/// Progress of the caller's call, or of a human's who is called apart, from the hangup URL, the ring URL or
/// wherever a call's status is told. With the REST API the only word on whether a call is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallStatus {
    /// The call.
    pub call: CarrierCallId,
    /// How far it is.
    pub state: CallState,
    /// Why it ended, once it is over and if the cause is one of the known ones.
    pub cause: Option<HangupCause>,
    /// Plivo's code for why it ended, once it is over.
    pub code: Option<u32>,
}

impl CallStatus {
    /// Parses the parameters of the hangup URL.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: count it and answer 200, a report is not worth a retry.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        let call = form.call("CallUUID")?;
        let told = CallState::parse(&form.get("CallStatus").unwrap_or_default().to_lowercase());
        let cause = form.get("HangupCause").unwrap_or_default();
        let event = letters(form.get("Event").unwrap_or_default());
        let hung_up = event == "hangup" || (told == CallState::Unknown && !cause.is_empty());
        let cause =
            HangupCause::parse(cause).or_else(|| HangupCause::parse(form.get("HangupCauseName")?));
        let state = if hung_up && !told.is_over() {
            CallState::Ended(cause.map_or(CallEnd::Failed, HangupCause::call_end))
        } else if told == CallState::Unknown && matches!(event.as_str(), "ring" | "ringing") {
            CallState::Ringing
        } else {
            told
        };
        Ok(Self {
            call,
            state,
            cause: cause.filter(|_| state.is_over()),
            code: form.number("HangupCauseCode").filter(|_| state.is_over()),
        })
    }

    /// Where an operator should look for why it ended.
    pub fn reason(&self) -> Option<HangupReason> {
        self.code.map(HangupReason::of)
    }

    /// How far a human's leg is, or `None` for a state this version does not know.
    pub fn progress(&self) -> Option<LegProgress> {
        self.state.leg_progress()
    }

    /// How a human's leg ended, or `None` while it has not. Whether a leg that was answered was also joined
    /// with the caller is not told here.
    pub fn end(&self) -> Option<DialEnd> {
        let by_cause = self.cause.and_then(HangupCause::dial_end);
        match self.state {
            CallState::Ended(CallEnd::Completed) => Some(DialEnd::AnsweredNotBridged),
            CallState::Ended(CallEnd::Busy) => Some(by_cause.unwrap_or(DialEnd::Busy)),
            CallState::Ended(CallEnd::NoAnswer) => Some(by_cause.unwrap_or(DialEnd::NoAnswer)),
            CallState::Ended(CallEnd::Canceled) => Some(DialEnd::Canceled),
            CallState::Ended(CallEnd::Failed) => {
                Some(by_cause.unwrap_or(DialEnd::Failed { code: self.code }))
            }
            CallState::Queued
            | CallState::Initiated
            | CallState::Ringing
            | CallState::InProgress
            | CallState::Unknown => None,
        }
    }
}
