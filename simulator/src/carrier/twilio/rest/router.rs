//! The routes, the resources that are only read, and the bot webhook.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::asked::{Asked, not_found, refusal};
use super::create::create_call;
use super::update::update_call;
use crate::carrier::event::CarrierEvent;
use crate::carrier::lock::lock;
use crate::carrier::outside::form_decoded;
use crate::carrier::twilio::account::Account;
use crate::carrier::twilio::call::Direction;
use crate::carrier::twilio::stage::Stage;
use crate::recording::Recording;

/// Path of the bot webhook.
pub(in crate::carrier::twilio) const BOT_PATH: &str = "/bot/voice";

pub(in crate::carrier::twilio) fn router(account: Arc<Account>) -> Router {
    Router::new()
        .route(
            "/2010-04-01/Accounts/{account}/Calls.json",
            post(create_call),
        )
        .route(
            "/2010-04-01/Accounts/{account}/Calls/{call}",
            get(read_call).post(update_call),
        )
        .route(
            "/2010-04-01/Accounts/{account}/Calls/{call}/Notifications.json",
            get(read_notifications),
        )
        .route(
            "/2010-04-01/Accounts/{account}/Calls/{call}/Streams/{stream}",
            post(update_stream),
        )
        .route(BOT_PATH, any(bot))
        .fallback(unknown)
        .with_state(account)
}

async fn read_call(
    State(account): State<Arc<Account>>,
    Path((account_sid, file)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(account, HttpMethod::GET, &uri, account_sid, headers, "");
    sleep(asked.account.options.rest_delay).await;
    let stage = asked.admit(file.trim_end_matches(".json"));
    let call = stage.as_ref().ok().map(|stage| Arc::clone(&stage.call));
    let answer = stage.map(|stage| (StatusCode::OK, representation(&stage)));
    asked.answer(call.as_ref(), answer, None)
}

async fn read_notifications(
    State(account): State<Arc<Account>>,
    Path((account_sid, call)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(account, HttpMethod::GET, &uri, account_sid, headers, "");
    let stage = asked.admit(&call);
    let call = stage.as_ref().ok().map(|stage| Arc::clone(&stage.call));
    let answer = stage.map(|stage| {
        let notifications: Vec<_> = lock(&stage.call.state)
            .notifications
            .iter()
            .map(|entry| {
                json!({
                    "account_sid": stage.account.options.account_sid,
                    "call_sid": stage.call.sid.as_ref(),
                    "error_code": entry.code.to_string(),
                    "log": "0",
                    "message_text": entry.message,
                })
            })
            .collect();
        (
            StatusCode::OK,
            json!({"notifications": notifications, "page": 0, "page_size": 50}),
        )
    });
    asked.answer(call.as_ref(), answer, None)
}

/// Stops a fork by its name or sid.
async fn update_stream(
    State(account): State<Arc<Account>>,
    Path((account_sid, call, stream)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let asked = Asked::new(account, HttpMethod::POST, &uri, account_sid, headers, &body);
    let stage = asked.admit(&call);
    let call = stage.as_ref().ok().map(|stage| Arc::clone(&stage.call));
    let stream = stream.trim_end_matches(".json");
    let answer = stage.and_then(|stage| {
        if asked.parameter("Status") != Some("stopped") {
            stage.violation("a stream can only be updated with Status=stopped");
            return Err(refusal(
                StatusCode::BAD_REQUEST,
                20001,
                "Status must be stopped",
            ));
        }
        let mut state = lock(&stage.call.state);
        let named = state
            .forks
            .iter()
            .find(|(name, fork)| *name == stream || fork.sid == stream);
        let name = named.map(|(name, _)| name.clone());
        match name.and_then(|name| state.forks.remove(&name)) {
            Some(fork) => {
                let call_sid = stage.call.sid.as_ref();
                let body = json!({"sid": fork.sid, "call_sid": call_sid, "status": "stopped"});
                Ok((StatusCode::OK, body))
            }
            None => Err(not_found(&asked.path)),
        }
    });
    asked.answer(call.as_ref(), answer, None)
}

async fn bot(State(account): State<Arc<Account>>, body: String) -> Response {
    let parameters = form_decoded(&body);
    let call = parameters
        .iter()
        .find(|(name, _)| name == "CallSid")
        .and_then(|(_, sid)| account.call(sid));
    account.log.record(
        call.as_ref().map(|call| &call.sid),
        CarrierEvent::BotVisited { parameters },
    );
    (
        [(CONTENT_TYPE, "text/xml")],
        account.options.bot_document.clone(),
    )
        .into_response()
}

async fn unknown(
    State(account): State<Arc<Account>>,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let asked = Asked::new(account, method, &uri, String::new(), headers, &body);
    let authorized = asked.is_authorized();
    let (method, path) = (asked.method.to_string(), asked.path.clone());
    asked.record(
        None,
        CarrierEvent::RestRequested {
            method,
            path,
            parameters: asked.parameters.clone(),
            authorized,
        },
    );
    asked.violation(
        None,
        format!(
            "{} {} is not a resource that this stand-in has",
            asked.method, asked.path
        ),
    );
    asked.answer(None, Err(not_found(&asked.path)), None)
}

/// The call as the resource shows it.
pub(super) fn representation(stage: &Stage) -> Value {
    let call = &stage.call;
    let status = call.status().as_str();
    representation_of(
        &stage.account,
        &call.sid,
        call.direction,
        status,
        &call.recording,
    )
}

pub(super) fn representation_of(
    account: &Account,
    sid: &str,
    direction: Direction,
    status: &str,
    recording: &Recording,
) -> Value {
    let account_sid = &account.options.account_sid;
    json!({
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "direction": direction.as_str(),
        "from": recording.from,
        "parent_call_sid": null,
        "sid": sid,
        "status": status,
        "to": recording.to,
        "uri": format!("/2010-04-01/Accounts/{account_sid}/Calls/{sid}.json"),
    })
}
