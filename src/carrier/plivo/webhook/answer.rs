//! A call that asks for its instructions.

use std::collections::BTreeMap;

use handoff_core::call::Party;
use handoff_core::id::CarrierCallId;
use handoff_core::pii::Pii;

use crate::carrier::form::{Form, WebhookError};
use crate::carrier::number::{E164, party};
use crate::carrier::plivo::hangup::letters;

/// A call that asks for its instructions: at the answer URL, and at the URL of a transfer, whose fetch
/// is the only proof that the transfer was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerRequest {
    /// The call, on the socket its `callId`.
    pub call: CarrierCallId,
    /// Who calls. A number has its `+`, whether it came with one or not.
    pub from: Party,
    /// Who is called, likewise.
    pub to: Party,
    /// What made Plivo ask.
    pub event: AnswerEvent,
    /// Every other parameter, by the vendor's names.
    pub parameters: BTreeMap<String, Pii<String>>,
}

/// What made Plivo ask for instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerEvent {
    /// The call begins. The one documented value.
    Started,
    /// The call is over: not a question. Told here if the application has no hangup URL of its own.
    Hangup,
    /// Not said, or not known to this version. To be answered like a beginning: a caller must not be
    /// lost over a word.
    Other,
}

impl AnswerRequest {
    /// Parses the parameters of an answer URL or of the URL of a transfer.
    ///
    /// # Errors
    ///
    /// [`WebhookError`] if the call is not named. Everything else has a meaning when it is missing: a
    /// caller must not be lost over a parameter.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        const READ: [&str; 4] = ["CallUUID", "From", "To", "Event"];
        let form = Form(parameters);
        Ok(Self {
            // The exit of a multi-party call may name its member alone.
            call: match form.optional_call("ParticipantCallUUID")? {
                Some(member) => member,
                None => form.call("CallUUID")?,
            },
            from: caller(form.get("From").unwrap_or_default()),
            to: caller(form.get("To").unwrap_or_default()),
            event: match letters(form.get("Event").unwrap_or_default()).as_str() {
                "startapp" => AnswerEvent::Started,
                "hangup" => AnswerEvent::Hangup,
                _ => AnswerEvent::Other,
            },
            parameters: parameters
                .iter()
                .filter(|(name, _)| !READ.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), Pii::new(value.clone())))
                .collect(),
        })
    }
}

/// Reads a `From` or `To` value as [`party`] does, and gives a bare number its `+`.
fn caller(text: &str) -> Party {
    match party(text) {
        Party::Known(address) => match E164::parse(&format!("+{}", address.expose())) {
            Ok(number) => Party::Known(Pii::new(number.expose().to_owned())),
            Err(_) => Party::Known(address),
        },
        Party::Withheld => Party::Withheld,
    }
}
