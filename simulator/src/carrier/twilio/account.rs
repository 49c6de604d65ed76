//! The stand-in Twilio account: its calls, and the handle that tests hold.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::call::{Call, Direction, Order};
use super::conference::Rooms;
use super::options::CarrierOptions;
use super::queue::Queues;
use super::stage::Stage;
use super::{executor, rest};
use crate::carrier::connection::{CutSwitch, CuttableListener};
use crate::carrier::event::CarrierEvent;
use crate::carrier::fault::{FaultPlan, RestFault};
use crate::carrier::lock::lock;
use crate::carrier::log::{EventLog, Logged, WaitTimedOut};
use crate::carrier::outside::Outside;
use crate::carrier::placed::{DuplicateCall, PlacedCall};
use crate::recording::Recording;

/// A running stand-in Twilio. Dropping it ends its REST API and its calls.
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
        let faults = Mutex::new(FaultPlan::new(options.rest_faults.clone()));
        let create_faults = Mutex::new(FaultPlan::new(options.create_faults.clone()));
        let log = EventLog::start();
        let account = Arc::new(Account {
            options,
            outside,
            log: log.clone(),
            calls: Mutex::default(),
            faults,
            create_faults,
            rooms: Rooms::default(),
            queues: Queues::default(),
            tasks: Mutex::default(),
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

    /// Plans a fault for the next call creations, after those already planned.
    pub fn add_create_fault(&self, fault: RestFault) {
        lock(&self.account.create_faults).add(fault);
    }

    /// Lets a caller dial the number and plays the recording into whatever the documents say.
    ///
    /// # Errors
    ///
    /// [`DuplicateCall`] when a call with the recording's id was placed before.
    pub fn place_call(&self, recording: &Recording) -> Result<PlacedCall, DuplicateCall> {
        let mut recording = recording.clone();
        if let Some(caller) = &self.account.options.caller {
            recording.from.clone_from(caller);
        }
        let (stage, orders) = Account::begin(&self.account, recording, Direction::Inbound)?;
        let call_sid = Arc::clone(&stage.call.sid);
        let (settle, settled) = watch::channel(false);
        self.account.spawn(async move {
            executor::run(stage, orders).await;
            settle.send_replace(true);
        });
        Ok(PlacedCall {
            call_sid,
            log: self.account.log.clone(),
            settled,
        })
    }

    /// Lets the caller hang up. Nothing happens when the call is over.
    pub async fn hang_up(&self, call: &PlacedCall) {
        if let Some(call) = self.account.call(call.call_sid()) {
            // Nobody takes the order when the call ended just before.
            let _ = call.orders.send(Order::CallerHangsUp).await;
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
        lock(&self.account.tasks).abort_all();
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
    pub(super) create_faults: Mutex<FaultPlan>,
    pub(super) rooms: Rooms,
    pub(super) queues: Queues,
    tasks: Mutex<JoinSet<()>>,
    sids: AtomicU64,
}

impl Account {
    pub(super) fn call(&self, sid: &str) -> Option<Arc<Call>> {
        lock(&self.calls).get(sid).cloned()
    }

    /// Whether a human's phone may show this number: the account's own, a called one or a caller's.
    pub(super) fn may_show(&self, number: &str) -> bool {
        let is_known = |call: &Arc<Call>| {
            call.direction == Direction::Inbound
                && [call.recording.from.as_str(), &call.recording.to].contains(&number)
        };
        let owned = self.options.owned_numbers.iter();
        owned.into_iter().any(|owned| owned == number) || lock(&self.calls).values().any(is_known)
    }

    /// Takes a call in. It has still to be run.
    pub(super) fn begin(
        account: &Arc<Self>,
        recording: Recording,
        direction: Direction,
    ) -> Result<(Stage, mpsc::Receiver<Order>), DuplicateCall> {
        let (call, orders) = Call::new(recording, direction);
        let call = Arc::new(call);
        let mut calls = lock(&account.calls);
        if calls.contains_key(&call.sid) {
            return Err(DuplicateCall {
                call_sid: call.sid.to_string(),
            });
        }
        calls.insert(Arc::clone(&call.sid), Arc::clone(&call));
        drop(calls);
        let stage = Stage {
            account: Arc::clone(account),
            call,
        };
        Ok((stage, orders))
    }

    /// Runs work that ends with the account at the latest.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        lock(&self.tasks).spawn(work);
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
