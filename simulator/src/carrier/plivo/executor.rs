//! Runs a call's documents element by element, until something better comes or nothing is left.

use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::sleep;

use super::call::{CallStatus, Order, Source};
use super::dial;
use super::stage::Stage;
use super::xml::{Conference, Document, Element, GetInput, Prompt, Record};
use crate::carrier::callback::{Callback, Method};
use crate::carrier::caller::patience;
use crate::carrier::event::{CarrierEvent, EndReason, Purpose};
use crate::carrier::interrupt::interruptible;
use crate::carrier::lock::lock;
use crate::carrier::speech::{PLAYED_FILE, spoken};

/// No sensible call runs through more documents than this; a redirect to itself does.
const MOST_DOCUMENTS: usize = 100;

/// What follows an element.
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
    let mut source = Source::Fetch {
        purpose: Purpose::Voice,
        callback: Callback {
            url,
            method: Method::Post,
        },
        parameters: vec![("Event".to_owned(), "StartApp".to_owned())],
    };
    let mut executor = Executor { stage, orders };
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

pub(super) struct Executor {
    pub(super) stage: Stage,
    pub(super) orders: Receiver<Order>,
}

impl Executor {
    async fn document(&mut self, source: Source) -> Flow {
        let document = match self.obtain(source).await {
            Ok(Some(document)) => document,
            Ok(None) => return Flow::End(EndReason::ApplicationError),
            Err(order) => return follow(order),
        };
        for element in document.elements {
            match self.element(element).await {
                Ok(Flow::Next) => {}
                Ok(flow @ (Flow::Replace(_) | Flow::End(_))) => return flow,
                Err(order) => return follow(order),
            }
        }
        Flow::Next
    }

    async fn obtain(&mut self, source: Source) -> Result<Option<Document>, Order> {
        self.stage.call.view.send_modify(|view| {
            view.busy = true;
            view.documents += 1;
        });
        match source {
            Source::Fetching(document) => {
                let fetched = interruptible(&mut self.orders, document).await?;
                // A fetch that was abandoned gave no document.
                Ok(fetched.ok().flatten())
            }
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

    async fn element(&mut self, element: Element) -> Result<Flow, Order> {
        match &element {
            Element::PreAnswer(_) | Element::Redirect(_) | Element::Hangup { .. } => {}
            Element::Stream(_)
            | Element::Dial(_)
            | Element::Prompt(_)
            | Element::GetInput(_)
            | Element::Wait(_)
            | Element::Record(_)
            | Element::Conference(_) => self.stage.answer(),
        }
        self.stage.call.view.send_modify(|view| view.busy = true);
        match element {
            Element::Stream(stream) => self.stream(stream).await,
            Element::Dial(dial) => dial::run(&self.stage, &mut self.orders, dial).await,
            Element::Prompt(prompt) => {
                self.hear(&prompt).await?;
                Ok(Flow::Next)
            }
            Element::PreAnswer(prompts) => {
                if self.stage.call.status() != CallStatus::Ringing {
                    self.stage
                        .violation("<PreAnswer> in a call that was answered before");
                }
                for prompt in &prompts {
                    self.hear(prompt).await?;
                }
                Ok(Flow::Next)
            }
            Element::GetInput(input) => self.input(input).await,
            Element::Wait(length) => {
                self.stage.call.view.send_modify(|view| view.busy = false);
                interruptible(&mut self.orders, sleep(self.stage.wall(length))).await?;
                Ok(Flow::Next)
            }
            Element::Record(record) => self.record(record).await,
            Element::Conference(conference) => self.conference(conference).await,
            Element::Redirect(callback) => Ok(Flow::Replace(Source::Fetch {
                purpose: Purpose::Redirect,
                callback,
                parameters: Vec::new(),
            })),
            Element::Hangup { refuses, after } => Ok(self.hang_up(refuses, after)),
        }
    }

    fn hang_up(&self, refuses: bool, after: Option<Duration>) -> Flow {
        if let Some(after) = after {
            let stage = self.stage.clone();
            self.stage.in_background(async move {
                tokio::select! {
                    () = sleep(stage.wall(after)) => {
                        // Nobody takes the order when the call ended just before.
                        let _ = stage.call.orders.send(Order::End(EndReason::HungUp)).await;
                    }
                    () = stage.call.orders.closed() => {}
                }
            });
            return Flow::Next;
        }
        let rings = self.stage.call.status() == CallStatus::Ringing;
        if refuses && !rings {
            self.stage
                .violation("<Hangup reason> in a call that was answered before");
        }
        Flow::End(if refuses && rings {
            EndReason::Rejected
        } else {
            EndReason::HungUp
        })
    }

    async fn input(&mut self, input: GetInput) -> Result<Flow, Order> {
        for prompt in &input.prompts {
            self.hear(prompt).await?;
        }
        interruptible(&mut self.orders, sleep(self.stage.wall(input.timeout))).await?;
        // The caller of a recording presses nothing here. UNCONFIRMED what Plivo does without input; its
        // pages let the document go on.
        Ok(Flow::Next)
    }

    async fn record(&mut self, record: Record) -> Result<Flow, Order> {
        let parameters = |seconds: u64| {
            vec![
                ("RecordingID".to_owned(), self.stage.account.new_uuid()),
                ("RecordingDuration".to_owned(), seconds.to_string()),
            ]
        };
        if record.whole_session {
            return Ok(Flow::Next);
        }
        let told = parameters(record.max_length.as_secs());
        interruptible(&mut self.orders, sleep(self.stage.wall(record.max_length))).await?;
        if let Some(callback) = record.callback {
            self.notify(Purpose::RecordStatus, callback, told.clone());
        }
        Ok(self.after(Purpose::RecordAction, record.action, record.redirect, told))
    }

    /// Puts the caller in the room, where nobody else comes.
    async fn conference(&mut self, conference: Conference) -> Result<Flow, Order> {
        let of_room = |action: &str| {
            vec![
                ("ConferenceName".to_owned(), conference.room.clone()),
                ("ConferenceAction".to_owned(), action.to_owned()),
            ]
        };
        if let Some(callback) = conference.callback.clone() {
            self.notify(Purpose::ConferenceStatus, callback, of_room("enter"));
        }
        self.stage.call.view.send_modify(|view| view.busy = false);
        let stay = sleep(self.stage.wall(conference.time_limit));
        let stayed = interruptible(&mut self.orders, stay).await;
        if let Some(callback) = conference.callback.clone() {
            self.notify(Purpose::ConferenceStatus, callback, of_room("exit"));
        }
        stayed?;
        let told = of_room("exit");
        let Conference {
            action, redirect, ..
        } = conference;
        Ok(self.after(Purpose::ConferenceAction, action, redirect, told))
    }

    /// What follows an element with an `action` and a `redirect`.
    fn after(
        &self,
        purpose: Purpose,
        action: Option<Callback>,
        redirect: bool,
        parameters: Vec<(String, String)>,
    ) -> Flow {
        match action {
            Some(callback) if redirect => Flow::Replace(Source::Fetch {
                purpose,
                callback,
                parameters,
            }),
            Some(callback) => {
                self.notify(purpose, callback, parameters);
                Flow::Next
            }
            None => Flow::Next,
        }
    }

    fn notify(&self, purpose: Purpose, callback: Callback, parameters: Vec<(String, String)>) {
        notify(&self.stage, purpose, callback, parameters);
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
        let Self { stage, orders } = self;
        drop(orders);
        let fault_code = {
            let mut state = lock(&stage.call.state);
            state.status = CallStatus::Completed;
            state.stream = None;
            state.fault_code
        };
        stage.record(CarrierEvent::CallEnded { reason });
        if let Some(path) = &stage.account.options.call_status_path {
            let callback = Callback {
                url: stage.account.outside.below_public(path),
                method: Method::Post,
            };
            let mut parameters = stage.parameters();
            let lasted = stage.call.placed.elapsed();
            let seconds = stage.account.options.speed.carrier(lasted).as_secs();
            let (cause, code) = hangup_cause(reason, fault_code);
            parameters.extend([
                ("BillDuration".to_owned(), seconds.to_string()),
                ("Duration".to_owned(), seconds.to_string()),
                ("Event".to_owned(), "Hangup".to_owned()),
                ("HangupCause".to_owned(), cause.to_owned()),
                ("HangupCauseCode".to_owned(), code.to_string()),
            ]);
            stage.ask(Purpose::CallStatus, &callback, &parameters).await;
        }
        if !stage.call.settle().await {
            stage.violation(
                "a media socket was still open, or a callback unanswered, 5 s after the call ended",
            );
        }
    }
}

/// Posts in the background and ignores the answer.
pub(super) fn notify(
    stage: &Stage,
    purpose: Purpose,
    callback: Callback,
    parameters: Vec<(String, String)>,
) {
    let stage = stage.clone();
    stage.clone().in_background(async move {
        let mut all = stage.parameters();
        all.extend(parameters);
        stage.tell(purpose, &callback, &all).await;
    });
}

/// Plivo's words for the end of a call. UNCONFIRMED: the parameter that has the code, and the codes of
/// hanging up; those of documents are in Plivo's list.
fn hangup_cause(reason: EndReason, fault_code: Option<u32>) -> (&'static str, u32) {
    match reason {
        EndReason::DocumentRanOut => ("End Of XML Instructions", 4010),
        EndReason::HungUp | EndReason::CallerHungUp => ("NORMAL_CLEARING", 4000),
        EndReason::CompletedByRest => ("API Request", 4020),
        EndReason::Rejected => ("CALL_REJECTED", 3010),
        EndReason::LoopDetected => ("Loop detected", 3040),
        EndReason::ApplicationError => ("Error", fault_code.unwrap_or_default()),
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
            let _ = stage.call.orders.send(Order::End(EndReason::CallerHungUp)).await;
        }
        () = stage.call.orders.closed() => {}
    }
}

fn follow(order: Order) -> Flow {
    match order {
        Order::Transfer(callback) => Flow::Replace(Source::Fetch {
            purpose: Purpose::Rewrite,
            callback,
            parameters: Vec::new(),
        }),
        Order::End(reason) => Flow::End(reason),
    }
}

/// What is heard of a prompt.
pub(super) fn text_of(prompt: &Prompt) -> Option<&str> {
    match prompt {
        Prompt::Speak(text) | Prompt::Play(text) => Some(text),
        Prompt::Silence(_) => None,
    }
}

/// How much of the carrier's time a prompt takes.
pub(super) fn length_of(prompt: &Prompt) -> Duration {
    match prompt {
        Prompt::Speak(text) => spoken(text),
        Prompt::Play(_) => PLAYED_FILE,
        Prompt::Silence(length) => *length,
    }
}
