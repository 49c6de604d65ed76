//! A live call: moved, asked about, ended.

use bytes::Bytes;
use handoff_core::id::CarrierCallId;
use http::{HeaderMap, Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::account::{Account, post, segment, to};
use crate::carrier::argument::WebUrl;
use crate::carrier::call_state::{CallEnd, CallState};
use crate::carrier::payload::json_string;
use crate::carrier::rewrite::{RewriteError, retry_after};

/// How often a call may be transferred. One more, and Plivo ends it ("Loop detected").
pub const MAX_TRANSFERS: u32 = 70;

/// Builds the request that replaces the running document of a call by the one that `document_url` serves.
///
/// Only the caller's leg is moved; a dialled one is hung up with the document that dialled it. Never send
/// a second one while the first is unanswered.
pub fn transfer_call(
    account: &Account,
    call: &CarrierCallId,
    document_url: &WebUrl,
) -> Request<Bytes> {
    let body = format!(
        r#"{{"legs":"aleg","aleg_url":{},"aleg_method":"POST"}}"#,
        json_string(document_url.as_str())
    );
    post(account, &resource(call), body)
}

/// Builds the request that asks how a live call is doing, for [`interpret_call`].
pub fn fetch_call(account: &Account, call: &CarrierCallId) -> Request<Bytes> {
    let live = format!("{}?status=live", resource(call));
    to(account, Method::GET, &live, Bytes::new())
}

/// Builds the request that ends a call, for [`interpret_transfer`], to which
/// [`RewriteError::CallerGone`] then means that it was over already. Repeating it does no harm.
///
/// That it ends one that still rings is UNCONFIRMED: the Python library has a `DELETE` of `Request/` as well,
/// for calls that wait to be placed.
pub fn hang_up_call(account: &Account, call: &CarrierCallId) -> Request<Bytes> {
    to(account, Method::DELETE, &resource(call), Bytes::new())
}

/// Reads the answer to a transfer. Success (202) means that Plivo took the request, not that it acted:
/// the proof is the signed fetch of the document.
///
/// # Errors
///
/// [`RewriteError`], whose [`RewriteError::verdict`] says what may be done.
pub fn interpret_transfer(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), RewriteError> {
    if status.is_success() {
        return Ok(());
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(RewriteError::Throttled {
            after: retry_after(headers),
        });
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return Err(RewriteError::ServerFailed {
            status: status.as_u16(),
        });
    }
    if is_gone(status, body) {
        return Err(RewriteError::CallerGone);
    }
    Err(RewriteError::Refused {
        code: None,
        status: status.as_u16(),
    })
}

/// Reads the answer to [`fetch_call`]. Plivo keeps live calls apart from finished ones, so its own 404
/// says that the call is over; how it ended is not told. Whatever else is not a call's own word on its
/// state is [`CallState::Unknown`].
pub fn interpret_call(status: StatusCode, body: &[u8]) -> CallState {
    #[derive(Deserialize)]
    struct Call {
        call_status: String,
    }

    if is_gone(status, body) {
        return CallState::Ended(CallEnd::Completed);
    }
    if !status.is_success() {
        return CallState::Unknown;
    }
    match serde_json::from_slice::<Call>(body) {
        Ok(call) => CallState::parse(&call.call_status.to_lowercase()),
        Err(_) => CallState::Unknown,
    }
}

/// A 404 of the API has a JSON object as its body, `{"api_id":"…","error":"…"}`. Another one is the word
/// of a proxy or of a mistaken base URL, and says nothing about the caller.
fn is_gone(status: StatusCode, body: &[u8]) -> bool {
    status == StatusCode::NOT_FOUND && serde_json::from_slice::<Map<String, Value>>(body).is_ok()
}

fn resource(call: &CarrierCallId) -> String {
    format!("Call/{}/", segment(&call.0))
}
