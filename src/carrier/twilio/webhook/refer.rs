//! How a `<Refer>` ended.

use handoff_core::call::DialEnd;
use handoff_core::id::CarrierCallId;

use crate::carrier::form::{Form, WebhookError};
use crate::carrier::sip_status;
use crate::carrier::twilio::call_state::{CallEnd, CallState};

/// The end of a `<Refer>`, as its action URL learns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferOutcome {
    /// The caller's call.
    pub call: CarrierCallId,
    /// How far the new call is. Missing if the caller's side never told.
    pub state: Option<CallState>,
    /// What the caller's side answered to the REFER.
    pub refer_status: Option<u16>,
    /// What it told about the new call.
    pub notify_status: Option<u16>,
}

impl ReferOutcome {
    /// Parses the parameters of a `<Refer>`'s action URL.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: answer with the document for a dial that reached nobody.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        Ok(Self {
            call: form.call("CallSid")?,
            state: (form.get("ReferCallStatus"))
                .filter(|status| !status.is_empty())
                .map(CallState::parse),
            refer_status: form.number("ReferSipResponseCode"),
            notify_status: form.number("NotifySipResponseCode"),
        })
    }

    /// Judges the end.
    ///
    /// A caller's side that took the REFER and told nothing more has not moved the call as far as anybody
    /// knows: if it did, the caller is gone and hears nothing of what comes next.
    pub fn end(&self) -> DialEnd {
        let refused = self.refer_status.and_then(sip_status::refusal);
        let notified = self.notify_status.and_then(sip_status::refusal);
        if let Some(end) = refused.or(notified) {
            return end;
        }
        let is_answered = self.notify_status.is_some_and(|status| status / 100 == 2);
        match self.state {
            Some(CallState::InProgress | CallState::Ended(CallEnd::Completed)) => DialEnd::Bridged,
            Some(CallState::Ended(CallEnd::Busy)) => DialEnd::Busy,
            Some(CallState::Ended(CallEnd::NoAnswer)) => DialEnd::NoAnswer,
            Some(CallState::Ended(CallEnd::Canceled)) => DialEnd::Canceled,
            Some(CallState::Ended(CallEnd::Failed)) => DialEnd::Failed { code: None },
            Some(
                CallState::Queued | CallState::Initiated | CallState::Ringing | CallState::Unknown,
            )
            | None => {
                if is_answered {
                    DialEnd::Bridged
                } else {
                    DialEnd::Failed { code: None }
                }
            }
        }
    }
}
