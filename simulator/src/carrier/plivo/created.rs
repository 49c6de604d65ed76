//! A call that the REST API made: the human's phone, what they hear, and who is told.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep};

use super::account::Account;
use super::call::{Call, CallStatus, Order, Source};
use super::confirm::confirmed;
use super::executor::{Executor, Flow, obey};
use super::leg_callbacks::LegCallbacks;
use super::phone::{Fate, Ringing, Unanswered};
use super::room::Visit;
use super::stage::{Stage, owned};
use super::xml::Confirm;
use crate::carrier::callback::Callback;
use crate::carrier::event::{CarrierEvent, EndReason, LegStatus, Purpose};
use crate::carrier::human::Human;
use crate::carrier::interrupt::interruptible;
use crate::carrier::lock::lock;

/// A call to make.
#[derive(Debug)]
pub(super) struct Creation {
    pub(super) from: String,
    pub(super) to: String,
    /// How long to wait before the phone is rung.
    pub(super) delay: Duration,
    /// How long it rings; by default as long as the network lets it.
    pub(super) ring_timeout: Option<Duration>,
    pub(super) sip_headers: Vec<(String, String)>,
    pub(super) digits: Option<String>,
    pub(super) told: Told,
    pub(super) then: Then,
}

/// Who is told of the call.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// That the phone rings.
    pub(super) ring: Option<Callback>,
    /// That the call is over.
    pub(super) hangup: Option<Callback>,
    /// Each change of its status.
    pub(super) status: Option<Callback>,
}

/// What a human who answers gets.
#[derive(Debug)]
pub(super) enum Then {
    Document {
        answer: Callback,
        /// Asked when the answer cannot be had.
        fallback: Option<Callback>,
    },
    Room {
        visit: Visit,
        confirm: Confirm,
    },
}

impl Account {
    /// Makes the call and plays it to its end.
    pub(super) fn create(self: &Arc<Self>, uuid: String, creation: Creation) {
        let human = self.human_at(&creation.to, || self.last_recorded_human());
        let (from, to) = (creation.from.clone(), creation.to.clone());
        let (call, orders) = Call::created(uuid, human, from, to);
        self.admit(&call);
        self.run(call, |stage| run(stage, orders, human, creation));
    }
}

async fn run(stage: Stage, orders: Receiver<Order>, human: Human, creation: Creation) {
    stage.record(CarrierEvent::LegInitiated {
        leg_sid: stage.call.uuid.to_string(),
        to: creation.to,
        caller_id: creation.from,
        sip_headers: creation.sip_headers,
        parameters: Vec::new(),
        digits: creation.digits,
    });
    let mut leg = Leg {
        callbacks: LegCallbacks::start(&stage),
        executor: Executor {
            stage: stage.clone(),
            orders,
        },
        stage,
        human,
        told: creation.told,
    };
    let ringing = Ringing::of(human, creation.ring_timeout);
    match leg.ring(creation.delay, ringing).await {
        Err(why) => leg.unanswered(why),
        Ok(()) => leg.answered(creation.then).await,
    }
    let Leg {
        stage,
        executor,
        callbacks,
        ..
    } = leg;
    drop(executor);
    drop(callbacks);
    stage.settle().await;
}

struct Leg {
    stage: Stage,
    executor: Executor,
    callbacks: LegCallbacks,
    human: Human,
    told: Told,
}

impl Leg {
    async fn ring(&mut self, delay: Duration, ringing: Ringing) -> Result<(), Unanswered> {
        let Self {
            stage,
            executor,
            callbacks,
            told,
            ..
        } = self;
        let ring = async {
            sleep(stage.wall(delay)).await;
            sleep(stage.account.options.ring_delay).await;
            if ringing.rings {
                stage.record(CarrierEvent::LegRinging {
                    leg_sid: stage.call.uuid.to_string(),
                });
                let rings = [stage.parameters(), owned(&[("Event", "Ring")])].concat();
                callbacks.tell(told.ring.as_ref(), Purpose::LegStatus, &rings);
                callbacks.tell(told.status.as_ref(), Purpose::LegStatus, &rings);
            }
            sleep(stage.wall(ringing.after)).await;
            ringing.fate
        };
        match interruptible(&mut executor.orders, ring).await {
            Ok(Fate::Answers) => Ok(()),
            Ok(Fate::Fails(why)) => Err(why),
            Err(Order::End(_)) => Err(Unanswered::Canceled),
            Err(Order::Transfer(_)) => {
                stage.violation("a call was transferred before it was answered");
                Err(Unanswered::Canceled)
            }
        }
    }

    fn unanswered(&self, why: Unanswered) {
        self.stage.over(CallStatus::Unanswered(why));
        let parameters = self.stage.unanswered_parameters(why);
        self.complete(why.leg_status(), 0, &parameters);
    }

    async fn answered(&mut self, then: Then) {
        let answered = Instant::now();
        self.stage.answer();
        self.stage.record(CarrierEvent::LegAnswered {
            leg_sid: self.stage.call.uuid.to_string(),
        });
        let status = self.stage.parameters();
        let to = self.told.status.as_ref();
        self.callbacks.tell(to, Purpose::LegStatus, &status);
        let flow = match then {
            Then::Document { answer, fallback } => self.document(answer, fallback),
            Then::Room { visit, confirm } => self.room(visit, confirm).await,
        };
        let reason = self.executor.follow(flow).await;
        self.stage.over(CallStatus::Completed);
        let talked = self.stage.account.options.speed.carrier(answered.elapsed());
        let parameters = self.stage.hangup_parameters(reason);
        let seconds = talked.as_secs_f64().round() as u64;
        self.complete(LegStatus::Completed, seconds, &parameters);
    }

    /// Asks for the document of a call that was answered, and for the fallback when there is none.
    fn document(&self, answer: Callback, fallback: Option<Callback>) -> Flow {
        let stage = self.stage.clone();
        let document = self.stage.begin(async move {
            let parameters = [stage.parameters(), owned(&[("Event", "StartApp")])].concat();
            let mut document = stage.fetch(Purpose::Created, &answer, &parameters).await;
            if let (None, Some(fallback)) = (&document, &fallback) {
                document = stage.fetch(Purpose::Created, fallback, &parameters).await;
            }
            document
        });
        Flow::Replace(Source::Fetching(document))
    }

    async fn room(&mut self, visit: Visit, confirm: Confirm) -> Flow {
        let parameters = self.stage.parameters();
        let confirming = confirmed(&self.stage, self.human, &confirm, &parameters, |_| {});
        match interruptible(&mut self.executor.orders, confirming).await {
            Ok(true) => self.executor.visit(visit).await.unwrap_or_else(obey),
            Ok(false) => Flow::End(EndReason::HungUp),
            Err(order) => obey(order),
        }
    }

    fn complete(&self, status: LegStatus, seconds: u64, parameters: &[(String, String)]) {
        self.stage.record(CarrierEvent::LegCompleted {
            leg_sid: self.stage.call.uuid.to_string(),
            status,
            bridged: lock(&self.stage.call.state).bridged,
            seconds,
        });
        let Told { hangup, status, .. } = &self.told;
        for to in [hangup, status] {
            self.callbacks
                .tell(to.as_ref(), Purpose::CallStatus, parameters);
        }
    }
}
