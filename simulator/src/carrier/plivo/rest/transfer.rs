//! Transfers and hangups: checked and carried out.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::Response;
use reqwest::Url;
use serde_json::json;

use super::asked::{Answer, Asked, Refusal, gone};
use super::disturbed::{Deed, act};
use crate::carrier::callback::{Callback, Method};
use crate::carrier::connection::CutSwitch;
use crate::carrier::event::{CarrierEvent, EndReason};
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
    let order = judged(&asked, &stage).map(Order::Transfer);
    obeyed(&asked, &stage, &switch, order).await
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
    let order = Ok(Order::End(EndReason::CompletedByRest));
    obeyed(&asked, &stage, &switch, order).await
}

async fn obeyed(
    asked: &Asked,
    stage: &Stage,
    switch: &CutSwitch,
    order: Result<Order, Refusal>,
) -> Response {
    let fault = stage.account.next_fault();
    let call = Some(&stage.call);
    act(asked, call, switch, fault, order, async |order, deed| {
        carry_out(stage, order, deed).await
    })
    .await
}

/// Checks a transfer against what the resource takes.
fn judged(asked: &Asked, stage: &Stage) -> Result<Callback, Refusal> {
    let refuse = |sentence: String| Err(asked.refuse(Some(stage), sentence));
    let fields = asked.object(Some(stage), "a transfer")?;
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

async fn carry_out(stage: &Stage, order: Order, deed: Deed) -> Answer {
    let answer = accepted(&order);
    if deed == Deed::Pretended {
        return Ok(answer);
    }
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
