//! One live call: what its executor, its streams and the REST API share.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::account::Account;
use super::twiml::{self, Base, Callback, Document, Reading};
use super::webhook::{self, NoAnswer};
use crate::carrier::caller::CallerView;
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::lock::lock;
use crate::carrier::outside::{Answer, Place};
use crate::recording::Recording;

/// How long sockets and callbacks of an ended call may take to finish.
const SETTLING: Duration = Duration::from_secs(5);

/// What the REST API or the caller wants of a call.
#[derive(Debug)]
pub(super) enum Order {
    Rewrite(Source),
    Complete,
    CallerHangsUp,
}

/// Where the next document comes from.
#[derive(Debug)]
pub(super) enum Source {
    Fetch {
        purpose: Purpose,
        callback: Callback,
        parameters: Vec<(String, String)>,
    },
    Inline(String),
}

/// Twilio's `CallStatus`, as far as inbound calls have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallStatus {
    Ringing,
    InProgress,
    Completed,
}

impl CallStatus {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
        }
    }
}

/// An entry of the call's `Notifications.json`.
#[derive(Debug, Clone)]
pub(super) struct Notification {
    pub(super) code: u32,
    pub(super) message: String,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) recording: Recording,
    pub(super) sid: Arc<str>,
    pub(super) placed: Instant,
    pub(super) view: watch::Sender<CallerView>,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) state: Mutex<CallState>,
    background: Mutex<JoinSet<()>>,
}

/// A fork that was begun. Dropping it ends the fork.
#[derive(Debug)]
pub(super) struct Fork {
    pub(super) sid: String,
    pub(super) tracks: usize,
    /// Closed when the fork has ended; nothing is sent on it.
    pub(super) control: mpsc::Sender<()>,
}

#[derive(Debug)]
pub(super) struct CallState {
    pub(super) status: CallStatus,
    pub(super) notifications: Vec<Notification>,
    /// Documents of rewrites that are being answered.
    pub(super) rewrites_in_flight: Vec<String>,
    /// Documents of rewrites that were carried out.
    pub(super) rewrites: Vec<String>,
    /// Forks by name, or by sid when they have none.
    pub(super) forks: BTreeMap<String, Fork>,
    /// Names of streams that the call had.
    pub(super) stream_names: Vec<String>,
    /// Up to which line the recording has been played by some stream.
    pub(super) played_lines: usize,
    /// Whether a stream has been opened.
    pub(super) had_stream: bool,
}

impl Call {
    pub(super) fn new(recording: Recording) -> (Self, mpsc::Receiver<Order>) {
        let (orders, receiver) = mpsc::channel(16);
        let (view, _) = watch::channel(CallerView::default());
        let state = CallState {
            status: CallStatus::Ringing,
            notifications: Vec::new(),
            rewrites_in_flight: Vec::new(),
            rewrites: Vec::new(),
            forks: BTreeMap::new(),
            stream_names: Vec::new(),
            played_lines: 0,
            had_stream: false,
        };
        let call = Self {
            sid: recording.call_sid.as_str().into(),
            recording,
            placed: Instant::now(),
            view,
            orders,
            state: Mutex::new(state),
            background: Mutex::default(),
        };
        (call, receiver)
    }

    /// Drops the work in the background, which holds the call itself.
    pub(super) fn abandon(&self) {
        lock(&self.background).abort_all();
    }

    pub(super) fn status(&self) -> CallStatus {
        lock(&self.state).status
    }
}

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
            ("Direction", "inbound"),
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
        standard.chain(extra).collect()
    }

    /// Fetches a document and reads it. `None` when there is none to execute.
    pub(super) async fn fetch(
        &self,
        purpose: Purpose,
        callback: &Callback,
        parameters: &[(String, String)],
    ) -> Option<Document> {
        let mut body = self.ask(purpose, callback, parameters).await?;
        if purpose == Purpose::Voice && self.account.options.voice_webhook_twice {
            let again = self.ask(purpose, callback, parameters).await?;
            if again != body {
                self.violation(
                    "the voice webhook, asked twice for one call, gave different documents",
                );
            }
            body = again;
        }
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

    /// Makes a request and checks the answer against what Twilio takes. The body, if it can be used.
    pub(super) async fn ask(
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
