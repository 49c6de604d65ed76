//! One WebSocket to Deepgram, from the upgrade to its end.
//!
//! A single task reads, writes and absorbs the feed. Writing never stops reading: a frame is
//! handed to the socket only when the one before is out, so what waits is in the backlog, which
//! is bounded, and not in the socket's buffer. A peer that takes nothing or says nothing for too
//! long is given up.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use handoff_core::time::SAMPLE_RATE;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::count::{self, Counted};
use super::pace::Flow;
use super::policy::{CloseReason, Failure};
use super::recognition::{CallGone, Recognition};
use super::segments::Segments;
use super::wire::{self, Control, Results, ServerMessage};
use crate::egress::Socket;
use crate::recognizer::{Feeding, Heard};

/// How long a close frame of ours may take to leave, and one of theirs to arrive when writing
/// failed before.
const GOODBYE: Duration = Duration::from_millis(250);

/// A connection and what is only true of it.
pub(super) struct Connection {
    socket: Box<Socket>,
    segments: Segments,
    flow: Flow,
    phase: Phase,
    last_sent: Instant,
    last_received: Instant,
    pinged: bool,
    unflushed: bool,
    blocked_since: Option<Instant>,
}

enum Phase {
    Open,
    /// `CloseStream` is out; the rest of the results and the goodbye are to come.
    Closing,
    /// Writing failed. The server may have said why just before.
    Unwritable {
        failure: Failure,
        until: Instant,
    },
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// All audio was sent and its words are told, or waited for long enough.
    Finished,
    /// Nobody listens to the words.
    CallGone,
    Failed(Failure),
}

#[derive(Clone, Copy)]
enum Wanted {
    Feeding,
    Control(Control),
    Ping,
}

enum Progress {
    Writable,
    WriteFailed(Error),
    Incoming(Option<Result<Message, Error>>),
}

impl From<CallGone> for Outcome {
    fn from(_: CallGone) -> Self {
        Self::CallGone
    }
}

impl Connection {
    pub(super) fn new(socket: Box<Socket>, rate: f64) -> Self {
        let now = Instant::now();
        Self {
            socket,
            segments: Segments::default(),
            flow: Flow::new(rate, now),
            phase: Phase::Open,
            last_sent: now,
            last_received: now,
            pinged: false,
            unflushed: false,
            blocked_since: None,
        }
    }

    /// Exchanges audio for words until the end.
    pub(super) async fn run(&mut self, recognition: &mut Recognition) -> Outcome {
        let mut alarm = pin!(sleep_until(self.last_sent));
        loop {
            let now = Instant::now();
            let rate = recognition.options.replay.rate;
            self.flow
                .on_waiting(recognition.backlog.waiting(), rate, now);
            let wanted = self.wanted(recognition, now);
            let wake = match self.deadline(recognition, now) {
                Ok(wake) => wake,
                Err(outcome) => return outcome,
            };
            // Deadlines mostly move away, so the timer is moved only when it must ring earlier.
            if alarm.is_elapsed() || wake < alarm.deadline() {
                alarm.as_mut().reset(wake);
            }
            let ended = tokio::select! {
                progress = poll_fn(|cx| self.poll(cx, wanted.is_some())) => {
                    self.on_progress(progress, wanted, recognition).await
                }
                () = recognition.absorb() => Ok(()),
                () = &mut alarm => Ok(()),
            };
            if let Err(outcome) = ended {
                return outcome;
            }
        }
    }

    /// What is to be written as soon as the socket takes it.
    fn wanted(&self, recognition: &Recognition, now: Instant) -> Option<Wanted> {
        match self.phase {
            Phase::Open => {}
            Phase::Closing | Phase::Unwritable { .. } => return None,
        }
        let options = &recognition.options;
        if recognition.backlog.is_waiting() {
            if self.flow.next_frame_at().is_none_or(|at| at <= now) {
                return Some(Wanted::Feeding);
            }
        } else if recognition.finish_by().is_some() {
            return Some(Wanted::Control(Control::CloseStream));
        }
        if now >= self.last_sent + options.keep_alive {
            return Some(Wanted::Control(Control::KeepAlive));
        }
        let ping_at = self.last_received + options.answer_deadline / 2;
        (!self.pinged && now >= ping_at).then_some(Wanted::Ping)
    }

    /// When to look again even if nothing happens, or the end if a deadline has passed.
    fn deadline(&mut self, recognition: &Recognition, now: Instant) -> Result<Instant, Outcome> {
        if recognition
            .finish_by()
            .is_some_and(|finish_by| finish_by <= now)
        {
            tracing::debug!("last words given up");
            return Err(Outcome::Finished);
        }
        if let Phase::Unwritable { until, .. } = &self.phase
            && *until <= now
        {
            return Err(self.ended(Failure::Cut));
        }
        let options = &recognition.options;
        let silent_at = self.last_received + options.answer_deadline;
        let stalled_at = self
            .blocked_since
            .map(|since| since + options.answer_deadline);
        if silent_at <= now {
            return Err(self.ended(Failure::Silent));
        }
        if stalled_at.is_some_and(|at| at <= now) {
            return Err(self.ended(Failure::Stalled));
        }
        let gone_at = match &self.phase {
            Phase::Unwritable { until, .. } => Some(*until),
            Phase::Open | Phase::Closing => None,
        };
        // What is due but cannot be written yet wakes through the socket, not through time.
        let due = [
            self.flow.next_frame_at(),
            Some(self.last_sent + options.keep_alive),
            Some(self.last_received + options.answer_deadline / 2),
            recognition.finish_by(),
            stalled_at,
            gone_at,
        ];
        let wake = due.into_iter().flatten().filter(|at| *at > now).min();
        Ok(wake.map_or(silent_at, |wake| wake.min(silent_at)))
    }

    fn poll(&mut self, cx: &mut Context<'_>, wants: bool) -> Poll<Progress> {
        let written = if wants {
            self.socket
                .poll_ready_unpin(cx)
                .map_ok(|()| Some(Progress::Writable))
        } else if self.unflushed {
            self.socket.poll_flush_unpin(cx).map_ok(|()| None)
        } else {
            Poll::Ready(Ok(None))
        };
        match written {
            Poll::Pending => {
                self.blocked_since.get_or_insert_with(Instant::now);
            }
            Poll::Ready(Ok(progress)) => {
                self.blocked_since = None;
                if let Some(progress) = progress {
                    return Poll::Ready(progress);
                }
                self.unflushed = false;
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Progress::WriteFailed(error)),
        }
        self.socket.poll_next_unpin(cx).map(Progress::Incoming)
    }

    async fn on_progress(
        &mut self,
        progress: Progress,
        wanted: Option<Wanted>,
        recognition: &mut Recognition,
    ) -> Result<(), Outcome> {
        match progress {
            Progress::Writable => {
                if let Some(wanted) = wanted {
                    self.write(wanted, recognition);
                }
                Ok(())
            }
            Progress::WriteFailed(error) => {
                self.on_unwritable(error);
                Ok(())
            }
            Progress::Incoming(Some(Ok(message))) => {
                let handled = self.on_message(message, recognition).await;
                // Afterwards, because a call that is slow to accept words is not a silent server.
                self.last_received = Instant::now();
                self.pinged = false;
                handled
            }
            Progress::Incoming(Some(Err(error))) => Err(self.ended(Failure::from(error))),
            Progress::Incoming(None) => Err(self.ended(Failure::Cut)),
        }
    }

    fn write(&mut self, wanted: Wanted, recognition: &mut Recognition) {
        let now = Instant::now();
        let message = match wanted {
            Wanted::Feeding => match recognition.backlog.poll_next() {
                Some(Feeding::Window { start, mulaw }) => {
                    self.segments.on_sent(start, mulaw.len() as u64);
                    self.flow.on_sent(mulaw.len(), now);
                    Message::Binary(mulaw)
                }
                // Before the first audio there is nothing to make final.
                Some(Feeding::Flush) if self.segments.sent().0 == 0 => return,
                Some(Feeding::Flush) => Message::text(Control::Finalize.as_json()),
                None => return,
            },
            Wanted::Control(control) => {
                if control == Control::CloseStream {
                    self.phase = Phase::Closing;
                }
                Message::text(control.as_json())
            }
            Wanted::Ping => {
                self.pinged = true;
                Message::Ping(Bytes::new())
            }
        };
        if !matches!(wanted, Wanted::Ping) {
            self.last_sent = now;
        }
        self.unflushed = true;
        if let Err(error) = self.socket.start_send_unpin(message) {
            self.on_unwritable(error);
        }
    }

    fn on_unwritable(&mut self, error: Error) {
        let until = Instant::now() + GOODBYE;
        self.phase = Phase::Unwritable {
            failure: Failure::from(error),
            until,
        };
        self.unflushed = false;
        self.blocked_since = None;
    }

    async fn on_message(
        &mut self,
        message: Message,
        recognition: &mut Recognition,
    ) -> Result<(), Outcome> {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(frame) => {
                let reason = frame.map_or(CloseReason::Unspecified, |frame| {
                    CloseReason::from_close(frame.code.into(), &frame.reason)
                });
                // Sends the answering close frame; the connection is over whether or not it goes.
                let _ = timeout(GOODBYE, self.socket.flush()).await;
                return Err(match self.phase {
                    Phase::Closing => Outcome::Finished,
                    Phase::Open | Phase::Unwritable { .. } => {
                        Outcome::Failed(Failure::Closed(reason))
                    }
                });
            }
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                return Ok(());
            }
        };
        match wire::parse(&text) {
            Ok(ServerMessage::Results(results)) => self.on_results(results, recognition).await,
            Ok(ServerMessage::UtteranceEnd { last_word_end }) => {
                recognition.on_proven().await?;
                let heard = recognition
                    .reading
                    .on_utterance_end(last_word_end, &self.segments);
                tell(recognition, heard).await
            }
            Ok(ServerMessage::SpeechStarted) => Ok(recognition.on_proven().await?),
            Ok(ServerMessage::Metadata) => match self.phase {
                Phase::Closing => {
                    // The server has said its last; whether it hears ours changes nothing.
                    let _ = timeout(GOODBYE, self.socket.close(None)).await;
                    Err(Outcome::Finished)
                }
                Phase::Open | Phase::Unwritable { .. } => Ok(()),
            },
            Ok(ServerMessage::Error) => ignore(Counted::Error),
            Ok(ServerMessage::Unknown) => ignore(Counted::Unknown),
            Err(wire::Malformed) => ignore(Counted::Malformed),
        }
    }

    async fn on_results(
        &mut self,
        results: Results,
        recognition: &mut Recognition,
    ) -> Result<(), Outcome> {
        recognition.on_proven().await?;
        let behind = self.segments.sent().0.saturating_sub(results.end.0);
        count::lag(Duration::from_secs_f64(behind as f64 / SAMPLE_RATE as f64));
        if results.is_final {
            recognition
                .backlog
                .on_settled(self.segments.end(results.end));
            self.segments.on_settled(results.start);
        }
        let heard = recognition.reading.on_results(results, &self.segments);
        tell(recognition, heard).await
    }

    /// The outcome of an end without a close frame. After `CloseStream` every end is a good one.
    fn ended(&mut self, failure: Failure) -> Outcome {
        match std::mem::replace(&mut self.phase, Phase::Open) {
            Phase::Closing => Outcome::Finished,
            Phase::Open => Outcome::Failed(failure),
            Phase::Unwritable {
                failure: earlier, ..
            } => Outcome::Failed(earlier),
        }
    }
}

async fn tell(recognition: &Recognition, heard: Option<Heard>) -> Result<(), Outcome> {
    match heard {
        Some(heard) => Ok(recognition.tell(heard).await?),
        None => Ok(()),
    }
}

fn ignore(counted: Counted<'_>) -> Result<(), Outcome> {
    counted.count();
    Ok(())
}
