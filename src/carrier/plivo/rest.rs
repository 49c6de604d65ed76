//! The requests that change a live call, and what their answers mean.
//!
//! Plivo takes no document inside of a request: a transfer names a URL, which must serve the document
//! to a signed POST, also if it is fetched twice. There is no idempotency key either. So every failure
//! says in its [`Verdict`](crate::carrier::verdict::Verdict) whether the call has to be looked at first.
//!
//! Transfer before the socket of a stream is closed: with `keepCallAlive` the new document begins when
//! the stream ends, and a stream that ends first lets the old document go on.
//!
//! Sources: <https://www.plivo.com/docs/voice/api/>, `plivo` 4.63.0 for Python and the vendor's CLI
//! project, read 2026-11-21.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use handoff_core::id::CarrierCallId;
use handoff_core::pii::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::base_url::BaseUrl;
use crate::carrier::argument::WebUrl;
use crate::carrier::call_state::{CallEnd, CallState};
use crate::carrier::lenient::is_identifier_char;
use crate::carrier::payload::json_string;
use crate::carrier::rewrite::retry_after;

pub use crate::carrier::rewrite::RewriteError;

/// How often a call may be transferred. One more, and Plivo ends it ("Loop detected").
pub const MAX_TRANSFERS: u32 = 70;

/// An account, and how we prove to be allowed to act for it.
#[derive(Clone, Debug)]
pub struct Account {
    auth_id: AuthId,
    base_url: BaseUrl,
    authorization: HeaderValue,
}

/// The name of an account: `MA`, of a sub-account `SA`, and more letters and digits. How many is in no
/// source, so the only limit is that of a name in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthId(String);

/// Which kind of account an [`AuthId`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// One whose token signs every webhook's main-account header.
    Main,
    /// One below a main account: its own token signs the webhooks of its calls, and the main account's
    /// does so under a header of its own.
    Sub,
}

/// The text is not the name of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be MA or SA and letters and digits, at most 64 in all")]
pub struct NotAnAuthId;

impl AuthId {
    /// Accepts the name of an account.
    ///
    /// # Errors
    ///
    /// [`NotAnAuthId`] for anything else, and for what has no place in a URL.
    pub fn parse(text: &str) -> Result<Self, NotAnAuthId> {
        let rest = (text.strip_prefix("MA"))
            .or_else(|| text.strip_prefix("SA"))
            .unwrap_or_default();
        let shaped =
            (1..=62).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        shaped.then(|| Self(text.to_owned())).ok_or(NotAnAuthId)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which kind of account it names.
    pub fn kind(&self) -> AccountKind {
        if self.0.starts_with("SA") {
            AccountKind::Sub
        } else {
            AccountKind::Main
        }
    }
}

impl Account {
    /// Puts together what every request to the account needs.
    pub fn new(auth_id: &AuthId, token: &Secret, base_url: &BaseUrl) -> Self {
        let pair = STANDARD.encode(format!("{}:{}", auth_id.as_str(), token.expose()));
        let mut authorization = HeaderValue::from_str(&format!("Basic {pair}"))
            .expect("base64 has only visible characters");
        authorization.set_sensitive(true);
        Self {
            auth_id: auth_id.clone(),
            base_url: base_url.clone(),
            authorization,
        }
    }

    /// Its name.
    pub fn auth_id(&self) -> &AuthId {
        &self.auth_id
    }
}

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
    let mut request = to_call(account, Method::POST, call, "", Bytes::from(body));
    request
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
}

/// Builds the request that asks how a live call is doing, for [`interpret_call`].
pub fn fetch_call(account: &Account, call: &CarrierCallId) -> Request<Bytes> {
    to_call(account, Method::GET, call, "?status=live", Bytes::new())
}

/// Builds the request that ends a call, for [`interpret_hang_up`].
pub fn hang_up_call(account: &Account, call: &CarrierCallId) -> Request<Bytes> {
    to_call(account, Method::DELETE, call, "", Bytes::new())
}

/// Builds the request for the account itself, which shows whether the credentials are good.
pub fn fetch_account(account: &Account) -> Request<Bytes> {
    to(account, Method::GET, "", Bytes::new())
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

/// Reads the answer to [`hang_up_call`]. A call that is over already is what was wanted.
///
/// # Errors
///
/// Those of [`interpret_transfer`], but for [`RewriteError::CallerGone`].
pub fn interpret_hang_up(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), RewriteError> {
    match interpret_transfer(status, headers, body) {
        Ok(()) | Err(RewriteError::CallerGone) => Ok(()),
        Err(error) => Err(error),
    }
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

fn to_call(
    account: &Account,
    method: Method,
    call: &CarrierCallId,
    query: &str,
    body: Bytes,
) -> Request<Bytes> {
    // Names are checked where they arrive. None that slipped through may reach another resource: not the
    // parent by its dots, and not the collection of all calls by being empty.
    let call: String = (call.0.chars().take(64))
        .map(|c| if is_identifier_char(c) { c } else { '_' })
        .collect();
    let call = if call.is_empty() { "_" } else { &call };
    to(account, method, &format!("Call/{call}/{query}"), body)
}

/// Every path ends with a slash, as the API demands.
fn to(account: &Account, method: Method, resource: &str, body: Bytes) -> Request<Bytes> {
    let url = account.base_url.at(&format!(
        "/v1/Account/{}/{resource}",
        account.auth_id.as_str()
    ));
    Request::builder()
        .method(method)
        .uri(url)
        .header(AUTHORIZATION, account.authorization.clone())
        .header(ACCEPT, "application/json")
        .body(body)
        .expect("a checked base URL and escaped names make a valid request")
}
