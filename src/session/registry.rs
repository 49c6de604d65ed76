//! All live calls: who is announced, whose socket and callbacks are whose, how many there may be.
//!
//! The only state that calls share. The lock is held for map look-ups alone, never across an
//! `.await`.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use handoff_core::call::{Arrival, Call, Event, Fact};
use handoff_core::id::{CallId, CarrierCallId, HandoffId};
use handoff_core::time::CallTime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::{Instrument as _, error, info_span};

use super::briefing::Knowledge;
use super::carriers::{CarrierAccount, Step};
use super::driver::{Driver, INBOX, Inbox, Question};
use super::line::MediaSocket;
use super::perform;
use super::surroundings::Surroundings;
use super::token::Tokens;
use crate::carrier::argument::ArgumentError;
use crate::carrier::document::Document;
use crate::clock::CallClock;
use crate::telemetry::metrics::{self, Refusal};

/// All live calls of this process.
#[derive(Debug)]
pub struct Registry {
    around: Arc<Surroundings>,
    tokens: Tokens,
    max_calls: usize,
    live: Mutex<Live>,
}

#[derive(Debug, Default)]
struct Live {
    calls: HashMap<CarrierCallId, Arc<Entry>>,
    by_token: HashMap<String, CarrierCallId>,
    by_id: HashMap<CallId, CarrierCallId>,
    /// By what the ids of a call and of its handoffs have in common.
    by_stem: HashMap<String, CarrierCallId>,
    tasks: JoinSet<()>,
    draining: bool,
}

#[derive(Debug)]
struct Entry {
    arrival: Arc<Arrival>,
    token: String,
    inbox: mpsc::Sender<Inbox>,
}

/// What became of a call that the carrier told us of.
#[derive(Debug)]
pub enum Admission {
    /// It is driven; this is the answer, the same each time.
    Admitted(Document),
    /// We are full or going down; the answer lets the call go on without us.
    Bypassed(Document),
}

/// What became of a media socket.
#[derive(Debug, PartialEq, Eq)]
pub enum Attachment {
    /// The call's task has it.
    Attached,
    /// The call's task is gone.
    Gone,
}

impl Registry {
    /// An empty registry.
    pub fn new(around: Arc<Surroundings>, tokens: Tokens, max_calls: usize) -> Arc<Self> {
        Arc::new(Self {
            around,
            tokens,
            max_calls,
            live: Mutex::default(),
        })
    }

    /// Admits a call, or finds it if the carrier tells us of it again.
    ///
    /// # Errors
    /// The answer cannot be built, which the checks at the start exclude.
    pub fn announce(
        self: &Arc<Self>,
        account: CarrierAccount,
        arrival: Arrival,
    ) -> Result<Admission, ArgumentError> {
        let token = self.tokens.mint(&arrival.carrier_call);
        let mut live = self.lock();
        if let Some(entry) = live.calls.get(&arrival.carrier_call) {
            return Ok(Admission::Admitted(account.answer(&entry.arrival, &token)?));
        }
        if live.calls.len() >= self.max_calls || live.draining {
            metrics::refused(Refusal::TooManyCalls);
            return Ok(Admission::Bypassed(account.bypass(&arrival)));
        }
        let answer = account.answer(&arrival, &token)?;
        let call = Call::new(arrival, Arc::clone(&self.around.policy));
        let clock = CallClock::start();
        self.drive(&mut live, account, call, clock);
        Ok(Admission::Admitted(answer))
    }

    /// Takes up a call that another process of ours left.
    pub fn revive(
        self: &Arc<Self>,
        account: CarrierAccount,
        arrival: Arrival,
        facts: Vec<(CallTime, Fact)>,
    ) {
        let clock = CallClock::of_call_accepted(arrival.accepted);
        let age = clock.now();
        let call = Call::restore(arrival, Arc::clone(&self.around.policy), facts, age);
        let mut live = self.lock();
        self.drive(&mut live, account, call, clock);
    }

    fn drive(
        self: &Arc<Self>,
        live: &mut Live,
        account: CarrierAccount,
        call: Call,
        clock: CallClock,
    ) {
        let arrival = Arc::clone(call.arrival());
        let token = self.tokens.mint(&arrival.carrier_call);
        let (sender, inbox) = mpsc::channel(INBOX);
        let span =
            info_span!("call", call.id = %arrival.call, carrier = account.carrier().as_str());
        let with_human = Arc::new(AtomicBool::new(call.has_human()));
        let around = Arc::clone(&self.around);
        let told = Arc::clone(&with_human);
        let driver = Driver::new(
            around,
            account.clone(),
            call,
            clock,
            token.clone(),
            inbox,
            told,
        );
        let registry = Arc::clone(self);
        let fallen = Arc::clone(&arrival);
        let driving = async move {
            if AssertUnwindSafe(driver.run()).catch_unwind().await.is_err() {
                metrics::call_crashed();
                error!("the task of a call died");
                // A human who has the caller already must not be cut off.
                if !with_human.load(Ordering::Relaxed) {
                    // Boxed, because a request is large and almost no call needs this one.
                    Box::pin(perform::rescue(&registry.around, &account, &fallen)).await;
                }
            }
            registry.forget(&fallen);
        };
        live.tasks.spawn(driving.instrument(span));
        live.by_token
            .insert(token.expose().to_owned(), arrival.carrier_call.clone());
        live.by_id
            .insert(arrival.call.clone(), arrival.carrier_call.clone());
        live.by_stem
            .insert(arrival.call.stem().to_owned(), arrival.carrier_call.clone());
        let name = arrival.carrier_call.clone();
        let entry = Entry {
            arrival,
            token: token.expose().to_owned(),
            inbox: sender,
        };
        live.calls.insert(name, Arc::new(entry));
        metrics::live_calls(live.calls.len());
        while live.tasks.try_join_next().is_some() {}
    }

    fn forget(&self, arrival: &Arrival) {
        let mut live = self.lock();
        let own = (live.calls.get(&arrival.carrier_call))
            .filter(|entry| entry.arrival.call == arrival.call)
            .cloned();
        if let Some(entry) = own {
            live.calls.remove(&arrival.carrier_call);
            live.by_token.remove(&entry.token);
            live.by_id.remove(&entry.arrival.call);
            live.by_stem.remove(entry.arrival.call.stem());
        }
        metrics::live_calls(live.calls.len());
    }

    /// The call that a stream token was given to, if it is live.
    pub fn call_of_token(&self, token: &str) -> Option<CarrierCallId> {
        self.lock().by_token.get(token).cloned()
    }

    /// The live call of that id.
    pub fn call_of_id(&self, call: &CallId) -> Option<CarrierCallId> {
        self.lock().by_id.get(call).cloned()
    }

    /// The live call of that handoff.
    pub fn call_of_handoff(&self, handoff: &HandoffId) -> Option<CarrierCallId> {
        self.lock().by_stem.get(handoff.stem()).cloned()
    }

    /// All live calls, oldest first.
    pub fn arrivals(&self) -> Vec<Arc<Arrival>> {
        let mut all: Vec<_> = self
            .lock()
            .calls
            .values()
            .map(|entry| Arc::clone(&entry.arrival))
            .collect();
        all.sort_by(|a, b| a.call.cmp(&b.call));
        all
    }

    /// Hands a media socket to the task of its call.
    pub async fn attach(&self, call: &CarrierCallId, socket: MediaSocket) -> Attachment {
        self.send(call, Inbox::Socket(Box::new(socket))).await
    }

    /// Tells a call of something. `Gone` if it is not live.
    pub async fn tell(&self, call: &CarrierCallId, event: Event) -> Attachment {
        self.send(call, Inbox::Event(Box::new(event))).await
    }

    /// Tells the call of a step of something, if there is something to tell, and asks what it then
    /// knows. `None` if the call is not live.
    pub async fn consult(&self, step: &Step, event: Option<Event>) -> Option<Knowledge> {
        let call = self.call_of_handoff(&step.handoff)?;
        let (answer, answered) = oneshot::channel();
        let about = step.effort();
        let question = Inbox::Question(Box::new(Question {
            event,
            about,
            answer,
        }));
        match self.send(&call, question).await {
            Attachment::Attached => answered.await.ok().map(|known| *known),
            Attachment::Gone => None,
        }
    }

    async fn send(&self, call: &CarrierCallId, message: Inbox) -> Attachment {
        let inbox = self.lock().calls.get(call).map(|entry| entry.inbox.clone());
        match inbox {
            Some(inbox) if inbox.send(message).await.is_ok() => Attachment::Attached,
            Some(_) | None => Attachment::Gone,
        }
    }

    /// Lets new calls pass by unheard from here on.
    pub fn drain(&self) {
        self.lock().draining = true;
    }

    /// Whether no call is live.
    pub fn is_idle(&self) -> bool {
        self.lock().calls.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Live> {
        // The maps are whole at every await point and panic, so a poisoned lock is still good.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
