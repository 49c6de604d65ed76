//! Plays one case of the fault table on a stage of its own.

use std::fmt;

use handoff_core::call::Disposition;
use handoff_simulator::carrier::{
    CarrierEvent, EndReason, EventLog, LegStatus, Logged, PlacedCall,
};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::scene::{At, Caller, Scene};
use crate::stage::{Setup, Stage, streams};

/// Whom the caller has at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The bot beside us.
    Bot,
    Human,
    /// They were asked for a message.
    Voicemail,
    /// They heard that somebody calls back.
    Promise,
    /// They hung up before they had anybody.
    Gone,
    /// Which must never be.
    Nobody,
}

/// What is done in a case beside setting the stage.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Nothing,
    /// The caller hangs up when the carrier has done this.
    HangUpAt(fn(&CarrierEvent) -> bool),
    /// The caller hangs up when the timeline of the call says this.
    HangUpOnceTold(&'static str),
    /// The first target takes no calls.
    FirstIsAway,
    /// So many requests for a human at once, when the carrier has done this.
    AskAt(fn(&CarrierEvent) -> bool, usize),
}

/// One line of the table.
#[derive(Clone, Copy)]
pub struct Case {
    pub fault: &'static str,
    pub at: &'static [At],
    pub caller: Caller,
    pub set: fn(&mut Scene),
    pub act: Act,
    pub ends: Ends,
    pub disposition: Disposition,
    /// How many rewrites are asked for at most.
    pub rewrites: usize,
    /// How many phones are called, each once.
    pub phones: usize,
    /// What the ticket says at last.
    pub ticket: &'static str,
}

/// What came of a case.
pub struct Played {
    ends: Ends,
    disposition: Disposition,
    rewrites: usize,
    phones: Vec<String>,
    /// Whether a phone was not called off when the caller was gone.
    rang_on: bool,
    triggers: usize,
    tickets: usize,
    cards: usize,
    /// The last comment of the ticket.
    ticket: String,
}

impl fmt::Display for Ends {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Bot => "bot",
            Self::Human => "human",
            Self::Voicemail => "voicemail",
            Self::Promise => "promise",
            Self::Gone => "hung up",
            Self::Nobody => "NOBODY",
        })
    }
}

impl Case {
    /// Plays the case at a carrier. The line to print, and what is wrong about it.
    pub async fn play(&'static self, at: At) -> (String, Vec<String>) {
        let mut scene = Scene::new(at, self.caller);
        (self.set)(&mut scene);
        let played = self.played(at, scene.setup()).await;
        let disposition = match played.disposition {
            Disposition::CarrierRefused { code: Some(code) } => {
                format!("{} {code}", played.disposition.as_str())
            }
            other => other.as_str().to_owned(),
        };
        let line = format!(
            "{:<7} {:<58} caller: {:<9}  disposition: {disposition:<22}  rewrites: {}  phones: {}",
            at.name(),
            self.fault,
            played.ends,
            played.rewrites,
            played.phones.len(),
        );
        (line, self.mistakes(&played))
    }

    fn mistakes(&self, played: &Played) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut check = |right: bool, expected: String| {
            if !right {
                mistakes.push(expected);
            }
        };
        check(
            played.ends == self.ends,
            format!("the caller ends with: {}", self.ends),
        );
        check(
            played.disposition == self.disposition,
            format!("the disposition is {:?}", self.disposition),
        );
        check(
            played.rewrites <= self.rewrites,
            format!("at most {} rewrites are asked for", self.rewrites),
        );
        let mut once = played.phones.clone();
        once.sort_unstable();
        once.dedup();
        check(
            played.phones.len() == self.phones && once.len() == self.phones,
            format!(
                "{} phones are called once, not {:?}",
                self.phones, played.phones
            ),
        );
        check(
            played.ends == Ends::Promise || !played.ticket.contains("calls back"),
            format!("the ticket tells of no promise: {:?}", played.ticket),
        );
        check(!played.rang_on, "no phone rings for nobody".to_owned());
        for (what, count) in [
            ("decision", played.triggers),
            ("ticket", played.tickets),
            ("card", played.cards),
        ] {
            check(count == 1, format!("there is one {what}, not {count}"));
        }
        check(
            played.ticket.contains(self.ticket),
            format!("the ticket says {:?}, not {:?}", self.ticket, played.ticket),
        );
        mistakes
    }

    async fn played(&self, at: At, setup: Setup) -> Played {
        let stage = Stage::set(setup).await;
        if let Act::FirstIsAway = self.act {
            let away = r#"{"available": false}"#;
            let (status, _) = stage.api(Method::PUT, "/api/targets/first", away).await;
            assert_eq!(status, StatusCode::NO_CONTENT);
        }
        let call = match at {
            At::Twilio => stage.place(),
            At::Plivo => stage.place_at_plivo(),
        };
        self.intervene(&stage, &call).await;
        stage.ended(&call).await;
        stage.idle().await;
        stage.undelivered(0).await;
        let log = match &stage.plivo {
            Some(plivo) => plivo.log(),
            None => stage.carrier.log(),
        };
        let quiet = log.wait_until(is_quiet, stage.left()).await;
        quiet.expect("every phone is done with");
        let (ends, phones, rang_on) = followed(log, &call);
        let (rewrites, tickets) = (asked(&call), stage.zendesk.tickets());
        let cards = stage.slack.messages().into_iter();
        let cards = cards.filter(|message| message.thread_ts.is_none()).count();
        let last = tickets.last().and_then(|ticket| ticket.comments.last());
        let ticket = last.map(|comment| comment.body.as_str().to_owned());
        let books = stage.finish().await;
        Played {
            ends,
            disposition: books.disposition(call.call_sid()).await,
            rewrites,
            phones,
            rang_on,
            triggers: books.triggers(call.call_sid()).await,
            tickets: tickets.len(),
            cards,
            ticket: ticket.unwrap_or_default(),
        }
    }

    async fn intervene(&self, stage: &Stage, call: &PlacedCall) {
        match self.act {
            Act::HangUpAt(wanted) => {
                stage.see(call, wanted).await;
                hang_up(stage, call).await;
            }
            Act::HangUpOnceTold(words) => {
                told(stage, call, words).await;
                hang_up(stage, call).await;
            }
            Act::AskAt(wanted, times) => {
                stage.see(call, wanted).await;
                ask(stage, times).await;
            }
            // Nobody takes the caller from the bot, so they leave it themselves.
            Act::Nothing | Act::FirstIsAway if self.ends == Ends::Bot => {
                told(stage, call, "given up").await;
                hang_up(stage, call).await;
            }
            Act::Nothing | Act::FirstIsAway => {}
        }
    }
}

async fn hang_up(stage: &Stage, call: &PlacedCall) {
    match &stage.plivo {
        Some(plivo) => plivo.hang_up(call).await,
        None => stage.carrier.hang_up(call).await,
    }
}

/// Waits until the timeline of the one call says this.
async fn told(stage: &Stage, call: &PlacedCall, words: &str) {
    stage.see(call, streams).await;
    let path = format!("/api/calls/{}", stage.live_call().await);
    stage
        .until(words, async || {
            let (_, timeline) = stage.api(Method::GET, &path, "").await;
            let says = |fact: &Value| {
                let detail = fact["detail"].as_str();
                detail.is_some_and(|detail| detail.contains(words))
            };
            timeline.as_array()?.iter().any(says).then_some(())
        })
        .await;
}

/// Asks for a human so often at once.
async fn ask(stage: &Stage, times: usize) {
    let path = format!("/api/calls/{}/handoff", stage.live_call().await);
    let asking = (0..times).map(|_| stage.api(Method::POST, &path, ""));
    for (status, _) in futures_util::future::join_all(asking).await {
        assert_eq!(status, StatusCode::ACCEPTED);
    }
}

/// How often a rewrite of the caller's call was asked for.
fn asked(call: &PlacedCall) -> usize {
    let rewrite = |event: &&CarrierEvent| {
        matches!(event, CarrierEvent::RestRequested { method, path, .. }
            if method == "POST" && path.contains(call.call_sid()))
    };
    call.events().iter().filter(rewrite).count()
}

/// Whether every phone that was called is done with.
fn is_quiet(log: &[Logged]) -> bool {
    let count = |wanted: fn(&CarrierEvent) -> bool| {
        log.iter().filter(|logged| wanted(&logged.event)).count()
    };
    let called = count(|event| matches!(event, CarrierEvent::LegInitiated { .. }));
    called == count(|event| matches!(event, CarrierEvent::LegCompleted { .. }))
}

/// Whom the caller had at the end, whose phones were called, and whether one rang on after the end.
fn followed(log: &EventLog, call: &PlacedCall) -> (Ends, Vec<String>, bool) {
    let (mut ends, mut phones, mut rang_on) = (Ends::Nobody, Vec::new(), false);
    let mut over = false;
    for logged in log.since(0) {
        if over {
            rang_on |= matches!(
                logged.event,
                CarrierEvent::LegCompleted {
                    status: LegStatus::NoAnswer,
                    ..
                }
            );
            continue;
        }
        match logged.event {
            CarrierEvent::BotVisited { .. } => ends = Ends::Bot,
            CarrierEvent::CallRewritten { .. } => ends = Ends::Nobody,
            CarrierEvent::LegInitiated { to, .. } => {
                ends = Ends::Nobody;
                phones.push(to);
            }
            CarrierEvent::LegBridged { .. } => ends = Ends::Human,
            CarrierEvent::SpokenToCaller { text } if text.contains("leave a message") => {
                ends = Ends::Voicemail;
            }
            CarrierEvent::SpokenToCaller { text } if text.contains("call you back") => {
                ends = Ends::Promise;
            }
            CarrierEvent::CallEnded { reason }
                if logged.call.as_deref() == Some(call.call_sid()) =>
            {
                if ends == Ends::Nobody && reason == EndReason::CallerHungUp {
                    ends = Ends::Gone;
                }
                over = true;
            }
            _ => {}
        }
    }
    (ends, phones, rang_on)
}
