//! The loop of one call. It owns the call, its sockets and its tasks, and awaits nothing but its
//! inputs: whatever takes time runs beside it and comes back as an event.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use handoff_core::call::{Call, Command, Effort, Event, Fact};
use handoff_core::id::HandoffId;
use handoff_core::pii::Secret;
use handoff_core::speech::Speaker;
use handoff_core::time::CallTime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use super::briefing::{Briefing, Knowledge};
use super::carriers::{CarrierAccount, Step};
use super::hearing::Hearing;
use super::ledger::{Entry, Ledger};
use super::line::{Line, MediaSocket};
use super::low_water::Wake;
use super::perform;
use super::streaming::{Streams, close};
use super::surroundings::Surroundings;
use crate::clock::{self, CallClock};
use crate::recognizer::Heard;
use crate::telemetry::metrics::{self, Refusal};

/// Messages that wait for a call's task: callbacks and sockets, a handful in a call's life.
pub(super) const INBOX: usize = 32;
/// Hypotheses that wait for a call's task.
const HEARD: usize = 32;

/// What reaches a call's task from outside.
#[derive(Debug)]
pub enum Inbox {
    /// A media socket that showed the call's token.
    Socket(Box<MediaSocket>),
    /// A callback of the carrier or a request of the API.
    Event(Box<Event>),
    /// The same, of a carrier that waits for what we know.
    Question(Box<Question>),
}

/// A carrier asks what to do, or what to say.
#[derive(Debug)]
pub struct Question {
    /// What it told in asking.
    pub(super) event: Option<Event>,
    /// Of which effort it speaks.
    pub(super) about: Option<Effort>,
    /// Where it waits.
    pub(super) answer: oneshot::Sender<Box<Knowledge>>,
}

/// One call being driven.
pub(super) struct Driver {
    pub(super) around: Arc<Surroundings>,
    pub(super) account: CarrierAccount,
    pub(super) call: Call,
    pub(super) clock: CallClock,
    inbox: mpsc::Receiver<Inbox>,
    pub(super) line: Line,
    pub(super) streams: Streams,
    pub(super) caller: Hearing,
    pub(super) voice_agent: Hearing,
    heard: mpsc::Receiver<Heard>,
    /// Given to each recognizer; also keeps `heard` open while there is none.
    pub(super) hearer: mpsc::Sender<Heard>,
    /// Everything under way. Recognizers end without an event.
    pub(super) tasks: JoinSet<Option<Event>>,
    ledger: Ledger,
    /// Tells the registry, should this task die, that the caller needs no rescue.
    with_human: Arc<AtomicBool>,
    /// Tells what repeats itself on the caller's behalf whether they are still there.
    waits: Arc<AtomicBool>,
    pub(super) payload: Vec<u8>,
    pub(super) wake: Wake,
}

impl Driver {
    pub(super) fn new(
        around: Arc<Surroundings>,
        account: CarrierAccount,
        call: Call,
        clock: CallClock,
        token: Secret,
        inbox: mpsc::Receiver<Inbox>,
        with_human: Arc<AtomicBool>,
    ) -> Box<Self> {
        let (hearer, heard) = mpsc::channel(HEARD);
        let carrier_call = call.arrival().carrier_call.clone();
        let ledger = Ledger::new(around.journal.clone(), call.arrival().call.clone());
        Box::new(Self {
            line: Line::new(account.clone(), carrier_call, token, around.start_deadline),
            around,
            account,
            call,
            clock,
            inbox,
            streams: Streams::new(),
            caller: Hearing::new(Speaker::Caller),
            voice_agent: Hearing::new(Speaker::VoiceAgent),
            heard,
            hearer,
            tasks: JoinSet::new(),
            ledger,
            with_human,
            waits: Arc::new(AtomicBool::new(true)),
            payload: Vec::new(),
            wake: Wake::default(),
        })
    }

    /// Drives the call to its end. Boxed, because a future holds what it is given more than once.
    pub(super) async fn run(mut self: Box<Self>) {
        // One timer for the whole call: moving it is cheaper than making one at every turn.
        let mut alarm = pin!(tokio::time::sleep_until(Instant::now()));
        loop {
            self.perform_commands();
            self.with_human
                .store(self.call.has_human(), Ordering::Relaxed);
            self.waits.store(self.call.is_open(), Ordering::Relaxed);
            if self.call.disposition().is_some() {
                break;
            }
            let deadline = self.deadline();
            if let Some(at) = deadline
                && (at != alarm.deadline() || alarm.is_elapsed())
            {
                alarm.as_mut().reset(at);
            }
            tokio::select! {
                biased;
                Some(message) = self.inbox.recv() => self.on_inbox(message),
                Some(heard) = self.heard.recv() => self.on_heard(heard),
                written = self.ledger.written() => for event in written {
                    self.tell(event);
                },
                Some(done) = self.tasks.join_next() => match done {
                    Ok(Some(event)) => self.tell(event),
                    Ok(None) => {}
                    // A panic in a task is our mistake; the call goes on without its result.
                    Err(failure) => error!(panicked = failure.is_panic(), "a task of the call failed"),
                },
                () = &mut alarm, if deadline.is_some() => self.on_alarm(),
                arrived = self.line.next(), if self.line.is_open() => {
                    if self.on_arrived(arrived).is_break() {
                        // After a stall, audio comes in a rush; the recognizers must keep up.
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
        self.finish().await;
    }

    /// When to wake even if nothing comes.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let timer = (self.call.poll_timeout()).and_then(|(at, _)| self.clock.instant(at));
        let timer = timer.map(Instant::from_std);
        timer.into_iter().chain(self.line.rests_until()).min()
    }

    fn on_alarm(&mut self) {
        self.call.handle_timeout(self.clock.now());
        if self
            .line
            .rests_until()
            .is_some_and(|at| at <= Instant::now())
        {
            self.line.rest_until(1);
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        let now = self.clock.now();
        self.call.handle(event, now);
    }

    fn on_inbox(&mut self, message: Inbox) {
        match message {
            Inbox::Event(event) => self.tell(*event),
            Inbox::Question(question) => self.on_question(*question),
            Inbox::Socket(socket) => {
                if self.is_spent() {
                    return self.refuse(Refusal::Token, *socket);
                }
                self.on_socket(*socket);
            }
        }
    }

    fn on_question(&mut self, question: Question) {
        let Question {
            event,
            about,
            answer,
        } = question;
        if let Some(event) = event {
            self.tell(event);
        }
        let known = Knowledge {
            arrival: Arc::clone(self.call.arrival()),
            context: self.call.briefing(),
            is_awaited: (about.as_ref()).is_some_and(|effort| self.call.awaits(effort)),
            next: about.and_then(|effort| self.call.next_step(&effort)),
        };
        if answer.send(Box::new(known)).is_err() {
            debug!("a carrier did not wait for its answer");
        }
    }

    /// What documents about the latest handoff are written from.
    fn briefing(&self, handoff: &HandoffId) -> Briefing {
        match self.call.briefing() {
            Some(context) => Briefing::of(&context, self.account.public_url()),
            None => Briefing::without(handoff),
        }
    }

    /// Whether the token's stream is over for good, not merely interrupted.
    fn is_spent(&self) -> bool {
        (self.streams.ended_at())
            .is_some_and(|ended| ended.elapsed() > self.around.policy.stream_grace)
    }

    fn on_heard(&mut self, heard: Heard) {
        match heard {
            Heard::Hypothesis(hypothesis) => self.tell(Event::HypothesisHeard(*hypothesis)),
            Heard::UtteranceEnded { speaker, .. } => self.tell(Event::UtteranceEnded { speaker }),
            Heard::Lost { speaker, reason } => {
                warn!(speaker = speaker.as_str(), ?reason, "recognizer lost");
                self.tell(Event::RecognizerLost { speaker });
            }
            Heard::Restored { speaker } => self.tell(Event::RecognizerRestored { speaker }),
        }
    }

    fn perform_commands(&mut self) {
        while let Some(command) = self.call.poll_command() {
            let around = Arc::clone(&self.around);
            let arrival = self.call.arrival();
            let stamp = (self.clock.now(), clock::wall());
            match command {
                Command::Record(fact) => {
                    self.measure(stamp.0, &fact);
                    self.ledger.push(Entry::fact(stamp, fact));
                }
                Command::RecordDecision(context) => {
                    info!(handoff.id = %context.trigger.handoff, "handing off");
                    (self.ledger).push(perform::decision(&around, stamp, &context));
                }
                Command::RecordEnd { fact, context } => {
                    let end = perform::end(&around, stamp, fact, context.as_deref());
                    self.ledger.push(end);
                }
                Command::FlushSpeech => {
                    self.caller.flush();
                    self.voice_agent.flush();
                }
                Command::ChooseTargets { handoff, route } => {
                    let signals = self.call.trigger().map(|trigger| trigger.values.clone());
                    self.tasks.spawn(perform::choose_targets(
                        around,
                        Arc::clone(arrival),
                        handoff,
                        route,
                        signals.unwrap_or_default(),
                    ));
                }
                Command::RewriteCall {
                    handoff,
                    attempt,
                    targets,
                } => {
                    if attempt == 1
                        && let Some(trigger) = self.call.trigger()
                    {
                        metrics::trigger_to_rewrite(stamp.0.since(trigger.at));
                    }
                    let step = Step {
                        handoff,
                        attempt,
                        targets,
                    };
                    let briefing = self.briefing(&step.handoff);
                    let request = self.account.rewrite(arrival, &step, &briefing);
                    let account = self.account.clone();
                    self.tasks
                        .spawn(perform::rewrite(around, account, request, step));
                }
                Command::CallHuman(effort) => {
                    let request = self.account.call_human(arrival, &effort);
                    let waits = Arc::clone(&self.waits);
                    let account = self.account.clone();
                    self.tasks
                        .spawn(perform::call_human(around, account, request, effort, waits));
                }
                Command::HangUpHuman(leg) => {
                    let account = self.account.clone();
                    self.tasks.spawn(perform::hang_up(around, account, leg));
                }
                Command::ReleaseCaller => self.release_caller(),
                Command::InspectCall => {
                    let carrier_call = arrival.carrier_call.clone();
                    self.tasks
                        .spawn(perform::inspect(around, self.account.clone(), carrier_call));
                }
                Command::Note(anomaly) => {
                    metrics::anomaly(anomaly);
                    debug!(anomaly = anomaly.as_str(), "noted");
                }
            }
        }
        self.ledger.write();
    }

    /// How long after the trigger the human's leg got so far.
    fn measure(&self, now: CallTime, fact: &Fact) {
        if let (Fact::LegProgressed { progress, .. }, Some(trigger)) = (fact, self.call.trigger()) {
            metrics::trigger_to_leg(*progress, now.since(trigger.at));
        }
    }

    async fn finish(mut self: Box<Self>) {
        self.end_hearing();
        if let Some(socket) = self.line.unbind() {
            self.tasks.spawn(close(socket, None));
        }
        metrics::windows_dropped(self.caller.dropped + self.voice_agent.dropped);
        let disposition = self.call.disposition();
        if let Some(disposition) = disposition {
            metrics::call_ended(disposition);
        }
        info!(
            disposition = disposition.map_or("none", |disposition| disposition.as_str()),
            seconds = self.clock.now().0.as_secs(),
            handoff.id = self
                .call
                .trigger()
                .map(|trigger| trigger.handoff.to_string()),
            "call ended"
        );
        // What is under way (recognizers giving their last words, closing handshakes) ends by its
        // own deadlines; this one is for what we did not think of.
        let ending = async {
            while !self.tasks.is_empty() || self.ledger.is_writing() {
                tokio::select! {
                    // A recognizer must not wait for a call that does not listen any more.
                    Some(_) = self.heard.recv() => {}
                    // A phone that rings for nobody is still to be hung up.
                    Some(done) = self.tasks.join_next() => if let Ok(Some(event)) = done {
                        self.tell(event);
                        self.perform_commands();
                    },
                    _ = self.ledger.written() => self.ledger.write(),
                }
            }
        };
        if tokio::time::timeout(Duration::from_secs(15), ending)
            .await
            .is_err()
        {
            warn!("tasks of an ended call had to be cut off");
        }
    }
}
