//! What a caller left whom no human could take.

use std::time::Duration;

use handoff_core::id::CarrierCallId;
use handoff_core::pii::Pii;

use crate::carrier::argument::WebUrl;
use crate::carrier::form::{Form, WebhookError};

/// A recording, as the action URL of its `<Record>` and its callback URL both learn it, the latter once it can
/// be fetched. Which comes first is open, and a caller who hangs up in the recording may make either the
/// only one.
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
        let call = form.call("CallUUID")?;
        // -1 stands for a length that is not known yet.
        let lasts = form.number("RecordingDuration").map(Duration::from_secs);
        if lasts == Some(Duration::ZERO) {
            return Ok(None);
        }
        let url = (form.get("RecordUrl").or(form.get("RecordFile")))
            .filter(|url| !url.is_empty())
            .ok_or(WebhookError::Missing("RecordUrl"))?;
        let url = address(url).ok_or(WebhookError::Address("RecordUrl"))?;
        Ok(Some(Self {
            call,
            url: Pii::new(url),
            lasts,
        }))
    }
}

/// Pages of old show `http://` before a host that serves `https://` as well.
fn address(url: &str) -> Option<WebUrl> {
    let secure = || Some(format!("https://{}", url.strip_prefix("http://")?));
    (WebUrl::new(url).ok()).or_else(|| WebUrl::new(&secure()?).ok())
}
