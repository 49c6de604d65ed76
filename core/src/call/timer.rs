//! When a call wants to be woken, and why.

use std::collections::BTreeMap;

use crate::time::CallTime;

/// The reasons to wake a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The journal had its chance; the rewrite goes ahead.
    JournalDeadline,
    /// It had to be known by now whom to try.
    RouteDeadline,
    /// The caller has pressed no further key.
    DigitsPause,
    /// The rewrite may be tried again.
    RewriteRetry,
    /// Caller and human have been joined for long enough.
    BridgeHeld,
    /// Nothing is heard of the human's leg to a conference.
    HumanAbsent,
    /// No stream for a while: look at the call.
    StreamAbsent,
    /// No news for long: look at the call.
    Inspect,
    /// The recognizers had their chance to give the last words.
    LastWords,
    /// The call is older than any call can be.
    MaximumAge,
}

/// The deadlines that are set, at most one per reason.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeMap<Timer, CallTime>);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: CallTime) {
        self.0.insert(timer, at);
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.0.remove(&timer);
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0.contains_key(&timer)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn next(&self) -> Option<(CallTime, Timer)> {
        self.0.iter().map(|(timer, at)| (*at, *timer)).min()
    }

    /// Takes out one deadline that has passed, earliest first.
    pub(super) fn expire(&mut self, now: CallTime) -> Option<Timer> {
        let (at, timer) = self.next()?;
        (at <= now).then(|| {
            self.0.remove(&timer);
            timer
        })
    }
}
