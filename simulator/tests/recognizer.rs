//! The recognizer over a real socket: what it accepts, what it refuses, and how it misbehaves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use handoff_simulator::recognizer::{
    CallResults, Ending, Event, Fault, FaultKind, Line, Pace, Recognizer, RecognizerOptions,
    Speaker,
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const CALL: &str = "CA00000000000000000000000000000001";
const SOON: Duration = Duration::from_secs(10);
const QUERY: &str = "model=nova-3&encoding=mulaw&sample_rate=8000&channels=1&interim_results=true&endpointing=300\
    &utterance_end_ms=1000&vad_events=true&extra=call:CA00000000000000000000000000000001&extra=speaker:caller";

fn words(is_final: bool, start: f64, end: f64, text: &str) -> Value {
    json!({"type": "Results", "channel_index": [0, 1], "start": start, "duration": end - start, "is_final": is_final,
        "speech_final": is_final, "from_finalize": false, "metadata": {"request_id": "recorded"},
        "channel": {"alternatives": [{"transcript": text, "confidence": 0.9,
            "words": [{"word": text, "start": start, "end": end, "confidence": 0.9}]}]}})
}

fn options() -> RecognizerOptions {
    let line = |at_ms, message| Line {
        speaker: Speaker::Caller,
        at_ms,
        message,
    };
    let lines = vec![
        line(500, words(false, 0.1, 0.4, "hello")),
        line(1000, words(true, 0.1, 0.9, "hello there")),
        line(3000, words(true, 1.5, 2.9, "a human please")),
    ];
    RecognizerOptions {
        results: vec![CallResults {
            call_sid: CALL.to_owned(),
            lines,
        }],
        ..RecognizerOptions::default()
    }
}

async fn start(change: impl FnOnce(&mut RecognizerOptions)) -> Recognizer {
    let mut options = options();
    change(&mut options);
    Recognizer::start(options).await.unwrap()
}

async fn upgrade(
    recognizer: &Recognizer,
    query: &str,
    authorization: &str,
) -> Result<Socket, Error> {
    let mut request = format!("{}/v1/listen?{query}", recognizer.url()).into_client_request()?;
    request.headers_mut().insert(
        "authorization",
        HeaderValue::from_str(authorization).unwrap(),
    );
    let (socket, response) = tokio_tungstenite::connect_async(request).await?;
    assert!(response.headers().contains_key("dg-request-id"));
    Ok(socket)
}

async fn connect(recognizer: &Recognizer) -> Socket {
    upgrade(recognizer, QUERY, "Token dg-test-key")
        .await
        .unwrap()
}

async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

/// Sends audio that is different at every moment, so that a replay can be told from new audio.
async fn speak(socket: &mut Socket, milliseconds: std::ops::Range<u32>) {
    for from in milliseconds.step_by(100) {
        let audio: Vec<u8> = (from * 8..(from + 100) * 8)
            .map(|sample| (sample.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        socket.send(Message::binary(audio)).await.unwrap();
    }
}

async fn next(socket: &mut Socket) -> Value {
    let message = tokio::time::timeout(SOON, socket.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

async fn close_code(socket: &mut Socket) -> (u16, String) {
    loop {
        let message = tokio::time::timeout(SOON, socket.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        if let Message::Close(Some(frame)) = message {
            return (frame.code.into(), frame.reason.to_string());
        }
    }
}

async fn ending(recognizer: &Recognizer, number: usize) -> Ending {
    let look = |state: &handoff_simulator::recognizer::State| {
        state
            .connections
            .iter()
            .find(|connection| connection.number == number)?
            .ended
            .clone()
    };
    recognizer
        .wait_for(SOON, "the end of a connection", look)
        .await
        .unwrap()
}

fn transcript(message: &Value) -> &str {
    message["channel"]["alternatives"][0]["transcript"]
        .as_str()
        .unwrap()
}

/// The upgrade is refused with this status, `dg-error` and body; returns the body.
async fn refused(recognizer: &Recognizer, query: &str, authorization: &str, status: u16) -> Value {
    let Err(Error::Http(response)) = upgrade(recognizer, query, authorization).await else {
        panic!("not refused")
    };
    assert_eq!(response.status(), status);
    assert!(response.headers().contains_key("dg-request-id"));
    let body: Value =
        serde_json::from_slice(response.body().as_deref().unwrap_or_default()).unwrap();
    assert_eq!(
        response.headers()["dg-error"].to_str().unwrap(),
        body["err_msg"].as_str().unwrap()
    );
    body
}

#[tokio::test]
async fn results_follow_the_audio_and_close_stream_says_goodbye() {
    let recognizer = start(|_| {}).await;
    let mut socket = connect(&recognizer).await;
    speak(&mut socket, 0..1000).await;
    let (interim, first_final) = (next(&mut socket).await, next(&mut socket).await);
    assert_eq!(
        (transcript(&interim), interim["is_final"].as_bool()),
        ("hello", Some(false))
    );
    assert_eq!(
        (transcript(&first_final), first_final["is_final"].as_bool()),
        ("hello there", Some(true))
    );
    assert_eq!(
        first_final["metadata"]["request_id"],
        "00000000-0000-4000-8000-000000000001"
    );
    say(&mut socket, r#"{"type":"KeepAlive"}"#).await;
    say(&mut socket, r#"{"type":"CloseStream"}"#).await;
    let metadata = next(&mut socket).await;
    assert_eq!(
        (&metadata["type"], &metadata["duration"]),
        (&json!("Metadata"), &json!(1.0))
    );
    assert_eq!(close_code(&mut socket).await.0, 1000);
    assert_eq!(ending(&recognizer, 1).await, Ending::Closed { code: 1000 });

    let connection = &recognizer.connections()[0];
    assert_eq!(
        (connection.call.as_str(), connection.speaker),
        (CALL, Some(Speaker::Caller))
    );
    assert_eq!(
        connection.controls,
        [
            ("KeepAlive".to_owned(), 1000),
            ("CloseStream".to_owned(), 1000)
        ]
    );
    assert_eq!(connection.audio_bytes, 8000);
    assert_eq!(recognizer.audio(CALL, Speaker::Caller).len(), 8000);
    assert_eq!(recognizer.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn finalize_flushes_once() {
    let recognizer = start(|_| {}).await;
    let mut socket = connect(&recognizer).await;
    speak(&mut socket, 0..2000).await;
    say(&mut socket, r#"{"type":"Finalize"}"#).await;
    for expected in ["hello", "hello there"] {
        assert_eq!(transcript(&next(&mut socket).await), expected);
    }
    let flushed = next(&mut socket).await;
    assert_eq!(
        (transcript(&flushed), &flushed["from_finalize"]),
        ("a human please", &json!(true))
    );
    speak(&mut socket, 2000..4000).await;
    say(&mut socket, r#"{"type":"CloseStream"}"#).await;
    assert_eq!(next(&mut socket).await["type"], "Metadata");
}

#[tokio::test]
async fn a_bearer_token_is_accepted_and_a_wrong_key_is_not() {
    let recognizer = start(|_| {}).await;
    upgrade(&recognizer, QUERY, "Bearer dg-test-key")
        .await
        .unwrap();
    assert_eq!(recognizer.violations(), Vec::<String>::new());
    let body = refused(&recognizer, QUERY, "Token wrong", 401).await;
    assert_eq!(body["err_code"], "INVALID_AUTH");
    assert_eq!(recognizer.violations().len(), 1);
}

#[tokio::test]
async fn a_bad_query_is_refused_and_named() {
    let recognizer = start(|_| {}).await;
    let body = refused(&recognizer, "encoding=mulaw", "Token dg-test-key", 400).await;
    assert_eq!(
        body["err_msg"],
        "raw audio needs both encoding and sample_rate"
    );
    assert_eq!(
        recognizer.violations(),
        ["connection 1: raw audio needs both encoding and sample_rate"]
    );
}

#[tokio::test]
async fn a_stream_that_does_not_say_whose_it_is_is_a_violation() {
    let recognizer = start(|_| {}).await;
    upgrade(
        &recognizer,
        "encoding=mulaw&sample_rate=8000",
        "Token dg-test-key",
    )
    .await
    .unwrap();
    assert_eq!(
        recognizer.violations(),
        [
            "connection 1: the query has no extra=call:…",
            "connection 1: the query has no extra=speaker:caller or voice_agent",
        ]
    );
}

#[tokio::test]
async fn bad_messages_are_violations() {
    let cases = [
        (
            Message::binary(vec![]),
            "connection 1 (caller): an empty binary message was sent",
        ),
        (
            Message::text("not json"),
            "connection 1 (caller): a text message is not JSON",
        ),
        (
            Message::text(r#"{"type":"Stop"}"#),
            "connection 1 (caller): a text message is none of KeepAlive",
        ),
    ];
    for (message, sentence) in cases {
        let recognizer = start(|_| {}).await;
        let mut socket = connect(&recognizer).await;
        socket.send(message).await.unwrap();
        let found = recognizer
            .wait_for(SOON, sentence, |state| state.violations.first().cloned())
            .await
            .unwrap();
        assert!(found.starts_with(sentence), "{found}");
    }
}

#[tokio::test]
async fn a_silent_client_is_closed_with_net_0001() {
    let recognizer = start(|options| options.idle_timeout = Duration::from_millis(50)).await;
    let mut socket = connect(&recognizer).await;
    speak(&mut socket, 0..100).await;
    let (code, reason) = close_code(&mut socket).await;
    assert_eq!(code, 1011);
    assert!(
        reason.contains("NET-0001") && reason.contains("net0001"),
        "{reason}"
    );
}

#[tokio::test]
async fn keep_alive_saves_a_socket_only_after_audio() {
    for (speaks_first, expected) in [(true, 1000), (false, 1011)] {
        let recognizer = start(|options| options.idle_timeout = Duration::from_millis(400)).await;
        let mut socket = connect(&recognizer).await;
        if speaks_first {
            speak(&mut socket, 0..100).await;
        }
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        let mut sent = 0;
        while sent < 16
            && socket
                .send(Message::text(r#"{"type":"KeepAlive"}"#))
                .await
                .is_ok()
        {
            ticks.tick().await;
            sent += 1;
        }
        // Refused once the server has closed, which the close code then tells.
        let _ = socket
            .send(Message::text(r#"{"type":"CloseStream"}"#))
            .await;
        assert_eq!(close_code(&mut socket).await.0, expected);
    }
}

#[tokio::test]
async fn audio_too_fast_is_a_violation_only_where_pace_is_enforced() {
    let pace = |speed| {
        Some(Pace {
            speed,
            allowance: Duration::from_millis(500),
        })
    };
    for (enforce_pace, expected) in [(None, 0), (pace(1.0), 1), (pace(1_000_000.0), 0)] {
        let recognizer = start(|options| options.enforce_pace = enforce_pace).await;
        let mut socket = connect(&recognizer).await;
        speak(&mut socket, 0..4000).await;
        say(&mut socket, r#"{"type":"CloseStream"}"#).await;
        close_code(&mut socket).await;
        assert_eq!(
            recognizer.violations().len(),
            expected,
            "{:?}",
            recognizer.violations()
        );
    }
}

#[tokio::test]
async fn upgrades_are_refused_by_plan_and_only_as_often_as_planned() {
    for (status, code) in [
        (400, "Bad Request"),
        (401, "INVALID_AUTH"),
        (402, "ASR_PAYMENT_REQUIRED"),
        (429, "TOO_MANY_REQUESTS"),
    ] {
        let recognizer =
            start(|options| options.faults = vec![Fault::once(FaultKind::Refuse { status })]).await;
        assert_eq!(
            refused(&recognizer, QUERY, "Token dg-test-key", status).await["err_code"],
            code
        );
        connect(&recognizer).await;
        assert_eq!(recognizer.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_fault_of_one_speaker_leaves_the_other_alone() {
    let fault = Fault::once(FaultKind::Refuse { status: 429 }).on(Speaker::VoiceAgent);
    let recognizer = start(|options| options.faults = vec![fault]).await;
    connect(&recognizer).await;
    refused(
        &recognizer,
        &QUERY.replace("speaker:caller", "speaker:voice_agent"),
        "Token dg-test-key",
        429,
    )
    .await;
}

#[tokio::test]
async fn closes_and_cuts_come_after_the_planned_audio() {
    let close = Fault::once(FaultKind::Close {
        code: 1008,
        after_ms: 300,
    });
    let recognizer = start(|options| {
        options.faults = vec![close, Fault::once(FaultKind::Cut { after_ms: 200 })]
    })
    .await;
    let mut socket = connect(&recognizer).await;
    speak(&mut socket, 0..300).await;
    assert_eq!(
        close_code(&mut socket).await,
        (1008, "DATA-0000".to_owned())
    );

    let mut socket = connect(&recognizer).await;
    speak(&mut socket, 300..500).await;
    assert_eq!(ending(&recognizer, 2).await, Ending::Cut);
    while let Some(Ok(message)) = tokio::time::timeout(SOON, socket.next()).await.unwrap() {
        assert!(message.is_text(), "a cut has no close frame");
    }
}

#[tokio::test]
async fn a_stalled_recognizer_stops_reading() {
    let recognizer =
        start(|options| options.faults = vec![Fault::once(FaultKind::Stall { after_ms: 100 })])
            .await;
    let mut socket = connect(&recognizer).await;
    speak(&mut socket, 0..100).await;
    assert_eq!(ending(&recognizer, 1).await, Ending::Stalled);
    speak(&mut socket, 100..200).await;
    assert_eq!(recognizer.connections()[0].audio_bytes, 800);
}

#[tokio::test]
async fn malformed_json_is_followed_by_ordinary_results() {
    let fault = Fault::once(FaultKind::MalformedJson { after_ms: 100 });
    let recognizer = start(|options| options.faults = vec![fault]).await;
    let mut socket = connect(&recognizer).await;
    speak(&mut socket, 0..500).await;
    let broken = socket.next().await.unwrap().unwrap();
    assert!(serde_json::from_str::<Value>(broken.to_text().unwrap()).is_err());
    assert_eq!(transcript(&next(&mut socket).await), "hello");
}

#[tokio::test]
async fn optional_members_are_left_out_by_plan() {
    let recognizer =
        start(|options| options.faults = vec![Fault::once(FaultKind::OmitOptional)]).await;
    let mut socket = connect(&recognizer).await;
    speak(&mut socket, 0..1000).await;
    let (interim, first_final) = (next(&mut socket).await, next(&mut socket).await);
    assert!(interim.get("is_final").is_none() && interim.get("from_finalize").is_none());
    assert!(first_final["is_final"] == true && first_final.get("from_finalize").is_none());
}

#[tokio::test]
async fn a_reconnect_that_plays_buffered_audio_again_is_placed_where_it_began() {
    let recognizer =
        start(|options| options.faults = vec![Fault::once(FaultKind::Cut { after_ms: 2000 })])
            .await;
    let mut first = connect(&recognizer).await;
    speak(&mut first, 0..2000).await;
    ending(&recognizer, 1).await;

    let mut second = connect(&recognizer).await;
    speak(&mut second, 1500..3000).await;
    let human = next(&mut second).await;
    assert_eq!(
        (transcript(&human), &human["start"]),
        ("a human please", &json!(0.0))
    );
    assert_eq!(recognizer.connections()[1].origin_ms, 1500);
    assert_eq!(recognizer.audio(CALL, Speaker::Caller).len(), 24_000);
}

#[tokio::test]
async fn other_calls_hear_nothing() {
    let recognizer = start(|_| {}).await;
    let query = QUERY.replace(CALL, "CA99");
    let mut socket = upgrade(&recognizer, &query, "Token dg-test-key")
        .await
        .unwrap();
    speak(&mut socket, 0..4000).await;
    say(&mut socket, r#"{"type":"CloseStream"}"#).await;
    assert_eq!(next(&mut socket).await["type"], "Metadata");
}

#[tokio::test]
async fn the_log_tells_the_story_without_the_words() {
    let recognizer = start(|_| {}).await;
    let mut socket = connect(&recognizer).await;
    speak(&mut socket, 0..1000).await;
    say(&mut socket, r#"{"type":"CloseStream"}"#).await;
    close_code(&mut socket).await;
    ending(&recognizer, 1).await;
    let story: Vec<String> = recognizer.observed().read(|state| {
        state
            .log
            .iter()
            .map(|entry| serde_json::to_string(&entry.event).unwrap())
            .collect()
    });
    assert!(story.iter().all(|line| !line.contains("hello")));
    let sent = |state: &handoff_simulator::recognizer::State| {
        state
            .log
            .iter()
            .filter(|entry| matches!(entry.event, Event::Sent { is_final: true, .. }))
            .count()
    };
    assert_eq!(recognizer.observed().read(sent), 1);
    assert_eq!(
        story.last().unwrap(),
        r#"{"event":"ended","connection":1,"audio_bytes":8000,"ending":{"how":"closed","code":1000}}"#
    );
}

#[test]
fn the_results_of_every_recorded_call_can_be_read() {
    let calls = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/calls");
    let folders: Vec<_> = std::fs::read_dir(calls)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let folders: Vec<_> = folders.into_iter().filter(|path| path.is_dir()).collect();
    assert!(!folders.is_empty());
    for folder in folders {
        let results = CallResults::read(&folder).unwrap();
        let finals = results
            .lines
            .iter()
            .filter(|line| line.message["is_final"] == true);
        assert!(finals.count() > 0, "{}", folder.display());
    }
}
