use expect_test::{Expect, expect};
use handoff_core::call::{DialEnd, LegProgress, Party};
use handoff_core::pii::Pii;

use crate::carrier::twilio::call_state::{CallEnd, CallState};
use crate::carrier::twilio::webhook::{
    CallStatus, DialOutcome, LegStatus, StreamEvent, StreamStatus, VoiceRequest, parse_form,
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
        ("DialCallStatus=failed", DialEnd::Failed),
        ("DialCallStatus=canceled", DialEnd::Canceled),
        ("DialCallStatus=abducted", DialEnd::Failed),
        ("DialCallStatus=abducted&DialBridged=false", DialEnd::Failed),
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
            r#"DialOutcome { call: CarrierCallId("CA1"), status: Completed, bridged: Some(true) }"#
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
        expect![[r#"LegStatus { parent: CarrierCallId("CA1"), state: Ended(Completed) }"#]],
    );
    check(
        "CallSid=CA2&CallStatus=ringing",
        expect!["refused: ParentCallSid missing"],
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
            status.parent.0, "CA1",
            "the human's leg has a name we need not"
        );
    }
}
