//! The stand-in Plivo account: its calls and the handle that tests hold.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::call::{Call, Order, Party};
use super::options::CarrierOptions;
use super::room::Rooms;
use super::stage::{Stage, bare};
use super::{incoming, rest};
use crate::carrier::connection::{CutSwitch, CuttableListener};
use crate::carrier::event::{CarrierEvent, EndReason};
use crate::carrier::fault::{FaultKind, FaultPlan, RestFault};
use crate::carrier::human::Human;
use crate::carrier::lock::lock;
use crate::carrier::log::{EventLog, Logged, WaitTimedOut};
use crate::carrier::outside::Outside;
use crate::carrier::placed::{DuplicateCall, PlacedCall};
use crate::recording::Recording;

/// A running stand-in Plivo. Dropping it ends its REST API and its calls.
#[derive(Debug)]
pub struct Carrier {
    account: Arc<Account>,
    address: SocketAddr,
    server: JoinHandle<()>,
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
        let log = EventLog::start();
        let account = Arc::new(Account {
            faults: Mutex::new(FaultPlan::new(options.rest_faults.clone())),
            create_faults: Mutex::new(FaultPlan::new(options.create_faults.clone())),
            options,
            outside,
            log: log.clone(),
            calls: Mutex::default(),
            executors: Mutex::default(),
            rooms: Rooms::default(),
            ids: AtomicU64::new(0),
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
        };
        let event = CarrierEvent::Listening {
            service: "plivo",
            url: carrier.base_url(),
            bot_url: carrier.bot_url(),
        };
        log.record(None, event);
        Ok(carrier)
    }

    /// Base URL of the REST API, in place of `https://api.plivo.com`.
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

    /// Plans a fault for the next transfers and hangups over REST, after those already planned.
    pub fn add_rest_fault(&self, fault: RestFault) {
        lock(&self.account.faults).add(fault);
    }

    /// Plans a fault for the next calls and participants made over REST, after those already planned.
    pub fn add_create_fault(&self, fault: RestFault) {
        lock(&self.account.create_faults).add(fault);
    }

    /// Lets a caller dial the number and plays the recording into whatever the documents say. The
    /// CallUUID is made of the hexadecimal digits of the recording's id.
    ///
    /// # Errors
    ///
    /// [`DuplicateCall`] when a call with the recording's id was placed before.
    pub fn place_call(&self, recording: &Recording) -> Result<PlacedCall, DuplicateCall> {
        let (call, orders) = Call::placed(recording.clone());
        let uuid = Arc::clone(&call.uuid);
        if !self.account.admit(&call) {
            return Err(DuplicateCall {
                call_sid: uuid.to_string(),
            });
        }
        let (settle, settled) = watch::channel(false);
        self.account.run(call, |stage| async move {
            incoming::run(stage, orders).await;
            settle.send_replace(true);
        });
        Ok(PlacedCall {
            call_sid: uuid,
            log: self.account.log.clone(),
            settled,
        })
    }

    /// Lets the caller hang up. Nothing happens when the call is over.
    pub async fn hang_up(&self, call: &PlacedCall) {
        if let Some(call) = self.account.call(call.call_sid()) {
            // Nobody takes the order when the call ended just before.
            let _ = call.orders.send(Order::End(EndReason::CallerHungUp)).await;
        }
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
        for executor in lock(&self.account.executors).iter() {
            executor.abort();
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
    executors: Mutex<Vec<JoinHandle<()>>>,
    pub(super) rooms: Rooms,
    faults: Mutex<FaultPlan>,
    create_faults: Mutex<FaultPlan>,
    ids: AtomicU64,
}

impl Account {
    pub(super) fn call(&self, uuid: &str) -> Option<Arc<Call>> {
        lock(&self.calls).get(uuid).cloned()
    }

    /// Makes a call known; false when its CallUUID is taken.
    pub(super) fn admit(&self, call: &Arc<Call>) -> bool {
        let mut calls = lock(&self.calls);
        let free = !calls.contains_key(&call.uuid);
        if free {
            calls.insert(Arc::clone(&call.uuid), Arc::clone(call));
        }
        free
    }

    /// Plays a call to its end.
    pub(super) fn run<F>(self: &Arc<Self>, call: Arc<Call>, play: impl FnOnce(Stage) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let account = Arc::clone(self);
        let executor = tokio::spawn(play(Stage { account, call }));
        lock(&self.executors).push(executor);
    }

    /// Who sits at a number or SIP URI.
    pub(super) fn human_at(&self, address: &str, recorded: impl FnOnce() -> Human) -> Human {
        let there = self.options.humans.get(bare(address)).copied();
        there.or(self.options.human).unwrap_or_else(recorded)
    }

    /// What the recording of the call that was placed last says of its human.
    pub(super) fn last_recorded_human(&self) -> Human {
        let calls = lock(&self.calls);
        let placed = calls.values().filter_map(|call| match &call.party {
            Party::Caller(recording) => Some((call.placed, recording.human)),
            Party::Human(_) => None,
        });
        let last = placed.max_by_key(|(at, _)| *at);
        last.map_or(Human::NoAnswer, |(_, human)| human.into())
    }

    /// The fault of the next transfer or hangup.
    pub(super) fn next_fault(&self) -> Option<FaultKind> {
        lock(&self.faults).next()
    }

    /// The fault of the next call or participant.
    pub(super) fn next_create_fault(&self) -> Option<FaultKind> {
        lock(&self.create_faults).next()
    }

    /// An id that no other thing of the account has.
    pub(super) fn new_uuid(&self) -> String {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::digest(format!("{}/{number}", self.options.auth_id));
        uuid(hash.iter().take(16).map(|byte| format!("{byte:02x}")))
    }

    /// Twenty digits that no other request had.
    pub(super) fn new_nonce(&self) -> String {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::digest(format!("{}/{number}", self.options.public_url));
        let value = hash
            .iter()
            .take(8)
            .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        format!("{value:020}")
    }
}

/// Thirty-two hexadecimal digits with dashes where a UUID has them.
pub(super) fn uuid(digits: impl Iterator<Item = String>) -> String {
    let digits: String = digits.collect();
    let mut written = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if [8, 12, 16, 20].contains(&index) {
            written.push('-');
        }
        written.push(digit.to_ascii_lowercase());
    }
    written
}
