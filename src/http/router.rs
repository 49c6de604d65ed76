//! Every route of the server, in one table.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};

use super::front::Front;
use super::{admin, api, media, voice};

/// Carriers send a few kilobytes; nobody else has to send more.
const LARGEST_BODY: usize = 64 * 1024;

/// Reading a request and answering it, media sockets up to their upgrade.
const LONGEST_REQUEST: Duration = Duration::from_secs(10);

/// Builds the router.
pub fn router(front: Front) -> Router {
    let carriers = match &front.twilio {
        Some(_) => twilio(),
        None => Router::new(),
    };
    carriers
        // Other systems, with the bearer token.
        .route("/api/calls", get(api::calls))
        .route("/api/calls/{id}", get(api::call))
        .route("/api/calls/{id}/handoff", post(api::hand_off))
        .route("/api/deliveries", get(api::deliveries))
        // Operators.
        .route("/metrics", get(admin::metrics))
        .route("/healthz", get(admin::healthy))
        .route("/readyz", get(admin::ready))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn(in_time))
        .with_state(front)
}

/// What Twilio asks and is told, always signed, and its audio; the token is the call's.
fn twilio() -> Router<Front> {
    Router::new()
        .route("/twilio/voice", post(voice::announced))
        .route(
            "/twilio/handoff/{handoff}/{attempt}",
            post(voice::handoff_document),
        )
        .route(
            "/twilio/after-dial/{handoff}/{attempt}",
            post(voice::dial_ended),
        )
        .route(
            "/twilio/leg/{handoff}/{attempt}",
            post(voice::leg_progressed),
        )
        .route("/twilio/status", post(voice::call_progressed))
        .route("/twilio/stream-status", post(voice::stream_progressed))
        .route("/twilio/media/{token}", any(media::upgrade))
}

/// Answers 408 to a client that does not finish its request. Carriers wait 15 s for an answer.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}
