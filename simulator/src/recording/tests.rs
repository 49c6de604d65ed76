use std::path::Path;
use std::time::Duration;

use super::*;

const CALL: &str = r#"{"slug":"s","carrier":"twilio","mode":"listen","account_sid":"AC00000000000000000000000000000001",
"call_sid":"CA00000000000000000000000000000001","from":"+15550100001","to":"+15550100002","human":"answers"}"#;
const CONNECTED: &str = r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#;
const START: &str = r#"{"event":"start","sequenceNumber":"1","streamSid":"MZ1","start":{"accountSid":"AC00000000000000000000000000000001","streamSid":"MZ1","callSid":"CA00000000000000000000000000000001","tracks":["inbound"]}}"#;
const MEDIA: &str = r#"{"event":"media","sequenceNumber":"2","streamSid":"MZ1","media":{"track":"inbound","chunk":"1","timestamp":"40","payload":"/w=="}}"#;
const STOP: &str = r#"{"event":"stop","sequenceNumber":"3","streamSid":"MZ1","stop":{}}"#;

fn stream(lines: &[&str]) -> String {
    lines.join("\n")
}

#[track_caller]
fn check_bad(call: &str, lines: &[&str], pace: Option<&str>, expected: &str) {
    let error = Recording::parse(call, &stream(lines), pace)
        .expect_err("a bad recording")
        .to_string();
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_recording_knows_when_each_message_is_due() {
    let lines = stream(&[CONNECTED, START, MEDIA, CONNECTED, START, MEDIA, STOP]);

    let recording = Recording::parse(CALL, &lines, Some(r#"[{"line":2,"stall_ms":300}]"#)).unwrap();

    let due: Vec<_> = recording
        .lines()
        .iter()
        .map(|line| line.due.as_millis())
        .collect();
    assert_eq!(due, [0, 0, 40, 40, 40, 80, 80]);
    assert_eq!(recording.lines()[2].stall, Duration::from_millis(300));
    assert_eq!(recording.duration(), Duration::from_millis(80));
    assert_eq!(recording.human, StandIn::Answers);
}

#[test]
fn a_recording_under_another_call_sid_has_other_streams() {
    let recording =
        Recording::parse(CALL, &stream(&[CONNECTED, START, MEDIA, STOP]), None).unwrap();

    let other = recording
        .clone()
        .with_call_sid("CA00000000000000000000000000000002");

    assert_eq!(other.call_sid, "CA00000000000000000000000000000002");
    for (line, renamed) in recording.lines().iter().zip(other.lines()).skip(1) {
        assert!(
            !renamed.raw.contains("MZ1") && !renamed.raw.contains(&recording.call_sid),
            "{}",
            renamed.raw
        );
        assert_eq!((line.kind, line.due), (renamed.kind, renamed.due));
    }
}

#[test]
fn bad_recordings_are_refused_with_file_and_line() {
    check_bad("{", &[CONNECTED], None, "call.json:1: ");
    check_bad(
        &CALL.replace("twilio", "plivo"),
        &[CONNECTED],
        None,
        "call.json:1: carrier is \"plivo\"",
    );
    check_bad(
        &CALL.replace("CA0", "XX0"),
        &[CONNECTED],
        None,
        "call.json:1: call_sid must be CA",
    );
    check_bad(CALL, &[], None, "stream.jsonl:1: the recording is empty");
    check_bad(
        CALL,
        &[START],
        None,
        "stream.jsonl:1: the first message must be connected",
    );
    check_bad(
        CALL,
        &[CONNECTED, MEDIA],
        None,
        "stream.jsonl:2: comes before the stream's start",
    );
    check_bad(
        CALL,
        &[CONNECTED, START, START],
        None,
        "stream.jsonl:3: a second start",
    );
    check_bad(
        CALL,
        &[CONNECTED, "not json"],
        None,
        "stream.jsonl:2: not a carrier message",
    );
    check_bad(
        CALL,
        &[CONNECTED, r#"{"no":"event"}"#],
        None,
        "stream.jsonl:2: not a carrier message",
    );
    check_bad(
        CALL,
        &[CONNECTED, START, &MEDIA.replace("/w==", "/w=")],
        None,
        "stream.jsonl:3: media.payload is not base64",
    );
    check_bad(
        CALL,
        &[CONNECTED, START, &MEDIA.replace("\"40\"", "\"soon\"")],
        None,
        "stream.jsonl:3: media.timestamp",
    );
    check_bad(
        CALL,
        &[CONNECTED, START, &MEDIA.replace("inbound", "both")],
        None,
        "stream.jsonl:3: media.track",
    );
    let key = r#"{"event":"dtmf","sequenceNumber":"2","streamSid":"MZ1","dtmf":{"track":"inbound_track","digit":"0"}}"#;
    check_bad(
        CALL,
        &[CONNECTED, START, key],
        None,
        "stream.jsonl:3: keys and marks exist on bidirectional streams only",
    );
    check_bad(
        CALL,
        &[CONNECTED, START],
        Some(r#"[{"line":2,"stall_ms":1}]"#),
        "stream.jsonl:2: pace.json stalls at line 2",
    );
    check_bad(
        CALL,
        &[CONNECTED, START],
        Some("[\n{\"line\":1}]"),
        "pace.json:2: missing field",
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = Recording::load(Path::new("/no/such/recording")).expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "cannot read /no/such/recording/call.json"
    );
}

#[test]
fn odd_streams_have_numbers_for_strings_and_events_that_nobody_knows() {
    let heartbeat = r#"{"event":"heartbeat","streamSid":"MZ1","heartbeat":{"n":40}}"#;
    let media = MEDIA.replace("\"40\"", "60");
    let text = stream(&[CONNECTED, START, &media, heartbeat]);

    let recording = Recording::parse(CALL, &text, None).unwrap();

    let kinds: Vec<_> = recording.lines().iter().map(|line| line.kind).collect();
    let frame = LineKind::Media {
        track: Track::Inbound,
        timestamp_ms: 60,
    };
    assert_eq!(
        kinds,
        [
            LineKind::Connected,
            LineKind::Start,
            frame,
            LineKind::Unknown
        ]
    );
}
