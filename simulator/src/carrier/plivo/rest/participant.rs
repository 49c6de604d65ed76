//! Adding somebody to a multi-party call.
//!
//! Source: `MultiPartyCalls.add_participant` of PyPI `plivo` 4.63.0, read 2026-11-21.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::Response;
use serde_json::json;

use super::asked::{Asked, Refusal};
use super::create::creation;
use super::disturbed::act;
use super::fields::Field;
use crate::carrier::callback::Method;
use crate::carrier::connection::CutSwitch;
use crate::carrier::plivo::account::Account;
use crate::carrier::plivo::confirm::CONFIRM_TIMEOUT;
use crate::carrier::plivo::created::{Creation, Then, Told};
use crate::carrier::plivo::terms::{METHOD, Rule};
use crate::carrier::plivo::xml::{Confirm, TERMS};

const SECONDS: Rule = Rule::Between(0, 86_400);
/// Fields that the element does not have.
const FIELDS: &[Field] = &[
    Field::new("from", Rule::Number),
    Field::new("to", Rule::Address),
    Field::new("call_uuid", Rule::Text { most: 36 }),
    Field::new("caller_name", Rule::Text { most: 50 }),
    Field::new("call_status_callback_url", Rule::Url),
    Field::new("call_status_callback_method", METHOD),
    Field::new("sip_headers", Rule::Pairs),
    Field::new("confirm_key", Rule::Key),
    Field::new("confirm_key_sound_url", Rule::Url),
    Field::new("confirm_key_sound_method", METHOD),
    Field::new("dial_music", Rule::DialMusic),
    Field::new("ring_timeout", SECONDS),
    Field::new("delay_dial", SECONDS),
    Field::new("create_mpc_with_single_participant", Rule::Flag),
    Field::new("send_digits", Rule::Keys),
    Field::new("send_on_preanswer", Rule::Flag),
];

pub(super) async fn add_participant(
    State(account): State<Arc<Account>>,
    ConnectInfo(switch): ConnectInfo<CutSwitch>,
    Path((auth_id, call)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked::new(account, HttpMethod::POST, &uri, auth_id, headers, &body);
    if let Err(refusal) = asked.authorized(None) {
        return asked.answer(None, Err(refusal), None);
    }
    let creation = judged(&asked, &call);
    let fault = asked.account.next_create_fault();
    act(
        &asked,
        None,
        &switch,
        fault,
        creation,
        async |creation, deed| {
            let (from, to) = (creation.from.clone(), creation.to.clone());
            let uuid = asked.create(creation, deed);
            // UNCONFIRMED: the answer's status and words.
            let body = json!({
                "message": "add participant action initiated",
                "request_uuid": uuid,
                "calls": [{"from": from, "to": to, "call_uuid": uuid}],
            });
            Ok((StatusCode::CREATED, Some(body)))
        },
    )
    .await
}

fn judged(asked: &Asked, call: &str) -> Result<Creation, Refusal> {
    let refuse = |sentence: String| Err(asked.refuse(None, sentence));
    let Some(name) = call.strip_prefix("name_").filter(|name| !name.is_empty()) else {
        return refuse(format!(
            "{call:?} names no multi-party call; this stand-in finds them by name_… only"
        ));
    };
    let own = FIELDS
        .iter()
        .map(|field| Field::new(field.name, field.rule));
    let shared = TERMS.iter().map(|(term, name, rule)| Field {
        name,
        term,
        rule: *rule,
    });
    let terms = asked.terms("a participant", &own.chain(shared).collect::<Vec<_>>())?;
    if terms.get("call_uuid").is_some() {
        return refuse(if terms.get("from").or(terms.get("to")).is_some() {
            "a participant has call_uuid beside from and to".to_owned()
        } else {
            "this stand-in cannot move a call into a multi-party call".to_owned()
        });
    }
    let entry = match terms.entry(name.to_owned(), Method::Get) {
        Ok(entry) => entry,
        Err(sentence) => return refuse(sentence),
    };
    let sound = terms.callback(
        "confirm_key_sound_url",
        "confirm_key_sound_method",
        Method::Get,
    );
    let key = terms.get("confirm_key").and_then(|key| key.chars().next());
    if key.is_some() && sound.is_none() {
        let sentence = "a participant has confirm_key and no confirm_key_sound_url";
        return refuse(format!("{sentence}: the human waits in silence"));
    }
    let told = Told {
        status: terms.callback(
            "call_status_callback_url",
            "call_status_callback_method",
            Method::Post,
        ),
        ..Told::default()
    };
    let then = Then::Room {
        visit: entry.into(),
        confirm: Confirm {
            sound,
            key,
            timeout: CONFIRM_TIMEOUT,
        },
    };
    creation(&terms, told, then).or_else(|sentence| refuse(sentence.to_owned()))
}
