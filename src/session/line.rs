//! The media sockets of one call: who may speak for it, and what they say.
//!
//! A socket comes with the call's token in its path. It is *waiting* until its `start` names the
//! call and repeats the token; media before that is dropped unread. Of two that have yet to do so
//! either could be the carrier's, so the newer one takes the place of the older. At most one socket
//! is *bound*. Another one is a replacement if the bound one ends or has fallen silent, and refused
//! if it goes on.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::{FutureExt as _, StreamExt as _};
use handoff_core::id::{CarrierCallId, StreamId};
use handoff_core::pii::Secret;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use super::carriers::{CarrierAccount, Introduction, Said, Unreadable};
use super::low_water::{LowWater, QUIET};
use crate::telemetry::metrics::Refusal;

/// A media socket after the upgrade.
#[derive(Debug)]
pub struct MediaSocket {
    /// What speaks the protocol.
    pub socket: WebSocket,
    /// How much must come before the call is woken.
    pub low_water: LowWater,
}

/// How long a bound socket may say nothing before another may take its place. Carriers are known
/// to pause for up to a quarter of a second at document boundaries.
const SILENT: Duration = Duration::from_secs(2);

/// How long a socket with a proper introduction waits to see whether the bound one goes on. Half of
/// it is more than [`QUIET`], up to which the last audio of a dead stream may lie unread.
const GIVE_WAY: Duration = Duration::from_secs(1);

/// How long a closing handshake may take.
const CLOSING: Duration = Duration::from_secs(1);

/// The sockets of one call.
#[derive(Debug)]
pub(super) struct Line {
    account: CarrierAccount,
    call: CarrierCallId,
    token: Secret,
    start_deadline: Duration,
    waiting: Option<Waiting>,
    bound: Option<Bound>,
}

#[derive(Debug)]
struct Waiting {
    socket: MediaSocket,
    /// When to lose patience with it, or to look at the bound one again.
    until: Instant,
    /// What it said of itself, and when, if the bound socket seemed to work then.
    introduced: Option<(Introduction, Instant)>,
}

#[derive(Debug)]
struct Bound {
    socket: MediaSocket,
    stream: StreamId,
    heard_at: Instant,
}

/// Something that came over a socket of the call.
pub(super) enum Arrived {
    /// A text message of the bound stream.
    Text(axum::extract::ws::Utf8Bytes),
    /// A message of the bound stream that the carrier's protocol does not have.
    Binary,
    /// The waiting socket sent what is no message. It may still introduce itself.
    Misread(Misread),
    /// A ping or pong.
    Liveness,
    /// The bound stream is gone.
    Ended(StreamId),
    /// The bound stream sent what no carrier sends: too much, or no WebSocket.
    Broken(StreamId),
    /// The waiting socket introduced itself properly.
    Introduced(Introduction),
    /// The waiting socket was turned away.
    Refused(Refusal, Box<MediaSocket>),
}

/// Why something on a socket is no message. Carries nothing of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Misread {
    /// The protocol has text messages only.
    #[error("a binary message")]
    Binary,
    /// The text breaks the protocol.
    #[error(transparent)]
    Wire(#[from] Unreadable),
}

/// What there is to know of a waiting socket.
enum Opening {
    Introduced(Introduction),
    Misread(Misread),
    /// Nothing will come any more, or not in time.
    Missed,
}

impl Line {
    pub(super) fn new(
        account: CarrierAccount,
        call: CarrierCallId,
        token: Secret,
        start_deadline: Duration,
    ) -> Self {
        Self {
            account,
            call,
            token,
            start_deadline,
            waiting: None,
            bound: None,
        }
    }

    /// Takes a new socket in and gives back the one that waited in its place; gives the new one back
    /// if the other has introduced itself.
    pub(super) fn open(
        &mut self,
        socket: MediaSocket,
    ) -> Result<Option<MediaSocket>, Box<MediaSocket>> {
        let waiting = self.waiting.as_ref();
        if waiting.is_some_and(|waiting| waiting.introduced.is_some()) {
            return Err(Box::new(socket));
        }
        let until = Instant::now() + self.start_deadline;
        let older = self.waiting.replace(Waiting {
            socket,
            until,
            introduced: None,
        });
        Ok(older.map(|older| older.socket))
    }

    /// Makes the socket that introduced itself the bound one. Gives back the one before, if any.
    pub(super) fn bind(&mut self, stream: StreamId) -> Option<(StreamId, MediaSocket)> {
        let waiting = self.waiting.take()?;
        let bound = Bound {
            socket: waiting.socket,
            stream,
            heard_at: Instant::now(),
        };
        self.bound
            .replace(bound)
            .map(|old| (old.stream, old.socket))
    }

    /// Gives up the bound socket.
    pub(super) fn unbind(&mut self) -> Option<MediaSocket> {
        self.bound.take().map(|bound| bound.socket)
    }

    /// The bound stream.
    pub(super) fn stream(&self) -> Option<StreamId> {
        self.bound.as_ref().map(|bound| bound.stream.clone())
    }

    pub(super) fn is_open(&self) -> bool {
        self.bound.is_some() || self.waiting.is_some()
    }

    /// How long the bound stream has said nothing; zero without one.
    pub(super) fn quiet_for(&self) -> Duration {
        self.bound
            .as_ref()
            .map_or(Duration::ZERO, |bound| bound.heard_at.elapsed())
    }

    /// Wants to be woken only once so many more bytes have come over the bound socket.
    pub(super) fn rest_until(&self, bytes: usize) {
        if let Some(bound) = &self.bound {
            bound.socket.low_water.set(bytes);
        }
    }

    /// When to stop resting, because what comes may be too little to wake anyone.
    pub(super) fn rests_until(&self) -> Option<Instant> {
        let bound = self.bound.as_ref()?;
        (bound.socket.low_water.bytes() > 1).then(|| bound.heard_at + QUIET)
    }

    /// Waits for the next thing on any socket. Cancel safe. Must only be polled while
    /// [`Line::is_open`].
    pub(super) async fn next(&mut self) -> Arrived {
        loop {
            if let Some(arrived) = self.decide() {
                return arrived;
            }
            let Self {
                account,
                waiting,
                bound,
                ..
            } = self;
            let heard = async {
                match bound {
                    Some(bound) => {
                        let message = bound.socket.socket.next().await;
                        bound.arrived(message)
                    }
                    None => std::future::pending().await,
                }
            };
            let introduced = async {
                match waiting {
                    Some(waiting) if waiting.introduced.is_some() => {
                        tokio::time::sleep_until(waiting.until).await;
                        None
                    }
                    Some(waiting) => {
                        // The deadline comes first, so that no flood of nonsense outlives it.
                        tokio::select! {
                            biased;
                            () = tokio::time::sleep_until(waiting.until) => Some(Opening::Missed),
                            opening = opening(&mut waiting.socket, account) => Some(opening),
                        }
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // A stream that is over has said so before its replacement introduces itself.
                biased;
                arrived = heard => return arrived,
                opening = introduced => {
                    if let Some(arrived) = opening.and_then(|opening| self.on_opening(opening)) {
                        return arrived;
                    }
                }
            }
        }
    }

    fn on_opening(&mut self, opening: Opening) -> Option<Arrived> {
        match opening {
            Opening::Introduced(start) => match self.check(start) {
                Ok(start) => {
                    self.hold(start);
                    None
                }
                Err(refusal) => self.turn_away(refusal),
            },
            Opening::Misread(misread) => Some(Arrived::Misread(misread)),
            Opening::Missed => self.turn_away(Refusal::NoStart),
        }
    }

    /// Keeps a proper introduction until it is clear whether the bound socket still works: the end
    /// of a stream and the beginning of its replacement may come in either order.
    fn hold(&mut self, start: Introduction) {
        if let Some(waiting) = &mut self.waiting {
            let now = Instant::now();
            waiting.until = now + GIVE_WAY;
            waiting.introduced = Some((start, now));
        }
    }

    fn decide(&mut self) -> Option<Arrived> {
        let waiting = self.waiting.as_mut()?;
        let (_, since) = waiting.introduced.as_ref()?;
        match &self.bound {
            Some(bound) if bound.heard_at.elapsed() < SILENT => {
                if Instant::now() < waiting.until {
                    return None;
                }
                if bound.heard_at > *since + GIVE_WAY / 2 {
                    return self.turn_away(Refusal::SecondStream);
                }
                waiting.until = bound.heard_at + SILENT;
                None
            }
            Some(_) | None => waiting
                .introduced
                .take()
                .map(|(start, _)| Arrived::Introduced(start)),
        }
    }

    fn turn_away(&mut self, refusal: Refusal) -> Option<Arrived> {
        let waiting = self.waiting.take()?;
        Some(Arrived::Refused(refusal, Box::new(waiting.socket)))
    }

    /// The next message of the bound stream if it is here already.
    pub(super) fn next_ready(&mut self) -> Option<Arrived> {
        let bound = self.bound.as_mut()?;
        let message = bound.socket.socket.next().now_or_never()?;
        Some(bound.arrived(message))
    }

    /// What the waiting socket sent, if it is here already. An introduction is kept.
    pub(super) fn next_waiting(&mut self) -> Option<Arrived> {
        let Self {
            account, waiting, ..
        } = self;
        let waiting = (waiting.as_mut()).filter(|waiting| waiting.introduced.is_none())?;
        let opening = opening(&mut waiting.socket, account).now_or_never()?;
        self.on_opening(opening)
    }

    /// The socket must speak of our account, where it names one, and of the call that its token was
    /// given to, and repeat the token where the document put it.
    fn check(&self, start: Introduction) -> Result<Introduction, Refusal> {
        let account = start.account.as_deref();
        if account.is_some_and(|account| !self.account.is_ours(account)) {
            return Err(Refusal::Account);
        }
        if start.call != self.call {
            return Err(Refusal::WrongCall);
        }
        let same = match &start.token {
            Some(token) => token
                .expose()
                .as_bytes()
                .ct_eq(self.token.expose().as_bytes())
                .into(),
            None => !self.account.repeats_token(),
        };
        if !same {
            return Err(Refusal::Token);
        }
        Ok(start)
    }
}

impl Bound {
    /// Reads what the socket gave. An error ends the stream, not the call.
    fn arrived(&mut self, message: Option<Result<Message, axum::Error>>) -> Arrived {
        self.heard_at = Instant::now();
        match message {
            Some(Ok(Message::Text(text))) => Arrived::Text(text),
            Some(Ok(Message::Binary(_))) => Arrived::Binary,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Arrived::Liveness,
            Some(Ok(Message::Close(_))) | None => Arrived::Ended(self.stream.clone()),
            Some(Err(error)) if breaks_protocol(&error) => Arrived::Broken(self.stream.clone()),
            Some(Err(_)) => Arrived::Ended(self.stream.clone()),
        }
    }
}

/// Whether the peer sent what no carrier sends (too large a message, no UTF-8, no WebSocket frame),
/// as opposed to a connection that broke.
fn breaks_protocol(error: &axum::Error) -> bool {
    use tokio_tungstenite::tungstenite::Error;
    use tokio_tungstenite::tungstenite::error::ProtocolError;

    let source = std::error::Error::source(error);
    match source.and_then(|source| source.downcast_ref::<Error>()) {
        // What TCP does to a peer that dies without a close.
        Some(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => false,
        Some(Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_)) => true,
        Some(_) | None => false,
    }
}

/// Waits for the introduction, or for what is no message. Cancel safe.
async fn opening(socket: &mut MediaSocket, account: &CarrierAccount) -> Opening {
    loop {
        let text = match socket.socket.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => return Opening::Misread(Misread::Binary),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Opening::Missed,
        };
        match account.read(&text) {
            Ok(Said::Introduced(start)) => return Opening::Introduced(start),
            // Media is not looked at before the stream has said whose it is.
            Ok(Said::Audio { .. } | Said::Key(_) | Said::Stopped | Said::Nothing) => {}
            Err(error) => return Opening::Misread(error.into()),
        }
    }
}

/// Closes a socket politely, for at most a second.
pub(super) async fn close(MediaSocket { mut socket, .. }: MediaSocket, refusal: Option<Refusal>) {
    let frame = CloseFrame {
        code: if refusal.is_some() {
            close_code::POLICY
        } else {
            close_code::NORMAL
        },
        reason: refusal.map_or("", Refusal::as_str).into(),
    };
    let closing = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    if tokio::time::timeout(CLOSING, closing).await.is_err() {
        tracing::debug!("a media socket did not answer our close");
    }
}
