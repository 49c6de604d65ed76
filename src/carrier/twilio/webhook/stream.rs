//! How a stream is.

use crate::carrier::form::{Form, WebhookError};

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
