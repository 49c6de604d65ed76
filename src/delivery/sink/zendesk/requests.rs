//! Every request that Zendesk gets from us.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use handoff_core::id::HandoffId;
use handoff_core::pii::Secret;
use http::{HeaderName, HeaderValue, Method, Request};
use serde_json::json;

use super::options::{ZendeskCredentials, ZendeskOptions};
use crate::delivery::sink::endpoint::{Draft, form};

const JSON: &str = "application/json";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Zendesk wants `expires_in` between 300 s and 172,800 s (oauth/grant_type_tokens, read
/// 2026-11-21).
const TOKEN_SECONDS: u32 = 7_200;

/// A ticket's number. Only digits, so that it can stand in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TicketId(pub(super) u64);

/// Builds requests for one account on behalf of one token.
pub(super) struct Requests<'a> {
    options: &'a ZendeskOptions,
    authorization: Option<HeaderValue>,
}

impl<'a> Requests<'a> {
    /// Takes the OAuth token that the worker holds; an API token needs none.
    pub(super) fn new(options: &'a ZendeskOptions, token: Option<&Secret>) -> Self {
        let credentials = match (&options.credentials, token) {
            (ZendeskCredentials::OAuth { .. }, Some(token)) => {
                Some(format!("Bearer {}", token.expose()))
            }
            // The answer is then 401, which makes the worker ask for a token.
            (ZendeskCredentials::OAuth { .. }, None) => None,
            (ZendeskCredentials::ApiToken { email, token }, _) => {
                let pair = format!("{email}/token:{}", token.expose());
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
        };
        let authorization = credentials
            .and_then(|text| HeaderValue::from_str(&text).ok())
            .map(|mut value| {
                value.set_sensitive(true);
                value
            });
        Self {
            options,
            authorization,
        }
    }

    /// `POST /api/v2/uploads`: stores the transcript and gives a token for one comment.
    pub(super) fn upload(&self, filename: &str, text: String) -> Request<Bytes> {
        self.build(
            Method::POST,
            format!("/api/v2/uploads?{}", form(&[("filename", filename)])),
            Some("text/plain"),
            text,
        )
    }

    /// `POST /api/v2/tickets`. The same key and the same bytes give the same ticket for 2 h.
    pub(super) fn create(&self, key: &str, body: String) -> Request<Bytes> {
        let mut request = self.build(Method::POST, "/api/v2/tickets".to_owned(), Some(JSON), body);
        if let Ok(key) = HeaderValue::from_str(key) {
            request.headers_mut().insert(IDEMPOTENCY_KEY, key);
        }
        request
    }

    /// `GET /api/v2/tickets?external_id=…`: finds the ticket of a handoff.
    pub(super) fn find(&self, handoff: &HandoffId) -> Request<Bytes> {
        let query = form(&[("external_id", handoff.as_str())]);
        self.build(
            Method::GET,
            format!("/api/v2/tickets?{query}"),
            None,
            String::new(),
        )
    }

    /// `PUT /api/v2/tickets/{id}`: adds a note. Zendesk takes no idempotency key here.
    pub(super) fn update(&self, ticket: TicketId, body: String) -> Request<Bytes> {
        self.build(
            Method::PUT,
            format!("/api/v2/tickets/{}", ticket.0),
            Some(JSON),
            body,
        )
    }

    /// `GET /api/v2/tickets/{id}/comments`, newest first.
    pub(super) fn comments(&self, ticket: TicketId) -> Request<Bytes> {
        let path = format!("/api/v2/tickets/{}/comments?sort_order=desc", ticket.0);
        self.build(Method::GET, path, None, String::new())
    }

    fn build(
        &self,
        method: Method,
        path: String,
        content_type: Option<&'static str>,
        body: String,
    ) -> Request<Bytes> {
        Draft {
            method,
            url: self.options.base.at(&path),
            authorization: self.authorization.as_ref(),
            content_type,
            body: Bytes::from(body),
        }
        .finish()
        .expect("the base is a checked URL and every path is encoded")
    }
}

/// `POST /oauth/tokens`, at the root: `/api/v2/oauth/tokens` is another endpoint with other
/// parameters. `None` where an API token is used.
pub(super) fn token(options: &ZendeskOptions) -> Option<Request<Bytes>> {
    match &options.credentials {
        ZendeskCredentials::OAuth {
            client_id,
            client_secret,
            scope,
        } => {
            let body = json!({
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": client_secret.expose(),
                "scope": scope,
                "expires_in": TOKEN_SECONDS,
            });
            Draft {
                method: Method::POST,
                url: options.base.at("/oauth/tokens"),
                authorization: None,
                content_type: Some(JSON),
                body: Bytes::from(body.to_string()),
            }
            .finish()
        }
        ZendeskCredentials::ApiToken { email: _, token: _ } => None,
    }
}
