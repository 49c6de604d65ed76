//! One live call: what its executor, its stream and the REST API share.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::account::uuid;
use super::xml::Document;
use crate::carrier::callback::Callback;
use crate::carrier::caller::CallerView;
use crate::carrier::event::{EndReason, Purpose};
use crate::carrier::lock::lock;
use crate::recording::Recording;

/// How long sockets and callbacks of an ended call may take to finish.
const SETTLING: Duration = Duration::from_secs(5);

/// What the REST API or the caller wants of a call.
#[derive(Debug)]
pub(super) enum Order {
    Transfer(Callback),
    End(EndReason),
}

/// Where the next document comes from.
#[derive(Debug)]
pub(super) enum Source {
    Fetch {
        purpose: Purpose,
        callback: Callback,
        parameters: Vec<(String, String)>,
    },
    /// It is being fetched already.
    Fetching(oneshot::Receiver<Option<Document>>),
}

/// Plivo's `CallStatus`, as far as inbound calls have it.
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

/// The stream of the call. Dropping it ends the stream.
#[derive(Debug)]
pub(super) struct RunningStream {
    pub(super) id: String,
    /// Nothing is sent on it.
    pub(super) _control: mpsc::Sender<()>,
    pub(super) ended: watch::Receiver<bool>,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) recording: Recording,
    pub(super) uuid: Arc<str>,
    pub(super) placed: Instant,
    pub(super) view: watch::Sender<CallerView>,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) state: Mutex<CallState>,
    background: Mutex<JoinSet<()>>,
}

#[derive(Debug)]
pub(super) struct CallState {
    pub(super) status: CallStatus,
    /// Why the last document could not be had or read, in Plivo's numbers.
    pub(super) fault_code: Option<u32>,
    /// URLs of transfers that are being answered.
    pub(super) transfers_in_flight: Vec<String>,
    /// How many transfers were accepted.
    pub(super) transfers: usize,
    /// URLs of transfers whose document was fetched.
    pub(super) fetched_transfers: BTreeSet<String>,
    pub(super) stream: Option<RunningStream>,
    /// Up to which line the recording has been played by some stream.
    pub(super) played_lines: usize,
}

impl Call {
    pub(super) fn new(recording: Recording) -> (Self, mpsc::Receiver<Order>) {
        let (orders, receiver) = mpsc::channel(16);
        let (view, _) = watch::channel(CallerView::default());
        let state = CallState {
            status: CallStatus::Ringing,
            fault_code: None,
            transfers_in_flight: Vec::new(),
            transfers: 0,
            fetched_transfers: BTreeSet::new(),
            stream: None,
            played_lines: 0,
        };
        let digits = recording.call_sid.trim_start_matches("CA").to_owned();
        let call = Self {
            uuid: uuid(std::iter::once(digits)).into(),
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

    /// Runs work that the call waits for when it is over, and for nothing before.
    pub(super) fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        lock(&self.background).spawn(work);
    }

    /// Waits for the work in the background; false when it does not finish in time.
    pub(super) async fn settle(&self) -> bool {
        let finished = tokio::time::timeout(SETTLING, async {
            loop {
                let mut work = std::mem::take(&mut *lock(&self.background));
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
        finished.await.is_ok()
    }
}
