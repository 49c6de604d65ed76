//! Rings the humans, lets them confirm, joins one to the caller and reports all of it.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::outcome::Outcome;
use crate::carrier::event::{CarrierEvent, LegStatus, Purpose};
use crate::carrier::human::Human;
use crate::carrier::interrupt::interruptible;
use crate::carrier::plivo::call::{Order, Source};
use crate::carrier::plivo::confirm::confirmed;
use crate::carrier::plivo::executor::{Flow, notify};
use crate::carrier::plivo::leg_callbacks::LegCallbacks;
use crate::carrier::plivo::options::LegEventNames;
use crate::carrier::plivo::phone::{Fate, Ringing, Unanswered};
use crate::carrier::plivo::stage::{Stage, bare, owned};
use crate::carrier::plivo::xml::{Dial, Target, TargetKind};

/// Rings the humans and waits until the leg is over.
pub(in crate::carrier::plivo) async fn run(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    dial: Dial,
) -> Result<Flow, Order> {
    let mut ring = Ring::new(stage, &dial);
    let lived = interruptible(orders, ring.live()).await;
    let outcome = match &lived {
        Ok(outcome) => *outcome,
        Err(_) if ring.bridged => Outcome::Bridged,
        Err(_) => Outcome::Unanswered(Unanswered::Canceled),
    };
    ring.complete(outcome);
    let parameters = ring.action_parameters(outcome);
    drop(ring);
    match (lived, dial.action) {
        (Ok(_), Some(callback)) if dial.redirect => Ok(Flow::Replace(Source::Fetch {
            purpose: Purpose::DialAction,
            callback,
            parameters,
        })),
        (lived, action) => {
            // UNCONFIRMED whether Plivo asks for the action of an interrupted <Dial>. Twilio does, so a
            // server must be able to bear it; the answer is ignored.
            if let Some(callback) = action {
                notify(stage, Purpose::DialAction, callback, parameters);
            }
            lived.map(|_| Flow::Next)
        }
    }
}

struct Leg<'a> {
    uuid: String,
    target: &'a Target,
    human: Human,
    ringing: Ringing,
}

struct Ring<'a> {
    stage: &'a Stage,
    dial: &'a Dial,
    /// Those that were not given up, in the order in which they are answered or fail. Never empty: the
    /// last to fail is the one that the action tells of.
    legs: Vec<Leg<'a>>,
    caller_id: String,
    rang: bool,
    answered: Option<Instant>,
    bridged: bool,
    callbacks: LegCallbacks,
}

/// What the callback of a `<Dial>` tells.
#[derive(Debug, Clone, Copy)]
enum LegEvent {
    Answer,
    Connected,
    Digits(char),
    Hangup(Outcome),
}

impl LegEvent {
    /// The parameter and its value.
    fn named(self, names: LegEventNames) -> (&'static str, &'static str) {
        match (names, self) {
            (LegEventNames::DialAction, Self::Answer) => ("DialAction", "answer"),
            (LegEventNames::DialAction, Self::Connected) => ("DialAction", "connected"),
            (LegEventNames::DialAction, Self::Digits(_)) => ("DialAction", "digits"),
            (LegEventNames::DialAction, Self::Hangup(_)) => ("DialAction", "hangup"),
            (LegEventNames::Event, Self::Answer) => ("Event", "DialAnswer"),
            (LegEventNames::Event, Self::Connected) => ("Event", "DialConnected"),
            (LegEventNames::Event, Self::Digits(_)) => ("Event", "DialDigits"),
            (LegEventNames::Event, Self::Hangup(_)) => ("Event", "DialHangup"),
        }
    }
}

impl<'a> Ring<'a> {
    fn new(stage: &'a Stage, dial: &'a Dial) -> Self {
        let legs = dial.targets.iter().map(|target| {
            let human = stage.human_at(&target.address);
            Leg {
                uuid: stage.account.new_uuid(),
                target,
                human,
                ringing: Ringing::of(human, dial.timeout),
            }
        });
        let mut legs: Vec<_> = legs.collect();
        legs.sort_by_key(|leg| leg.ringing.after);
        let caller_id = dial.caller_id.clone();
        Self {
            stage,
            dial,
            legs,
            caller_id: caller_id.unwrap_or_else(|| stage.call.from.clone()),
            rang: false,
            answered: None,
            bridged: false,
            callbacks: LegCallbacks::start(stage),
        }
    }

    async fn live(&mut self) -> Outcome {
        for leg in &self.legs {
            self.stage.record(CarrierEvent::LegInitiated {
                leg_sid: leg.uuid.clone(),
                to: leg.target.address.clone(),
                caller_id: self.caller_id.clone(),
                sip_headers: leg.target.sip_headers.clone(),
                parameters: Vec::new(),
                digits: leg.target.digits.clone(),
            });
        }
        sleep(self.stage.account.options.ring_delay).await;
        for leg in self.legs.iter().filter(|leg| leg.ringing.rings) {
            self.rang = true;
            self.stage.record(CarrierEvent::LegRinging {
                leg_sid: leg.uuid.clone(),
            });
        }
        if let Err(why) = self.first_answer().await {
            return Outcome::Unanswered(why);
        }
        self.answered = Some(Instant::now());
        let human = self.legs[0].human;
        let leg_sid = self.legs[0].uuid.clone();
        self.stage.record(CarrierEvent::LegAnswered {
            leg_sid: leg_sid.clone(),
        });
        self.report(LegEvent::Answer);
        self.stop_others();
        if !self.is_confirmed(human).await {
            return Outcome::Unconfirmed;
        }
        self.bridged = true;
        self.stage.record(CarrierEvent::LegBridged { leg_sid });
        self.report(LegEvent::Connected);
        sleep(self.stage.wall(human.talks_for().min(self.dial.time_limit))).await;
        Outcome::Bridged
    }

    /// Waits until the first phone is answered, and gives up those that fail before.
    async fn first_answer(&mut self) -> Result<(), Unanswered> {
        let mut rung = Duration::ZERO;
        loop {
            let Ringing { after, fate, .. } = self.legs[0].ringing;
            sleep(self.stage.wall(after.saturating_sub(rung))).await;
            rung = after;
            match fate {
                Fate::Answers => return Ok(()),
                Fate::Fails(why) if self.legs.len() == 1 => return Err(why),
                Fate::Fails(why) => {
                    self.report(LegEvent::Hangup(Outcome::Unanswered(why)));
                    let leg = self.legs.remove(0);
                    self.record_completed(&leg, why.leg_status());
                }
            }
        }
    }

    /// The first to answer has the call; the other phones stop to ring.
    fn stop_others(&mut self) {
        let others: Vec<_> = self.legs.drain(1..).collect();
        for leg in &others {
            self.stage.record(CarrierEvent::LegCompleted {
                leg_sid: leg.uuid.clone(),
                status: LegStatus::Canceled,
                bridged: false,
                seconds: 0,
            });
        }
    }

    async fn is_confirmed(&self, human: Human) -> bool {
        let report = |pressed: char| {
            if self.dial.digits_match.contains(&pressed.to_string()) {
                self.report(LegEvent::Digits(pressed));
            }
        };
        let parameters = self.parameters();
        confirmed(self.stage, human, &self.dial.confirm, &parameters, report).await
    }

    fn complete(&self, outcome: Outcome) {
        for leg in &self.legs {
            self.record_completed(leg, outcome.leg_status());
        }
        self.report(LegEvent::Hangup(outcome));
    }

    fn record_completed(&self, leg: &Leg<'_>, status: LegStatus) {
        self.stage.record(CarrierEvent::LegCompleted {
            leg_sid: leg.uuid.clone(),
            status,
            bridged: self.bridged,
            seconds: self.seconds(),
        });
    }

    /// Posts progress. UNCONFIRMED: the names of these parameters but the UUIDs, and the events' words.
    fn report(&self, event: LegEvent) {
        let Some(callback) = &self.dial.callback else {
            return;
        };
        let mut parameters = self.parameters();
        let (name, value) = event.named(self.stage.account.options.leg_event_names);
        parameters.push((name.to_owned(), value.to_owned()));
        match event {
            LegEvent::Answer | LegEvent::Connected => {}
            LegEvent::Digits(digit) => {
                parameters.push(("DialDigitsMatch".to_owned(), digit.to_string()));
            }
            LegEvent::Hangup(outcome) => {
                let cause = outcome.hangup_cause().to_owned();
                parameters.push(("DialBLegHangupCause".to_owned(), cause));
                let seconds = self.seconds().to_string();
                parameters.push(("DialBLegDuration".to_owned(), seconds));
            }
        }
        self.callbacks
            .tell(Some(callback), Purpose::LegStatus, &parameters);
    }

    /// The parameters of every request about the human's leg.
    fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters = self.stage.parameters();
        let leg = &self.legs[0];
        let to = match leg.target.kind {
            TargetKind::Number => bare(&leg.target.address),
            TargetKind::User => &leg.target.address,
        };
        parameters.extend(owned(&[
            ("DialALegUUID", &self.stage.call.uuid),
            ("DialBLegFrom", bare(&self.caller_id)),
            ("DialBLegTo", to),
            ("DialBLegUUID", &leg.uuid),
        ]));
        parameters
    }

    fn action_parameters(&self, outcome: Outcome) -> Vec<(String, String)> {
        let unconfirmed = self.stage.account.options.unconfirmed_dial_status;
        owned(&[
            ("DialALegUUID", &self.stage.call.uuid),
            ("DialBLegUUID", &self.legs[0].uuid),
            ("DialHangupCause", outcome.hangup_cause()),
            ("DialRingStatus", if self.rang { "true" } else { "false" }),
            ("DialStatus", outcome.dial_status(unconfirmed)),
        ])
    }

    fn seconds(&self) -> u64 {
        let wall = self
            .answered
            .map(|answered| answered.elapsed())
            .unwrap_or_default();
        let speed = self.stage.account.options.speed;
        speed.carrier(wall).as_secs_f64().round() as u64
    }
}
