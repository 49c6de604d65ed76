//! Names that carriers know targets by, and keys that are pressed for us.

use std::fmt;

use crate::carrier::lenient::is_key;
use crate::carrier::markup::is_allowed;

/// Why a text is no name of what it is to name. The text itself is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No keys.
    #[error("must be 1 to 64 of 0-9 * # A-D, w (waits half a second) and W (a second)")]
    Keys,
    /// No name of a queue.
    #[error("must be a queue's name of 1 to 64 characters, with no space around it")]
    Queue,
    /// No identity of a client.
    #[error("must be a client's identity: 1 to 256 letters, digits or signs, with no space")]
    Client,
    /// No name of a parameter.
    #[error("must be a parameter's name: 1 to 64 letters, digits, - or _")]
    Parameter,
}

/// Keys that are pressed once the human's side has answered, for an extension: `0`-`9`, `*`, `#`, `A`-`D`,
/// and waits of half a second (`w`) or a whole one (`W`).
///
/// Twilio's `sendDigits` takes exactly these (<https://www.twilio.com/docs/voice/twiml/number>, read
/// 2026-11-21). Of Plivo's attribute of the same name only `w` is known, from the tests of its Python
/// library: `A`-`D` are UNCONFIRMED there, and a whole second is written as two halves.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys(String);

impl Keys {
    /// The most keys accepted. Neither carrier documents a limit.
    pub const LIMIT: usize = 64;

    /// Accepts keys.
    ///
    /// # Errors
    ///
    /// [`NameError::Keys`], for waits alone as well: they press nothing.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let shaped = text.len() <= Self::LIMIT
            && text.chars().all(|c| is_key(c) || matches!(c, 'w' | 'W'))
            && text.contains(is_key);
        shaped.then(|| Self(text.to_owned())).ok_or(NameError::Keys)
    }

    /// Gives the keys to the document.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Gives the keys to a document that knows the short wait alone.
    pub fn in_half_seconds(&self) -> String {
        self.0.replace('W', "ww")
    }
}

/// An extension may lead to one person, so it is shown as little as their number.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<keys>")
    }
}

/// The name of a queue at Twilio, which is made when the first caller enters it: 1 to 64 characters
/// (<https://www.twilio.com/docs/voice/twiml/enqueue>, read 2026-11-21).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueName(String);

impl QueueName {
    /// Accepts the name of a queue.
    ///
    /// # Errors
    ///
    /// [`NameError::Queue`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let shaped = (1..=64).contains(&text.chars().count())
            && text.trim() == text
            && text.chars().all(|c| is_allowed(c) && !c.is_control());
        shaped
            .then(|| Self(text.to_owned()))
            .ok_or(NameError::Queue)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// By which name a softphone of Twilio's Voice SDK is known: 1 to 256 visible ASCII characters
/// (<https://www.twilio.com/docs/voice/twiml/client>, read 2026-11-21).
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity(String);

impl ClientIdentity {
    /// Accepts an identity, without `client:` before it.
    ///
    /// # Errors
    ///
    /// [`NameError::Client`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let shaped = (1..=256).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic());
        shaped
            .then(|| Self(text.to_owned()))
            .ok_or(NameError::Client)
    }

    /// Gives the identity to the document.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Identities are often people's names.
impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<client>")
    }
}

/// The name of a parameter that reaches a softphone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParameterName(String);

impl ParameterName {
    /// Accepts the name of a parameter.
    ///
    /// # Errors
    ///
    /// [`NameError::Parameter`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let shaped = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'));
        shaped
            .then(|| Self(text.to_owned()))
            .ok_or(NameError::Parameter)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_a_telephone_and_waits() {
        for good in ["1", "4471056#", "ww12*#AD", "W0", &"1".repeat(64)] {
            assert!(Keys::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "w",
            "WW",
            "12 3",
            "12,3",
            "E",
            "a",
            "+1",
            &"1".repeat(65),
        ] {
            assert_eq!(Keys::parse(bad), Err(NameError::Keys), "{bad}");
        }
        let waits = Keys::parse("wW1W2#").expect("keys");
        assert_eq!(waits.in_half_seconds(), "www1ww2#");
    }

    #[test]
    fn names_keep_to_their_limits() {
        for good in ["support", "Billing – 2nd line", &"é".repeat(64)] {
            assert!(QueueName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", " ", " support", "a\nb", "a\u{fffe}", &"é".repeat(65)] {
            assert_eq!(QueueName::parse(bad), Err(NameError::Queue), "{bad}");
        }
        for good in ["ann", "ann@example.com", &"a".repeat(256)] {
            assert!(ClientIdentity::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "ann b", "é", "a\n", &"a".repeat(257)] {
            assert_eq!(ClientIdentity::parse(bad), Err(NameError::Client), "{bad}");
        }
        for good in ["handoff_id", "a-1", &"a".repeat(64)] {
            assert!(ParameterName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a.b", "é", &"a".repeat(65)] {
            assert_eq!(
                ParameterName::parse(bad),
                Err(NameError::Parameter),
                "{bad}"
            );
        }
    }

    #[test]
    fn names_of_people_are_not_shown() {
        let shown = format!(
            "{:?} {:?}",
            Keys::parse("12#"),
            ClientIdentity::parse("ann")
        );
        assert_eq!(shown, "Ok(<keys>) Ok(<client>)");
    }
}
