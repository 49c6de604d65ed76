//! Runs a call's documents verb by verb, until something better comes or nothing is left.

use tokio::sync::mpsc::Receiver;
use tokio::time::sleep;

use super::call::{CallStatus, Order, Source};
use super::flow::{Flow, owned};
use super::script::{length_of, press, text_of};
use super::stage::Stage;
use super::twiml::{self, Base, Callback, Document, Gather, Method, Prompt, Verb};
use super::verbs;
use crate::carrier::caller::patience;
use crate::carrier::clock::Utc;
use crate::carrier::event::{CarrierEvent, EndReason, LegStatus, Purpose};
use crate::carrier::interrupt::interruptible;
use crate::carrier::lock::lock;

/// No sensible call runs through more documents than this; a redirect to itself does.
const MOST_DOCUMENTS: usize = 100;

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
        url: None,
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
    /// The URL of the document that is executed.
    url: Option<Callback>,
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
            Source::Inline(text) => {
                self.url = None;
                Ok(self.stage.checked(twiml::read(&text, Base::Inline)))
            }
            Source::Fetch {
                purpose,
                callback,
                parameters,
            } => {
                let mut all = self.stage.parameters();
                all.extend(parameters);
                let fetch = self.stage.fetch(purpose, &callback, &all);
                let document = interruptible(&mut self.orders, fetch).await;
                self.url = Some(callback);
                document
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
                verbs::start(&self.stage, stream);
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
            Verb::Connect { stream, action } => {
                verbs::connect(&self.stage, &mut self.orders, stream, action).await
            }
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
            Verb::Dial(dial) => verbs::dial(&self.stage, &mut self.orders, dial).await,
            Verb::Enqueue(enqueue) => verbs::enqueue(&self.stage, &mut self.orders, enqueue).await,
            Verb::Refer(refer) => verbs::refer(&self.stage, &mut self.orders, refer).await,
            Verb::Record(record) => {
                let url = self.url.clone();
                verbs::record(&self.stage, &mut self.orders, record, url).await
            }
            Verb::Leave => {
                self.stage
                    .violation("<Leave> belongs in the wait document of a queue");
                Ok(Flow::Next)
            }
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

    async fn gather(&mut self, gather: Gather) -> Result<Flow, Order> {
        for prompt in &gather.prompts {
            self.hear(prompt).await?;
        }
        let key = self.stage.account.options.caller_presses;
        let pressed = press(&self.stage, gather, key, self.url.as_ref());
        let source = interruptible(&mut self.orders, pressed).await?;
        Ok(source.map_or(Flow::Next, Flow::Replace))
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

    async fn end(self, reason: EndReason) {
        let Self { stage, orders, .. } = self;
        drop(orders);
        if reason == EndReason::ApplicationError {
            let text = "We are sorry, an application error has occurred. Goodbye.".to_owned();
            stage.record(CarrierEvent::SpokenToCaller { text });
        }
        {
            let mut state = lock(&stage.call.state);
            state.status = CallStatus::Ended(LegStatus::Completed);
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
            parameters.extend(owned([
                ("CallDuration", &seconds.to_string()),
                ("CallbackSource", "call-progress-events"),
                ("SequenceNumber", "0"),
                ("Timestamp", &Utc::now().rfc2822()),
            ]));
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
