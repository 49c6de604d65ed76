//! What Zendesk answers, in its own words, and what that says about the request.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::delivery::outcome::{FailureReason, SendFailure};
use crate::delivery::sink::answer;

/// `{"ticket":{…}}` of a create or update.
#[derive(Deserialize)]
pub(super) struct WireTicketAnswer {
    pub(super) ticket: WireTicket,
}

/// A ticket, as far as we look at it.
#[derive(Deserialize)]
pub(super) struct WireTicket {
    pub(super) id: u64,
    pub(super) external_id: Option<String>,
}

/// `{"tickets":[…]}` of a list.
#[derive(Deserialize)]
pub(super) struct WireTickets {
    pub(super) tickets: Vec<WireTicket>,
}

/// `{"upload":{"token":"…"}}`
#[derive(Deserialize)]
pub(super) struct WireUploadAnswer {
    pub(super) upload: WireUpload,
}

/// An upload, as far as we look at it.
#[derive(Deserialize)]
pub(super) struct WireUpload {
    pub(super) token: String,
}

/// `{"comments":[…],"next_page":…}`; cursor pagination says `meta.has_more` instead.
#[derive(Deserialize)]
pub(super) struct WireComments {
    pub(super) comments: Vec<WireComment>,
    pub(super) next_page: Option<String>,
    pub(super) meta: Option<WireMeta>,
}

/// Where a cursor stands.
#[derive(Deserialize)]
pub(super) struct WireMeta {
    pub(super) has_more: bool,
}

/// A comment, as far as we look at it. Which of its bodies is filled is UNCONFIRMED.
#[derive(Deserialize)]
pub(super) struct WireComment {
    pub(super) body: Option<String>,
    pub(super) html_body: Option<String>,
    pub(super) plain_body: Option<String>,
}

impl WireComment {
    /// Whether any form of the text contains the words.
    pub(super) fn contains(&self, words: &str) -> bool {
        [&self.body, &self.html_body, &self.plain_body]
            .into_iter()
            .flatten()
            .any(|text| text.contains(words))
    }
}

/// The token endpoint's answer.
#[derive(Deserialize)]
pub(super) struct WireToken {
    pub(super) access_token: String,
    pub(super) expires_in: Option<u64>,
}

/// `error` is a word in the ticketing API and an object in some others.
#[derive(Deserialize)]
struct WireError {
    error: serde_json::Value,
}

/// Why an answer is not the one that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The request certainly changed nothing and may be repeated.
    NotActed {
        /// The pause that Zendesk asks for.
        after: Option<Duration>,
        /// What happened.
        reason: FailureReason,
    },
    /// The request may have acted.
    Unknown {
        /// The pause that Zendesk asks for.
        after: Option<Duration>,
        /// What happened.
        reason: FailureReason,
    },
    /// Success was answered in a form that cannot be read.
    Unreadable,
    /// The token is not (or no longer) good.
    Unauthorized,
    /// The idempotency key was used with other bytes before.
    KeyMismatch,
    /// Somebody else changes the same thing.
    Conflict,
    /// Repeating does not help.
    Refused {
        /// The HTTP status, which some callers tell apart further.
        status: StatusCode,
        /// What happened.
        reason: FailureReason,
    },
}

/// Reads an answer as the given shape.
pub(super) fn read<T: DeserializeOwned>(
    answer: Result<Response<Bytes>, SendFailure>,
) -> Result<T, Trouble> {
    let answer = answer.map_err(|failure| match failure {
        SendFailure::NotSent => Trouble::NotActed {
            after: None,
            reason: FailureReason::Unreachable,
        },
        SendFailure::Unknown => Trouble::Unknown {
            after: None,
            reason: FailureReason::Unreachable,
        },
    })?;
    if answer.status().is_success() {
        return answer::json(&answer).ok_or(Trouble::Unreadable);
    }
    Err(trouble(&answer))
}

fn trouble(answer: &Response<Bytes>) -> Trouble {
    let status = answer.status();
    let after = answer::retry_after(answer.headers());
    let code = code(answer);
    match status {
        StatusCode::UNAUTHORIZED => Trouble::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS => Trouble::NotActed {
            after,
            reason: FailureReason::Throttled,
        },
        StatusCode::CONFLICT => Trouble::Conflict,
        StatusCode::BAD_REQUEST if code.as_deref() == Some("IdempotentRequestError") => {
            Trouble::KeyMismatch
        }
        _ if status == StatusCode::REQUEST_TIMEOUT || status.is_server_error() => {
            Trouble::Unknown {
                after,
                reason: FailureReason::Broken {
                    status: status.as_u16(),
                },
            }
        }
        _ => Trouble::Refused {
            status,
            reason: FailureReason::Rejected {
                status: status.as_u16(),
                code,
            },
        },
    }
}

/// The error's name, if it is one: free text could repeat what was sent.
fn code(answer: &Response<Bytes>) -> Option<String> {
    let WireError { error } = answer::json(answer)?;
    let code = error.as_str().or_else(|| error.get("title")?.as_str())?;
    answer::is_code(code).then(|| code.to_owned())
}
