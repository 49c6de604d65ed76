//! A request as every resource sees it: credentials, the log, and answers in Plivo's form.

use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::carrier::event::CarrierEvent;
use crate::carrier::fault::FaultKind;
use crate::carrier::plivo::account::Account;
use crate::carrier::plivo::call::Call;
use crate::carrier::plivo::stage::Stage;

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

/// Status and body; none for 204.
pub(super) type Answer = Result<(StatusCode, Option<Value>), Refusal>;

/// A request as far as every resource looks at it.
pub(super) struct Asked {
    pub(super) account: Arc<Account>,
    method: HttpMethod,
    pub(super) path: String,
    auth_id: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Asked {
    /// A body that is not JSON is taken for none.
    pub(super) fn new(
        account: Arc<Account>,
        method: HttpMethod,
        uri: &Uri,
        auth_id: String,
        headers: HeaderMap,
        body: &[u8],
    ) -> Self {
        Self {
            account,
            method,
            path: uri.path().to_owned(),
            auth_id,
            headers,
            body: serde_json::from_slice(body).unwrap_or(Value::Null),
        }
    }

    /// Notes the request, checks the credentials and finds the call. One that is over is gone.
    pub(super) fn admit(&self, uuid: &str) -> Result<Stage, Refusal> {
        let known = self.account.call(uuid);
        self.authorized(known.as_ref())?;
        let Some(call) = known else {
            self.violation(
                None,
                format!("{} names a call that the account does not have", self.path),
            );
            return Err(gone());
        };
        if call.status().is_over() {
            return Err(gone());
        }
        Ok(Stage {
            account: Arc::clone(&self.account),
            call,
        })
    }

    /// Notes the request and checks the credentials.
    pub(super) fn authorized(&self, call: Option<&Arc<Call>>) -> Result<(), Refusal> {
        let authorized = self.is_authorized();
        let fields = self.body.as_object().into_iter().flatten();
        let parameters = fields.map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), text)
        });
        self.record(
            call,
            CarrierEvent::RestRequested {
                method: self.method.to_string(),
                path: self.path.clone(),
                parameters: parameters.collect(),
                authorized,
            },
        );
        if authorized {
            return Ok(());
        }
        self.violation(
            call,
            "a REST request came without the account's credentials",
        );
        Err(refusal(StatusCode::UNAUTHORIZED, "Unauthorized"))
    }

    fn is_authorized(&self) -> bool {
        let options = &self.account.options;
        let header = self
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let credentials = header.and_then(|value| value.strip_prefix("Basic "));
        let decoded = credentials.and_then(|encoded| STANDARD.decode(encoded).ok());
        let expected = format!("{}:{}", options.auth_id, options.auth_token);
        decoded.as_deref() == Some(expected.as_bytes()) && self.auth_id == options.auth_id
    }

    pub(super) fn record(&self, call: Option<&Arc<Call>>, event: CarrierEvent) {
        self.account.log.record(call.map(|call| &call.uuid), event);
    }

    pub(super) fn violation(&self, call: Option<&Arc<Call>>, sentence: impl Into<String>) {
        self.record(
            call,
            CarrierEvent::Violation {
                sentence: sentence.into(),
            },
        );
    }

    /// Notes the answer and writes it as Plivo does.
    pub(super) fn answer(
        &self,
        call: Option<&Arc<Call>>,
        answer: Answer,
        fault: Option<&FaultKind>,
    ) -> Response {
        let (status, body) = match answer {
            Ok((status, body)) => (status, body),
            Err(Refusal { status, message }) => (status, Some(json!({"error": message}))),
        };
        self.record(
            call,
            CarrierEvent::RestAnswered {
                path: self.path.clone(),
                status: status.as_u16(),
                code: None,
                fault: fault.map(|fault| format!("{fault:?}")),
            },
        );
        match body {
            Some(mut body) => {
                body["api_id"] = self.account.new_uuid().into();
                (status, axum::Json(body)).into_response()
            }
            None => status.into_response(),
        }
    }
}

pub(super) fn refusal(status: StatusCode, message: &str) -> Refusal {
    Refusal {
        status,
        message: message.to_owned(),
    }
}

pub(super) fn gone() -> Refusal {
    refusal(StatusCode::NOT_FOUND, "not found")
}
