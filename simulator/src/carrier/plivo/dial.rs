//! `<Dial>`: the humans' phones, from the first ring to the action.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::call::{Order, Source};
use super::executor::{Flow, length_of, notify, text_of};
use super::stage::{Stage, bare, owned};
use super::xml::{Dial, Element, Target, TargetKind};
use crate::carrier::event::{CarrierEvent, LegStatus, Purpose};
use crate::carrier::human::Human;
use crate::carrier::interrupt::interruptible;

/// How long the network lets a phone ring when the document does not say.
const NETWORK_PATIENCE: Duration = Duration::from_secs(60);

/// How a `<Dial>` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The human and the caller talked.
    Bridged,
    /// Somebody picked up and did not accept the call.
    Unconfirmed,
    Busy,
    /// The network gave up.
    NoAnswer,
    /// The document's `timeout` was over.
    TimedOut,
    Canceled,
}

impl Outcome {
    /// `DialStatus`. UNCONFIRMED: Plivo's list has both `timeout` and `no-answer` without saying which
    /// is which, and nothing for a call that was answered and not confirmed.
    fn dial_status(self) -> &'static str {
        match self {
            Self::Bridged => "completed",
            Self::Unconfirmed | Self::NoAnswer => "no-answer",
            Self::Busy => "busy",
            Self::TimedOut => "timeout",
            Self::Canceled => "cancel",
        }
    }

    /// `DialHangupCause`, in the words of the switch.
    fn hangup_cause(self) -> &'static str {
        match self {
            Self::Bridged | Self::Unconfirmed => "NORMAL_CLEARING",
            Self::Busy => "USER_BUSY",
            Self::NoAnswer | Self::TimedOut => "NO_ANSWER",
            Self::Canceled => "ORIGINATOR_CANCEL",
        }
    }

    fn leg_status(self) -> LegStatus {
        match self {
            Self::Bridged | Self::Unconfirmed => LegStatus::Completed,
            Self::Busy => LegStatus::Busy,
            Self::NoAnswer | Self::TimedOut => LegStatus::NoAnswer,
            Self::Canceled => LegStatus::Canceled,
        }
    }
}

/// Rings the humans and waits until the leg is over.
pub(super) async fn run(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    dial: Dial,
) -> Result<Flow, Order> {
    let mut ring = Ring::new(stage, &dial);
    let lived = interruptible(orders, ring.live()).await;
    let outcome = match &lived {
        Ok(outcome) => *outcome,
        Err(_) if ring.bridged => Outcome::Bridged,
        Err(_) => Outcome::Canceled,
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
}

struct Ring<'a> {
    stage: &'a Stage,
    dial: &'a Dial,
    /// The human of this stand-in sits at the first; the other phones ring in empty rooms.
    legs: Vec<Leg<'a>>,
    caller_id: String,
    rang: bool,
    answered: Option<Instant>,
    bridged: bool,
    progress: Option<mpsc::UnboundedSender<Vec<(String, String)>>>,
}

impl<'a> Ring<'a> {
    fn new(stage: &'a Stage, dial: &'a Dial) -> Self {
        let legs = dial.targets.iter().map(|target| Leg {
            uuid: stage.account.new_uuid(),
            target,
        });
        let progress = dial.callback.clone().map(|callback| {
            #[expect(
                clippy::disallowed_methods,
                reason = "a leg has a handful of events; its callbacks are posted one after the other"
            )]
            let (sender, mut receiver) = mpsc::unbounded_channel::<Vec<(String, String)>>();
            let poster = stage.clone();
            stage.in_background(async move {
                while let Some(parameters) = receiver.recv().await {
                    poster.ask(Purpose::LegStatus, &callback, &parameters).await;
                }
            });
            sender
        });
        let recording = &stage.call.recording;
        Self {
            stage,
            dial,
            legs: legs.collect(),
            caller_id: dial
                .caller_id
                .clone()
                .unwrap_or_else(|| recording.from.clone()),
            rang: false,
            answered: None,
            bridged: false,
            progress,
        }
    }

    async fn live(&mut self) -> Outcome {
        let options = &self.stage.account.options;
        let human = options
            .human
            .unwrap_or_else(|| self.stage.call.recording.human.into());
        for leg in &self.legs {
            self.stage.record(CarrierEvent::LegInitiated {
                leg_sid: leg.uuid.clone(),
                to: leg.target.address.clone(),
                caller_id: self.caller_id.clone(),
                sip_headers: leg.target.sip_headers.clone(),
            });
        }
        sleep(options.ring_delay).await;
        if human == Human::Busy {
            return Outcome::Busy;
        }
        self.rang = true;
        for leg in &self.legs {
            self.stage.record(CarrierEvent::LegRinging {
                leg_sid: leg.uuid.clone(),
            });
        }
        let patience = self.dial.timeout.unwrap_or(NETWORK_PATIENCE);
        let picks_up = match human {
            Human::Answers { after, .. } | Human::HangsUpInWhisper { after } => Some(after),
            Human::NoAnswer | Human::Busy => None,
        };
        let Some(after) = picks_up.filter(|after| *after <= patience) else {
            sleep(self.stage.wall(patience)).await;
            return match self.dial.timeout {
                Some(_) => Outcome::TimedOut,
                None => Outcome::NoAnswer,
            };
        };
        sleep(self.stage.wall(after)).await;
        self.answered = Some(Instant::now());
        let leg_sid = self.legs[0].uuid.clone();
        self.stage.record(CarrierEvent::LegAnswered {
            leg_sid: leg_sid.clone(),
        });
        self.report("answer", None);
        self.stop_others();
        if !self.confirmed(human).await {
            return Outcome::Unconfirmed;
        }
        self.bridged = true;
        self.stage.record(CarrierEvent::LegBridged { leg_sid });
        self.report("connected", None);
        let talks_for = match human {
            Human::Answers { talks_for, .. } => talks_for,
            Human::HangsUpInWhisper { .. } | Human::NoAnswer | Human::Busy => Duration::ZERO,
        };
        sleep(self.stage.wall(talks_for.min(self.dial.time_limit))).await;
        Outcome::Bridged
    }

    /// The first to answer has the call; the other phones stop to ring.
    fn stop_others(&mut self) {
        for leg in self.legs.drain(1..) {
            self.stage.record(CarrierEvent::LegCompleted {
                leg_sid: leg.uuid,
                status: LegStatus::Canceled,
                bridged: false,
                seconds: 0,
            });
        }
    }

    /// Plays the confirm document and waits for the key. Whether the human accepts the call.
    async fn confirmed(&self, human: Human) -> bool {
        let presses = match human {
            Human::Answers { presses, .. } => presses,
            Human::HangsUpInWhisper { .. } | Human::NoAnswer | Human::Busy => {
                self.play_confirm().await;
                return false;
            }
        };
        // UNCONFIRMED what Plivo does when the document cannot be had; the unkind variant is played.
        if !self.play_confirm().await {
            return false;
        }
        let Some(key) = self.dial.confirm.key else {
            return true;
        };
        if presses == Some(key) {
            return true;
        }
        sleep(self.stage.wall(self.dial.confirm.timeout)).await;
        false
    }

    /// Whether the human heard what the document says; an empty document says nothing.
    async fn play_confirm(&self) -> bool {
        let Some(callback) = &self.dial.confirm.sound else {
            return true;
        };
        let parameters = self.parameters();
        let document = self.stage.fetch(Purpose::Whisper, callback, &parameters);
        let Some(document) = document.await else {
            return false;
        };
        for element in document.elements {
            match element {
                Element::Prompt(prompt) => {
                    if let Some(text) = text_of(&prompt) {
                        self.stage.record(CarrierEvent::SpokenToHuman {
                            text: text.to_owned(),
                        });
                    }
                    sleep(self.stage.wall(length_of(&prompt))).await;
                }
                Element::Wait(length) => sleep(self.stage.wall(length)).await,
                Element::Stream(_)
                | Element::Dial(_)
                | Element::GetInput(_)
                | Element::Record(_)
                | Element::Conference(_)
                | Element::PreAnswer(_)
                | Element::Redirect(_)
                | Element::Hangup { .. } => {
                    self.stage
                        .violation("a confirm document takes Play, Speak and Wait only");
                }
            }
        }
        true
    }

    fn complete(&mut self, outcome: Outcome) {
        let (bridged, seconds) = (self.bridged, self.seconds());
        for leg in &self.legs {
            self.stage.record(CarrierEvent::LegCompleted {
                leg_sid: leg.uuid.clone(),
                status: outcome.leg_status(),
                bridged,
                seconds,
            });
        }
        self.report("hangup", Some(outcome));
        self.progress = None;
    }

    /// Posts progress. UNCONFIRMED: the names of these parameters but the UUIDs, and the events' words.
    fn report(&self, event: &str, outcome: Option<Outcome>) {
        let Some(progress) = &self.progress else {
            return;
        };
        let mut parameters = self.parameters();
        parameters.push(("DialAction".to_owned(), event.to_owned()));
        parameters.push(("DialBLegStatus".to_owned(), event.to_owned()));
        if let Some(outcome) = outcome {
            let cause = outcome.hangup_cause().to_owned();
            parameters.push(("DialBLegHangupCause".to_owned(), cause));
            let seconds = self.seconds().to_string();
            parameters.push(("DialBLegDuration".to_owned(), seconds));
        }
        // The poster ends only after this sender is dropped.
        let _ = progress.send(parameters);
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
        owned(&[
            ("DialALegUUID", &self.stage.call.uuid),
            ("DialBLegUUID", &self.legs[0].uuid),
            ("DialHangupCause", outcome.hangup_cause()),
            ("DialRingStatus", if self.rang { "true" } else { "false" }),
            ("DialStatus", outcome.dial_status()),
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
