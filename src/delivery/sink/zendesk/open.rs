//! Opening a ticket: upload the transcript, create the ticket, and never create a second one.
//!
//! The body of the create is written down before it is first sent and is repeated byte for byte
//! under the same `Idempotency-Key`, so that Zendesk itself gives the first answer again. That
//! holds for 2 h (developer.zendesk.com, ticketing introduction, idempotency, read 2026-11-21).
//! Later, and where the key was used with other bytes, the ticket is looked for by `external_id`
//! and adopted; only if there is none is a new body sent, under a new key. The tests named
//! `a_repeated_create_…` and `…_is_adopted` show it.

use std::time::Duration;

use bytes::Bytes;
use handoff_core::context::HandoffContext;
use handoff_core::time::WallTime;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::requests::{Requests, TicketId};
use super::settling::{again, done, go_on, send};
use super::upload::{self, Attached, Uploading};
use super::wire::{self, Trouble, WireTicketAnswer, WireTickets};
use super::{ZendeskOptions, render};
use crate::delivery::outcome::{FailureReason, Job, SendFailure, Step, Verdict};
use crate::delivery::sink::progress::{Restored, restored};

/// Zendesk remembers a key for 2 h; a repeat under way at the border would be a second ticket.
const KEY_KEPT: Duration = Duration::from_secs(110 * 60);

/// Two keys refused in a row for their bytes mean that something else is wrong.
const LAST_KEY: u32 = 1;

/// Where the opening of a ticket stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
enum Opening {
    /// Nothing is sent, or a fresh create has to be made.
    Begun { attempt: Attempt },
    /// The transcript is on its way.
    Uploading { attempt: Attempt, failures: u8 },
    /// The transcript is there, or the ticket goes without.
    Uploaded {
        attempt: Attempt,
        attached: Option<Attached>,
    },
    /// The create was sent at least once.
    Creating { attempt: Attempt, create: Create },
    /// The ticket is looked for.
    Finding { attempt: Attempt, lost: Lost },
}

/// Which create of this handoff it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Attempt {
    /// Counts the keys used, from 0.
    key: u32,
    /// Whether it is certain that no earlier key made a ticket.
    exactly_once: bool,
}

impl Attempt {
    const FIRST: Self = Self {
        key: 0,
        exactly_once: true,
    };

    /// The attempt after one that was looked for.
    fn next(self, proved: bool) -> Self {
        Self {
            key: self.key + 1,
            exactly_once: self.exactly_once && proved,
        }
    }

    /// The handoff's id; later keys get a suffix, because other bytes need another key.
    fn idempotency_key(self, context: &HandoffContext) -> String {
        match self.key {
            0 => context.trigger.handoff.to_string(),
            later => format!("{}-{later}", context.trigger.handoff),
        }
    }
}

/// The create as it was first sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Create {
    body: String,
    sent_ms: u64,
    attached: Option<Attached>,
}

/// Why a ticket is looked for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
enum Lost {
    /// Zendesk does not remember the key any more, or not with these bytes, or refuses the bytes
    /// since the upload in them is gone.
    CannotRepeat {
        /// Whether Zendesk said that the key was used for something else, so that finding no
        /// ticket proves nothing.
        mismatch: bool,
    },
    /// The create was answered with success in a form that cannot be read.
    Unread { create: Create },
}

pub(super) fn step(options: &ZendeskOptions, job: &Job<'_>, progress: Option<&[u8]>) -> Step {
    let requests = Requests::new(options, job.token);
    let context = job.context;
    match state(progress) {
        Opening::Begun { attempt } if context.transcript.is_empty() => {
            create(options, &requests, job, attempt, None)
        }
        Opening::Begun { attempt } => send(
            &Opening::Uploading {
                attempt,
                failures: 0,
            },
            requests.upload("transcript.txt", render::attachment(options, context)),
        ),
        Opening::Uploading {
            attempt: _,
            failures: _,
        } => Step::Send(requests.upload("transcript.txt", render::attachment(options, context))),
        Opening::Uploaded {
            attempt,
            attached: Some(attached),
        } if attached.is_stale(job.now) => send(
            &Opening::Uploading {
                attempt,
                failures: 0,
            },
            requests.upload("transcript.txt", render::attachment(options, context)),
        ),
        Opening::Uploaded { attempt, attached } => {
            create(options, &requests, job, attempt, attached)
        }
        Opening::Creating { attempt, create } if create.is_forgotten(job.now) => send(
            &Opening::Finding {
                attempt,
                lost: Lost::CannotRepeat { mismatch: false },
            },
            requests.find(&context.trigger.handoff),
        ),
        Opening::Creating { attempt, create } => {
            Step::Send(requests.create(&attempt.idempotency_key(context), create.body))
        }
        Opening::Finding {
            attempt: _,
            lost: _,
        } => Step::Send(requests.find(&context.trigger.handoff)),
    }
}

pub(super) fn interpret(
    options: &ZendeskOptions,
    job: &Job<'_>,
    progress: Option<&[u8]>,
    answer: Result<Response<Bytes>, SendFailure>,
) -> Verdict {
    match state(progress) {
        // Nothing is sent in these states, so that no answer can belong to them.
        resting @ (Opening::Begun { .. } | Opening::Uploaded { .. }) => go_on(&resting),
        Opening::Uploading { attempt, failures } => {
            match upload::interpret(answer, failures, job.now) {
                Uploading::Attached(attached) => go_on(&Opening::Uploaded {
                    attempt,
                    attached: Some(attached),
                }),
                Uploading::Without => go_on(&Opening::Uploaded {
                    attempt,
                    attached: None,
                }),
                Uploading::Again {
                    after,
                    failures,
                    reason,
                } => again(after, &Opening::Uploading { attempt, failures }, reason),
                Uploading::Refresh => Verdict::Refresh,
            }
        }
        Opening::Creating { attempt, create } => created(options, job, attempt, create, answer),
        Opening::Finding { attempt, lost } => found(options, job, attempt, lost, answer),
    }
}

fn created(
    options: &ZendeskOptions,
    job: &Job<'_>,
    attempt: Attempt,
    create: Create,
    answer: Result<Response<Bytes>, SendFailure>,
) -> Verdict {
    let trouble = match wire::read::<WireTicketAnswer>(answer) {
        Ok(answer) => {
            return done(
                options,
                job,
                TicketId(answer.ticket.id),
                attempt.exactly_once,
            );
        }
        Err(trouble) => trouble,
    };
    match trouble {
        Trouble::NotActed { after, reason } | Trouble::Unknown { after, reason } => {
            again(after, &Opening::Creating { attempt, create }, reason)
        }
        // A duplicate in flight (UNCONFIRMED): its answer is there the next time.
        Trouble::Conflict => again(
            None,
            &Opening::Creating { attempt, create },
            FailureReason::Rejected {
                status: 409,
                code: None,
            },
        ),
        Trouble::Unreadable => go_on(&Opening::Finding {
            attempt,
            lost: Lost::Unread { create },
        }),
        Trouble::Unauthorized => Verdict::Refresh,
        Trouble::KeyMismatch if attempt.key >= LAST_KEY => Verdict::Dead(FailureReason::Rejected {
            status: 400,
            code: Some("IdempotentRequestError".to_owned()),
        }),
        Trouble::KeyMismatch => {
            let lost = Lost::CannotRepeat { mismatch: true };
            go_on(&Opening::Finding { attempt, lost })
        }
        Trouble::Refused {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            reason: _,
        } if create
            .attached
            .as_ref()
            .is_some_and(|attached| attached.is_stale(job.now)) =>
        {
            let lost = Lost::CannotRepeat { mismatch: false };
            go_on(&Opening::Finding { attempt, lost })
        }
        Trouble::Refused { status: _, reason } => Verdict::Dead(reason),
    }
}

fn found(
    options: &ZendeskOptions,
    job: &Job<'_>,
    attempt: Attempt,
    lost: Lost,
    answer: Result<Response<Bytes>, SendFailure>,
) -> Verdict {
    let trouble = match wire::read::<WireTickets>(answer) {
        Ok(answer) => {
            // Trusting the filter would adopt a stranger's ticket from a server that ignores it.
            let ours = job.context.trigger.handoff.as_str();
            let mut ids: Vec<u64> = answer
                .tickets
                .iter()
                .filter(|ticket| ticket.external_id.as_deref() == Some(ours))
                .map(|ticket| ticket.id)
                .collect();
            ids.sort_unstable();
            return match (ids.as_slice(), lost) {
                ([only], _) => done(options, job, TicketId(*only), attempt.exactly_once),
                ([first, _, ..], _) => done(options, job, TicketId(*first), false),
                ([], Lost::Unread { create }) => again(
                    None,
                    &Opening::Creating { attempt, create },
                    FailureReason::Unreadable,
                ),
                ([], Lost::CannotRepeat { mismatch }) => go_on(&Opening::Begun {
                    attempt: attempt.next(!mismatch),
                }),
            };
        }
        Err(trouble) => trouble,
    };
    match trouble {
        Trouble::NotActed { after, reason } | Trouble::Unknown { after, reason } => {
            again(after, &Opening::Finding { attempt, lost }, reason)
        }
        Trouble::Unreadable => again(
            None,
            &Opening::Finding { attempt, lost },
            FailureReason::Unreadable,
        ),
        Trouble::Conflict => again(
            None,
            &Opening::Finding { attempt, lost },
            FailureReason::Rejected {
                status: 409,
                code: None,
            },
        ),
        Trouble::Unauthorized => Verdict::Refresh,
        // Looking is not allowed. Where the key still holds, the same bytes ask again; else a
        // second ticket is better than none, and the receipt says so.
        Trouble::KeyMismatch
        | Trouble::Refused {
            status: _,
            reason: _,
        } => match lost {
            Lost::Unread { create } => again(
                None,
                &Opening::Creating { attempt, create },
                FailureReason::Unreadable,
            ),
            Lost::CannotRepeat { mismatch: _ } => go_on(&Opening::Begun {
                attempt: attempt.next(false),
            }),
        },
    }
}

fn state(progress: Option<&[u8]>) -> Opening {
    match restored(progress) {
        Restored::Fresh => Opening::Begun {
            attempt: Attempt::FIRST,
        },
        Restored::Known(state) => state,
        Restored::Unreadable => Opening::Finding {
            attempt: Attempt::FIRST,
            lost: Lost::CannotRepeat { mismatch: false },
        },
    }
}

fn create(
    options: &ZendeskOptions,
    requests: &Requests<'_>,
    job: &Job<'_>,
    attempt: Attempt,
    attached: Option<Attached>,
) -> Step {
    let token = attached.as_ref().map(|attached| attached.token.as_str());
    let body = render::create(options, job.context, token);
    let request = requests.create(&attempt.idempotency_key(job.context), body.clone());
    let create = Create {
        body,
        sent_ms: job.now.0,
        attached,
    };
    send(&Opening::Creating { attempt, create }, request)
}

impl Create {
    fn is_forgotten(&self, now: WallTime) -> bool {
        Duration::from_millis(now.0.saturating_sub(self.sent_ms)) >= KEY_KEPT
    }
}
