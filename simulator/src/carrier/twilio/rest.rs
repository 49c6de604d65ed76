//! Twilio's REST API for live calls, and the webhook of the voice agent that answered before.
//!
//! Source: <https://www.twilio.com/docs/voice/api/call-resource>, read 2026-11-21.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method as HttpMethod, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::account::{Account, lock};
use super::call::{Call, CallStatus, Order, Source, Stage};
use super::connection::CutSwitch;
use super::fault::FaultKind;
use super::twiml::{self, Base, Callback, Method};
use super::webhook::form_decoded;
use crate::carrier::event::{CarrierEvent, Purpose};

/// Path of the bot webhook.
pub(super) const BOT_PATH: &str = "/bot/voice";

/// Twilio takes this many characters of inline TwiML.
const MAX_TWIML_CHARACTERS: usize = 4000;
/// Parameters of a live-call update.
const UPDATE_PARAMETERS: &[&str] = &[
    "Twiml",
    "Url",
    "Method",
    "Status",
    "FallbackUrl",
    "FallbackMethod",
    "StatusCallback",
    "StatusCallbackMethod",
    "TimeLimit",
];

pub(super) fn router(account: Arc<Account>) -> Router {
    Router::new()
        .route(
            "/2010-04-01/Accounts/{account}/Calls/{call}",
            get(read_call).post(update_call),
        )
        .route(
            "/2010-04-01/Accounts/{account}/Calls/{call}/Notifications.json",
            get(read_notifications),
        )
        .route(
            "/2010-04-01/Accounts/{account}/Calls/{call}/Streams/{stream}",
            post(update_stream),
        )
        .route(BOT_PATH, any(bot))
        .fallback(unknown)
        .with_state(account)
}

/// Why a request is refused, with Twilio's code.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    code: u32,
    message: String,
}

type Answer = Result<(StatusCode, Value), Refusal>;

/// A request as far as every resource looks at it.
struct Asked {
    account: Arc<Account>,
    method: HttpMethod,
    path: String,
    account_sid: String,
    headers: HeaderMap,
    parameters: Vec<(String, String)>,
}

impl Asked {
    fn new(
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

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Notes the request, checks the credentials and finds the call.
    fn admit(&self, call: &str) -> Result<Stage, Refusal> {
        let call = self.account.call(call);
        let authorized = self.is_authorized();
        self.record(
            call.as_ref(),
            CarrierEvent::RestRequested {
                method: self.method.to_string(),
                path: self.path.clone(),
                parameters: self.parameters.clone(),
                authorized,
            },
        );
        if !authorized {
            self.violation(
                call.as_ref(),
                "a REST request came without the account's credentials (20003)",
            );
            return Err(refusal(StatusCode::UNAUTHORIZED, 20003, "Authenticate"));
        }
        let Some(call) = call.filter(|_| self.account_sid == self.account.options.account_sid)
        else {
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

    fn is_authorized(&self) -> bool {
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

    fn record(&self, call: Option<&Arc<Call>>, event: CarrierEvent) {
        self.account.log.record(call.map(|call| &call.sid), event);
    }

    fn violation(&self, call: Option<&Arc<Call>>, sentence: impl Into<String>) {
        self.record(
            call,
            CarrierEvent::Violation {
                sentence: sentence.into(),
            },
        );
    }

    /// Notes the answer and writes it as Twilio does.
    fn answer(
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

async fn read_call(
    State(account): State<Arc<Account>>,
    Path((account_sid, file)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(account, HttpMethod::GET, &uri, account_sid, headers, "");
    sleep(asked.account.options.rest_delay).await;
    let stage = asked.admit(file.trim_end_matches(".json"));
    let call = stage.as_ref().ok().map(|stage| Arc::clone(&stage.call));
    let answer = stage.map(|stage| (StatusCode::OK, representation(&stage)));
    asked.answer(call.as_ref(), answer, None)
}

async fn read_notifications(
    State(account): State<Arc<Account>>,
    Path((account_sid, call)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(account, HttpMethod::GET, &uri, account_sid, headers, "");
    let stage = asked.admit(&call);
    let call = stage.as_ref().ok().map(|stage| Arc::clone(&stage.call));
    let answer = stage.map(|stage| {
        let notifications: Vec<_> = lock(&stage.call.state)
            .notifications
            .iter()
            .map(|entry| {
                json!({
                    "account_sid": stage.account.options.account_sid,
                    "call_sid": stage.call.sid.as_ref(),
                    "error_code": entry.code.to_string(),
                    "log": "0",
                    "message_text": entry.message,
                })
            })
            .collect();
        (
            StatusCode::OK,
            json!({"notifications": notifications, "page": 0, "page_size": 50}),
        )
    });
    asked.answer(call.as_ref(), answer, None)
}

/// Stops a fork by its name or sid.
async fn update_stream(
    State(account): State<Arc<Account>>,
    Path((account_sid, call, stream)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let asked = Asked::new(account, HttpMethod::POST, &uri, account_sid, headers, &body);
    let stage = asked.admit(&call);
    let call = stage.as_ref().ok().map(|stage| Arc::clone(&stage.call));
    let stream = stream.trim_end_matches(".json");
    let answer = stage.and_then(|stage| {
        if asked.parameter("Status") != Some("stopped") {
            stage.violation("a stream can only be updated with Status=stopped");
            return Err(refusal(
                StatusCode::BAD_REQUEST,
                20001,
                "Status must be stopped",
            ));
        }
        match lock(&stage.call.state).forks.remove(stream) {
            Some(_) => Ok((
                StatusCode::OK,
                json!({"sid": stream, "call_sid": stage.call.sid.as_ref(), "status": "stopped"}),
            )),
            None => Err(not_found(&asked.path)),
        }
    });
    asked.answer(call.as_ref(), answer, None)
}

async fn update_call(
    State(account): State<Arc<Account>>,
    ConnectInfo(switch): ConnectInfo<CutSwitch>,
    Path((account_sid, file)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8_lossy(&body);
    let asked = Asked::new(account, HttpMethod::POST, &uri, account_sid, headers, &body);
    let stage = match asked.admit(file.trim_end_matches(".json")) {
        Ok(stage) => stage,
        Err(refusal) => return asked.answer(None, Err(refusal), None),
    };
    let call = Arc::clone(&stage.call);
    let document = asked
        .parameter("Twiml")
        .or(asked.parameter("Url"))
        .unwrap_or_default()
        .to_owned();
    let _in_flight = InFlight::begin(&stage, document);
    let fault = stage.account.next_fault();
    sleep(stage.account.options.rest_delay).await;
    match &fault {
        None => {}
        Some(FaultKind::Delay(delay)) => sleep(*delay).await,
        Some(FaultKind::TooManyRequests { retry_after }) => {
            let refused = Err(refusal(
                StatusCode::TOO_MANY_REQUESTS,
                20429,
                "Too Many Requests",
            ));
            let mut response = asked.answer(Some(&call), refused, fault.as_ref());
            if let Some(seconds) = retry_after {
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            return response;
        }
        Some(FaultKind::ServerError(status)) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return asked.answer(
                Some(&call),
                Err(refusal(status, 20500, "Internal Server Error")),
                fault.as_ref(),
            );
        }
        Some(FaultKind::CutBeforeActing) => {
            switch.cut();
            return asked.answer(
                Some(&call),
                Err(refusal(StatusCode::BAD_GATEWAY, 0, "cut")),
                fault.as_ref(),
            );
        }
        Some(FaultKind::HangAfterActing | FaultKind::CutAfterActing) => {}
    }
    let acted = match checked_order(&asked, &stage) {
        Ok(order) => carry_out(&stage, order).await,
        Err(refusal) => Err(refusal),
    };
    let response = asked.answer(Some(&call), acted, fault.as_ref());
    match fault {
        Some(FaultKind::HangAfterActing) => std::future::pending().await,
        Some(FaultKind::CutAfterActing) => switch.cut(),
        Some(
            FaultKind::TooManyRequests { .. }
            | FaultKind::ServerError(_)
            | FaultKind::Delay(_)
            | FaultKind::CutBeforeActing,
        )
        | None => {}
    }
    response
}

/// Checks a live-call update against what the resource takes.
fn checked_order(asked: &Asked, stage: &Stage) -> Result<Order, Refusal> {
    let content_type = asked
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        stage.violation(format!(
            "a call update came as {content_type:?}, not as a form"
        ));
        return Err(refusal(StatusCode::BAD_REQUEST, 20001, "Bad request"));
    }
    for (name, _) in &asked.parameters {
        if !UPDATE_PARAMETERS.contains(&name.as_str()) {
            stage.violation(format!(
                "a call update has no parameter {name}; Twilio ignores it silently"
            ));
        }
    }
    if asked.parameter("StatusCallback").is_some() && asked.parameter("Url").is_none() {
        stage.violation("StatusCallback is not applied unless Url is sent too");
    }
    match (
        asked.parameter("Twiml"),
        asked.parameter("Url"),
        asked.parameter("Status"),
    ) {
        (Some(twiml), None, None) => inline(stage, twiml),
        (None, Some(url), None) => {
            let method = match asked.parameter("Method") {
                Some("GET") => Method::Get,
                Some("POST") | None => Method::Post,
                Some(other) => {
                    stage.violation(format!("Method is {other:?}, not GET or POST"));
                    return Err(refusal(
                        StatusCode::BAD_REQUEST,
                        20001,
                        "Method must be GET or POST",
                    ));
                }
            };
            let callback = Callback {
                url: url.to_owned(),
                method,
            };
            Ok(Order::Rewrite(Source::Fetch {
                purpose: Purpose::Rewrite,
                callback,
                parameters: Vec::new(),
            }))
        }
        (None, None, Some("completed")) => Ok(Order::Complete),
        (None, None, Some(other)) => {
            stage.violation(format!(
                "Status is {other:?}; a call in progress can only be completed"
            ));
            Err(refusal(
                StatusCode::BAD_REQUEST,
                20001,
                "Status must be completed",
            ))
        }
        _ => {
            // UNCONFIRMED which code Twilio gives; the server must not get here.
            stage.violation("a call update must have exactly one of Twiml, Url and Status");
            Err(refusal(
                StatusCode::BAD_REQUEST,
                20001,
                "exactly one of Twiml, Url, Status",
            ))
        }
    }
}

fn inline(stage: &Stage, twiml: &str) -> Result<Order, Refusal> {
    let characters = twiml.chars().count();
    if characters > MAX_TWIML_CHARACTERS {
        stage.violation(format!(
            "inline Twiml has {characters} characters; Twilio takes {MAX_TWIML_CHARACTERS} (32018)"
        ));
        return Err(refusal(StatusCode::BAD_REQUEST, 32018, "Twiml is too long"));
    }
    if twiml::read(twiml, Base::Inline).document.is_none() {
        stage.violation(
            "inline Twiml cannot be executed; the caller would hear an application error (12100)",
        );
    }
    Ok(Order::Rewrite(Source::Inline(twiml.to_owned())))
}

async fn carry_out(stage: &Stage, order: Order) -> Answer {
    if stage.call.status() != CallStatus::InProgress {
        return Err(not_in_progress());
    }
    let document = match &order {
        Order::Rewrite(Source::Inline(document)) => Some(document.clone()),
        Order::Rewrite(Source::Fetch { callback, .. }) => Some(callback.url.clone()),
        Order::Complete | Order::CallerHangsUp => None,
    };
    if let Some(document) = &document {
        let mut state = lock(&stage.call.state);
        let repeated = state.rewrites.contains(document);
        state.rewrites.push(document.clone());
        let rewrites = state.rewrites.len();
        drop(state);
        if repeated {
            stage.violation(
                "the same document was put on the call a second time, which restarts it",
            );
        }
        stage.record(CarrierEvent::CallRewritten {
            document: document.clone(),
            rewrites,
        });
    }
    if stage.call.orders.send(order).await.is_err() {
        return Err(not_in_progress());
    }
    Ok((StatusCode::OK, representation(stage)))
}

/// A rewrite that is being answered; two with one document at a time are a violation.
struct InFlight<'a> {
    stage: &'a Stage,
    document: String,
}

impl<'a> InFlight<'a> {
    fn begin(stage: &'a Stage, document: String) -> Self {
        let mut state = lock(&stage.call.state);
        let doubled = !document.is_empty() && state.rewrites_in_flight.contains(&document);
        state.rewrites_in_flight.push(document.clone());
        drop(state);
        if doubled {
            stage.violation("two rewrites with the same document were in flight at once");
        }
        Self { stage, document }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.stage.call.state);
        if let Some(index) = state
            .rewrites_in_flight
            .iter()
            .position(|document| *document == self.document)
        {
            state.rewrites_in_flight.swap_remove(index);
        }
    }
}

async fn bot(State(account): State<Arc<Account>>, body: String) -> Response {
    let parameters = form_decoded(&body);
    let call = parameters
        .iter()
        .find(|(name, _)| name == "CallSid")
        .and_then(|(_, sid)| account.call(sid));
    account.log.record(
        call.as_ref().map(|call| &call.sid),
        CarrierEvent::BotVisited { parameters },
    );
    (
        [(CONTENT_TYPE, "text/xml")],
        account.options.bot_document.clone(),
    )
        .into_response()
}

async fn unknown(
    State(account): State<Arc<Account>>,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let asked = Asked::new(account, method, &uri, String::new(), headers, &body);
    let authorized = asked.is_authorized();
    let (method, path) = (asked.method.to_string(), asked.path.clone());
    asked.record(
        None,
        CarrierEvent::RestRequested {
            method,
            path,
            parameters: asked.parameters.clone(),
            authorized,
        },
    );
    asked.violation(
        None,
        format!(
            "{} {} is not a resource that this stand-in has",
            asked.method, asked.path
        ),
    );
    asked.answer(None, Err(not_found(&asked.path)), None)
}

/// The call as the resource shows it.
fn representation(stage: &Stage) -> Value {
    let recording = &stage.call.recording;
    json!({
        "account_sid": stage.account.options.account_sid,
        "api_version": "2010-04-01",
        "direction": "inbound",
        "from": recording.from,
        "parent_call_sid": null,
        "sid": stage.call.sid.as_ref(),
        "status": stage.call.status().as_str(),
        "to": recording.to,
        "uri": format!("/2010-04-01/Accounts/{}/Calls/{}.json", stage.account.options.account_sid, stage.call.sid),
    })
}

fn refusal(status: StatusCode, code: u32, message: &str) -> Refusal {
    Refusal {
        status,
        code,
        message: message.to_owned(),
    }
}

fn not_found(path: &str) -> Refusal {
    let message = format!("The requested resource {path} was not found");
    Refusal {
        status: StatusCode::NOT_FOUND,
        code: 20404,
        message,
    }
}

fn not_in_progress() -> Refusal {
    refusal(
        StatusCode::BAD_REQUEST,
        21220,
        "Call is not in-progress. Cannot redirect.",
    )
}
