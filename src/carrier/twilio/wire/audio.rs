//! Audio in and out of base64, and the messages that play it.

use handoff_core::id::StreamId;

use super::message::WireError;
use crate::carrier::payload::{self, json_string};

/// Decodes the base64 of a media message into `mulaw`, whose former content is dropped, and returns
/// the number of samples. Missing padding is accepted.
///
/// # Errors
///
/// [`WireError::Payload`], and `mulaw` is empty.
pub fn decode_payload(payload: &str, mulaw: &mut Vec<u8>) -> Result<usize, WireError> {
    payload::decode(payload, mulaw).ok_or(WireError::Payload)
}

/// Writes the messages that a bidirectional stream accepts. Anything sent on a one-way stream ends
/// it with error 31924.
#[derive(Clone, Debug)]
pub struct StreamOut {
    media: String,
    mark: String,
    clear: String,
}

impl StreamOut {
    /// Prepares the messages of one stream.
    pub fn new(stream: &StreamId) -> Self {
        let stream = json_string(&stream.0);
        Self {
            media: format!(r#"{{"event":"media","streamSid":{stream},"media":{{"payload":""#),
            mark: format!(r#"{{"event":"mark","streamSid":{stream},"mark":{{"name":"#),
            clear: format!(r#"{{"event":"clear","streamSid":{stream}}}"#),
        }
    }

    /// Replaces `text` by a message that plays `mulaw` after everything queued before it. Twilio
    /// paces playback itself and drops what exceeds ten minutes; messages below 20 ms are heard as
    /// jitter.
    pub fn media(&self, mulaw: &[u8], text: &mut String) {
        text.clear();
        text.push_str(&self.media);
        payload::encode(mulaw, text);
        text.push_str("\"}}");
    }

    /// Replaces `text` by a message that Twilio echoes once everything sent before it was played,
    /// or at once if nothing is queued, or when a clear throws it out: an echo alone does not prove
    /// that the caller heard something.
    pub fn mark(&self, name: &str, text: &mut String) {
        text.clear();
        text.push_str(&self.mark);
        text.push_str(&json_string(name));
        text.push_str("}}");
    }

    /// The message that empties the playback queue and echoes every outstanding mark.
    pub fn clear(&self) -> &str {
        &self.clear
    }
}
