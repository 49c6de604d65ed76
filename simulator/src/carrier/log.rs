//! The record of what a stand-in carrier saw and did, and waiting for an entry of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;

use super::event::CarrierEvent;

/// An event with its time and call.
#[derive(Debug, Clone, Serialize)]
pub struct Logged {
    /// Milliseconds of wall time since the carrier started.
    pub at_ms: u64,
    /// The call it belongs to, if it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<Arc<str>>,
    /// What happened.
    #[serde(flatten)]
    pub event: CarrierEvent,
}

/// Nothing that was waited for happened in time. The message holds the log so far.
#[derive(Debug, thiserror::Error)]
#[error("not seen within {waited:?}; the carrier saw:\n{seen}")]
pub struct WaitTimedOut {
    /// The deadline.
    pub waited: Duration,
    /// The log, one event a line.
    pub seen: String,
}

/// Everything a carrier saw and did, in order. Clones share one log.
#[derive(Debug, Clone)]
pub struct EventLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    started: Instant,
    entries: Mutex<Vec<Logged>>,
    length: watch::Sender<usize>,
}

impl EventLog {
    pub(super) fn start() -> Self {
        let (length, _) = watch::channel(0);
        let shared = Shared {
            started: Instant::now(),
            entries: Mutex::default(),
            length,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    pub(super) fn record(&self, call: Option<&Arc<str>>, event: CarrierEvent) {
        let mut entries = self
            .shared
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let at_ms = u64::try_from(self.shared.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        entries.push(Logged {
            at_ms,
            call: call.cloned(),
            event,
        });
        self.shared.length.send_replace(entries.len());
    }

    /// A copy of the log from the given entry on.
    #[must_use]
    pub fn since(&self, index: usize) -> Vec<Logged> {
        let entries = self
            .shared
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        entries.get(index..).unwrap_or_default().to_vec()
    }

    /// Returns when the log is longer than `seen` entries.
    pub async fn grown_beyond(&self, seen: usize) {
        let mut length = self.shared.length.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _ = length.wait_for(|&length| length > seen).await;
    }

    /// Waits for the first event that satisfies `wanted`, looking at past events first.
    ///
    /// # Errors
    ///
    /// [`WaitTimedOut`] when there is none before the deadline.
    pub async fn wait_for(
        &self,
        mut wanted: impl FnMut(&Logged) -> bool,
        deadline: Duration,
    ) -> Result<Logged, WaitTimedOut> {
        let mut seen = 0;
        let search = async {
            loop {
                let fresh = self.since(seen);
                seen += fresh.len();
                if let Some(found) = fresh.into_iter().find(&mut wanted) {
                    return found;
                }
                self.grown_beyond(seen).await;
            }
        };
        tokio::time::timeout(deadline, search)
            .await
            .map_err(|_| self.timed_out(deadline))
    }

    /// Waits until the whole log satisfies `wanted`.
    ///
    /// # Errors
    ///
    /// [`WaitTimedOut`] when it does not before the deadline.
    pub async fn wait_until(
        &self,
        mut wanted: impl FnMut(&[Logged]) -> bool,
        deadline: Duration,
    ) -> Result<(), WaitTimedOut> {
        let search = async {
            loop {
                let log = self.since(0);
                if wanted(&log) {
                    return;
                }
                self.grown_beyond(log.len()).await;
            }
        };
        tokio::time::timeout(deadline, search)
            .await
            .map_err(|_| self.timed_out(deadline))
    }

    /// The violations so far, of every call.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        for logged in self.since(0) {
            if let CarrierEvent::Violation { sentence } = logged.event {
                violations.push(sentence);
            }
        }
        violations
    }

    pub(super) fn timed_out(&self, waited: Duration) -> WaitTimedOut {
        let lines = self
            .since(0)
            .into_iter()
            .map(|logged| format!("{:>7} ms  {:?}", logged.at_ms, logged.event));
        WaitTimedOut {
            waited,
            seen: lines.collect::<Vec<_>>().join("\n"),
        }
    }
}
