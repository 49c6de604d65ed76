//! How a queue is, and how it ended.

use std::time::Duration;

use handoff_core::call::DialEnd;
use handoff_core::id::CarrierCallId;

use crate::carrier::form::{Form, WebhookError};

/// A caller who waits in a queue, as the wait URL learns it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueWait {
    /// How long they have waited, if it is said.
    pub waited: Option<Duration>,
    /// Where they stand, from 1, if it is said.
    pub position: Option<u32>,
}

impl QueueWait {
    /// Reads the parameters of an `<Enqueue>`'s wait URL. A caller who waits is told something whatever they
    /// are, so that nothing can be wrong with them.
    pub fn read(parameters: &[(String, String)]) -> Self {
        let form = Form(parameters);
        Self {
            waited: form.number("QueueTime").map(Duration::from_secs),
            position: form
                .number("QueuePosition")
                .filter(|&position| position > 0),
        }
    }
}

/// The end of an `<Enqueue>`, as its action URL learns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueOutcome {
    /// The caller's call.
    pub call: CarrierCallId,
    /// How it ended.
    pub result: QueueEnd,
}

/// How a wait in a queue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueEnd {
    /// A human took the caller out of it; they talked.
    Bridged,
    /// A human is taking the caller out of it.
    Bridging,
    /// A document led the caller out.
    Left,
    /// The caller hung up.
    HungUp,
    /// The queue took no more callers.
    Full,
    /// The call was rewritten while it waited.
    Redirected,
    /// The call was rewritten while the two talked.
    RedirectedFromBridged,
    /// Twilio failed.
    Failed,
    /// Not known to this version.
    Other,
}

impl QueueOutcome {
    /// Parses the parameters of an `<Enqueue>`'s action URL.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: answer with the document for a dial that reached nobody.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        let result = form.required("QueueResult")?;
        Ok(Self {
            call: form.call("CallSid")?,
            result: match result {
                "bridged" => QueueEnd::Bridged,
                // The pages have it with hyphens, SDKs of old with underscores.
                "bridging-in-process" | "bridging_in_process" => QueueEnd::Bridging,
                "leave" => QueueEnd::Left,
                "hangup" => QueueEnd::HungUp,
                "queue-full" => QueueEnd::Full,
                "redirected" => QueueEnd::Redirected,
                "redirected-from-bridged" => QueueEnd::RedirectedFromBridged,
                "error" | "system-error" => QueueEnd::Failed,
                _ => QueueEnd::Other,
            },
        })
    }

    /// Judges the end, or `None` where it is none of ours: the call has another document, or is about to
    /// be joined.
    pub fn end(&self) -> Option<DialEnd> {
        match self.result {
            QueueEnd::Bridged => Some(DialEnd::Bridged),
            QueueEnd::Left => Some(DialEnd::NoAnswer),
            QueueEnd::HungUp => Some(DialEnd::Canceled),
            QueueEnd::Full => Some(DialEnd::Busy),
            QueueEnd::Failed | QueueEnd::Other => Some(DialEnd::Failed { code: None }),
            QueueEnd::Bridging | QueueEnd::Redirected | QueueEnd::RedirectedFromBridged => None,
        }
    }
}
