//! The carriers' webhooks: what one asks is answered at once, what it tells goes to the call's task.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use handoff_core::call::{Arrival, Event};
use handoff_core::id::{CallId, Carrier, CarrierCallId};
use tracing::{debug, error, warn};

use super::front::{Front, TELLING};
use super::posted::{Announcement, CallNews, DialNews, MessageNews, StreamNews, WaitNews};
use super::signed::Signed;
use crate::carrier::document::Document;
use crate::clock;
use crate::session::{Admission, Briefing, CarrierAccount, Knowledge, Step};

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
pub(super) async fn handoff_document(
    State(front): State<Front>,
    request: Signed<Announcement>,
) -> Response {
    let Signed {
        account,
        route,
        said,
        step,
    } = request;
    // The document depends on who called whom, which the request says: a call whose task is gone
    // gets the same one.
    let arrival = match said {
        Ok(request) => arrived(account.carrier(), request),
        Err(error) => return Front::malformed(&error, &route),
    };
    let step = match step {
        Ok(step) => step,
        Err(error) => {
            Front::malformed(&error, &route);
            return xml(account.dead_man(&arrival));
        }
    };
    let fetched = Event::DocumentFetched {
        handoff: step.handoff.clone(),
        attempt: step.attempt,
    };
    let known = consult(&front, &step, Some(fetched)).await;
    xml(account.handoff(&arrival, &step, &briefing(&account, &step, known.as_ref())))
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

/// The effort to reach a target is over: what does the caller hear now?
///
/// Whether a human had the caller is the call's to say, where carriers do not. A call whose task is
/// gone goes by the request alone. The caller hears the answer, so there is one, whatever else came
/// along.
pub(super) async fn dial_ended(State(front): State<Front>, request: Signed<DialNews>) -> Response {
    let Signed {
        account,
        route,
        said,
        step,
    } = request;
    let news = match said {
        Ok(news) => news,
        Err(error) => {
            Front::malformed(&error, &route);
            return xml(account.apology());
        }
    };
    if news.hung_up_on {
        tell(&front, &news.call.call, Event::CallCompleted).await;
        return xml(account.goodbye());
    }
    let arrival = arrived(account.carrier(), news.call);
    let step = match step {
        Ok(step) => step,
        Err(error) => {
            Front::malformed(&error, &route);
            return xml(account.apology());
        }
    };
    let Some(end) = news.ended.end(account.acceptance(&step)) else {
        return xml(account.nothing());
    };
    let event = (step.effort()).map(|effort| Event::DialEnded { effort, end });
    let known = consult(&front, &step, event).await;
    let next = (known.as_ref())
        .and_then(|known| known.next.clone())
        .unwrap_or_else(|| step.after(end));
    let briefing = briefing(&account, &step, known.as_ref());
    xml(account.go_on(&arrival, &step, &next, &briefing))
}

/// The caller waits in a queue, or in the conference of a human who is being called.
pub(super) async fn waiting(request: Signed<WaitNews>) -> Response {
    match (request.said, request.step) {
        (Ok(news), Ok(step)) => xml(request.account.wait(&step, &news.0)),
        (Err(error), _) => Front::malformed(&error, &request.route),
        (_, Err(error)) => Front::malformed(&error, &request.route),
    }
}

/// The caller left a message.
pub(super) async fn message_left(
    State(front): State<Front>,
    request: Signed<MessageNews>,
) -> Response {
    match (request.said, request.step) {
        (Ok(MessageNews(Some(message))), Ok(step)) => {
            let event = Event::MessageLeft {
                handoff: step.handoff.clone(),
                url: message.url,
                length: message.length,
            };
            consult(&front, &step, Some(event)).await;
        }
        (Ok(MessageNews(None)), Ok(_)) => {}
        (Err(error), _) => return Front::malformed(&error, &request.route),
        (_, Err(error)) => return Front::malformed(&error, &request.route),
    }
    xml(request.account.goodbye())
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
    if let Some(trouble) = status.trouble {
        warn!(trouble, "the carrier ended a call over a failure");
    }
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

/// Tells the call of a step of something and asks what it knows. `None` if it is gone, or too busy to
/// say while somebody waits.
pub(super) async fn consult(front: &Front, step: &Step, event: Option<Event>) -> Option<Knowledge> {
    let consulting = front.registry.consult(step, event);
    match tokio::time::timeout(TELLING, consulting).await {
        Ok(known) => known,
        Err(_) => {
            error!("a call's task does not take its callbacks");
            None
        }
    }
}

/// What a document of that step is written from.
pub(super) fn briefing(
    account: &CarrierAccount,
    step: &Step,
    known: Option<&Knowledge>,
) -> Briefing {
    match known.and_then(|known| known.context.as_ref()) {
        Some(context) => Briefing::of(context, account.public_url()),
        None => Briefing::without(&step.handoff),
    }
}

async fn tell(front: &Front, call: &CarrierCallId, event: Event) {
    let told = tokio::time::timeout(TELLING, front.registry.tell(call, event)).await;
    if told.is_err() {
        error!("a call's task does not take its callbacks");
    }
}

pub(super) fn xml(document: Document) -> Response {
    (
        [(header::CONTENT_TYPE, "text/xml; charset=utf-8")],
        document.into_string(),
    )
        .into_response()
}
