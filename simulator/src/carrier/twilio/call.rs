//! One live call: what its executor, its streams and the REST API share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::twiml::Callback;
use crate::carrier::caller::CallerView;
use crate::carrier::event::{LegStatus, Purpose};
use crate::carrier::lock::lock;
use crate::recording::Recording;

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

/// Who began a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// A caller.
    Inbound,
    /// The REST API; its other party is a human.
    OutboundApi,
}

impl Direction {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::OutboundApi => "outbound-api",
        }
    }
}

/// Twilio's `CallStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallStatus {
    Queued,
    Ringing,
    InProgress,
    Ended(LegStatus),
}

impl CallStatus {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Ended(status) => status.as_str(),
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
    pub(super) direction: Direction,
    /// What the caller says; nothing in a call that the REST API created.
    pub(super) recording: Recording,
    pub(super) sid: Arc<str>,
    pub(super) placed: Instant,
    pub(super) view: watch::Sender<CallerView>,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) state: Mutex<CallState>,
    pub(super) background: Mutex<JoinSet<()>>,
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
    pub(super) fn new(recording: Recording, direction: Direction) -> (Self, mpsc::Receiver<Order>) {
        let (orders, receiver) = mpsc::channel(16);
        let (view, _) = watch::channel(CallerView::default());
        let state = CallState {
            status: match direction {
                Direction::Inbound => CallStatus::Ringing,
                Direction::OutboundApi => CallStatus::Queued,
            },
            notifications: Vec::new(),
            rewrites_in_flight: Vec::new(),
            rewrites: Vec::new(),
            forks: BTreeMap::new(),
            stream_names: Vec::new(),
            played_lines: 0,
            had_stream: false,
        };
        let call = Self {
            direction,
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

    pub(super) fn set_status(&self, status: CallStatus) {
        lock(&self.state).status = status;
    }
}
