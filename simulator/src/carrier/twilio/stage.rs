//! Everything that happens in a call happens through its stage: the log, the webhooks, the carrier's time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::account::Account;
use super::call::{Call, CallStatus, Notification};
use super::twiml::{self, Base, Callback, Document, Reading};
use super::webhook::{self, NoAnswer};
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::human::Human;
use crate::carrier::lock::lock;
use crate::carrier::outside::{Answer, Place};

/// How long sockets and callbacks of an ended call may take to finish.
const SETTLING: Duration = Duration::from_secs(5);

/// A call on its account: everything that happens in a call happens through this.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) account: Arc<Account>,
    pub(super) call: Arc<Call>,
}

impl Stage {
    pub(super) fn record(&self, event: CarrierEvent) {
        self.account.log.record(Some(&self.call.sid), event);
    }

    pub(super) fn violation(&self, sentence: impl Into<String>) {
        self.record(CarrierEvent::Violation {
            sentence: sentence.into(),
        });
    }

    pub(super) fn notify(&self, code: u32, message: impl Into<String>) {
        lock(&self.call.state).notifications.push(Notification {
            code,
            message: message.into(),
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

    /// The parameters that every request about this call carries.
    /// Source: <https://www.twilio.com/docs/voice/twiml>, request parameters, read 2026-11-21.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        let recording = &self.call.recording;
        let status = self.call.status();
        let standard = [
            ("AccountSid", self.account.options.account_sid.as_str()),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", &self.call.sid),
            ("CallStatus", status.as_str()),
            ("Called", &recording.to),
            ("Caller", &recording.from),
            ("Direction", self.call.direction.as_str()),
            ("From", &recording.from),
            ("To", &recording.to),
        ];
        let standard = standard
            .into_iter()
            .filter(|(name, _)| !recording.webhook.contains_key(*name));
        let standard = standard.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let extra = recording
            .webhook
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()));
        standard.chain(extra).chain(self.of_sip()).collect()
    }

    /// What a call from a SIP telephone has besides.
    fn of_sip(&self) -> Vec<(String, String)> {
        let Some(address) = self.call.recording.from.strip_prefix("sip:") else {
            return Vec::new();
        };
        let domain = address.split_once('@').map_or("", |(_, domain)| domain);
        vec![
            ("SipCallId".to_owned(), format!("{}@sip", self.call.sid)),
            ("SipDomain".to_owned(), domain.to_owned()),
            ("SipSourceIp".to_owned(), "192.0.2.1".to_owned()),
        ]
    }

    /// What the human at this address does.
    pub(super) fn human_at(&self, address: &str) -> Human {
        let recorded = self.call.recording.human;
        self.account.options.human_at(address, recorded)
    }

    /// How many seconds of the carrier's time have passed since then.
    pub(super) fn seconds_since(&self, then: Instant) -> u64 {
        let passed = self.account.options.speed.carrier(then.elapsed());
        passed.as_secs_f64().round() as u64
    }

    /// Fetches a document and reads it. `None` when there is none to execute.
    pub(super) async fn fetch(
        &self,
        purpose: Purpose,
        callback: &Callback,
        parameters: &[(String, String)],
    ) -> Option<Document> {
        let body = self.ask(purpose, callback, parameters).await?;
        self.checked(twiml::read(&body, Base::Fetched(&callback.url)))
    }

    /// Notes the faults of a document and gives what can be executed of it.
    pub(super) fn checked(&self, reading: Reading) -> Option<Document> {
        for fault in reading.faults {
            self.violation(fault);
        }
        if reading.document.is_none() {
            self.notify(12100, "Document parse failure");
        }
        reading.document
    }

    /// Makes a request, or the same twice when the options say so. The body, if it can be used.
    pub(super) async fn ask(
        &self,
        purpose: Purpose,
        callback: &Callback,
        parameters: &[(String, String)],
    ) -> Option<String> {
        let body = self.ask_once(purpose, callback, parameters).await?;
        if !self.asks_twice(purpose) {
            return Some(body);
        }
        let again = self.ask_once(purpose, callback, parameters).await?;
        if purpose.wants_document() && again != body {
            let what = if purpose == Purpose::Voice {
                "the voice webhook"
            } else {
                &callback.url
            };
            self.violation(format!(
                "{what}, asked twice for one call, gave different documents"
            ));
        }
        Some(again)
    }

    fn asks_twice(&self, purpose: Purpose) -> bool {
        let options = &self.account.options;
        match purpose {
            Purpose::Voice => options.voice_webhook_twice,
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
            | Purpose::CallStatus => options.duplicate_callbacks,
            Purpose::Rewrite
            | Purpose::Redirect
            | Purpose::Wait
            | Purpose::Created
            | Purpose::Whisper => false,
        }
    }

    /// Makes a request and checks the answer against what Twilio takes. The body, if it can be used.
    async fn ask_once(
        &self,
        purpose: Purpose,
        callback: &Callback,
        parameters: &[(String, String)],
    ) -> Option<String> {
        let url = callback.url.clone();
        let place = self.account.outside.place(&url);
        if place == Place::Elsewhere && purpose != Purpose::Redirect {
            self.violation(format!(
                "{url} is not below the public URL, and only a <Redirect> may lead elsewhere"
            ));
        }
        self.record(CarrierEvent::WebhookPosted {
            purpose,
            url: url.clone(),
            parameters: parameters.to_vec(),
        });
        let Account {
            outside, options, ..
        } = self.account.as_ref();
        match webhook::request(outside, &options.auth_token, callback, parameters).await {
            Ok(answer) => self.judge(purpose, url, answer),
            Err(NoAnswer { code, reason }) => {
                self.notify(code, &reason);
                self.record(CarrierEvent::WebhookFailed {
                    purpose,
                    url,
                    code,
                    reason,
                });
                None
            }
        }
    }

    fn judge(&self, purpose: Purpose, url: String, answer: Answer) -> Option<String> {
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
        if !purpose.wants_document() {
            if !(200..300).contains(&status) {
                self.notify(11200, format!("{url} answered {status}"));
                self.violation(format!("{url} answered a status callback with {status}"));
            }
            return Some(body);
        }
        if (300..400).contains(&status) {
            self.violation(format!(
                "{url} answered {status}: Twilio follows it with GET and the parameters are lost"
            ));
        } else if status != 200 {
            self.violation(format!(
                "{url} answered {status} where a document was asked for (11200)"
            ));
        }
        if status != 200 {
            self.notify(11200, format!("{url} answered {status}"));
            return None;
        }
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !["text/xml", "application/xml"].contains(&essence) {
            self.notify(12300, format!("{url} answered {content_type}"));
            self.violation(format!(
                "{url} answered with content type {content_type:?}, not text/xml (12300)"
            ));
            return None;
        }
        Some(body)
    }

    /// Runs work that the call waits for when it is over, and for nothing before.
    pub(super) fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        lock(&self.call.background).spawn(work);
    }

    /// Waits for the work in the background, and says so if it does not finish.
    pub(super) async fn settle(&self) {
        let finished = tokio::time::timeout(SETTLING, async {
            loop {
                let mut work = std::mem::take(&mut *lock(&self.call.background));
                if work.is_empty() {
                    return;
                }
                while let Some(done) = work.join_next().await {
                    if let Err(error) = done {
                        tracing::error!(%error, "work of a call failed");
                    }
                }
            }
        });
        if finished.await.is_err() {
            self.violation(
                "a media socket was still open, or a callback unanswered, 5 s after the call ended",
            );
        }
    }
}
