//! The recognizer itself: accepting connections, and what can be read and awaited from outside.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use super::connection;
use super::options::{Fault, FaultKind, RecognizerOptions, Speaker};
use crate::witness::{NotSeen, Observed};

/// A listening stand-in for Deepgram; dropping it closes every connection.
#[derive(Debug)]
pub struct Recognizer {
    address: SocketAddr,
    shared: Shared,
    accepting: AbortHandle,
}

/// What the accept loop and all connections share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) options: Arc<RecognizerOptions>,
    pub(super) observed: Observed<State>,
}

/// Everything a recognizer saw and did.
#[derive(Debug, Default)]
pub struct State {
    /// Accepted connections, in order of arrival; refused upgrades are only in the log.
    pub connections: Vec<Connection>,
    /// Everything that happened, in order.
    pub log: Vec<Stamped>,
    /// One sentence for every rule that the client broke.
    pub violations: Vec<String>,
    pub(super) faults: Vec<Fault>,
    pub(super) tracks: HashMap<(String, Option<Speaker>), Track>,
    pub(super) next_number: usize,
}

/// The audio of one speaker of one call, over all its connections.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) end_bytes: u64,
    pub(super) audio: Vec<u8>,
}

/// One accepted WebSocket.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Counts upgrades, refused ones too, from 1.
    pub number: usize,
    /// From `extra=call:…`; empty when left out.
    pub call: String,
    /// From `extra=speaker:…`.
    pub speaker: Option<Speaker>,
    /// The query as decoded.
    pub query: Vec<(String, String)>,
    /// Sent back as `dg-request-id`.
    pub request_id: String,
    /// Bytes of audio received.
    pub audio_bytes: u64,
    /// Where in the call's audio its first byte lies, in milliseconds.
    pub origin_ms: u64,
    /// Text messages received: type, and milliseconds of audio before it.
    pub controls: Vec<(String, u64)>,
    /// How it ended, once it has.
    pub ended: Option<Ending>,
}

impl Connection {
    /// Whether a text message of that type has arrived.
    pub fn has_control(&self, kind: &str) -> bool {
        self.controls.iter().any(|(known, _)| known == kind)
    }
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Ending {
    /// The recognizer closed it: 1000 after `CloseStream`, else an error or a fault.
    Closed {
        /// Close code.
        code: u16,
    },
    /// The client sent a close frame of its own.
    ClosedByPeer {
        /// Close code, when the frame had one.
        code: Option<u16>,
    },
    /// The client went away without a close frame.
    Dropped,
    /// A fault reset the connection.
    Cut,
    /// A fault stopped reading.
    Stalled,
}

/// Something that happened, with the moment at which it did.
#[derive(Debug, Clone)]
pub struct Stamped {
    /// Monotonic time.
    pub at: Instant,
    /// What happened.
    pub event: Event,
}

/// One entry of the log; never contains a transcript.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A WebSocket was accepted.
    Connected {
        /// Number of the connection.
        connection: usize,
        /// Call it belongs to.
        call: String,
        /// Speaker it carries.
        speaker: Option<Speaker>,
    },
    /// An upgrade was answered with an HTTP error.
    Refused {
        /// Number of the connection.
        connection: usize,
        /// Status code.
        status: u16,
    },
    /// A text message arrived.
    Control {
        /// Number of the connection.
        connection: usize,
        /// Its type.
        kind: String,
        /// Milliseconds of audio before it.
        audio_ms: u64,
    },
    /// A message left.
    Sent {
        /// Number of the connection.
        connection: usize,
        /// Its type.
        kind: String,
        /// Whether it was a final.
        is_final: bool,
        /// Milliseconds of audio before it.
        audio_ms: u64,
    },
    /// A fault happened.
    Faulted {
        /// Number of the connection.
        connection: usize,
        /// Its kind.
        fault: String,
    },
    /// A connection ended.
    Ended {
        /// Number of the connection.
        connection: usize,
        /// Audio received on it.
        audio_bytes: u64,
        /// How it ended.
        ending: Ending,
    },
    /// The client broke a rule.
    Violation {
        /// Which, in one sentence.
        sentence: String,
    },
}

impl State {
    pub(super) fn record(&mut self, event: Event) {
        self.log.push(Stamped {
            at: Instant::now(),
            event,
        });
    }

    pub(super) fn violate(&mut self, sentence: String) {
        self.violations.push(sentence.clone());
        self.record(Event::Violation { sentence });
    }

    /// Uses up one occurrence of the first fault that fits.
    pub(super) fn take_fault(&mut self, speaker: Option<Speaker>) -> Option<FaultKind> {
        let fits = |fault: &&mut Fault| {
            fault.times > 0 && (fault.speaker.is_none() || fault.speaker == speaker)
        };
        let fault = self.faults.iter_mut().find(fits)?;
        fault.times -= 1;
        Some(fault.kind.clone())
    }
}

impl Recognizer {
    /// Binds and begins to accept.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(options: RecognizerOptions) -> std::io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let state = State {
            faults: options.faults.clone(),
            ..State::default()
        };
        let shared = Shared {
            options: Arc::new(options),
            observed: Observed::new(state),
        };
        let accepting = tokio::spawn(accept(listener, shared.clone())).abort_handle();
        Ok(Self {
            address,
            shared,
            accepting,
        })
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, `ws://HOST:PORT`, to which a client adds `/v1/listen`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The state, to be read or waited on.
    pub fn observed(&self) -> &Observed<State> {
        &self.shared.observed
    }

    /// Adds faults for connections still to come.
    pub fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared
            .observed
            .update(|state| state.faults.extend(faults));
    }

    /// Every accepted connection so far.
    pub fn connections(&self) -> Vec<Connection> {
        self.shared.observed.read(|state| state.connections.clone())
    }

    /// Every rule broken so far.
    pub fn violations(&self) -> Vec<String> {
        self.shared.observed.read(|state| state.violations.clone())
    }

    /// All audio of one speaker of a call in call order, replays counted once; needs `keep_audio`.
    pub fn audio(&self, call: &str, speaker: Speaker) -> Vec<u8> {
        let key = (call.to_owned(), Some(speaker));
        self.shared.observed.read(|state| {
            state
                .tracks
                .get(&key)
                .map(|track| track.audio.clone())
                .unwrap_or_default()
        })
    }

    /// Waits until `look` finds what it wants in the state.
    ///
    /// # Errors
    /// [`NotSeen`] when the deadline passes first.
    pub async fn wait_for<T>(
        &self,
        within: Duration,
        what: &str,
        look: impl FnMut(&State) -> Option<T>,
    ) -> Result<T, NotSeen> {
        self.shared.observed.wait_for(within, what, look).await
    }
}

impl Drop for Recognizer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            continue;
        };
        let number = shared.observed.update(|state| {
            state.next_number += 1;
            state.next_number
        });
        connections.spawn(connection::serve(socket, shared.clone(), number));
        while connections.try_join_next().is_some() {}
    }
}
