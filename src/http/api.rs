//! The API for other systems: see live calls, hand one over.

use std::borrow::Cow;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use handoff_core::call::{Arrival, Event, Fact, Party, describe};
use handoff_core::id::CallId;
use handoff_core::pii::Pii;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::error;

use super::front::Front;
use crate::journal::{JournalError, Record};
use crate::session::Attachment;

/// A refusal: `error` is a fixed word for programs, `message` says what to do.
#[derive(Serialize)]
pub(super) struct Refused {
    pub(super) error: &'static str,
    pub(super) message: Cow<'static, str>,
}

/// A live call.
#[derive(Serialize)]
struct LiveCall {
    id: String,
    carrier_call: String,
    caller: Option<String>,
    called: Option<String>,
    accepted_ms: u64,
}

/// A fact of a call.
#[derive(Serialize)]
struct Told {
    at_ms: u64,
    kind: &'static str,
    detail: String,
}

/// What waits to be delivered.
#[derive(Serialize)]
struct Waiting {
    undelivered: u64,
    /// When the oldest of them was decided, in milliseconds since 1970.
    oldest_ms: Option<u64>,
}

/// What `POST /api/calls/{id}/handoff` takes.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HandOff {
    /// Why, for the human. Goes into the context.
    #[serde(default)]
    reason: String,
}

/// `GET /api/calls`: all live calls.
pub(super) async fn calls(State(front): State<Front>, _: Authorized) -> Response {
    let arrivals = front.registry.arrivals();
    let calls: Vec<_> = arrivals.iter().map(|arrival| live(arrival)).collect();
    Json(calls).into_response()
}

/// `GET /api/calls/{id}`: what happened in a call, live or over.
pub(super) async fn call(State(front): State<Front>, _: Authorized, id: Named) -> Response {
    let Some(id) = call_id(id) else {
        return no_such_call();
    };
    match front.around.journal.records(&id).await {
        Ok(records) if records.is_empty() => no_such_call(),
        Ok(records) => {
            let told: Vec<_> = records
                .iter()
                .map(|record| told(record.at.as_millis(), &record.fact))
                .collect();
            Json(told).into_response()
        }
        Err(error) => unreadable(&error),
    }
}

/// `GET /api/deliveries`: what is still to be delivered.
pub(super) async fn deliveries(State(front): State<Front>, _: Authorized) -> Response {
    match front.around.journal.undelivered().await {
        Ok(undelivered) => {
            let waiting = Waiting {
                undelivered: undelivered.count,
                oldest_ms: undelivered.oldest.map(|created| created.0),
            };
            Json(waiting).into_response()
        }
        Err(error) => unreadable(&error),
    }
}

/// `POST /api/calls/{id}/handoff`: hand a live call to a human. The answer says that the call was
/// told; a call that is being handed over already is left alone.
pub(super) async fn hand_off(
    State(front): State<Front>,
    _: Authorized,
    id: Named,
    body: axum::body::Bytes,
) -> Response {
    let wanted = match body.is_empty() {
        true => Ok(HandOff::default()),
        false => serde_json::from_slice(&body),
    };
    let Ok(HandOff { reason }) = wanted else {
        let refused = Refused {
            error: "malformed",
            message: "the body must be JSON like {\"reason\": \"…\"}, or empty".into(),
        };
        return (StatusCode::BAD_REQUEST, Json(refused)).into_response();
    };
    let Some(id) = call_id(id) else {
        return no_such_call();
    };
    if let Some(call) = front.registry.call_of_id(&id) {
        let event = Event::HandoffRequested {
            reason: Pii::new(reason),
        };
        match front.registry.tell(&call, event).await {
            Attachment::Attached => return StatusCode::ACCEPTED.into_response(),
            // It ended meanwhile.
            Attachment::Gone => {}
        }
    }
    match front.around.journal.records(&id).await {
        Ok(records) if records.is_empty() => no_such_call(),
        Ok(records) => not_live(&records),
        Err(error) => unreadable(&error),
    }
}

/// A call as a path names it, which may be anything.
type Named = Result<Path<String>, PathRejection>;

fn call_id(named: Named) -> Option<CallId> {
    // A path that is no text names no call.
    let Path(id) = named.ok()?;
    CallId::parse(&id)
}

/// Whoever asks has shown the token. Comes before everything else that is read of a request, so
/// that it says nothing to others.
pub(super) struct Authorized;

impl FromRequestParts<Front> for Authorized {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Response> {
        let given = (parts.headers.get(header::AUTHORIZATION))
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let Some(token) = &front.api_token else {
            return Err(unauthorized(
                "the API is closed: HANDOFF_API_TOKEN is not set on the server",
            ));
        };
        let expected = token.expose().as_bytes();
        match given {
            Some(given) if expected.ct_eq(given.as_bytes()).into() => Ok(Self),
            Some(_) | None => Err(unauthorized(
                "send Authorization: Bearer with the token of HANDOFF_API_TOKEN",
            )),
        }
    }
}

fn unauthorized(message: &'static str) -> Response {
    let refused = Refused {
        error: "unauthorized",
        message: message.into(),
    };
    (StatusCode::UNAUTHORIZED, Json(refused)).into_response()
}

fn unreadable(error: &JournalError) -> Response {
    error!(%error, "the journal cannot be read");
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

fn no_such_call() -> Response {
    let refused = Refused {
        error: "no_such_call",
        message: "no call has this id".into(),
    };
    (StatusCode::NOT_FOUND, Json(refused)).into_response()
}

/// A call that is known and has nobody left to tell.
fn not_live(records: &[Record]) -> Response {
    let end = records.iter().find_map(|record| {
        let Fact::CallEnded { disposition } = &record.fact else {
            return None;
        };
        Some((record.wall, *disposition))
    });
    let Some((wall, disposition)) = end else {
        let refused = Refused {
            error: "call_not_live",
            message: "the call is known, its end is not, and nothing here drives it".into(),
        };
        return (StatusCode::CONFLICT, Json(refused)).into_response();
    };
    let ended = OffsetDateTime::from_unix_timestamp_nanos(i128::from(wall.0) * 1_000_000)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| "an unknown time".to_owned());
    let refused = Refused {
        error: "call_ended",
        message: format!("the call ended at {ended} as {}", disposition.as_str()).into(),
    };
    (StatusCode::GONE, Json(refused)).into_response()
}

fn live(arrival: &Arrival) -> LiveCall {
    let number = |party: &Party| match party {
        Party::Known(number) => Some(number.expose().clone()),
        Party::Withheld => None,
    };
    LiveCall {
        id: arrival.call.to_string(),
        carrier_call: arrival.carrier_call.0.clone(),
        caller: number(&arrival.caller),
        called: number(&arrival.called),
        accepted_ms: arrival.accepted.0,
    }
}

fn told(at_ms: u64, fact: &Fact) -> Told {
    let (_, kind, detail) = describe(fact);
    Told {
        at_ms,
        kind,
        detail,
    }
}
