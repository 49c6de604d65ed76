use std::borrow::Cow;

use expect_test::{Expect, expect};
use handoff_core::id::StreamId;

use crate::carrier::twilio::wire::{
    MAX_TIMESTAMP_MS, Message, StreamOut, Track, WireError, decode_payload, parse,
};

const CONNECTED: &str = r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#;
const START: &str = r#"{"event":"start","sequenceNumber":"1","streamSid":"MZ00000000000000000000000000000001","start":{"accountSid":"AC00000000000000000000000000000001","streamSid":"MZ00000000000000000000000000000001","callSid":"CA00000000000000000000000000000001","tracks":["inbound","outbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{"token":"one-time-token","n":7}}}"#;
const MEDIA: &str = r#"{"event":"media","sequenceNumber":"2","streamSid":"MZ00000000000000000000000000000001","media":{"track":"inbound","chunk":"1","timestamp":"20","payload":"//////7+"}}"#;
const DTMF: &str = r##"{"event":"dtmf","sequenceNumber":"40","streamSid":"MZ00000000000000000000000000000001","dtmf":{"track":"inbound_track","digit":"#"}}"##;
const MARK: &str = r#"{"event":"mark","sequenceNumber":"77","streamSid":"MZ00000000000000000000000000000001","mark":{"name":"utt-3"}}"#;
const STOP: &str = r#"{"event":"stop","sequenceNumber":"900","streamSid":"MZ00000000000000000000000000000001","stop":{"accountSid":"AC00000000000000000000000000000001","callSid":"CA00000000000000000000000000000001"}}"#;

fn check(text: &str, expected: Expect) {
    let shown = match parse(text) {
        Ok(message) => format!("{message:?}"),
        Err(error) => format!("refused: {error}"),
    };
    expected.assert_eq(&shown);
}

#[test]
fn every_documented_message_is_read() {
    check(CONNECTED, expect!["Connected"]);
    check(
        START,
        expect![[
            r#"Start(Start { account_sid: Some("AC00000000000000000000000000000001"), call: CarrierCallId("CA00000000000000000000000000000001"), stream: StreamId("MZ00000000000000000000000000000001"), parameters: {"n": <personal>, "token": <personal>} })"#
        ]],
    );
    check(
        MEDIA,
        expect!["Media(Media { track: Inbound, timestamp_ms: 20, payload: <personal> })"],
    );
    check(DTMF, expect!["Dtmf(Dtmf { digit: <personal> })"]);
    check(MARK, expect!["Mark"]);
    check(STOP, expect!["Stop"]);
}

#[test]
fn unknown_events_and_members_are_let_through() {
    for text in [
        r#"{"event":"refer"}"#,
        r#"{"event":"refer","media":"of another type","start":[1]}"#,
        r#"{"event":""}"#,
    ] {
        assert_eq!(parse(text), Ok(Message::Unknown), "{text}");
    }
    let connected = r#"{"event":"connected","start":7}"#;
    assert_eq!(parse(connected), Ok(Message::Connected));
    let with_more = MEDIA
        .replacen('{', r#"{"future":{"deep":[1,{"x":null}]},"#, 1)
        .replace(r#""chunk""#, r#""level":-3.5,"chunk""#);
    assert_eq!(parse(&with_more), parse(MEDIA));
}

#[test]
fn counters_may_be_strings_or_numbers_or_absent() {
    let numbers = MEDIA
        .replace(r#""2""#, "2")
        .replace(r#""1","timestamp":"20""#, r#"1,"timestamp":20"#);
    assert_ne!(numbers, MEDIA);
    assert_eq!(parse(&numbers), parse(MEDIA));
    let rates = START
        .replace("8000", r#""8000""#)
        .replace(r#""channels":1"#, r#""channels":"1""#);
    assert_eq!(parse(&rates), parse(START));
    let bare =
        r#"{"event":"media","media":{"track":"inbound","timestamp":20,"payload":"//////7+"}}"#;
    assert_eq!(parse(bare), parse(MEDIA));
}

/// Values of every type that JSON has.
const NONSENSE: [&str; 12] = [
    "null",
    "true",
    "0",
    "-1",
    "1.0",
    "1e99",
    r#""""#,
    r#""both_tracks""#,
    r#""..""#,
    "[]",
    r#"["both_tracks",7]"#,
    r#"{"deep":[{}]}"#,
];

#[test]
fn members_that_nobody_reads_refuse_nothing() {
    for value in NONSENSE {
        let odd = |text: &str, member: &str, documented: &str| {
            let member = format!(r#""{member}":"#);
            let odd = text.replace(
                &format!("{member}{documented}"),
                &format!("{member}{value}"),
            );
            assert!(odd != text || value == documented, "{member} {documented}");
            assert_eq!(parse(&odd), parse(text), "{odd}");
        };
        odd(START, "sequenceNumber", r#""1""#);
        odd(START, "tracks", r#"["inbound","outbound"]"#);
        odd(MEDIA, "sequenceNumber", r#""2""#);
        odd(
            MEDIA,
            "streamSid",
            r#""MZ00000000000000000000000000000001""#,
        );
        odd(MEDIA, "chunk", r#""1""#);
        odd(DTMF, "sequenceNumber", r#""40""#);
        odd(DTMF, "streamSid", r#""MZ00000000000000000000000000000001""#);
        odd(DTMF, "track", r#""inbound_track""#);
        odd(MARK, "mark", r#"{"name":"utt-3"}"#);
        odd(STOP, "callSid", r#""CA00000000000000000000000000000001""#);
        odd(STOP, "streamSid", r#""MZ00000000000000000000000000000001""#);
        // Members of one event that turn up in another.
        for text in [CONNECTED, DTMF, MARK, STOP] {
            let strays = format!(r#"{{"media":{value},"start":{value},"#);
            assert_eq!(parse(&text.replacen('{', &strays, 1)), parse(text));
        }
        let strays = format!(r#"{{"start":{value},"dtmf":{value},"mark":{value},"stop":{value},"#);
        assert_eq!(parse(&MEDIA.replacen('{', &strays, 1)), parse(MEDIA));
    }
}

#[test]
fn parameters_that_are_none_are_no_parameters() {
    for value in NONSENSE.into_iter().filter(|value| !value.starts_with('{')) {
        let odd = START.replace(r#"{"token":"one-time-token","n":7}"#, value);
        assert_ne!(odd, START);
        let Ok(Message::Start(start)) = parse(&odd) else {
            panic!("a start: {odd}");
        };
        assert!(start.parameters.is_empty(), "{odd}");
        assert_eq!(start.call.0, "CA00000000000000000000000000000001");
    }
}

#[test]
fn a_key_may_be_a_string_or_a_number() {
    let keys = ('0'..='9').chain("*#ABCD".chars());
    for key in keys {
        let mut written = vec![format!("{:?}", key.to_string())];
        if key.is_ascii_digit() {
            written.push(key.to_string());
        }
        for written in written {
            let text = DTMF.replace(r##""#""##, &written);
            let Ok(Message::Dtmf(dtmf)) = parse(&text) else {
                panic!("a key: {text}");
            };
            assert_eq!(*dtmf.digit.expose(), key, "{text}");
        }
    }
    for none in [
        "10", "-1", "1.5", "true", r#""""#, r#""12""#, r#""x""#, "[]", "{}",
    ] {
        let text = DTMF.replace(r##""#""##, none);
        assert_eq!(parse(&text), Err(WireError::Digit), "{text}");
    }
}

#[test]
fn tracks_are_read_with_and_without_suffix() {
    for (name, track) in [
        ("inbound", Track::Inbound),
        ("inbound_track", Track::Inbound),
        ("outbound", Track::Outbound),
        ("outbound_track", Track::Outbound),
    ] {
        let text = MEDIA.replace(r#""inbound""#, &format!("{name:?}"));
        let Ok(Message::Media(media)) = parse(&text) else {
            panic!("a media message");
        };
        assert_eq!(media.track, track);
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
}

#[test]
fn the_stream_may_be_named_once_or_twice_but_not_differently() {
    let sid = r#""streamSid":"MZ00000000000000000000000000000001","#;
    let outer_only = START.replacen(&format!("{sid}\"callSid"), "\"callSid", 1);
    let inner_only = START.replacen(sid, "", 1);
    for text in [&outer_only, &inner_only] {
        assert_ne!(text, START);
        assert_eq!(parse(text), parse(START));
    }
    check(
        &START.replacen("MZ00000000000000000000000000000001", "MZ2", 1),
        expect!["refused: start names two streams"],
    );
    check(
        &outer_only.replacen(sid, "", 1),
        expect!["refused: start without streamSid"],
    );
}

#[test]
fn a_stream_in_another_format_is_refused() {
    check(
        &START.replace("audio/x-mulaw", "audio/x-l16"),
        expect!["refused: encoding is not audio/x-mulaw"],
    );
    check(
        &START.replace("8000", "16000"),
        expect!["refused: sample rate 16000"],
    );
    check(
        &START.replace(r#""channels":1"#, r#""channels":2"#),
        expect!["refused: 2 channels"],
    );
    check(
        &START.replace("mediaFormat", "format"),
        expect!["refused: start without start.mediaFormat"],
    );
    check(
        &START.replace("encoding", "codec"),
        expect!["refused: start without start.mediaFormat.encoding"],
    );
}

#[test]
fn bad_messages_are_refused_with_a_reason_and_none_of_their_content() {
    check("", expect!["refused: not JSON (column 0)"]);
    check("hello", expect!["refused: not JSON (column 1)"]);
    check("[]", expect!["refused: JSON of another shape (column 2)"]);
    check("{}", expect!["refused: JSON of another shape (column 2)"]);
    check(
        r#"{"event":7}"#,
        expect!["refused: JSON of another shape (column 10)"],
    );
    check(
        &MEDIA[..MEDIA.len() - 1],
        expect!["refused: not JSON (column 164)"],
    );
    check(
        &format!("{MEDIA}{MEDIA}"),
        expect!["refused: not JSON (column 166)"],
    );
    check(
        r#"{"event":"media"}"#,
        expect!["refused: media without media"],
    );
    check(
        r#"{"event":"media","media":"secret words"}"#,
        expect!["refused: JSON of another shape (column 39)"],
    );
    check(
        &MEDIA.replace("track", "side"),
        expect!["refused: media without media.track"],
    );
    check(
        &MEDIA.replace(r#""inbound""#, r#""both""#),
        expect!["refused: track is neither inbound nor outbound"],
    );
    check(
        &MEDIA.replace("timestamp", "time"),
        expect!["refused: media without media.timestamp"],
    );
    check(
        &MEDIA.replace(r#""20""#, r#""-20""#),
        expect!["refused: JSON of another shape (column 143)"],
    );
    check(
        &MEDIA.replace(r#""20""#, "-20"),
        expect!["refused: JSON of another shape (column 141)"],
    );
    check(
        &MEDIA.replace(r#""20""#, "20.5"),
        expect!["refused: JSON of another shape (column 142)"],
    );
    check(
        &MEDIA.replace(r#""20""#, &(MAX_TIMESTAMP_MS + 1).to_string()),
        expect!["refused: timestamp past 4294967295 ms"],
    );
    check(
        &MEDIA.replace("payload", "data"),
        expect!["refused: media without media.payload"],
    );
    check(
        r#"{"event":"start"}"#,
        expect!["refused: start without start"],
    );
    check(
        &START.replace("AC00000000000000000000000000000001", "../AC1"),
        expect!["refused: start.accountSid is not an identifier"],
    );
    check(
        &START.replace("callSid", "call"),
        expect!["refused: start without start.callSid"],
    );
    check(
        &START.replace("CA00000000000000000000000000000001", "../Calls"),
        expect!["refused: start.callSid is not an identifier"],
    );
    check(
        &START.replace("CA00000000000000000000000000000001", ""),
        expect!["refused: start.callSid is not an identifier"],
    );
    check(
        r#"{"event":"dtmf","dtmf":{}}"#,
        expect!["refused: dtmf without dtmf.digit"],
    );
    check(
        &DTMF.replace(r##""#""##, "null"),
        expect!["refused: dtmf without dtmf.digit"],
    );
    check(
        &START.replace(r#""AC00000000000000000000000000000001""#, "7"),
        expect!["refused: JSON of another shape (column 110)"],
    );
}

#[test]
fn payloads_of_any_length_decode_into_a_reused_buffer() {
    let mut mulaw = Vec::new();
    for (payload, length) in [
        ("", 0),
        ("/w==", 1),
        ("/w=", 1),
        ("/w", 1),
        ("//8=", 2),
        ("//8", 2),
        ("//////7+", 6),
        (&"f39/f39/".repeat(166), 996),
        ("fw==", 1),
    ] {
        assert_eq!(decode_payload(payload, &mut mulaw), Ok(length), "{payload}");
        assert_eq!(mulaw.len(), length);
    }
    let capacity = mulaw.capacity();
    assert_eq!(decode_payload(&"f39/".repeat(53), &mut mulaw), Ok(159));
    assert_eq!(mulaw.capacity(), capacity);
    for bad in ["/", "/w===", "-_-_", "a b=", "////\u{e9}", "/w==/w=="] {
        assert_eq!(
            decode_payload(bad, &mut mulaw),
            Err(WireError::Payload),
            "{bad}"
        );
        assert!(mulaw.is_empty());
    }
}

#[test]
fn outgoing_messages_are_what_twilio_documents() {
    let out = StreamOut::new(&StreamId("MZ00000000000000000000000000000001".into()));
    let mut text = String::from("left over");
    out.media(&[0x7f, 0x7f, 0x7f, 0xff], &mut text);
    expect![[r#"{"event":"media","streamSid":"MZ00000000000000000000000000000001","media":{"payload":"f39//w=="}}"#]].assert_eq(&text);
    out.mark(r#"utt-"3"\"#, &mut text);
    expect![[r#"{"event":"mark","streamSid":"MZ00000000000000000000000000000001","mark":{"name":"utt-\"3\"\\"}}"#]].assert_eq(&text);
    expect![[r#"{"event":"clear","streamSid":"MZ00000000000000000000000000000001"}"#]]
        .assert_eq(out.clear());
}

#[test]
fn no_mutation_of_a_message_makes_parsing_panic() {
    let seeds = [CONNECTED, START, MEDIA, DTMF, MARK, STOP];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("below a usize")
    };
    let (mut accepted, mut refused) = (0, 0);
    let mut mulaw = Vec::new();
    for round in 0..12_000 {
        let mut bytes = seeds[round % seeds.len()].as_bytes().to_vec();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            match random(6) {
                0 => bytes[at] = b' ' + random(95) as u8,
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, b"{}[]\",:\\0-e"[random(11)]),
                3 => drop(bytes.remove(at)),
                4 => {
                    let other = seeds[random(seeds.len())].as_bytes();
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
                assert!(media.timestamp_ms <= MAX_TIMESTAMP_MS);
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
