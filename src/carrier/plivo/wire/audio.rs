//! Audio in and out of base64, and the messages that play it.

use handoff_core::id::StreamId;

use super::message::WireError;
use crate::carrier::lenient::is_key;
use crate::carrier::payload::{self, json_string};

/// The most audio that one message may carry: Plivo takes 16 KB of base64. A second and a half.
pub const MAX_MEDIA_BYTES: usize = 12_000;

/// Decodes the base64 of a media message into `mulaw`, whose former content is dropped, and returns
/// the number of samples. Missing padding is accepted.
///
/// # Errors
///
/// [`WireError::Payload`], and `mulaw` is empty.
pub fn decode_payload(payload: &str, mulaw: &mut Vec<u8>) -> Result<usize, WireError> {
    payload::decode(payload, mulaw).ok_or(WireError::Payload)
}

/// Writes the messages that a bidirectional stream accepts.
#[derive(Clone, Debug)]
pub struct StreamOut {
    checkpoint: String,
    clear: String,
}

/// A text to be sent as keys has a character in it that no telephone has a key for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key of a telephone")]
pub struct NotAKey;

impl StreamOut {
    /// Prepares the messages of one stream.
    pub fn new(stream: &StreamId) -> Self {
        let stream = json_string(&stream.0);
        Self {
            checkpoint: format!(r#"{{"event":"checkpoint","streamId":{stream},"name":"#),
            clear: format!(r#"{{"event":"clearAudio","streamId":{stream}}}"#),
        }
    }

    /// Replaces `text` by a message that plays `mulaw` after everything queued before it, and returns
    /// what did not fit into one ([`MAX_MEDIA_BYTES`]).
    ///
    /// Plivo's queue is 40 or 60 s deep (its pages disagree) and what exceeds it is lost: whoever plays
    /// keeps at most 20 s ahead.
    pub fn media<'m>(&self, mulaw: &'m [u8], text: &mut String) -> &'m [u8] {
        let (fits, rest) = mulaw.split_at(mulaw.len().min(MAX_MEDIA_BYTES));
        text.clear();
        // The rate is a member of its own here, unlike in documents.
        text.push_str(
            r#"{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":""#,
        );
        payload::encode(fits, text);
        text.push_str("\"}}");
        rest
    }

    /// Replaces `text` by a message that Plivo answers with `playedStream` once everything sent before it
    /// was played. Whether a clear answers for those it throws out is unconfirmed: do not wait for them.
    pub fn checkpoint(&self, name: &str, text: &mut String) {
        text.clear();
        text.push_str(&self.checkpoint);
        text.push_str(&json_string(name));
        text.push('}');
    }

    /// The message that empties the playback queue, answered with `clearedAudio`.
    pub fn clear(&self) -> &str {
        &self.clear
    }

    /// Replaces `text` by a message that presses `keys` towards the caller, one after the other.
    ///
    /// # Errors
    ///
    /// [`NotAKey`], and `text` is empty.
    pub fn send_keys(&self, keys: &str, text: &mut String) -> Result<(), NotAKey> {
        text.clear();
        if keys.is_empty() || !keys.chars().all(is_key) {
            return Err(NotAKey);
        }
        text.push_str(r#"{"event":"sendDTMF","dtmf":""#);
        text.push_str(keys);
        text.push_str("\"}");
        Ok(())
    }
}
