//! Disk form of how far the efforts of a handoff got.

use std::time::Duration;

use handoff_core::context::{Message, Reached, TargetTried};
use handoff_core::pii::Pii;
use serde::{Deserialize, Serialize};

use super::envelope::RecordError;
use super::parts::{DiskDialEnd, duration_nanos, target_name};

/// Disk form of [`Reached`].
#[derive(Default, Serialize, Deserialize)]
pub(super) struct DiskReached {
    route: Option<String>,
    rewrite_sent_ns: Option<u64>,
    rewrite_taken_ns: Option<u64>,
    targets: Vec<DiskTargetTried>,
}

#[derive(Serialize, Deserialize)]
struct DiskTargetTried {
    target: String,
    ringing_ns: Option<u64>,
    answered_ns: Option<u64>,
    accepted_ns: Option<u64>,
    bridged_ns: Option<u64>,
    end: Option<DiskDialEnd>,
}

/// Disk form of [`Message`].
#[derive(Serialize, Deserialize)]
pub(super) struct DiskMessage {
    url: String,
    length_ns: u64,
}

impl From<&Reached> for DiskReached {
    fn from(reached: &Reached) -> Self {
        Self {
            route: reached.route.clone(),
            rewrite_sent_ns: reached.rewrite_sent.map(duration_nanos),
            rewrite_taken_ns: reached.rewrite_taken.map(duration_nanos),
            targets: reached.targets.iter().map(DiskTargetTried::from).collect(),
        }
    }
}

impl TryFrom<DiskReached> for Reached {
    type Error = RecordError;

    fn try_from(reached: DiskReached) -> Result<Self, RecordError> {
        let targets = reached.targets.into_iter().map(TargetTried::try_from);
        Ok(Self {
            route: reached.route,
            rewrite_sent: reached.rewrite_sent_ns.map(Duration::from_nanos),
            rewrite_taken: reached.rewrite_taken_ns.map(Duration::from_nanos),
            targets: targets.collect::<Result<_, _>>()?,
        })
    }
}

impl From<&TargetTried> for DiskTargetTried {
    fn from(tried: &TargetTried) -> Self {
        Self {
            target: tried.target.as_str().to_owned(),
            ringing_ns: tried.ringing.map(duration_nanos),
            answered_ns: tried.answered.map(duration_nanos),
            accepted_ns: tried.accepted.map(duration_nanos),
            bridged_ns: tried.bridged.map(duration_nanos),
            end: tried.end.map(DiskDialEnd::from),
        }
    }
}

impl TryFrom<DiskTargetTried> for TargetTried {
    type Error = RecordError;

    fn try_from(tried: DiskTargetTried) -> Result<Self, RecordError> {
        Ok(Self {
            target: target_name(&tried.target)?,
            ringing: tried.ringing_ns.map(Duration::from_nanos),
            answered: tried.answered_ns.map(Duration::from_nanos),
            accepted: tried.accepted_ns.map(Duration::from_nanos),
            bridged: tried.bridged_ns.map(Duration::from_nanos),
            end: tried.end.map(Into::into),
        })
    }
}

impl From<&Message> for DiskMessage {
    fn from(message: &Message) -> Self {
        Self {
            url: message.url.expose().clone(),
            length_ns: duration_nanos(message.length),
        }
    }
}

impl From<DiskMessage> for Message {
    fn from(message: DiskMessage) -> Self {
        Self {
            url: Pii::new(message.url),
            length: Duration::from_nanos(message.length_ns),
        }
    }
}
