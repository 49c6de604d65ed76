//! The API about targets: see how they are, tell what has changed.

use std::borrow::Cow;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use handoff_core::route::{Metrics, TargetName};
use serde::{Deserialize, Serialize};
use tracing::error;

use super::api::{Authorized, Refused};
use super::front::Front;
use crate::clock;
use crate::targets::{Live, SetError, Shown};

/// How a target is.
#[derive(Serialize)]
struct Target {
    name: String,
    kind: &'static str,
    /// Within its opening hours.
    open: bool,
    /// Takes calls, as far as anyone has told.
    available: bool,
    handle_seconds: Option<f64>,
    csat: Option<f64>,
    wait_seconds: Option<f64>,
    /// When it was last told of, in milliseconds since 1970.
    told_ms: Option<u64>,
}

/// What `PUT /api/targets/{name}` takes, in place of all that was told before. A figure that is left
/// out is the configured one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    available: bool,
    #[serde(default)]
    handle_seconds: Option<f64>,
    #[serde(default)]
    csat: Option<f64>,
    #[serde(default)]
    wait_seconds: Option<f64>,
}

/// `GET /api/targets`: all targets, the default first.
pub(super) async fn all(State(front): State<Front>, _: Authorized) -> Response {
    let shown = front.around.targets.shown(clock::wall());
    let targets: Vec<Target> = shown.into_iter().map(Target::from).collect();
    Json(targets).into_response()
}

/// `PUT /api/targets/{name}`: how a target is from now on. The answer says that it is written down.
pub(super) async fn tell(
    State(front): State<Front>,
    _: Authorized,
    name: Result<Path<String>, PathRejection>,
    body: Bytes,
) -> Response {
    // A path that is no text names no target.
    let name = name
        .ok()
        .and_then(|Path(name)| TargetName::parse(&name).ok());
    let Some(name) = name else {
        return no_such_target();
    };
    let live = match read(&body) {
        Ok(live) => live,
        Err(message) => return refused(StatusCode::BAD_REQUEST, "malformed", message),
    };
    match front.around.targets.set(&name, live, clock::wall()).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(SetError::NoSuchTarget) => no_such_target(),
        Err(SetError::Journal(error)) => {
            error!(%error, "what was told of a target cannot be written down");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

fn read(body: &[u8]) -> Result<Live, Cow<'static, str>> {
    let told: Told = serde_json::from_slice(body).map_err(|_| {
        "the body must be JSON like {\"available\": true, \"handle_seconds\": 240, \"csat\": 4.5, \
         \"wait_seconds\": 30}, of which available is needed"
    })?;
    let metrics = Metrics {
        handle_seconds: told.handle_seconds,
        csat: told.csat,
        wait_seconds: told.wait_seconds,
    };
    Live::new(told.available, metrics).map_err(|(figure, error)| format!("{figure} {error}").into())
}

impl From<Shown> for Target {
    fn from(shown: Shown) -> Self {
        Self {
            name: shown.name.to_string(),
            kind: shown.kind.as_str(),
            open: shown.is_open,
            available: shown.is_available,
            handle_seconds: shown.metrics.handle_seconds,
            csat: shown.metrics.csat,
            wait_seconds: shown.metrics.wait_seconds,
            told_ms: shown.told.map(|told| told.0),
        }
    }
}

fn no_such_target() -> Response {
    refused(
        StatusCode::NOT_FOUND,
        "no_such_target",
        "no [[target]] has this name".into(),
    )
}

fn refused(status: StatusCode, error: &'static str, message: Cow<'static, str>) -> Response {
    (status, Json(Refused { error, message })).into_response()
}
