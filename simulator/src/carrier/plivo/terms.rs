//! Values that a request or an element gives by name, and what each may be.

use std::collections::BTreeMap;
use std::time::Duration;

use super::xml::{are_keys, is_absolute_url, is_number, is_pair, is_sip_uri, is_sound};
use crate::carrier::callback::{Callback, Method};

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Flag,
    Url,
    Between(u64, u64),
    OneOf(&'static [&'static str]),
    Sound,
    /// Comma-separated events of a multi-party call.
    Events,
    /// What the caller hears while a phone rings.
    DialMusic,
    /// An E.164 number, with or without its plus.
    Number,
    /// A number or a SIP URI.
    Address,
    /// One key of a telephone.
    Key,
    /// Keys of a telephone, and `w` for a pause.
    Keys,
    /// `name=value` pairs of letters and digits.
    Pairs,
    Text {
        most: usize,
    },
}

/// The methods of a request.
pub(super) const METHOD: Rule = Rule::OneOf(&["GET", "POST"]);
const EVENTS: &[&str] = &[
    "mpc-state-changes",
    "participant-state-changes",
    "participant-speak-events",
    "participant-digit-input-events",
    "add-participant-api-events",
];

impl Rule {
    /// What the value should have been, when it is something else.
    fn broken_by(self, value: &str) -> Option<String> {
        let (kept, wanted) = match self {
            Self::Flag => (
                ["true", "false"].contains(&value),
                "true or false".to_owned(),
            ),
            Self::Url => (is_absolute_url(value), "an absolute URL".to_owned()),
            Self::Between(least, most) => (
                value
                    .parse()
                    .is_ok_and(|number: u64| (least..=most).contains(&number)),
                format!("a number from {least} to {most}"),
            ),
            Self::OneOf(allowed) => (
                allowed.contains(&value),
                format!("one of {}", allowed.join(", ")),
            ),
            Self::Sound => (
                is_sound(value),
                "beep:1, beep:2, none or an absolute URL".to_owned(),
            ),
            Self::Events => (
                value.split(',').all(|event| EVENTS.contains(&event)),
                format!("some of {}", EVENTS.join(", ")),
            ),
            Self::DialMusic => (
                ["real", "none"].contains(&value.to_ascii_lowercase().as_str())
                    || is_absolute_url(value),
                "real, none or an absolute URL".to_owned(),
            ),
            Self::Number => (is_number(value), "an E.164 number".to_owned()),
            Self::Address => (
                is_number(value) || is_sip_uri(value),
                "an E.164 number or a SIP URI".to_owned(),
            ),
            Self::Key => (
                value.len() == 1 && are_keys(value, false),
                "one key".to_owned(),
            ),
            Self::Keys => (
                !value.is_empty() && are_keys(value, true),
                "keys of a telephone".to_owned(),
            ),
            Self::Pairs => (
                value.split(',').all(is_pair),
                "name=value pairs of letters and digits".to_owned(),
            ),
            Self::Text { most } => (
                (1..=most).contains(&value.chars().count()),
                format!("1 to {most} characters"),
            ),
        };
        (!kept).then_some(wanted)
    }
}

/// Values that keep their rules, by name.
#[derive(Debug, Default)]
pub(super) struct Terms(BTreeMap<&'static str, String>);

impl Terms {
    /// Takes a value.
    ///
    /// # Errors
    ///
    /// What it should have been.
    pub(super) fn take(
        &mut self,
        name: &'static str,
        rule: Rule,
        value: String,
    ) -> Result<(), String> {
        if let Some(wanted) = rule.broken_by(&value) {
            return Err(format!("is {value:?}, not {wanted}"));
        }
        self.0.insert(name, value);
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |value| value == "true")
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(|value| value.parse().ok())
    }

    pub(super) fn seconds(&self, name: &str) -> Option<Duration> {
        self.number(name).map(Duration::from_secs)
    }

    pub(super) fn callback(&self, url: &str, method: &str, default: Method) -> Option<Callback> {
        let method = match self.get(method) {
            Some("GET") => Method::Get,
            Some(_) => Method::Post,
            None => default,
        };
        let url = self.get(url)?.to_owned();
        Some(Callback { url, method })
    }
}
