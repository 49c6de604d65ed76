//! What a human pressed.

use handoff_core::id::CarrierCallId;

use crate::carrier::document::ACCEPT_KEY;
use crate::carrier::form::{Form, WebhookError};

/// The keys that a `<GetInput>` on the human's leg collected. Whether Plivo asks when there were none, or goes
/// on with the document, is UNCONFIRMED.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The human's leg.
    pub leg: CarrierCallId,
    accepts: bool,
}

impl Keyed {
    /// Parses the parameters of the action URL of a `<GetInput>` or `<GetDigits>`.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: answer with the document of a call that was not accepted.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        let digits = form.get("Digits").unwrap_or_default();
        Ok(Self {
            leg: form.call("CallUUID")?,
            accepts: digits.chars().eq([ACCEPT_KEY]),
        })
    }

    /// Whether the human takes the call.
    pub fn accepts(&self) -> bool {
        self.accepts
    }
}
