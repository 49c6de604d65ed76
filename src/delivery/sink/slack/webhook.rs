//! Posting through an incoming webhook: one message that nothing can be added to.
//!
//! There is neither idempotency nor a look-up, so that a failure that leaves the message's fate
//! open leads to a repeat, and the receipt says that it may be there twice.

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use super::card;
use super::options::SlackLimits;
use super::requests;
use super::wire::{self, Trouble};
use crate::delivery::outcome::{Job, Kind, Receipt, SendFailure, Step, Verdict};
use crate::delivery::sink::content;
use crate::delivery::sink::endpoint::BaseUrl;
use crate::delivery::sink::progress::{Restored, restored, saved};

/// A webhook gives its messages no names.
const EXTERNAL_ID: &str = "webhook";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
enum Hooking {
    /// The message is due, for the first time or again.
    Due { exactly_once: bool },
    /// The message was sent.
    Sent { exactly_once: bool },
}

pub(super) fn step(
    url: &BaseUrl,
    limits: SlackLimits,
    job: &Job<'_>,
    progress: Option<&[u8]>,
) -> Step {
    match job.kind {
        Kind::Open => {}
        // The message cannot be changed; what was delivered stands.
        Kind::Update { opened } => return Step::Done(opened.clone()),
    }
    let exactly_once = match state(progress) {
        Hooking::Due { exactly_once } => exactly_once,
        Hooking::Sent { exactly_once: _ } => false,
    };
    let blocks = card::blocks_with_transcript(job.context, limits);
    Step::SaveThenSend {
        progress: saved(&Hooking::Sent { exactly_once }),
        request: requests::hook(url, &card::fallback(job.context), &blocks),
    }
}

pub(super) fn interpret(
    job: &Job<'_>,
    progress: Option<&[u8]>,
    answer: Result<Response<Bytes>, SendFailure>,
) -> Verdict {
    let exactly_once = match state(progress) {
        Hooking::Due { exactly_once } | Hooking::Sent { exactly_once } => exactly_once,
    };
    let trouble = match wire::read_hook(answer) {
        Ok(()) => {
            return Verdict::Done(Receipt {
                external_id: EXTERNAL_ID.to_owned(),
                url: None,
                content_sha256: content::sha256(job.context),
                exactly_once,
                at: job.now,
            });
        }
        Err(trouble) => trouble,
    };
    match trouble {
        Trouble::NotActed { after, reason } => Verdict::Retry {
            after,
            progress: Some(saved(&Hooking::Due { exactly_once })),
            reason,
        },
        Trouble::Unknown { after, reason } => Verdict::Retry {
            after,
            progress: Some(saved(&Hooking::Sent { exactly_once })),
            reason,
        },
        Trouble::Sink(reason) => Verdict::DisableSink(reason),
        Trouble::NotPermitted(reason)
        | Trouble::Content(reason)
        | Trouble::Absent(reason)
        | Trouble::Refused(reason) => Verdict::Dead(reason),
    }
}

fn state(progress: Option<&[u8]>) -> Hooking {
    match restored(progress) {
        Restored::Fresh => Hooking::Due { exactly_once: true },
        Restored::Known(state) => state,
        Restored::Unreadable => Hooking::Sent {
            exactly_once: false,
        },
    }
}
