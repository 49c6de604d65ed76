//! Twilio's webhooks: what it asks is answered at once, what it tells goes to the call's task.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use handoff_core::call::{Arrival, DialEnd, Event};
use handoff_core::id::{CallId, Carrier, CarrierCallId};
use tracing::{debug, error};

use super::front::{Front, TELLING};
use super::signed::{Attempt, Signed};
use crate::carrier::twilio::webhook::{
    CallStatus, DialOutcome, LegStatus, StreamStatus, VoiceRequest,
};
use crate::clock;
use crate::session::Admission;

/// A call comes in: how do we stand in it?
pub(super) async fn announced(
    State(front): State<Front>,
    request: Signed<VoiceRequest>,
) -> Response {
    let Signed { account, said, .. } = request;
    let arrival = match said {
        Ok(request) => arrived(request),
        Err(error) => return Front::malformed(&error, "/twilio/voice"),
    };
    match front.registry.announce(account, arrival) {
        Ok(Admission::Admitted(document) | Admission::Bypassed(document)) => xml(document),
        Err(error) => {
            error!(%error, "the answer to a call cannot be built");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Twilio fetches the handoff document that was too long to be sent along.
///
/// The caller waits for it, so a call whose handoff cannot be told gets a document that rings the
/// default target all the same.
pub(super) async fn handoff_document(request: Signed<VoiceRequest>) -> Response {
    let Signed {
        account,
        said,
        attempt,
    } = request;
    // The document depends on who called whom, which the request says: a call whose task is gone
    // gets the same one.
    let arrival = match said {
        Ok(request) => arrived(request),
        Err(error) => return Front::malformed(&error, "/twilio/handoff"),
    };
    let Attempt { handoff, number } = match attempt {
        Ok(attempt) => attempt,
        Err(error) => {
            Front::malformed(&error, "/twilio/handoff");
            return xml(account.dead_man(&arrival));
        }
    };
    xml(account.handoff(&arrival, &handoff, number))
}

/// Dialling the human is over: what does the caller hear now?
///
/// The answer depends on the request alone, so that a call whose task is gone gets the same one.
/// The caller hears it, so there is one, whatever else came along.
pub(super) async fn dial_ended(
    State(front): State<Front>,
    request: Signed<DialOutcome>,
) -> Response {
    let outcome = match request.said {
        Ok(outcome) => outcome,
        Err(error) => {
            Front::malformed(&error, "/twilio/after-dial");
            return xml(request.account.after_dial(DialEnd::Failed));
        }
    };
    let end = outcome.end();
    match request.attempt {
        Ok(Attempt { handoff, number }) => {
            let event = Event::DialEnded {
                handoff,
                attempt: number,
                end,
            };
            tell(&front, &outcome.call, event).await;
        }
        Err(error) => {
            Front::malformed(&error, "/twilio/after-dial");
        }
    }
    xml(request.account.after_dial(end))
}

/// The human's leg moved on.
pub(super) async fn leg_progressed(
    State(front): State<Front>,
    request: Signed<LegStatus>,
) -> Response {
    let status = match request.said {
        Ok(status) => status,
        Err(error) => return Front::malformed(&error, "/twilio/leg"),
    };
    let Attempt { handoff, number } = match request.attempt {
        Ok(attempt) => attempt,
        Err(error) => return Front::malformed(&error, "/twilio/leg"),
    };
    if let Some(progress) = status.progress() {
        let event = Event::LegProgressed {
            handoff,
            attempt: number,
            progress,
        };
        tell(&front, &status.parent, event).await;
    }
    StatusCode::NO_CONTENT.into_response()
}

/// The caller's own leg moved on. Only its end matters.
pub(super) async fn call_progressed(
    State(front): State<Front>,
    request: Signed<CallStatus>,
) -> Response {
    let status = match request.said {
        Ok(status) => status,
        Err(error) => return Front::malformed(&error, "/twilio/status"),
    };
    if status.state.is_over() {
        tell(&front, &status.call, Event::CallCompleted).await;
    }
    StatusCode::NO_CONTENT.into_response()
}

/// Twilio reports on a stream. The socket itself tells us all of this sooner; only an error is
/// worth a line.
pub(super) async fn stream_progressed(request: Signed<StreamStatus>) -> Response {
    match request.said {
        Ok(status) => debug!(event = ?status.event, "stream status"),
        Err(error) => return Front::malformed(&error, "/twilio/stream-status"),
    }
    StatusCode::NO_CONTENT.into_response()
}

fn arrived(request: VoiceRequest) -> Arrival {
    let accepted = clock::wall();
    let mut random = [0u8; 10];
    if let Err(error) = getrandom::fill(&mut random) {
        error!(%error, "no randomness for the name of a call");
    }
    Arrival {
        call: CallId::mint(accepted, random),
        carrier: Carrier::Twilio,
        carrier_call: request.call,
        caller: request.from,
        called: request.to,
        parameters: request.parameters,
        accepted,
    }
}

async fn tell(front: &Front, call: &CarrierCallId, event: Event) {
    let told = tokio::time::timeout(TELLING, front.registry.tell(call, event)).await;
    if told.is_err() {
        error!("a call's task does not take its callbacks");
    }
}

fn xml(document: String) -> Response {
    (
        [(header::CONTENT_TYPE, "text/xml; charset=utf-8")],
        document,
    )
        .into_response()
}
