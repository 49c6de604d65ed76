//! Twilio's webhooks: what it asks is answered at once, what it tells goes to the call's task.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use handoff_core::call::{Arrival, DialEnd, Event};
use handoff_core::id::{CallId, CarrierCallId, HandoffId};
use tracing::{debug, error};

use super::front::{Front, TELLING};
use crate::carrier::twilio::twiml::Document;
use crate::carrier::twilio::webhook::{
    CallStatus, DialOutcome, LegStatus, StreamStatus, VoiceRequest, parse_form,
};
use crate::clock;
use crate::session::Admission;

type Signed = (State<Front>, OriginalUri, HeaderMap, Bytes);

/// A call comes in: how do we stand in it?
pub(super) async fn announced((State(front), OriginalUri(uri), headers, body): Signed) -> Response {
    let parameters = match signed_form(&front, &uri, &headers, &body, "/twilio/voice") {
        Ok(parameters) => parameters,
        Err(refusal) => return refusal,
    };
    let request = match VoiceRequest::parse(&parameters) {
        Ok(request) => request,
        Err(error) => return Front::malformed(&error, "/twilio/voice"),
    };
    match front.registry.announce(arrived(request)) {
        Ok(Admission::Admitted(document) | Admission::Bypassed(document)) => xml(document),
        Err(error) => {
            error!(%error, "the answer to a call cannot be built");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Twilio fetches the handoff document that was too long to be sent along.
pub(super) async fn handoff_document(
    Path((handoff, attempt)): Path<(String, u32)>,
    (State(front), OriginalUri(uri), headers, body): Signed,
) -> Response {
    let parameters = match signed_form(&front, &uri, &headers, &body, "/twilio/handoff") {
        Ok(parameters) => parameters,
        Err(refusal) => return refusal,
    };
    let (Some(handoff), Ok(request)) =
        (HandoffId::parse(&handoff), VoiceRequest::parse(&parameters))
    else {
        return (StatusCode::NOT_FOUND, "no such handoff").into_response();
    };
    // The document depends on who called whom, which the request says: a call whose task is gone
    // gets the same one.
    let arrival = arrived(request);
    xml(front.around.documents.handoff(&arrival, &handoff, attempt))
}

/// Dialling the human is over: what does the caller hear now?
///
/// The answer depends on the request alone, so that a call whose task is gone gets the same one.
pub(super) async fn dial_ended(
    Path((handoff, attempt)): Path<(String, u32)>,
    (State(front), OriginalUri(uri), headers, body): Signed,
) -> Response {
    let parameters = match signed_form(&front, &uri, &headers, &body, "/twilio/after-dial") {
        Ok(parameters) => parameters,
        Err(refusal) => return refusal,
    };
    let end = match DialOutcome::parse(&parameters) {
        Ok(outcome) => {
            let end = outcome.end();
            if let Some(handoff) = HandoffId::parse(&handoff) {
                let event = Event::DialEnded {
                    handoff,
                    attempt,
                    end,
                };
                tell(&front, &outcome.call, event).await;
            }
            end
        }
        // The caller hears the answer, so there is one, whatever else came along.
        Err(error) => {
            Front::malformed(&error, "/twilio/after-dial");
            DialEnd::Failed
        }
    };
    xml(front.around.documents.after_dial(end))
}

/// The human's leg moved on.
pub(super) async fn leg_progressed(
    Path((handoff, attempt)): Path<(String, u32)>,
    (State(front), OriginalUri(uri), headers, body): Signed,
) -> Response {
    let parameters = match signed_form(&front, &uri, &headers, &body, "/twilio/leg") {
        Ok(parameters) => parameters,
        Err(refusal) => return refusal,
    };
    let status = match LegStatus::parse(&parameters) {
        Ok(status) => status,
        Err(error) => return Front::malformed(&error, "/twilio/leg"),
    };
    if let Some((handoff, progress)) = HandoffId::parse(&handoff).zip(status.progress()) {
        tell(
            &front,
            &status.parent,
            Event::LegProgressed {
                handoff,
                attempt,
                progress,
            },
        )
        .await;
    }
    StatusCode::NO_CONTENT.into_response()
}

/// The caller's own leg moved on. Only its end matters.
pub(super) async fn call_progressed(
    (State(front), OriginalUri(uri), headers, body): Signed,
) -> Response {
    let parameters = match signed_form(&front, &uri, &headers, &body, "/twilio/status") {
        Ok(parameters) => parameters,
        Err(refusal) => return refusal,
    };
    let status = match CallStatus::parse(&parameters) {
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
pub(super) async fn stream_progressed(
    (State(front), OriginalUri(uri), headers, body): Signed,
) -> Response {
    let parameters = match signed_form(&front, &uri, &headers, &body, "/twilio/stream-status") {
        Ok(parameters) => parameters,
        Err(refusal) => return refusal,
    };
    match StreamStatus::parse(&parameters) {
        Ok(status) => debug!(event = ?status.event, "stream status"),
        Err(error) => return Front::malformed(&error, "/twilio/stream-status"),
    }
    StatusCode::NO_CONTENT.into_response()
}

#[expect(
    clippy::result_large_err,
    reason = "the error is the answer, made once"
)]
fn signed_form(
    front: &Front,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
    route: &'static str,
) -> Result<Vec<(String, String)>, Response> {
    let parameters = parse_form(body);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    (front.verifier.verify_form(target, &parameters, headers))
        .map_err(|error| Front::unsigned(error, route))?;
    let account = parameters.iter().find(|(name, _)| name == "AccountSid");
    if account.is_some_and(|(_, sid)| **sid != *front.account_sid) {
        return Err(Front::another_account(route));
    }
    Ok(parameters)
}

fn arrived(request: VoiceRequest) -> Arrival {
    let accepted = clock::wall();
    let mut random = [0u8; 10];
    if let Err(error) = getrandom::fill(&mut random) {
        error!(%error, "no randomness for the name of a call");
    }
    Arrival {
        call: CallId::mint(accepted, random),
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

fn xml(document: Document) -> Response {
    (
        [(header::CONTENT_TYPE, "text/xml; charset=utf-8")],
        document.into_string(),
    )
        .into_response()
}
