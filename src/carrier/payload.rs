//! Audio in and out of the base64 of media messages.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Decodes base64 into `audio`, whose former content is dropped, and returns the number of bytes, or
/// `None` and leaves `audio` empty. Missing padding is accepted.
pub fn decode(payload: &str, audio: &mut Vec<u8>) -> Option<usize> {
    audio.clear();
    if BASE64.decode_vec(payload, audio).is_err() {
        audio.clear();
        return None;
    }
    Some(audio.len())
}

/// Appends the base64 of `audio`.
pub(super) fn encode(audio: &[u8], text: &mut String) {
    BASE64.encode_string(audio, text);
}

/// Renders a text as a JSON string, quotes included.
pub(super) fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

static BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
