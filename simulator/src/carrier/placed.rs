//! The handle of a call that was placed, whatever the carrier.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::event::{CarrierEvent, EndReason};
use super::log::{EventLog, Logged, WaitTimedOut};

/// A call that was placed.
#[derive(Debug, Clone)]
pub struct PlacedCall {
    pub(in crate::carrier) call_sid: Arc<str>,
    pub(in crate::carrier) log: EventLog,
    /// Turns true when nothing of the call is left to do.
    pub(in crate::carrier) settled: watch::Receiver<bool>,
}

/// A call with this id was placed before.
#[derive(Debug, thiserror::Error)]
#[error("a call {call_sid} was placed before; give the recording another id with `with_call_sid`")]
pub struct DuplicateCall {
    /// The id.
    pub call_sid: String,
}

impl PlacedCall {
    /// The carrier's id of the call: `CA…` at Twilio, the CallUUID at Plivo.
    #[must_use]
    pub fn call_sid(&self) -> &str {
        &self.call_sid
    }

    /// This call's events so far.
    #[must_use]
    pub fn events(&self) -> Vec<CarrierEvent> {
        let log = self.log.since(0).into_iter();
        log.filter(|logged| logged.call.as_ref() == Some(&self.call_sid))
            .map(|logged| logged.event)
            .collect()
    }

    /// Waits for the first event of this call that satisfies `wanted`, looking at past events first.
    ///
    /// # Errors
    ///
    /// [`WaitTimedOut`], whose message shows the log.
    pub async fn wait_for(
        &self,
        mut wanted: impl FnMut(&CarrierEvent) -> bool,
        deadline: Duration,
    ) -> Result<Logged, WaitTimedOut> {
        let of_this_call =
            |logged: &Logged| logged.call.as_ref() == Some(&self.call_sid) && wanted(&logged.event);
        self.log.wait_for(of_this_call, deadline).await
    }

    /// Waits until the call is over, its sockets are closed and its callbacks are answered.
    ///
    /// # Errors
    ///
    /// [`WaitTimedOut`], whose message shows the log.
    pub async fn ended(&self, deadline: Duration) -> Result<EndReason, WaitTimedOut> {
        let mut reason = None;
        let note_end = |event: &CarrierEvent| {
            if let CarrierEvent::CallEnded { reason: why } = event {
                reason = Some(*why);
            }
            reason.is_some()
        };
        let began = tokio::time::Instant::now();
        self.wait_for(note_end, deadline).await?;
        let mut settled = self.settled.clone();
        let rest = deadline.saturating_sub(began.elapsed());
        let all_done = tokio::time::timeout(rest, settled.wait_for(|&settled| settled)).await;
        match (reason, all_done) {
            (Some(reason), Ok(_)) => Ok(reason),
            (_, Ok(_) | Err(_)) => Err(self.log.timed_out(deadline)),
        }
    }
}
