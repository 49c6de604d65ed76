//! The upgrade: credentials, query, planned refusals.

use serde_json::json;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request};
use tokio_tungstenite::tungstenite::http;

use super::options::FaultKind;
use super::query::{Listen, check_query};
use super::server::{Connection, Event, Shared, State};
use crate::http1::form_pairs;

/// What the upgrade settled.
pub(super) struct Admission {
    pub(super) listen: Listen,
    pub(super) fault: Option<FaultKind>,
    /// Place of the connection in the state.
    pub(super) index: usize,
}

/// Decides on the upgrade and, when it is good, enters the connection into the state.
#[expect(
    clippy::result_large_err,
    reason = "the error is tungstenite's response type"
)]
pub(super) fn admit(
    request: &Request,
    shared: &Shared,
    number: usize,
    request_id: &str,
) -> Result<Admission, ErrorResponse> {
    let refuse = |status: u16, code: &str, message: &str| {
        shared.observed.update(|state| {
            state.record(Event::Refused {
                connection: number,
                status,
            })
        });
        refusal(status, code, message, request_id)
    };
    let refuse_violation = |status: u16, code: &str, sentence: &str| {
        shared
            .observed
            .update(|state| state.violate(format!("connection {number}: {sentence}")));
        refuse(status, code, sentence)
    };
    if request.uri().path() != "/v1/listen" {
        return Err(refuse_violation(
            404,
            "NOT_FOUND",
            "the path is not /v1/listen",
        ));
    }
    let authorization = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let key = authorization.and_then(|value| {
        value
            .strip_prefix("Token ")
            .or(value.strip_prefix("Bearer "))
    });
    if key != Some(shared.options.api_key.as_str()) {
        return Err(refuse_violation(
            401,
            "INVALID_AUTH",
            "the Authorization header has no valid credentials",
        ));
    }
    let Some(query) = form_pairs(request.uri().query().unwrap_or_default()) else {
        return Err(refuse_violation(
            400,
            "Bad Request",
            "the query is not percent-coded UTF-8",
        ));
    };
    let listen = match check_query(&query) {
        Ok(listen) => listen,
        Err(refusal) => return Err(refuse_violation(400, "Bad Request", &refusal.0)),
    };
    let fault = shared
        .observed
        .update(|state| state.take_fault(listen.speaker));
    if let Some(FaultKind::Refuse { status }) = fault {
        let (code, message) = refusal_words(status);
        return Err(refuse(status, code, message));
    }
    let index = shared
        .observed
        .update(|state| connect(state, &listen, query, number, request_id));
    Ok(Admission {
        listen,
        fault,
        index,
    })
}

fn connect(
    state: &mut State,
    listen: &Listen,
    query: Vec<(String, String)>,
    number: usize,
    request_id: &str,
) -> usize {
    if listen.call.is_empty() {
        state.violate(format!(
            "connection {number}: the query has no extra=call:…"
        ));
    }
    if listen.speaker.is_none() {
        state.violate(format!(
            "connection {number}: the query has no extra=speaker:caller or voice_agent"
        ));
    }
    state.connections.push(Connection {
        number,
        call: listen.call.clone(),
        speaker: listen.speaker,
        query,
        request_id: request_id.to_owned(),
        audio_bytes: 0,
        origin_ms: 0,
        controls: Vec::new(),
        ended: None,
    });
    state.record(Event::Connected {
        connection: number,
        call: listen.call.clone(),
        speaker: listen.speaker,
    });
    state.connections.len() - 1
}

/// Words of the documented upgrade failures (`errors.mdx` of deepgram/deepgram-docs, read 2026-11-21).
fn refusal_words(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => (
            "Bad Request",
            "Bad Request: failed to process the parameters",
        ),
        401 => ("INVALID_AUTH", "Invalid credentials."),
        402 => (
            "ASR_PAYMENT_REQUIRED",
            "Project does not have enough credits for an ASR request.",
        ),
        403 => (
            "INSUFFICIENT_PERMISSIONS",
            "Project does not have access to the requested model.",
        ),
        429 => (
            "TOO_MANY_REQUESTS",
            "Too many requests. Please try again later",
        ),
        _ => ("SERVER_ERROR", "The server could not process the request."),
    }
}

fn refusal(status: u16, code: &str, message: &str, request_id: &str) -> ErrorResponse {
    let body = json!({"err_code": code, "err_msg": message, "request_id": request_id}).to_string();
    let mut response = http::Response::new(None);
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        ("content-type", "application/json"),
        ("connection", "close"),
        ("content-length", &body.len().to_string()),
        ("dg-request-id", request_id),
        ("dg-error", message),
    ];
    for (name, value) in headers {
        if let Ok(value) = http::HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    *response.body_mut() = Some(body);
    response
}
