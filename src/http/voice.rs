//! The carriers' webhooks: what one asks is answered at once, what it tells goes to the call's task.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use handoff_core::call::{Arrival, DialEnd, Event};
use handoff_core::id::{CallId, Carrier, CarrierCallId};
use tracing::{debug, error};

use super::front::{Front, TELLING};
use super::posted::{Announcement, CallNews, DialNews, LegNews, StreamNews};
use super::signed::{Attempt, Signed};
use crate::carrier::document::Document;
use crate::clock;
use crate::session::Admission;

/// A call comes in: how do we stand in it?
pub(super) async fn announced(
    State(front): State<Front>,
    request: Signed<Announcement>,
) -> Response {
    let Signed {
        account,
        said,
        route,
        ..
    } = request;
    let arrival = match said {
        Ok(request) if request.is_over => {
            tell(&front, &request.call, Event::CallCompleted).await;
            return StatusCode::NO_CONTENT.into_response();
        }
        Ok(request) => arrived(account.carrier(), request),
        Err(error) => return Front::malformed(&error, &route),
    };
    match front.registry.announce(account, arrival) {
        Ok(Admission::Admitted(document) | Admission::Bypassed(document)) => xml(document),
        Err(error) => {
            error!(%error, "the answer to a call cannot be built");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The carrier fetches the handoff document: Plivo always, Twilio where it was too long to be sent along.
///
/// The caller waits for it, so a call whose handoff cannot be told gets a document that rings the
/// default target all the same.
pub(super) async fn handoff_document(request: Signed<Announcement>) -> Response {
    let Signed {
        account,
        route,
        said,
        attempt,
    } = request;
    // The document depends on who called whom, which the request says: a call whose task is gone
    // gets the same one.
    let arrival = match said {
        Ok(request) => arrived(account.carrier(), request),
        Err(error) => return Front::malformed(&error, &route),
    };
    let Attempt { handoff, number } = match attempt {
        Ok(attempt) => attempt,
        Err(error) => {
            Front::malformed(&error, &route);
            return xml(account.dead_man(&arrival));
        }
    };
    xml(account.handoff(&arrival, &handoff, number))
}

/// The carrier fetches the document of a call whose task died.
pub(super) async fn dead_man(request: Signed<Announcement>) -> Response {
    match request.said {
        Ok(said) => {
            let arrival = arrived(request.account.carrier(), said);
            xml(request.account.dead_man(&arrival))
        }
        Err(error) => Front::malformed(&error, &request.route),
    }
}

/// Dialling the human is over: what does the caller hear now?
///
/// The answer depends on the request alone, so that a call whose task is gone gets the same one.
/// The caller hears it, so there is one, whatever else came along.
pub(super) async fn dial_ended(State(front): State<Front>, request: Signed<DialNews>) -> Response {
    let outcome = match request.said {
        Ok(outcome) => outcome,
        Err(error) => {
            Front::malformed(&error, &request.route);
            return xml(request.account.after_dial(DialEnd::Failed));
        }
    };
    let end = outcome.end;
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
            Front::malformed(&error, &request.route);
        }
    }
    xml(request.account.after_dial(end))
}

/// The human's leg moved on.
pub(super) async fn leg_progressed(
    State(front): State<Front>,
    request: Signed<LegNews>,
) -> Response {
    let status = match request.said {
        Ok(status) => status,
        Err(error) => return Front::malformed(&error, &request.route),
    };
    let Attempt { handoff, number } = match request.attempt {
        Ok(attempt) => attempt,
        Err(error) => return Front::malformed(&error, &request.route),
    };
    if let Some(progress) = status.progress {
        let event = Event::LegProgressed {
            handoff,
            attempt: number,
            progress,
        };
        tell(&front, &status.call, event).await;
    }
    StatusCode::NO_CONTENT.into_response()
}

/// The caller's own leg moved on. Only its end matters.
pub(super) async fn call_progressed(
    State(front): State<Front>,
    request: Signed<CallNews>,
) -> Response {
    let status = match request.said {
        Ok(status) => status,
        Err(error) => return Front::malformed(&error, &request.route),
    };
    if status.is_over {
        tell(&front, &status.call, Event::CallCompleted).await;
    }
    StatusCode::NO_CONTENT.into_response()
}

/// The carrier reports on a stream. The socket itself tells us all of this sooner; only an error is
/// worth a line.
pub(super) async fn stream_progressed(request: Signed<StreamNews>) -> Response {
    match request.said {
        Ok(status) => debug!(event = status.event, "stream status"),
        Err(error) => return Front::malformed(&error, &request.route),
    }
    StatusCode::NO_CONTENT.into_response()
}

fn arrived(carrier: Carrier, request: Announcement) -> Arrival {
    let accepted = clock::wall();
    let mut random = [0u8; 10];
    if let Err(error) = getrandom::fill(&mut random) {
        error!(%error, "no randomness for the name of a call");
    }
    Arrival {
        call: CallId::mint(accepted, random),
        carrier,
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
