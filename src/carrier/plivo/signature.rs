//! Proof that a webhook or a socket upgrade comes from Plivo: its signatures of version 3.
//!
//! Plivo signs the URL as it was told it, the decoded and sorted parameters and a nonce, so the check
//! runs over the configured public URL, never over what a proxy or a `Host` header says. Nonces are not
//! remembered: what a repeated request may do is decided by the state of the call. All comparisons take
//! the same time whatever was presented.
//!
//! Sources: the validators of the official libraries `plivo` 4.63.0 for Python and 4.79.0 for Node, and
//! <https://plivo.com/docs/voice-agents/audio-streaming/concepts/audio-streaming-guide>, read
//! 2026-11-21. That upgrades are signed over the `http` form of the URL is from a live test by the
//! vendor's own CLI project and from one more repository; the guide says "full URI" and no more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_core::pii::Secret;
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::base_url::BaseUrl;

/// The header with signatures by the token of the account, or sub-account, that owns the resource.
pub const SIGNATURE_HEADER: &str = "x-plivo-signature-v3";

/// The header with signatures by the main account's token.
pub const MAIN_SIGNATURE_HEADER: &str = "x-plivo-signature-ma-v3";

/// The header with the nonce that both are computed with.
pub const NONCE_HEADER: &str = "x-plivo-signature-v3-nonce";

/// Signatures that do not cover the body, under either account's token. Never accepted.
const WEAKER_HEADERS: [&str; 2] = ["x-plivo-signature-v2", "x-plivo-signature-ma-v2"];

/// Verifies signatures over one public URL.
#[derive(Clone, Debug)]
pub struct Verifier {
    public_url: BaseUrl,
    tokens: Vec<Secret>,
}

/// Why a [`Verifier`] cannot be made: there is no token, or one is empty, so that anybody could sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no auth token to verify signatures with, or an empty one")]
pub struct NoToken;

/// Why a request is not believed to come from Plivo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No signature of any version. The vendor's stream tester sends none.
    #[error("signature missing")]
    Missing,
    /// Only a signature of version 2, which leaves the body open to anybody.
    #[error("signature of version 2, which does not cover the body")]
    Downgrade,
    /// A signature without the nonce that it was computed with.
    #[error("nonce missing")]
    NonceMissing,
    /// More than one nonce.
    #[error("more than one nonce")]
    NonceDuplicate,
    /// A signature header is no text, or the nonce cannot be one.
    #[error("signature or nonce malformed")]
    Malformed,
    /// The signatures belong to another URL, other parameters, another nonce or another token.
    #[error("signature does not match")]
    Mismatch,
}

/// The scheme under which the URL of a media socket was signed, for a log line: which of them Plivo uses
/// is known from few accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedScheme {
    /// `http`, seen on live calls.
    Http,
    /// `https`.
    Https,
    /// `wss`, as it stands in the document.
    Wss,
    /// `ws`.
    Ws,
}

impl SignedScheme {
    const ALL: [Self; 4] = [Self::Http, Self::Https, Self::Wss, Self::Ws];

    /// The scheme's name in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Wss => "wss",
            Self::Ws => "ws",
        }
    }
}

impl Verifier {
    /// Builds a verifier for the URL under which Plivo reaches this server. Any of the tokens is good
    /// for any header: the account's, the main account's for calls of a sub-account, and the next one
    /// while tokens are rotated.
    ///
    /// # Errors
    ///
    /// [`NoToken`], at start-up: configuration has to be mended.
    pub fn new(public_url: &BaseUrl, tokens: Vec<Secret>) -> Result<Self, NoToken> {
        if tokens.is_empty() || tokens.iter().any(|token| token.expose().is_empty()) {
            return Err(NoToken);
        }
        Ok(Self {
            public_url: public_url.clone(),
            tokens,
        })
    }

    /// Verifies a GET. `path_and_query` is the raw request target below the public URL.
    ///
    /// # Errors
    ///
    /// [`SignatureError`]: answer 403.
    pub fn verify_get(
        &self,
        path_and_query: &str,
        headers: &HeaderMap,
    ) -> Result<(), SignatureError> {
        self.verify_form(path_and_query, &[], headers)
    }

    /// Verifies a form POST: `parameters` is every decoded parameter of the body, unknown and empty ones
    /// included. One without parameters is signed like a GET.
    ///
    /// # Errors
    ///
    /// [`SignatureError`]: answer 403.
    pub fn verify_form(
        &self,
        path_and_query: &str,
        parameters: &[(String, String)],
        headers: &HeaderMap,
    ) -> Result<(), SignatureError> {
        let presented = Presented::read(headers)?;
        let signed = signed_text(&self.public_url.at(path_and_query), parameters);
        if bool::from(self.any_signs(&signed, &presented)) {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    /// Verifies the upgrade of a media socket and says which form of its URL was signed.
    ///
    /// # Errors
    ///
    /// [`SignatureError`]: answer 403. [`SignatureError::Missing`] may be left to the token.
    pub fn verify_upgrade(
        &self,
        path_and_query: &str,
        headers: &HeaderMap,
    ) -> Result<SignedScheme, SignatureError> {
        let presented = Presented::read(headers)?;
        let url = self.public_url.at(path_and_query);
        let (_, address) = url
            .split_once("://")
            .expect("a base URL begins with its scheme");
        SignedScheme::ALL
            .map(|scheme| {
                let signed = signed_text(&format!("{}://{address}", scheme.as_str()), &[]);
                (scheme, self.any_signs(&signed, &presented))
            })
            .into_iter()
            .find_map(|(scheme, matched)| bool::from(matched).then_some(scheme))
            .ok_or(SignatureError::Mismatch)
    }

    /// Tries every token on every presented signature, without stopping at the first that fits.
    fn any_signs(&self, signed: &str, presented: &Presented<'_>) -> Choice {
        let mut matched = Choice::from(0);
        for token in &self.tokens {
            let mut mac = Hmac::<Sha256>::new_from_slice(token.expose().as_bytes())
                .expect("HMAC takes keys of any length");
            mac.update(signed.as_bytes());
            mac.update(b".");
            mac.update(presented.nonce.as_bytes());
            let expected = STANDARD.encode(mac.finalize().into_bytes());
            for signature in &presented.signatures {
                matched |= expected.as_bytes().ct_eq(signature.as_bytes());
            }
        }
        matched
    }
}

/// What is signed, but for the nonce: the address without query, the decoded query as `?k=v&…` in order,
/// then the parameters as `kv…` in order, after a `.` if there is a query and after the bare `?` if not.
fn signed_text(url: &str, parameters: &[(String, String)]) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut query: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    query.sort_unstable();
    let mut parameters: Vec<_> = parameters.iter().collect();
    parameters.sort_unstable();

    let mut text = address.to_owned();
    for (at, (name, value)) in query.iter().enumerate() {
        text.push(if at == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    if !parameters.is_empty() {
        text.push(if query.is_empty() { '?' } else { '.' });
    }
    for (name, value) in parameters {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

/// What the headers claim.
struct Presented<'a> {
    /// As base64: entries that are none equal no signature of ours.
    signatures: Vec<&'a str>,
    nonce: &'a str,
}

impl<'a> Presented<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self, SignatureError> {
        let mut signatures = Vec::new();
        for name in [SIGNATURE_HEADER, MAIN_SIGNATURE_HEADER] {
            for value in headers.get_all(name) {
                // The official libraries do not trim, so a list with spaces is one they would refuse.
                let listed = text(value)?.split(',').map(str::trim);
                signatures.extend(listed.filter(|signature| !signature.is_empty()));
            }
        }
        if signatures.is_empty() {
            let weaker = WEAKER_HEADERS
                .iter()
                .any(|name| headers.contains_key(*name));
            return Err(if weaker {
                SignatureError::Downgrade
            } else {
                SignatureError::Missing
            });
        }
        let mut nonces = headers.get_all(NONCE_HEADER).iter();
        let nonce = match (nonces.next(), nonces.next()) {
            (None, _) => return Err(SignatureError::NonceMissing),
            (Some(_), Some(_)) => return Err(SignatureError::NonceDuplicate),
            (Some(nonce), None) => text(nonce)?.trim(),
        };
        if nonce.is_empty() {
            return Err(SignatureError::NonceMissing);
        }
        // Text and nonce are joined by a dot. With another dot in the nonce, one signature would be good
        // for two readings: the end of a parameter could be moved into the nonce.
        if nonce.contains('.') {
            return Err(SignatureError::Malformed);
        }
        Ok(Self { signatures, nonce })
    }
}

fn text(value: &HeaderValue) -> Result<&str, SignatureError> {
    value.to_str().map_err(|_| SignatureError::Malformed)
}
