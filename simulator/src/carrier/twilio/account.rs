//! The stand-in Twilio account: its options, its calls and the handle that tests hold.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::call::{Call, Stage};
use super::{executor, rest};
use crate::carrier::caller::AfterRecording;
use crate::carrier::connection::{CutSwitch, CuttableListener};
use crate::carrier::event::CarrierEvent;
use crate::carrier::fault::{FaultKind, FaultPlan, RestFault};
use crate::carrier::human::Human;
use crate::carrier::lock::lock;
use crate::carrier::log::{EventLog, Logged, WaitTimedOut};
use crate::carrier::outside::Outside;
use crate::carrier::placed::{DuplicateCall, PlacedCall};
use crate::carrier::speed::Speed;
use crate::recording::Recording;

/// How the stand-in Twilio is set up.
#[derive(Debug, Clone)]
pub struct CarrierOptions {
    /// `AC…`. Webhooks, streams and the REST path carry this one, whatever the recording says.
    pub account_sid: String,
    /// The account's primary token: signs webhooks and opens the REST API.
    pub auth_token: String,
    /// `SK…` and its secret, which open the REST API too.
    pub api_key: Option<(String, String)>,
    /// The URL at which the server believes it is reached, such as `https://handoff.example.com`.
    pub public_url: String,
    /// Where the server really listens.
    pub connect: SocketAddr,
    /// Path of the voice webhook.
    pub voice_path: String,
    /// Asks the voice webhook twice, as Twilio does when it doubts that the first request arrived.
    /// Different answers are a violation; the second is executed.
    pub voice_webhook_twice: bool,
    /// Path of the number's status callback, asked once when a call is over.
    pub call_status_path: Option<String>,
    /// Where the REST API and the bot webhook listen.
    pub listen: SocketAddr,
    /// How fast recordings are played and the carrier's time passes.
    pub speed: Speed,
    /// What the human does; by default what the recording says.
    pub human: Option<Human>,
    /// Numbers of the account besides the one that was called: allowed as caller id.
    pub owned_numbers: Vec<String>,
    /// What the bot webhook answers.
    pub bot_document: String,
    /// What the number's fallback URL answers, which is somebody else's (a TwiML Bin, say): taken once
    /// in a call, when a document cannot be had. Without one such a call ends with an error.
    pub fallback_document: Option<String>,
    /// What the caller does when the recording is at its end.
    pub after_recording: AfterRecording,
    /// Faults of live-call updates, in order.
    pub rest_faults: Vec<RestFault>,
    /// How long each REST request takes, in wall time.
    pub rest_delay: Duration,
    /// How long from a `<Dial>` until the phone rings, in wall time.
    pub ring_delay: Duration,
    /// How long a webhook may take; Twilio allows 15 s.
    pub webhook_deadline: Duration,
}

impl CarrierOptions {
    /// Options for a server at `connect` that believes to be reached at `public_url`, with the rest as
    /// most tests want it: real time, the recording's human, no faults, no delays.
    #[must_use]
    pub fn new(
        account_sid: impl Into<String>,
        auth_token: impl Into<String>,
        public_url: impl Into<String>,
        connect: SocketAddr,
    ) -> Self {
        Self {
            account_sid: account_sid.into(),
            auth_token: auth_token.into(),
            api_key: None,
            public_url: public_url.into(),
            connect,
            voice_path: "/twilio/voice".into(),
            voice_webhook_twice: false,
            call_status_path: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            speed: Speed::Times(1.0),
            human: None,
            owned_numbers: Vec::new(),
            bot_document: r#"<Response><Pause length="3600"/></Response>"#.into(),
            fallback_document: None,
            after_recording: AfterRecording::WaitForHandoff {
                grace: Duration::from_secs(2),
            },
            rest_faults: Vec::new(),
            rest_delay: Duration::ZERO,
            ring_delay: Duration::ZERO,
            webhook_deadline: Duration::from_secs(15),
        }
    }
}

/// A running stand-in Twilio. Dropping it ends its REST API and its calls.
#[derive(Debug)]
pub struct Carrier {
    account: Arc<Account>,
    address: SocketAddr,
    server: JoinHandle<()>,
    calls: Mutex<Vec<JoinHandle<()>>>,
}

impl Carrier {
    /// Starts the REST API and the bot webhook.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on or the public URL is not a URL.
    pub async fn start(options: CarrierOptions) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let outside = Outside::new(
            &options.public_url,
            options.connect,
            address,
            rest::BOT_PATH,
            options.webhook_deadline,
        )?;
        let faults = Mutex::new(FaultPlan::new(options.rest_faults.clone()));
        let log = EventLog::start();
        let account = Arc::new(Account {
            options,
            outside,
            log: log.clone(),
            calls: Mutex::default(),
            faults,
            sids: AtomicU64::new(0),
        });
        let router = rest::router(Arc::clone(&account));
        let server = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<CutSwitch>();
            if let Err(error) = axum::serve(CuttableListener(listener), service).await {
                tracing::error!(%error, "the REST API stopped");
            }
        });
        let carrier = Self {
            account,
            address,
            server,
            calls: Mutex::default(),
        };
        let event = CarrierEvent::Listening {
            service: "twilio",
            url: carrier.base_url(),
            bot_url: carrier.bot_url(),
        };
        log.record(None, event);
        Ok(carrier)
    }

    /// Base URL of the REST API, in place of `https://api.twilio.com`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The webhook of the voice agent that answered the line before.
    #[must_use]
    pub fn bot_url(&self) -> String {
        format!("http://{}{}", self.address, rest::BOT_PATH)
    }

    /// Connects to another address from the next request on, as when a server is restarted.
    pub fn set_connect(&self, address: SocketAddr) {
        self.account.outside.set_connect(address);
    }

    /// Plans a fault for the next live-call updates, after those already planned.
    pub fn add_rest_fault(&self, fault: RestFault) {
        lock(&self.account.faults).add(fault);
    }

    /// Lets a caller dial the number and plays the recording into whatever the documents say.
    ///
    /// # Errors
    ///
    /// [`DuplicateCall`] when a call with the recording's id was placed before.
    pub fn place_call(&self, recording: &Recording) -> Result<PlacedCall, DuplicateCall> {
        let (call, orders) = Call::new(recording.clone());
        let call = Arc::new(call);
        let sid = Arc::clone(&call.sid);
        let mut calls = lock(&self.account.calls);
        if calls.contains_key(&sid) {
            return Err(DuplicateCall {
                call_sid: sid.to_string(),
            });
        }
        calls.insert(Arc::clone(&sid), Arc::clone(&call));
        drop(calls);
        let (settle, settled) = watch::channel(false);
        let stage = Stage {
            account: Arc::clone(&self.account),
            call,
        };
        let task = tokio::spawn(async move {
            executor::run(stage, orders).await;
            settle.send_replace(true);
        });
        lock(&self.calls).push(task);
        Ok(PlacedCall {
            call_sid: sid,
            log: self.account.log.clone(),
            settled,
        })
    }

    /// Everything seen and done so far.
    #[must_use]
    pub fn log(&self) -> &EventLog {
        &self.account.log
    }

    /// Waits for the first event that satisfies `wanted`, looking at past events first.
    ///
    /// # Errors
    ///
    /// [`WaitTimedOut`], whose message shows the log.
    pub async fn wait_for(
        &self,
        wanted: impl FnMut(&Logged) -> bool,
        deadline: Duration,
    ) -> Result<Logged, WaitTimedOut> {
        self.account.log.wait_for(wanted, deadline).await
    }

    /// The rules the server broke, of every call.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.account.log.violations()
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.server.abort();
        for call in lock(&self.calls).iter() {
            call.abort();
        }
        for call in lock(&self.account.calls).values() {
            call.abandon();
        }
    }
}

/// What all calls of the account share.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) options: CarrierOptions,
    pub(super) outside: Outside,
    pub(super) log: EventLog,
    pub(super) calls: Mutex<BTreeMap<Arc<str>, Arc<Call>>>,
    pub(super) faults: Mutex<FaultPlan>,
    sids: AtomicU64,
}

impl Account {
    pub(super) fn call(&self, sid: &str) -> Option<Arc<Call>> {
        lock(&self.calls).get(sid).cloned()
    }

    pub(super) fn next_fault(&self) -> Option<FaultKind> {
        lock(&self.faults).next()
    }

    /// An id that no other thing of the account has.
    pub(super) fn new_sid(&self, prefix: &str, seed: &str) -> String {
        let number = self.sids.fetch_add(1, Ordering::Relaxed);
        sid(prefix, &format!("{seed}/{number}"))
    }
}

/// A well-formed id that depends on the seed only.
pub(super) fn sid(prefix: &str, seed: &str) -> String {
    let hash = Sha256::digest(seed.as_bytes());
    let hex: String = hash
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{prefix}{hex}")
}
