//! Signatures of Standard Webhooks
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, read
//! 2026-11-21), by which a receiver knows that a request is ours, and new.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_core::id::HandoffId;
use handoff_core::time::WallTime;
use hmac::{Hmac, Mac as _};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use sha2::Sha256;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// What requests to one receiver are signed with: `whsec_` and the Base64 of 24 to 64 random bytes.
#[derive(Clone)]
pub struct SigningSecret(Vec<u8>);

/// A text is no such secret. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be whsec_ and the Base64 of 24 to 64 random bytes, as printed by \
     `echo whsec_$(openssl rand -base64 32)`"
)]
pub struct NoSigningSecret;

impl SigningSecret {
    /// Accepts a secret, with `whsec_` before it or without.
    ///
    /// # Errors
    ///
    /// [`NoSigningSecret`].
    pub fn parse(text: &str) -> Result<Self, NoSigningSecret> {
        let encoded = text.strip_prefix("whsec_").unwrap_or(text);
        let bytes = STANDARD.decode(encoded).map_err(|_| NoSigningSecret)?;
        let is_long_enough = (24..=64).contains(&bytes.len());
        is_long_enough.then_some(Self(bytes)).ok_or(NoSigningSecret)
    }

    /// The headers of the one message about a handoff that its receiver gets. A receiver takes messages
    /// of the same handoff as one, and refuses a `sent` that is more than some minutes off its clock.
    pub fn headers(&self, about: &HandoffId, sent: WallTime, body: &[u8]) -> HeaderMap {
        let seconds = (sent.0 / 1_000).to_string();
        let signature = self.signature(about.as_str(), &seconds, body);
        let value = |text: &str| {
            HeaderValue::try_from(text).expect("ids, numbers and Base64 are visible characters")
        };
        HeaderMap::from_iter([
            (ID, value(about.as_str())),
            (TIMESTAMP, value(&seconds)),
            (SIGNATURE, value(&signature)),
        ])
    }

    fn signature(&self, id: &str, seconds: &str, body: &[u8]) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Equal to what `standardwebhooks` 1.1.0 of PyPI signs.
    #[test]
    fn messages_are_signed_as_the_reference_library_signs_them() {
        let secret = "whsec_YnJpZGdlLWhhbmRvZmYtdGVzdC1rZXktMzJieXRlcyE=";
        let body = br#"{"type":"call.handoff.requested","timestamp":"2026-01-01T00:00:00Z","data":{"handoff_id":"ho_01J","call_sid":"CA00000000000000000000000000000002"}}"#;
        let secret = SigningSecret::parse(secret).unwrap();
        assert_eq!(
            secret.signature("msg_01JHANDOFF0000000000000001", "1767225600", body),
            "v1,fACcOF5JRBsS/yzRABamG46+LW2hDNzcaueSJbxJGJ4="
        );
    }

    #[test]
    fn headers_name_the_handoff_the_second_and_the_signature_of_both() {
        let secret = SigningSecret::parse(&STANDARD.encode([7; 32])).unwrap();
        let sent = WallTime(1_767_225_600_999);
        let handoff = HandoffId::mint(sent, [1; 10]);
        let headers = secret.headers(&handoff, sent, b"{}");
        assert_eq!(headers[ID], handoff.as_str());
        assert_eq!(headers[TIMESTAMP], "1767225600");
        let signature = secret.signature(handoff.as_str(), "1767225600", b"{}");
        assert_eq!(headers[SIGNATURE], signature);
    }

    #[test]
    fn a_secret_is_long_and_base64() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for good in [of(24), of(64), STANDARD.encode([7; 32])] {
            assert!(SigningSecret::parse(&good).is_ok(), "{good}");
        }
        for bad in [
            of(23),
            of(65),
            "whsec_".to_owned(),
            "whsec_a secret".to_owned(),
        ] {
            assert_eq!(
                SigningSecret::parse(&bad).err(),
                Some(NoSigningSecret),
                "{bad}"
            );
        }
    }
}
