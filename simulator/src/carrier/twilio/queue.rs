//! The account's queues: who stands in them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::flow::owned;
use super::stage::Stage;
use super::twiml::WaitingLine;
use crate::carrier::event::CarrierEvent;
use crate::carrier::lock::lock;

/// UNCONFIRMED: Twilio's pages say 100 and 1000.
const MOST_CALLERS: &str = "100";

/// Calls by queue, the first first.
#[derive(Debug, Default)]
pub(super) struct Queues {
    by_name: Mutex<BTreeMap<String, Vec<Arc<str>>>>,
}

/// A caller's place in a queue. Dropping it leaves the queue.
#[derive(Debug)]
pub(super) struct Place<'a> {
    stage: &'a Stage,
    queue_sid: String,
    /// `queue:name` or `workflow:WW…`.
    pub(super) key: String,
    since: Instant,
}

impl<'a> Place<'a> {
    pub(super) fn take(stage: &'a Stage, line: &WaitingLine) -> Self {
        let (queue, key, attributes) = match line {
            WaitingLine::Queue(name) => (name, format!("queue:{name}"), None),
            WaitingLine::Workflow { sid, attributes } => {
                (sid, format!("workflow:{sid}"), Some(attributes.clone()))
            }
        };
        let position = {
            let mut queues = lock(&stage.account.queues.by_name);
            let callers = queues.entry(key.clone()).or_default();
            callers.push(Arc::clone(&stage.call.sid));
            callers.len()
        };
        let queue_sid = super::account::sid("QU", &key);
        stage.record(CarrierEvent::QueueEntered {
            queue_sid: queue_sid.clone(),
            queue: queue.clone(),
            position,
            attributes,
        });
        Self {
            stage,
            queue_sid,
            key,
            since: Instant::now(),
        }
    }

    /// What a wait document's URL is told.
    pub(super) fn wait_parameters(&self) -> Vec<(String, String)> {
        let (position, size) = {
            let queues = lock(&self.stage.account.queues.by_name);
            let callers = queues.get(&self.key).map_or(&[][..], Vec::as_slice);
            let before = callers.iter().position(|sid| *sid == self.stage.call.sid);
            (before.map_or(0, |before| before + 1), callers.len())
        };
        let seconds = self.seconds().to_string();
        owned([
            ("AvgQueueTime", &seconds),
            ("CurrentQueueSize", &size.to_string()),
            ("MaxQueueSize", MOST_CALLERS),
            ("QueuePosition", &position.to_string()),
            ("QueueSid", &self.queue_sid),
            ("QueueTime", &seconds),
        ])
    }

    /// Leaves the queue. What the action is told.
    pub(super) fn leave(self, result: &'static str) -> Vec<(String, String)> {
        let seconds = self.seconds();
        self.stage.record(CarrierEvent::QueueLeft {
            queue_sid: self.queue_sid.clone(),
            result,
            seconds,
        });
        told(&self.queue_sid, result, seconds)
    }

    fn seconds(&self) -> u64 {
        self.stage.seconds_since(self.since)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut queues = lock(&self.stage.account.queues.by_name);
        if let Some(callers) = queues.get_mut(&self.key) {
            callers.retain(|sid| *sid != self.stage.call.sid);
        }
    }
}

/// What the action of an `<Enqueue>` is told.
pub(super) fn told(queue_sid: &str, result: &str, seconds: u64) -> Vec<(String, String)> {
    owned([
        ("QueueResult", result),
        ("QueueSid", queue_sid),
        ("QueueTime", &seconds.to_string()),
    ])
}
