//! Keys become entries: a `0` inside an account number is not a caller who wants a human.
//!
//! An entry begins with a key and is complete when no further key comes for a pause, or at `#` or
//! `*`. Rules see complete entries only. A stream that ends does not end an entry: its replacement
//! brings the keys that follow.

use super::fact::Fact;
use super::machine::Call;
use super::timer::Timer;
use crate::pii::Pii;
use crate::time::{CallTime, MediaTime};

/// The keys of a call.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Every key so far.
    pub(super) all: String,
    /// Those of the entry that is not complete.
    pub(super) entry: String,
    /// When the last was pressed.
    pub(super) last_at: MediaTime,
}

impl Keys {
    pub(super) fn is_entering(&self) -> bool {
        !self.entry.is_empty()
    }
}

impl Call {
    pub(super) fn on_digit(&mut self, digit: char, at: MediaTime, now: CallTime) {
        self.end_entry_by(at, now);
        self.record(Fact::DigitPressed { digit, at });
        if matches!(digit, '#' | '*') {
            return self.end_entry(now);
        }
        self.timers
            .set(Timer::DigitsPause, now + self.policy.digits_pause);
        self.watch_rules(now);
    }

    pub(super) fn on_digits_pause(&mut self, now: CallTime) {
        self.end_entry(now);
    }

    /// Ends the entry if the audio has gone on long enough without a key.
    pub(super) fn end_entry_by(&mut self, heard_to: MediaTime, now: CallTime) {
        if heard_to.since(self.ear.keys.last_at) >= self.policy.digits_pause {
            self.end_entry(now);
        }
    }

    fn end_entry(&mut self, now: CallTime) {
        if !self.ear.keys.is_entering() {
            return;
        }
        self.timers.stop(Timer::DigitsPause);
        let keys = &self.ear.keys;
        let before_end = keys.entry.trim_end_matches(['#', '*']);
        let digits = if before_end.is_empty() {
            &keys.entry
        } else {
            before_end
        };
        self.record(Fact::DigitsEntered {
            digits: Pii::new(digits.to_owned()),
            at: keys.last_at,
        });
        self.watch_rules(now);
    }
}
