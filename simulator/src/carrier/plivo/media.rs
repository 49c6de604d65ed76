//! The media socket: opens it, plays into it, reads from it, closes it as the rules say.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::{self, Message};

use super::conversation::{self, LONGEST_QUEUE, ServerMessage};
use super::player::Player;
use super::stage::Stage;
use super::stream_status::{StreamEvent, report};
use super::webhook::signatures;
use super::xml::Stream;
use crate::carrier::callback::Method;
use crate::carrier::event::{Attachment, CarrierEvent, ClosedBy};
use crate::carrier::play_queue::PlayQueue;
use crate::carrier::socket::{self, Socket, Unopened, reached};

/// How often Plivo tries to connect before it drops the stream.
const ATTEMPTS: u32 = 3;
/// How long it waits between attempts. UNCONFIRMED.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);
/// How long the other side may take to answer our close.
const CLOSING: Duration = Duration::from_secs(2);
/// Messages of the server that wait for the player; more wait in the socket.
const WAITING_MESSAGES: usize = 64;
/// How full the playback queue is when `DegradedStream` says so, in percent.
const DEGRADED_AT: [u32; 3] = [30, 60, 90];
/// Plivo's codes of the REST and XML pages have none for a socket that cannot be opened.
const NO_CODE: u32 = 0;

/// Opens the stream, which the caller's view counts already, and plays it until the server closes it,
/// its time is up, or `control` is dropped.
pub(super) async fn run(stage: &Stage, stream: &Stream, id: &str, mut control: mpsc::Receiver<()>) {
    let mut player = None;
    let opened = tokio::select! {
        biased;
        _ = control.recv() => None,
        opened = open(stage, &stream.url) => opened,
    };
    match opened {
        Some(socket) => {
            let player = player.insert(Player::new(stage, stream, id));
            let mut open_socket = OpenSocket {
                stage,
                stream,
                id,
                player,
                counts: Counts::default(),
            };
            open_socket.run(socket, &mut control).await;
        }
        None => {
            let reason = "the socket could not be opened";
            report(stage, stream, id, StreamEvent::Dropped, Some(reason));
        }
    }
    if !player.is_some_and(|player| player.is_played_out()) {
        stage.call.view.send_modify(|view| view.playing -= 1);
    }
}

/// Connects, up to three times.
async fn open(stage: &Stage, url: &str) -> Option<Socket> {
    let outside = &stage.account.outside;
    let Some(below) = outside.socket(url) else {
        stage.violation(format!(
            "the <Stream> leads to {url}, which is not below the public URL"
        ));
        return None;
    };
    for attempt in 1..=ATTEMPTS {
        // Plivo signs the upgrade over the http form of the stream's URL, whatever its scheme.
        let signed = format!("http://{below}");
        let mut headers = signatures(&stage.account, Method::Get, &signed, &[]);
        headers.push(("x-forwarded-proto", "https".to_owned()));
        let refused = match socket::open(outside.connect_address(), below, &headers).await {
            Ok(socket) => return Some(socket),
            Err(unopened) => unopened,
        };
        let (status, reason) = match refused {
            Unopened::Refused(status) => {
                (Some(status), format!("the handshake was answered {status}"))
            }
            Unopened::TooLate => (None, "the handshake took more than 5 s".to_owned()),
            Unopened::Malformed(reason)
            | Unopened::Unreachable(reason)
            | Unopened::NoHandshake(reason) => (None, reason),
        };
        stage.record(CarrierEvent::StreamRefused {
            url: url.to_owned(),
            status,
            code: NO_CODE,
            reason,
        });
        if attempt < ATTEMPTS {
            sleep(stage.wall(BETWEEN_ATTEMPTS)).await;
        }
    }
    None
}

enum ReadEnd {
    Closed(Option<u16>),
}

enum WriteEnd {
    Stop,
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
    id: &'a str,
    player: &'p mut Player<'a>,
    counts: Counts,
}

impl OpenSocket<'_, '_> {
    async fn run(&mut self, socket: Socket, control: &mut mpsc::Receiver<()>) {
        let began = Instant::now();
        let (mut sink, mut source) = socket.split();
        self.stage.record(CarrierEvent::StreamOpened {
            stream_sid: self.id.to_owned(),
            url: self.stream.url.clone(),
            attachment: if self.stream.bidirectional {
                Attachment::Connect
            } else {
                Attachment::Start
            },
            replacement: false,
        });
        report(self.stage, self.stream, self.id, StreamEvent::Started, None);

        let (heard, mut to_play) = mpsc::channel(WAITING_MESSAGES);
        let mut received = 0;
        let (stage, stream, id) = (self.stage, self.stream, self.id);
        let ended = {
            let reading = read(stage, stream, id, &mut source, heard, &mut received);
            let writing = self.write(&mut sink, &mut to_play, control);
            let lifetime = sleep(stage.wall(stream.timeout));
            tokio::select! {
                biased;
                end = reading => Ok(end),
                end = writing => Err(end),
                () = lifetime => Err(WriteEnd::Stop),
            }
        };
        self.counts.received = received;
        let (by, code) = match ended {
            Ok(ReadEnd::Closed(code)) => (ClosedBy::Server, code),
            Err(WriteEnd::Broken) => (ClosedBy::Server, None),
            Err(WriteEnd::Stop) => {
                let code = self.close(&mut sink, &mut source).await;
                (ClosedBy::Carrier, code)
            }
        };
        self.stage.record(CarrierEvent::StreamClosed {
            stream_sid: self.id.to_owned(),
            by,
            code,
            messages_sent: self.counts.sent,
            frames_sent: self.counts.frames,
            messages_received: self.counts.received,
        });
        let seconds = stage
            .account
            .options
            .speed
            .carrier(began.elapsed())
            .as_secs();
        report(stage, stream, id, StreamEvent::Stopped { seconds }, None);
    }

    async fn write(
        &mut self,
        sink: &mut SplitSink<Socket, Message>,
        to_play: &mut mpsc::Receiver<ServerMessage>,
        control: &mut mpsc::Receiver<()>,
    ) -> WriteEnd {
        let speed = self.stage.account.options.speed;
        let mut queue = PlayQueue::new(speed, LONGEST_QUEUE, Instant::now());
        let mut warned = 0;
        loop {
            let next = self.player.next();
            tokio::select! {
                biased;
                _ = control.recv() => return WriteEnd::Stop,
                Some(message) = to_play.recv() => {
                    let answer = self.enqueue(&mut queue, &mut warned, message);
                    if let Some(text) = answer && !self.send(sink, text).await {
                        return WriteEnd::Broken;
                    }
                }
                () = reached(queue.next_due()) => {
                    let Some(name) = queue.take_mark() else { continue };
                    let text = self.player.played_stream(&name);
                    if !self.send(sink, text).await {
                        return WriteEnd::Broken;
                    }
                    self.stage.record(CarrierEvent::MarkEchoed { stream_sid: self.id.to_owned(), name });
                }
                () = reached(next) => {
                    let was_played_out = self.player.is_played_out();
                    for outgoing in self.player.take(Instant::now()) {
                        self.counts.frames += u64::from(outgoing.is_frame);
                        if !self.send(sink, outgoing.text).await {
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

    /// Puts a message of the server on the queue. What is to be answered at once.
    fn enqueue(
        &mut self,
        queue: &mut PlayQueue,
        warned: &mut usize,
        message: ServerMessage,
    ) -> Option<String> {
        let now = Instant::now();
        match message {
            ServerMessage::PlayAudio { length } => {
                if queue.play(length, now).is_err() {
                    self.stage
                        .violation("more than 40 s of audio are queued; Plivo may drop the rest");
                }
                let queued = queue.queued(now);
                let full = |percent: &u32| queued * 100 >= LONGEST_QUEUE * *percent;
                let reached = DEGRADED_AT.iter().filter(|percent| full(percent)).count();
                if reached > *warned {
                    report(
                        self.stage,
                        self.stream,
                        self.id,
                        StreamEvent::Degraded,
                        None,
                    );
                }
                *warned = reached;
                None
            }
            ServerMessage::Checkpoint { name } => {
                queue.mark(name, now);
                None
            }
            ServerMessage::ClearAudio => {
                if self.stage.account.options.clear_echoes_checkpoints {
                    queue.clear(now);
                } else {
                    queue.forget_marks(now);
                    queue.clear(now);
                }
                Some(self.player.cleared_audio())
            }
            ServerMessage::SendDtmf => None,
        }
    }

    async fn send(&mut self, sink: &mut SplitSink<Socket, Message>, text: String) -> bool {
        self.counts.sent += 1;
        sink.send(Message::text(text)).await.is_ok()
    }

    /// Closes, and waits a little for the server to close as well.
    async fn close(
        &mut self,
        sink: &mut SplitSink<Socket, Message>,
        source: &mut SplitStream<Socket>,
    ) -> Option<u16> {
        if self.stage.account.options.sends_stop {
            let text = self.player.stop();
            if !self.send(sink, text).await {
                return None;
            }
        }
        let closing = async {
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
    stream: &Stream,
    id: &str,
    source: &mut SplitStream<Socket>,
    heard: mpsc::Sender<ServerMessage>,
    received: &mut u64,
) -> ReadEnd {
    // A fault is noted once per stream.
    let mut faults = BTreeSet::new();
    while let Some(Ok(message)) = source.next().await {
        let read = match message {
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            Message::Close(frame) => return ReadEnd::Closed(frame.map(|frame| frame.code.into())),
            Message::Text(_) | Message::Binary(_) if !stream.bidirectional => {
                Err("the server sent a message on a stream that is not bidirectional".to_owned())
            }
            Message::Text(text) => conversation::read(&text, id, stream.codec),
            Message::Binary(_) => Err("the server sent a binary frame".to_owned()),
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
