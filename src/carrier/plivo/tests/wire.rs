use std::borrow::Cow;
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use handoff_core::id::StreamId;

use crate::carrier::plivo::wire::{
    EpochMs, MAX_MEDIA_BYTES, Message, NotAKey, StreamOut, WireError, decode_payload, parse,
};

/// Fixtures by name, with their text.
macro_rules! fixtures {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"), "/fixtures/wire/plivo/", $name, ".json"
        )))),*]
    };
}

const START: &str = fixtures!["start"][0].1;
const MEDIA: &str = fixtures!["media-inbound"][0].1;
const DTMF: &str = fixtures!["dtmf"][0].1;

fn shown(text: &str) -> String {
    match parse(text) {
        Ok(message) => format!("{message:?}"),
        Err(error) => format!("refused: {error}"),
    }
}

fn check(fixtures: &[(&str, &str)], expected: Expect) {
    let mut lines = String::new();
    for (name, text) in fixtures {
        writeln!(lines, "{name}: {}", shown(text)).expect("writing to a String");
    }
    expected.assert_eq(&lines);
}

#[test]
fn every_message_is_read() {
    check(
        &fixtures![
            "start",
            "start-both-tracks",
            "media-inbound",
            "media-outbound",
            "dtmf",
            "played",
            "cleared",
            "play-failed",
            "error",
            "stop",
            "unknown-event",
        ],
        expect![[r#"
            start: Start(Start { account_id: Some("MA0000000000000001"), call: CarrierCallId("7d0c0000-0000-4000-8000-000000000001"), stream: StreamId("5b1e0000-0000-4000-8000-000000000001"), tracks: {Inbound}, parameters: {"tenant": <personal>, "token": <personal>} })
            start-both-tracks: Start(Start { account_id: Some("MA0000000000000001"), call: CarrierCallId("7d0c0000-0000-4000-8000-000000000001"), stream: StreamId("5b1e0000-0000-4000-8000-000000000001"), tracks: {Inbound, Outbound}, parameters: {"tenant": <personal>, "token": <personal>} })
            media-inbound: Media(Media { track: Inbound, timestamp: EpochMs(1767225600020), chunk: Some(1), sequence: Some(2), payload: <personal> })
            media-outbound: Media(Media { track: Outbound, timestamp: EpochMs(1767225600020), chunk: Some(1), sequence: Some(2), payload: <personal> })
            dtmf: Dtmf(Dtmf { track: Some(Inbound), digit: <personal>, timestamp: Some(EpochMs(1767225601000)) })
            played: Played(Played { name: "utt-3" })
            cleared: Cleared
            play-failed: PlayFailed
            error: Failed
            stop: Stop
            unknown-event: Unknown
        "#]],
    );
}

#[test]
fn the_same_is_understood_in_every_spelling() {
    for (name, text) in fixtures![
        "start-headers-comma",
        "start-headers-json",
        "start-headers-object",
        "start-numbers-as-strings",
        "start-rate-in-encoding",
        "start-unknown-fields",
    ] {
        assert_eq!(parse(text), parse(START), "{name}");
    }
    for (name, text) in fixtures![
        "media-strings",
        "media-timestamp-number",
        "media-unknown-fields",
    ] {
        assert_eq!(parse(text), parse(MEDIA), "{name}");
    }
    let short = r#"{"event":"played","name":"utt-3"}"#;
    assert_eq!(parse(short), parse(fixtures!["played"][0].1));
    let number = DTMF.replace(r#""digit":"0""#, r#""digit":0"#);
    assert_ne!(number, DTMF);
    assert_eq!(parse(&number), parse(DTMF));
    let inside = START.replace(r#","extra_headers""#, r#","other""#).replace(
        r#""tracks""#,
        r#""extra_headers":"tenant=t1;token=one-time-token","tracks""#,
    );
    assert_ne!(inside, START);
    assert_eq!(parse(&inside), parse(START));
}

#[test]
fn extra_headers_become_parameters() {
    let parameters = |headers: &str| {
        let text = START.replace(r#""token=one-time-token;tenant=t1""#, headers);
        let Ok(Message::Start(start)) = parse(&text) else {
            panic!("a start");
        };
        start
            .parameters
            .into_iter()
            .map(|(name, value)| format!("{name}={}", value.into_exposed()))
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (headers, expected) in [
        (r#""token=t-1_x;tenant=a,b""#, "tenant=a,b token=t-1_x"),
        (r#""token=x, tenant = y ""#, "tenant=y token=x"),
        (r#""token=x;""#, "token=x"),
        (r#""token=x==""#, "token=x=="),
        (
            r#""{\"token\":\"x\",\"n\":7,\"b\":true}""#,
            "b=true n=7 token=x",
        ),
        (r#"{"token":"x","n":7}"#, "n=7 token=x"),
        (r#""""#, ""),
        (r#""no pairs""#, ""),
        (r#""=x;token=y""#, "token=y"),
        (r#""[1]""#, ""),
        ("null", ""),
        ("7", ""),
        ("[]", ""),
    ] {
        assert_eq!(parameters(headers), expected, "{headers}");
    }
    let Ok(Message::Start(start)) = parse(fixtures!["start-no-headers"][0].1) else {
        panic!("a start");
    };
    assert!(start.parameters.is_empty());
}

#[test]
fn bad_messages_are_refused_with_a_reason_and_none_of_their_content() {
    check(
        &fixtures![
            "bad-no-event",
            "bad-event-is-a-number",
            "bad-not-an-object",
            "bad-start-without-call-id",
            "bad-start-without-stream-id",
            "bad-start-without-start",
            "bad-start-two-streams",
            "bad-start-encoding",
            "bad-start-rate",
            "bad-start-call-id-path",
            "bad-media-without-media",
            "bad-media-without-payload",
            "bad-media-track",
            "bad-media-timestamp-text",
            "bad-media-timestamp-negative",
            "bad-media-timestamp-huge",
            "bad-dtmf-without-digit",
            "bad-dtmf-two-digits",
            "bad-played-without-name",
            "bad-json-truncated",
            "bad-json-two-values",
            "bad-json-empty",
            "bad-json-text",
            "bad-json-deep",
        ],
        expect![[r#"
            bad-no-event: refused: JSON of another shape (column 206)
            bad-event-is-a-number: refused: JSON of another shape (column 10)
            bad-not-an-object: refused: JSON of another shape (column 1)
            bad-start-without-call-id: refused: start without start.callId
            bad-start-without-stream-id: refused: start without start.streamId
            bad-start-without-start: refused: start without start
            bad-start-two-streams: refused: start names two streams
            bad-start-encoding: refused: encoding is not audio/x-mulaw
            bad-start-rate: refused: sample rate 16000
            bad-start-call-id-path: refused: start.callId is not an identifier
            bad-media-without-media: refused: media without media
            bad-media-without-payload: refused: media without media.payload
            bad-media-track: refused: track is neither inbound nor outbound
            bad-media-timestamp-text: refused: JSON of another shape (column 131)
            bad-media-timestamp-negative: refused: JSON of another shape (column 128)
            bad-media-timestamp-huge: refused: JSON of another shape (column 147)
            bad-dtmf-without-digit: refused: dtmf without dtmf.digit
            bad-dtmf-two-digits: refused: digit is not a key of a telephone
            bad-played-without-name: refused: playedStream without name
            bad-json-truncated: refused: not JSON (column 84)
            bad-json-two-values: refused: not JSON (column 25)
            bad-json-empty: refused: not JSON (column 0)
            bad-json-text: refused: not JSON (column 1)
            bad-json-deep: refused: JSON of another shape (column 1)
        "#]],
    );
}

#[test]
fn a_key_counts_whatever_is_said_about_it() {
    let pressed = r#""digit":"0""#;
    for about in [
        "",
        r#","track":"inbound_track","timestamp":"soon""#,
        r#","timestamp":1767225601000.5"#,
        r#","timestamp":{"s":1}"#,
    ] {
        let text = format!(r#"{{"event":"dtmf","dtmf":{{{pressed}{about}}}}}"#);
        let Ok(Message::Dtmf(dtmf)) = parse(&text) else {
            panic!("a key in {text}");
        };
        assert_eq!(*dtmf.digit.expose(), '0');
        assert_eq!((dtmf.track, dtmf.timestamp), (None, None), "{text}");
    }
}

#[test]
fn a_stream_in_another_format_is_refused() {
    let format = |format: &str| {
        let told = r#"{"encoding":"audio/x-mulaw","sampleRate":8000}"#;
        assert!(START.contains(told));
        parse(&START.replace(told, format)).map(|_| ())
    };
    let missing = |field| {
        Err(WireError::Missing {
            event: "start",
            field,
        })
    };
    for (wire, expected) in [
        (
            r#"{"encoding":"AUDIO/X-MULAW","sampleRate":8000,"channels":"1"}"#,
            Ok(()),
        ),
        (
            r#"{"encoding":"audio/x-mulaw; rate=8000","sampleRate":8000}"#,
            Ok(()),
        ),
        (
            r#"{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":2}"#,
            Err(WireError::Channels(2)),
        ),
        (
            r#"{"encoding":"audio/x-mulaw;rate=16000"}"#,
            Err(WireError::SampleRate(16_000)),
        ),
        (
            r#"{"encoding":"audio/x-mulaw;rate=16000","sampleRate":8000}"#,
            Err(WireError::SampleRate(16_000)),
        ),
        (
            r#"{"encoding":"audio/x-mulaw;rate=fast"}"#,
            Err(WireError::Encoding),
        ),
        (
            r#"{"encoding":"audio/x-mulaw"}"#,
            missing("start.mediaFormat.sampleRate"),
        ),
        (
            r#"{"sampleRate":8000}"#,
            missing("start.mediaFormat.encoding"),
        ),
    ] {
        assert_eq!(format(wire), expected, "{wire}");
    }
}

#[test]
fn ends_and_failures_are_believed_whatever_comes_with_them() {
    for (text, message) in [
        (r#"{"event":"stop"}"#, Message::Stop),
        (
            r#"{"event":"stop","streamId":7,"media":"x"}"#,
            Message::Stop,
        ),
        (r#"{"event":"clearedAudio","name":[]}"#, Message::Cleared),
        (r#"{"event":"playFailed","name":1}"#, Message::PlayFailed),
        (r#"{"event":"error","start":"x"}"#, Message::Failed),
        (r#"{"event":"connected"}"#, Message::Unknown),
        (r#"{"event":""}"#, Message::Unknown),
    ] {
        assert_eq!(parse(text), Ok(message), "{text}");
    }
}

#[test]
fn media_borrows_its_payload_from_the_frame() {
    let Ok(Message::Media(media)) = parse(MEDIA) else {
        panic!("a media message");
    };
    assert!(matches!(media.payload.expose(), Cow::Borrowed("//////7+")));
    let escaped = MEDIA.replace("//////7+", r"\/\/\/\/\/\/7+");
    assert_eq!(parse(&escaped), parse(MEDIA));
    let mut mulaw = Vec::new();
    assert_eq!(decode_payload(media.payload.expose(), &mut mulaw), Ok(6));
    assert_eq!(mulaw, [0xff, 0xff, 0xff, 0xff, 0xfe, 0xfe]);
}

#[test]
fn payloads_that_are_no_base64_are_refused_when_decoded() {
    let Ok(Message::Media(media)) = parse(fixtures!["bad-media-base64"][0].1) else {
        panic!("a media message");
    };
    let mut mulaw = vec![1];
    let decoded = decode_payload(media.payload.expose(), &mut mulaw);
    assert_eq!(decoded, Err(WireError::Payload));
    assert!(mulaw.is_empty());
    let Ok(Message::Media(media)) = parse(fixtures!["media-empty-payload"][0].1) else {
        panic!("a media message");
    };
    assert_eq!(decode_payload(media.payload.expose(), &mut mulaw), Ok(0));
    let huge = parse(fixtures!["bad-huge"][0].1);
    assert!(matches!(huge, Ok(Message::Media(_))));
}

#[test]
fn times_are_told_from_the_first() {
    let first = EpochMs(1_767_225_600_020);
    for (at, expected) in [
        (first.0, Some(0)),
        (first.0 + 20, Some(20)),
        (
            first.0 + EpochMs::MAX_DISTANCE_MS,
            Some(EpochMs::MAX_DISTANCE_MS),
        ),
        (first.0 + EpochMs::MAX_DISTANCE_MS + 1, None),
        (u64::MAX, None),
        (first.0 - 1, None),
        (0, None),
    ] {
        assert_eq!(EpochMs(at).ms_after(first), expected, "{at}");
    }
}

#[test]
fn outgoing_messages_are_what_plivo_documents() {
    let out = StreamOut::new(&StreamId("5b1e0000-0000-4000-8000-000000000001".into()));
    let mut text = String::from("left over");
    let rest = out.media(&[0x7f; 4], &mut text);
    assert_eq!(
        (text.as_str(), rest),
        (fixtures!["send-media"][0].1, &[][..])
    );
    out.checkpoint("utt-3", &mut text);
    assert_eq!(text, fixtures!["send-checkpoint"][0].1);
    out.checkpoint(r#"utt-"3"\"#, &mut text);
    assert!(text.ends_with(r#""name":"utt-\"3\"\\"}"#), "{text}");
    assert_eq!(out.clear(), fixtures!["send-clear"][0].1);
    assert_eq!(out.send_keys("1234#", &mut text), Ok(()));
    assert_eq!(text, fixtures!["send-keys"][0].1);
    for keys in ["", "12w", "1\"", "é", "a"] {
        assert_eq!(out.send_keys(keys, &mut text), Err(NotAKey), "{keys}");
        assert!(text.is_empty());
    }
}

#[test]
fn one_message_holds_no_more_than_plivo_takes() {
    let out = StreamOut::new(&StreamId("s".into()));
    let audio: Vec<u8> = (0..=255).cycle().take(2 * MAX_MEDIA_BYTES + 1).collect();
    let mut rest = audio.as_slice();
    let (mut text, mut mulaw, mut played) = (String::new(), Vec::new(), Vec::new());
    while !rest.is_empty() {
        rest = out.media(rest, &mut text);
        let message: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let payload = message["media"]["payload"].as_str().expect("a payload");
        assert!(payload.len() <= 16_000);
        decode_payload(payload, &mut mulaw).expect("base64");
        played.extend_from_slice(&mulaw);
    }
    assert_eq!(played, audio);
}

#[test]
fn no_mutation_of_a_message_makes_parsing_panic() {
    let seeds = fixtures![
        "start",
        "start-headers-json",
        "start-headers-object",
        "media-inbound",
        "dtmf",
        "played",
        "stop",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("below a usize")
    };
    let (mut accepted, mut refused) = (0, 0);
    let mut mulaw = Vec::new();
    for round in 0..14_000 {
        let mut bytes = seeds[round % seeds.len()].1.as_bytes().to_vec();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            match random(6) {
                0 => bytes[at] = b' ' + random(95) as u8,
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, b"{}[]\",:\\0-e"[random(11)]),
                3 => drop(bytes.remove(at)),
                4 => {
                    let other = seeds[random(seeds.len())].1.as_bytes();
                    let from = random(other.len());
                    bytes.splice(at..at, other[from..].iter().copied());
                }
                _ => bytes[at] ^= 1 << random(7),
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        match parse(&text) {
            Ok(Message::Media(media)) => {
                accepted += 1;
                let _: Result<usize, WireError> =
                    decode_payload(media.payload.expose(), &mut mulaw);
            }
            Ok(_) => accepted += 1,
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(accepted > 500 && refused > 5_000, "{accepted} {refused}");
}
