//! Opens the connections of one speaker's recognition, one after the other.

use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::connection::{Connection, Outcome};
use super::count::Counted;
use super::options::{DeepgramOptions, Leg};
use super::policy::{Backoff, Failure, Refusal};
use super::recognition::{CallGone, Next, Recognition};
use super::request::ConnectRequest;
use crate::egress::{Egress, OpenFailure, Socket};
use crate::recognizer::{Feedings, Heard};

/// tungstenite clears it before every read and keeps it for life, so its 128 KiB would cost more
/// than all else. Longer messages get room of their own.
const READ_BUFFER_BYTES: usize = 512;

/// The longest message taken. Half a minute of words with their times is about 16 KiB.
const MESSAGE_BYTES: usize = 256 * 1024;

/// The most that waits in the socket: one frame of audio is 2,000 bytes.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// Connections that are being made at once. A server that comes back, or is deployed, makes thousands:
/// each takes 25 KiB while it is made, and Deepgram counts them too.
const CONNECTING: usize = 128;

/// How long a connection waits for its turn. Where others take longer, it is not for being many:
/// a server that answers nobody must not be found out later because of them.
const TURN: Duration = Duration::from_secs(1);

/// Deepgram, as all calls of the process use it.
#[derive(Debug)]
pub struct Deepgram {
    options: Arc<DeepgramOptions>,
    egress: Egress,
    connecting: Semaphore,
}

impl Deepgram {
    /// Nothing is connected before there is audio.
    pub fn new(options: DeepgramOptions, egress: Egress) -> Self {
        Self {
            options: Arc::new(options),
            egress,
            connecting: Semaphore::new(CONNECTING),
        }
    }
}

/// Recognizes one speaker of one call until `feed` is dropped and its last words are told, the
/// call stops listening to `heard`, or the recognizer refuses for good.
///
/// Connects when the first audio comes: a connection that never got audio is closed by Deepgram
/// whatever else it is sent. After [`Heard::Lost`] with [`LostReason::Refused`] or
/// [`LostReason::Undecodable`] it ends; otherwise it tries on and says [`Heard::Restored`] at the
/// first answer.
///
/// [`LostReason::Refused`]: crate::recognizer::LostReason::Refused
/// [`LostReason::Undecodable`]: crate::recognizer::LostReason::Undecodable
pub async fn start(deepgram: Arc<Deepgram>, leg: Leg, feed: Feedings, heard: mpsc::Sender<Heard>) {
    let options = Arc::clone(&deepgram.options);
    let mut recognition = Recognition::new(options, leg, feed, heard);
    if let Err(CallGone) = recognize(&mut recognition, &deepgram).await {
        tracing::debug!("call does not listen to its recognizer");
    }
}

async fn recognize(recognition: &mut Recognition, deepgram: &Deepgram) -> Result<(), CallGone> {
    // Without randomness from the system, waits are merely the same in every call.
    let seed = getrandom::u64().unwrap_or_default();
    let mut backoff = Backoff::new(recognition.options.reconnect, seed);
    loop {
        while !recognition.backlog.has_audio() {
            if recognition.finish_by().is_some() {
                return Ok(());
            }
            recognition.absorb().await;
        }
        let Some(connected) = connect(recognition, deepgram).await else {
            return Ok(());
        };
        let outcome = match connected {
            Ok(socket) => {
                Counted::Connected.count();
                Connection::new(socket, recognition.options.replay.rate)
                    .run(recognition)
                    .await
            }
            Err(failure) => Outcome::Failed(failure),
        };
        let failure = match outcome {
            Outcome::Finished => return Ok(()),
            Outcome::CallGone => return Err(CallGone),
            Outcome::Failed(failure) => failure,
        };
        match recognition.on_failure(&failure).await? {
            Next::GiveUp => return Ok(()),
            Next::Retry { failures } => {
                let wait = sleep(backoff.delay(failures));
                if recognition.meanwhile(wait).await.is_none() {
                    return Ok(());
                }
            }
        }
    }
}

/// Makes a connection while the feed is absorbed. `None` if the last words are given up first.
async fn connect(
    recognition: &mut Recognition,
    deepgram: &Deepgram,
) -> Option<Result<Box<Socket>, Failure>> {
    let options = Arc::clone(&recognition.options);
    let request = match ConnectRequest::new(&options, &recognition.leg) {
        Ok(request) => request,
        Err(error) => return Some(Err(error.into())),
    };
    if request.keyterms_dropped > 0 {
        Counted::KeytermsDropped(request.keyterms_dropped as u64).count();
    }
    let egress = deepgram.egress.clone();
    let turn = async {
        let _turn = timeout(TURN, deepgram.connecting.acquire()).await;
        timeout(options.connect_deadline, upgrade(egress, request)).await
    };
    // The future of an upgrade is some 9 KiB; on the heap it is gone once the call is connected.
    let upgrade = Box::pin(turn);
    let upgraded = recognition.meanwhile(upgrade).await?;
    Some(upgraded.unwrap_or(Err(Failure::ConnectTimedOut)))
}

async fn upgrade(egress: Egress, request: ConnectRequest) -> Result<Box<Socket>, Failure> {
    let mut upgrade = http::Request::new(());
    *upgrade.uri_mut() = request.uri;
    upgrade
        .headers_mut()
        .insert(AUTHORIZATION, request.authorization);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(Some(MESSAGE_BYTES))
        .max_frame_size(Some(MESSAGE_BYTES));
    let (socket, headers) = egress.open_socket(upgrade, config).await?;
    let request_id = headers.get("dg-request-id").and_then(|id| id.to_str().ok());
    tracing::debug!(request_id, "recognizer connected");
    // A future holds what it handles more than once.
    Ok(Box::new(socket))
}

impl From<OpenFailure> for Failure {
    fn from(failure: OpenFailure) -> Self {
        match failure {
            OpenFailure::Refused(response) => {
                let header = response.headers().get("dg-error");
                let header = header.map_or(&b""[..], |header| header.as_bytes());
                let told = [header, response.body()].concat();
                let told = String::from_utf8_lossy(&told);
                Self::Handshake(Refusal::from_handshake(response.status().as_u16(), &told))
            }
            OpenFailure::NotConnected(kind) => Self::Transport(kind.into()),
            OpenFailure::Tls => Self::Tls,
            OpenFailure::Protocol => Self::Protocol,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => Self::Transport(error),
            Error::Tls(_) => Self::Tls,
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Cut,
            // Not kept as a source: `Utf8` quotes the bytes it could not read.
            Error::Capacity(_)
            | Error::Protocol(_)
            | Error::WriteBufferFull(_)
            | Error::Utf8(_)
            | Error::AttackAttempt
            | Error::Url(_)
            | Error::Http(_)
            | Error::HttpFormat(_) => Self::Protocol,
        }
    }
}
