//! Every metric. Labels are words from our own enums, never from outside, never ids.

use std::time::Duration;

use handoff_core::call::{Anomaly, Disposition, LegProgress};
use metrics::{Counter, counter, gauge, histogram};

/// Why a request or a socket of the carrier was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No valid signature.
    Signature,
    /// Signed or with a token, and of another account than ours.
    Account,
    /// A token that was not given out, or is spent.
    Token,
    /// The socket speaks of another call than its token.
    WrongCall,
    /// A second socket while the first one works.
    SecondStream,
    /// The socket did not introduce itself in time, or before another one came.
    NoStart,
    /// A body that cannot be read.
    Malformed,
    /// More calls than the configuration allows.
    TooManyCalls,
}

impl Refusal {
    /// The metric label and log field.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Account => "account",
            Self::Token => "token",
            Self::WrongCall => "wrong_call",
            Self::SecondStream => "second_stream",
            Self::NoStart => "no_start",
            Self::Malformed => "malformed",
            Self::TooManyCalls => "too_many_calls",
        }
    }
}

/// Counts something turned away.
pub fn refused(reason: Refusal) {
    counter!("handoff_refusals_total", "reason" => reason.as_str()).increment(1);
}

/// Why a connection was closed that had not become a media socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It did not ask for anything in time.
    NoRequest,
    /// There were too many, and it had been quiet for longest.
    Crowded,
}

impl Closed {
    /// The metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRequest => "no_request",
            Self::Crowded => "crowded",
        }
    }
}

/// Counts a connection that was closed on its peer.
pub fn connection_closed(reason: Closed) {
    counter!("handoff_connections_closed_total", "reason" => reason.as_str()).increment(1);
}

/// Counts a connection that the kernel could not give us, mostly for want of descriptors.
pub fn accept_failed() {
    counter!("handoff_accept_failures_total").increment(1);
}

/// Counts live calls.
pub fn live_calls(calls: usize) {
    gauge!("handoff_live_calls").set(calls as f64);
}

/// Counts the media messages of one call by what became of them, while it is live. Kept by the call,
/// because looking a counter up allocates.
#[derive(Debug)]
pub struct Frames {
    /// Audio that was taken.
    pub heard: Counter,
    /// What could not be read.
    pub bad: Counter,
    /// What could be read and means nothing here.
    pub ignored: Counter,
}

impl Frames {
    /// Looks the counters up.
    pub fn find() -> Self {
        Self {
            heard: counter!("handoff_frames_total", "result" => "heard"),
            bad: counter!("handoff_frames_total", "result" => "bad"),
            ignored: counter!("handoff_frames_total", "result" => "ignored"),
        }
    }
}

/// Counts windows that a recognizer was too slow to take.
pub fn windows_dropped(windows: u64) {
    counter!("handoff_windows_dropped_total").increment(windows);
}

/// Counts an event that a call had no use for.
pub fn anomaly(anomaly: Anomaly) {
    counter!("handoff_anomalies_total", "kind" => anomaly.as_str()).increment(1);
}

/// Measures from the trigger to the rewrite request being handed to the network.
pub fn trigger_to_rewrite(span: Duration) {
    histogram!("handoff_trigger_to_rewrite_seconds").record(span.as_secs_f64());
}

/// Measures from the trigger to a stage of the human's leg.
pub fn trigger_to_leg(progress: LegProgress, span: Duration) {
    histogram!("handoff_trigger_to_leg_seconds", "progress" => progress.as_str())
        .record(span.as_secs_f64());
}

/// Measures from the rewrite request to the carrier's answer.
pub fn rewrite_answered(span: Duration) {
    histogram!("handoff_rewrite_answer_seconds").record(span.as_secs_f64());
}

/// Counts a call by its outcome.
pub fn call_ended(disposition: Disposition) {
    counter!("handoff_calls_total", "disposition" => disposition.as_str()).increment(1);
}

/// Counts a call whose task died. The caller was sent to the fallback target.
pub fn call_crashed() {
    counter!("handoff_call_crashes_total").increment(1);
}

/// Counts a journal write that failed.
pub fn journal_failed() {
    counter!("handoff_journal_failures_total").increment(1);
}

/// Tells whether the journal could be written the last time.
pub fn journal_writable(writable: bool) {
    gauge!("handoff_journal_writable").set(f64::from(u8::from(writable)));
}

/// Counts a fact that was dropped because the journal was away for too long.
pub fn fact_dropped() {
    counter!("handoff_facts_dropped_total").increment(1);
}

/// Why an open call of an earlier process was not taken up. It stays with whoever has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftAlone {
    /// Its records cannot be read.
    Unreadable,
    /// Its records do not begin with its announcement.
    Unannounced,
    /// Its carrier is not configured any more.
    NoCarrier,
}

impl LeftAlone {
    /// The metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Unannounced => "unannounced",
            Self::NoCarrier => "no_carrier",
        }
    }
}

/// Counts an open call that a start did not take up.
pub fn call_left_alone(reason: LeftAlone) {
    counter!("handoff_calls_left_alone_total", "reason" => reason.as_str()).increment(1);
}
