//! How a `<Dial>` ended.

use handoff_core::call::DialEnd;
use handoff_core::id::CarrierCallId;

use crate::carrier::form::{Form, WebhookError};
use crate::carrier::sip_status;

/// The end of a `<Dial>`, as its action URL learns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialOutcome {
    /// The caller's call.
    pub call: CarrierCallId,
    /// How the dialled leg ended.
    pub status: DialCallStatus,
    /// Whether caller and callee were joined, where that is said. `completed` alone says only that
    /// something answered.
    pub bridged: Option<bool>,
    /// What the far end of a SIP leg answered.
    pub sip_status: Option<u16>,
}

/// How a dialled leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialCallStatus {
    /// It was answered and is over.
    Completed,
    /// It was answered (conferences).
    Answered,
    /// The line was busy.
    Busy,
    /// Nobody picked up.
    NoAnswer,
    /// It could not be placed.
    Failed,
    /// It was given up before an answer.
    Canceled,
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
        let status = form.required("DialCallStatus")?;
        Ok(Self {
            call: form.call("CallSid")?,
            status: match status {
                "completed" => DialCallStatus::Completed,
                "answered" => DialCallStatus::Answered,
                "busy" => DialCallStatus::Busy,
                "no-answer" => DialCallStatus::NoAnswer,
                "failed" => DialCallStatus::Failed,
                "canceled" => DialCallStatus::Canceled,
                _ => DialCallStatus::Other,
            },
            bridged: form.truth("DialBridged"),
            sip_status: form.number("DialSipResponseCode"),
        })
    }

    /// Judges the end. Where the carrier does not say whether the two were joined, an answered leg
    /// is not taken for a human: a caller who hears one sentence too many beats a caller cut off.
    ///
    /// A conference never says it: whether a human joined is known from their own leg.
    pub fn end(&self) -> DialEnd {
        let by_sip = self.sip_status.and_then(sip_status::refusal);
        match (self.status, self.bridged) {
            (
                DialCallStatus::Completed | DialCallStatus::Answered | DialCallStatus::Other,
                Some(true),
            ) => DialEnd::Bridged,
            (DialCallStatus::Completed | DialCallStatus::Answered, Some(false) | None) => {
                DialEnd::AnsweredNotBridged
            }
            (DialCallStatus::Busy, _) => by_sip.unwrap_or(DialEnd::Busy),
            (DialCallStatus::NoAnswer, _) => by_sip.unwrap_or(DialEnd::NoAnswer),
            (DialCallStatus::Canceled, _) => DialEnd::Canceled,
            (DialCallStatus::Failed, _) | (DialCallStatus::Other, Some(false) | None) => {
                by_sip.unwrap_or(DialEnd::Failed { code: None })
            }
        }
    }
}
