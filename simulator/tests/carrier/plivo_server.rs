//! The smallest server a Plivo can call: documents by path, and a media socket that notes all.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use handoff_simulator::carrier::plivo::{Carrier, CarrierOptions, sign};
use handoff_simulator::carrier::{AfterRecording, CarrierEvent, Logged, Method, PlacedCall, Speed};
use handoff_simulator::recording::Recording;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::server::DEADLINE;

pub const AUTH_ID: &str = "MA0000000000000001";
pub const TOKEN: &str = "ZmFrZS1wbGl2by10b2tlbi0wMDAx";
pub const PUBLIC: &str = "https://bridge.example.com";
pub const HANG_UP: &str = "<Response><Hangup/></Response>";

/// What the media socket does with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Socket {
    /// Reads until the carrier closes, or the test says [`World::close_sockets`].
    Listens,
    /// Sends these lines after `start`, then reads. `ID` stands for the stream's id.
    Sends(&'static str),
    /// Closes after `start`.
    Closes,
    /// Refuses the upgrade so many times.
    Refuses(usize),
}

/// Everything the server saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Requests by path with their parameters.
    pub requests: Vec<(String, BTreeMap<String, String>)>,
    /// Signature headers of every request: V3, Ma-V3, nonce.
    pub signatures: Vec<[String; 3]>,
    /// Messages of every socket, in order.
    pub sockets: Vec<Vec<Value>>,
    /// Upgrades that were asked for.
    pub upgrades: usize,
}

#[derive(Debug)]
struct Shared {
    documents: BTreeMap<String, String>,
    socket: Socket,
    seen: Mutex<Seen>,
    grown: watch::Sender<u64>,
    closing: watch::Sender<bool>,
}

/// A stand-in Plivo and the server it calls.
pub struct World {
    pub carrier: Carrier,
    shared: Arc<Shared>,
    /// A runtime of its own, so that killing the server breaks its open sockets too.
    server: Mutex<Option<Runtime>>,
}

impl World {
    /// A server that answers these documents by path, with a socket at `/media/…`. A document that
    /// begins with a number is that status, one that begins with a word a text of that content type.
    pub async fn start(
        documents: &[(&str, &str)],
        socket: Socket,
        change: impl FnOnce(&mut CarrierOptions),
    ) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let documents = documents
            .iter()
            .map(|(path, document)| ((*path).to_owned(), (*document).to_owned()));
        let shared = Arc::new(Shared {
            documents: documents.collect(),
            socket,
            seen: Mutex::default(),
            grown: watch::channel(0).0,
            closing: watch::channel(false).0,
        });
        let router = Router::new()
            .route("/media/{token}", get(media))
            .route("/{*path}", any(webhook))
            .with_state(Arc::clone(&shared));
        let server = Runtime::new().unwrap();
        server.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        let mut options = CarrierOptions::new(AUTH_ID, TOKEN, PUBLIC, address);
        options.voice_path = "/answer".into();
        options.speed = Speed::Times(50.0);
        options.after_recording = AfterRecording::WaitForHandoff {
            grace: Duration::from_millis(300),
        };
        change(&mut options);
        Self {
            carrier: Carrier::start(options).await.unwrap(),
            shared,
            server: Mutex::new(Some(server)),
        }
    }

    /// A world whose caller outlasts every request of a test, on a busy machine too.
    pub async fn patient(
        documents: &[(&str, &str)],
        socket: Socket,
        change: impl FnOnce(&mut CarrierOptions),
    ) -> Self {
        Self::start(documents, socket, |options| {
            options.after_recording = AfterRecording::WaitForHandoff { grace: DEADLINE };
            change(options);
        })
        .await
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

    pub fn upgrades(&self) -> usize {
        self.shared.seen.lock().unwrap().upgrades
    }

    pub fn signatures(&self) -> Vec<[String; 3]> {
        self.shared.seen.lock().unwrap().signatures.clone()
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

    /// Waits until the first stream carries audio.
    pub async fn streaming(&self) {
        self.seen(|seen| seen.sockets.first().is_some_and(|socket| socket.len() > 5))
            .await;
    }

    /// Closes the open sockets, as a server that has handed its call off.
    pub fn close_sockets(&self) {
        self.shared.closing.send_replace(true);
    }

    /// Kills the server: nobody listens any more, and open sockets break.
    pub fn kill(&self) {
        if let Some(server) = self.server.lock().unwrap().take() {
            server.shutdown_background();
        }
    }

    pub fn call_url(&self, call: &PlacedCall) -> String {
        format!(
            "{}/v1/Account/{AUTH_ID}/Call/{}/",
            self.carrier.base_url(),
            call.call_sid()
        )
    }

    /// Transfers the caller's leg to a path of the server.
    pub async fn transfer(&self, call: &PlacedCall, path: &str) -> (u16, Value) {
        let body = json!({"legs": "aleg", "aleg_url": format!("{PUBLIC}{path}")});
        let request = reqwest::Client::new()
            .post(self.call_url(call))
            .basic_auth(AUTH_ID, Some(TOKEN))
            .json(&body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Posts to a resource of the account.
    pub async fn post(&self, resource: &str, body: &Value) -> (u16, Value) {
        let url = format!(
            "{}/v1/Account/{AUTH_ID}/{resource}",
            self.carrier.base_url()
        );
        let request = reqwest::Client::new().post(url);
        let request = request.basic_auth(AUTH_ID, Some(TOKEN)).json(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Ends a call over REST.
    pub async fn hang_up(&self, uuid: &str) -> u16 {
        let base = self.carrier.base_url();
        let url = format!("{base}/v1/Account/{AUTH_ID}/Call/{uuid}/");
        let request = reqwest::Client::new().delete(url);
        let request = request.basic_auth(AUTH_ID, Some(TOKEN));
        request.send().await.unwrap().status().as_u16()
    }

    /// Makes a call to a number whose answer is at `/human`, and returns its CallUUID.
    pub async fn create(&self, change: Value) -> String {
        let mut body = json!({
            "from": "15550100002",
            "to": "15550100042",
            "answer_url": format!("{PUBLIC}/human"),
            "ring_url": format!("{PUBLIC}/ring"),
            "hangup_url": format!("{PUBLIC}/over"),
        });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (status, answer) = self.post("Call/", &body).await;
        assert_eq!((status, &answer["message"]), (201, &json!("call fired")));
        assert!(answer["api_id"].is_string());
        answer["request_uuid"].as_str().unwrap().to_owned()
    }

    /// Waits until the leg of a created call is over and its callbacks are posted.
    pub async fn leg_over(&self, uuid: &str, path: &str) -> CarrierEvent {
        let over = |logged: &Logged| matches!(&logged.event, CarrierEvent::LegCompleted { leg_sid, .. } if leg_sid == uuid);
        let logged = self.carrier.wait_for(over, DEADLINE).await.unwrap();
        self.seen(|seen| {
            let mut requests = seen.requests.iter();
            requests.any(|(asked, parameters)| asked == path && parameters["CallUUID"] == uuid)
        })
        .await;
        logged.event
    }

    /// The events of a call by its CallUUID.
    pub fn events(&self, uuid: &str) -> Vec<CarrierEvent> {
        let log = self.carrier.log().since(0).into_iter();
        log.filter(|logged| logged.call.as_deref() == Some(uuid))
            .map(|logged| logged.event)
            .collect()
    }

    #[track_caller]
    pub fn assert_no_violations(&self) {
        assert_eq!(self.carrier.violations(), Vec::<String>::new());
    }

    #[track_caller]
    pub fn assert_violation(&self, part: &str) {
        let violations = self.carrier.violations();
        assert!(
            violations.iter().any(|sentence| sentence.contains(part)),
            "no violation says {part:?}: {violations:?}"
        );
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

fn header(headers: &HeaderMap, name: &str) -> String {
    headers[name].to_str().unwrap().to_owned()
}

fn decoded(form: &str) -> Vec<(String, String)> {
    let mut url = reqwest::Url::parse("http://form/").unwrap();
    url.set_query(Some(form));
    url.query_pairs().into_owned().collect()
}

async fn webhook(
    State(shared): State<Arc<Shared>>,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let (method, parameters) = if method == HttpMethod::POST {
        (Method::Post, decoded(&body))
    } else {
        (Method::Get, Vec::new())
    };
    let nonce = header(&headers, "x-plivo-signature-v3-nonce");
    let expected = sign(
        TOKEN,
        method,
        &format!("{PUBLIC}{uri}"),
        &parameters,
        &nonce,
    );
    let main = header(&headers, "x-plivo-signature-ma-v3");
    assert!(
        main.split(',').any(|signature| signature == expected),
        "the request for {uri} is signed"
    );
    assert_eq!(headers["host"], "bridge.example.com");
    let by_owner = header(&headers, "x-plivo-signature-v3");
    let path = uri.path().to_owned();
    let parameters = match method {
        Method::Post => parameters,
        Method::Get => decoded(uri.query().unwrap_or_default()),
    };
    shared.note(|seen| {
        seen.signatures.push([by_owner, main, nonce]);
        seen.requests
            .push((path.clone(), parameters.into_iter().collect()));
    });
    let count = shared.seen.lock().unwrap().requests.len();
    let Some(document) = shared.documents.get(&path) else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let document = document.replace("COUNT", &count.to_string());
    if let Ok(status) = document.parse() {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let content_type = if document.starts_with('<') {
        "application/xml"
    } else {
        "text/plain"
    };
    ([(CONTENT_TYPE, content_type)], document).into_response()
}

async fn media(
    State(shared): State<Arc<Shared>>,
    Path(_token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let nonce = header(&headers, "x-plivo-signature-v3-nonce");
    let signed = format!("http://bridge.example.com{uri}");
    let expected = sign(TOKEN, Method::Get, &signed, &[], &nonce);
    for name in ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"] {
        assert_eq!(headers[name], expected.as_str(), "the upgrade is signed");
    }
    let mut upgrades = 0;
    shared.note(|seen| {
        seen.upgrades += 1;
        upgrades = seen.upgrades;
    });
    if matches!(shared.socket, Socket::Refuses(times) if upgrades <= times) {
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
    let mut closing = shared.closing.subscribe();
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            _ = closing.wait_for(|closing| *closing) => return,
        };
        let Some(Ok(message)) = message else { return };
        let Message::Text(text) = message else {
            continue;
        };
        let message: Value = serde_json::from_str(&text).unwrap();
        let id = message["start"]["streamId"].as_str().map(str::to_owned);
        shared.note(|seen| seen.sockets[index].push(message));
        match (id, shared.socket) {
            (Some(_), Socket::Closes) => return,
            (Some(id), Socket::Sends(text)) => {
                for line in text.lines() {
                    let message = Message::text(line.replace("ID", &id));
                    socket.send(message).await.unwrap();
                }
            }
            _ => {}
        }
    }
}

pub fn is_streaming(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::StreamOpened { .. })
}

/// A document with one stream that keeps the call alive, and what follows it.
pub fn converse(tail: &str) -> String {
    format!(
        r#"<Response><Stream bidirectional="true" keepCallAlive="true" contentType="audio/x-mulaw;rate=8000"
        audioTrack="inbound" extraHeaders="tok=abc">wss://bridge.example.com/media/t1?k=v</Stream>{tail}</Response>"#
    )
}
