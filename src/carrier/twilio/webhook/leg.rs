//! How far a call or leg is.

use handoff_core::call::{DialEnd, LegProgress};
use handoff_core::id::CarrierCallId;

use crate::carrier::form::{Form, WebhookError};
use crate::carrier::sip_status;
use crate::carrier::twilio::call_state::{CallEnd, CallState};

/// Progress of the leg that rings the human.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegStatus {
    /// The caller's call; of a leg that was called apart, which knows no other call, the leg.
    pub call: CarrierCallId,
    /// The leg, if it is named.
    pub leg: Option<CarrierCallId>,
    /// How far the leg is.
    pub state: CallState,
    /// What the far end of a SIP leg answered. That Twilio tells it here is UNCONFIRMED.
    pub sip_status: Option<u16>,
}

impl LegStatus {
    /// How far the leg is, or `None` for a state this version does not know.
    pub fn progress(&self) -> Option<LegProgress> {
        self.state.leg_progress()
    }

    /// How the leg ended, or `None` while it has not. Whether a leg that was answered was also joined with
    /// the caller is not told here.
    pub fn end(&self) -> Option<DialEnd> {
        let by_sip = self.sip_status.and_then(sip_status::refusal);
        match self.state {
            CallState::Ended(CallEnd::Completed) => Some(DialEnd::AnsweredNotBridged),
            CallState::Ended(CallEnd::Busy) => Some(by_sip.unwrap_or(DialEnd::Busy)),
            CallState::Ended(CallEnd::NoAnswer) => Some(by_sip.unwrap_or(DialEnd::NoAnswer)),
            CallState::Ended(CallEnd::Failed) => {
                Some(by_sip.unwrap_or(DialEnd::Failed { code: None }))
            }
            CallState::Ended(CallEnd::Canceled) => Some(DialEnd::Canceled),
            CallState::Queued
            | CallState::Initiated
            | CallState::Ringing
            | CallState::InProgress
            | CallState::Unknown => None,
        }
    }
}

impl LegStatus {
    /// Parses the status callback of a dialled leg, or of one that was called apart.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: count it; the report is lost.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        Ok(Self {
            call: match form.optional_call("ParentCallSid")? {
                Some(call) => call,
                None => form.call("CallSid")?,
            },
            leg: form.call("CallSid").ok(),
            state: CallState::parse(form.required("CallStatus")?),
            sip_status: form.number("SipResponseCode"),
        })
    }
}

/// Progress of the caller's call. With the REST API the only word on whether a call is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallStatus {
    /// The call.
    pub call: CarrierCallId,
    /// How far it is.
    pub state: CallState,
}

impl CallStatus {
    /// Parses the status callback of a call.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: count it; the report is lost.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        Ok(Self {
            call: form.call("CallSid")?,
            state: CallState::parse(form.required("CallStatus")?),
        })
    }
}
