//! Making a call.
//!
//! Source: `Calls.create` of PyPI `plivo` 4.63.0, read 2026-11-21.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::Response;
use serde_json::json;

use super::asked::{Asked, Refusal};
use super::disturbed::{Deed, act};
use super::fields::Field;
use crate::carrier::callback::Method;
use crate::carrier::connection::CutSwitch;
use crate::carrier::plivo::account::Account;
use crate::carrier::plivo::created::{Creation, Then, Told};
use crate::carrier::plivo::stage::bare;
use crate::carrier::plivo::terms::{METHOD, Rule, Terms};
use crate::carrier::plivo::xml::is_reserved;

const DAY: u64 = 86_400;
const NAME: Rule = Rule::Text { most: 50 };
const FIELDS: &[Field] = &[
    Field::new("from", Rule::Number),
    Field::new("to", Rule::Address),
    Field::new("answer_url", Rule::Url),
    Field::new("answer_method", METHOD),
    Field::new("ring_url", Rule::Url),
    Field::new("ring_method", METHOD),
    Field::new("hangup_url", Rule::Url),
    Field::new("hangup_method", METHOD),
    Field::new("fallback_url", Rule::Url),
    Field::new("fallback_method", METHOD),
    Field::new("caller_name", NAME),
    Field::new("send_digits", Rule::Keys),
    Field::new("send_on_preanswer", Rule::Flag),
    Field::new("sip_headers", Rule::Pairs),
    Field::new("time_limit", Rule::Between(1, DAY)),
    Field::new("ring_timeout", Rule::Between(0, DAY)),
    Field::new("parent_call_uuid", Rule::Text { most: 36 }),
    Field::new("error_if_parent_not_found", Rule::Flag),
];
/// Fields of Plivo that this stand-in cannot play.
const UNPLAYED: &[&str] = &[
    "hangup_on_ring",
    "machine_detection",
    "machine_detection_time",
    "machine_detection_url",
    "machine_detection_method",
    "callback_url",
    "callback_method",
];

pub(super) async fn create_call(
    State(account): State<Arc<Account>>,
    ConnectInfo(switch): ConnectInfo<CutSwitch>,
    Path(auth_id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked::new(account, HttpMethod::POST, &uri, auth_id, headers, &body);
    if let Err(refusal) = asked.authorized(None) {
        return asked.answer(None, Err(refusal), None);
    }
    let creation = judged(&asked);
    let fault = asked.account.next_create_fault();
    act(
        &asked,
        None,
        &switch,
        fault,
        creation,
        async |creation, deed| {
            let uuid = asked.create(creation, deed);
            let body = json!({"message": "call fired", "request_uuid": uuid});
            Ok((StatusCode::CREATED, Some(body)))
        },
    )
    .await
}

fn judged(asked: &Asked) -> Result<Creation, Refusal> {
    let what = "a call";
    let refuse = |sentence: &str| Err(asked.refuse(None, sentence));
    let unplayed = |name: &&String| UNPLAYED.contains(&name.as_str());
    if let Some(name) = asked.object(None, what)?.keys().find(unplayed) {
        return refuse(&format!("this stand-in cannot play the {name} of a call"));
    }
    let terms = asked.terms(what, FIELDS)?;
    let Some(answer) = terms.callback("answer_url", "answer_method", Method::Post) else {
        return refuse("a call has no answer_url");
    };
    let then = Then::Document {
        answer,
        fallback: terms.callback("fallback_url", "fallback_method", Method::Post),
    };
    let told = Told {
        ring: terms.callback("ring_url", "ring_method", Method::Post),
        hangup: terms.callback("hangup_url", "hangup_method", Method::Post),
        status: None,
    };
    creation(&terms, told, then).or_else(refuse)
}

/// What every call that is made has, whatever follows.
///
/// # Errors
///
/// A sentence that says what is missing.
pub(super) fn creation(terms: &Terms, told: Told, then: Then) -> Result<Creation, &'static str> {
    let (Some(from), Some(to)) = (terms.get("from"), terms.get("to")) else {
        return Err("a call needs from and to");
    };
    if bare(from) == bare(to) {
        return Err("a call is from the number that it is to");
    }
    let pairs = terms.get("sip_headers").unwrap_or_default().split(',');
    let sip_headers: Vec<_> = pairs.filter_map(|pair| pair.split_once('=')).collect();
    if sip_headers.iter().any(|(name, _)| is_reserved(name)) {
        return Err("sip_headers has a name whose prefix Plivo drops");
    }
    Ok(Creation {
        from: from.to_owned(),
        to: to.to_owned(),
        delay: terms.seconds("delay_dial").unwrap_or(Duration::ZERO),
        ring_timeout: terms.seconds("ring_timeout"),
        sip_headers: sip_headers
            .into_iter()
            .map(|(name, value)| (format!("X-PH-{name}"), value.to_owned()))
            .collect(),
        digits: terms.get("send_digits").map(str::to_owned),
        told,
        then,
    })
}

impl Asked {
    /// Makes the call, or pretends to. Its CallUUID, which the answer calls `request_uuid`.
    pub(super) fn create(&self, creation: Creation, deed: Deed) -> String {
        let uuid = self.account.new_uuid();
        if deed == Deed::Done {
            self.account.create(uuid.clone(), creation);
        }
        uuid
    }
}
