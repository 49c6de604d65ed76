//! The live-call update: checked, carried out, and disturbed by planned faults.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method as HttpMethod, StatusCode, Uri};
use axum::response::Response;
use tokio::time::sleep;

use super::asked::{Answer, Asked, Refusal, refusal};
use super::router::representation;
use crate::carrier::connection::CutSwitch;
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::fault::FaultKind;
use crate::carrier::lock::lock;
use crate::carrier::twilio::account::Account;
use crate::carrier::twilio::call::{CallStatus, Order, Source, Stage};
use crate::carrier::twilio::twiml::{self, Base, Callback, Method};

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

pub(super) async fn update_call(
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
        Some(
            FaultKind::HangAfterActing | FaultKind::CutAfterActing | FaultKind::AcceptWithoutActing,
        ) => {}
    }
    let acted = match checked_order(&asked, &stage) {
        Ok(_) if fault == Some(FaultKind::AcceptWithoutActing) => {
            Ok((StatusCode::OK, representation(&stage)))
        }
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
            | FaultKind::AcceptWithoutActing
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

fn not_in_progress() -> Refusal {
    refusal(
        StatusCode::BAD_REQUEST,
        21220,
        "Call is not in-progress. Cannot redirect.",
    )
}
