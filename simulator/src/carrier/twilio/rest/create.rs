//! Call creation: the REST API rings a human.
//!
//! The codes of refusals are UNCONFIRMED but for 32018; a server must not get there.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::Response;

use super::asked::{Answer, Asked, Refusal, refusal};
use super::disturbed::disturbed;
use super::router::{representation, representation_of};
use super::source;
use crate::carrier::connection::CutSwitch;
use crate::carrier::event::Purpose;
use crate::carrier::lock::lock;
use crate::carrier::twilio::account::Account;
use crate::carrier::twilio::call::Direction;
use crate::carrier::twilio::created::{self, NewCall};
use crate::carrier::twilio::twiml::{Callback, LegEvent, StatusCallback, read_address};
use crate::recording::Recording;

const PARAMETERS: &[&str] = &[
    "To",
    "From",
    "Url",
    "Twiml",
    "Method",
    "Timeout",
    "SendDigits",
    "StatusCallback",
    "StatusCallbackMethod",
    "StatusCallbackEvent",
];
/// For how long a phone rings when the request does not say.
const TIMEOUT: u64 = 60;

pub(super) async fn create_call(
    State(account): State<Arc<Account>>,
    ConnectInfo(switch): ConnectInfo<CutSwitch>,
    Path(account_sid): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8_lossy(&body);
    let asked = Asked::new(account, HttpMethod::POST, &uri, account_sid, headers, &body);
    if let Err(refusal) = asked.admit_to_account() {
        return asked.answer(None, Err(refusal), None);
    }
    let fault = lock(&asked.account.create_faults).next();
    disturbed(&asked, None, &switch, fault, async |acts| {
        let new = checked(&asked)?;
        create(&asked.account, new, acts)
    })
    .await
}

fn create(account: &Arc<Account>, new: NewCall, acts: bool) -> Answer {
    let to = new.to.as_written();
    let recording = Recording::silent(account.new_sid("CA", &to), new.from.clone(), to);
    if !acts {
        let sid = &recording.call_sid;
        let body = representation_of(account, sid, Direction::OutboundApi, "queued", &recording);
        return Ok((StatusCode::CREATED, body));
    }
    let Ok((stage, orders)) = Account::begin(account, recording, Direction::OutboundApi) else {
        return Err(refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            20500,
            "Internal Server Error",
        ));
    };
    let body = representation(&stage);
    account.spawn(created::run(stage, orders, new));
    Ok((StatusCode::CREATED, body))
}

/// Checks a call creation against what the resource takes.
fn checked(asked: &Asked) -> Result<NewCall, Refusal> {
    asked.check_form(None, "a call creation", PARAMETERS)?;
    let required = |name: &str, code: u32| {
        let value = asked.parameter(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| refuse(asked, code, format!("a call creation has no {name}")))
    };
    let to = required("To", 21201)?;
    let (address, faults) = read_address(to, asked.parameter("SendDigits"));
    let fault = faults.into_iter().next();
    let to = match (address, fault) {
        (Some(address), None) => address,
        (_, fault) => {
            let sentence = fault.unwrap_or_else(|| "To is not an address".to_owned());
            return Err(refuse(asked, 21211, sentence));
        }
    };
    let from = required("From", 21213)?;
    if !asked.account.may_show(from) {
        let sentence =
            format!("From {from:?} is neither a number of the account nor a caller's (21210)");
        return Err(refuse(asked, 21210, sentence));
    }
    if asked.parameter("Url").is_some() && asked.parameter("Twiml").is_some() {
        asked.violation(None, "a call creation has both Url and Twiml; Url wins");
    }
    let source = match (asked.parameter("Url"), asked.parameter("Twiml")) {
        (Some(url), _) => source::fetched(asked, None, url, Purpose::Created)?,
        (None, Some(twiml)) => source::inline(asked, None, twiml)?,
        (None, None) => {
            let sentence = "a call creation has neither Url nor Twiml".to_owned();
            return Err(refuse(asked, 21205, sentence));
        }
    };
    Ok(NewCall {
        to,
        from: from.to_owned(),
        source,
        timeout: Duration::from_secs(timeout(asked)?),
        status_callback: status_callback(asked)?,
    })
}

fn timeout(asked: &Asked) -> Result<u64, Refusal> {
    let Some(written) = asked.parameter("Timeout") else {
        return Ok(TIMEOUT);
    };
    match written.parse() {
        Ok(seconds) if (5..=600).contains(&seconds) => Ok(seconds),
        Ok(_) | Err(_) => {
            let sentence = format!("Timeout is {written:?}, not a number from 5 to 600");
            Err(refuse(asked, 20001, sentence))
        }
    }
}

fn status_callback(asked: &Asked) -> Result<Option<StatusCallback<LegEvent>>, Refusal> {
    let mut events = Vec::new();
    for (_, name) in asked
        .parameters
        .iter()
        .filter(|(name, _)| name == "StatusCallbackEvent")
    {
        match LegEvent::named(name) {
            Some(event) => events.push(event),
            None => asked.violation(
                None,
                format!("StatusCallbackEvent is {name:?}, which is no event of a call"),
            ),
        }
    }
    let Some(url) = asked.parameter("StatusCallback") else {
        if !events.is_empty() {
            asked.violation(None, "StatusCallbackEvent without a StatusCallback");
        }
        return Ok(None);
    };
    let method = source::method(asked, None, "StatusCallbackMethod")?;
    if events.is_empty() {
        events.push(LegEvent::Completed);
    }
    let callback = Callback {
        url: source::absolute(asked, None, "StatusCallback", url)?,
        method,
    };
    Ok(Some(StatusCallback { callback, events }))
}

fn refuse(asked: &Asked, code: u32, sentence: String) -> Refusal {
    let refused = refusal(StatusCode::BAD_REQUEST, code, &sentence);
    asked.violation(None, sentence);
    refused
}
