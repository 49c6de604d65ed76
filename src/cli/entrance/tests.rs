//! The door with real connections, and limits so short that a test can wait for them.

use std::future::ready;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::extract::ws::WebSocketUpgrade;
use axum::routing::{any, get};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::{Limits, serve};
use crate::session::LowWater;

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(10);
/// Longer than a test may take to get to its point on a busy machine.
const LONG: Duration = Duration::from_secs(600);
const PATIENT: Limits = Limits {
    first_request: LONG,
    idle: LONG,
    connections: 1_000,
};
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const HALF: &[u8] = b"POST /twilio/voice HTTP/1.1\r\nHost: x\r\nX-";

struct Open {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "ended with the runtime of the test"
)]
async fn open(limits: Limits, router: Router) -> Open {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(false);
    let served = tokio::spawn(serve(listener, router, limits, stopping));
    Open {
        address,
        stop,
        served,
    }
}

fn greeting() -> Router {
    Router::new().route("/", get(|_: ConnectInfo<LowWater>| ready("hello")))
}

impl Open {
    async fn connect(&self, first: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(first).await.unwrap();
        stream
    }

    async fn stopped(self) {
        self.stop.send(true).unwrap();
        timeout(DEADLINE, self.served).await.unwrap().unwrap();
    }
}

/// Reads until these words have come.
async fn says(stream: &mut TcpStream, words: &str) {
    let mut heard = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&heard).contains(words) {
            let read = stream.read_buf(&mut heard).await.unwrap();
            assert_ne!(
                read,
                0,
                "closed after {:?}",
                String::from_utf8_lossy(&heard)
            );
        }
    };
    timeout(DEADLINE, reading).await.unwrap();
}

/// Waits until the server has closed the connection, in whatever way.
async fn is_closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    if let Err(error) = timeout(DEADLINE, stream.read_to_end(&mut rest))
        .await
        .unwrap()
    {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn half_a_head_and_nothing_at_all_are_cut() {
    let limits = Limits {
        first_request: Duration::from_millis(100),
        ..PATIENT
    };
    let door = open(limits, greeting()).await;
    for first in [HALF, b""] {
        let began = Instant::now();
        is_closed(&mut door.connect(first).await).await;
        assert!(began.elapsed() >= limits.first_request);
    }
    door.stopped().await;
}

#[tokio::test]
async fn a_head_that_drips_is_cut() {
    let limits = Limits {
        first_request: Duration::from_millis(200),
        ..PATIENT
    };
    let door = open(limits, greeting()).await;
    let mut slow = door.connect(HALF).await;
    let mut drip = tokio::time::interval(Duration::from_millis(20));
    let dripping = async {
        loop {
            drip.tick().await;
            if slow.write_all(b"a").await.is_err() {
                break;
            }
        }
    };
    timeout(DEADLINE, dripping)
        .await
        .expect("the connection is cut");
    door.stopped().await;
}

#[tokio::test]
async fn after_a_request_a_connection_may_idle_and_then_is_closed() {
    let limits = Limits {
        first_request: Duration::from_millis(50),
        idle: Duration::from_millis(400),
        ..PATIENT
    };
    let door = open(limits, greeting()).await;
    let mut kept = door.connect(REQUEST).await;
    let began = Instant::now();
    says(&mut kept, "hello").await;
    is_closed(&mut kept).await;
    assert!(began.elapsed() >= limits.idle);
    let mut half_again = door.connect(&[REQUEST, HALF].concat()).await;
    says(&mut half_again, "hello").await;
    is_closed(&mut half_again).await;
    door.stopped().await;
}

#[tokio::test]
async fn strangers_in_the_door_do_not_keep_others_out() {
    let limits = Limits {
        connections: 20,
        ..PATIENT
    };
    let door = open(limits, greeting()).await;
    let mut strangers = Vec::new();
    for _ in 0..200 {
        strangers.push(door.connect(HALF).await);
    }
    for _ in 0..30 {
        says(&mut door.connect(REQUEST).await, "hello").await;
    }
    for stranger in &mut strangers[..180] {
        is_closed(stranger).await;
    }
    door.stopped().await;
}

#[tokio::test]
async fn a_connection_that_asks_again_and_again_is_kept_among_strangers() {
    let limits = Limits {
        connections: 20,
        ..PATIENT
    };
    let door = open(limits, greeting()).await;
    let mut kept = door.connect(REQUEST).await;
    says(&mut kept, "hello").await;
    let mut strangers = Vec::new();
    for _ in 0..20 {
        for _ in 0..10 {
            strangers.push(door.connect(HALF).await);
        }
        kept.write_all(REQUEST).await.unwrap();
        says(&mut kept, "hello").await;
    }
    door.stopped().await;
}

#[tokio::test]
async fn a_media_socket_is_no_connection_in_the_door_any_more() {
    let echo = any(|upgrade: WebSocketUpgrade| {
        ready(upgrade.on_upgrade(async |mut socket| {
            while let Some(Ok(message)) = socket.recv().await {
                socket.send(message).await.unwrap();
            }
        }))
    });
    let limits = Limits {
        first_request: Duration::from_millis(100),
        idle: Duration::from_millis(100),
        connections: 5,
    };
    let door = open(limits, greeting().route("/media", echo)).await;
    let mut media = door
        .connect(
            b"GET /media HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
    says(&mut media, "101 Switching Protocols").await;
    // Older than everybody who is cut here, and of no interest to either limit.
    for _ in 0..10 {
        is_closed(&mut door.connect(HALF).await).await;
    }
    let mut crowd = Vec::new();
    for _ in 0..30 {
        crowd.push(door.connect(b"").await);
    }
    is_closed(&mut crowd[0]).await;
    // A masked text frame, "hello" under a mask of zeros.
    media.write_all(b"\x81\x85\0\0\0\0hello").await.unwrap();
    says(&mut media, "\u{5}hello").await;
    door.stopped().await;
}

#[tokio::test]
async fn stopping_closes_the_idle_and_lets_an_answer_be_given() {
    static ASKED: Notify = Notify::const_new();
    static ANSWER: Notify = Notify::const_new();
    let slow = get(async || {
        ASKED.notify_one();
        ANSWER.notified().await;
        "at last"
    });
    let door = open(PATIENT, greeting().route("/slow", slow)).await;
    let mut silent = door.connect(b"").await;
    let mut half = door.connect(HALF).await;
    let mut idle = door.connect(REQUEST).await;
    says(&mut idle, "hello").await;
    let mut asking = door.connect(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    timeout(DEADLINE, ASKED.notified()).await.unwrap();
    door.stop.send(true).unwrap();
    for closed in [&mut silent, &mut half, &mut idle] {
        is_closed(closed).await;
    }
    assert!(!door.served.is_finished());
    ANSWER.notify_one();
    says(&mut asking, "at last").await;
    timeout(DEADLINE, door.served).await.unwrap().unwrap();
}

#[test]
fn calls_keep_most_of_the_descriptors() {
    let Limits { connections, .. } = Limits::of_this_process();
    assert!((16..=1_024).contains(&connections), "{connections}");
}
