//! What rides along to a SIP address.
//!
//! A pair that breaks a rule is not sent, so what breaks one is left out here, or cut. The pages agree on
//! letters and digits; that `%` may stand in a value is in some of them alone, and the longest value is 120
//! characters in one and 48 in another: UNCONFIRMED. An id is safe under all of them.
//!
//! Sources: <https://support.plivo.com/hc/en-us/articles/360041883871-What-are-the-rules-for-SIP-headers>,
//! <https://www.plivo.com/docs/voice/guides/pass-custom-headers/>, read 2026-11-21.

use crate::carrier::target::HeaderName;
use crate::carrier::template::Template;

/// The longest name that is sent.
pub(in crate::carrier) const NAME_LIMIT_CHARS: usize = 24;
const VALUE_LIMIT_CHARS: usize = 120;

/// How names may not begin, in no particular case: Plivo drops those without a word. ClientRegion is
/// one whole name, beside which the pages name no other that begins so.
const KEPT: [&str; 7] = [
    "PH-",
    "Plivo",
    "FS-",
    "SipAuth",
    "ZT-",
    "Twilio",
    "ClientRegion",
];

/// Writes the attribute `sipHeaders`, of which `x` arrives as the header `X-PH-x`. `fill` gives the value of
/// a header, or `None` where it cannot be known.
pub(super) fn headers(
    headers: &[(HeaderName, Template)],
    fill: impl Fn(&Template) -> Option<String>,
) -> String {
    let pairs: Vec<String> = (headers.iter())
        .filter_map(|(name, template)| {
            let name = sendable(name)?;
            let value: String = (fill(template)?.chars())
                .filter(char::is_ascii_alphanumeric)
                .take(VALUE_LIMIT_CHARS)
                .collect();
            (!value.is_empty()).then(|| format!("{name}={value}"))
        })
        .collect();
    pairs.join(",")
}

fn sendable(name: &HeaderName) -> Option<&str> {
    let is_sent = is_plain(name) && kept(name.as_str()).is_none();
    is_sent.then_some(name.as_str())
}

/// Whether a name is one that Plivo can send.
pub(in crate::carrier) fn is_plain(name: &HeaderName) -> bool {
    match name {
        HeaderName::Custom(name) => {
            name.len() <= NAME_LIMIT_CHARS && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }
        HeaderName::Standard(_) => false,
    }
}

/// Why Plivo drops a name: how it may not begin.
pub(in crate::carrier) fn kept(name: &str) -> Option<&'static str> {
    let begins = |kept: &&str| {
        (name.get(..kept.len())).is_some_and(|start| start.eq_ignore_ascii_case(kept))
    };
    KEPT.into_iter().find(begins)
}
