//! A human who is called apart from the caller's call, to be joined with them in a room.
//!
//! Sources: <https://www.plivo.com/docs/voice/api/call/make-a-call>, …/multiparty-call, and the published
//! tests of Plivo's libraries, read 2026-11-21.

use bytes::Bytes;
use handoff_core::id::CarrierCallId;
use http::{HeaderMap, Request, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::account::{Account, post};
use super::call::interpret_transfer;
use crate::carrier::argument::{RingSeconds, WebUrl};
use crate::carrier::creation::CreationError;
use crate::carrier::lenient::is_identifier;
use crate::carrier::number::E164;
use crate::carrier::plivo::number::digits;
use crate::carrier::rewrite::RewriteError;

/// Somebody who is called apart from the caller's call, to be joined with them later.
#[derive(Clone, Debug)]
pub struct NewCall<'a> {
    /// Who is called.
    pub to: &'a E164,
    /// The number that their phone shows: one of the account's, or one that it has verified.
    pub from: &'a E164,
    /// How long it rings.
    pub ring: RingSeconds,
    /// Where Plivo asks what they hear once they answer.
    pub document_url: &'a WebUrl,
    /// Where Plivo reports that the phone rings, and how the leg ended
    /// ([`LegReport`](crate::carrier::plivo::webhook::LegReport)).
    pub status_url: &'a WebUrl,
}

/// Builds the request that calls somebody, for [`interpret_created`].
///
/// Sent twice, it rings twice: Plivo documents no key that would tell a repeat.
pub fn create_call(account: &Account, call: &NewCall<'_>) -> Request<Bytes> {
    let body = json!({
        "from": digits(call.from),
        "to": digits(call.to),
        "answer_url": call.document_url.as_str(),
        "answer_method": "POST",
        "ring_url": call.status_url.as_str(),
        "ring_method": "POST",
        "hangup_url": call.status_url.as_str(),
        "hangup_method": "POST",
        "ring_timeout": call.ring.get(),
    });
    post(account, "Call/", body.to_string())
}

/// Reads the answer to [`create_call`]: the name of the new call, whose phone has yet to ring. The pages promise a `request_uuid` alone; that it becomes the `CallUUID` has been seen by the
/// vendor's own project.
///
/// # Errors
///
/// [`CreationError`], whose [`CreationError::verdict`] says what may be done.
pub fn interpret_created(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<CarrierCallId, CreationError> {
    match interpret_transfer(status, headers, body) {
        Ok(()) => named(body).ok_or(CreationError::Unnamed),
        Err(RewriteError::Throttled { after }) => Err(CreationError::Throttled { after }),
        Err(RewriteError::ServerFailed { status }) => Err(CreationError::ServerFailed { status }),
        Err(RewriteError::Refused { code, status }) => Err(CreationError::Refused { code, status }),
        // No such account.
        Err(RewriteError::CallerGone) => Err(CreationError::Refused {
            code: None,
            status: status.as_u16(),
        }),
        Err(RewriteError::NotSent) => Err(CreationError::NotSent),
        Err(RewriteError::Unanswered) => Err(CreationError::Unanswered),
    }
}

fn named(body: &[u8]) -> Option<CarrierCallId> {
    #[derive(Deserialize)]
    struct Created {
        request_uuid: OneOrMany,
    }

    /// A list is the answer to many numbers at once.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }

    let created: Created = serde_json::from_slice(body).ok()?;
    let name = match created.request_uuid {
        OneOrMany::One(name) => Some(name),
        OneOrMany::Many(names) => names.into_iter().next(),
    };
    name.filter(|name| is_identifier(name)).map(CarrierCallId)
}
