//! What carriers write in more ways than they document.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// Whether a carrier's name for something is safe in URLs and records. Twilio's are two letters and
/// 32 hexadecimal digits; other senders of the same protocol use UUIDs.
pub(super) fn is_identifier(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(is_identifier_char)
}

pub(super) fn is_identifier_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// Whether a telephone has a key for it: `0`-`9`, `*`, `#`, `A`-`D`.
pub(super) fn is_key(c: char) -> bool {
    matches!(c, '0'..='9' | '*' | '#' | 'A'..='D')
}

/// The text of a value that is documented as a string; a number or truth value of another sender is kept
/// as its text.
pub(super) fn scalar(value: serde_json::Value) -> String {
    if let serde_json::Value::String(text) = value {
        return text;
    }
    value.to_string()
}

/// A string that borrows from the frame unless it holds escapes. Serde borrows a plain `Cow` only
/// where it is not inside an `Option`, hence a type of its own.
pub(super) struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// A counter: a decimal string as Twilio documents it, or a number.
pub(super) struct Decimal(pub u64);

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DecimalVisitor;

        impl Visitor<'_> for DecimalVisitor {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, plain or in a string")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
                Ok(Decimal(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
                text.parse()
                    .map(Decimal)
                    .map_err(|_| E::custom("not a whole number"))
            }
        }

        deserializer.deserialize_any(DecimalVisitor)
    }
}
