//! A Deepgram of a few lines, and a call that listens. Each test says what both do, step by step.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use handoff_core::id::CarrierCallId;
use handoff_core::pii::Secret;
use handoff_core::speech::{Hypothesis, Speaker};
use handoff_core::time::MediaTime;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use crate::egress::{Egress, EgressOptions};
use crate::recognizer::deepgram::{DeepgramOptions, Leg, Reconnect, Replay, start};
use crate::recognizer::{Feed, Feeding, Heard};

/// Waits for one observation. Far above what any takes, so it passes only when one never comes.
pub async fn within<F: Future>(future: F) -> F::Output {
    let waited = tokio::time::timeout(Duration::from_secs(20), future).await;
    waited.expect("what is waited for happens")
}

/// Options as deployed, with short waits between attempts and no limit to the replay.
pub fn options(base_url: &str) -> DeepgramOptions {
    DeepgramOptions {
        base_url: base_url.to_owned(),
        api_key: Secret::new("test-key"),
        model: "nova-3".to_owned(),
        language: "en-US".to_owned(),
        endpointing_ms: 300,
        utterance_end_ms: 1_000,
        keyterms: Vec::new(),
        mip_opt_out: true,
        connect_deadline: Duration::from_secs(5),
        keep_alive: Duration::from_secs(4),
        answer_deadline: Duration::from_secs(10),
        finish_deadline: Duration::from_secs(5),
        reconnect: Reconnect {
            first: Duration::from_millis(1),
            max: Duration::from_millis(5),
            lost_after: 4,
        },
        replay: Replay {
            cap: Duration::from_secs(5),
            rewind: Duration::from_secs(1),
            rate: f64::INFINITY,
        },
    }
}

pub fn egress() -> Egress {
    Egress::new(EgressOptions::default()).unwrap()
}

pub fn caller_leg() -> Leg {
    Leg {
        speaker: Speaker::Caller,
        carrier_call: CarrierCallId("CA02".to_owned()),
    }
}

/// The listening side. Its recognition is gone when it is dropped.
pub struct Call {
    feed: Option<Feed>,
    heard: mpsc::Receiver<Heard>,
    _recognition: JoinSet<()>,
}

impl Call {
    pub fn new(options: DeepgramOptions) -> Self {
        let (feed, feeding) = Feed::new();
        let (sender, heard) = mpsc::channel(64);
        let mut recognition = JoinSet::new();
        recognition.spawn(start(
            Arc::new(options),
            egress(),
            caller_leg(),
            feeding,
            sender,
        ));
        Self {
            feed: Some(feed),
            heard,
            _recognition: recognition,
        }
    }

    /// Passes 100 ms of audio that begins at `start_ms`.
    pub fn window(&self, start_ms: u64) {
        let start = MediaTime::from_millis(start_ms);
        self.push(Feeding::Window {
            start,
            mulaw: Bytes::from_static(&[0xff; 800]),
        });
    }

    pub fn push(&self, feeding: Feeding) {
        assert!(self.try_push(feeding), "the feed takes what is pushed");
    }

    pub fn try_push(&self, feeding: Feeding) -> bool {
        self.feed.as_ref().expect("the feed is open").push(feeding)
    }

    pub fn end_feed(&mut self) {
        self.feed = None;
    }

    /// The next thing heard; `None` once the recognition is over.
    pub async fn hears(&mut self) -> Option<Heard> {
        within(self.heard.recv()).await
    }

    pub async fn hears_words(&mut self) -> Hypothesis {
        match self.hears().await {
            Some(Heard::Hypothesis(hypothesis)) => *hypothesis,
            other => panic!("words expected, not {other:?}"),
        }
    }
}

/// The other side.
pub struct Peer {
    listener: TcpListener,
}

impl Peer {
    pub async fn new() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    pub fn options(&self) -> DeepgramOptions {
        options(&format!("http://{}", self.listener.local_addr().unwrap()))
    }

    /// Takes the next connection and says nothing yet.
    pub async fn takes(&self) -> TcpStream {
        within(self.listener.accept()).await.unwrap().0
    }

    /// Grants the next upgrade.
    #[expect(
        clippy::result_large_err,
        reason = "the type of tungstenite's callback"
    )]
    pub async fn grants(&self) -> Connection {
        let mut asked = None;
        let keep = |request: &Request, response: Response| {
            asked = Some(request.clone());
            Ok(response)
        };
        let socket = within(accept_hdr_async(self.takes().await, keep))
            .await
            .unwrap();
        Connection {
            socket,
            asked: asked.unwrap(),
        }
    }

    /// Answers the next upgrade with an error, as Deepgram does.
    #[expect(
        clippy::result_large_err,
        reason = "the type of tungstenite's callback"
    )]
    pub async fn refuses(&self, status: u16, error: &str) {
        let refuse = |_: &Request, _: Response| {
            let body = format!(r#"{{"err_code":"{error}","err_msg":"","request_id":"r"}}"#);
            let response = http::Response::builder()
                .status(status)
                .header("dg-error", error);
            let refusal: ErrorResponse = response.body(Some(body)).unwrap();
            Err(refusal)
        };
        let refused = within(accept_hdr_async(self.takes().await, refuse)).await;
        assert!(refused.is_err(), "the upgrade is refused");
    }
}

/// A granted connection, seen from Deepgram.
pub struct Connection {
    pub socket: WebSocketStream<TcpStream>,
    pub asked: Request,
}

impl Connection {
    /// The next frame but for pings: `audio 800`, a control's type, or `close`.
    pub async fn gets(&mut self) -> String {
        loop {
            match within(self.socket.next()).await {
                Some(Ok(Message::Binary(audio))) => return format!("audio {}", audio.len()),
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).expect("controls are JSON");
                    return message["type"]
                        .as_str()
                        .expect("controls have a type")
                        .to_owned();
                }
                Some(Ok(Message::Close(_))) | None => return "close".to_owned(),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => panic!("the recognizer broke the connection: {error}"),
            }
        }
    }

    pub async fn gets_audio(&mut self, windows: usize) {
        for _ in 0..windows {
            assert_eq!(self.gets().await, "audio 800");
        }
    }

    pub async fn says(&mut self, message: Value) {
        self.says_text(&message.to_string()).await;
    }

    pub async fn says_text(&mut self, text: &str) {
        within(self.socket.send(Message::text(text))).await.unwrap();
    }

    /// Says `[start, end)` of its own clock, in seconds, with as little as the schema requires.
    pub async fn says_words(&mut self, text: &str, start: f64, end: f64, kind: Kind) {
        let mut results = json!({
            "type": "Results", "channel_index": [0, 1], "start": start, "duration": end - start,
            "channel": {"alternatives": [{"transcript": text, "confidence": 0.9, "words": []}]},
            "metadata": {"request_id": "r"},
        });
        match kind {
            Kind::Interim => {}
            Kind::Final => results["is_final"] = json!(true),
            Kind::Endpoint => {
                results["is_final"] = json!(true);
                results["speech_final"] = json!(true);
            }
        }
        self.says(results).await;
    }

    pub async fn closes(mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        within(self.socket.send(Message::Close(Some(frame))))
            .await
            .unwrap();
        // Windows may still be on the way; the answering close frame comes after them.
        while self.gets().await != "close" {}
    }
}

#[derive(Clone, Copy)]
pub enum Kind {
    Interim,
    Final,
    Endpoint,
}
