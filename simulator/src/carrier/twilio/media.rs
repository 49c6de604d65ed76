//! The media socket: opens it, plays into it, reads from it, closes it as the rules say.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::{self, Message};

use super::bidirectional::{self, LONGEST_QUEUE, ServerMessage};
use super::player::{Next, Player};
use super::signature::sign;
use super::stage::Stage;
use super::twiml::Stream;
use crate::carrier::clock::Utc;
use crate::carrier::event::{Attachment, CarrierEvent, ClosedBy, Purpose};
use crate::carrier::lock::lock;
use crate::carrier::play_queue::PlayQueue;
use crate::carrier::socket::{self, Socket, Unopened, reached};

/// How long the other side may take to answer our close.
const CLOSING: Duration = Duration::from_secs(2);
/// Messages of the server that wait for the player; more wait in the socket.
const WAITING_MESSAGES: usize = 64;

/// Which stream of the call this is.
#[derive(Debug, Clone)]
pub(super) struct StreamIdentity {
    pub(super) sid: String,
    /// The recorded stream itself, which keeps its ids and sockets; every other stream of the call
    /// gets ids of its own and joins the recording where the call is.
    pub(super) is_recorded: bool,
}

impl StreamIdentity {
    /// The first stream of a call is the recorded one.
    pub(super) fn next(stage: &Stage) -> Self {
        let had_stream = std::mem::replace(&mut lock(&stage.call.state).had_stream, true);
        match stage
            .call
            .recording
            .first_stream_sid()
            .filter(|_| !had_stream)
        {
            Some(sid) => Self {
                sid,
                is_recorded: true,
            },
            None => Self {
                sid: stage.account.new_sid("MZ", &stage.call.sid),
                is_recorded: false,
            },
        }
    }
}

/// Opens the stream, which the caller's view counts already, and plays it until the server closes it or `control` says or is dropped.
pub(super) async fn run(
    stage: &Stage,
    stream: &Stream,
    identity: StreamIdentity,
    attachment: Attachment,
    mut control: mpsc::Receiver<()>,
) {
    let mut player = Player::new(stage, stream, identity, attachment);
    let mut replacement = false;
    loop {
        let socket = match open(stage, &stream.url).await {
            Ok(socket) => socket,
            Err(Refusal {
                status,
                code,
                reason,
            }) => {
                stage.notify(code, &reason);
                let event = CarrierEvent::StreamRefused {
                    url: stream.url.clone(),
                    status,
                    code,
                    reason: reason.clone(),
                };
                stage.record(event);
                report(stage, stream, player.sid(), "stream-error", Some(&reason));
                break;
            }
        };
        let mut open_socket = OpenSocket {
            stage,
            stream,
            attachment,
            replacement,
            player: &mut player,
            counts: Counts::default(),
        };
        match open_socket.run(socket, &mut control).await {
            Ended::Lost => replacement = true,
            Ended::ByServer | Ended::Stopped => break,
        }
        player.replace();
    }
    if !player.is_played_out() {
        stage.call.view.send_modify(|view| view.playing -= 1);
    }
}

struct Refusal {
    status: Option<u16>,
    code: u32,
    reason: String,
}

async fn open(stage: &Stage, url: &str) -> Result<Socket, Refusal> {
    let outside = &stage.account.outside;
    let Some(below) = outside.socket(url) else {
        stage.violation(format!(
            "the <Stream> leads to {url}, which is not below the public URL"
        ));
        return Err(Refusal {
            status: None,
            code: 31920,
            reason: "not below the public URL".into(),
        });
    };
    // Twilio strips a query string before it connects.
    let path = below.split('?').next().unwrap_or(below);
    let headers = [
        (
            "x-twilio-signature",
            sign(&stage.account.options.auth_token, url, &[]),
        ),
        ("x-forwarded-proto", "https".to_owned()),
    ];
    let opened = socket::open(outside.connect_address(), path, &headers).await;
    opened.map_err(|unopened| {
        let (status, code, reason) = match unopened {
            Unopened::Malformed(reason) => (None, 31923, reason),
            Unopened::Unreachable(reason) => (None, 31902, reason),
            Unopened::Refused(status) => {
                let reason = format!("the handshake was answered {status}");
                (Some(status), 31920, reason)
            }
            Unopened::NoHandshake(reason) => (None, 31920, reason),
            Unopened::TooLate => (None, 31901, "the handshake took more than 5 s".to_owned()),
        };
        Refusal {
            status,
            code,
            reason,
        }
    })
}

/// How a socket ended.
enum Ended {
    ByServer,
    Stopped,
    Lost,
}

enum ReadEnd {
    Closed(Option<u16>),
    /// The server sent on a one-way stream.
    Forbidden,
}

enum WriteEnd {
    Stop,
    Lost,
    Broken,
}

#[derive(Debug, Default)]
struct Counts {
    sent: u64,
    frames: u64,
    received: u64,
}

struct OpenSocket<'a, 'p> {
    stage: &'a Stage,
    stream: &'a Stream,
    attachment: Attachment,
    replacement: bool,
    player: &'p mut Player<'a>,
    counts: Counts,
}

impl OpenSocket<'_, '_> {
    async fn run(&mut self, socket: Socket, control: &mut mpsc::Receiver<()>) -> Ended {
        let now = Instant::now();
        self.player.opened(now);
        let (mut sink, mut source) = socket.split();
        let sid = self.player.sid().to_owned();
        self.stage.record(CarrierEvent::StreamOpened {
            stream_sid: sid.clone(),
            url: self.stream.url.clone(),
            attachment: self.attachment,
            replacement: self.replacement,
        });
        report(self.stage, self.stream, &sid, "stream-started", None);

        let (heard, mut to_play) = mpsc::channel(WAITING_MESSAGES);
        let mut received = 0;
        let (stage, attachment) = (self.stage, self.attachment);
        let ended = {
            let reading = read(stage, attachment, &sid, &mut source, heard, &mut received);
            let writing = self.write(&mut sink, &mut to_play, control);
            tokio::select! {
                biased;
                end = reading => Ok(end),
                end = writing => Err(end),
            }
        };
        self.counts.received = received;
        let (ended, by, code) = match ended {
            Ok(ReadEnd::Closed(code)) => (Ended::ByServer, ClosedBy::Server, code),
            Err(WriteEnd::Broken) => (Ended::ByServer, ClosedBy::Server, None),
            Err(WriteEnd::Lost) => (Ended::Lost, ClosedBy::Recording, None),
            Ok(ReadEnd::Forbidden) | Err(WriteEnd::Stop) => {
                let code = self.close(&mut sink, &mut source).await;
                (Ended::Stopped, ClosedBy::Carrier, code)
            }
        };
        if by == ClosedBy::Server {
            self.stage.notify(31921, "the server closed the stream");
        }
        self.stage.record(CarrierEvent::StreamClosed {
            stream_sid: sid.clone(),
            by,
            code,
            messages_sent: self.counts.sent,
            frames_sent: self.counts.frames,
            messages_received: self.counts.received,
        });
        report(self.stage, self.stream, &sid, "stream-stopped", None);
        ended
    }

    async fn write(
        &mut self,
        sink: &mut SplitSink<Socket, Message>,
        to_play: &mut mpsc::Receiver<ServerMessage>,
        control: &mut mpsc::Receiver<()>,
    ) -> WriteEnd {
        let mut queue = PlayQueue::new(
            self.stage.account.options.speed,
            LONGEST_QUEUE,
            Instant::now(),
        );
        loop {
            let next = match self.player.next() {
                Next::Replace => return WriteEnd::Lost,
                Next::SendAt(at) => Some(at),
                Next::Nothing => None,
            };
            tokio::select! {
                biased;
                _ = control.recv() => return WriteEnd::Stop,
                Some(message) = to_play.recv() => {
                    if let Err(fault) = bidirectional::enqueue(&mut queue, message, Instant::now()) {
                        self.stage.violation(fault);
                    }
                }
                () = reached(queue.next_due()) => {
                    let Some(name) = queue.take_mark() else { continue };
                    let text = self.player.mark(&name);
                    self.counts.sent += 1;
                    if sink.send(Message::text(text)).await.is_err() {
                        return WriteEnd::Broken;
                    }
                    self.stage.record(CarrierEvent::MarkEchoed { stream_sid: self.player.sid().to_owned(), name });
                }
                () = reached(next) => {
                    let was_played_out = self.player.is_played_out();
                    for outgoing in self.player.take(Instant::now()) {
                        self.counts.sent += 1;
                        self.counts.frames += u64::from(outgoing.is_frame);
                        if sink.send(Message::text(outgoing.text)).await.is_err() {
                            return WriteEnd::Broken;
                        }
                    }
                    if !was_played_out && self.player.is_played_out() {
                        self.stage.call.view.send_modify(|view| {
                            view.played_out = true;
                            view.playing -= 1;
                        });
                    }
                }
            }
        }
    }

    /// Says `stop`, closes and waits a little for the server to close as well.
    async fn close(
        &mut self,
        sink: &mut SplitSink<Socket, Message>,
        source: &mut SplitStream<Socket>,
    ) -> Option<u16> {
        let stop = self.player.stop();
        self.counts.sent += 1;
        let closing = async {
            sink.send(Message::text(stop)).await?;
            sink.send(Message::Close(None)).await?;
            let mut code = None;
            while let Some(message) = source.next().await {
                if let Message::Close(Some(frame)) = message? {
                    code = Some(frame.code.into());
                }
            }
            Ok::<_, tungstenite::Error>(code)
        };
        // A server that is gone or does not answer is as good as closed.
        timeout(CLOSING, closing)
            .await
            .ok()
            .and_then(Result::ok)
            .flatten()
    }
}

/// Reads what the server sends until it closes.
async fn read(
    stage: &Stage,
    attachment: Attachment,
    sid: &str,
    source: &mut SplitStream<Socket>,
    heard: mpsc::Sender<ServerMessage>,
    received: &mut u64,
) -> ReadEnd {
    // Twilio reports a fault once per stream.
    let mut faults = BTreeSet::new();
    while let Some(Ok(message)) = source.next().await {
        let read = match message {
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            Message::Close(frame) => return ReadEnd::Closed(frame.map(|frame| frame.code.into())),
            Message::Text(_) | Message::Binary(_) if attachment == Attachment::Start => {
                *received += 1;
                stage.notify(31924, "the server sent on a one-way stream");
                stage.violation(
                    "the server sent a message on a <Start><Stream>, which only listens (31924)",
                );
                return ReadEnd::Forbidden;
            }
            Message::Text(text) => bidirectional::read(&text, sid),
            Message::Binary(_) => Err("the server sent a binary frame (31950)".to_owned()),
        };
        *received += 1;
        match read {
            // The player lives as long as this reads.
            Ok(message) => drop(heard.send(message).await),
            Err(fault) => {
                if faults.insert(fault.clone()) {
                    stage.violation(fault);
                }
            }
        }
    }
    ReadEnd::Closed(None)
}

/// Posts the stream's status in the background, when the document asked for it.
fn report(stage: &Stage, stream: &Stream, sid: &str, event: &str, error: Option<&str>) {
    let Some(callback) = stream.status_callback.clone() else {
        return;
    };
    let pairs = [
        ("AccountSid", stage.account.options.account_sid.as_str()),
        ("CallSid", &stage.call.sid),
        ("StreamSid", sid),
        ("StreamName", stream.name.as_deref().unwrap_or(sid)),
        ("StreamEvent", event),
        ("Timestamp", &Utc::now().iso8601()),
    ];
    let mut parameters: Vec<_> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    parameters.extend(error.map(|error| ("StreamError".to_owned(), error.to_owned())));
    let poster = stage.clone();
    stage.in_background(async move {
        poster
            .ask(Purpose::StreamStatus, &callback, &parameters)
            .await;
    });
}
