//! The signals that rules may name, in one table.
//!
//! [`Signals`] holds their values at one instant; [`DECLARED`] names each with its unit, range and
//! meaning, and reads it. The table is what an expression's names are checked against, what its
//! variables are bound from, and what the documentation of rules is printed from. A new signal is a
//! field and a row.

use std::collections::BTreeMap;
use std::fmt;

use crate::pii::Pii;

/// All signals at one instant of a call. The default is a call in which nothing has happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signals {
    /// About the person who called.
    pub caller: Caller,
    /// About the call as a whole.
    pub call: Call,
    /// About the recognizer.
    pub recognizer: Party,
    /// About the voice agent.
    pub voice_agent: Party,
}

/// Signals about the person who called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Caller {
    /// Confidence that the last utterance asks for a human, 0..=1.
    pub asks_for_human: f64,
    /// How the caller feels, -1..=1.
    pub sentiment: f64,
    /// Change of sentiment per minute.
    pub sentiment_trend: f64,
    /// Seconds in which neither caller nor voice agent spoke, by media time.
    pub silent_seconds: f64,
    /// The keys of the latest entry, empty while it is being made.
    pub digits: Pii<String>,
}

/// Signals about the call as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    /// Seconds since the call was accepted.
    pub seconds: f64,
    /// Turns taken by caller and voice agent together.
    pub turns: i64,
    /// Topics heard so far.
    pub topics: Vec<String>,
    /// What the carrier's webhook and stream brought along.
    pub parameters: Pii<BTreeMap<String, String>>,
}

/// Signals about something that serves the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// Whether it was given up for this call.
    pub lost: bool,
}

/// One signal as rules name it.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// The name in an expression.
    pub name: &'static str,
    /// What it is measured in, empty where it has no unit.
    pub unit: &'static str,
    /// The values it can take.
    pub range: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    read: fn(&Signals) -> Reading<'_>,
}

impl Declaration {
    /// Finds the signal of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        DECLARED.iter().find(|declared| declared.name == name)
    }

    /// Reads the signal.
    pub fn read<'s>(&self, signals: &'s Signals) -> Reading<'s> {
        (self.read)(signals)
    }

    /// The word for its type in documentation and errors.
    pub fn kind(&self) -> &'static str {
        match self.read(&Signals::default()) {
            Reading::Number(_) => "number",
            Reading::Count(_) => "int",
            Reading::Flag(_) => "bool",
            Reading::Text(_) => "string",
            Reading::Names(_) => "list of strings",
            Reading::Texts(_) => "map of strings",
        }
    }
}

/// Every signal there is.
pub static DECLARED: &[Declaration] = &[
    Declaration {
        name: "caller.asks_for_human",
        unit: "",
        range: "0..1",
        meaning: "Confidence that the caller's last utterance asks for a human.",
        read: |signals| Reading::Number(signals.caller.asks_for_human),
    },
    Declaration {
        name: "caller.sentiment",
        unit: "",
        range: "-1..1",
        meaning: "How the caller feels, smoothed over the utterances so far.",
        read: |signals| Reading::Number(signals.caller.sentiment),
    },
    Declaration {
        name: "caller.sentiment_trend",
        unit: "per minute",
        range: "-10..10",
        meaning: "The slope of the caller's sentiment over the last utterances.",
        read: |signals| Reading::Number(signals.caller.sentiment_trend),
    },
    Declaration {
        name: "caller.silent_seconds",
        unit: "s",
        range: "0..",
        meaning: "How long the caller has been silent after the voice agent stopped speaking.",
        read: |signals| Reading::Number(signals.caller.silent_seconds),
    },
    Declaration {
        name: "caller.digits",
        unit: "",
        range: "0-9 * #",
        meaning: "The caller's latest entry of keys once it is complete, after a pause, # or *; empty while keys are being pressed.",
        read: |signals| Reading::Text(&signals.caller.digits),
    },
    Declaration {
        name: "call.seconds",
        unit: "s",
        range: "0..",
        meaning: "Time since the call was accepted.",
        read: |signals| Reading::Number(signals.call.seconds),
    },
    Declaration {
        name: "call.turns",
        unit: "",
        range: "0..",
        meaning: "Turns taken by caller and voice agent together.",
        read: |signals| Reading::Count(signals.call.turns),
    },
    Declaration {
        name: "call.topics",
        unit: "",
        range: "configured names",
        meaning: "The topics heard in the call so far.",
        read: |signals| Reading::Names(&signals.call.topics),
    },
    Declaration {
        name: "call.parameters",
        unit: "",
        range: "any text by name",
        meaning: "What the carrier's webhook and stream brought along, all of it text.",
        read: |signals| Reading::Texts(&signals.call.parameters),
    },
    Declaration {
        name: "recognizer.lost",
        unit: "",
        range: "true, false",
        meaning: "The recognizer was given up for this call.",
        read: |signals| Reading::Flag(signals.recognizer.lost),
    },
    Declaration {
        name: "voice_agent.lost",
        unit: "",
        range: "true, false",
        meaning: "The voice agent was given up for this call.",
        read: |signals| Reading::Flag(signals.voice_agent.lost),
    },
];

/// The value of one signal.
///
/// Its `Display` is what evidence shows, and shows nothing personal: of keys only the last, of
/// parameters only the names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading<'s> {
    /// A real number.
    Number(f64),
    /// A whole number.
    Count(i64),
    /// Yes or no.
    Flag(bool),
    /// Text from the caller.
    Text(&'s Pii<String>),
    /// Configured names.
    Names(&'s [String]),
    /// Text by name.
    Texts(&'s Pii<BTreeMap<String, String>>),
}

impl fmt::Display for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number:.2}"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Text(text) => {
                let mut before_last = text.expose().chars();
                let last = before_last.next_back();
                before_last.try_for_each(|_| f.write_str("·"))?;
                last.map_or(Ok(()), |last| write!(f, "{last}"))
            }
            Self::Names(names) => f.write_str(&names.join(", ")),
            Self::Texts(texts) => {
                let names: Vec<&str> = texts.expose().keys().map(String::as_str).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_has_a_name_of_its_own_and_a_meaning() {
        let mut names: Vec<_> = DECLARED.iter().map(|declared| declared.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DECLARED.len());
        for declared in DECLARED {
            assert!(declared.meaning.ends_with('.'), "{}", declared.name);
            assert!(!declared.range.is_empty(), "{}", declared.name);
            let found = Declaration::named(declared.name).map(|found| found.name);
            assert_eq!(found, Some(declared.name));
        }
        assert!(Declaration::named("caller").is_none());
    }

    #[test]
    fn evidence_shows_nothing_personal() {
        let digits = Pii::new("41110".to_owned());
        let parameters = BTreeMap::from([("tier".to_owned(), "gold".to_owned())]);
        let topics = ["legal".to_owned(), "billing".to_owned()];
        let shown = [
            Reading::Text(&digits).to_string(),
            Reading::Text(&Pii::default()).to_string(),
            Reading::Texts(&Pii::new(parameters)).to_string(),
            Reading::Names(&topics).to_string(),
            Reading::Number(0.625).to_string(),
            Reading::Flag(true).to_string(),
        ];
        assert_eq!(
            shown,
            ["····0", "", "tier", "legal, billing", "0.62", "true"]
        );
    }
}
