//! SIP addresses, and what rides along in their headers.

use std::fmt;

use handoff_core::pii::Secret;

use crate::carrier::template::Template;

/// A SIP address with what its telephone system is told.
#[derive(Clone, Debug)]
pub struct SipTarget {
    /// The address.
    pub uri: SipUri,
    /// Headers, in the order in which they matter: if there is no room for all, the longest goes first,
    /// and of equally long ones the last. One whose value is empty is left out.
    pub headers: Vec<(HeaderName, Template)>,
    /// The header `User-to-User` of RFC 7433.
    pub user_to_user: Option<UserToUser>,
    /// What the address asks for before it rings.
    pub credentials: Option<SipCredentials>,
}

/// Why a text is no part of a SIP target. The text itself is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SipError {
    /// It is no address.
    #[error("must be an address like \"sip:sales@pbx.example.com:5061;transport=tls\"")]
    Malformed,
    /// It is `sips:`.
    #[error("must begin with sip: (for encryption end with ;transport=tls)")]
    Scheme,
    /// Headers in the address.
    #[error("must end before the ? (headers have settings of their own)")]
    Headers,
    /// A transport that there is not.
    #[error("transport must be udp, tcp or tls")]
    Transport,
    /// Longer than carriers take.
    #[error("must be shorter than 255 characters")]
    TooLong,
    /// It is no name of a header.
    #[error("header must be 1 to 64 letters, digits and hyphens, like \"x-handoff-id\"")]
    HeaderName,
    /// User-to-User as one header of many.
    #[error("header User-to-User has a setting of its own, which takes its encoding")]
    UserToUser,
    /// A name or password that no attribute can carry.
    #[error("user name and password must be 1 to 128 visible characters")]
    Credentials,
}

/// The address of a SIP telephone or system: `sip:user@host[:port][;parameter=value]…`.
///
/// Twilio takes fewer than 255 characters (<https://www.twilio.com/docs/voice/twiml/sip>, read 2026-11-21).
#[derive(Clone, PartialEq, Eq)]
pub struct SipUri(String);

impl SipUri {
    /// The longest address that is accepted.
    pub const LIMIT_CHARS: usize = 254;

    /// Accepts an address.
    ///
    /// # Errors
    ///
    /// [`SipError`] says what would be right.
    pub fn parse(text: &str) -> Result<Self, SipError> {
        if text.len() > Self::LIMIT_CHARS {
            return Err(SipError::TooLong);
        }
        if text.starts_with("sips:") {
            return Err(SipError::Scheme);
        }
        if text.contains('?') {
            return Err(SipError::Headers);
        }
        let rest = text.strip_prefix("sip:").ok_or(SipError::Malformed)?;
        let (user, place) = rest.split_once('@').ok_or(SipError::Malformed)?;
        let mut parts = place.split(';');
        let host = parts.next().unwrap_or_default();
        if !is_user(user) || !is_host(host) {
            return Err(SipError::Malformed);
        }
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, "1"));
            if !is_token(name) || !is_token(value) {
                return Err(SipError::Malformed);
            }
            if name == "transport" && !["udp", "tcp", "tls"].contains(&value) {
                return Err(SipError::Transport);
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// Gives the address to the document.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Addresses are often people's names or numbers.
impl fmt::Debug for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<SIP address>")
    }
}

/// What RFC 3261 lets stand before the `@`, but for `;` and `?`, which carriers read as the end of it, and
/// `&`, which is theirs between headers.
fn is_user(user: &str) -> bool {
    let sign = |c| b"-_.!~*'()=+$,/".contains(&c);
    let mut parts = user.split('%');
    let plain = |part: &str| (part.bytes()).all(|c| c.is_ascii_alphanumeric() || sign(c));
    let escaped = |part: &str| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    !user.is_empty()
        && parts.next().is_some_and(plain)
        && parts.all(|part| escaped(part) && plain(part))
}

fn is_host(text: &str) -> bool {
    let after_address = text.rfind(']').unwrap_or(0);
    let (host, port) = match text[after_address..].rfind(':') {
        Some(colon) => {
            let (host, port) = text.split_at(after_address + colon);
            (host, Some(&port[1..]))
        }
        None => (text, None),
    };
    let port_is_one = port.is_none_or(|port| {
        port.bytes().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    let address = (host.strip_prefix('[')).and_then(|host| host.strip_suffix(']'));
    let host_is_one = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.split('.').all(|label| {
                    !label.is_empty()
                        && label
                            .bytes()
                            .all(|c| c.is_ascii_alphanumeric() || c == b'-')
                })
        }
    };
    port_is_one && host_is_one
}

fn is_token(text: &str) -> bool {
    let sign = |c| b"-_.~".contains(&c);
    !text.is_empty() && (text.bytes()).all(|c| c.is_ascii_alphanumeric() || sign(c))
}

/// The name of a header.
///
/// A carrier puts its own mark before most: what is `handoff-id` here arrives as `x-handoff-id` from Twilio
/// and as `X-PH-…` from Plivo, so `x-` is not part of the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderName {
    /// A name of one's own, without `x-`.
    Custom(String),
    /// One that Twilio sends as it is.
    Standard(StandardHeader),
}

/// The headers that Twilio sends beside `x-…` and `User-to-User`
/// (<https://www.twilio.com/docs/voice/twiml/sip>, read 2026-11-21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardHeader {
    /// `Remote-Party-ID`.
    RemotePartyId,
    /// `P-Preferred-Identity`.
    PreferredIdentity,
    /// `P-Called-Party-ID`.
    CalledPartyId,
}

impl StandardHeader {
    const ALL: [Self; 3] = [
        Self::RemotePartyId,
        Self::PreferredIdentity,
        Self::CalledPartyId,
    ];

    /// The name as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RemotePartyId => "Remote-Party-ID",
            Self::PreferredIdentity => "P-Preferred-Identity",
            Self::CalledPartyId => "P-Called-Party-ID",
        }
    }
}

impl HeaderName {
    /// Accepts a name, with `x-` or without.
    ///
    /// # Errors
    ///
    /// [`SipError::HeaderName`] or [`SipError::UserToUser`].
    pub fn parse(text: &str) -> Result<Self, SipError> {
        let standard = (StandardHeader::ALL.into_iter())
            .find(|header| header.as_str().eq_ignore_ascii_case(text));
        if let Some(header) = standard {
            return Ok(Self::Standard(header));
        }
        if text.eq_ignore_ascii_case("User-to-User") {
            return Err(SipError::UserToUser);
        }
        let name = match text.get(..2) {
            Some(mark) if mark.eq_ignore_ascii_case("x-") => &text[2..],
            _ => text,
        };
        let shaped = (1..=64).contains(&name.len())
            && (name.bytes()).all(|c| c.is_ascii_alphanumeric() || c == b'-');
        shaped
            .then(|| Self::Custom(name.to_owned()))
            .ok_or(SipError::HeaderName)
    }

    /// The name without a carrier's mark.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Custom(name) => name,
            Self::Standard(header) => header.as_str(),
        }
    }
}

/// The header `User-to-User`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserToUser {
    /// What it says.
    pub value: Template,
    /// How that is written.
    pub encoding: UserToUserEncoding,
}

/// How the header `User-to-User` writes its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserToUserEncoding {
    /// Each byte as two hexadecimal digits, which RFC 7433 defines and any system reads.
    #[default]
    Hex,
    /// Base64, which some systems read and RFC 7433 leaves open.
    Base64,
}

/// What a SIP address asks for before it rings.
#[derive(Clone, Debug)]
pub struct SipCredentials {
    username: String,
    password: Secret,
}

impl SipCredentials {
    /// Accepts a name and a password.
    ///
    /// # Errors
    ///
    /// [`SipError::Credentials`].
    pub fn new(username: &str, password: Secret) -> Result<Self, SipError> {
        let shaped = [username, password.expose()].into_iter().all(|text| {
            (1..=128).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic())
        });
        if shaped {
            Ok(Self {
                username: username.to_owned(),
                password,
            })
        } else {
            Err(SipError::Credentials)
        }
    }

    /// The name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password.
    pub fn password(&self) -> &Secret {
        &self.password
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_user_and_a_host() {
        for good in [
            "sip:sales@pbx.example.com",
            "sip:+15550100042@10.0.0.1:5060",
            "sip:a.b_c%20d@[2001:db8::1]:5061;transport=tls",
            "sip:a@h;transport=udp;region=ie1;lr",
            &format!("sip:{}@h.example", "a".repeat(240)),
        ] {
            assert!(SipUri::parse(good).is_ok(), "{good}");
        }
        for (bad, error) in [
            ("", SipError::Malformed),
            ("sales@pbx.example.com", SipError::Malformed),
            ("sip:pbx.example.com", SipError::Malformed),
            ("sip:@pbx.example.com", SipError::Malformed),
            ("sip:a@", SipError::Malformed),
            ("sip:a@b@c", SipError::Malformed),
            ("sip:a@h..example", SipError::Malformed),
            ("sip:a@h:0", SipError::Malformed),
            ("sip:a@h:", SipError::Malformed),
            ("sip:a@h:+5060", SipError::Malformed),
            ("sip:a@h:65536", SipError::Malformed),
            ("sip:a@[::g]", SipError::Malformed),
            ("sip:a@2001:db8::1", SipError::Malformed),
            ("sip:a b@h", SipError::Malformed),
            ("sip:a%2@h", SipError::Malformed),
            ("sip:%zz@h", SipError::Malformed),
            ("sip:a&b@h", SipError::Malformed),
            ("sip:é@h", SipError::Malformed),
            ("sip:a@h;", SipError::Malformed),
            ("sip:a@h;x=y=z", SipError::Malformed),
            ("sip:a@h;transport=ws", SipError::Transport),
            ("sip:a@h?x-a=b", SipError::Headers),
            ("sips:a@h", SipError::Scheme),
            (
                &format!("sip:{}@h.example", "a".repeat(241)),
                SipError::TooLong,
            ),
        ] {
            assert_eq!(SipUri::parse(bad), Err(error), "{bad}");
        }
    }

    #[test]
    fn header_names_are_the_same_with_a_mark_and_without() {
        let custom = |name: &str| Ok(HeaderName::Custom(name.to_owned()));
        for (text, name) in [
            ("x-handoff-id", custom("handoff-id")),
            ("X-handoffid", custom("handoffid")),
            ("handoff-id", custom("handoff-id")),
            (
                "remote-party-id",
                Ok(HeaderName::Standard(StandardHeader::RemotePartyId)),
            ),
            (
                "P-Called-Party-ID",
                Ok(HeaderName::Standard(StandardHeader::CalledPartyId)),
            ),
            ("user-to-user", Err(SipError::UserToUser)),
            ("", Err(SipError::HeaderName)),
            ("x-", Err(SipError::HeaderName)),
            ("a b", Err(SipError::HeaderName)),
            ("a_b", Err(SipError::HeaderName)),
            ("a:b", Err(SipError::HeaderName)),
            ("é", Err(SipError::HeaderName)),
        ] {
            assert_eq!(HeaderName::parse(text), name, "{text}");
        }
        assert!(HeaderName::parse(&format!("x-{}", "a".repeat(64))).is_ok());
        assert!(HeaderName::parse(&"a".repeat(65)).is_err());
    }

    #[test]
    fn credentials_are_visible_characters_and_not_shown() {
        let good = SipCredentials::new("ann", Secret::new("s3cr3t"));
        assert!(!format!("{good:?}").contains("s3cr3t"));
        for (username, password) in [("", "x"), ("x", ""), ("a b", "x"), ("x", "é")] {
            let refused = SipCredentials::new(username, Secret::new(password)).err();
            assert_eq!(
                refused,
                Some(SipError::Credentials),
                "{username} {password}"
            );
        }
    }
}
