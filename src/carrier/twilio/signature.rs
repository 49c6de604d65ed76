//! Proof that a webhook or a socket upgrade comes from Twilio.
//!
//! Twilio signs the URL as it was told it, byte for byte, so the check runs over the configured
//! public URL, never over what a proxy or a `Host` header says. Where Twilio is known to be
//! inconsistent (ports, a trailing slash on upgrades) every documented spelling is tried. All
//! comparisons take the same time whatever was presented.
//!
//! Sources: <https://www.twilio.com/docs/usage/webhooks/webhooks-security>, and the validators of
//! the official libraries `twilio` 9.13.0 for Python and 6.2.0 for Node, read 2026-11-21.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_core::pii::Secret;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use http::HeaderMap;
use http::uri::Uri;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The header that carries the signature. On upgrades its name arrives in lower case.
pub const SIGNATURE_HEADER: &str = "x-twilio-signature";

/// The header that names key and algorithm of shared-key signatures. Known from the Python library
/// alone; no public page describes it.
pub const SETTINGS_HEADER: &str = "x-twilio-webhooks-signature-settings";

/// Verifies signatures over one public URL.
#[derive(Clone, Debug)]
pub struct Verifier {
    public: PublicUrl,
    keys: SigningKeys,
}

/// What Twilio signs with.
#[derive(Clone, Debug)]
pub enum SigningKeys {
    /// The account's primary Auth Token, HMAC-SHA1. A second one is accepted while tokens are
    /// rotated.
    AuthTokens(Vec<Secret>),
    /// Shared keys, HMAC-SHA256. Signatures by Auth Token are then refused, so that nobody can
    /// choose the weaker scheme by leaving out a header.
    SharedKeys(Vec<SharedKey>),
}

/// A key that Twilio names in [`SETTINGS_HEADER`].
#[derive(Clone, Debug)]
pub struct SharedKey {
    /// Its name.
    pub id: String,
    /// The key.
    pub secret: Secret,
}

/// Why a [`Verifier`] cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifierError {
    /// The public URL is not absolute, not http(s), or has a query or fragment.
    #[error("public URL is not an absolute http or https URL without query and fragment")]
    PublicUrl,
    /// There is no key, or one of them is empty: anybody could sign with it.
    #[error("no signing key, or an empty one")]
    Key,
}

/// Why a request is not believed to come from Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No signature. On upgrades the vendor's pages and users disagree on whether there is one; the
    /// one-use token decides there.
    #[error("signature missing")]
    Missing,
    /// The header occurs more than once.
    #[error("more than one signature")]
    Duplicate,
    /// The header is not base64 of a signature, or the settings contradict themselves.
    #[error("signature malformed")]
    Malformed,
    /// The signature belongs to another URL, other parameters or another key.
    #[error("signature does not match")]
    Mismatch,
    /// The body is not the one that `bodySHA256` announces, or there is no such announcement.
    #[error("body hash missing or different")]
    BodyHash,
    /// The settings header names an algorithm this version does not know.
    #[error("signature algorithm unknown")]
    UnknownAlgorithm,
    /// The settings header names no key, or none of ours.
    #[error("signing key unknown")]
    UnknownKey,
    /// Shared keys are configured, and the signature uses the older scheme.
    #[error("signature of a weaker scheme than configured")]
    Downgrade,
}

impl Verifier {
    /// Builds a verifier for the URL under which Twilio reaches this server. The URL may have a
    /// path, which is put before every path that is verified.
    ///
    /// # Errors
    ///
    /// [`VerifierError`], at start-up: configuration has to be mended.
    pub fn new(public_url: &str, keys: SigningKeys) -> Result<Self, VerifierError> {
        let usable = match &keys {
            SigningKeys::AuthTokens(tokens) => all_usable(tokens.iter()),
            SigningKeys::SharedKeys(keys) => all_usable(keys.iter().map(|key| &key.secret)),
        };
        if !usable {
            return Err(VerifierError::Key);
        }
        let public = PublicUrl::parse(public_url).ok_or(VerifierError::PublicUrl)?;
        Ok(Self { public, keys })
    }

    /// Verifies a form POST, or a GET, which has no parameters but those in its target.
    /// `path_and_query` is the raw request target below the public URL, `parameters` every decoded
    /// parameter of the body, unknown and empty ones included.
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
        let mut signed: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        signed.sort_unstable();
        signed.dedup();
        self.verify(&self.public.http(path_and_query), &signed, headers)
    }

    /// Verifies a POST whose body is not a form: the target is signed and carries the hash of the
    /// body as `bodySHA256`. Voice posts forms alone, so no route asks for this; it stands beside the
    /// rest of the vendor's scheme so that the first one that takes JSON cannot be without it.
    ///
    /// # Errors
    ///
    /// [`SignatureError`]: answer 403.
    pub fn verify_body(
        &self,
        path_and_query: &str,
        body: &[u8],
        headers: &HeaderMap,
    ) -> Result<(), SignatureError> {
        self.verify(&self.public.http(path_and_query), &[], headers)?;
        let query = path_and_query
            .split_once('?')
            .map_or("", |(_, query)| query);
        let mut announced = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("bodySHA256="));
        let (Some(announced), None) = (announced.next(), announced.next()) else {
            return Err(SignatureError::BodyHash);
        };
        let hash = hex(&Sha256::digest(body));
        if bool::from(hash.as_bytes().ct_eq(announced.as_bytes())) {
            Ok(())
        } else {
            Err(SignatureError::BodyHash)
        }
    }

    /// Verifies the upgrade of a media socket: the `wss` URL of the document, no parameters. With
    /// and without a trailing slash, with and without the port, because the vendor's pages leave
    /// open which of them is signed.
    ///
    /// # Errors
    ///
    /// [`SignatureError`]: answer 403. [`SignatureError::Missing`] may be left to the token.
    pub fn verify_upgrade(&self, path: &str, headers: &HeaderMap) -> Result<(), SignatureError> {
        self.verify(&self.public.websocket(path), &[], headers)
    }

    fn verify(
        &self,
        urls: &[String],
        parameters: &[(&str, &str)],
        headers: &HeaderMap,
    ) -> Result<(), SignatureError> {
        let presented = Presented::read(headers)?;
        let matched = match (&self.keys, presented.scheme) {
            (SigningKeys::AuthTokens(tokens), Scheme::Sha1) => {
                any_signs::<Hmac<Sha1>>(tokens.iter(), urls, parameters, &presented.signature)
            }
            (SigningKeys::AuthTokens(_), Scheme::Sha256 { .. }) => {
                return Err(SignatureError::UnknownKey);
            }
            (SigningKeys::SharedKeys(_), Scheme::Sha1) => return Err(SignatureError::Downgrade),
            (SigningKeys::SharedKeys(keys), Scheme::Sha256 { key }) => {
                let key = key.ok_or(SignatureError::UnknownKey)?;
                let named = keys
                    .iter()
                    .find(|candidate| candidate.id == key)
                    .ok_or(SignatureError::UnknownKey)?;
                let secret = std::iter::once(&named.secret);
                any_signs::<Hmac<Sha256>>(secret, urls, parameters, &presented.signature)
            }
        };
        if bool::from(matched) {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }
}

fn all_usable<'a>(mut secrets: impl ExactSizeIterator<Item = &'a Secret>) -> bool {
    secrets.len() > 0 && secrets.all(|secret| !secret.expose().is_empty())
}

/// Tries every key on every URL, without stopping at the first that fits.
fn any_signs<'a, M: Mac + KeyInit>(
    secrets: impl Iterator<Item = &'a Secret>,
    urls: &[String],
    parameters: &[(&str, &str)],
    presented: &[u8],
) -> Choice {
    let mut matched = Choice::from(0);
    for secret in secrets {
        for url in urls {
            let mut mac = <M as Mac>::new_from_slice(secret.expose().as_bytes())
                .expect("HMAC takes keys of any length");
            mac.update(url.as_bytes());
            for (name, value) in parameters {
                mac.update(name.as_bytes());
                mac.update(value.as_bytes());
            }
            matched |= mac.finalize().into_bytes().as_slice().ct_eq(presented);
        }
    }
    matched
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

/// What the headers claim.
struct Presented<'a> {
    signature: Vec<u8>,
    scheme: Scheme<'a>,
}

enum Scheme<'a> {
    Sha1,
    Sha256 { key: Option<&'a str> },
}

impl<'a> Presented<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self, SignatureError> {
        let signature = single(headers, SIGNATURE_HEADER)?.ok_or(SignatureError::Missing)?;
        let settings = single(headers, SETTINGS_HEADER)?.unwrap_or_default();
        Ok(Self {
            signature: STANDARD
                .decode(signature)
                .map_err(|_| SignatureError::Malformed)?,
            scheme: Scheme::read(settings)?,
        })
    }
}

impl<'a> Scheme<'a> {
    /// Shape: `key=<name>,algorithm=HMAC_SHA256`. Without an algorithm the signature is a classic
    /// one, as in the Python library.
    fn read(settings: &'a str) -> Result<Self, SignatureError> {
        let setting = |wanted: &str| {
            let mut values = settings
                .split(',')
                .filter_map(|part| part.split_once('='))
                .filter(|(name, _)| name.trim() == wanted)
                .map(|(_, value)| value.trim())
                .filter(|value| !value.is_empty());
            match (values.next(), values.next()) {
                (value, None) => Ok(value),
                (_, Some(_)) => Err(SignatureError::Malformed),
            }
        };
        match setting("algorithm")? {
            None => Ok(Self::Sha1),
            Some(name) if name.eq_ignore_ascii_case("HMAC_SHA1") => Ok(Self::Sha1),
            Some(name) if name.eq_ignore_ascii_case("HMAC_SHA256") => Ok(Self::Sha256 {
                key: setting("key")?,
            }),
            Some(_) => Err(SignatureError::UnknownAlgorithm),
        }
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value
            .to_str()
            .map(Some)
            .map_err(|_| SignatureError::Malformed),
        (Some(_), Some(_)) => Err(SignatureError::Duplicate),
    }
}

/// The public URL, taken apart only as far as the spellings of it differ.
#[derive(Clone, Debug)]
struct PublicUrl {
    secure: bool,
    host: String,
    port: Option<u16>,
    /// Empty, or begins with `/` and does not end with one.
    prefix: String,
}

impl PublicUrl {
    fn parse(text: &str) -> Option<Self> {
        if text.contains(['?', '#', '@']) {
            return None;
        }
        let uri: Uri = text.parse().ok()?;
        let secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self {
            secure,
            host: uri.host().filter(|host| !host.is_empty())?.to_owned(),
            port: uri.port_u16(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    fn http(&self, target: &str) -> Vec<String> {
        self.spellings(if self.secure { "https" } else { "http" }, &[target])
    }

    fn websocket(&self, path: &str) -> Vec<String> {
        let other = match path.strip_suffix('/') {
            Some(bare) => bare.to_owned(),
            None => format!("{path}/"),
        };
        self.spellings(if self.secure { "wss" } else { "ws" }, &[path, &other])
    }

    /// As configured, and, like the official validators, without the port and with the default one.
    /// They take 80 as the default of `wss`; nothing real is signed like that.
    fn spellings(&self, scheme: &str, targets: &[&str]) -> Vec<String> {
        let default = if self.secure { 443 } else { 80 };
        let ports = [None, Some(self.port.unwrap_or(default))];
        let mut urls = Vec::with_capacity(ports.len() * targets.len());
        for target in targets {
            for port in ports {
                let port = port.map_or(String::new(), |port| format!(":{port}"));
                urls.push(format!(
                    "{scheme}://{}{port}{}{target}",
                    self.host, self.prefix
                ));
            }
        }
        urls
    }
}
