//! A SIP address as Twilio takes it: with its headers in a query.
//!
//! Source: <https://www.twilio.com/docs/voice/twiml/sip>, read 2026-11-21.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::carrier::target::{HeaderName, SipTarget, UserToUserEncoding};
use crate::carrier::template::Template;

/// The most that Twilio takes of headers.
pub(in crate::carrier) const HEADERS_LIMIT_CHARS: usize = 1_023;

/// Writes the address. `fill` gives the value of a header, or `None` where it cannot be known.
///
/// What Twilio would refuse is left out: of the headers that a handoff changes the longest first, then of
/// all.
pub(super) fn address(target: &SipTarget, fill: impl Fn(&Template) -> Option<String>) -> String {
    let mut headers = headers(target, fill);
    while length(&headers) > HEADERS_LIMIT_CHARS {
        let longest = headers
            .iter()
            .enumerate()
            .max_by_key(|(_, header)| (!header.is_constant, header.text.len()))
            .map_or(0, |(at, _)| at);
        headers.remove(longest);
    }
    let mut address = target.uri.expose().to_owned();
    for (at, header) in headers.iter().enumerate() {
        address.push(if at == 0 { '?' } else { '&' });
        address.push_str(&header.text);
    }
    address
}

/// How long the headers are at least: those that no handoff changes.
pub(in crate::carrier) fn constant_chars(target: &SipTarget) -> usize {
    length(&headers(target, |template| {
        template.constant().map(str::to_owned)
    }))
}

struct Header {
    text: String,
    is_constant: bool,
}

fn headers(target: &SipTarget, fill: impl Fn(&Template) -> Option<String>) -> Vec<Header> {
    let filled = |template: &Template| {
        // A line break would begin another header.
        let value = fill(template)?.replace(char::is_control, " ");
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    let custom = target.headers.iter().filter_map(|(name, template)| {
        let name = match name {
            HeaderName::Custom(name) => format!("x-{name}"),
            HeaderName::Standard(header) => header.as_str().to_owned(),
        };
        Some((name, filled(template)?, template))
    });
    let user_to_user = target.user_to_user.iter().filter_map(|header| {
        let value = filled(&header.value)?;
        let value = match header.encoding {
            UserToUserEncoding::Hex => format!("{};encoding=hex", hex(&value)),
            UserToUserEncoding::Base64 => format!("{};encoding=base64", STANDARD.encode(&value)),
        };
        Some(("User-to-User".to_owned(), value, &header.value))
    });
    custom
        .chain(user_to_user)
        .map(|(name, value, template)| Header {
            text: format!("{name}={}", percent_encoded(&value)),
            is_constant: template.constant().is_some(),
        })
        .collect()
}

/// With the signs between them.
fn length(headers: &[Header]) -> usize {
    headers
        .iter()
        .map(|header| header.text.len() + 1)
        .sum::<usize>()
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}

/// Everything but letters, digits and `-._~`: a `+` is itself in a SIP address, never a space.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a String cannot fail");
        }
        encoded
    })
}
