//! An account, and the shape of every request to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use handoff_core::pii::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};

use crate::base_url::BaseUrl;
use crate::carrier::lenient::is_identifier_char;

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

/// Builds the request for the account itself, which shows whether the credentials are good.
pub fn fetch_account(account: &Account) -> Request<Bytes> {
    to(account, Method::GET, "", Bytes::new())
}

/// A name as a part of a path. Names are checked where they arrive. None that slipped through may reach
/// another resource: not the parent by its dots, and not the collection of all by being empty.
pub(super) fn segment(name: &str) -> String {
    let name: String = (name.chars().take(64))
        .map(|c| if is_identifier_char(c) { c } else { '_' })
        .collect();
    if name.is_empty() {
        return "_".to_owned();
    }
    name
}

pub(super) fn post(account: &Account, resource: &str, json: String) -> Request<Bytes> {
    let mut request = to(account, Method::POST, resource, Bytes::from(json));
    request
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
}

/// Every path ends with a slash, as the API demands.
pub(super) fn to(account: &Account, method: Method, resource: &str, body: Bytes) -> Request<Bytes> {
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
