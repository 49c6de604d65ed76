//! What a document may carry, as types that cannot hold anything else.
//!
//! Carriers ignore what they do not understand, or end a call over it once the caller is on the
//! line. So limits are checked where a value is made: at start-up for configuration, at the
//! voice webhook for the rest.

use std::fmt;

use handoff_core::pii::{Pii, Secret};
use http::uri::Uri;

use crate::base_url::{BaseUrl, is_loopback};

/// Why a value cannot go into a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// Not an absolute URL with a host.
    #[error("must be an absolute https:// address")]
    NotAbsolute,
    /// Another scheme than allowed; unencrypted ones are for loopback hosts only.
    #[error("must be an https:// or wss:// address (unencrypted only on this machine)")]
    Scheme,
    /// A stream URL with a query: Twilio strips it before it connects, so no carrier is given one.
    #[error("must end before the query: no ? and no #")]
    Query,
    /// A URL with a user or password in it.
    #[error("must not carry credentials before the host")]
    Credentials,
    /// A ring time outside of 5 to 600 seconds.
    #[error("must be from 5s to 600s, which is what carriers take")]
    RingTime,
    /// A token that is empty, too long or needs escaping in a path.
    #[error("token is not 1 to 256 letters, digits, - or _")]
    Token,
}

/// The URL of a media socket: absolute, `wss` (`ws` for loopback hosts only, which no carrier can
/// reach), no query, no fragment, no credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamUrl(String);

impl StreamUrl {
    /// Checks a URL.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] with what is wrong about it.
    pub fn new(url: &str) -> Result<Self, ArgumentError> {
        if url.contains(['?', '#']) {
            return Err(ArgumentError::Query);
        }
        let uri = absolute(url)?;
        match uri.scheme_str() {
            Some("wss") => Ok(Self(url.to_owned())),
            Some("ws") if is_loopback(uri.host().unwrap_or_default()) => Ok(Self(url.to_owned())),
            _ => Err(ArgumentError::Scheme),
        }
    }

    /// The URL of a media socket below a base. `path` begins with a slash and needs no escaping.
    pub fn below(base: &BaseUrl, path: &str) -> Self {
        Self(base.socket_at(path))
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The token is in the path, so the URL is not shown.
impl fmt::Debug for StreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<stream URL>")
    }
}

/// A URL that a carrier fetches or posts to: absolute, `https` (`http` for loopback hosts only, which no
/// carrier can reach), no credentials. A fragment carries connection overrides and is allowed
/// (<https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>;
/// Plivo has the same).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl(String);

impl WebUrl {
    /// Checks a URL.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] with what is wrong about it.
    pub fn new(url: &str) -> Result<Self, ArgumentError> {
        let uri = absolute(url)?;
        match uri.scheme_str() {
            Some("https") => Ok(Self(url.to_owned())),
            Some("http") if is_loopback(uri.host().unwrap_or_default()) => Ok(Self(url.to_owned())),
            _ => Err(ArgumentError::Scheme),
        }
    }

    /// The URL of something below a base. `path` begins with a slash and needs no escaping.
    pub fn below(base: &BaseUrl, path: &str) -> Self {
        Self(base.at(path))
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn absolute(url: &str) -> Result<Uri, ArgumentError> {
    let uri: Uri = url.parse().map_err(|_| ArgumentError::NotAbsolute)?;
    let authority = uri.authority().ok_or(ArgumentError::NotAbsolute)?;
    if authority.as_str().contains('@') {
        return Err(ArgumentError::Credentials);
    }
    if authority.host().is_empty() || uri.scheme().is_none() {
        return Err(ArgumentError::NotAbsolute);
    }
    Ok(uri)
}

/// The one-use token of a stream, as it stands in the path and in the stream's parameter named
/// [`StreamToken::PARAMETER`]. Both together stay below what carriers document: 500 characters a value
/// at Twilio, 512 bytes in all at Plivo.
#[derive(Clone, Debug)]
pub struct StreamToken(Secret);

impl StreamToken {
    /// The name of the parameter that carries the token.
    pub const PARAMETER: &str = "token";

    /// Checks a token: 1 to 256 characters that need no escaping anywhere.
    ///
    /// # Errors
    ///
    /// [`ArgumentError::Token`].
    pub fn new(token: Secret) -> Result<Self, ArgumentError> {
        let text = token.expose();
        let shaped = (1..=256).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if shaped {
            Ok(Self(token))
        } else {
            Err(ArgumentError::Token)
        }
    }

    /// Gives the token to the document.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// How long a phone rings: 5 to 600 seconds, to which Twilio adds about 5
/// (<https://www.twilio.com/docs/voice/twiml/dial>, read 2026-11-21). Plivo documents no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RingSeconds(u16);

impl RingSeconds {
    /// The longest.
    pub const LONGEST: Self = Self(600);

    /// Checks a ring time.
    ///
    /// # Errors
    ///
    /// [`ArgumentError::RingTime`].
    pub fn new(seconds: u16) -> Result<Self, ArgumentError> {
        if (5..=600).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(ArgumentError::RingTime)
        }
    }

    /// The number of seconds.
    pub fn get(self) -> u16 {
        self.0
    }
}

/// A text that is spoken to the caller: at most 4,096 characters, none of them forbidden in XML
/// (<https://www.twilio.com/docs/voice/twiml/say>, read 2026-11-21).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken(Pii<String>);

impl Spoken {
    /// The longest text that Twilio speaks. Plivo documents no limit.
    pub const LIMIT_CHARS: usize = 4_096;

    /// Makes a text speakable: characters that XML cannot carry are dropped, and what is too long
    /// ends with the last whole word that fits and `…`.
    pub fn new(text: &str) -> Self {
        let clean: String = text
            .chars()
            .filter(|&c| super::markup::is_allowed(c))
            .collect();
        let clean = clean.trim();
        let Some((end, _)) = clean.char_indices().nth(Self::LIMIT_CHARS) else {
            return Self(Pii::new(clean.to_owned()));
        };
        let (room, _) = clean[..end]
            .char_indices()
            .next_back()
            .expect("a text past the limit has characters before it");
        let whole_words = match clean[room..].chars().next() {
            Some(next) if next.is_whitespace() => &clean[..room],
            _ => clean[..room]
                .rsplit_once(char::is_whitespace)
                .map_or(&clean[..room], |(words, _)| words),
        };
        Self(Pii::new(format!("{}…", whole_words.trim_end())))
    }

    /// Gives the text to the document.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Who speaks to the caller, in the carrier's names; `None` leaves the choice to the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voice {
    /// For example `Polly.Joanna-Neural`.
    pub name: Option<String>,
    /// For example `en-US`.
    pub language: Option<String>,
}
