//! Transfers and hangups: checked, carried out, and disturbed by planned faults.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method as HttpMethod, StatusCode, Uri};
use axum::response::Response;
use reqwest::Url;
use serde_json::json;
use tokio::time::sleep;

use super::asked::{Answer, Asked, Refusal, gone, refusal};
use crate::carrier::callback::{Callback, Method};
use crate::carrier::connection::CutSwitch;
use crate::carrier::event::{CarrierEvent, EndReason};
use crate::carrier::fault::FaultKind;
use crate::carrier::lock::lock;
use crate::carrier::plivo::account::Account;
use crate::carrier::plivo::call::Order;
use crate::carrier::plivo::stage::Stage;

/// Plivo hangs up with "Loop detected" when a call is transferred more often.
const MOST_TRANSFERS: usize = 70;
/// Fields of a transfer.
const FIELDS: &[&str] = &[
    "legs",
    "aleg_url",
    "aleg_method",
    "bleg_url",
    "bleg_method",
    "callback_url",
    "callback_method",
];

pub(super) async fn transfer_call(
    State(account): State<Arc<Account>>,
    ConnectInfo(switch): ConnectInfo<CutSwitch>,
    Path((auth_id, uuid)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked::new(account, HttpMethod::POST, &uri, auth_id, headers, &body);
    let stage = match asked.admit(&uuid) {
        Ok(stage) => stage,
        Err(refusal) => return asked.answer(None, Err(refusal), None),
    };
    let url = asked.body["aleg_url"].as_str().unwrap_or_default();
    let _in_flight = InFlight::begin(&stage, url.to_owned());
    let judged = judged(&asked, &stage);
    act(&asked, &stage, &switch, judged.map(Order::Transfer)).await
}

pub(super) async fn hang_up_call(
    State(account): State<Arc<Account>>,
    ConnectInfo(switch): ConnectInfo<CutSwitch>,
    Path((auth_id, uuid)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(account, HttpMethod::DELETE, &uri, auth_id, headers, b"");
    let stage = match asked.admit(&uuid) {
        Ok(stage) => stage,
        Err(refusal) => return asked.answer(None, Err(refusal), None),
    };
    let order = Order::End(EndReason::CompletedByRest);
    act(&asked, &stage, &switch, Ok(order)).await
}

/// Carries out an order, unless a planned fault or its own form keeps it.
async fn act(
    asked: &Asked,
    stage: &Stage,
    switch: &CutSwitch,
    order: Result<Order, Refusal>,
) -> Response {
    let call = Arc::clone(&stage.call);
    let fault = stage.account.next_fault();
    sleep(stage.account.options.rest_delay).await;
    let answer = |answer: Answer| asked.answer(Some(&call), answer, fault.as_ref());
    let order = match order {
        Ok(order) => order,
        Err(refusal) => return answer(Err(refusal)),
    };
    match &fault {
        None => answer(carry_out(stage, order).await),
        Some(FaultKind::Delay(delay)) => {
            sleep(*delay).await;
            answer(carry_out(stage, order).await)
        }
        Some(FaultKind::TooManyRequests { retry_after }) => {
            let refused = refusal(StatusCode::TOO_MANY_REQUESTS, "too many requests");
            let mut response = answer(Err(refused));
            if let Some(seconds) = retry_after {
                let seconds = HeaderValue::from(*seconds);
                response.headers_mut().insert(RETRY_AFTER, seconds);
            }
            response
        }
        Some(FaultKind::ServerError(status)) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            answer(Err(refusal(status, "internal server error")))
        }
        Some(FaultKind::AcceptWithoutActing) => answer(Ok(accepted(&order))),
        Some(FaultKind::CutBeforeActing) => {
            switch.cut();
            answer(Err(refusal(StatusCode::BAD_GATEWAY, "cut")))
        }
        Some(FaultKind::CutAfterActing) => {
            let response = answer(carry_out(stage, order).await);
            switch.cut();
            response
        }
        Some(FaultKind::HangAfterActing) => {
            answer(carry_out(stage, order).await);
            std::future::pending().await
        }
    }
}

/// Checks a transfer against what the resource takes.
fn judged(asked: &Asked, stage: &Stage) -> Result<Callback, Refusal> {
    let refuse = |sentence: String| {
        stage.violation(sentence.clone());
        Err(refusal(StatusCode::BAD_REQUEST, &sentence))
    };
    let content_type = asked
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !content_type.starts_with("application/json") {
        return refuse(format!("a transfer came as {content_type:?}, not as JSON"));
    }
    let Some(fields) = asked.body.as_object() else {
        return refuse("the body of a transfer is not a JSON object".to_owned());
    };
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return refuse(format!("a transfer has no field {unknown:?}"));
    }
    match fields.get("legs").and_then(|legs| legs.as_str()) {
        Some("aleg") => {}
        Some("bleg" | "both") => {
            return refuse("this stand-in can transfer the caller's leg only".to_owned());
        }
        Some(_) | None => return refuse("legs must be aleg, bleg or both".to_owned()),
    }
    if fields.contains_key("callback_url") {
        stage.violation("this stand-in does not post to the callback_url of a transfer");
    }
    let method = match fields.get("aleg_method").map(|method| method.as_str()) {
        Some(Some("GET")) => Method::Get,
        Some(Some("POST")) | None => Method::Post,
        Some(_) => return refuse("aleg_method must be GET or POST".to_owned()),
    };
    let url = fields.get("aleg_url").and_then(|url| url.as_str());
    match url.filter(|url| Url::parse(url).is_ok()) {
        Some(url) => Ok(Callback {
            url: url.to_owned(),
            method,
        }),
        None => refuse("aleg_url must be an absolute URL; Plivo takes no inline XML".to_owned()),
    }
}

async fn carry_out(stage: &Stage, order: Order) -> Answer {
    let answer = accepted(&order);
    let order = match order {
        Order::Transfer(callback) => {
            let (transfers, again) = {
                let mut state = lock(&stage.call.state);
                state.transfers += 1;
                let again = state.fetched_transfers.contains(&callback.url);
                (state.transfers, again)
            };
            if again {
                stage.violation(
                    "the call was transferred to a document that it had fetched, which restarts it",
                );
            }
            stage.record(CarrierEvent::CallRewritten {
                document: callback.url.clone(),
                rewrites: transfers,
            });
            if transfers > MOST_TRANSFERS {
                stage.violation(
                    "the call was transferred more than 70 times; Plivo hangs up (Loop detected)",
                );
                Order::End(EndReason::LoopDetected)
            } else {
                Order::Transfer(callback)
            }
        }
        order @ Order::End(_) => order,
    };
    if stage.call.orders.send(order).await.is_err() {
        return Err(gone());
    }
    Ok(answer)
}

fn accepted(order: &Order) -> (StatusCode, Option<serde_json::Value>) {
    match order {
        Order::Transfer(_) => (
            StatusCode::ACCEPTED,
            Some(json!({"message": "call transferred"})),
        ),
        Order::End(_) => (StatusCode::NO_CONTENT, None),
    }
}

/// A transfer that is being answered; two with one document at a time are a violation.
struct InFlight<'a> {
    stage: &'a Stage,
    url: String,
}

impl<'a> InFlight<'a> {
    fn begin(stage: &'a Stage, url: String) -> Self {
        let mut state = lock(&stage.call.state);
        let doubled = state.transfers_in_flight.contains(&url);
        state.transfers_in_flight.push(url.clone());
        drop(state);
        if doubled {
            stage.violation("two transfers to the same document were in flight at once");
        }
        Self { stage, url }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.stage.call.state);
        let in_flight = &mut state.transfers_in_flight;
        if let Some(index) = in_flight.iter().position(|url| *url == self.url) {
            in_flight.swap_remove(index);
        }
    }
}
