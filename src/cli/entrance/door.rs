//! Accepts connections and serves HTTP/1.1 on them, for as long as they are worth it.
//!
//! A connection that became a media socket has left the door: its call's task owns it. Every other
//! one waits for a peer that may be anybody. It has to ask for something soon, may idle for a while
//! after that, and is the first to go when there are too many. So nobody who merely connects can
//! keep the carrier out.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tracing::{debug, error, warn};

use super::connection::Connection;
use super::crowd::{Crowd, Visitor};
use crate::telemetry::metrics::{self, Closed};

/// The largest request head. Carriers send 1 KiB, to which proxies add; hyper would take 400 KiB.
const LARGEST_HEAD: usize = 32 * 1024;

/// How long to leave the kernel alone that has no descriptor left. Those who were sent away meanwhile
/// give theirs back.
const BREATH: Duration = Duration::from_millis(20);

/// Trouble that was quiet for so long is told of again.
const QUIET: Duration = Duration::from_secs(60);

/// How much of the process strangers may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Limits {
    /// How long a new connection may take until the head of its first request is there.
    pub(in crate::cli) first_request: Duration,
    /// How long it may take to the head of each further one, most of which it idles.
    pub(in crate::cli) idle: Duration,
    /// How many connections there may be that are no media sockets.
    pub(in crate::cli) connections: usize,
}

impl Limits {
    /// As many connections as leave three of four descriptors to calls, which need a media socket and
    /// two recognizers each. More than 1,024 are never of use: thousands of calls have a handful of
    /// webhooks under way at a time.
    ///
    /// A head comes in one packet; 10 s is for networks that lose it more than once. Idling outlasts
    /// the minute for which common proxies (nginx, Amazon's load balancers) keep connections to reuse
    /// them: closing first would cost a webhook that is sent at that instant, and so a call.
    pub(in crate::cli) fn of_this_process() -> Self {
        let descriptors = getrlimit(Resource::Nofile).current;
        let quarter = descriptors.map_or(u64::MAX, |descriptors| descriptors / 4);
        Self {
            first_request: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            connections: usize::try_from(quarter)
                .unwrap_or(usize::MAX)
                .clamp(16, 1_024),
        }
    }
}

/// Serves until told to stop, then lets requests under way end. Connections that idle are closed at
/// once; how long the rest may take is the caller's business, who may drop this at any time.
pub(in crate::cli) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stopping: watch::Receiver<bool>,
) {
    let door = Door {
        crowd: Arc::default(),
        router,
        limits,
        stopping: stopping.clone(),
    };
    let mut inside = JoinSet::new();
    let mut trouble = Trouble::default();
    let mut stopped = pin!(stop(stopping));
    loop {
        tokio::select! {
            () = &mut stopped => break,
            Some(ended) = inside.join_next() => settle(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    if door.crowd.len() >= limits.connections {
                        door.make_room(&mut trouble);
                    }
                    let (visitor, sent_away) = door.crowd.enter();
                    inside.spawn(door.receive(stream, visitor, sent_away));
                }
                Err(error) if is_of_the_peer(&error) => debug!(%error, "a peer left before it was accepted"),
                Err(error) => {
                    metrics::accept_failed();
                    trouble.tell(|| error!(%error, "connections cannot be accepted"));
                    door.make_room(&mut trouble);
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
    drop(listener);
    while let Some(ended) = inside.join_next().await {
        settle(ended);
    }
}

/// What connections are served with.
struct Door {
    crowd: Arc<Crowd>,
    router: Router,
    limits: Limits,
    stopping: watch::Receiver<bool>,
}

impl Door {
    fn make_room(&self, trouble: &mut Trouble) {
        if self.crowd.send_one_away() {
            metrics::connection_closed(Closed::Crowded);
            trouble.tell(|| warn!("too many connections; the idle and the slow are closed"));
        }
    }

    /// Serves one connection until it ends, becomes a media socket, or has to go.
    fn receive(
        &self,
        stream: TcpStream,
        visitor: Visitor,
        sent_away: oneshot::Receiver<()>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let Limits {
            first_request,
            idle,
            ..
        } = self.limits;
        let router = TowerToHyperService::new(self.router.clone());
        let stopping = self.stopping.clone();
        async move {
            let connection = Connection::new(stream);
            let low_water = connection.low_water();
            let visitor = &visitor;
            let service = service_fn(|mut request: Request<Incoming>| {
                visitor.on_request();
                let connection = ConnectInfo(low_water.clone());
                request.extensions_mut().insert(connection);
                router.call(request)
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(idle)
                .max_buf_size(LARGEST_HEAD)
                .serve_connection(TokioIo::new(connection), service)
                .with_upgrades();
            let mut served = pin!(served);
            tokio::select! {
                ended = served.as_mut() => note(ended),
                // Dropping it closes the socket.
                _ = sent_away => {}
                () = nothing_asked(visitor, first_request) => {
                    metrics::connection_closed(Closed::NoRequest);
                }
                () = stop(stopping) => if visitor.has_asked() {
                    served.as_mut().graceful_shutdown();
                    note(served.await);
                },
            }
        }
    }
}

/// Ends if the time is up and no request has come.
async fn nothing_asked(visitor: &Visitor, within: Duration) {
    tokio::time::sleep(within).await;
    if visitor.has_asked() {
        std::future::pending().await
    }
}

fn note(ended: hyper::Result<()>) {
    match ended {
        Ok(()) => {}
        Err(error) if error.is_timeout() => metrics::connection_closed(Closed::NoRequest),
        // Its text says what was wrong with the form of it, and nothing of what was sent.
        Err(error) => debug!(%error, "a connection ended early"),
    }
}

fn settle(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        error!("the task of a connection died");
    }
}

/// Whether accepting failed for a reason that ended with the peer's connection.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

async fn stop(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone, and so is the reason to run.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Trouble at the door, of which one line is enough while it lasts.
#[derive(Debug, Default)]
struct Trouble(Option<Instant>);

impl Trouble {
    fn tell(&mut self, tell: impl FnOnce()) {
        let now = Instant::now();
        let lasts = self.0.is_some_and(|last| now - last < QUIET);
        self.0 = Some(now);
        if !lasts {
            tell();
        }
    }
}
