//! The load command against a minimal server that does what handoff does: it answers the webhook, hears
//! the stream, passes the audio to the recognizer and rewrites the call when a final arrives.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Stdio;
use std::sync::Arc;

use axum::extract::ws::{Message as Media, WebSocket, WebSocketUpgrade};
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use handoff_simulator::load::sign;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};

const PUBLIC_URL: &str = "https://handoff.example";
const TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// The base URLs that the load command told, and whether the server rewrites calls.
struct World {
    twilio: String,
    deepgram: String,
    rewrites: bool,
}

async fn voice(headers: HeaderMap, Form(parameters): Form<Vec<(String, String)>>) -> Response {
    let signature = sign(TOKEN, &format!("{PUBLIC_URL}/twilio/voice"), &parameters);
    if headers
        .get("x-twilio-signature")
        .is_none_or(|given| given != signature.as_str())
    {
        return StatusCode::FORBIDDEN.into_response();
    }
    let document = r#"<Response><Start><Stream url="wss://handoff.example/twilio/media/t1" track="both_tracks">
        <Parameter name="token" value="t1"/></Stream></Start><Redirect>https://bot.example/</Redirect></Response>"#;
    ([("content-type", "text/xml")], document).into_response()
}

async fn media(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let signature = sign(TOKEN, "wss://handoff.example/twilio/media/t1", &[]);
    if headers
        .get("x-twilio-signature")
        .is_none_or(|given| given != signature.as_str())
    {
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
                assert_eq!(start["customParameters"], json!({"token": "t1"}));
                let call = start["callSid"].as_str().unwrap().to_owned();
                let caller = recognize(&world, &call, "caller").await;
                recognizers = Some((caller, recognize(&world, &call, "voice_agent").await));
            }
            "media" => {
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
    assert_eq!(start["accountSid"], "AC00000000000000000000000000000001");
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
            if is_final && world.rewrites {
                let account = "AC00000000000000000000000000000001";
                let url = format!(
                    "{}/2010-04-01/Accounts/{account}/Calls/{call}.json",
                    world.twilio
                );
                let document = [("Twiml", "<Response><Dial>+15550100042</Dial></Response>")];
                assert_eq!(
                    reqwest::Client::new()
                        .post(url)
                        .form(&document)
                        .send()
                        .await
                        .unwrap()
                        .status(),
                    200
                );
            }
        }
    });
    sender
}

/// Runs the command against the minimal server; returns its output and exit code.
async fn load(rewrites: bool, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handoff-simulator"));
    command.args([
        "load",
        "--json",
        "--calls",
        "4",
        "--seconds",
        "1",
        "--idle-seconds",
        "0",
        "--ask-share",
        "0.5",
    ]);
    command
        .args(["--connect", "-", "--public-url", PUBLIC_URL])
        .args(arguments);
    command
        .env_remove("TWILIO_ACCOUNT_SID")
        .env_remove("TWILIO_AUTH_TOKEN");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut urls = Vec::new();
    for service in ["twilio", "deepgram"] {
        let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(
            (&line["event"], &line["service"]),
            (&json!("listening"), &json!(service))
        );
        urls.push(line["url"].as_str().unwrap().to_owned());
    }
    let world = Arc::new(World {
        twilio: urls[0].clone(),
        deepgram: urls[1].clone(),
        rewrites,
    });
    let router = axum::Router::new()
        .route("/twilio/voice", post(voice))
        .route("/twilio/media/t1", get(media))
        .with_state(world);
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
    (told, child.wait().await.unwrap().code())
}

fn event<'a>(told: &'a [Value], event: &str, server: &str) -> &'a Value {
    let fits =
        |line: &&Value| line["event"] == event && (server.is_empty() || line["server"] == server);
    told.iter()
        .find(fits)
        .unwrap_or_else(|| panic!("no {event} of {server}: {told:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_opened_fed_rewritten_and_accounted_for() {
    let (told, code) = load(
        true,
        &["--baseline", "raw-tcp", "--baseline", "tungstenite"],
    )
    .await;
    assert_eq!(code, Some(0), "{told:?}");
    let run = event(&told, "run", "handoff");
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
    assert!(rewrite["p99_ms"].as_f64().unwrap() > 0.0);
    assert!(run["cpu_ns_per_frame"].is_number() && run["rss_kib_per_active_call"].is_number());
    for floor in ["raw-tcp", "tungstenite"] {
        assert_eq!(event(&told, "run", floor)["frames"], 400);
        assert!(
            event(&told, "summary", "")["cpu_ns_per_frame"]
                .get(floor)
                .is_some()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_loses_nothing_either() {
    let (told, code) = load(true, &["--flood"]).await;
    assert_eq!(code, Some(0), "{told:?}");
    assert_eq!(
        event(&told, "run", "handoff")["audio"]["calls_with_loss"],
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_rewrite_fails_the_command() {
    let (told, code) = load(false, &[]).await;
    assert_eq!(code, Some(1));
    let sentence = "2 callers asked for a human, 0 calls were rewritten";
    assert_eq!(event(&told, "failure", "")["sentence"], sentence);
}
