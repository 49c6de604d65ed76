use std::time::Duration;

use expect_test::{Expect, expect};
use handoff_core::call::{DialEnd, LegProgress, Party};
use handoff_core::pii::Pii;

use crate::carrier::twilio::call_state::{CallEnd, CallState};
use crate::carrier::twilio::webhook::{
    CallStatus, DialOutcome, Keyed, LegStatus, QueueOutcome, QueueWait, ReferOutcome, StreamEvent,
    StreamStatus, VoiceRequest, VoicemailLeft, parse_form,
};

const VOICE: &[u8] = b"CallSid=CA00000000000000000000000000000001&\
    AccountSid=AC00000000000000000000000000000001&From=%2B15550100001&To=%2B15550100002&\
    CallStatus=ringing&ApiVersion=2010-04-01&Direction=inbound&FromCity=M%C3%9CNCHEN&\
    CallerName=Ann+Example&StirVerstat=&Unheard=of";

fn check<T: std::fmt::Debug, E: std::fmt::Display>(parsed: Result<T, E>, expected: Expect) {
    let shown = match parsed {
        Ok(parsed) => format!("{parsed:?}"),
        Err(error) => format!("refused: {error}"),
    };
    expected.assert_eq(&shown);
}

#[test]
fn forms_decode_plus_percent_and_utf8() {
    let decoded = parse_form(b"a=1+2&b=%2B1&c=M%C3%9CNCHEN&d=&e&a=2");
    let pairs: Vec<(&str, &str)> = decoded
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("a", "1 2"),
            ("b", "+1"),
            ("c", "MÜNCHEN"),
            ("d", ""),
            ("e", ""),
            ("a", "2")
        ]
    );
}

#[test]
fn voice_request_is_read_without_showing_anybody() {
    check(
        VoiceRequest::parse(&parse_form(VOICE)),
        expect![[
            r#"VoiceRequest { call: CarrierCallId("CA00000000000000000000000000000001"), from: Known(<personal>), to: Known(<personal>), parameters: {"ApiVersion": <personal>, "CallStatus": <personal>, "CallerName": <personal>, "Direction": <personal>, "FromCity": <personal>, "StirVerstat": <personal>, "Unheard": <personal>} }"#
        ]],
    );
    let request = VoiceRequest::parse(&parse_form(VOICE)).expect("a voice request");
    let known = |text: &str| Party::Known(Pii::new(text.to_owned()));
    assert_eq!(request.from, known("+15550100001"));
    assert_eq!(request.to, known("+15550100002"));
    assert_eq!(request.parameters["FromCity"].expose(), "MÜNCHEN");
    assert_eq!(request.parameters["CallerName"].expose(), "Ann Example");
    assert_eq!(request.parameters["StirVerstat"].expose(), "");
    assert!(!request.parameters.contains_key("From"));
}

#[test]
fn withheld_callers_are_a_variant() {
    for from in [
        "From=anonymous",
        "From=",
        "From=Restricted",
        "From=%2B266696687",
        "X=1",
    ] {
        let body = format!("CallSid=CA1&AccountSid=AC1&{from}");
        let request = VoiceRequest::parse(&parse_form(body.as_bytes())).expect("a voice request");
        assert_eq!(request.from, Party::Withheld, "{from}");
    }
}

#[test]
fn requests_that_name_no_call_are_refused() {
    let check = |body: &str, expected| {
        check(VoiceRequest::parse(&parse_form(body.as_bytes())), expected);
    };
    check("AccountSid=AC1", expect!["refused: CallSid missing"]);
    check(
        "CallSid=&AccountSid=AC1",
        expect!["refused: CallSid missing"],
    );
    check(
        "CallSid=..%2F..%2FAccounts&AccountSid=AC1",
        expect!["refused: CallSid is not an identifier"],
    );
    check(
        &format!("CallSid={}&AccountSid=AC1", "C".repeat(65)),
        expect!["refused: CallSid is not an identifier"],
    );
}

#[test]
fn dial_outcomes_say_whether_somebody_talked() {
    for (body, end) in [
        (
            "DialCallStatus=completed&DialBridged=true",
            DialEnd::Bridged,
        ),
        (
            "DialCallStatus=completed&DialBridged=false",
            DialEnd::AnsweredNotBridged,
        ),
        ("DialCallStatus=completed", DialEnd::AnsweredNotBridged),
        ("DialCallStatus=answered&DialBridged=True", DialEnd::Bridged),
        ("DialCallStatus=busy&DialBridged=false", DialEnd::Busy),
        ("DialCallStatus=no-answer", DialEnd::NoAnswer),
        ("DialCallStatus=failed", DialEnd::Failed { code: None }),
        ("DialCallStatus=canceled", DialEnd::Canceled),
        ("DialCallStatus=abducted", DialEnd::Failed { code: None }),
        (
            "DialCallStatus=abducted&DialBridged=false",
            DialEnd::Failed { code: None },
        ),
        ("DialCallStatus=abducted&DialBridged=true", DialEnd::Bridged),
        (
            "DialCallStatus=completed&DialBridged=perhaps",
            DialEnd::AnsweredNotBridged,
        ),
        (
            "DialCallStatus=completed&DialBridged=",
            DialEnd::AnsweredNotBridged,
        ),
        ("DialCallStatus=busy&DialBridged=perhaps", DialEnd::Busy),
    ] {
        let body = format!("CallSid=CA1&{body}");
        let outcome = DialOutcome::parse(&parse_form(body.as_bytes())).expect("an outcome");
        assert_eq!(outcome.end(), end, "{body}");
    }
    let check = |body: &str, expected| {
        check(DialOutcome::parse(&parse_form(body.as_bytes())), expected);
    };
    check(
        "CallSid=CA1&DialCallStatus=completed&DialCallSid=CA2&DialCallDuration=42&DialBridged=true",
        expect![[
            r#"DialOutcome { call: CarrierCallId("CA1"), status: Completed, bridged: Some(true), sip_status: None }"#
        ]],
    );
    check("CallSid=CA1", expect!["refused: DialCallStatus missing"]);
}

#[test]
fn leg_reports_are_read_in_both_spellings() {
    for (status, state, progress) in [
        ("queued", CallState::Queued, Some(LegProgress::Initiated)),
        (
            "initiated",
            CallState::Initiated,
            Some(LegProgress::Initiated),
        ),
        ("ringing", CallState::Ringing, Some(LegProgress::Ringing)),
        (
            "answered",
            CallState::InProgress,
            Some(LegProgress::Answered),
        ),
        (
            "in-progress",
            CallState::InProgress,
            Some(LegProgress::Answered),
        ),
        (
            "completed",
            CallState::Ended(CallEnd::Completed),
            Some(LegProgress::Completed),
        ),
        (
            "busy",
            CallState::Ended(CallEnd::Busy),
            Some(LegProgress::Completed),
        ),
        (
            "no-answer",
            CallState::Ended(CallEnd::NoAnswer),
            Some(LegProgress::Completed),
        ),
        (
            "failed",
            CallState::Ended(CallEnd::Failed),
            Some(LegProgress::Completed),
        ),
        (
            "canceled",
            CallState::Ended(CallEnd::Canceled),
            Some(LegProgress::Completed),
        ),
        ("levitating", CallState::Unknown, None),
    ] {
        let body = format!("CallSid=CA2&ParentCallSid=CA1&CallStatus={status}&SequenceNumber=0");
        let leg = LegStatus::parse(&parse_form(body.as_bytes())).expect("a report");
        assert_eq!((leg.state, leg.progress()), (state, progress), "{status}");
    }
    let check = |body: &str, expected| {
        check(LegStatus::parse(&parse_form(body.as_bytes())), expected);
    };
    check(
        "CallSid=CA2&ParentCallSid=CA1&CallStatus=completed&SequenceNumber=3&CallDuration=17&\
         Timestamp=Sat%2C+21+Nov+2026+10%3A00%3A00+%2B0000&CallbackSource=call-progress-events",
        expect![[
            r#"LegStatus { call: CarrierCallId("CA1"), leg: Some(CarrierCallId("CA2")), state: Ended(Completed), sip_status: None }"#
        ]],
    );
    check(
        "CallSid=CA2&CallStatus=ringing",
        expect![[
            r#"LegStatus { call: CarrierCallId("CA2"), leg: Some(CarrierCallId("CA2")), state: Ringing, sip_status: None }"#
        ]],
    );
    check(
        "CallSid=CA2&ParentCallSid=CA1",
        expect!["refused: CallStatus missing"],
    );
}

#[test]
fn call_and_stream_reports_are_read() {
    check(
        CallStatus::parse(&parse_form(
            b"CallSid=CA1&CallStatus=completed&CallDuration=61&SequenceNumber=2",
        )),
        expect![[r#"CallStatus { call: CarrierCallId("CA1"), state: Ended(Completed) }"#]],
    );
    let check_stream = |body: &str, expected| {
        check(StreamStatus::parse(&parse_form(body.as_bytes())), expected);
    };
    check_stream(
        "CallSid=CA1&StreamSid=MZ1&StreamEvent=stream-started",
        expect![[r#"StreamStatus { event: Started }"#]],
    );
    check_stream(
        "CallSid=CA1&StreamSid=MZ1&StreamEvent=stream-stopped",
        expect![[r#"StreamStatus { event: Stopped }"#]],
    );
    check_stream(
        "CallSid=CA1&StreamSid=MZ1&StreamEvent=stream-error&StreamError=31920%3A+handshake",
        expect![[r#"StreamStatus { event: Failed { code: Some(31920) } }"#]],
    );
    check_stream(
        "CallSid=CA1&StreamSid=MZ1&StreamEvent=stream-error",
        expect![[r#"StreamStatus { event: Failed { code: None } }"#]],
    );
    check_stream(
        "CallSid=CA1&StreamSid=MZ1&StreamEvent=stream-paused",
        expect![[r#"StreamStatus { event: Other }"#]],
    );
    check_stream(
        "CallSid=CA1&StreamSid=MZ1",
        expect!["refused: StreamEvent missing"],
    );
}

/// Values that no parameter is documented to have.
const NONSENSE: [&str; 9] = [
    "", "3.5", "1.0", "-1", "1e3", "long", "..%2F", "null", "%FF",
];

#[test]
fn parameters_that_nobody_reads_refuse_nothing() {
    let voice = "CallSid=CA1&From=%2B15550100001&To=%2B15550100002";
    let dial = "CallSid=CA1&DialCallStatus=completed&DialBridged=true";
    let leg = "CallSid=CA2&ParentCallSid=CA1&CallStatus=in-progress";
    let call = "CallSid=CA1&CallStatus=completed";
    let stream = "StreamEvent=stream-started";
    for value in NONSENSE {
        let form = |body: &str, names: &[&str]| {
            let more = names.iter().map(|name| format!("&{name}={value}"));
            parse_form(format!("{body}{}", more.collect::<String>()).as_bytes())
        };
        let request = VoiceRequest::parse(&form(
            voice,
            &["AccountSid", "Direction", "CallStatus", "ParentCallSid"],
        ));
        let request = request.expect("a voice request");
        assert_eq!(request.from, Party::Known(Pii::new("+15550100001".into())));

        let outcome = DialOutcome::parse(&form(
            dial,
            &[
                "DialCallSid",
                "DialCallDuration",
                "CallStatus",
                "AccountSid",
            ],
        ));
        assert_eq!(outcome.map(|outcome| outcome.end()), Ok(DialEnd::Bridged));

        let order = ["SequenceNumber", "CallDuration", "Duration", "Timestamp"];
        let status = LegStatus::parse(&form(leg, &order)).expect("a report");
        assert_eq!(status.progress(), Some(LegProgress::Answered), "{value}");
        let status = CallStatus::parse(&form(call, &order)).expect("a report");
        assert!(status.state.is_over(), "{value}");

        let report = StreamStatus::parse(&form(stream, &["CallSid", "StreamSid", "Timestamp"]));
        let event = report.map(|report| report.event);
        assert_eq!(event, Ok(StreamEvent::Started), "{value}");
    }
    for bare in ["CallSid=&", "CallSid=..%2F&", ""] {
        let body = format!("{bare}ParentCallSid=CA1&CallStatus=ringing");
        let status = LegStatus::parse(&parse_form(body.as_bytes())).expect("a report");
        assert_eq!(
            status.call.0, "CA1",
            "the human's leg has a name we need not"
        );
    }
}

#[test]
fn what_a_sip_address_answers_says_why_nobody_took_the_call() {
    for (status, sip, end) in [
        ("busy", "486", DialEnd::Busy),
        ("busy", "600", DialEnd::Busy),
        ("busy", "603", DialEnd::Rejected),
        ("failed", "603", DialEnd::Rejected),
        ("no-answer", "608", DialEnd::Rejected),
        ("failed", "480", DialEnd::NoAnswer),
        ("failed", "408", DialEnd::NoAnswer),
        ("failed", "404", DialEnd::Failed { code: Some(404) }),
        ("failed", "503", DialEnd::Failed { code: Some(503) }),
        ("no-answer", "487", DialEnd::NoAnswer),
        ("busy", "", DialEnd::Busy),
        ("busy", "200", DialEnd::Busy),
        ("failed", "4O4", DialEnd::Failed { code: None }),
        ("failed", "99999999", DialEnd::Failed { code: None }),
        ("canceled", "603", DialEnd::Canceled),
        ("completed", "200", DialEnd::AnsweredNotBridged),
    ] {
        let body = format!("CallSid=CA1&DialCallStatus={status}&DialSipResponseCode={sip}");
        let outcome = DialOutcome::parse(&parse_form(body.as_bytes())).expect("an outcome");
        assert_eq!(outcome.end(), end, "{body}");
        let body = format!("CallSid=CA2&CallStatus={status}&SipResponseCode={sip}");
        let leg = LegStatus::parse(&parse_form(body.as_bytes())).expect("a report");
        assert_eq!(leg.end(), Some(end), "{body}");
    }
}

#[test]
fn a_leg_that_is_not_over_has_no_end() {
    for status in [
        "queued",
        "initiated",
        "ringing",
        "in-progress",
        "levitating",
    ] {
        let body = format!("CallSid=CA2&CallStatus={status}");
        let leg = LegStatus::parse(&parse_form(body.as_bytes())).expect("a report");
        assert_eq!(leg.end(), None, "{status}");
    }
}

#[test]
fn the_end_of_a_queue_is_judged() {
    for (result, end) in [
        ("bridged", Some(DialEnd::Bridged)),
        ("bridging-in-process", None),
        ("bridging_in_process", None),
        ("leave", Some(DialEnd::NoAnswer)),
        ("hangup", Some(DialEnd::Canceled)),
        ("queue-full", Some(DialEnd::Busy)),
        ("redirected", None),
        ("redirected-from-bridged", None),
        ("error", Some(DialEnd::Failed { code: None })),
        ("system-error", Some(DialEnd::Failed { code: None })),
        ("evaporated", Some(DialEnd::Failed { code: None })),
    ] {
        let body = format!("CallSid=CA1&QueueSid=QU1&QueueResult={result}&QueueTime=17");
        let outcome = QueueOutcome::parse(&parse_form(body.as_bytes())).expect("an outcome");
        assert_eq!(outcome.end(), end, "{result}");
    }
    let check = |body: &str, expected| {
        check(QueueOutcome::parse(&parse_form(body.as_bytes())), expected);
    };
    check(
        "CallSid=CA1&QueueResult=leave&QueueTime=-1",
        expect![[r#"QueueOutcome { call: CarrierCallId("CA1"), result: Left }"#]],
    );
    check(
        "CallSid=CA1&QueueResult=",
        expect!["refused: QueueResult missing"],
    );
    check("QueueResult=leave", expect!["refused: CallSid missing"]);
}

#[test]
fn a_wait_in_a_queue_is_read() {
    for (body, waited, position) in [
        (
            "CallSid=CA1&QueuePosition=2&QueueSid=QU1&QueueTime=31&AvgQueueTime=60&CurrentQueueSize=3",
            Some(31),
            Some(2),
        ),
        ("CallSid=CA1", None, None),
        ("QueuePosition=0&QueueTime=soon", None, None),
        ("QueuePosition=-1&QueueTime=-1", None, None),
        ("QueuePosition=99999999999&QueueTime=", None, None),
    ] {
        let wait = QueueWait::read(&parse_form(body.as_bytes()));
        assert_eq!(wait.waited, waited.map(Duration::from_secs), "{body}");
        assert_eq!(wait.position, position, "{body}");
    }
}

#[test]
fn the_end_of_a_referral_is_judged() {
    let failed = |code| DialEnd::Failed { code };
    for (body, end) in [
        (
            "ReferCallStatus=in-progress&ReferSipResponseCode=202&NotifySipResponseCode=200",
            DialEnd::Bridged,
        ),
        (
            "ReferCallStatus=completed&ReferSipResponseCode=202",
            DialEnd::Bridged,
        ),
        (
            "ReferSipResponseCode=202&NotifySipResponseCode=200",
            DialEnd::Bridged,
        ),
        ("ReferSipResponseCode=202", failed(None)),
        ("ReferSipResponseCode=405", failed(Some(405))),
        ("ReferSipResponseCode=603", DialEnd::Rejected),
        (
            "ReferCallStatus=busy&ReferSipResponseCode=202&NotifySipResponseCode=486",
            DialEnd::Busy,
        ),
        (
            "ReferSipResponseCode=202&NotifySipResponseCode=603",
            DialEnd::Rejected,
        ),
        (
            "ReferSipResponseCode=202&NotifySipResponseCode=100",
            failed(None),
        ),
        ("ReferCallStatus=busy", DialEnd::Busy),
        ("ReferCallStatus=no-answer", DialEnd::NoAnswer),
        ("ReferCallStatus=canceled", DialEnd::Canceled),
        ("ReferCallStatus=failed", failed(None)),
        ("ReferCallStatus=levitating", failed(None)),
        ("ReferCallStatus=", failed(None)),
        ("", failed(None)),
    ] {
        let form = format!("CallSid=CA1&{body}");
        let outcome = ReferOutcome::parse(&parse_form(form.as_bytes())).expect("an outcome");
        assert_eq!(outcome.end(), end, "{body}");
    }
    let nameless = ReferOutcome::parse(&parse_form(b"ReferCallStatus=failed"));
    check(nameless, expect!["refused: CallSid missing"]);
}

#[test]
fn only_the_key_that_was_asked_for_accepts() {
    for (digits, accepts) in [
        ("Digits=1", true),
        ("Digits=2", false),
        ("Digits=11", false),
        ("Digits=%2A1", false),
        ("Digits=", false),
        ("Digits=+1", false),
        ("Digit=1", false),
        ("", false),
    ] {
        let body = format!("CallSid=CA2&ParentCallSid=CA1&{digits}");
        let keyed = Keyed::parse(&parse_form(body.as_bytes())).expect("keys");
        assert_eq!(keyed.accepts(), accepts, "{digits}");
    }
    let check = |body: &str, expected| check(Keyed::parse(&parse_form(body.as_bytes())), expected);
    check(
        "CallSid=CA2&Digits=1&FinishedOnKey=",
        expect![[r#"Keyed { leg: CarrierCallId("CA2"), digits: "1" }"#]],
    );
    check(
        "CallSid=CA2&ParentCallSid=&Digits=1",
        expect![[r#"Keyed { leg: CarrierCallId("CA2"), digits: "1" }"#]],
    );
    check(
        "CallSid=CA2&ParentCallSid=a%20b&Digits=1",
        expect![[r#"Keyed { leg: CarrierCallId("CA2"), digits: "1" }"#]],
    );
    check("Digits=1", expect!["refused: CallSid missing"]);
}

#[test]
fn a_message_that_was_left_is_read_and_not_shown() {
    let check = |body: &str, expected| {
        check(VoicemailLeft::parse(&parse_form(body.as_bytes())), expected);
    };
    let url = "RecordingUrl=https%3A%2F%2Fapi.twilio.com%2FRecordings%2FRE1";
    check(
        &format!("CallSid=CA1&{url}&RecordingDuration=12&RecordingSid=RE1&Digits=hangup"),
        expect![[
            r#"Some(VoicemailLeft { call: CarrierCallId("CA1"), url: <personal>, lasts: Some(12s) })"#
        ]],
    );
    check(
        &format!("CallSid=CA1&{url}&RecordingStatus=completed&RecordingDuration=12"),
        expect![[
            r#"Some(VoicemailLeft { call: CarrierCallId("CA1"), url: <personal>, lasts: Some(12s) })"#
        ]],
    );
    check(
        &format!("CallSid=CA1&{url}"),
        expect![[
            r#"Some(VoicemailLeft { call: CarrierCallId("CA1"), url: <personal>, lasts: None })"#
        ]],
    );
    check(
        &format!("CallSid=CA1&{url}&RecordingDuration=0"),
        expect!["None"],
    );
    check("CallSid=CA1&RecordingStatus=absent", expect!["None"]);
    check(
        &format!("CallSid=CA1&{url}&RecordingStatus=failed"),
        expect!["None"],
    );
    check(
        "CallSid=CA1&RecordingDuration=12",
        expect!["refused: RecordingUrl missing"],
    );
    check(
        "CallSid=CA1&RecordingUrl=file%3A%2F%2F%2Fetc%2Fpasswd",
        expect!["refused: RecordingUrl is not an address"],
    );
    check(url, expect!["refused: CallSid missing"]);
    let parameters = parse_form(format!("CallSid=CA1&{url}").as_bytes());
    let left = VoicemailLeft::parse(&parameters)
        .expect("a report")
        .expect("a message");
    assert_eq!(
        left.url.expose().as_str(),
        "https://api.twilio.com/Recordings/RE1"
    );
}
