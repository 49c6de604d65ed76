//! `handoff-simulator carrier` as a process: what it prints and how it exits.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use serde_json::Value;

const ACCOUNT: &str = "AC00000000000000000000000000000001";

fn write_recording(directory: &Path) {
    let call = format!(
        r#"{{"slug":"short","carrier":"twilio","mode":"listen","account_sid":"{ACCOUNT}",
        "call_sid":"CA00000000000000000000000000000001","from":"+15550100001","to":"+15550100002","human":"busy"}}"#
    );
    let start = format!(
        r#"{{"event":"start","sequenceNumber":"1","streamSid":"MZ1","start":{{"accountSid":"{ACCOUNT}","streamSid":"MZ1","callSid":"CA00000000000000000000000000000001","tracks":["inbound","outbound"]}}}}"#
    );
    let connected = r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#;
    std::fs::create_dir_all(directory).unwrap();
    std::fs::write(directory.join("call.json"), call).unwrap();
    std::fs::write(
        directory.join("stream.jsonl"),
        format!("{connected}\n{start}\n"),
    )
    .unwrap();
}

/// Plays a call at Twilio against a server with this voice document. The events printed and the exit
/// code.
fn play(name: &str, document: &'static str) -> (Vec<Value>, Option<i32>) {
    play_at("twilio", name, document)
}

fn play_at(carrier: &str, name: &str, document: &'static str) -> (Vec<Value>, Option<i32>) {
    play_with(&[], carrier, name, document)
}

/// As [`play_at`], with more arguments.
fn play_with(
    more: &[&str],
    carrier: &str,
    name: &str,
    document: &'static str,
) -> (Vec<Value>, Option<i32>) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    write_recording(&directory);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move || async move { ([(CONTENT_TYPE, "text/xml")], document) };
    let router = Router::new()
        .route("/twilio/voice", post(answer))
        .route("/plivo/answer", post(answer));
    runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let mut carrier = Command::new(env!("CARGO_BIN_EXE_handoff-simulator"))
        .args([
            "carrier",
            "--carrier",
            carrier,
            "--public-url",
            "https://bridge.example.com",
            "--connect",
            "-",
            "--json",
        ])
        .args([
            "--speed",
            "max",
            "--linger-ms",
            "200",
            "--deadline-seconds",
            "20",
            "--call",
        ])
        .arg(&directory)
        .args(more)
        .env("TWILIO_ACCOUNT_SID", ACCOUNT)
        .env("TWILIO_AUTH_TOKEN", "token")
        .env("PLIVO_AUTH_ID", "MA0000000000000001")
        .env("PLIVO_AUTH_TOKEN", "token")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(carrier.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    writeln!(carrier.stdin.take().unwrap(), "{address}").unwrap();
    let rest = lines.map(Result::unwrap);
    let events = std::iter::once(first)
        .chain(rest)
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect();
    (events, carrier.wait().unwrap().code())
}

#[test]
fn a_call_without_violations_exits_with_success() {
    let (events, code) = play("success", "<Response><Say>Goodbye.</Say></Response>");

    assert_eq!(events[0]["event"], "listening");
    assert_eq!(events[0]["service"], "twilio");
    assert!(
        events[0]["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    assert!(events[0]["bot_url"].is_string());
    assert!(events.iter().any(|event| event["event"] == "call_ended"));
    assert_eq!(code, Some(0));
}

#[test]
fn a_violation_is_printed_and_fails_the_command() {
    let (events, code) = play(
        "violation",
        "<Response><Say tempo=\"fast\">Goodbye.</Say></Response>",
    );

    let violation = events
        .iter()
        .find(|event| event["event"] == "violation")
        .unwrap();
    assert!(
        violation["sentence"]
            .as_str()
            .unwrap()
            .contains("no attribute tempo")
    );
    assert_eq!(code, Some(1));
}

#[test]
fn each_address_can_have_a_human_of_its_own() {
    let more = [
        "--human-at",
        "sip:desk@pbx.example.com;transport=tls=rejects",
        "--caller",
        "+15550100077",
    ];
    let (events, code) = play_with(
        &more,
        "twilio",
        "human-at",
        "<Response><Dial><Sip>sip:desk@pbx.example.com;transport=tls</Sip></Dial></Response>",
    );
    let named = |name: &'static str| events.iter().find(move |event| event["event"] == name);
    let leg = named("leg_initiated").unwrap();
    assert_eq!(leg["caller_id"], "+15550100077");
    assert!(named("leg_ringing").is_some(), "busy would not ring");
    assert_eq!(named("leg_completed").unwrap()["status"], "busy");
    assert_eq!(code, Some(0));
}

#[test]
fn plivo_is_played_with_the_same_options_and_event_lines() {
    let (events, code) = play_at(
        "plivo",
        "plivo-success",
        "<Response><Speak>Goodbye.</Speak></Response>",
    );
    assert_eq!(events[0]["service"], "plivo");
    let heard = |event: &Value| event["event"] == "spoken_to_caller" && event["text"] == "Goodbye.";
    assert!(events.iter().any(heard));
    assert_eq!(code, Some(0));

    let (events, code) = play_at(
        "plivo",
        "plivo-violation",
        "<Response><Say>Goodbye.</Say></Response>",
    );
    let ended =
        |event: &Value| event["event"] == "call_ended" && event["reason"] == "application_error";
    assert!(events.iter().any(ended));
    assert_eq!(code, Some(1));
}

#[test]
fn credentials_that_are_missing_are_named() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-credentials");
    write_recording(&directory);
    for (carrier, variable) in [("twilio", "TWILIO_ACCOUNT_SID"), ("plivo", "PLIVO_AUTH_ID")] {
        let output = Command::new(env!("CARGO_BIN_EXE_handoff-simulator"))
            .args([
                "carrier",
                "--carrier",
                carrier,
                "--public-url",
                "https://bridge.example.com",
            ])
            .args(["--connect", "127.0.0.1:1", "--call"])
            .arg(&directory)
            .env_remove("TWILIO_ACCOUNT_SID")
            .env_remove("PLIVO_AUTH_ID")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(variable), "{message}");
    }
}

#[test]
fn a_recording_that_cannot_be_read_exits_with_two() {
    let output = Command::new(env!("CARGO_BIN_EXE_handoff-simulator"))
        .args([
            "carrier",
            "--public-url",
            "https://bridge.example.com",
            "--connect",
            "127.0.0.1:1",
        ])
        .args([
            "--account-sid",
            ACCOUNT,
            "--auth-token",
            "token",
            "--call",
            "/no/such/call",
        ])
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("cannot read /no/such/call/call.json"),
        "{message}"
    );
}
