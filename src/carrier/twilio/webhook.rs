//! The parameters that Twilio posts to us, parsed once.
//!
//! Signatures cover every parameter, so these functions take the list that [`parse_form`] gives and
//! that was verified. Status callbacks arrive late, twice and out of order: sort by `sequence`, and
//! let none of them act unless our own state expects it. An interrupted `<Dial>` reports `completed`
//! to its action URL just as one that ended by itself.
//!
//! Sources: <https://www.twilio.com/docs/voice/twiml>, …/twiml/dial, …/twiml/number, …/twiml/stream,
//! read 2026-11-21.

use std::collections::BTreeMap;

use handoff_core::call::{DialEnd, LegProgress, Party};
use handoff_core::id::CarrierCallId;
use handoff_core::pii::Pii;

use super::call_state::CallState;
use crate::carrier::form::Form;
use crate::carrier::number::party;

pub use crate::carrier::form::{WebhookError, parse_form};

/// A call that asks for its instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceRequest {
    /// The call.
    pub call: CarrierCallId,
    /// Who calls.
    pub from: Party,
    /// Who is called.
    pub to: Party,
    /// Every other parameter but the account, by the vendor's names.
    pub parameters: BTreeMap<String, Pii<String>>,
}

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
    /// Judges the end. Where the carrier does not say whether the two were joined, an answered leg
    /// is not taken for a human: a caller who hears one sentence too many beats a caller cut off.
    pub fn end(&self) -> DialEnd {
        match (self.status, self.bridged) {
            (
                DialCallStatus::Completed | DialCallStatus::Answered | DialCallStatus::Other,
                Some(true),
            ) => DialEnd::Bridged,
            (DialCallStatus::Completed | DialCallStatus::Answered, Some(false) | None) => {
                DialEnd::AnsweredNotBridged
            }
            (DialCallStatus::Busy, _) => DialEnd::Busy,
            (DialCallStatus::NoAnswer, _) => DialEnd::NoAnswer,
            (DialCallStatus::Canceled, _) => DialEnd::Canceled,
            (DialCallStatus::Failed, _) | (DialCallStatus::Other, Some(false) | None) => {
                DialEnd::Failed
            }
        }
    }
}

/// Progress of the leg that rings the human.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegStatus {
    /// The caller's call.
    pub parent: CarrierCallId,
    /// How far the leg is.
    pub state: CallState,
}

impl LegStatus {
    /// How far the leg is, or `None` for a state this version does not know.
    pub fn progress(&self) -> Option<LegProgress> {
        match self.state {
            CallState::Queued | CallState::Initiated => Some(LegProgress::Initiated),
            CallState::Ringing => Some(LegProgress::Ringing),
            CallState::InProgress => Some(LegProgress::Answered),
            CallState::Ended(_) => Some(LegProgress::Completed),
            CallState::Unknown => None,
        }
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

/// A report on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamStatus {
    /// What happened.
    pub event: StreamEvent,
}

/// What happened to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// Twilio reached us.
    Started,
    /// It is over.
    Stopped,
    /// It failed.
    Failed {
        /// Twilio's error code (319xx), where the text of `StreamError` holds one. No source shows
        /// that text, so any run of five digits counts.
        code: Option<u32>,
    },
    /// Not known to this version.
    Other,
}

impl VoiceRequest {
    /// Parses the parameters of a voice webhook.
    ///
    /// # Errors
    ///
    /// [`WebhookError`] if the call is not named. Everything else has a meaning when it is missing: a
    /// caller must not be lost over a parameter.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        const READ: [&str; 4] = ["CallSid", "AccountSid", "From", "To"];
        let form = Form(parameters);
        Ok(Self {
            call: form.call("CallSid")?,
            from: party(form.get("From").unwrap_or_default()),
            to: party(form.get("To").unwrap_or_default()),
            parameters: parameters
                .iter()
                .filter(|(name, _)| !READ.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), Pii::new(value.clone())))
                .collect(),
        })
    }
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
        })
    }
}

impl LegStatus {
    /// Parses the status callback of a dialled number.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: count it; the report is lost.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        Ok(Self {
            parent: form.call("ParentCallSid")?,
            state: CallState::parse(form.required("CallStatus")?),
        })
    }
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

impl StreamStatus {
    /// Parses the status callback of a stream.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: count it; the report is lost.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        Ok(Self {
            event: match form.required("StreamEvent")? {
                "stream-started" => StreamEvent::Started,
                "stream-stopped" => StreamEvent::Stopped,
                "stream-error" => StreamEvent::Failed {
                    code: form.get("StreamError").and_then(error_code),
                },
                _ => StreamEvent::Other,
            },
        })
    }
}

fn error_code(text: &str) -> Option<u32> {
    text.split(|c: char| !c.is_ascii_digit())
        .find(|run| run.len() == 5)
        .and_then(|run| run.parse().ok())
}
