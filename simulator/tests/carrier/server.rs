//! The smallest server a carrier can call: documents by path, and a media socket that notes all.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use handoff_simulator::carrier::twilio::{Carrier, CarrierOptions, PlacedCall};
use handoff_simulator::carrier::{CarrierEvent, Speed};
use handoff_simulator::recording::Recording;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

pub const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub const TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
pub const PUBLIC: &str = "https://bridge.example.com";
pub const DEADLINE: Duration = Duration::from_secs(20);

/// What the media socket does with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Socket {
    /// Reads until the carrier closes.
    Listens,
    /// Sends this text after `start`, then reads.
    Sends(&'static str),
    /// Closes after `start`.
    Closes,
    /// Refuses the upgrade.
    Refuses,
}

/// Everything the server saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Requests by path with their parameters.
    pub requests: Vec<(String, BTreeMap<String, String>)>,
    /// Messages of every socket, in order.
    pub sockets: Vec<Vec<Value>>,
}

#[derive(Debug)]
struct Shared {
    documents: BTreeMap<&'static str, String>,
    socket: Socket,
    seen: Mutex<Seen>,
    grown: watch::Sender<u64>,
}

/// A stand-in carrier and the server it calls.
pub struct World {
    pub carrier: Carrier,
    shared: Arc<Shared>,
    /// A runtime of its own, so that killing the server breaks its open sockets too.
    server: Mutex<Option<Runtime>>,
}

impl World {
    /// A server that answers these documents by path, with a socket at `/media/…`.
    pub async fn start(
        documents: &[(&'static str, &str)],
        socket: Socket,
        change: impl FnOnce(&mut CarrierOptions),
    ) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let documents = documents
            .iter()
            .map(|(path, document)| (*path, (*document).to_owned()))
            .collect();
        let (grown, _) = watch::channel(0);
        let shared = Arc::new(Shared {
            documents,
            socket,
            seen: Mutex::default(),
            grown,
        });
        let router = Router::new()
            .route("/media/{token}", get(media))
            .route("/{*path}", post(webhook))
            .with_state(Arc::clone(&shared));
        let server = Runtime::new().unwrap();
        server.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        let mut options = CarrierOptions::new(ACCOUNT, TOKEN, PUBLIC, address);
        options.voice_path = "/voice".into();
        options.speed = Speed::Times(50.0);
        options.after_recording =
            handoff_simulator::carrier::twilio::AfterRecording::WaitForHandoff {
                grace: Duration::from_millis(300),
            };
        change(&mut options);
        Self {
            carrier: Carrier::start(options).await.unwrap(),
            shared,
            server: Mutex::new(Some(server)),
        }
    }

    pub fn place(&self, recording: &Recording) -> PlacedCall {
        self.carrier.place_call(recording).unwrap()
    }

    /// The parameters of the requests for a path, in order.
    pub fn requests(&self, path: &str) -> Vec<BTreeMap<String, String>> {
        let seen = self.shared.seen.lock().unwrap();
        seen.requests
            .iter()
            .filter(|(asked, _)| asked == path)
            .map(|(_, parameters)| parameters.clone())
            .collect()
    }

    pub fn sockets(&self) -> Vec<Vec<Value>> {
        self.shared.seen.lock().unwrap().sockets.clone()
    }

    /// Waits until what the server saw satisfies `wanted`.
    pub async fn seen(&self, wanted: impl Fn(&Seen) -> bool) {
        let mut grown = self.shared.grown.subscribe();
        let satisfied = grown.wait_for(|_| wanted(&self.shared.seen.lock().unwrap()));
        tokio::time::timeout(DEADLINE, satisfied)
            .await
            .expect("the server did not see it in time")
            .unwrap();
    }

    /// Kills the server: nobody listens any more, and open sockets break.
    pub fn kill(&self) {
        if let Some(server) = self.server.lock().unwrap().take() {
            server.shutdown_background();
        }
    }

    /// Updates the live call over REST.
    pub async fn update(&self, call: &PlacedCall, form: &[(&str, &str)]) -> (u16, Value) {
        self.update_as(call, form, ACCOUNT, TOKEN).await
    }

    pub async fn update_as(
        &self,
        call: &PlacedCall,
        form: &[(&str, &str)],
        user: &str,
        password: &str,
    ) -> (u16, Value) {
        let resource = format!("Calls/{}.json", call.call_sid());
        self.post_as(&resource, form, user, password).await
    }

    /// Posts to a resource of the account over REST.
    pub async fn post(&self, resource: &str, form: &[(&str, &str)]) -> (u16, Value) {
        self.post_as(resource, form, ACCOUNT, TOKEN).await
    }

    async fn post_as(
        &self,
        resource: &str,
        form: &[(&str, &str)],
        user: &str,
        password: &str,
    ) -> (u16, Value) {
        let url = format!(
            "{}/2010-04-01/Accounts/{ACCOUNT}/{resource}",
            self.carrier.base_url(),
        );
        let request = reqwest::Client::new()
            .post(url)
            .basic_auth(user, Some(password))
            .form(form);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Plays a call to its end.
    pub async fn play(&self, recording: &Recording) -> PlacedCall {
        let call = self.place(recording);
        call.ended(DEADLINE).await.unwrap();
        call
    }

    /// Checks that the server broke exactly this one rule.
    #[track_caller]
    pub fn assert_violation(&self, expected: &str) {
        let violations = self.carrier.violations();
        assert!(
            violations.len() == 1 && violations[0].contains(expected),
            "expected one violation with {expected:?}, got {violations:#?}"
        );
    }

    #[track_caller]
    pub fn assert_no_violations(&self) {
        assert_eq!(self.carrier.violations(), Vec::<String>::new());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Shared {
    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap());
        self.grown.send_modify(|count| *count += 1);
    }
}

async fn webhook(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let mut url = reqwest::Url::parse("http://form/").unwrap();
    url.set_query(Some(&body));
    let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let expected =
        handoff_simulator::carrier::twilio::sign(TOKEN, &format!("{PUBLIC}{uri}"), &parameters);
    assert_eq!(
        headers["x-twilio-signature"],
        expected.as_str(),
        "the request for {uri} is signed"
    );
    assert_eq!(headers["host"], "bridge.example.com");
    let path = uri.path().to_owned();
    shared.note(|seen| {
        seen.requests
            .push((path.clone(), parameters.into_iter().collect()))
    });
    let count = shared.seen.lock().unwrap().requests.len();
    match shared.documents.get(path.as_str()) {
        Some(document) => (
            [(CONTENT_TYPE, "text/xml")],
            document.replace("COUNT", &count.to_string()),
        )
            .into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn media(
    State(shared): State<Arc<Shared>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let expected = handoff_simulator::carrier::twilio::sign(
        TOKEN,
        &format!("wss://bridge.example.com/media/{token}"),
        &[],
    );
    assert_eq!(
        headers["x-twilio-signature"],
        expected.as_str(),
        "the upgrade is signed"
    );
    if shared.socket == Socket::Refuses {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.on_upgrade(move |socket| listen(shared, socket))
}

async fn listen(shared: Arc<Shared>, mut socket: WebSocket) {
    let mut index = 0;
    shared.note(|seen| {
        index = seen.sockets.len();
        seen.sockets.push(Vec::new());
    });
    let killed = async {
        while let Some(Ok(message)) = socket.recv().await {
            let Message::Text(text) = message else {
                continue;
            };
            let message: Value = serde_json::from_str(&text).unwrap();
            let started = message["event"] == "start";
            shared.note(|seen| seen.sockets[index].push(message));
            if started {
                match shared.socket {
                    Socket::Closes => return,
                    Socket::Sends(text) => {
                        let sid = shared.seen.lock().unwrap().sockets[index][1]["streamSid"]
                            .as_str()
                            .unwrap()
                            .to_owned();
                        for line in text.lines() {
                            socket
                                .send(Message::text(line.replace("SID", &sid)))
                                .await
                                .unwrap();
                        }
                    }
                    Socket::Listens | Socket::Refuses => {}
                }
            }
        }
    };
    killed.await;
}

/// A recording of `seconds` with both tracks, or with the caller's alone.
pub fn recording(mode: &str, human: &str, seconds: u64) -> Recording {
    recording_with_pace(mode, human, seconds, None)
}

/// As [`recording`], with a pace file.
pub fn recording_with_pace(mode: &str, human: &str, seconds: u64, pace: Option<&str>) -> Recording {
    compose(mode, human, seconds, pace, None)
}

/// A recording of a second with one more line before its `stop`.
pub fn recording_with_extra_line(mode: &str, line: &str) -> Recording {
    compose(mode, "none", 1, None, Some(line))
}

fn compose(
    mode: &str,
    human: &str,
    seconds: u64,
    pace: Option<&str>,
    extra: Option<&str>,
) -> Recording {
    let call_sid = "CA00000000000000000000000000000001";
    let stream_sid = "MZ00000000000000000000000000000001";
    let tracks: &[&str] = if mode == "listen" {
        &["inbound", "outbound"]
    } else {
        &["inbound"]
    };
    let call = json!({
        "slug": "test", "carrier": "twilio", "mode": mode, "synthetic": true, "provenance": "composed by a test",
        "account_sid": ACCOUNT, "call_sid": call_sid, "from": "+15550100001", "to": "+15550100002",
        "webhook": {"FromCity": "MÜNCHEN", "StirVerstat": "TN-Validation-Passed-A"}, "human": human,
    });
    let mut lines = vec![json!({"event": "connected", "protocol": "Call", "version": "1.0.0"})];
    let format = json!({"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1});
    lines.push(
        json!({"event": "start", "sequenceNumber": "1", "streamSid": stream_sid, "start": {
        "accountSid": ACCOUNT, "streamSid": stream_sid, "callSid": call_sid, "tracks": tracks,
        "mediaFormat": format, "customParameters": {}}}),
    );
    for frame in 1..=seconds * 50 {
        for track in tracks {
            let sequence = lines.len().to_string();
            let media = json!({"track": track, "chunk": frame.to_string(), "timestamp": (frame * 20).to_string(), "payload": "//////7+"});
            lines.push(json!({"event": "media", "sequenceNumber": sequence, "streamSid": stream_sid, "media": media}));
        }
    }
    lines.extend(extra.map(|line| serde_json::from_str(line).unwrap()));
    let stop = json!({"accountSid": ACCOUNT, "callSid": call_sid});
    lines.push(json!({"event": "stop", "sequenceNumber": lines.len().to_string(), "streamSid": stream_sid, "stop": stop}));
    let stream: Vec<_> = lines.iter().map(Value::to_string).collect();
    Recording::parse(&call.to_string(), &stream.join("\n"), pace).unwrap()
}

/// The names of the events, for comparing a course of events as a whole.
pub fn names(events: &[CarrierEvent]) -> Vec<String> {
    let name = |event: &CarrierEvent| {
        serde_json::to_value(event).unwrap()["event"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    events.iter().map(name).collect()
}
