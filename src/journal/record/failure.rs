//! The disk form of [`FailureReason`].

use serde::{Deserialize, Serialize};

use super::envelope::{self, RecordError};
use crate::journal::outbox::FailureReason;

/// Writes a failure.
pub(in crate::journal) fn encode_failure(reason: &FailureReason) -> Result<String, RecordError> {
    envelope::encode(&DiskFailure::from(reason))
}

/// Reads a failure.
pub(in crate::journal) fn decode_failure(text: &str) -> Result<FailureReason, RecordError> {
    Ok(envelope::decode::<DiskFailure>(text, KINDS)?.into())
}

/// The kinds of version 1.
const KINDS: &[&str] = &[
    "unreachable",
    "throttled",
    "broken",
    "unreadable",
    "unauthorized",
    "rejected",
    "gone",
    "never_opened",
];

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum DiskFailure {
    Unreachable,
    Throttled,
    Broken { status: u16 },
    Unreadable,
    Unauthorized,
    Rejected { status: u16, code: Option<String> },
    Gone,
    NeverOpened,
}

impl From<&FailureReason> for DiskFailure {
    fn from(reason: &FailureReason) -> Self {
        match reason {
            FailureReason::Unreachable => Self::Unreachable,
            FailureReason::Throttled => Self::Throttled,
            &FailureReason::Broken { status } => Self::Broken { status },
            FailureReason::Unreadable => Self::Unreadable,
            FailureReason::Unauthorized => Self::Unauthorized,
            FailureReason::Rejected { status, code } => Self::Rejected {
                status: *status,
                code: code.clone(),
            },
            FailureReason::Gone => Self::Gone,
            FailureReason::NeverOpened => Self::NeverOpened,
        }
    }
}

impl From<DiskFailure> for FailureReason {
    fn from(reason: DiskFailure) -> Self {
        match reason {
            DiskFailure::Unreachable => Self::Unreachable,
            DiskFailure::Throttled => Self::Throttled,
            DiskFailure::Broken { status } => Self::Broken { status },
            DiskFailure::Unreadable => Self::Unreadable,
            DiskFailure::Unauthorized => Self::Unauthorized,
            DiskFailure::Rejected { status, code } => Self::Rejected { status, code },
            DiskFailure::Gone => Self::Gone,
            DiskFailure::NeverOpened => Self::NeverOpened,
        }
    }
}
