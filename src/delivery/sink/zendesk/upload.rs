//! Uploading the transcript, which opening and updating a ticket have in common.
//!
//! Repeating an upload is harmless: what is never attached is deleted by Zendesk. A ticket without
//! its attachment is better than no ticket, so that a refused upload is gone without.

use std::time::Duration;

use bytes::Bytes;
use handoff_core::time::WallTime;
use http::Response;
use serde::{Deserialize, Serialize};

use super::wire::{self, Trouble, WireUploadAnswer};
use crate::delivery::outcome::{FailureReason, SendFailure};

/// Answered failures after which a ticket goes without the attachment.
const FAILURES_BORNE: u8 = 3;
/// Zendesk keeps an upload for 60 min until it is used (uploads reference, read 2026-11-21).
const KEPT: Duration = Duration::from_secs(55 * 60);

/// An uploaded transcript.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attached {
    pub(super) token: String,
    pub(super) at_ms: u64,
}

impl Attached {
    /// Whether Zendesk may have deleted it.
    pub(super) fn is_stale(&self, now: WallTime) -> bool {
        Duration::from_millis(now.0.saturating_sub(self.at_ms)) >= KEPT
    }
}

/// What follows from the answer to an upload.
pub(super) enum Uploading {
    /// It is there.
    Attached(Attached),
    /// The ticket goes without.
    Without,
    /// Again, after a pause.
    Again {
        after: Option<Duration>,
        failures: u8,
        reason: FailureReason,
    },
    /// With a new token.
    Refresh,
}

/// Judges the answer to an upload after `failures` answered failures.
pub(super) fn interpret(
    answer: Result<Response<Bytes>, SendFailure>,
    failures: u8,
    now: WallTime,
) -> Uploading {
    // A network that fails fails the ticket too, so only answers count as failures.
    let answered = answer.is_ok();
    let trouble = match wire::read::<WireUploadAnswer>(answer) {
        Ok(answer) => {
            return Uploading::Attached(Attached {
                token: answer.upload.token,
                at_ms: now.0,
            });
        }
        Err(trouble) => trouble,
    };
    let counted = |after, reason| {
        let failures = failures + u8::from(answered);
        if failures >= FAILURES_BORNE {
            Uploading::Without
        } else {
            Uploading::Again {
                after,
                failures,
                reason,
            }
        }
    };
    match trouble {
        Trouble::NotActed { after, reason } => Uploading::Again {
            after,
            failures,
            reason,
        },
        Trouble::Unknown { after, reason } => counted(after, reason),
        Trouble::Unreadable => counted(None, FailureReason::Unreadable),
        Trouble::Conflict => counted(
            None,
            FailureReason::Rejected {
                status: 409,
                code: None,
            },
        ),
        Trouble::Unauthorized => Uploading::Refresh,
        Trouble::KeyMismatch
        | Trouble::Refused {
            status: _,
            reason: _,
        } => Uploading::Without,
    }
}
