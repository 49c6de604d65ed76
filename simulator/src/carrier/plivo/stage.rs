//! A call on its account: everything that happens in a call happens through this.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::account::Account;
use super::call::{Call, CallStatus, Party};
use super::webhook::{self, codes};
use super::xml::{self, Document};
use crate::carrier::callback::{Callback, Method};
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::human::Human;
use crate::carrier::lock::lock;
use crate::carrier::outside::{Answer, Place, Unanswered, form_decoded};

/// What the answer to a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// It is executed.
    Document,
    /// It is ignored.
    Acknowledgement,
}

/// A call and its account.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) account: Arc<Account>,
    pub(super) call: Arc<Call>,
}

impl Stage {
    pub(super) fn record(&self, event: CarrierEvent) {
        self.account.log.record(Some(&self.call.uuid), event);
    }

    pub(super) fn violation(&self, sentence: impl Into<String>) {
        self.record(CarrierEvent::Violation {
            sentence: sentence.into(),
        });
    }

    /// The wall time that a span of the carrier's time takes.
    pub(super) fn wall(&self, span: Duration) -> Duration {
        self.account.options.speed.wall(span)
    }

    /// Picks up, if the line still rings.
    pub(super) fn answer(&self) {
        let mut state = lock(&self.call.state);
        if state.status == CallStatus::Ringing {
            state.status = CallStatus::InProgress;
        }
    }

    /// Who sits at a number or SIP URI that this call rings.
    pub(super) fn human_at(&self, address: &str) -> Human {
        let account = &self.account;
        account.human_at(address, || match &self.call.party {
            Party::Caller(recording) => recording.human.into(),
            Party::Human(_) => account.last_recorded_human(),
        })
    }

    /// The key that whoever is on the line presses when they are asked for one.
    pub(super) fn pressed(&self) -> Option<char> {
        match &self.call.party {
            Party::Caller(_) => self.account.options.caller_presses,
            Party::Human(human) => human.presses(),
        }
    }

    pub(super) fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.call.in_background(work);
    }

    /// Does work to its end, also when nobody waits for what comes of it any longer.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (sender, outcome) = oneshot::channel();
        self.in_background(async move {
            // Nobody waits when the call went on meanwhile.
            let _ = sender.send(work.await);
        });
        outcome
    }

    /// The parameters that every request about this call carries.
    /// Source: <https://www.plivo.com/docs/voice/xml/>, read 2026-11-21.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        owned(&[
            ("ALegRequestUUID", &self.call.uuid),
            ("ALegUUID", &self.call.uuid),
            ("CallStatus", self.call.status().as_str()),
            ("CallUUID", &self.call.uuid),
            ("Direction", self.call.direction()),
            ("From", bare(&self.call.from)),
            ("To", bare(&self.call.to)),
        ])
    }

    /// Fetches a document and reads it. `None` when there is none to execute.
    pub(super) async fn fetch(
        &self,
        purpose: Purpose,
        callback: &Callback,
        parameters: &[(String, String)],
    ) -> Option<Document> {
        let mut body = self.ask(purpose, callback, parameters).await;
        if purpose == Purpose::Voice {
            body = self.answered(callback, parameters, body).await;
        }
        let body = body?;
        if purpose == Purpose::Rewrite {
            let url = callback.url.clone();
            lock(&self.call.state).fetched_transfers.insert(url);
        }
        let reading = xml::read(&body);
        for fault in reading.faults {
            self.violation(fault);
        }
        if reading.document.is_none() {
            self.note_code(codes(purpose).1);
        }
        reading.document
    }

    /// What the answer webhook gave in the end: asked again if so configured, or its fallback.
    async fn answered(
        &self,
        callback: &Callback,
        parameters: &[(String, String)],
        first: Option<String>,
    ) -> Option<String> {
        let options = &self.account.options;
        let Some(first) = first else {
            let path = options.fallback_path.as_ref()?;
            let fallback = Callback {
                url: self.account.outside.below_public(path),
                method: Method::Post,
            };
            return self.ask(Purpose::Voice, &fallback, parameters).await;
        };
        if !options.voice_webhook_twice {
            return Some(first);
        }
        let again = self.ask(Purpose::Voice, callback, parameters).await?;
        if again != first {
            self.violation(
                "the answer webhook, asked twice for one call, gave different documents",
            );
        }
        Some(again)
    }

    /// Makes a request and checks the answer against what Plivo takes. The body, if it can be used.
    pub(super) async fn ask(
        &self,
        purpose: Purpose,
        callback: &Callback,
        parameters: &[(String, String)],
    ) -> Option<String> {
        let wanted = if purpose.wants_document() {
            Wanted::Document
        } else {
            Wanted::Acknowledgement
        };
        self.request(purpose, wanted, callback, parameters).await
    }

    /// Makes a request whose answer is ignored, whatever it is asked for.
    pub(super) async fn tell(
        &self,
        purpose: Purpose,
        callback: &Callback,
        parameters: &[(String, String)],
    ) {
        self.request(purpose, Wanted::Acknowledgement, callback, parameters)
            .await;
    }

    /// Makes a request once, or twice where a carrier that doubts its arrival may.
    async fn request(
        &self,
        purpose: Purpose,
        wanted: Wanted,
        callback: &Callback,
        parameters: &[(String, String)],
    ) -> Option<String> {
        let first = self
            .request_once(purpose, wanted, callback, parameters)
            .await?;
        if !self.account.options.duplicate_callbacks || !is_posted_twice(purpose) {
            return Some(first);
        }
        let again = self
            .request_once(purpose, wanted, callback, parameters)
            .await?;
        if wanted == Wanted::Document && again != first {
            self.violation(format!(
                "{} was asked twice for one action and gave different documents",
                callback.url
            ));
        }
        Some(again)
    }

    async fn request_once(
        &self,
        purpose: Purpose,
        wanted: Wanted,
        callback: &Callback,
        parameters: &[(String, String)],
    ) -> Option<String> {
        let url = callback.url.clone();
        self.judge_url(purpose, callback, parameters);
        let mut retries = match wanted {
            Wanted::Document => self.account.options.webhook_retries,
            Wanted::Acknowledgement => 0,
        };
        loop {
            self.record(CarrierEvent::WebhookPosted {
                purpose,
                url: url.clone(),
                parameters: parameters.to_vec(),
            });
            match webhook::request(&self.account, callback, parameters).await {
                Ok(answer) => return self.judge(purpose, wanted, url, answer),
                Err(
                    Unanswered::Malformed(reason)
                    | Unanswered::Unreachable(reason)
                    | Unanswered::Broken(reason),
                ) => {
                    let code = codes(purpose).0;
                    self.note_code(code);
                    self.record(CarrierEvent::WebhookFailed {
                        purpose,
                        url: url.clone(),
                        code,
                        reason,
                    });
                }
            }
            if retries == 0 {
                return None;
            }
            retries -= 1;
        }
    }

    fn judge_url(&self, purpose: Purpose, callback: &Callback, parameters: &[(String, String)]) {
        let url = &callback.url;
        if self.account.outside.place(url) == Place::Elsewhere && purpose != Purpose::Redirect {
            self.violation(format!(
                "{url} is not below the public URL, and only a <Redirect> may lead elsewhere"
            ));
        }
        let query = url.split_once('?').map_or("", |(_, query)| query);
        for (name, _) in form_decoded(query) {
            if parameters.iter().any(|(sent, _)| *sent == name) {
                self.violation(format!(
                    "the query of {url} has {name:?}, which Plivo sends too: its libraries disagree on the signature"
                ));
            }
        }
    }

    fn judge(
        &self,
        purpose: Purpose,
        wanted: Wanted,
        url: String,
        answer: Answer,
    ) -> Option<String> {
        let Answer {
            status,
            content_type,
            body,
            after,
        } = answer;
        let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        self.record(CarrierEvent::WebhookAnswered {
            purpose,
            url: url.clone(),
            status,
            after_ms,
            document: body.clone(),
        });
        if wanted == Wanted::Acknowledgement {
            if !(200..300).contains(&status) {
                self.violation(format!("{url} answered a callback with {status}"));
            }
            return Some(body);
        }
        let (unfetched, unread) = codes(purpose);
        if status != 200 {
            self.note_code(unfetched);
            self.violation(format!(
                "{url} answered {status} where a document was asked for ({unfetched})"
            ));
            return None;
        }
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !["text/xml", "application/xml"].contains(&essence) {
            self.note_code(unread);
            self.violation(format!(
                "{url} answered with content type {content_type:?}, not text/xml or application/xml ({unread})"
            ));
            return None;
        }
        Some(body)
    }

    fn note_code(&self, code: u32) {
        lock(&self.call.state).fault_code = Some(code);
    }
}

/// Whether a request tells of something that happened, so that the same may be told again.
fn is_posted_twice(purpose: Purpose) -> bool {
    match purpose {
        Purpose::DialAction
        | Purpose::ConnectAction
        | Purpose::GatherAction
        | Purpose::RecordAction
        | Purpose::ConferenceAction
        | Purpose::EnqueueAction
        | Purpose::ReferAction
        | Purpose::LegStatus
        | Purpose::StreamStatus
        | Purpose::RecordStatus
        | Purpose::ConferenceStatus
        | Purpose::CallStatus => true,
        Purpose::Voice
        | Purpose::Created
        | Purpose::Rewrite
        | Purpose::Redirect
        | Purpose::Wait
        | Purpose::Whisper => false,
    }
}

/// A number as Plivo writes it in webhooks: without the plus sign.
pub(super) fn bare(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

pub(super) fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
