//! The Zendesk sink: which machine a job goes to, and how a token is got.

use std::time::Duration;

use bytes::Bytes;
use handoff_core::pii::Secret;
use http::{Request, Response};

use super::requests::{self, TicketId};
use super::wire::{self, Trouble, WireToken};
use super::{ZendeskOptions, open, update};
use crate::delivery::outcome::{
    Authorization, FailureReason, Job, Kind, Receipt, SendFailure, Step, Verdict,
};
use crate::delivery::sink::Refusal;
use crate::delivery::sink::content::{self, Growth};

/// Tickets in one Zendesk account.
#[derive(Clone, Debug)]
pub struct Zendesk {
    options: ZendeskOptions,
}

impl Zendesk {
    /// Takes the operator's choices.
    pub fn new(options: ZendeskOptions) -> Self {
        Self { options }
    }

    pub(in crate::delivery::sink) fn step(&self, job: &Job<'_>, progress: Option<&[u8]>) -> Step {
        match job.kind {
            Kind::Open => open::step(&self.options, job, progress),
            Kind::Update { opened } => match ticket_of(opened) {
                Some(ticket) => {
                    let grown = grown(job, opened);
                    update::step(&self.options, job, ticket, grown, progress)
                }
                None => Step::Fail(FailureReason::NeverOpened),
            },
        }
    }

    pub(in crate::delivery::sink) fn interpret(
        &self,
        job: &Job<'_>,
        progress: Option<&[u8]>,
        answer: Result<Response<Bytes>, SendFailure>,
    ) -> Verdict {
        match job.kind {
            Kind::Open => open::interpret(&self.options, job, progress, answer),
            Kind::Update { opened } => match ticket_of(opened) {
                Some(ticket) => update::interpret(&self.options, job, ticket, progress, answer),
                None => Verdict::Dead(FailureReason::NeverOpened),
            },
        }
    }

    pub(in crate::delivery::sink) fn authorize(&self) -> Option<Request<Bytes>> {
        requests::token(&self.options)
    }

    pub(in crate::delivery::sink) fn interpret_authorization(
        &self,
        answer: Result<Response<Bytes>, SendFailure>,
    ) -> Result<Authorization, Refusal> {
        let again = |after, reason| Refusal::Later { after, reason };
        wire::read::<WireToken>(answer)
            .map(|token| Authorization {
                token: Secret::new(token.access_token),
                valid_for: token.expires_in.map(Duration::from_secs),
            })
            .map_err(|trouble| match trouble {
                Trouble::NotActed { after, reason } | Trouble::Unknown { after, reason } => {
                    again(after, reason)
                }
                Trouble::Unreadable => again(None, FailureReason::Unreadable),
                Trouble::Conflict => again(
                    None,
                    FailureReason::Rejected {
                        status: 409,
                        code: None,
                    },
                ),
                Trouble::Unauthorized => Refusal::Final(FailureReason::Unauthorized),
                Trouble::KeyMismatch => Refusal::Final(FailureReason::Rejected {
                    status: 400,
                    code: None,
                }),
                Trouble::Refused { status: _, reason } => Refusal::Final(reason),
            })
    }
}

/// The receipt of an opening holds the ticket's number.
fn ticket_of(opened: &Receipt) -> Option<TicketId> {
    opened.external_id.parse().ok().map(TicketId)
}

fn grown(job: &Job<'_>, opened: &Receipt) -> bool {
    match content::growth(job.context, &opened.content_sha256) {
        Growth::None => false,
        Growth::After(_) | Growth::Rewritten => !job.context.transcript.is_empty(),
    }
}
