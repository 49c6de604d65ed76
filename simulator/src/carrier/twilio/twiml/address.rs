//! Telephone numbers, SIP URIs with headers, and names of softphones.

use super::callee::{Address, SipAddress};
use super::reader::{Base, Reader};

/// A SIP URI without its headers stays under this.
const MAX_URI_CHARACTERS: usize = 255;
/// The headers of a SIP URI stay under this.
const MAX_HEADER_CHARACTERS: usize = 1024;
const MAX_IDENTITY_CHARACTERS: usize = 256;
/// Headers besides `X-…` that Twilio passes on.
const HEADERS: &[&str] = &[
    "User-to-User",
    "Remote-Party-ID",
    "P-Preferred-Identity",
    "P-Called-Party-ID",
];

/// Reads the `To` of a call that the REST API creates, and notes the rules that it breaks.
pub(in crate::carrier::twilio) fn read_address(
    to: &str,
    digits: Option<&str>,
) -> (Option<Address>, Vec<String>) {
    let mut reader = Reader {
        base: Base::Inline,
        faults: Vec::new(),
    };
    let address = if to.starts_with("sip:") {
        reader.sip(to).map(Address::Sip)
    } else if let Some(client) = to.strip_prefix("client:") {
        let (identity, parameters) = client.split_once('?').unwrap_or((client, ""));
        let parameters = reader.pairs(parameters, "a parameter of a Client");
        reader.identity(identity).map(|identity| Address::Client {
            identity,
            parameters,
        })
    } else {
        reader.number(to, digits)
    };
    (address, reader.faults)
}

impl Reader<'_> {
    pub(super) fn number(&mut self, text: &str, digits: Option<&str>) -> Option<Address> {
        if let Some(digits) = digits
            && !digits.chars().all(|key| "0123456789ABCD*#wW".contains(key))
        {
            self.fault(format!(
                "sendDigits {digits:?} has something that is not a key or a pause"
            ));
        }
        let number = self.e164(text)?;
        Some(Address::Number {
            number,
            digits: digits.map(str::to_owned),
        })
    }

    pub(super) fn e164(&mut self, text: &str) -> Option<String> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let valid =
            (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !valid {
            self.fault(format!("{text:?} is not a number in E.164 form (13224)"));
        }
        valid.then(|| text.to_owned())
    }

    pub(super) fn identity(&mut self, text: &str) -> Option<String> {
        let characters = text.chars().count();
        if !(1..=MAX_IDENTITY_CHARACTERS).contains(&characters) {
            self.fault(format!(
                "the identity of a <Client> has {characters} characters, not 1 to {MAX_IDENTITY_CHARACTERS}"
            ));
            return None;
        }
        Some(text.to_owned())
    }

    /// Reads `sip:user@host;parameters?headers`.
    pub(super) fn sip(&mut self, text: &str) -> Option<SipAddress> {
        let (uri, headers) = text.split_once('?').unwrap_or((text, ""));
        let address = uri.strip_prefix("sip:").unwrap_or_default();
        let mut parts = address.split(';');
        let (user, host) = parts
            .next()
            .and_then(|authority| authority.split_once('@'))
            .unwrap_or_default();
        if user.is_empty() || host.is_empty() || uri.contains(|c: char| c.is_whitespace()) {
            self.fault(format!("{uri:?} is not a SIP URI, sip:user@host (13224)"));
            return None;
        }
        if uri.chars().count() >= MAX_URI_CHARACTERS {
            self.fault("a SIP URI must stay under 255 characters");
        }
        for transport in parts.filter_map(|part| part.strip_prefix("transport=")) {
            if !["udp", "tcp", "tls"].contains(&transport) {
                self.fault(format!(
                    "transport of a SIP URI is {transport:?}, not one of udp, tcp, tls"
                ));
            }
        }
        if headers.chars().count() >= MAX_HEADER_CHARACTERS {
            self.fault("the headers of a SIP URI must stay under 1024 characters");
        }
        let headers = self.pairs(headers, "a SIP header");
        for (name, _) in &headers {
            let passed_on = name
                .get(..2)
                .is_some_and(|start| start.eq_ignore_ascii_case("X-") && name.len() > 2)
                || HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name));
            if !passed_on {
                self.fault(format!(
                    "Twilio does not pass on the SIP header {name:?}; a name of one's own begins with X-"
                ));
            }
        }
        Some(SipAddress {
            uri: uri.to_owned(),
            headers,
        })
    }

    /// Reads `name=value&name=value`, each part URL-encoded, and decodes it.
    fn pairs(&mut self, text: &str, what: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match (decoded(name), decoded(value)) {
                (Some(name), Some(value)) if !name.is_empty() && part.contains('=') => {
                    pairs.push((name, value));
                }
                _ => self.fault(format!("{what} is {part:?}, not URL-encoded as name=value")),
            }
        }
        pairs
    }
}

/// Decodes `%XX`. `None` for anything that should have been encoded, and for control characters.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let hex = [rest.next()?, rest.next()?];
                let hex = std::str::from_utf8(&hex).ok()?;
                bytes.push(u8::from_str_radix(hex, 16).ok()?);
            }
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => bytes.push(byte),
            letter if letter.is_ascii_alphanumeric() => bytes.push(letter),
            _ => return None,
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.chars().any(char::is_control))
}
