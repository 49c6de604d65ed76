//! What an outside URL is asked, and how its answer is read. No I/O.

use std::collections::BTreeMap;

use bytes::Bytes;
use handoff_core::call::Party;
use handoff_core::id::{CallId, Carrier, HandoffId};
use handoff_core::route::{Condition, Metrics, Route, Routes, Target, TargetName};
use handoff_core::time::WallTime;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::known::Fixed;
use crate::config::{Ask, Kind};
use crate::standard_webhooks::SigningSecret;

/// For which call targets are to be chosen.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The handoff. By its id a receiver recognises a question that it was asked before.
    pub handoff: &'a HandoffId,
    /// The call.
    pub call: &'a CallId,
    /// Who carries it.
    pub carrier: Carrier,
    /// Who calls. Told only where the configuration says so.
    pub caller: &'a Party,
    /// Who was called. Told only where the configuration says so.
    pub called: &'a Party,
    /// The route, if one is meant for the call.
    pub route: Option<&'a str>,
    /// Signals at the trigger, by name, as evidence shows them, which is nothing personal
    /// ([`handoff_core::call::Trigger::values`]).
    pub signals: &'a [(String, String)],
    /// The instant.
    pub now: WallTime,
}

/// In the form that Standard Webhooks suggests.
#[derive(Serialize)]
struct Message<'a> {
    r#type: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    handoff: &'a str,
    call: &'a str,
    carrier: &'static str,
    route: &'a str,
    order: &'static str,
    targets: Vec<Candidate<'a>>,
    signals: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    called: Option<&'a str>,
}

#[derive(Serialize)]
struct Candidate<'a> {
    name: &'a str,
    kind: &'static str,
    skills: Vec<&'a str>,
    open: bool,
    available: bool,
    handle_seconds: Option<f64>,
    csat: Option<f64>,
    wait_seconds: Option<f64>,
}

/// More may stand beside it.
#[derive(Deserialize)]
struct Answer {
    targets: Vec<String>,
}

/// What a question is made of beside the call.
pub(super) struct Around<'a> {
    pub(super) route: &'a Route,
    pub(super) routes: &'a Routes,
    pub(super) conditions: &'a BTreeMap<TargetName, Condition>,
    pub(super) fixed: &'a BTreeMap<TargetName, Fixed>,
}

impl Question<'_> {
    /// The signed request, or `None` if the URL is one that no request can be made of.
    pub(super) fn request(
        &self,
        around: &Around<'_>,
        ask: &Ask,
        secret: &SigningSecret,
    ) -> Option<Request<Bytes>> {
        let body = self.body(around, ask.with_caller);
        let mut request = Request::post(ask.url.as_str()).body(Bytes::new()).ok()?;
        let headers = request.headers_mut();
        headers.extend(secret.headers(self.handoff, self.now, &body));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = body;
        Some(request)
    }

    fn body(&self, around: &Around<'_>, with_caller: bool) -> Bytes {
        let told = |party| number(party).filter(|_| with_caller);
        let message = Message {
            r#type: "handoff.route",
            timestamp: timestamp(self.now),
            data: Data {
                handoff: self.handoff.as_str(),
                call: self.call.as_str(),
                carrier: self.carrier.as_str(),
                route: &around.route.name,
                order: around.route.order.as_str(),
                targets: around.candidates(),
                signals: (self.signals.iter())
                    .map(|(name, text)| (name.as_str(), text.as_str()))
                    .collect(),
                caller: told(self.caller),
                called: told(self.called),
            },
        };
        let body = serde_json::to_vec(&message).expect("texts, numbers and lists are JSON");
        Bytes::from(body)
    }
}

impl<'a> Around<'a> {
    /// Whom the route may ring at the call's carrier, as it lists them.
    fn candidates(&self) -> Vec<Candidate<'a>> {
        let names: Vec<&TargetName> = match self.route.targets.as_slice() {
            [] => self.routes.targets().map(|target| &target.name).collect(),
            listed => listed.iter().collect(),
        };
        names
            .into_iter()
            .filter_map(|name| self.routes.target(name))
            .filter(|target| target.skills.is_superset(&self.route.skills))
            .filter_map(|target| self.candidate(target))
            .collect()
    }

    fn candidate(&self, target: &'a Target) -> Option<Candidate<'a>> {
        let condition = self.conditions.get(&target.name)?;
        let kind: Kind = self.fixed.get(&target.name)?.target.kind;
        let Metrics {
            handle_seconds,
            csat,
            wait_seconds,
        } = target.metrics.overridden_by(condition.metrics);
        let hours = target.hours.as_ref();
        Some(Candidate {
            name: target.name.as_str(),
            kind: kind.as_str(),
            skills: target.skills.iter().map(String::as_str).collect(),
            open: hours.is_none_or(|hours| hours.is_open(condition.local)),
            available: condition.available,
            handle_seconds,
            csat,
            wait_seconds,
        })
    }
}

/// Reads the names that were given, whatever they are, or `None` if the answer is no such list.
pub(super) fn names(answer: &[u8]) -> Option<Vec<String>> {
    let Answer { targets } = serde_json::from_slice(answer).ok()?;
    Some(targets)
}

fn number(party: &Party) -> Option<&str> {
    match party {
        Party::Known(number) => Some(number.expose()),
        Party::Withheld => None,
    }
}

/// A clock beyond the calendar is one that was never set.
fn timestamp(at: WallTime) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}
