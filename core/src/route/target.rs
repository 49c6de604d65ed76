//! Where calls go, as far as a decision needs to know.

use std::collections::BTreeSet;
use std::fmt;

use super::hours::Hours;

const LONGEST_NAME: usize = 32;

/// The name of a target: 1 to 32 of `a-z`, `0-9`, `_` and `-`, so that it can stand in a path of a
/// URL and in a file name as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetName(String);

/// A text is no name of a target. It does not repeat the text, which may come from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a target's name; it has 1 to {LONGEST_NAME} of a-z, 0-9, _ and -")]
pub struct TargetNameError;

impl TargetName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// If it is empty, too long or has other characters. Nothing is trimmed or lowered.
    pub fn parse(text: &str) -> Result<Self, TargetNameError> {
        let is_allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let is_name = (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(is_allowed);
        is_name
            .then(|| Self(text.to_owned()))
            .ok_or(TargetNameError)
    }

    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A `[[target]]`: a human, or several behind one number or queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// What shows that a human took the call.
    pub acceptance: Acceptance,
    /// How the carrier brings caller and human together.
    pub joining: Joining,
    /// What it is able to do. A route may ask for some.
    pub skills: BTreeSet<String>,
    /// When it is open. Without them it always is.
    pub hours: Option<Hours>,
    /// Its figures as they were configured.
    pub metrics: Metrics,
}

/// What shows that a human took the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acceptance {
    /// The human presses a key after the whisper. Voicemail does not.
    Key,
    /// The line is answered, by whoever or whatever it is.
    Answer,
}

/// How the carrier brings caller and human together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Joining {
    /// A leg to the human is dialled and bridged to the caller's.
    Dial,
    /// The caller is put in a queue of the carrier, from which humans take calls.
    Queue,
    /// The caller's own telephone system is asked to call the human, and the call leaves us (SIP
    /// REFER, RFC 3515).
    Refer,
    /// Both are brought into a conference.
    Conference,
}

/// Figures by which targets are compared. One that is no finite number counts as not known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metrics {
    /// How long a call takes on average, in seconds.
    pub handle_seconds: Option<f64>,
    /// How satisfied callers are on average, in any unit of which more is better, the same for all
    /// targets that are to be compared.
    pub csat: Option<f64>,
    /// How long a caller who comes now will wait, in seconds.
    pub wait_seconds: Option<f64>,
}

impl Metrics {
    /// Takes each figure from `live` where that knows it.
    #[must_use]
    pub fn overridden_by(self, live: Self) -> Self {
        Self {
            handle_seconds: known(live.handle_seconds).or(known(self.handle_seconds)),
            csat: known(live.csat).or(known(self.csat)),
            wait_seconds: known(live.wait_seconds).or(known(self.wait_seconds)),
        }
    }
}

fn known(figure: Option<f64>) -> Option<f64> {
    figure.filter(|figure| figure.is_finite())
}
