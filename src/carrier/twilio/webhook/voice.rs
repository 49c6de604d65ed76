//! A call that comes in, or asks for a document.

use std::collections::BTreeMap;

use handoff_core::call::Party;
use handoff_core::id::CarrierCallId;
use handoff_core::pii::Pii;

use crate::carrier::form::{Form, WebhookError};
use crate::carrier::number::party;

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
