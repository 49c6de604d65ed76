//! Runs a call's documents verb by verb, until something better comes or nothing is left.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{sleep, timeout};

use super::call::{CallStatus, Fork, Order, Source, Stage};
use super::dial;
use super::media::{self, StreamIdentity};
use super::twiml::{
    self, Base, Callback, Document, Gather, Method, Prompt, Stream, TrackChoice, Verb,
};
use crate::carrier::caller::patience;
use crate::carrier::clock::Utc;
use crate::carrier::event::{Attachment, CarrierEvent, EndReason, Purpose};
use crate::carrier::interrupt::interruptible;
use crate::carrier::lock::lock;
use crate::carrier::speech::{PLAYED_FILE, spoken};

/// Twilio counts a `both_tracks` stream as two.
const MOST_TRACKS: usize = 4;
/// How long a server may take to close a socket after `stop`.
const CLOSING: Duration = Duration::from_secs(3);
/// No sensible call runs through more documents than this; a redirect to itself does.
const MOST_DOCUMENTS: usize = 100;

/// What follows a verb.
#[derive(Debug)]
pub(super) enum Flow {
    Next,
    Replace(Source),
    End(EndReason),
}

/// Plays one call from the first ring to its end.
pub(super) async fn run(stage: Stage, orders: Receiver<Order>) {
    let recording = &stage.call.recording;
    stage.record(CarrierEvent::CallPlaced {
        from: recording.from.clone(),
        to: recording.to.clone(),
    });
    stage.in_background(caller(stage.clone()));
    let url = stage
        .account
        .outside
        .below_public(&stage.account.options.voice_path);
    let callback = Callback {
        url,
        method: Method::Post,
    };
    let mut source = Source::Fetch {
        purpose: Purpose::Voice,
        callback,
        parameters: Vec::new(),
    };
    let mut executor = Executor {
        fallback: stage.account.options.fallback_document.clone(),
        stage,
        orders,
    };
    for _ in 0..MOST_DOCUMENTS {
        match executor.document(source).await {
            Flow::Next => return executor.end(EndReason::DocumentRanOut).await,
            Flow::End(reason) => return executor.end(reason).await,
            Flow::Replace(next) => source = next,
        }
    }
    executor.stage.violation(format!(
        "the call went through {MOST_DOCUMENTS} documents and found no end"
    ));
    executor.end(EndReason::ApplicationError).await;
}

struct Executor {
    stage: Stage,
    orders: Receiver<Order>,
    fallback: Option<String>,
}

impl Executor {
    async fn document(&mut self, source: Source) -> Flow {
        let document = match self.obtain(source).await {
            Ok(Some(document)) => document,
            Ok(None) => return self.fall_back(),
            Err(order) => return follow(order),
        };
        for verb in document.verbs {
            match self.verb(verb).await {
                Ok(Flow::Next) => {}
                Ok(flow @ (Flow::Replace(_) | Flow::End(_))) => return flow,
                Err(order) => return follow(order),
            }
        }
        Flow::Next
    }

    /// Goes to the number's fallback, once in a call (Twilio's page `availability-reliability`, read
    /// 2026-11-21: whenever TwiML cannot be retrieved or executed).
    fn fall_back(&mut self) -> Flow {
        match self.fallback.take() {
            Some(document) => {
                self.stage.record(CarrierEvent::FallbackTaken {
                    document: document.clone(),
                });
                Flow::Replace(Source::Inline(document))
            }
            None => Flow::End(EndReason::ApplicationError),
        }
    }

    async fn obtain(&mut self, source: Source) -> Result<Option<Document>, Order> {
        self.stage.call.view.send_modify(|view| {
            view.busy = true;
            view.documents += 1;
        });
        match source {
            Source::Inline(text) => Ok(self.stage.checked(twiml::read(&text, Base::Inline))),
            Source::Fetch {
                purpose,
                callback,
                parameters,
            } => {
                let mut all = self.stage.parameters();
                all.extend(parameters);
                interruptible(&mut self.orders, self.stage.fetch(purpose, &callback, &all)).await
            }
        }
    }

    async fn verb(&mut self, verb: Verb) -> Result<Flow, Order> {
        if !matches!(verb, Verb::Reject | Verb::Redirect(_) | Verb::Hangup) {
            self.stage.answer();
        }
        self.stage.call.view.send_modify(|view| view.busy = true);
        match verb {
            Verb::Start(stream) => {
                self.start(stream);
                Ok(Flow::Next)
            }
            Verb::Stop { name } => {
                if lock(&self.stage.call.state).forks.remove(&name).is_none() {
                    self.stage.violation(format!(
                        "<Stop><Stream name={name:?}> names no running fork"
                    ));
                }
                Ok(Flow::Next)
            }
            Verb::Connect { stream, action } => self.connect(stream, action).await,
            Verb::Redirect(callback) => Ok(Flow::Replace(Source::Fetch {
                purpose: Purpose::Redirect,
                callback,
                parameters: Vec::new(),
            })),
            Verb::Prompt(prompt) => {
                self.hear(&prompt).await?;
                Ok(Flow::Next)
            }
            Verb::Pause(length) => {
                self.stage.call.view.send_modify(|view| view.busy = false);
                interruptible(&mut self.orders, sleep(self.stage.wall(length))).await?;
                Ok(Flow::Next)
            }
            Verb::Dial(dial) => dial::run(&self.stage, &mut self.orders, dial).await,
            Verb::Gather(gather) => self.gather(gather).await,
            Verb::Hangup => Ok(Flow::End(EndReason::HungUp)),
            Verb::Reject => {
                if self.stage.call.status() != CallStatus::Ringing {
                    self.stage
                        .violation("<Reject> in a call that was answered before");
                }
                Ok(Flow::End(EndReason::Rejected))
            }
        }
    }

    /// Begins a fork; the document goes on at once.
    fn start(&mut self, stream: Stream) {
        let (control, stop) = mpsc::channel(1);
        let identity = StreamIdentity::next(&self.stage);
        let name = self.name(&stream).unwrap_or_else(|| identity.sid.clone());
        let tracks = match stream.track {
            TrackChoice::Inbound | TrackChoice::Outbound => 1,
            TrackChoice::Both => 2,
        };
        self.add_fork(
            name,
            Fork {
                sid: identity.sid.clone(),
                tracks,
                control,
            },
        );
        self.stage.call.view.send_modify(|view| view.playing += 1);
        let stage = self.stage.clone();
        self.stage.in_background(async move {
            media::run(&stage, &stream, identity, Attachment::Start, stop).await
        });
    }

    /// Lets the server be the other party until it closes the socket.
    async fn connect(&mut self, stream: Stream, action: Option<Callback>) -> Result<Flow, Order> {
        self.name(&stream);
        self.stage.call.view.send_modify(|view| {
            view.playing += 1;
            view.busy = false;
        });
        let (control, stop) = mpsc::channel(1);
        let identity = StreamIdentity::next(&self.stage);
        let mut socket = pin!(media::run(
            &self.stage,
            &stream,
            identity,
            Attachment::Connect,
            stop
        ));
        let interrupted = interruptible(&mut self.orders, &mut socket).await;
        let fetch_action = action.map(|callback| Source::Fetch {
            purpose: Purpose::ConnectAction,
            callback,
            parameters: Vec::new(),
        });
        let Err(order) = interrupted else {
            return Ok(fetch_action.map_or(Flow::Next, Flow::Replace));
        };
        drop(control);
        if timeout(CLOSING, socket).await.is_err() {
            self.stage
                .violation("the server did not take `stop` and the close within 3 s");
        }
        // UNCONFIRMED whether Twilio asks for a <Connect action> when the call is rewritten. It does for
        // <Dial>, so a server must be able to bear it.
        if let (Some(source), Order::Rewrite(_)) = (fetch_action, &order) {
            self.ask_and_ignore(source);
        }
        Err(order)
    }

    async fn gather(&mut self, gather: Gather) -> Result<Flow, Order> {
        for prompt in &gather.prompts {
            self.hear(prompt).await?;
        }
        interruptible(&mut self.orders, sleep(self.stage.wall(gather.timeout))).await?;
        let action = gather.action.filter(|_| gather.action_on_empty_result);
        Ok(action.map_or(Flow::Next, |callback| {
            Flow::Replace(Source::Fetch {
                purpose: Purpose::GatherAction,
                callback,
                parameters: Vec::new(),
            })
        }))
    }

    async fn hear(&mut self, prompt: &Prompt) -> Result<(), Order> {
        if let Some(text) = text_of(prompt) {
            self.stage.record(CarrierEvent::SpokenToCaller {
                text: text.to_owned(),
            });
        }
        let length = self.stage.wall(length_of(prompt));
        interruptible(&mut self.orders, sleep(length)).await
    }

    fn ask_and_ignore(&self, source: Source) {
        let Source::Fetch {
            purpose,
            callback,
            parameters,
        } = source
        else {
            return;
        };
        let stage = self.stage.clone();
        self.stage.in_background(async move {
            let mut all = stage.parameters();
            all.extend(parameters);
            stage.fetch(purpose, &callback, &all).await;
        });
    }

    /// The stream's name, which no other stream of the call may have had.
    fn name(&self, stream: &Stream) -> Option<String> {
        let name = stream.name.clone()?;
        let taken = lock(&self.stage.call.state).stream_names.contains(&name);
        if taken {
            self.stage
                .violation(format!("two streams of the call are named {name:?}"));
        }
        lock(&self.stage.call.state).stream_names.push(name.clone());
        Some(name)
    }

    fn add_fork(&self, name: String, fork: Fork) {
        let mut state = lock(&self.stage.call.state);
        state.forks.insert(name, fork);
        let running = state
            .forks
            .values()
            .filter(|fork| !fork.control.is_closed());
        let tracks: usize = running.map(|fork| fork.tracks).sum();
        drop(state);
        if tracks > MOST_TRACKS {
            let sentence = format!("the call forks {tracks} tracks; Twilio allows {MOST_TRACKS}");
            self.stage.violation(sentence);
        }
    }

    async fn end(self, reason: EndReason) {
        let Self { stage, orders, .. } = self;
        drop(orders);
        if reason == EndReason::ApplicationError {
            let text = "We are sorry, an application error has occurred. Goodbye.".to_owned();
            stage.record(CarrierEvent::SpokenToCaller { text });
        }
        {
            let mut state = lock(&stage.call.state);
            state.status = CallStatus::Completed;
            state.forks.clear();
        }
        stage.record(CarrierEvent::CallEnded { reason });
        if let Some(path) = &stage.account.options.call_status_path {
            let url = stage.account.outside.below_public(path);
            let mut parameters = stage.parameters();
            let seconds = stage
                .account
                .options
                .speed
                .carrier(stage.call.placed.elapsed())
                .as_secs();
            parameters.extend([
                ("CallDuration".to_owned(), seconds.to_string()),
                (
                    "CallbackSource".to_owned(),
                    "call-progress-events".to_owned(),
                ),
                ("SequenceNumber".to_owned(), "0".to_owned()),
                ("Timestamp".to_owned(), Utc::now().rfc2822()),
            ]);
            stage
                .ask(
                    Purpose::CallStatus,
                    &Callback {
                        url,
                        method: Method::Post,
                    },
                    &parameters,
                )
                .await;
        }
        stage.settle().await;
    }
}

/// Hangs up when the caller has waited for long enough.
async fn caller(stage: Stage) {
    let options = &stage.account.options;
    let patience = patience(
        stage.call.view.subscribe(),
        &stage.call.recording,
        options.speed,
        options.after_recording,
        || stage.record(CarrierEvent::RecordingEnded),
    );
    tokio::select! {
        () = patience => {
            // Nobody takes the order when the call ended just before.
            let _ = stage.call.orders.send(Order::CallerHangsUp).await;
        }
        () = stage.call.orders.closed() => {}
    }
}

fn follow(order: Order) -> Flow {
    match order {
        Order::Rewrite(source) => Flow::Replace(source),
        Order::Complete => Flow::End(EndReason::CompletedByRest),
        Order::CallerHangsUp => Flow::End(EndReason::CallerHungUp),
    }
}

/// What is heard of a prompt.
pub(super) fn text_of(prompt: &Prompt) -> Option<&str> {
    match prompt {
        Prompt::Say(text) | Prompt::Play(text) => Some(text),
        Prompt::Silence(_) => None,
    }
}

/// How much of the carrier's time a prompt takes.
pub(super) fn length_of(prompt: &Prompt) -> Duration {
    match prompt {
        Prompt::Say(text) => spoken(text),
        Prompt::Play(_) => PLAYED_FILE,
        Prompt::Silence(length) => *length,
    }
}
