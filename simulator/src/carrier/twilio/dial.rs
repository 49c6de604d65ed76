//! `<Dial><Number>`: the human's phone, from the first ring to the action.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::call::{Order, Source, Stage};
use super::executor::{Flow, length_of, text_of};
use super::twiml::{Dial, Gather, LegEvent, Verb};
use crate::carrier::clock::Utc;
use crate::carrier::event::{CarrierEvent, LegStatus, Purpose};
use crate::carrier::human::Human;
use crate::carrier::interrupt::interruptible;

/// Twilio lets a phone ring about this much longer than `timeout` says.
const RING_SLACK: Duration = Duration::from_secs(5);

/// Calls the human and waits until the leg is over.
pub(super) async fn run(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    dial: Dial,
) -> Result<Flow, Order> {
    let mut leg = Leg::new(stage, &dial);
    let lived = if leg.caller_id_is_allowed() {
        interruptible(orders, leg.live()).await
    } else {
        Ok(LegStatus::Failed)
    };
    match lived {
        Ok(status) => {
            leg.complete(status);
            let parameters = leg.action_parameters(status);
            Ok(dial.action.map_or(Flow::Next, |callback| {
                Flow::Replace(Source::Fetch {
                    purpose: Purpose::DialAction,
                    callback,
                    parameters,
                })
            }))
        }
        Err(order) => {
            // A ringing leg is reported as canceled. UNCONFIRMED: the observation of
            // `DialCallStatus=completed` was made on an answered one.
            let status = if leg.answered.is_some() {
                LegStatus::Completed
            } else {
                LegStatus::Canceled
            };
            leg.complete(status);
            // OBS: Twilio asks for the action of an interrupted <Dial> and for the new document; only
            // the new document runs. A caller who hangs up makes it ask for the action too.
            if let Some(callback) = dial.action.clone() {
                let mut parameters = stage.parameters();
                parameters.extend(leg.action_parameters(status));
                if !matches!(order, Order::Rewrite(_)) {
                    set(&mut parameters, "CallStatus", "completed");
                }
                let stage = stage.clone();
                stage.clone().in_background(async move {
                    stage
                        .fetch(Purpose::DialAction, &callback, &parameters)
                        .await;
                });
            }
            Err(order)
        }
    }
}

struct Leg<'a> {
    stage: &'a Stage,
    dial: &'a Dial,
    sid: String,
    caller_id: String,
    answered: Option<Instant>,
    bridged: bool,
    progress: Option<mpsc::UnboundedSender<Vec<(String, String)>>>,
    posted: u32,
}

/// What the human did with the whisper.
enum Whispered {
    Accepted,
    HungUp,
}

impl<'a> Leg<'a> {
    fn new(stage: &'a Stage, dial: &'a Dial) -> Self {
        let caller_id = dial
            .caller_id
            .clone()
            .unwrap_or_else(|| stage.call.recording.from.clone());
        let sid = stage.account.new_sid("CA", &stage.call.sid);
        let progress = dial.number.status_callback.as_ref().map(|wanted| {
            #[expect(
                clippy::disallowed_methods,
                reason = "a leg has a handful of events; its callbacks are posted one after the other"
            )]
            let (sender, mut receiver) = mpsc::unbounded_channel::<Vec<(String, String)>>();
            let (callback, poster) = (wanted.callback.clone(), stage.clone());
            stage.in_background(async move {
                while let Some(parameters) = receiver.recv().await {
                    poster.ask(Purpose::LegStatus, &callback, &parameters).await;
                }
            });
            sender
        });
        Self {
            stage,
            dial,
            sid,
            caller_id,
            answered: None,
            bridged: false,
            progress,
            posted: 0,
        }
    }

    /// The shown number must be the account's own or the caller's.
    fn caller_id_is_allowed(&self) -> bool {
        let recording = &self.stage.call.recording;
        let owned = &self.stage.account.options.owned_numbers;
        let allowed = [&recording.from, &recording.to].contains(&&self.caller_id)
            || owned.contains(&self.caller_id);
        if !allowed {
            let id = &self.caller_id;
            self.stage.violation(format!(
                "callerId {id:?} is neither a number of the account nor the caller's (13214)"
            ));
        }
        allowed
    }

    async fn live(&mut self) -> LegStatus {
        let human = self
            .stage
            .account
            .options
            .human
            .unwrap_or_else(|| self.stage.call.recording.human.into());
        let (leg_sid, to) = (self.sid.clone(), self.dial.number.number.clone());
        self.stage.record(CarrierEvent::LegInitiated {
            leg_sid,
            to,
            caller_id: self.caller_id.clone(),
            sip_headers: Vec::new(),
        });
        self.report(LegEvent::Initiated, "initiated");
        sleep(self.stage.account.options.ring_delay).await;
        if human == Human::Busy {
            return LegStatus::Busy;
        }
        self.stage.record(CarrierEvent::LegRinging {
            leg_sid: self.sid.clone(),
        });
        self.report(LegEvent::Ringing, "ringing");
        let patience = self.dial.timeout + RING_SLACK;
        let picks_up = match human {
            Human::Answers { after, .. } | Human::HangsUpInWhisper { after } => Some(after),
            Human::NoAnswer | Human::Busy => None,
        };
        let Some(after) = picks_up.filter(|after| *after <= patience) else {
            sleep(self.stage.wall(patience)).await;
            return LegStatus::NoAnswer;
        };
        sleep(self.stage.wall(after)).await;
        self.answered = Some(Instant::now());
        self.stage.record(CarrierEvent::LegAnswered {
            leg_sid: self.sid.clone(),
        });
        self.report(LegEvent::Answered, "in-progress");
        if let Whispered::HungUp = self.whisper(human).await {
            return LegStatus::Completed;
        }
        self.bridged = true;
        self.stage.record(CarrierEvent::LegBridged {
            leg_sid: self.sid.clone(),
        });
        let talks_for = match human {
            Human::Answers { talks_for, .. } => talks_for,
            Human::HangsUpInWhisper { .. } | Human::NoAnswer | Human::Busy => Duration::ZERO,
        };
        sleep(self.stage.wall(talks_for.min(self.dial.time_limit))).await;
        LegStatus::Completed
    }

    /// Plays the whisper document. One that ends without `<Hangup>` bridges.
    async fn whisper(&self, human: Human) -> Whispered {
        let hangs_up = matches!(human, Human::HangsUpInWhisper { .. });
        let Some(callback) = &self.dial.number.whisper else {
            return if hangs_up {
                Whispered::HungUp
            } else {
                Whispered::Accepted
            };
        };
        let parameters = self.parameters("in-progress");
        let mut next = self
            .stage
            .fetch(Purpose::Whisper, callback, &parameters)
            .await;
        while let Some(document) = next.take() {
            for verb in document.verbs {
                match verb {
                    Verb::Prompt(prompt) => {
                        if let Some(text) = text_of(&prompt) {
                            self.stage.record(CarrierEvent::SpokenToHuman {
                                text: text.to_owned(),
                            });
                        }
                        if hangs_up {
                            return Whispered::HungUp;
                        }
                        sleep(self.stage.wall(length_of(&prompt))).await;
                    }
                    Verb::Gather(gather) => {
                        let prompts = gather.prompts.iter();
                        for text in prompts.filter_map(text_of) {
                            self.stage.record(CarrierEvent::SpokenToHuman {
                                text: text.to_owned(),
                            });
                        }
                        if hangs_up {
                            return Whispered::HungUp;
                        }
                        if let Some(answer) = self.press(&gather, human).await {
                            next = answer;
                            if next.is_none() {
                                return Whispered::HungUp;
                            }
                            break;
                        }
                    }
                    Verb::Pause(length) => sleep(self.stage.wall(length)).await,
                    Verb::Hangup => return Whispered::HungUp,
                    Verb::Start(_)
                    | Verb::Stop { .. }
                    | Verb::Connect { .. }
                    | Verb::Redirect(_)
                    | Verb::Dial(_)
                    | Verb::Reject => {
                        self.stage.violation(
                            "a whisper document takes Play, Say, Gather, Pause and Hangup only",
                        );
                    }
                }
            }
            if next.is_none() {
                return if hangs_up {
                    Whispered::HungUp
                } else {
                    Whispered::Accepted
                };
            }
        }
        // UNCONFIRMED what Twilio does when a whisper cannot be fetched; the unkind variant is played.
        Whispered::HungUp
    }

    /// Presses the key, if the human does. The inner value is the document that answered it.
    async fn press(&self, gather: &Gather, human: Human) -> Option<Option<super::twiml::Document>> {
        let length = gather.prompts.iter().map(length_of).sum();
        sleep(self.stage.wall(length)).await;
        let key = match human {
            Human::Answers { presses, .. } => presses,
            Human::HangsUpInWhisper { .. } | Human::NoAnswer | Human::Busy => None,
        };
        let (Some(key), Some(callback)) = (key, &gather.action) else {
            sleep(self.stage.wall(gather.timeout)).await;
            return None;
        };
        let mut parameters = self.parameters("in-progress");
        parameters.push(("Digits".into(), key.to_string()));
        Some(
            self.stage
                .fetch(Purpose::GatherAction, callback, &parameters)
                .await,
        )
    }

    fn complete(&mut self, status: LegStatus) {
        let (leg_sid, bridged, seconds) = (self.sid.clone(), self.bridged, self.seconds());
        self.stage.record(CarrierEvent::LegCompleted {
            leg_sid,
            status,
            bridged,
            seconds,
        });
        self.report(LegEvent::Completed, status.as_str());
        self.progress = None;
    }

    fn report(&mut self, event: LegEvent, status: &str) {
        let wanted = self.dial.number.status_callback.as_ref();
        if !wanted.is_some_and(|wanted| wanted.events.contains(&event)) {
            return;
        }
        let mut parameters = self.parameters(status);
        parameters.extend([
            (
                "CallbackSource".to_owned(),
                "call-progress-events".to_owned(),
            ),
            ("SequenceNumber".to_owned(), self.posted.to_string()),
            ("Timestamp".to_owned(), Utc::now().rfc2822()),
        ]);
        if event == LegEvent::Completed {
            parameters.push(("CallDuration".to_owned(), self.seconds().to_string()));
        }
        self.posted += 1;
        if let Some(progress) = &self.progress {
            // The poster ends only after this sender is dropped.
            let _ = progress.send(parameters);
        }
    }

    /// The parameters of every request about the human's leg.
    fn parameters(&self, status: &str) -> Vec<(String, String)> {
        let pairs = [
            (
                "AccountSid",
                self.stage.account.options.account_sid.as_str(),
            ),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", &self.sid),
            ("CallStatus", status),
            ("Called", &self.dial.number.number),
            ("Caller", &self.caller_id),
            ("Direction", "outbound-dial"),
            ("From", &self.caller_id),
            ("ParentCallSid", &self.stage.call.sid),
            ("To", &self.dial.number.number),
        ];
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn action_parameters(&self, status: LegStatus) -> Vec<(String, String)> {
        let mut parameters = vec![
            ("DialBridged".to_owned(), self.bridged.to_string()),
            ("DialCallSid".to_owned(), self.sid.clone()),
            ("DialCallStatus".to_owned(), status.as_str().to_owned()),
        ];
        if self.answered.is_some() {
            parameters.push(("DialCallDuration".to_owned(), self.seconds().to_string()));
        }
        parameters
    }

    fn seconds(&self) -> u64 {
        let wall = self
            .answered
            .map(|answered| answered.elapsed())
            .unwrap_or_default();
        self.stage
            .account
            .options
            .speed
            .carrier(wall)
            .as_secs_f64()
            .round() as u64
    }
}

fn set(parameters: &mut [(String, String)], name: &str, value: &str) {
    for parameter in parameters.iter_mut().filter(|(key, _)| key == name) {
        value.clone_into(&mut parameter.1);
    }
}
