//! Steps and verdicts as opening and updating a ticket put them.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde::Serialize;

use super::ZendeskOptions;
use super::requests::TicketId;
use crate::delivery::outcome::{FailureReason, Job, Receipt, Step, Verdict};
use crate::delivery::sink::content;
use crate::delivery::sink::progress::saved;

/// Sends once the state is on disk.
pub(super) fn send<T: Serialize>(state: &T, request: Request<Bytes>) -> Step {
    Step::SaveThenSend {
        progress: saved(state),
        request,
    }
}

/// Goes on at once.
pub(super) fn go_on<T: Serialize>(state: &T) -> Verdict {
    Verdict::Continue {
        progress: saved(state),
    }
}

/// Goes on after a pause.
pub(super) fn again<T: Serialize>(
    after: Option<Duration>,
    state: &T,
    reason: FailureReason,
) -> Verdict {
    Verdict::Retry {
        after,
        progress: Some(saved(state)),
        reason,
    }
}

/// Is finished. The link to the ticket is the address agents see by convention (UNCONFIRMED in
/// Zendesk's documentation).
pub(super) fn done(
    options: &ZendeskOptions,
    job: &Job<'_>,
    ticket: TicketId,
    exactly_once: bool,
) -> Verdict {
    Verdict::Done(Receipt {
        external_id: ticket.0.to_string(),
        url: Some(options.base.at(&format!("/agent/tickets/{}", ticket.0))),
        content_sha256: content::sha256(job.context),
        exactly_once,
        at: job.now,
    })
}
