//! Telephone numbers, and which one a human's phone shows.

use std::fmt;

use handoff_core::call::Party;
use handoff_core::pii::Pii;

/// A telephone number in the international form of ITU-T E.164: `+` and 7 to 15 digits, the first
/// of them not 0.
#[derive(Clone, PartialEq, Eq)]
pub struct E164(Pii<String>);

/// The text is not a number in international form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a number with country code, like \"+15550100042\"")]
pub struct NotE164;

impl E164 {
    /// Accepts a number in international form.
    ///
    /// # Errors
    ///
    /// [`NotE164`] for anything else; nothing is trimmed or guessed.
    pub fn parse(text: &str) -> Result<Self, NotE164> {
        let digits = text.strip_prefix('+').ok_or(NotE164)?;
        let shaped = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        shaped
            .then(|| Self(Pii::new(text.to_owned())))
            .ok_or(NotE164)
    }

    /// Gives the number to code that dials or delivers it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<number>")
    }
}

/// Words that stand for a number the caller hides.
const WITHHELD_WORDS: [&str; 7] = [
    "anonymous",
    "restricted",
    "unknown",
    "unavailable",
    "blocked",
    "private",
    "withheld",
];

/// The same words spelled on a telephone's keys, as they arrive in `From`: ANONYMOUS, RESTRICTED,
/// BLOCKED, UNKNOWN, UNAVAILABLE. Seen in many public code bases; the vendor lists none of them.
const WITHHELD_KEYS: [&str; 5] = [
    "266696687",
    "7378742833",
    "2562533",
    "8656696",
    "86282452253",
];

/// Reads a `From` or `To` value: withheld in any of its spellings, otherwise as it came.
pub fn party(text: &str) -> Party {
    let text = text.trim();
    let address = text
        .strip_prefix("sip:")
        .or_else(|| text.strip_prefix("sips:"))
        .or_else(|| text.strip_prefix("client:"))
        .unwrap_or(text);
    let user = address.split('@').next().unwrap_or(address);
    let hidden = user.is_empty()
        || WITHHELD_WORDS
            .iter()
            .any(|word| user.eq_ignore_ascii_case(word))
        || WITHHELD_KEYS.contains(&user.strip_prefix('+').unwrap_or(user));
    if hidden {
        Party::Withheld
    } else {
        Party::Known(Pii::new(text.to_owned()))
    }
}

/// Which number the human's phone shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallerIdPolicy {
    /// The company's number that was called.
    #[default]
    Called,
    /// The caller's own number where it is known, the company's otherwise.
    Caller,
}

/// Chooses the number that the human's phone shows, or `None` if there is none to show (a call to a
/// SIP address), which leaves the choice to the carrier.
///
/// Twilio accepts a number that the account owns or verified, or the one that calls
/// (<https://www.twilio.com/docs/voice/twiml/dial>): both policies stay within that.
pub fn caller_id(policy: CallerIdPolicy, caller: &Party, called: &Party) -> Option<E164> {
    let number = |party: &Party| match party {
        Party::Known(address) => E164::parse(address.expose()).ok(),
        Party::Withheld => None,
    };
    match policy {
        CallerIdPolicy::Called => number(called),
        CallerIdPolicy::Caller => number(caller).or_else(|| number(called)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_international_numbers_are_numbers() {
        for good in ["+15550100001", "+4915550100", "+123456789012345"] {
            assert_eq!(
                E164::parse(good).map(|n| n.expose().to_owned()),
                Ok(good.to_owned())
            );
        }
        for bad in [
            "",
            "+",
            "15550100001",
            "+05550100001",
            "+123456",
            "+1234567890123456",
            "+1555010000a",
            " +15550100001",
            "+1 555 0100001",
            "sip:x@example.com",
            "+١٢٣٤٥٦٧",
        ] {
            assert_eq!(E164::parse(bad), Err(NotE164), "{bad}");
        }
    }

    #[test]
    fn withheld_callers_are_known_in_every_spelling() {
        for hidden in [
            "",
            "  ",
            "anonymous",
            "Anonymous",
            "RESTRICTED",
            "unknown",
            "unavailable",
            "+266696687",
            "266696687",
            "+7378742833",
            "+2562533",
            "+8656696",
            "+86282452253",
            "sip:anonymous@anonymous.invalid",
            "client:Anonymous",
        ] {
            assert_eq!(party(hidden), Party::Withheld, "{hidden}");
        }
        for known in [
            "+15550100001",
            "+17378742833",
            "sip:ann@example.com",
            "client:ann",
            "55501",
        ] {
            assert_eq!(party(known), Party::Known(Pii::new(known.to_owned())));
        }
    }

    #[test]
    fn the_callers_number_is_shown_only_when_it_is_one() {
        let business = party("+15550100002");
        let shown = |policy, caller: &str| {
            caller_id(policy, &party(caller), &business).map(|n| n.expose().to_owned())
        };
        let ours = Some("+15550100002".to_owned());
        for caller in [
            "+15550100001",
            "anonymous",
            "+266696687",
            "sip:ann@example.com",
        ] {
            assert_eq!(shown(CallerIdPolicy::Called, caller), ours);
        }
        assert_eq!(
            shown(CallerIdPolicy::Caller, "+15550100001"),
            Some("+15550100001".to_owned())
        );
        for caller in ["anonymous", "+266696687", "sip:ann@example.com", "55501"] {
            assert_eq!(shown(CallerIdPolicy::Caller, caller), ours, "{caller}");
        }
        let sip = party("sip:line@example.com");
        assert_eq!(caller_id(CallerIdPolicy::Called, &party("x"), &sip), None);
    }
}
