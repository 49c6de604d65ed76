//! Every route of the server, in one table.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post, put};

use handoff_core::id::Carrier;

use super::front::Front;
use super::{admin, api, human, media, targets, voice};
use crate::session::Step;

/// Carriers send a few kilobytes; nobody else has to send more.
const LARGEST_BODY: usize = 64 * 1024;

/// Reading a request and answering it, media sockets up to their upgrade.
const LONGEST_REQUEST: Duration = Duration::from_secs(10);

/// Builds the router.
pub fn router(front: Front) -> Router {
    let mut routes = Router::new();
    if front.twilio.is_some() {
        routes = routes.merge(carrier(Carrier::Twilio, "voice", "status"));
    }
    if front.plivo.is_some() {
        routes = routes.merge(carrier(Carrier::Plivo, "answer", "hangup"));
    }
    routes
        // Other systems, with the bearer token.
        .route("/api/calls", get(api::calls))
        .route("/api/calls/{id}", get(api::call))
        .route("/api/calls/{id}/handoff", post(api::hand_off))
        .route("/api/deliveries", get(api::deliveries))
        .route("/api/targets", get(targets::all))
        .route("/api/targets/{name}", put(targets::tell))
        // Operators.
        .route("/metrics", get(admin::metrics))
        .route("/healthz", get(admin::healthy))
        .route("/readyz", get(admin::ready))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn(in_time))
        .with_state(front)
}

/// What a carrier asks and is told, always signed, and its audio; the token is the call's. Carriers have
/// words of their own for the webhook of a new call and that of its end.
fn carrier(carrier: Carrier, begins: &str, ends: &str) -> Router<Front> {
    let path = |rest: &str| format!("/{}/{rest}", carrier.as_str());
    let step = |what: &str| path(&format!("{what}/{}", Step::ROUTE));
    Router::new()
        .route(&path(begins), post(voice::announced))
        // The caller's side of a handoff.
        .route(&step("handoff"), post(voice::handoff_document))
        .route(&step("after-dial"), post(voice::dial_ended))
        .route(&step("wait"), post(voice::waiting))
        .route(&step("message"), post(voice::message_left))
        // The human's side.
        .route(&step("leg"), post(human::leg_progressed))
        .route(&step("whisper"), post(human::whispered_to))
        .route(&step("accept"), post(human::key_pressed))
        .route(&step("human"), post(human::answered))
        .route(&step("human-status"), post(human::called_leg_progressed))
        .route(&path("dead-man"), post(voice::dead_man))
        .route(&path(ends), post(voice::call_progressed))
        .route(&path("stream-status"), post(voice::stream_progressed))
        .route(&path("media/{token}"), any(media::upgrade))
}

/// Answers 408 to a client that does not finish its request. Carriers wait 15 s for an answer.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}
