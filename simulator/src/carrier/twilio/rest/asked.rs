//! A request as every resource sees it: credentials, the log, and answers in Twilio's form.

use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::carrier::event::CarrierEvent;
use crate::carrier::fault::FaultKind;
use crate::carrier::outside::form_decoded;
use crate::carrier::twilio::account::Account;
use crate::carrier::twilio::call::Call;
use crate::carrier::twilio::stage::Stage;

/// Why a request is refused, with Twilio's code.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: u32,
    pub(super) message: String,
}

pub(super) type Answer = Result<(StatusCode, Value), Refusal>;

/// A request as far as every resource looks at it.
pub(super) struct Asked {
    pub(super) account: Arc<Account>,
    pub(super) method: HttpMethod,
    pub(super) path: String,
    pub(super) account_sid: String,
    pub(super) headers: HeaderMap,
    pub(super) parameters: Vec<(String, String)>,
}

impl Asked {
    pub(super) fn new(
        account: Arc<Account>,
        method: HttpMethod,
        uri: &Uri,
        account_sid: String,
        headers: HeaderMap,
        body: &str,
    ) -> Self {
        let parameters = form_decoded(body);
        Self {
            account,
            method,
            path: uri.path().to_owned(),
            account_sid,
            headers,
            parameters,
        }
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Notes the request, checks the credentials and finds the call.
    pub(super) fn admit(&self, call: &str) -> Result<Stage, Refusal> {
        let call = self.account.call(call);
        self.authenticate(call.as_ref())?;
        let Some(call) = call.filter(|_| self.names_the_account()) else {
            self.violation(
                None,
                format!(
                    "{} names a call that the account does not have (20404)",
                    self.path
                ),
            );
            return Err(not_found(&self.path));
        };
        Ok(Stage {
            account: Arc::clone(&self.account),
            call,
        })
    }

    /// Notes a request that is about no call, and checks the credentials.
    pub(super) fn admit_to_account(&self) -> Result<(), Refusal> {
        self.authenticate(None)?;
        if !self.names_the_account() {
            self.violation(None, format!("{} names another account (20404)", self.path));
            return Err(not_found(&self.path));
        }
        Ok(())
    }

    fn names_the_account(&self) -> bool {
        self.account_sid == self.account.options.account_sid
    }

    fn authenticate(&self, call: Option<&Arc<Call>>) -> Result<(), Refusal> {
        let authorized = self.is_authorized();
        self.record(
            call,
            CarrierEvent::RestRequested {
                method: self.method.to_string(),
                path: self.path.clone(),
                parameters: self.parameters.clone(),
                authorized,
            },
        );
        if !authorized {
            self.violation(
                call,
                "a REST request came without the account's credentials (20003)",
            );
            return Err(refusal(StatusCode::UNAUTHORIZED, 20003, "Authenticate"));
        }
        Ok(())
    }

    /// Checks that the request is a form of parameters that the resource has.
    pub(super) fn check_form(
        &self,
        call: Option<&Arc<Call>>,
        what: &str,
        known: &[&str],
    ) -> Result<(), Refusal> {
        let content_type = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if !content_type.starts_with("application/x-www-form-urlencoded") {
            self.violation(
                call,
                format!("{what} came as {content_type:?}, not as a form"),
            );
            return Err(refusal(StatusCode::BAD_REQUEST, 20001, "Bad request"));
        }
        for (name, _) in &self.parameters {
            if !known.contains(&name.as_str()) {
                self.violation(
                    call,
                    format!("{what} has no parameter {name}; Twilio ignores it silently"),
                );
            }
        }
        Ok(())
    }

    pub(super) fn is_authorized(&self) -> bool {
        let options = &self.account.options;
        let header = self
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let credentials = header.and_then(|value| value.strip_prefix("Basic "));
        let decoded = credentials.and_then(|encoded| STANDARD.decode(encoded).ok());
        let Some(decoded) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) else {
            return false;
        };
        let by_token = format!("{}:{}", options.account_sid, options.auth_token);
        let by_key = options
            .api_key
            .as_ref()
            .map(|(sid, secret)| format!("{sid}:{secret}"));
        decoded == by_token || Some(decoded) == by_key
    }

    pub(super) fn record(&self, call: Option<&Arc<Call>>, event: CarrierEvent) {
        self.account.log.record(call.map(|call| &call.sid), event);
    }

    pub(super) fn violation(&self, call: Option<&Arc<Call>>, sentence: impl Into<String>) {
        self.record(
            call,
            CarrierEvent::Violation {
                sentence: sentence.into(),
            },
        );
    }

    /// Notes the answer and writes it as Twilio does.
    pub(super) fn answer(
        &self,
        call: Option<&Arc<Call>>,
        answer: Answer,
        fault: Option<&FaultKind>,
    ) -> Response {
        let (status, code, body) = match answer {
            Ok((status, body)) => (status, None, body),
            Err(Refusal {
                status,
                code,
                message,
            }) => {
                let more_info = format!("https://www.twilio.com/docs/errors/{code}");
                let body = json!({"code": code, "message": message, "more_info": more_info, "status": status.as_u16()});
                (status, Some(code), body)
            }
        };
        let fault = fault.map(|fault| format!("{fault:?}"));
        self.record(
            call,
            CarrierEvent::RestAnswered {
                path: self.path.clone(),
                status: status.as_u16(),
                code,
                fault,
            },
        );
        (status, axum::Json(body)).into_response()
    }
}

pub(super) fn refusal(status: StatusCode, code: u32, message: &str) -> Refusal {
    Refusal {
        status,
        code,
        message: message.to_owned(),
    }
}

pub(super) fn not_found(path: &str) -> Refusal {
    let message = format!("The requested resource {path} was not found");
    Refusal {
        status: StatusCode::NOT_FOUND,
        code: 20404,
        message,
    }
}
