//! How a stream is.

use handoff_core::id::{CarrierCallId, StreamId};

use crate::carrier::form::{Form, WebhookError};
use crate::carrier::lenient::is_identifier;
use crate::carrier::plivo::hangup::letters;

/// A report on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamStatus {
    /// The call.
    pub call: CarrierCallId,
    /// The stream, where it is named.
    pub stream: Option<StreamId>,
    /// What happened.
    pub event: StreamEvent,
}

/// What happened to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// Plivo reached us.
    Started,
    /// It is over.
    Stopped,
    /// Plivo gave it up, after two more attempts to reach us.
    Dropped,
    /// What we sent to be played piles up.
    Degraded,
    /// A checkpoint was reached, which the socket tells as well.
    Played,
    /// The playback queue is empty, which the socket tells as well.
    Cleared,
    /// Not known to this version.
    Other,
}

impl StreamStatus {
    /// Parses the status callback of a stream.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: count it and answer 200, a report is not worth a retry.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        let stream = (form.get("StreamID"))
            .or(form.get("StreamId"))
            .filter(|id| !id.is_empty());
        if stream.is_some_and(|id| !is_identifier(id)) {
            return Err(WebhookError::Identifier("StreamID"));
        }
        Ok(Self {
            call: form.call("CallUUID")?,
            stream: stream.map(|id| StreamId(id.to_owned())),
            event: match letters(form.required("Event")?).as_str() {
                "startstream" | "streamstarted" | "started" | "start" => StreamEvent::Started,
                "stopstream" | "streamstopped" | "stopped" | "stop" => StreamEvent::Stopped,
                "droppedstream" | "streamdropped" | "dropped" | "streamfailed" | "failed" => {
                    StreamEvent::Dropped
                }
                "degradedstream" | "streamdegraded" | "degraded" => StreamEvent::Degraded,
                "playedstream" | "played" => StreamEvent::Played,
                "clearedaudio" | "cleared" => StreamEvent::Cleared,
                _ => StreamEvent::Other,
            },
        })
    }
}
