//! The requests that change a live call or call a human, and what their answers mean.
//!
//! Twilio documents no idempotency key for updates of a call: a repeated one starts the document
//! again. So every failure says in its [`Verdict`](crate::carrier::verdict::Verdict) whether the call has
//! to be looked at first.
//!
//! Sources: <https://www.twilio.com/docs/voice/api/call-resource>, …/docs/api/errors/21220, /20429
//! and /32018, …/docs/global-infrastructure, read 2026-11-21.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use handoff_core::id::CarrierCallId;
use handoff_core::pii::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use serde::Deserialize;

use super::argument::{RingSeconds, WebUrl};
use super::call_state::CallState;
use crate::base_url::BaseUrl;
use crate::carrier::lenient::is_identifier;
use crate::carrier::number::E164;
use crate::carrier::rewrite::retry_after;

pub use super::sid::{AccountSid, KeySid, NotASid};
pub use crate::carrier::creation::CreationError;
pub use crate::carrier::rewrite::RewriteError;

/// The longest document that an update takes inline; beyond, Twilio answers 32018.
pub const INLINE_LIMIT_CHARS: usize = 4_000;

/// Twilio's error for a call that is over, or was never.
const NOT_IN_PROGRESS: u32 = 21_220;

/// An account, and how we prove to be allowed to act for it.
#[derive(Clone, Debug)]
pub struct Account {
    sid: AccountSid,
    base_url: BaseUrl,
    authorization: HeaderValue,
}

/// What requests are authenticated with. Webhooks are signed with the Auth Token either way.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// The account's Auth Token.
    AuthToken(Secret),
    /// An API key of the account.
    ApiKey {
        /// Its name.
        sid: KeySid,
        /// Its secret.
        secret: Secret,
    },
}

impl Account {
    /// Puts together what every request to the account needs.
    pub fn new(sid: &AccountSid, credentials: &Credentials, base_url: &BaseUrl) -> Self {
        let (user, password) = match credentials {
            Credentials::AuthToken(token) => (sid.as_str(), token),
            Credentials::ApiKey { sid, secret } => (sid.as_str(), secret),
        };
        let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
        let mut authorization = HeaderValue::from_str(&format!("Basic {pair}"))
            .expect("base64 has only visible characters");
        authorization.set_sensitive(true);
        Self {
            sid: sid.clone(),
            base_url: base_url.clone(),
            authorization,
        }
    }

    /// Its name.
    pub fn account_sid(&self) -> &AccountSid {
        &self.sid
    }
}

/// Whether a document may travel inside the update itself.
pub fn fits_inline(document: &str) -> bool {
    document.chars().count() <= INLINE_LIMIT_CHARS
}

/// Builds the request that replaces the running document of a call: inline if it fits, otherwise by
/// `document_url`, which must then serve it to a signed POST.
///
/// It replaces everything: a child leg of a running `<Dial>` is hung up, a stream of `<Connect>`
/// ends. Never send a second one while the first is unanswered.
pub fn rewrite_call(
    account: &Account,
    call: &CarrierCallId,
    document: &str,
    document_url: &WebUrl,
) -> Request<Bytes> {
    if fits_inline(document) {
        update(account, call, &[("Twiml", document)])
    } else {
        update(
            account,
            call,
            &[("Url", document_url.as_str()), ("Method", "POST")],
        )
    }
}

/// Somebody who is called apart from the caller's call, to be joined with them later.
#[derive(Clone, Debug)]
pub struct NewCall<'a> {
    /// Who is called.
    pub to: &'a E164,
    /// The number that their phone shows: one of the account's, or one that it has verified.
    pub from: &'a E164,
    /// How long it rings.
    pub ring: RingSeconds,
    /// Where Twilio asks what they hear once they answer.
    pub document_url: &'a WebUrl,
    /// Where Twilio reports how far the leg is ([`LegStatus`](super::webhook::LegStatus)).
    pub status_url: &'a WebUrl,
}

/// Builds the request that calls somebody, for [`interpret_created`].
///
/// Sent twice, it rings twice: Twilio documents no key that would tell a repeat.
pub fn create_call(account: &Account, call: &NewCall<'_>) -> Request<Bytes> {
    let ring = call.ring.get().to_string();
    let fields = [
        ("To", call.to.expose()),
        ("From", call.from.expose()),
        ("Url", call.document_url.as_str()),
        ("Method", "POST"),
        ("Timeout", &ring),
        ("StatusCallback", call.status_url.as_str()),
        ("StatusCallbackMethod", "POST"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
    ];
    post(
        account,
        &format!("{}/Calls.json", account.sid.as_str()),
        &fields,
    )
}

/// Builds the request that ends a call, whether it rings or was answered, for [`interpret_rewrite`], to
/// which [`RewriteError::CallerGone`] then means that it was over already. Repeating it does no harm.
///
/// `completed` is documented to end a call "even if it's already in progress", and so before; `canceled`
/// would let one that was answered in between go on.
pub fn end_call(account: &Account, call: &CarrierCallId) -> Request<Bytes> {
    update(account, call, &[("Status", "completed")])
}

/// Builds the request that asks how a call is doing, for [`interpret_call`].
pub fn fetch_call(account: &Account, call: &CarrierCallId) -> Request<Bytes> {
    to(
        account,
        Method::GET,
        &call_resource(account, call),
        Bytes::new(),
    )
}

/// Builds the request for the account itself, which shows whether the credentials are good.
pub fn fetch_account(account: &Account) -> Request<Bytes> {
    to(
        account,
        Method::GET,
        &format!("{}.json", account.sid.as_str()),
        Bytes::new(),
    )
}

/// Reads the answer to an update of a call. Success means that Twilio took the document, not that
/// anybody's phone rings.
///
/// # Errors
///
/// [`RewriteError`], whose [`RewriteError::verdict`] says what may be done.
pub fn interpret_rewrite(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), RewriteError> {
    const TOO_MANY_REQUESTS: u32 = 20_429;

    if status.is_success() {
        return Ok(());
    }
    let code = error_code(body);
    if status == StatusCode::TOO_MANY_REQUESTS || code == Some(TOO_MANY_REQUESTS) {
        return Err(RewriteError::Throttled {
            after: retry_after(headers),
        });
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return Err(RewriteError::ServerFailed {
            status: status.as_u16(),
        });
    }
    if code == Some(NOT_IN_PROGRESS) {
        return Err(RewriteError::CallerGone);
    }
    Err(RewriteError::Refused {
        code,
        status: status.as_u16(),
    })
}

/// Reads the answer to [`create_call`]: the name of the new call, whose phone has yet to ring.
///
/// # Errors
///
/// [`CreationError`], whose [`CreationError::verdict`] says what may be done.
pub fn interpret_created(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<CarrierCallId, CreationError> {
    #[derive(Deserialize)]
    struct Created {
        sid: String,
    }

    match interpret_rewrite(status, headers, body) {
        Ok(()) => match serde_json::from_slice::<Created>(body) {
            Ok(created) if is_identifier(&created.sid) => Ok(CarrierCallId(created.sid)),
            Ok(_) | Err(_) => Err(CreationError::Unnamed),
        },
        Err(RewriteError::Throttled { after }) => Err(CreationError::Throttled { after }),
        Err(RewriteError::ServerFailed { status }) => Err(CreationError::ServerFailed { status }),
        Err(RewriteError::Refused { code, status }) => Err(CreationError::Refused { code, status }),
        Err(RewriteError::CallerGone) => Err(CreationError::Refused {
            code: Some(NOT_IN_PROGRESS),
            status: status.as_u16(),
        }),
        Err(RewriteError::NotSent) => Err(CreationError::NotSent),
        Err(RewriteError::Unanswered) => Err(CreationError::Unanswered),
    }
}

/// Reads the answer to [`fetch_call`]. Whatever is not a call's own word on its state is
/// [`CallState::Unknown`]: a 404 too, which has been seen for live calls.
pub fn interpret_call(status: StatusCode, body: &[u8]) -> CallState {
    #[derive(Deserialize)]
    struct Call {
        status: String,
    }

    if !status.is_success() {
        return CallState::Unknown;
    }
    match serde_json::from_slice::<Call>(body) {
        Ok(call) => CallState::parse(&call.status),
        Err(_) => CallState::Unknown,
    }
}

/// Shape: `{"code":21220,"message":"…","more_info":"…","status":400}`. The message may quote what we
/// sent and is not read.
fn error_code(body: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Failure {
        code: Option<u32>,
    }

    // A body that is no such object (a proxy's page) gives no code, and the status decides.
    serde_json::from_slice::<Failure>(body).ok()?.code
}

fn update(account: &Account, call: &CarrierCallId, fields: &[(&str, &str)]) -> Request<Bytes> {
    post(account, &call_resource(account, call), fields)
}

fn post(account: &Account, resource: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let mut request = to(account, Method::POST, resource, Bytes::from(form));
    request.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    request
}

fn call_resource(account: &Account, call: &CarrierCallId) -> String {
    // Names are checked where they arrive; cut and escaped, no other can make a request invalid.
    let call = &call.0.as_bytes()[..call.0.len().min(64)];
    let call: String = form_urlencoded::byte_serialize(call).collect();
    format!("{}/Calls/{call}.json", account.sid.as_str())
}

fn to(account: &Account, method: Method, resource: &str, body: Bytes) -> Request<Bytes> {
    let url = (account.base_url).at(&format!("/2010-04-01/Accounts/{resource}"));
    Request::builder()
        .method(method)
        .uri(url)
        .header(AUTHORIZATION, account.authorization.clone())
        .header(ACCEPT, "application/json")
        .body(body)
        .expect("a checked base URL and escaped names make a valid request")
}
