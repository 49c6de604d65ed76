//! The routes, the resources that are only read, streams, and the bot webhook.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::asked::{Asked, Refusal, gone, refusal};
use super::create::create_call;
use super::participant::add_participant;
use super::transfer::{hang_up_call, transfer_call};
use crate::carrier::event::CarrierEvent;
use crate::carrier::lock::lock;
use crate::carrier::outside::form_decoded;
use crate::carrier::plivo::account::Account;
use crate::carrier::plivo::stage::{Stage, bare};

/// Path of the bot webhook.
pub(in crate::carrier::plivo) const BOT_PATH: &str = "/bot/voice";

pub(in crate::carrier::plivo) fn router(account: Arc<Account>) -> Router {
    Router::new()
        .route(
            "/v1/Account/{auth_id}/Call/",
            get(list_calls).post(create_call),
        )
        .route(
            "/v1/Account/{auth_id}/Call/{uuid}/",
            get(read_call).post(transfer_call).delete(hang_up_call),
        )
        .route(
            "/v1/Account/{auth_id}/Call/{uuid}/Stream/",
            get(read_stream).delete(stop_stream),
        )
        .route(
            "/v1/Account/{auth_id}/Call/{uuid}/Stream/{stream}/",
            delete(stop_named_stream),
        )
        .route(
            "/v1/Account/{auth_id}/MultiPartyCall/{call}/Participant/",
            post(add_participant),
        )
        .route(BOT_PATH, any(bot))
        .fallback(unknown)
        .with_state(account)
}

async fn list_calls(
    State(account): State<Arc<Account>>,
    Path(auth_id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(account, HttpMethod::GET, &uri, auth_id, headers, b"");
    sleep(asked.account.options.rest_delay).await;
    let answer = asked
        .authorized(None)
        .and_then(|()| only_live(&asked, &uri))
        .map(|()| {
            let calls = lock(&asked.account.calls);
            let live: Vec<_> = calls
                .values()
                .filter(|call| !call.status().is_over())
                .map(|call| call.uuid.to_string())
                .collect();
            (StatusCode::OK, Some(json!({"calls": live})))
        });
    asked.answer(None, answer, None)
}

async fn read_call(
    State(account): State<Arc<Account>>,
    Path((auth_id, uuid)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(account, HttpMethod::GET, &uri, auth_id, headers, b"");
    sleep(asked.account.options.rest_delay).await;
    let stage = asked.admit(&uuid);
    let call = stage.as_ref().ok().map(|stage| Arc::clone(&stage.call));
    let answer = stage.and_then(|stage| {
        only_live(&asked, &uri)?;
        Ok((StatusCode::OK, Some(representation(&stage))))
    });
    asked.answer(call.as_ref(), answer, None)
}

/// Calls are only shown while they live, and only to who asks for those.
fn only_live(asked: &Asked, uri: &Uri) -> Result<(), Refusal> {
    let query = form_decoded(uri.query().unwrap_or_default());
    if query == [("status".to_owned(), "live".to_owned())] {
        return Ok(());
    }
    asked.violation(
        None,
        format!(
            "GET {} without ?status=live asks for calls that are over",
            asked.path
        ),
    );
    Err(gone())
}

async fn read_stream(
    State(account): State<Arc<Account>>,
    Path((auth_id, uuid)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(account, HttpMethod::GET, &uri, auth_id, headers, b"");
    let stage = asked.admit(&uuid);
    let call = stage.as_ref().ok().map(|stage| Arc::clone(&stage.call));
    let answer = stage.map(|stage| {
        let ids: Vec<_> = lock(&stage.call.state)
            .stream
            .iter()
            .filter(|stream| !*stream.ended.borrow())
            .map(|stream| json!({"stream_id": stream.id}))
            .collect();
        (StatusCode::OK, Some(json!({"objects": ids})))
    });
    asked.answer(call.as_ref(), answer, None)
}

async fn stop_stream(
    state: State<Arc<Account>>,
    Path((auth_id, uuid)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    stop(state, auth_id, &uuid, None, &uri, headers)
}

async fn stop_named_stream(
    state: State<Arc<Account>>,
    Path((auth_id, uuid, stream)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    stop(state, auth_id, &uuid, Some(&stream), &uri, headers)
}

fn stop(
    State(account): State<Arc<Account>>,
    auth_id: String,
    uuid: &str,
    stream: Option<&str>,
    uri: &Uri,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(account, HttpMethod::DELETE, uri, auth_id, headers, b"");
    let stage = asked.admit(uuid);
    let call = stage.as_ref().ok().map(|stage| Arc::clone(&stage.call));
    let answer = stage.and_then(|stage| {
        let mut state = lock(&stage.call.state);
        let runs = state.stream.as_ref().is_some_and(|running| {
            !*running.ended.borrow() && stream.is_none_or(|id| id == running.id)
        });
        if !runs {
            return Err(gone());
        }
        state.stream = None;
        Ok((StatusCode::NO_CONTENT, None))
    });
    asked.answer(call.as_ref(), answer, None)
}

async fn bot(State(account): State<Arc<Account>>, body: String) -> Response {
    let parameters = form_decoded(&body);
    let call = parameters
        .iter()
        .find(|(name, _)| name == "CallUUID")
        .and_then(|(_, uuid)| account.call(uuid));
    account.log.record(
        call.as_ref().map(|call| &call.uuid),
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
    body: Bytes,
) -> Response {
    let auth_id = account.options.auth_id.clone();
    let asked = Asked::new(account, method.clone(), &uri, auth_id, headers, &body);
    let answer = asked.authorized(None).and_then(|()| {
        let slash = if uri.path().ends_with('/') {
            ""
        } else {
            "; paths of Plivo end with a slash"
        };
        let sentence = format!(
            "{method} {} is not a resource that this stand-in has{slash}",
            uri.path()
        );
        asked.violation(None, sentence);
        Err(refusal(StatusCode::NOT_FOUND, "not found"))
    });
    asked.answer(None, answer, None)
}

/// The live call as the resource shows it.
fn representation(stage: &Stage) -> Value {
    json!({
        "call_status": stage.call.status().as_str(),
        "call_uuid": stage.call.uuid.as_ref(),
        "direction": stage.call.direction(),
        "from": bare(&stage.call.from),
        "to": bare(&stage.call.to),
    })
}
