//! The live-call update: checked and carried out.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::Response;

use super::asked::{Answer, Asked, Refusal, refusal};
use super::disturbed::disturbed;
use super::router::representation;
use super::source;
use crate::carrier::connection::CutSwitch;
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::lock::lock;
use crate::carrier::twilio::account::Account;
use crate::carrier::twilio::call::{CallStatus, Direction, Order, Source};
use crate::carrier::twilio::stage::Stage;

/// Parameters of a live-call update.
const UPDATE_PARAMETERS: &[&str] = &[
    "Twiml",
    "Url",
    "Method",
    "Status",
    "FallbackUrl",
    "FallbackMethod",
    "StatusCallback",
    "StatusCallbackMethod",
    "TimeLimit",
];

pub(super) async fn update_call(
    State(account): State<Arc<Account>>,
    ConnectInfo(switch): ConnectInfo<CutSwitch>,
    Path((account_sid, file)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8_lossy(&body);
    let asked = Asked::new(account, HttpMethod::POST, &uri, account_sid, headers, &body);
    let stage = match asked.admit(file.trim_end_matches(".json")) {
        Ok(stage) => stage,
        Err(refusal) => return asked.answer(None, Err(refusal), None),
    };
    let call = Arc::clone(&stage.call);
    let document = asked
        .parameter("Twiml")
        .or(asked.parameter("Url"))
        .unwrap_or_default()
        .to_owned();
    let _in_flight = InFlight::begin(&stage, document);
    let fault = lock(&stage.account.faults).next();
    disturbed(&asked, Some(&call), &switch, fault, async |acts| {
        let order = checked_order(&asked, &stage)?;
        if acts {
            carry_out(&stage, order).await
        } else {
            Ok((StatusCode::OK, representation(&stage)))
        }
    })
    .await
}

/// Checks a live-call update against what the resource takes.
fn checked_order(asked: &Asked, stage: &Stage) -> Result<Order, Refusal> {
    let call = Some(&stage.call);
    asked.check_form(call, "a call update", UPDATE_PARAMETERS)?;
    if asked.parameter("StatusCallback").is_some() && asked.parameter("Url").is_none() {
        stage.violation("StatusCallback is not applied unless Url is sent too");
    }
    match (
        asked.parameter("Twiml"),
        asked.parameter("Url"),
        asked.parameter("Status"),
    ) {
        (Some(twiml), None, None) => source::inline(asked, call, twiml).map(Order::Rewrite),
        (None, Some(url), None) => {
            source::fetched(asked, call, url, Purpose::Rewrite).map(Order::Rewrite)
        }
        (None, None, Some("completed")) => Ok(Order::Complete),
        (None, None, Some("canceled")) if stage.call.direction == Direction::OutboundApi => {
            match stage.call.status() {
                CallStatus::Queued | CallStatus::Ringing => Ok(Order::Complete),
                // Somebody may pick up while the request is on its way.
                CallStatus::InProgress | CallStatus::Ended(_) => Err(not_in_progress()),
            }
        }
        (None, None, Some(other)) => {
            stage.violation(format!(
                "Status is {other:?}; a call in progress can only be completed"
            ));
            Err(refusal(
                StatusCode::BAD_REQUEST,
                20001,
                "Status must be completed",
            ))
        }
        _ => {
            // UNCONFIRMED which code Twilio gives; the server must not get here.
            stage.violation("a call update must have exactly one of Twiml, Url and Status");
            Err(refusal(
                StatusCode::BAD_REQUEST,
                20001,
                "exactly one of Twiml, Url, Status",
            ))
        }
    }
}

async fn carry_out(stage: &Stage, order: Order) -> Answer {
    let rings = matches!(
        stage.call.status(),
        CallStatus::Queued | CallStatus::Ringing
    );
    let can_be_stopped =
        rings && stage.call.direction == Direction::OutboundApi && matches!(order, Order::Complete);
    if stage.call.status() != CallStatus::InProgress && !can_be_stopped {
        return Err(not_in_progress());
    }
    let document = match &order {
        Order::Rewrite(Source::Inline(document)) => Some(document.clone()),
        Order::Rewrite(Source::Fetch { callback, .. }) => Some(callback.url.clone()),
        Order::Complete | Order::CallerHangsUp => None,
    };
    if let Some(document) = &document {
        let mut state = lock(&stage.call.state);
        let repeated = state.rewrites.contains(document);
        state.rewrites.push(document.clone());
        let rewrites = state.rewrites.len();
        drop(state);
        if repeated {
            stage.violation(
                "the same document was put on the call a second time, which restarts it",
            );
        }
        stage.record(CarrierEvent::CallRewritten {
            document: document.clone(),
            rewrites,
        });
    }
    if stage.call.orders.send(order).await.is_err() {
        return Err(not_in_progress());
    }
    Ok((StatusCode::OK, representation(stage)))
}

/// A rewrite that is being answered; two with one document at a time are a violation.
struct InFlight<'a> {
    stage: &'a Stage,
    document: String,
}

impl<'a> InFlight<'a> {
    fn begin(stage: &'a Stage, document: String) -> Self {
        let mut state = lock(&stage.call.state);
        let doubled = !document.is_empty() && state.rewrites_in_flight.contains(&document);
        state.rewrites_in_flight.push(document.clone());
        drop(state);
        if doubled {
            stage.violation("two rewrites with the same document were in flight at once");
        }
        Self { stage, document }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.stage.call.state);
        if let Some(index) = state
            .rewrites_in_flight
            .iter()
            .position(|document| *document == self.document)
        {
            state.rewrites_in_flight.swap_remove(index);
        }
    }
}

fn not_in_progress() -> Refusal {
    refusal(
        StatusCode::BAD_REQUEST,
        21220,
        "Call is not in-progress. Cannot redirect.",
    )
}
