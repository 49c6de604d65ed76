//! The load command against a minimal server that does what handoff does: it answers the webhook, hears
//! the stream, passes the audio to the recognizer and rewrites the call when a final arrives.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::extract::ws::{Message as Media, WebSocket, WebSocketUpgrade};
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use handoff_simulator::carrier::{Method, plivo, twilio};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};

const PUBLIC_URL: &str = "https://handoff.example";
const TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const ACCOUNT: &str = "AC00000000000000000000000000000001";
const AUTH_ID: &str = "MA0000000000000000000001";

/// What the minimal server does when the caller asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// It rewrites the call, and a phone rings.
    RingsAPhone,
    /// It rewrites the call with a document that dials nobody.
    DialsNobody,
    /// Nothing.
    Ignored,
}

/// The base URLs that the load command told, and what the server does and was told.
struct World {
    carrier: String,
    deepgram: String,
    asked: Asked,
    /// The calls whose human's phone was said to ring.
    rings: Mutex<Vec<String>>,
}

impl World {
    fn twiml(&self) -> &'static str {
        match self.asked {
            Asked::RingsAPhone => {
                r#"<Response><Say>Wait</Say><Dial><Number statusCallback="https://handoff.example/twilio/leg#rc=2"
                    statusCallbackEvent="initiated ringing">+15550100042</Number></Dial></Response>"#
            }
            Asked::DialsNobody | Asked::Ignored => "<Response><Say>Bye</Say></Response>",
        }
    }
}

fn document(xml: &'static str) -> Response {
    ([("content-type", "text/xml")], xml).into_response()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

fn signed_by_twilio(headers: &HeaderMap, url: &str, parameters: &[(String, String)]) -> bool {
    header(headers, "x-twilio-signature") == twilio::sign(TOKEN, url, parameters)
}

fn signed_by_plivo(
    headers: &HeaderMap,
    method: Method,
    url: &str,
    parameters: &[(String, String)],
) -> bool {
    let nonce = header(headers, "x-plivo-signature-v3-nonce");
    let expected = plivo::sign(TOKEN, method, url, parameters, nonce);
    header(headers, "x-plivo-signature-v3") == expected
        && header(headers, "x-plivo-signature-ma-v3") == expected
}

fn value(parameters: &[(String, String)], name: &str) -> String {
    let found = parameters.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

type Parameters = Form<Vec<(String, String)>>;

async fn voice(headers: HeaderMap, Form(parameters): Parameters) -> Response {
    if !signed_by_twilio(&headers, &format!("{PUBLIC_URL}/twilio/voice"), &parameters) {
        return StatusCode::FORBIDDEN.into_response();
    }
    document(
        r#"<Response><Start><Stream url="wss://handoff.example/twilio/media/t1" track="both_tracks">
        <Parameter name="token" value="t1"/></Stream></Start><Redirect>https://bot.example/</Redirect></Response>"#,
    )
}

async fn leg(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Form(parameters): Parameters,
) -> StatusCode {
    if !signed_by_twilio(&headers, &format!("{PUBLIC_URL}/twilio/leg"), &parameters) {
        return StatusCode::FORBIDDEN;
    }
    assert_eq!(value(&parameters, "CallStatus"), "ringing");
    let call = value(&parameters, "ParentCallSid");
    world.rings.lock().unwrap().push(call);
    StatusCode::NO_CONTENT
}

async fn answer(headers: HeaderMap, Form(parameters): Parameters) -> Response {
    let url = format!("{PUBLIC_URL}/plivo/answer");
    if !signed_by_plivo(&headers, Method::Post, &url, &parameters) {
        return StatusCode::FORBIDDEN.into_response();
    }
    assert_eq!(value(&parameters, "Event"), "StartApp");
    document(
        r#"<Response><Stream bidirectional="false" audioTrack="both" keepCallAlive="false"
        contentType="audio/x-mulaw;rate=8000" extraHeaders="token=t1">wss://handoff.example/plivo/media/t1</Stream>
        <Redirect>https://bot.example/</Redirect></Response>"#,
    )
}

async fn transferred(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Form(parameters): Parameters,
) -> Response {
    let url = format!("{PUBLIC_URL}/plivo/document");
    if !signed_by_plivo(&headers, Method::Post, &url, &parameters) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let call = value(&parameters, "CallUUID");
    world.rings.lock().unwrap().push(call);
    document(match world.asked {
        Asked::RingsAPhone => {
            "<Response><Speak>Wait</Speak><Dial><Number>15550100042</Number></Dial></Response>"
        }
        Asked::DialsNobody | Asked::Ignored => "<Response><Speak>Bye</Speak></Response>",
    })
}

async fn media(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !signed_by_twilio(&headers, "wss://handoff.example/twilio/media/t1", &[]) {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.on_upgrade(move |socket| listen(socket, world))
}

async fn plivo_media(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let url = "http://handoff.example/plivo/media/t1";
    if !signed_by_plivo(&headers, Method::Get, url, &[]) {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.on_upgrade(move |socket| listen(socket, world))
}

async fn listen(mut socket: WebSocket, world: Arc<World>) {
    let mut start = Value::Null;
    let mut recognizers = None;
    while let Some(Ok(Media::Text(text))) = socket.recv().await {
        let message: Value = serde_json::from_str(&text).unwrap();
        match message["event"].as_str().unwrap() {
            "start" => {
                start = message["start"].clone();
                let call = match start["callSid"].as_str() {
                    Some(call) => {
                        assert_eq!(start["customParameters"], json!({"token": "t1"}));
                        assert_eq!(start["accountSid"], ACCOUNT);
                        call.to_owned()
                    }
                    None => {
                        assert_eq!(message["extra_headers"], "token=t1");
                        assert_eq!(start["accountId"], AUTH_ID);
                        start["callId"].as_str().unwrap().to_owned()
                    }
                };
                let caller = recognize(&world, &call, "caller").await;
                recognizers = Some((caller, recognize(&world, &call, "voice_agent").await));
            }
            "media" => {
                assert!(start["callSid"].is_string() || message["extra_headers"] == "token=t1");
                let (caller, voice_agent) = recognizers.as_mut().unwrap();
                let audio = STANDARD
                    .decode(message["media"]["payload"].as_str().unwrap())
                    .unwrap();
                let recognizer = if message["media"]["track"] == "inbound" {
                    caller
                } else {
                    voice_agent
                };
                recognizer.send(Message::binary(audio)).await.unwrap();
            }
            _ => {}
        }
    }
    let (mut caller, mut voice_agent) = recognizers.unwrap();
    for recognizer in [&mut caller, &mut voice_agent] {
        recognizer
            .send(Message::text(r#"{"type":"CloseStream"}"#))
            .await
            .unwrap();
    }
}

type Sender = futures_util::stream::SplitSink<
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>,
    Message,
>;

/// Opens a recognizer stream whose finals rewrite the call.
async fn recognize(world: &Arc<World>, call: &str, speaker: &str) -> Sender {
    let query = format!(
        "model=nova-3&encoding=mulaw&sample_rate=8000&extra=call:{call}&extra=speaker:{speaker}"
    );
    let mut request = format!("{}/v1/listen?{query}", world.deepgram)
        .into_client_request()
        .unwrap();
    request.headers_mut().insert(
        "authorization",
        HeaderValue::from_static("Token dg-test-key"),
    );
    let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let (sender, mut receiver) = socket.split();
    let (world, call) = (Arc::clone(world), call.to_owned());
    tokio::spawn(async move {
        while let Some(Ok(message)) = receiver.next().await {
            let is_final = message
                .to_text()
                .is_ok_and(|text| text.contains("\"is_final\":true"));
            if is_final && world.asked != Asked::Ignored {
                rewrite(&world, &call).await;
            }
        }
    });
    sender
}

/// Rewrites a call in its carrier's way; only Twilio's ids begin with letters.
async fn rewrite(world: &World, call: &str) {
    let http = reqwest::Client::new();
    let (request, expected) = if call.starts_with("CA") {
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Calls/{call}.json");
        let request = http.post(format!("{}{path}", world.carrier));
        (request.form(&[("Twiml", world.twiml())]), 200)
    } else {
        let path = format!("/v1/Account/{AUTH_ID}/Call/{call}/");
        let request = http.post(format!("{}{path}", world.carrier));
        let url = format!("{PUBLIC_URL}/plivo/document");
        let body = json!({"legs": "aleg", "aleg_url": url, "aleg_method": "POST"});
        (request.json(&body), 202)
    };
    assert_eq!(request.send().await.unwrap().status(), expected);
}

/// Short calls, half of whose callers ask, over a carrier that takes no time unless told otherwise.
const SHORT: [&str; 8] = [
    "--calls",
    "4",
    "--seconds",
    "1",
    "--idle-seconds",
    "0",
    "--ask-share",
    "0.5",
];

/// What a run of the command told, did, and ended with.
struct Told {
    lines: Vec<Value>,
    rings: Vec<String>,
    code: Option<i32>,
}

/// Runs the command against the minimal server.
async fn load(carrier: &str, asked: Asked, arguments: &[&str]) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handoff-simulator"));
    command
        .args(["load", "--json", "--carrier", carrier])
        .args(SHORT)
        .args(["--connect", "-", "--public-url", PUBLIC_URL])
        .args(arguments);
    if !arguments.contains(&"--rest-ms") {
        command.args(["--rest-ms", "0", "--setup-ms", "0"]);
    }
    for name in [
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "PLIVO_AUTH_ID",
        "PLIVO_AUTH_TOKEN",
    ] {
        command.env_remove(name);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut urls = Vec::new();
    for service in [carrier, "deepgram"] {
        let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(
            (&line["event"], &line["service"]),
            (&json!("listening"), &json!(service))
        );
        urls.push(line["url"].as_str().unwrap().to_owned());
    }
    let world = Arc::new(World {
        carrier: urls[0].clone(),
        deepgram: urls[1].clone(),
        asked,
        rings: Mutex::default(),
    });
    let router = axum::Router::new()
        .route("/twilio/voice", post(voice))
        .route("/twilio/leg", post(leg))
        .route("/twilio/media/t1", get(media))
        .route("/plivo/answer", post(answer))
        .route("/plivo/document", post(transferred))
        .route("/plivo/media/t1", get(plivo_media))
        .with_state(Arc::clone(&world));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!(
        "{} {}\n",
        listener.local_addr().unwrap(),
        std::process::id()
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(address.as_bytes())
        .await
        .unwrap();
    let mut told = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        told.push(serde_json::from_str(&line).unwrap());
    }
    let mut rings = world.rings.lock().unwrap().clone();
    rings.sort();
    rings.dedup();
    Told {
        lines: told,
        rings,
        code: child.wait().await.unwrap().code(),
    }
}

impl Told {
    fn event(&self, event: &str, server: &str) -> &Value {
        let fits = |line: &&Value| {
            line["event"] == event && (server.is_empty() || line["server"] == server)
        };
        let found = self.lines.iter().find(fits);
        found.unwrap_or_else(|| panic!("no {event} of {server}: {:?}", self.lines))
    }

    fn ringing(&self) -> &Value {
        &self.event("run", "handoff")["trigger_to_ringing"]
    }

    fn failures(&self) -> Vec<&str> {
        let failures = self.lines.iter().filter(|line| line["event"] == "failure");
        failures
            .map(|line| line["sentence"].as_str().unwrap())
            .collect()
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Opens, feeds, rewrites and rings four calls, of which two ask.
async fn check(carrier: &str, arguments: &[&str]) -> Told {
    let told = load(carrier, Asked::RingsAPhone, arguments).await;
    assert_eq!(told.code, Some(0), "{:?}", told.lines);
    let run = told.event("run", "handoff");
    assert_eq!(
        (&run["calls"], &run["frames"], &run["broken_calls"]),
        (&json!(4), &json!(400), &json!(0))
    );
    let audio =
        json!({"calls": 2, "sent_bytes": 32_000, "recognized_bytes": 32_000, "calls_with_loss": 0});
    assert_eq!(run["audio"], audio);
    let rewrite = &run["rewrite"];
    assert_eq!(
        (&rewrite["asked"], &rewrite["rewritten"]),
        (&json!(2), &json!(2))
    );
    assert!(number(&rewrite["p99_ms"]) > 0.0);
    let ringing = told.ringing();
    assert_eq!(
        (&ringing["asked"], &ringing["rang"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(told.rings.len(), 2, "two calls ring, and no other");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_opened_fed_rewritten_and_accounted_for() {
    let floors = ["--baseline", "raw-tcp", "--baseline", "tungstenite"];
    let told = check("twilio", &floors).await;
    let run = told.event("run", "handoff");
    assert!(run["cpu_ns_per_frame"].is_number() && run["rss_kib_per_active_call"].is_number());
    for floor in ["raw-tcp", "tungstenite"] {
        assert_eq!(told.event("run", floor)["frames"], 400);
        let costs = &told.event("summary", "")["cpu_ns_per_frame"];
        assert!(costs.get(floor).is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_plivo_are_accounted_for_alike() {
    let told = check("plivo", &["--baseline", "tungstenite"]).await;
    let ours = number(&told.ringing()["ours"]["p50_ms"]);
    let rewrite = number(&told.event("run", "handoff")["rewrite"]["p50_ms"]);
    assert!(ours > rewrite, "the document was fetched in no time");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_rings_no_sooner_than_the_carrier_lets_it() {
    for carrier in ["twilio", "plivo"] {
        let told = check(carrier, &["--rest-ms", "30", "--setup-ms", "50"]).await;
        let ringing = told.ringing();
        assert_eq!(ringing["carrier"], json!({"rest_ms": 30, "setup_ms": 50}));
        let ours = number(&ringing["ours"]["p50_ms"]);
        // Times are told to a hundredth of a millisecond.
        assert!(
            number(&ringing["p50_ms"]) + 0.02 >= ours + 80.0,
            "{ringing}"
        );
        assert!(number(&ringing["p99_ms"]) <= number(&ringing["max_ms"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_announcement_is_added_unless_it_is_waited_for() {
    // Four characters of 80 ms.
    let announcement = 320.0;
    for (arguments, word) in [(&[][..], "added"), (&["--speech"], "waited for")] {
        let told = check("twilio", arguments).await;
        let ringing = told.ringing();
        assert_eq!(ringing["announcement"], word);
        let with = number(&ringing["with_announcement"]["p50_ms"]);
        let without = number(&ringing["p50_ms"]);
        assert!((with - without - announcement).abs() < 0.02, "{ringing}");
        assert!(without > 0.0, "the announcement was not waited for");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_loses_nothing_either() {
    let told = load("twilio", Asked::RingsAPhone, &["--flood"]).await;
    assert_eq!(told.code, Some(0), "{:?}", told.lines);
    let audio = &told.event("run", "handoff")["audio"];
    assert_eq!(audio["calls_with_loss"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_rewrite_fails_the_command() {
    let told = load("twilio", Asked::Ignored, &[]).await;
    assert_eq!(told.code, Some(1));
    let sentence = "2 callers asked for a human, 0 calls were rewritten";
    assert_eq!(told.failures(), [sentence]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_rings_nobody_fails_the_command() {
    for carrier in ["twilio", "plivo"] {
        let told = load(carrier, Asked::DialsNobody, &[]).await;
        assert_eq!(told.code, Some(1));
        let sentence = "2 callers asked for a human, 0 phones rang";
        assert_eq!(told.failures(), [sentence, "the document has no <Dial>"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_not_kept_fails_the_command_only_when_checked() {
    let slow = ["--rest-ms", "0", "--setup-ms", "3000"];
    check("twilio", &slow).await;
    let checked = [&slow[..], &["--check"]].concat();
    let told = load("twilio", Asked::RingsAPhone, &checked).await;
    assert_eq!(told.code, Some(1), "{:?}", told.lines);
    let over = told.failures();
    assert!(
        over.iter()
            .any(|sentence| sentence.starts_with("from trigger to ringing: p99 was ")),
        "{over:?}"
    );
}
