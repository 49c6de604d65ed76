//! What a caller left whom no human could take.

use std::time::Duration;

use handoff_core::id::CarrierCallId;
use handoff_core::pii::Pii;

use crate::carrier::argument::WebUrl;
use crate::carrier::form::{Form, WebhookError};

/// A recording, as the action URL of its `<Record>` and its status callback both learn it. Which comes
/// first is open, and a caller who hangs up in the recording may make either the only one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoicemailLeft {
    /// The caller's call.
    pub call: CarrierCallId,
    /// Where the recording is. Whoever knows it may be able to listen.
    pub url: Pii<WebUrl>,
    /// How long it is, if it is said.
    pub lasts: Option<Duration>,
}

impl VoicemailLeft {
    /// Parses the parameters of either. `None` for a recording that came to nothing.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: for the action URL, answer with the end of the call all the same.
    pub fn parse(parameters: &[(String, String)]) -> Result<Option<Self>, WebhookError> {
        let form = Form(parameters);
        let call = form.call("CallSid")?;
        let status = form.get("RecordingStatus");
        let lasts = form.number("RecordingDuration").map(Duration::from_secs);
        let is_nothing =
            matches!(status, Some("absent" | "failed")) || lasts == Some(Duration::ZERO);
        if is_nothing {
            return Ok(None);
        }
        let url = WebUrl::new(form.required("RecordingUrl")?)
            .map_err(|_| WebhookError::Address("RecordingUrl"))?;
        Ok(Some(Self {
            call,
            url: Pii::new(url),
            lasts,
        }))
    }
}
