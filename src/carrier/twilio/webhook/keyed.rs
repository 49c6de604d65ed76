//! What a human pressed.

use handoff_core::id::CarrierCallId;

use crate::carrier::document::ACCEPT_KEY;
use crate::carrier::form::{Form, WebhookError};

/// The keys that a `<Gather>` on the human's leg collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The human's leg.
    pub leg: CarrierCallId,
    digits: String,
}

impl Keyed {
    /// Parses the parameters of a `<Gather>`'s action URL.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: answer with the document of a call that was not accepted.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        Ok(Self {
            leg: form.call("CallSid")?,
            digits: form.get("Digits").unwrap_or_default().to_owned(),
        })
    }

    /// Whether the human takes the call.
    pub fn accepts(&self) -> bool {
        self.digits.chars().eq([ACCEPT_KEY])
    }
}
