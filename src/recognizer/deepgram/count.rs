//! What the recognizer counts. Labels are closed sets of ours.

use std::time::Duration;

use super::policy::Failure;

/// One thing worth counting.
pub(super) enum Counted<'a> {
    /// A connection was granted.
    Connected,
    /// A connection was not made, or broke.
    Failed(&'a Failure),
    /// Windows fell out of the backlog unheard.
    WindowsDropped(u64),
    /// Keyterms did not fit the request.
    KeytermsDropped(u64),
    /// A message could not be read.
    Malformed,
    /// A message had an unknown type.
    Unknown,
    /// The server reported an error in a message.
    Error,
    /// An interim hypothesis found the call's channel full.
    InterimDropped,
}

impl Counted<'_> {
    pub(super) fn count(self) {
        const CONNECTIONS: &str = "handoff_recognizer_connections_total";
        const MESSAGES_IGNORED: &str = "handoff_recognizer_messages_ignored_total";
        match self {
            Self::Connected => metrics::counter!(CONNECTIONS, "outcome" => "made").increment(1),
            Self::Failed(failure) => {
                metrics::counter!(CONNECTIONS, "outcome" => failure.as_label()).increment(1);
            }
            Self::WindowsDropped(windows) => {
                metrics::counter!("handoff_recognizer_windows_dropped_total", "reason" => "backlog")
                    .increment(windows);
            }
            Self::KeytermsDropped(keyterms) => {
                metrics::counter!("handoff_recognizer_keyterms_dropped_total").increment(keyterms);
            }
            Self::Malformed => {
                metrics::counter!(MESSAGES_IGNORED, "reason" => "malformed").increment(1);
            }
            Self::Unknown => {
                metrics::counter!(MESSAGES_IGNORED, "reason" => "unknown").increment(1);
            }
            Self::Error => metrics::counter!(MESSAGES_IGNORED, "reason" => "error").increment(1),
            Self::InterimDropped => {
                metrics::counter!("handoff_recognizer_interims_dropped_total").increment(1);
            }
        }
    }
}

/// Notes how far results lag behind the audio sent.
pub(super) fn lag(lag: Duration) {
    metrics::histogram!("handoff_recognizer_lag_seconds").record(lag.as_secs_f64());
}
