//! One connection: the upgrade, the audio, the control messages, the faults, the end.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};

use super::options::{FaultKind, Line};
use super::playback::{self, Playback};
use super::query::Listen;
use super::server::{Ending, Event, Shared};
use super::upgrade;

/// Documented limit on the speed of audio, in multiples of real time.
const FASTEST: f64 = 1.25;
/// Audio of a reconnected client that is looked at before deciding where in the call it lies.
const HEAD_BYTES: usize = 1600;
/// How long silence at the start of a reconnect may delay that decision.
const LONGEST_HEAD_BYTES: usize = 8000;
const NET_0001: &str = "NET-0001: Deepgram did not receive audio data or a text message within the timeout window. \
     See https://dpgr.am/net0001";

struct Session {
    socket: WebSocketStream<TcpStream>,
    shared: Shared,
    number: usize,
    index: usize,
    request_id: String,
    listen: Listen,
    fault: Option<FaultKind>,
    received: u64,
    hearing: Hearing,
    first_audio: Option<Instant>,
    pace_reported: bool,
    omit_optional: bool,
}

/// Whether it is known where in the call this connection's audio lies.
enum Hearing {
    Locating(Vec<u8>),
    Placed {
        origin_bytes: u64,
        playback: Playback,
    },
}

pub(super) async fn serve(socket: TcpStream, shared: Shared, number: usize) {
    // Without it results wait for the client's acknowledgement; a failure only costs time.
    let _ = socket.set_nodelay(true);
    let request_id = format!("00000000-0000-4000-8000-{number:012}");
    let mut admission = None;
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_write_buffer_size(1 << 20)
        .max_message_size(Some(1 << 20));
    #[expect(
        clippy::result_large_err,
        reason = "the callback's type is tungstenite's"
    )]
    let callback = |request: &Request, response: Response| {
        let admitted = upgrade::admit(request, &shared, number, &request_id)?;
        admission = Some(admitted);
        let mut response = response;
        if let Ok(id) = http::HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("dg-request-id", id);
        }
        Ok(response)
    };
    let upgraded =
        tokio_tungstenite::accept_hdr_async_with_config(socket, callback, Some(config)).await;
    let Some(admission) = admission else { return };
    let Ok(socket) = upgraded else {
        shared.observed.update(|state| {
            if let Some(connection) = state.connections.get_mut(admission.index) {
                connection.ended = Some(Ending::Dropped);
            }
        });
        return;
    };
    let mut session = Session {
        socket,
        shared,
        number,
        index: admission.index,
        request_id,
        omit_optional: admission.fault == Some(FaultKind::OmitOptional),
        hearing: Hearing::Locating(Vec::new()),
        listen: admission.listen,
        fault: admission.fault,
        received: 0,
        first_audio: None,
        pace_reported: false,
    };
    session.place_if_first();
    let ending = session.converse().await;
    session.end(ending).await;
}

impl Session {
    async fn converse(&mut self) -> Ending {
        if let ControlFlow::Break(ending) = self.commit_fault().await {
            return ending;
        }
        let idle_timeout = self.shared.options.idle_timeout;
        let mut silent_since = tokio::time::Instant::now();
        loop {
            let Ok(next) =
                tokio::time::timeout_at(silent_since + idle_timeout, self.socket.next()).await
            else {
                return self.close(1011, NET_0001).await;
            };
            let flow = match next {
                None | Some(Err(_)) => return Ending::Dropped,
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map(|frame| u16::from(frame.code));
                    self.drain().await;
                    return Ending::ClosedByPeer { code };
                }
                Some(Ok(Message::Binary(audio))) => self.hear(&audio).await,
                Some(Ok(Message::Text(text))) => self.obey(text.as_str()).await,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            };
            if let ControlFlow::Break(ending) = flow {
                return ending;
            }
            // KeepAlive alone does not save a socket that never got audio (Deepgram's
            // troubleshooting page for NET errors, read 2026-11-21).
            if self.received > 0 {
                silent_since = tokio::time::Instant::now();
            }
        }
    }

    async fn hear(&mut self, audio: &[u8]) -> ControlFlow<Ending> {
        if audio.is_empty() {
            self.violate(
                "an empty binary message was sent (the old way to close; CloseStream is the way)",
            );
            return self.say_goodbye().await;
        }
        self.received += audio.len() as u64;
        let (index, received) = (self.index, self.received);
        self.shared.observed.update(|state| {
            if let Some(connection) = state.connections.get_mut(index) {
                connection.audio_bytes = received;
            }
        });
        self.check_pace();
        self.place(audio);
        self.send_due().await?;
        self.commit_fault().await
    }

    async fn obey(&mut self, text: &str) -> ControlFlow<Ending> {
        let message: Value = match serde_json::from_str(text) {
            Ok(message) => message,
            Err(_) => {
                self.violate("a text message is not JSON");
                return ControlFlow::Continue(());
            }
        };
        let kind = message["type"].as_str().unwrap_or_default().to_owned();
        let (index, number, audio_ms) = (self.index, self.number, self.received_ms());
        self.shared.observed.update(|state| {
            if let Some(connection) = state.connections.get_mut(index) {
                connection.controls.push((kind.clone(), audio_ms));
            }
            state.record(Event::Control {
                connection: number,
                kind: kind.clone(),
                audio_ms,
            });
        });
        match kind.as_str() {
            "KeepAlive" => ControlFlow::Continue(()),
            "Finalize" => {
                let Hearing::Placed { playback, .. } = &mut self.hearing else {
                    return ControlFlow::Continue(());
                };
                match playback.finalize(audio_ms) {
                    Some(flushed) => self.send(flushed).await,
                    None => ControlFlow::Continue(()),
                }
            }
            "CloseStream" => self.say_goodbye().await,
            "Configure" => self.send(json!({"type": "ConfigureSuccess"})).await,
            _ => {
                self.violate(
                    "a text message is none of KeepAlive, Finalize, CloseStream and Configure",
                );
                ControlFlow::Continue(())
            }
        }
    }

    /// Sends what is due, the `Metadata` goodbye, and closes with 1000.
    async fn say_goodbye(&mut self) -> ControlFlow<Ending> {
        self.send_due().await?;
        let metadata = json!({
            "type": "Metadata", "transaction_key": "deprecated", "request_id": self.request_id, "sha256": "0".repeat(64),
            "created": "2026-11-21T00:00:00.000Z", "duration": self.received_ms() as f64 / 1000.0,
            "channels": self.listen.channels,
        });
        self.send(metadata).await?;
        ControlFlow::Break(self.close(1000, "").await)
    }

    async fn send_due(&mut self) -> ControlFlow<Ending> {
        let received_ms = self.received_ms();
        let Hearing::Placed { playback, .. } = &mut self.hearing else {
            return ControlFlow::Continue(());
        };
        for message in playback.due(received_ms) {
            self.send(message).await?;
        }
        ControlFlow::Continue(())
    }

    async fn send(&mut self, mut message: Value) -> ControlFlow<Ending> {
        if message["metadata"].is_object() {
            message["metadata"]["request_id"] = json!(self.request_id);
        }
        let event = Event::Sent {
            connection: self.number,
            kind: message["type"].as_str().unwrap_or_default().to_owned(),
            is_final: playback::is_final(&message),
            audio_ms: self.received_ms(),
        };
        if self.omit_optional
            && let Some(members) = message.as_object_mut()
        {
            members.retain(|name, value| {
                !(matches!(name.as_str(), "is_final" | "speech_final" | "from_finalize")
                    && *value == json!(false))
            });
        }
        self.shared.observed.update(|state| state.record(event));
        match self.socket.send(Message::text(message.to_string())).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(Ending::Dropped),
        }
    }

    /// Does what the plan says once enough audio has arrived.
    async fn commit_fault(&mut self) -> ControlFlow<Ending> {
        let received_ms = self.received_ms();
        let due = match &self.fault {
            Some(FaultKind::Close { after_ms, .. })
            | Some(FaultKind::Stall { after_ms })
            | Some(FaultKind::Cut { after_ms })
            | Some(FaultKind::MalformedJson { after_ms }) => received_ms >= *after_ms,
            Some(FaultKind::Refuse { .. } | FaultKind::OmitOptional) | None => false,
        };
        let Some(fault) = due.then(|| self.fault.take()).flatten() else {
            return ControlFlow::Continue(());
        };
        let event = Event::Faulted {
            connection: self.number,
            fault: format!("{fault:?}"),
        };
        self.shared.observed.update(|state| state.record(event));
        match fault {
            FaultKind::Close { code, .. } => {
                let reason = match code {
                    1008 => "DATA-0000",
                    1011 => NET_0001,
                    _ => "",
                };
                ControlFlow::Break(self.close(code, reason).await)
            }
            FaultKind::Stall { .. } => ControlFlow::Break(Ending::Stalled),
            FaultKind::Cut { .. } => ControlFlow::Break(Ending::Cut),
            FaultKind::MalformedJson { .. } => {
                let broken = Message::text(r#"{"type":"Results","channel":{"alternatives":[{"#);
                match self.socket.send(broken).await {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(Ending::Dropped),
                }
            }
            FaultKind::Refuse { .. } | FaultKind::OmitOptional => ControlFlow::Continue(()),
        }
    }

    async fn close(&mut self, code: u16, reason: &str) -> Ending {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        };
        // The client may be gone already; it was told or cannot be told.
        let _ = self.socket.close(Some(frame)).await;
        self.drain().await;
        Ending::Closed { code }
    }

    /// Reads to the end of the closing handshake, for a second at most.
    async fn drain(&mut self) {
        let rest = async { while let Some(Ok(_)) = self.socket.next().await {} };
        // A client that does not answer the close is left to the reset of the connection.
        let _ = tokio::time::timeout(Duration::from_secs(1), rest).await;
    }

    async fn end(self, ending: Ending) {
        let event = Event::Ended {
            connection: self.number,
            audio_bytes: self.received,
            ending: ending.clone(),
        };
        self.shared.observed.update(|state| {
            if let Some(connection) = state.connections.get_mut(self.index) {
                connection.ended = Some(ending.clone());
            }
            state.record(event);
        });
        match ending {
            // A failure leaves an orderly end, which the client takes for a lost peer as well.
            Ending::Cut => drop(self.socket.get_ref().set_zero_linger()),
            Ending::Stalled => std::future::pending().await,
            Ending::Closed { .. } | Ending::ClosedByPeer { .. } | Ending::Dropped => {}
        }
    }

    /// Begins to play at once when this speaker has not been heard before.
    fn place_if_first(&mut self) {
        let heard = self.shared.observed.read(|state| {
            state
                .tracks
                .get(&self.track_key())
                .map_or(0, |track| track.end_bytes)
        });
        if heard == 0 || !self.shared.options.keep_audio {
            self.start_playback(heard);
        }
    }

    /// Adds audio to the track, finding out first where in the call it belongs.
    fn place(&mut self, audio: &[u8]) {
        if let Hearing::Locating(head) = &mut self.hearing {
            head.extend_from_slice(audio);
            let undecided = head.len() < HEAD_BYTES || !playback::varies(head);
            if undecided && head.len() < LONGEST_HEAD_BYTES {
                return;
            }
            let head = std::mem::take(head);
            let key = self.track_key();
            let origin = self
                .shared
                .observed
                .read(|state| match state.tracks.get(&key) {
                    Some(track) => playback::find_origin(&track.audio, &head),
                    None => 0,
                });
            self.start_playback(origin as u64);
            self.append(&head);
        } else {
            self.append(audio);
        }
    }

    fn start_playback(&mut self, origin_bytes: u64) {
        let origin_ms = origin_bytes * 1000 / self.listen.bytes_per_second;
        let calls = self
            .shared
            .options
            .results
            .iter()
            .filter(|results| results.call_sid == self.listen.call);
        let lines: Vec<Line> = calls
            .flat_map(|results| &results.lines)
            .filter(|line| Some(line.speaker) == self.listen.speaker)
            .cloned()
            .collect();
        self.hearing = Hearing::Placed {
            origin_bytes,
            playback: Playback::new(lines, &self.listen, origin_ms),
        };
        let index = self.index;
        self.shared.observed.update(|state| {
            if let Some(connection) = state.connections.get_mut(index) {
                connection.origin_ms = origin_ms;
            }
        });
    }

    fn append(&self, audio: &[u8]) {
        let Hearing::Placed { origin_bytes, .. } = &self.hearing else {
            return;
        };
        let from = origin_bytes + self.received - audio.len() as u64;
        let keep = self.shared.options.keep_audio;
        let key = self.track_key();
        self.shared.observed.update(|state| {
            let track = state.tracks.entry(key).or_default();
            let known = track.end_bytes.saturating_sub(from).min(audio.len() as u64) as usize;
            if keep {
                track.audio.extend_from_slice(&audio[known..]);
            }
            track.end_bytes += (audio.len() - known) as u64;
        });
    }

    fn check_pace(&mut self) {
        let Some(pace) = self.shared.options.enforce_pace else {
            return;
        };
        let Some(first) = self.first_audio else {
            self.first_audio = Some(Instant::now());
            return;
        };
        let allowed_ms = first.elapsed().as_secs_f64() * 1000.0 * FASTEST * pace.speed
            + pace.allowance.as_secs_f64() * 1000.0;
        if !self.pace_reported && self.received_ms() as f64 > allowed_ms {
            self.pace_reported = true;
            self.violate("audio came faster than 1.25 times real time for longer than allowed");
        }
    }

    fn track_key(&self) -> (String, Option<super::Speaker>) {
        (self.listen.call.clone(), self.listen.speaker)
    }

    fn received_ms(&self) -> u64 {
        self.received * 1000 / self.listen.bytes_per_second
    }

    fn violate(&self, rule: &str) {
        let speaker = self
            .listen
            .speaker
            .map_or("unknown speaker", |speaker| speaker.as_str());
        let sentence = format!("connection {} ({speaker}): {rule}", self.number);
        self.shared.observed.update(|state| state.violate(sentence));
    }
}
