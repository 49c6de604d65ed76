//! Twilio's side by hand, for what the stand-in carrier would never do: unsigned webhooks, sockets
//! of strangers, broken messages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use handoff_simulator::carrier::twilio::sign;
use handoff_simulator::recognizer::CallResults;
use reqwest::StatusCode;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::stage::{ACCOUNT, AUTH_TOKEN, PUBLIC_URL, Stage};

pub type Form = Vec<(String, String)>;

pub const VOICE: &str = "/twilio/voice";
pub const SIGNATURE: &str = "X-Twilio-Signature";

/// How a request proves that it comes from the carrier.
#[derive(Debug, Clone)]
pub enum Proof {
    Right,
    /// Signed with another token.
    With(&'static str),
    /// The header is this.
    Literal(String),
    /// No header.
    None,
    /// The right header, twice.
    Twice,
}

impl Proof {
    fn headers(&self, url: &str, form: &Form) -> Vec<String> {
        match self {
            Self::Right => vec![sign(AUTH_TOKEN, url, form)],
            Self::With(token) => vec![sign(token, url, form)],
            Self::Literal(text) => vec![text.clone()],
            Self::None => Vec::new(),
            Self::Twice => vec![sign(AUTH_TOKEN, url, form); 2],
        }
    }
}

/// An id of a call that no recording has.
pub fn sid(number: u32) -> String {
    format!("CA{number:032x}")
}

/// The parameters of the webhook of a new call.
pub fn call_form(call_sid: &str) -> Form {
    form(&[
        ("AccountSid", ACCOUNT),
        ("CallSid", call_sid),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("From", "+15550100011"),
        ("To", "+15550100090"),
    ])
}

pub fn form(pairs: &[(&str, &str)]) -> Form {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}

/// Posts a form to the server.
pub async fn post(stage: &Stage, path: &str, form: &Form, proof: &Proof) -> (StatusCode, String) {
    let mut request = stage.client.post(stage.url(path)).form(form);
    for signature in proof.headers(&format!("{PUBLIC_URL}{path}"), form) {
        request = request.header(SIGNATURE, signature);
    }
    let answer = request.send().await.expect("the server answers");
    let status = answer.status();
    (status, answer.text().await.expect("a text"))
}

/// A call that the server was told of.
pub struct Announced {
    pub call_sid: String,
    pub document: String,
    /// From the stream's URL.
    pub token: String,
}

/// Tells the server of a call.
pub async fn announce(stage: &Stage, call_sid: &str) -> Announced {
    let (status, document) = post(stage, VOICE, &call_form(call_sid), &Proof::Right).await;
    assert_eq!(status, StatusCode::OK, "{document}");
    let token = token_of(&document).expect("the answer opens a stream");
    Announced {
        call_sid: call_sid.to_owned(),
        document,
        token,
    }
}

pub fn token_of(document: &str) -> Option<String> {
    let (_, rest) = document.split_once("wss://handoff.example.com/twilio/media/")?;
    let (token, _) = rest.split_once('"')?;
    Some(token.to_owned())
}

/// Tells the server that the caller is gone.
pub async fn hang_up(stage: &Stage, call_sid: &str) {
    let mut over = call_form(call_sid);
    for (name, value) in &mut over {
        if name == "CallStatus" {
            "completed".clone_into(value);
        }
    }
    let (status, _) = post(stage, "/twilio/status", &over, &Proof::Right).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

/// A media socket whose every message the test writes.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    played_ms: u64,
}

/// Opens a media socket, or gives the status that it was refused with.
pub async fn open(stage: &Stage, token: &str, proof: &Proof) -> Result<Socket, u16> {
    let path = format!("/twilio/media/{token}");
    let address = stage.server().address;
    let mut request = format!("ws://{address}{path}")
        .into_client_request()
        .expect("a request");
    // The WebSocket's URL is signed with its own scheme.
    let signed = format!("{}{path}", PUBLIC_URL.replacen("http", "ws", 1));
    for signature in proof.headers(&signed, &Form::new()) {
        let value = HeaderValue::from_str(&signature).expect("base64 is a header value");
        request.headers_mut().append(SIGNATURE, value);
    }
    let stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    match client_async(request, stream).await {
        Ok((stream, _)) => Ok(Socket {
            stream,
            played_ms: 0,
        }),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("the handshake failed: {error}"),
    }
}

impl Socket {
    pub async fn send(&mut self, text: impl Into<String>) {
        let sent = self.stream.send(Message::text(text.into())).await;
        sent.expect("the socket is open");
    }

    pub async fn send_binary(&mut self, bytes: &[u8]) {
        let sent = self.stream.send(Message::binary(bytes.to_vec())).await;
        sent.expect("the socket is open");
    }

    /// Sends what a server that no longer listens may never read.
    pub async fn send_if_open(&mut self, text: String) -> bool {
        self.stream.send(Message::text(text)).await.is_ok()
    }

    /// Introduces the stream as the carrier does.
    pub async fn introduce(&mut self, call_sid: &str, token: Option<&str>) {
        self.send(r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#)
            .await;
        self.send(start(call_sid, token)).await;
    }

    /// Plays silence for so long.
    pub async fn play(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds / 20 {
            let text = media(self.played_ms, &STANDARD.encode([0xff; 160]));
            self.send(text).await;
            self.played_ms += 20;
        }
    }

    /// Waits for the server to close; the code of its close frame, if it sent one.
    pub async fn closed(mut self, stage: &Stage) -> Option<u16> {
        let reading = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Close(frame))) => {
                        return frame.map(|frame| u16::from(frame.code));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        let closed = timeout(stage.left(), reading).await;
        closed.expect("the server did not close the socket")
    }

    pub async fn close(mut self) {
        self.stream.close(None).await.expect("the socket is open");
    }
}

pub const STREAM: &str = "MZ00000000000000000000000000000001";

pub fn start(call_sid: &str, token: Option<&str>) -> String {
    let parameters = token.map_or(json!({}), |token| json!({ "token": token }));
    let start = json!({
        "accountSid": ACCOUNT, "streamSid": STREAM, "callSid": call_sid,
        "tracks": ["inbound", "outbound"], "customParameters": parameters,
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    });
    json!({"event": "start", "sequenceNumber": "1", "start": start, "streamSid": STREAM})
        .to_string()
}

pub fn media(timestamp_ms: u64, payload: &str) -> String {
    let media = json!({
        "track": "inbound", "chunk": "1", "timestamp": timestamp_ms.to_string(), "payload": payload,
    });
    json!({"event": "media", "sequenceNumber": "2", "media": media, "streamSid": STREAM})
        .to_string()
}

/// A recognizer that hears the caller say these words once half a second of audio has arrived.
pub fn says(call_sid: &str, text: &str) -> CallResults {
    says_at(call_sid, 500, text)
}

pub fn says_at(call_sid: &str, at_ms: u64, text: &str) -> CallResults {
    let count = text.split(' ').count();
    let step = 0.4 / count as f64;
    let begin = (at_ms as f64 - 450.0) / 1_000.0;
    let words: Vec<_> = (text.split(' ').enumerate())
        .map(|(nth, word)| {
            let start = begin + nth as f64 * step;
            json!({"word": word.to_lowercase(), "punctuated_word": word, "confidence": 0.98,
                "start": start, "end": start + step})
        })
        .collect();
    let message = json!({
        "type": "Results", "channel_index": [0, 1], "start": 0.0, "duration": at_ms as f64 / 1_000.0,
        "is_final": true, "speech_final": true, "from_finalize": false,
        "channel": {"alternatives": [{"transcript": text, "confidence": 0.98, "words": words}]},
        "metadata": {"request_id": "", "model_uuid": "",
            "model_info": {"name": "general-nova-3", "version": "stand-in", "arch": "nova-3"}},
    });
    let line = json!({"speaker": "caller", "at_ms": at_ms, "message": message});
    CallResults::parse(call_sid, "made up", &line.to_string()).expect("a result")
}
