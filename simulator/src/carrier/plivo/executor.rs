//! Runs a call's documents element by element, until something better comes or nothing is left.

use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::sleep;

use super::call::{CallStatus, Order, Party, Source};
use super::dial;
use super::prompts::{length_of, text_of};
use super::stage::{Stage, owned};
use super::xml::{Document, Element, GetInput, Prompt};
use crate::carrier::callback::Callback;
use crate::carrier::event::{CarrierEvent, EndReason, Purpose};
use crate::carrier::interrupt::interruptible;

/// No sensible call runs through more documents than this; a redirect to itself does.
const MOST_DOCUMENTS: usize = 100;

/// What follows an element.
#[derive(Debug)]
pub(super) enum Flow {
    Next,
    Replace(Source),
    End(EndReason),
}

pub(super) struct Executor {
    pub(super) stage: Stage,
    pub(super) orders: Receiver<Order>,
}

impl Executor {
    /// Goes from document to document until the call is over.
    pub(super) async fn follow(&mut self, first: Flow) -> EndReason {
        let mut flow = first;
        for _ in 0..MOST_DOCUMENTS {
            match flow {
                Flow::Next => return EndReason::DocumentRanOut,
                Flow::End(reason) => return reason,
                Flow::Replace(source) => flow = self.document(source).await,
            }
        }
        self.stage.violation(format!(
            "the call went through {MOST_DOCUMENTS} documents and found no end"
        ));
        EndReason::ApplicationError
    }

    async fn document(&mut self, source: Source) -> Flow {
        let document = match self.obtain(source).await {
            Ok(Some(document)) => document,
            Ok(None) => return Flow::End(EndReason::ApplicationError),
            Err(order) => return obey(order),
        };
        for element in document.elements {
            match self.element(element).await {
                Ok(Flow::Next) => {}
                Ok(flow @ (Flow::Replace(_) | Flow::End(_))) => return flow,
                Err(order) => return obey(order),
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
            | Element::Conference(_)
            | Element::MultiPartyCall(_) => self.stage.answer(),
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
            Element::Conference(conference) => self.visit(conference.into()).await,
            Element::MultiPartyCall(entry) => self.visit(entry.into()).await,
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
        let Some(key) = self.stage.pressed() else {
            interruptible(&mut self.orders, sleep(self.stage.wall(input.timeout))).await?;
            // UNCONFIRMED what Plivo does without input; its pages let the document go on.
            return Ok(Flow::Next);
        };
        let told = owned(&[("Digits", &key.to_string()), ("InputType", "dtmf")]);
        let action = Some(input.action);
        Ok(self.after(Purpose::GatherAction, action, input.redirect, told))
    }

    /// What follows an element with an `action` and a `redirect`.
    pub(super) fn after(
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

    pub(super) fn notify(
        &self,
        purpose: Purpose,
        callback: Callback,
        parameters: Vec<(String, String)>,
    ) {
        notify(&self.stage, purpose, callback, parameters);
    }

    /// Lets whoever is on the line hear a prompt.
    async fn hear(&mut self, prompt: &Prompt) -> Result<(), Order> {
        if let Some(text) = text_of(prompt) {
            let text = text.to_owned();
            self.stage.record(match self.stage.call.party {
                Party::Caller(_) => CarrierEvent::SpokenToCaller { text },
                Party::Human(_) => CarrierEvent::SpokenToHuman { text },
            });
        }
        let length = self.stage.wall(length_of(prompt));
        interruptible(&mut self.orders, sleep(length)).await?;
        self.stage.call.bears_whisper()
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

/// What an order that cut an element short makes of the call.
pub(super) fn obey(order: Order) -> Flow {
    match order {
        Order::Transfer(callback) => Flow::Replace(Source::Fetch {
            purpose: Purpose::Rewrite,
            callback,
            parameters: Vec::new(),
        }),
        Order::End(reason) => Flow::End(reason),
    }
}
