//! How a `<Dial>` ended.

use handoff_core::call::DialEnd;
use handoff_core::id::CarrierCallId;

use crate::carrier::document::Acceptance;
use crate::carrier::form::{Form, WebhookError};
use crate::carrier::plivo::hangup::{HangupCause, letters};

/// The end of a `<Dial>`, as its action URL learns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialOutcome {
    /// The caller's call.
    pub call: CarrierCallId,
    /// How the dialled leg ended.
    pub status: DialStatus,
    /// The dialled leg, if one was placed.
    pub leg: Option<CarrierCallId>,
    /// Why it ended, if the cause is one of the known ones.
    pub cause: Option<HangupCause>,
    /// Plivo's code for why it ended. No page has it here, and it is read should it come.
    pub code: Option<u32>,
}

/// How a dialled leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialStatus {
    /// It was answered and is over.
    Completed,
    /// The line was busy.
    Busy,
    /// It could not be placed.
    Failed,
    /// It was given up before an answer.
    Canceled,
    /// It rang as long as the document allows.
    TimedOut,
    /// Nobody picked up.
    NoAnswer,
    /// Not known to this version.
    Other,
}

impl DialOutcome {
    /// Parses the parameters of a `<Dial>`'s action URL.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: answer with the document for a dial that reached nobody.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        let status = letters(form.required("DialStatus")?);
        Ok(Self {
            call: caller_leg(form)?,
            status: match status.as_str() {
                "completed" => DialStatus::Completed,
                "busy" => DialStatus::Busy,
                "failed" => DialStatus::Failed,
                "cancel" | "canceled" | "cancelled" => DialStatus::Canceled,
                "timeout" => DialStatus::TimedOut,
                "noanswer" => DialStatus::NoAnswer,
                _ => DialStatus::Other,
            },
            leg: form.optional_call("DialBLegUUID")?,
            cause: form.get("DialHangupCause").and_then(HangupCause::parse),
            code: (form.number("DialHangupCauseCode"))
                .or_else(|| form.number("DialBLegHangupCauseCode")),
        })
    }

    /// Judges the end. Plivo has no word for "bridged": an answer that is the acceptance joins the two at
    /// once, and where a key is asked for, an answer proves nothing. Whether it was pressed is known from
    /// what was told of the leg ([`LegEvent::Connected`](super::LegEvent::Connected)), before or after this.
    ///
    /// An answer without a leg is not taken for a human either: a caller who hears one sentence too many
    /// beats a caller cut off.
    pub fn end(&self, acceptance: Acceptance) -> DialEnd {
        let by_cause = self.cause.and_then(HangupCause::dial_end);
        match self.status {
            DialStatus::Completed => match acceptance {
                Acceptance::Answer if self.leg.is_some() => DialEnd::Bridged,
                Acceptance::Answer | Acceptance::Key => DialEnd::AnsweredNotBridged,
            },
            DialStatus::Busy => by_cause.unwrap_or(DialEnd::Busy),
            DialStatus::Canceled => DialEnd::Canceled,
            DialStatus::TimedOut | DialStatus::NoAnswer => by_cause.unwrap_or(DialEnd::NoAnswer),
            DialStatus::Failed | DialStatus::Other => {
                by_cause.unwrap_or(DialEnd::Failed { code: self.code })
            }
        }
    }
}

/// The caller's leg is the call that asks; a callback about the other leg may name it as that leg's A.
pub(super) fn caller_leg(form: Form<'_>) -> Result<CarrierCallId, WebhookError> {
    match form.optional_call("DialALegUUID")? {
        Some(call) => Ok(call),
        None => form.call("CallUUID"),
    }
}
