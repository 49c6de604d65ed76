//! What a call's task does with its media: sockets come and go, frames are heard, keys are told.

use std::ops::ControlFlow;

use handoff_core::call::{Event, StreamEnd};
use handoff_core::id::StreamId;
use handoff_core::speech::Speaker;
use handoff_core::time::MediaTime;
use tokio::time::Instant;
use tracing::warn;

use super::carriers::{AudioTime, Said};
use super::driver::Driver;
use super::hearing::Hearing;
use super::line::{self, Arrived, MediaSocket, Misread};
use crate::carrier::payload;
use crate::recognizer::Feed;
use crate::telemetry::metrics::{self, Refusal};

/// Frames taken in a row before others get their turn: no more windows than a recognizer takes in
/// before their memory is wanted again.
const FRAMES_A_TURN: usize = 32;

/// Whether the call has a stream.
#[derive(Clone, Copy, Debug)]
enum Presence {
    /// None was bound yet.
    Awaited,
    /// One is bound.
    Bound,
    /// The latest has ended.
    Ended(Instant),
}

/// What has become of the call's streams.
#[derive(Debug)]
pub(super) struct Streams {
    presence: Presence,
    counters: metrics::Frames,
    /// Frames heard and not counted yet.
    heard: u64,
    /// Whether the log has a line on what the bound stream sends.
    trouble_told: bool,
    /// The same of the socket that waits.
    waiting_trouble_told: bool,
    /// The time of the stream's first audio, where the carrier tells times since 1970.
    began: Option<u64>,
}

impl Streams {
    pub(super) fn new() -> Self {
        Self {
            presence: Presence::Awaited,
            counters: metrics::Frames::find(),
            heard: 0,
            trouble_told: false,
            waiting_trouble_told: false,
            began: None,
        }
    }

    /// Counts what was heard since the last time.
    fn count(&mut self) {
        self.counters
            .heard
            .increment(std::mem::take(&mut self.heard));
    }

    /// When the latest stream ended, if none has come since.
    pub(super) fn ended_at(&self) -> Option<Instant> {
        match self.presence {
            Presence::Ended(at) => Some(at),
            Presence::Awaited | Presence::Bound => None,
        }
    }
}

impl Driver {
    /// Takes what arrived, and what lies ready behind it until the call wants something done.
    /// Breaks off if that takes long.
    pub(super) fn on_arrived(&mut self, arrived: Arrived) -> ControlFlow<()> {
        let flow = self.take_ready(arrived);
        self.streams.count();
        flow
    }

    /// Lets a newer socket of the call in.
    pub(super) fn on_socket(&mut self, socket: MediaSocket) {
        // A proper introduction that lies unread must not cost its socket the place.
        while let Some(arrived) = self.line.next_waiting() {
            self.take(arrived);
        }
        match self.line.open(socket) {
            Ok(older) => {
                self.streams.waiting_trouble_told = false;
                if let Some(older) = older {
                    self.refuse(Refusal::NoStart, older);
                }
            }
            Err(socket) => self.refuse(Refusal::SecondStream, *socket),
        }
    }

    fn take_ready(&mut self, arrived: Arrived) -> ControlFlow<()> {
        let mut next = Some(arrived);
        let mut left = FRAMES_A_TURN;
        while let Some(arrived) = next.take() {
            self.take(arrived);
            left -= 1;
            if left == 0 {
                return ControlFlow::Break(());
            }
            if self.call.has_commands() {
                return ControlFlow::Continue(());
            }
            next = self.line.next_ready();
        }
        self.foresee_wake();
        ControlFlow::Continue(())
    }

    fn take(&mut self, arrived: Arrived) {
        match arrived {
            Arrived::Text(text) => self.on_text(&text),
            Arrived::Liveness => {}
            Arrived::Binary => self.on_bad_message(&Misread::Binary),
            Arrived::Misread(misread) => {
                self.streams.counters.bad.increment(1);
                warn_once(&mut self.streams.waiting_trouble_told, &misread);
            }
            Arrived::Broken(stream) => {
                self.on_bad_message(&"a message that breaks the protocol");
                self.on_stream_ended(stream, StreamEnd::Refused);
            }
            Arrived::Ended(stream) => self.on_stream_ended(stream, StreamEnd::Closed),
            Arrived::Introduced(start) => self.on_introduced(start.stream),
            Arrived::Refused(refusal, socket) => self.refuse(refusal, *socket),
        }
    }

    /// Has the kernel wait for what fills the next windows, now that all that came is heard.
    fn foresee_wake(&mut self) {
        let wake = std::mem::take(&mut self.wake);
        if let Some(bytes) = wake.expect(self.caller.missing(), self.voice_agent.missing()) {
            self.line.rest_until(bytes);
        }
    }
    fn on_text(&mut self, text: &str) {
        match self.account.read(text) {
            Ok(Said::Audio {
                speaker,
                at,
                payload,
            }) => self.on_audio(speaker, at, payload.expose(), text.len()),
            Ok(Said::Key(digit)) => {
                let at = self.caller.heard_to();
                self.tell(Event::DigitPressed { digit, at });
            }
            Ok(Said::Stopped) => {
                if let Some(stream) = self.line.stream() {
                    self.on_stream_ended(stream, StreamEnd::Stopped);
                }
            }
            // A bound stream does not introduce itself again.
            Ok(Said::Nothing | Said::Introduced(_)) => {
                self.streams.counters.ignored.increment(1);
            }
            Err(error) => self.on_bad_message(&error),
        }
    }
    fn on_audio(&mut self, speaker: Speaker, at: AudioTime, payload: &str, message: usize) {
        if payload::decode(payload, &mut self.payload).is_none() {
            return self.on_bad_message(&"audio that is no base64");
        }
        self.streams.heard += 1;
        let now = self.clock.now();
        let timestamp_ms = match at {
            AudioTime::OfStream(ms) => ms,
            AudioTime::Epoch(ms) => ms.saturating_sub(*self.streams.began.get_or_insert(ms)),
        };
        if self.hearing(speaker).wants_feed() {
            let feed = self.start_recognizer(speaker);
            self.hearing(speaker).feed(feed);
        }
        let Self {
            call,
            caller,
            voice_agent,
            payload,
            wake,
            ..
        } = self;
        let hearing = match speaker {
            Speaker::Caller => caller,
            Speaker::VoiceAgent | Speaker::Human => voice_agent,
        };
        wake.on_frame(speaker, message, payload.len());
        hearing.hear(timestamp_ms, payload, &mut |event| call.handle(event, now));
    }
    fn hearing(&mut self, speaker: Speaker) -> &mut Hearing {
        match speaker {
            Speaker::Caller => &mut self.caller,
            // The human is heard where the voice agent was.
            Speaker::VoiceAgent | Speaker::Human => &mut self.voice_agent,
        }
    }
    fn on_bad_message(&mut self, error: &dyn std::fmt::Display) {
        self.streams.counters.bad.increment(1);
        warn_once(&mut self.streams.trouble_told, error);
    }

    fn on_introduced(&mut self, stream: StreamId) {
        let at = self.media_now();
        let old = self.line.bind(stream.clone());
        let replacement = match self.streams.presence {
            Presence::Awaited => false,
            Presence::Bound | Presence::Ended(_) => true,
        };
        if let Some((stream, socket)) = old {
            self.tasks.spawn(close(socket, None));
            self.end_hearing();
            self.tell(Event::StreamStopped {
                stream,
                end: StreamEnd::Replaced,
            });
        }
        self.streams.presence = Presence::Bound;
        self.streams.trouble_told = self.streams.waiting_trouble_told;
        self.streams.began = None;
        self.caller.begin(at);
        self.voice_agent.begin(at);
        self.tell(Event::StreamStarted {
            stream,
            at,
            replacement,
        });
    }
    /// Where a stream that begins now lies on the call's media clock: as far behind the last one
    /// as time has passed.
    fn media_now(&self) -> MediaTime {
        let heard_to = self.caller.heard_to().max(self.voice_agent.heard_to());
        let absent = match self.streams.presence {
            Presence::Awaited => return MediaTime::default(),
            Presence::Bound => self.line.quiet_for(),
            Presence::Ended(at) => at.elapsed(),
        };
        let millis = u64::try_from(absent.as_millis()).unwrap_or(0);
        MediaTime(heard_to.0 + MediaTime::from_millis(millis).0)
    }
    fn start_recognizer(&mut self, speaker: Speaker) -> Option<Feed> {
        let call = &self.call.arrival().carrier_call;
        let heard = self.hearer.clone();
        let (feed, recognition) = self.around.recognizers.start(speaker, call, heard)?;
        self.tasks.spawn(async move {
            recognition.await;
            None
        });
        Some(feed)
    }
    pub(super) fn on_stream_ended(&mut self, stream: StreamId, end: StreamEnd) {
        if let Some(socket) = self.line.unbind() {
            self.tasks.spawn(close(socket, None));
        }
        self.end_hearing();
        self.streams.presence = Presence::Ended(Instant::now());
        self.tell(Event::StreamStopped { stream, end });
    }
    /// Closes the stream that holds the caller, so that the carrier goes on behind `<Connect>`.
    pub(super) fn release_caller(&mut self) {
        if let Some(stream) = self.line.stream() {
            self.on_stream_ended(stream, StreamEnd::Released);
        }
    }

    pub(super) fn end_hearing(&mut self) {
        let now = self.clock.now();
        let Self {
            call,
            caller,
            voice_agent,
            ..
        } = self;
        for hearing in [caller, voice_agent] {
            hearing.end(&mut |event| call.handle(event, now));
        }
    }
    pub(super) fn refuse(&mut self, refusal: Refusal, socket: MediaSocket) {
        metrics::refused(refusal);
        warn!(reason = refusal.as_str(), "media socket refused");
        self.tasks.spawn(close(socket, Some(refusal)));
    }
}

/// One line a socket: what goes wrong once goes wrong fifty times a second.
fn warn_once(told: &mut bool, error: &dyn std::fmt::Display) {
    if !std::mem::replace(told, true) {
        warn!(%error, "the carrier sent a message that cannot be read; later ones are counted");
    }
}

pub(super) async fn close(socket: MediaSocket, refusal: Option<Refusal>) -> Option<Event> {
    line::close(socket, refusal).await;
    None
}
