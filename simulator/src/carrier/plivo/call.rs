//! One live call: what its executor, its stream and the REST API share.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::account::uuid;
use super::phone::Unanswered;
use super::xml::Document;
use crate::carrier::callback::Callback;
use crate::carrier::caller::CallerView;
use crate::carrier::event::{EndReason, Purpose};
use crate::carrier::human::Human;
use crate::carrier::lock::lock;
use crate::recording::{Line, Recording};

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

/// Plivo's `CallStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallStatus {
    Ringing,
    InProgress,
    Completed,
    Unanswered(Unanswered),
}

impl CallStatus {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Unanswered(why) => why.call_status(),
        }
    }

    pub(super) fn is_over(self) -> bool {
        match self {
            Self::Ringing | Self::InProgress => false,
            Self::Completed | Self::Unanswered(_) => true,
        }
    }
}

/// Who is at the other end of a call.
#[derive(Debug)]
pub(super) enum Party {
    /// They dialled the number, and say what was recorded.
    Caller(Recording),
    /// Their phone is rung, because the REST API said so.
    Human(Human),
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
    pub(super) uuid: Arc<str>,
    pub(super) party: Party,
    pub(super) from: String,
    pub(super) to: String,
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
    /// Whether the human of this call was joined to somebody.
    pub(super) bridged: bool,
    /// Up to which line the recording has been played by some stream.
    pub(super) played_lines: usize,
}

impl Call {
    /// A call whose CallUUID is made of the hexadecimal digits of the recording's id.
    pub(super) fn placed(recording: Recording) -> (Arc<Self>, mpsc::Receiver<Order>) {
        let digits = recording.call_sid.trim_start_matches("CA").to_owned();
        let (from, to) = (recording.from.clone(), recording.to.clone());
        let uuid = uuid(std::iter::once(digits));
        Self::new(uuid, Party::Caller(recording), from, to)
    }

    /// A call that the REST API made.
    pub(super) fn created(
        uuid: String,
        human: Human,
        from: String,
        to: String,
    ) -> (Arc<Self>, mpsc::Receiver<Order>) {
        Self::new(uuid, Party::Human(human), from, to)
    }

    fn new(
        uuid: String,
        party: Party,
        from: String,
        to: String,
    ) -> (Arc<Self>, mpsc::Receiver<Order>) {
        let (orders, receiver) = mpsc::channel(16);
        let (view, _) = watch::channel(CallerView::default());
        let state = CallState {
            status: CallStatus::Ringing,
            fault_code: None,
            transfers_in_flight: Vec::new(),
            transfers: 0,
            fetched_transfers: BTreeSet::new(),
            stream: None,
            bridged: false,
            played_lines: 0,
        };
        let call = Self {
            uuid: uuid.into(),
            party,
            from,
            to,
            placed: Instant::now(),
            view,
            orders,
            state: Mutex::new(state),
            background: Mutex::default(),
        };
        (Arc::new(call), receiver)
    }

    pub(super) fn direction(&self) -> &'static str {
        match &self.party {
            Party::Caller(_) => "inbound",
            Party::Human(_) => "outbound",
        }
    }

    /// The messages of the recording. A human whose phone was rung says nothing that is heard.
    pub(super) fn lines(&self) -> &[Line] {
        match &self.party {
            Party::Caller(recording) => recording.lines(),
            Party::Human(_) => &[],
        }
    }

    /// Hangs up when this is a human who does so at the first words.
    pub(super) fn bears_whisper(&self) -> Result<(), Order> {
        match &self.party {
            Party::Human(human) if human.hangs_up_in_whisper() => {
                Err(Order::End(EndReason::CallerHungUp))
            }
            Party::Human(_) | Party::Caller(_) => Ok(()),
        }
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
