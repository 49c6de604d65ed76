//! What operators and their machines ask.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::front::Front;

/// The metrics, as Prometheus reads them.
pub(super) async fn metrics(State(front): State<Front>) -> Response {
    let text = front.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// Whether the process works: it does if it answers.
pub(super) async fn healthy() -> &'static str {
    "ok\n"
}

/// Whether new calls are welcome. One that comes while the journal cannot be written is answered
/// all the same, but another machine would serve it better.
pub(super) async fn ready(State(front): State<Front>) -> Response {
    if !front.is_ready() {
        return unready("draining");
    }
    match front.around.journal.trouble() {
        None => "ready\n".into_response(),
        Some(error) => unready(&error.to_string()),
    }
}

fn unready(why: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response()
}
