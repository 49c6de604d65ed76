//! Adding the end of the call to the ticket.
//!
//! Zendesk takes no idempotency key for an update. After a failure that leaves its fate open, the
//! ticket's comments are read and the note is looked for by its last line
//! ([`render::marker`]) before it is sent again. A note that is neither found nor certainly absent
//! (the comments may not be read, or do not fit on one page) is sent again, and the receipt then
//! says that it may be there twice. What this cannot see is a request that is still on its way
//! while the comments are read; the worker's pause before a repeat makes that unlikely.

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use super::requests::{Requests, TicketId};
use super::settling::{again, done, go_on, send};
use super::upload::{self, Attached, Uploading};
use super::wire::{self, Trouble, WireComments, WireTicketAnswer};
use super::{ZendeskOptions, render};
use crate::delivery::outcome::{FailureReason, Job, SendFailure, Step, Verdict};
use crate::delivery::sink::progress::{Restored, restored};

/// Where an update stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
enum Updating {
    /// Nothing is sent.
    Begun { exactly_once: bool },
    /// The grown transcript is on its way.
    Uploading { failures: u8, exactly_once: bool },
    /// The note is due, for the first time or again.
    Due {
        attached: Option<Attached>,
        exactly_once: bool,
    },
    /// The note was sent.
    Putting {
        attached: Option<Attached>,
        exactly_once: bool,
    },
    /// The note is looked for.
    Checking {
        attached: Option<Attached>,
        exactly_once: bool,
    },
}

pub(super) fn step(
    options: &ZendeskOptions,
    job: &Job<'_>,
    ticket: TicketId,
    grown: bool,
    progress: Option<&[u8]>,
) -> Step {
    let requests = Requests::new(options, job.token);
    let filename = format!("transcript-{}.txt", job.context.revision);
    let upload = || requests.upload(&filename, render::attachment(options, job.context));
    match state(progress) {
        Updating::Begun { exactly_once } if grown => send(
            &Updating::Uploading {
                failures: 0,
                exactly_once,
            },
            upload(),
        ),
        Updating::Begun { exactly_once } => {
            put(options, &requests, job, ticket, None, exactly_once)
        }
        Updating::Uploading {
            failures: _,
            exactly_once: _,
        } => Step::Send(upload()),
        Updating::Due {
            attached: Some(attached),
            exactly_once,
        } if attached.is_stale(job.now) => send(
            &Updating::Uploading {
                failures: 0,
                exactly_once,
            },
            upload(),
        ),
        Updating::Due {
            attached,
            exactly_once,
        } => put(options, &requests, job, ticket, attached, exactly_once),
        // Sent before and not answered, as far as the journal knows.
        Updating::Putting {
            attached,
            exactly_once,
        } => send(
            &Updating::Checking {
                attached,
                exactly_once,
            },
            requests.comments(ticket),
        ),
        Updating::Checking {
            attached: _,
            exactly_once: _,
        } => Step::Send(requests.comments(ticket)),
    }
}

pub(super) fn interpret(
    options: &ZendeskOptions,
    job: &Job<'_>,
    ticket: TicketId,
    progress: Option<&[u8]>,
    answer: Result<Response<Bytes>, SendFailure>,
) -> Verdict {
    match state(progress) {
        // Nothing is sent in these states, so that no answer can belong to them.
        resting @ (Updating::Begun { .. } | Updating::Due { .. }) => go_on(&resting),
        Updating::Uploading {
            failures,
            exactly_once,
        } => match upload::interpret(answer, failures, job.now) {
            Uploading::Attached(attached) => go_on(&Updating::Due {
                attached: Some(attached),
                exactly_once,
            }),
            Uploading::Without => go_on(&Updating::Due {
                attached: None,
                exactly_once,
            }),
            Uploading::Again {
                after,
                failures,
                reason,
            } => again(
                after,
                &Updating::Uploading {
                    failures,
                    exactly_once,
                },
                reason,
            ),
            Uploading::Refresh => Verdict::Refresh,
        },
        Updating::Putting {
            attached,
            exactly_once,
        } => {
            let trouble = match wire::read::<WireTicketAnswer>(answer) {
                Ok(_) => return done(options, job, ticket, exactly_once),
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::NotActed { after, reason } => again(
                    after,
                    &Updating::Due {
                        attached,
                        exactly_once,
                    },
                    reason,
                ),
                Trouble::Unknown { after, reason } => again(
                    after,
                    &Updating::Putting {
                        attached,
                        exactly_once,
                    },
                    reason,
                ),
                Trouble::Unreadable => again(
                    None,
                    &Updating::Putting {
                        attached,
                        exactly_once,
                    },
                    FailureReason::Unreadable,
                ),
                // The ticket was changed by somebody else at the same moment and not by us.
                Trouble::Conflict => again(
                    None,
                    &Updating::Due {
                        attached,
                        exactly_once,
                    },
                    FailureReason::Rejected {
                        status: 409,
                        code: None,
                    },
                ),
                Trouble::Unauthorized => Verdict::Refresh,
                Trouble::KeyMismatch => Verdict::Dead(FailureReason::Rejected {
                    status: 400,
                    code: Some("IdempotentRequestError".to_owned()),
                }),
                Trouble::Refused { status: _, reason } => Verdict::Dead(reason),
            }
        }
        Updating::Checking {
            attached,
            exactly_once,
        } => checked(options, job, ticket, attached, exactly_once, answer),
    }
}

fn checked(
    options: &ZendeskOptions,
    job: &Job<'_>,
    ticket: TicketId,
    attached: Option<Attached>,
    exactly_once: bool,
    answer: Result<Response<Bytes>, SendFailure>,
) -> Verdict {
    let trouble = match wire::read::<WireComments>(answer) {
        Ok(page) => {
            let marker = render::marker(job.context);
            if page
                .comments
                .iter()
                .any(|comment| comment.contains(&marker))
            {
                return done(options, job, ticket, exactly_once);
            }
            let complete = page.next_page.is_none() && !page.meta.is_some_and(|meta| meta.has_more);
            return go_on(&Updating::Due {
                attached,
                exactly_once: exactly_once && complete,
            });
        }
        Err(trouble) => trouble,
    };
    let state = Updating::Checking {
        attached: attached.clone(),
        exactly_once,
    };
    match trouble {
        Trouble::NotActed { after, reason } | Trouble::Unknown { after, reason } => {
            again(after, &state, reason)
        }
        Trouble::Unreadable => again(None, &state, FailureReason::Unreadable),
        Trouble::Conflict => again(
            None,
            &state,
            FailureReason::Rejected {
                status: 409,
                code: None,
            },
        ),
        Trouble::Unauthorized => Verdict::Refresh,
        Trouble::KeyMismatch
        | Trouble::Refused {
            status: _,
            reason: _,
        } => go_on(&Updating::Due {
            attached,
            exactly_once: false,
        }),
    }
}

fn state(progress: Option<&[u8]>) -> Updating {
    match restored(progress) {
        Restored::Fresh => Updating::Begun { exactly_once: true },
        Restored::Known(state) => state,
        Restored::Unreadable => Updating::Putting {
            attached: None,
            exactly_once: true,
        },
    }
}

fn put(
    options: &ZendeskOptions,
    requests: &Requests<'_>,
    job: &Job<'_>,
    ticket: TicketId,
    attached: Option<Attached>,
    exactly_once: bool,
) -> Step {
    let token = attached.as_ref().map(|attached| attached.token.as_str());
    let request = requests.update(ticket, render::update(options, job.context, token));
    send(
        &Updating::Putting {
            attached,
            exactly_once,
        },
        request,
    )
}
