//! The carriers' webhooks about the human's side of a handoff.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use handoff_core::call::{Event, LegProgress};
use handoff_core::id::CarrierCallId;

use super::front::Front;
use super::posted::{CalledLeg, CalledNews, KeyNews, LegNews, Nothing};
use super::signed::Signed;
use super::voice::{briefing, consult, xml};
use crate::session::Step;

/// The human's leg moved on.
pub(super) async fn leg_progressed(
    State(front): State<Front>,
    request: Signed<LegNews>,
) -> Response {
    match (request.said, request.step) {
        (Ok(LegNews(progress)), Ok(step)) => progressed(&front, &step, progress).await,
        (Err(error), _) => return Front::malformed(&error, &request.route),
        (_, Err(error)) => return Front::malformed(&error, &request.route),
    }
    StatusCode::NO_CONTENT.into_response()
}

/// The human answered their phone and hears why it rang.
pub(super) async fn whispered_to(State(front): State<Front>, request: Signed<Nothing>) -> Response {
    match request.step {
        Ok(step) => {
            let known = consult(&front, &step, None).await;
            let briefing = briefing(&request.account, &step, known.as_ref());
            xml(request.account.whisper(&step, &briefing))
        }
        Err(error) => Front::malformed(&error, &request.route),
    }
}

/// The human who was called to a conference answered, and hears why before they join the caller.
pub(super) async fn answered(State(front): State<Front>, request: Signed<CalledLeg>) -> Response {
    let (leg, step) = match (request.said, request.step) {
        (Ok(CalledLeg(leg)), Ok(step)) => (leg, step),
        (Err(error), _) => return Front::malformed(&error, &request.route),
        (_, Err(error)) => return Front::malformed(&error, &request.route),
    };
    called(&front, &step, leg).await;
    progressed(&front, &step, Some(LegProgress::Answered)).await;
    let known = consult(&front, &step, None).await;
    match &known {
        Some(known) if known.is_awaited => {
            let briefing = briefing(&request.account, &step, Some(known));
            xml(request.account.brief_human(&step, &briefing))
        }
        // Nobody would come to them.
        Some(_) | None => xml(request.account.not_accepted()),
    }
}

/// The human pressed a key, or none. Only the right one takes the call.
pub(super) async fn key_pressed(State(front): State<Front>, request: Signed<KeyNews>) -> Response {
    let (news, step) = match (request.said, request.step) {
        (Ok(news), Ok(step)) => (news, step),
        (Err(error), _) => return Front::malformed(&error, &request.route),
        (_, Err(error)) => return Front::malformed(&error, &request.route),
    };
    if !news.accepts {
        return xml(request.account.not_accepted());
    }
    let event = (step.effort()).map(|effort| Event::LegProgressed {
        effort,
        progress: LegProgress::Accepted,
    });
    let known = consult(&front, &step, event).await;
    // A dialled human is joined with whoever is there. In a conference they would wait for nobody.
    let awaited = known.is_some_and(|known| known.is_awaited);
    match request.account.called_apart(&step) && !awaited {
        true => xml(request.account.not_accepted()),
        false => xml(request.account.accepted(&step)),
    }
}

/// The leg of a human who was called to a conference moved on, or is over.
pub(super) async fn called_leg_progressed(
    State(front): State<Front>,
    request: Signed<CalledNews>,
) -> Response {
    match (request.said, request.step) {
        (Ok(CalledNews::Progressed { leg, progress }), Ok(step)) => {
            called(&front, &step, leg).await;
            progressed(&front, &step, progress).await;
        }
        (Ok(CalledNews::Ended(end)), Ok(step)) => {
            if let Some(effort) = step.effort() {
                consult(&front, &step, Some(Event::HumanLeft { effort, end })).await;
            }
        }
        (Err(error), _) => return Front::malformed(&error, &request.route),
        (_, Err(error)) => return Front::malformed(&error, &request.route),
    }
    StatusCode::NO_CONTENT.into_response()
}

/// The answer to our request names the leg too, if it comes. A leg that nobody waits for is hung up.
async fn called(front: &Front, step: &Step, leg: Option<CarrierCallId>) {
    if let (Some(effort), Some(leg)) = (step.effort(), leg) {
        let event = Event::HumanCalled {
            effort,
            leg: Ok(leg),
        };
        consult(front, step, Some(event)).await;
    }
}

async fn progressed(front: &Front, step: &Step, progress: Option<LegProgress>) {
    if let (Some(effort), Some(progress)) = (step.effort(), progress) {
        consult(front, step, Some(Event::LegProgressed { effort, progress })).await;
    }
}
