//! What every route works with, and how each says no.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use handoff_core::pii::Secret;
use metrics_exporter_prometheus::PrometheusHandle;
use tracing::warn;

use crate::carrier::{plivo, twilio};
use crate::session::Registry;
use crate::session::{PlivoAccount, Surroundings, TwilioAccount};
use crate::telemetry::metrics::{self, Refusal};

/// The state behind all routes.
#[derive(Clone, Debug)]
pub struct Front {
    /// All live calls.
    pub registry: Arc<Registry>,
    /// What calls work with; the routes read its documents and journal.
    pub around: Arc<Surroundings>,
    /// Twilio's door, if there is an account.
    pub twilio: Option<TwilioDoor>,
    /// Plivo's door, if there is an account.
    pub plivo: Option<PlivoDoor>,
    /// What the API asks for; without it the API refuses everyone.
    pub api_token: Option<Secret>,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    /// Whether new calls are welcome.
    pub ready: Arc<AtomicBool>,
}

/// Where Twilio comes in.
#[derive(Clone, Debug)]
pub struct TwilioDoor {
    /// Checks its signatures.
    pub verifier: Arc<twilio::signature::Verifier>,
    /// The account that webhooks must speak of.
    pub account: Arc<TwilioAccount>,
}

/// Where Plivo comes in.
#[derive(Clone, Debug)]
pub struct PlivoDoor {
    /// Checks its signatures.
    pub verifier: Arc<plivo::signature::Verifier>,
    /// The account that is called.
    pub account: Arc<PlivoAccount>,
}

/// How long a webhook may wait for a call's task, which never waits for anything itself.
pub(super) const TELLING: Duration = Duration::from_secs(2);

impl Front {
    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Answers a request whose signature does not hold. One line, nothing about a person in it.
    pub(super) fn unsigned(error: &dyn std::fmt::Display, route: &str) -> Response {
        metrics::refused(Refusal::Signature);
        warn!(%error, route, "request refused: not signed by the carrier");
        (StatusCode::FORBIDDEN, "signature does not match").into_response()
    }

    /// Answers a request that is signed with our token and speaks of an account that is not ours.
    pub(super) fn another_account(route: &str) -> Response {
        metrics::refused(Refusal::Account);
        warn!(route, "request refused: of another account");
        (StatusCode::FORBIDDEN, "another account").into_response()
    }

    /// Answers a request that is signed and yet cannot be read.
    pub(super) fn malformed(error: &dyn std::fmt::Display, route: &str) -> Response {
        metrics::refused(Refusal::Malformed);
        warn!(%error, route, "request refused: cannot be read");
        (StatusCode::BAD_REQUEST, error.to_string()).into_response()
    }
}
