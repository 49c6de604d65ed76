use expect_test::{Expect, expect};
use handoff_core::call::{DialEnd, LegProgress, Party};
use handoff_core::pii::Pii;

use crate::carrier::call_state::{CallEnd, CallState};
use crate::carrier::document::Acceptance;
use crate::carrier::plivo::hangup::HangupReason;
use crate::carrier::plivo::webhook::{
    AnswerEvent, AnswerRequest, CallStatus, DialOutcome, LegEvent, LegStatus, StreamEvent,
    StreamStatus, parse_form,
};
use crate::carrier::verdict::Fault;

const ANSWER: &str = "CallUUID=7d0c0000-0000-4000-8000-000000000001&From=15550100001&\
    To=15550100002&CallStatus=ringing&Direction=inbound&Event=StartApp&\
    CallerName=%2B15550100001&ForwardedFrom=&Unheard=of";

fn check<T: std::fmt::Debug, E: std::fmt::Display>(parsed: Result<T, E>, expected: Expect) {
    let shown = match parsed {
        Ok(parsed) => format!("{parsed:?}"),
        Err(error) => format!("refused: {error}"),
    };
    expected.assert_eq(&shown);
}

fn form(body: &str) -> Vec<(String, String)> {
    parse_form(body.as_bytes())
}

#[test]
fn an_answer_request_is_read_without_showing_anybody() {
    check(
        AnswerRequest::parse(&form(ANSWER)),
        expect![[
            r#"AnswerRequest { call: CarrierCallId("7d0c0000-0000-4000-8000-000000000001"), from: Known(<personal>), to: Known(<personal>), event: Started, parameters: {"CallStatus": <personal>, "CallerName": <personal>, "Direction": <personal>, "ForwardedFrom": <personal>, "Unheard": <personal>} }"#
        ]],
    );
    let request = AnswerRequest::parse(&form(ANSWER)).expect("an answer request");
    assert_eq!(request.parameters["CallerName"].expose(), "+15550100001");
    assert_eq!(request.parameters["ForwardedFrom"].expose(), "");
    assert!(!request.parameters.contains_key("From"));
}

#[test]
fn numbers_gain_their_plus_and_nothing_else_does() {
    let known = |text: &str| Party::Known(Pii::new(text.to_owned()));
    for (from, party) in [
        ("15550100001", known("+15550100001")),
        ("%2B15550100001", known("+15550100001")),
        ("+15550100001", known("+15550100001")),
        ("4915550100", known("+4915550100")),
        ("55501", known("55501")),
        ("0015550100001", known("0015550100001")),
        ("1555-010-0001", known("1555-010-0001")),
        ("sip:ann@phone.plivo.com", known("sip:ann@phone.plivo.com")),
        (
            "sip:15550100001@phone.plivo.com",
            known("sip:15550100001@phone.plivo.com"),
        ),
        ("ann", known("ann")),
        ("", Party::Withheld),
        ("anonymous", Party::Withheld),
        ("Restricted", Party::Withheld),
        ("266696687", Party::Withheld),
        ("%2B266696687", Party::Withheld),
        ("sip:anonymous@anonymous.invalid", Party::Withheld),
    ] {
        let body = format!("CallUUID=u-1&From={from}&To={from}");
        let request = AnswerRequest::parse(&form(&body)).expect("an answer request");
        assert_eq!((&request.from, &request.to), (&party, &party), "{from}");
    }
}

#[test]
fn whatever_made_plivo_ask_is_told() {
    for (event, expected) in [
        ("&Event=StartApp", AnswerEvent::Started),
        ("&Event=Hangup", AnswerEvent::Hangup),
        ("&Event=Redirect", AnswerEvent::Other),
        ("&Event=", AnswerEvent::Other),
        ("", AnswerEvent::Other),
    ] {
        let request = AnswerRequest::parse(&form(&format!("CallUUID=u-1{event}")));
        assert_eq!(
            request.map(|request| request.event),
            Ok(expected),
            "{event}"
        );
    }
}

#[test]
fn requests_that_name_no_call_are_refused() {
    let check = |body: &str, expected| check(AnswerRequest::parse(&form(body)), expected);
    check("From=1", expect!["refused: CallUUID missing"]);
    check("CallUUID=", expect!["refused: CallUUID missing"]);
    check(
        "CallUUID=..%2F..%2FAccount",
        expect!["refused: CallUUID is not an identifier"],
    );
}

#[test]
fn a_hangup_is_an_end_however_it_is_told() {
    for (body, state) in [
        ("CallStatus=completed", CallState::Ended(CallEnd::Completed)),
        (
            "CallStatus=Completed&Event=Hangup",
            CallState::Ended(CallEnd::Completed),
        ),
        ("CallStatus=busy", CallState::Ended(CallEnd::Busy)),
        ("CallStatus=failed", CallState::Ended(CallEnd::Failed)),
        ("CallStatus=timeout", CallState::Ended(CallEnd::NoAnswer)),
        ("CallStatus=no-answer", CallState::Ended(CallEnd::NoAnswer)),
        ("CallStatus=cancel", CallState::Ended(CallEnd::Canceled)),
        ("CallStatus=ringing", CallState::Ringing),
        ("CallStatus=in-progress", CallState::InProgress),
        ("CallStatus=in-progress&HangupCause=", CallState::InProgress),
        (
            "CallStatus=in-progress&Event=Hangup&HangupCause=NORMAL_CLEARING",
            CallState::Ended(CallEnd::Completed),
        ),
        (
            "Event=Hangup&HangupCause=USER_BUSY",
            CallState::Ended(CallEnd::Busy),
        ),
        ("HangupCause=NO_ANSWER", CallState::Ended(CallEnd::NoAnswer)),
        ("HangupCause=No+Answer", CallState::Ended(CallEnd::NoAnswer)),
        (
            "HangupCause=ORIGINATOR_CANCEL",
            CallState::Ended(CallEnd::Canceled),
        ),
        (
            "HangupCause=Loop+detected",
            CallState::Ended(CallEnd::Failed),
        ),
        ("Event=Hangup", CallState::Ended(CallEnd::Failed)),
        ("CallStatus=levitating", CallState::Unknown),
        ("", CallState::Unknown),
    ] {
        let status = CallStatus::parse(&form(&format!("CallUUID=u-1&{body}")));
        assert_eq!(status.map(|status| status.state), Ok(state), "{body}");
    }
    let check = |body: &str, expected| check(CallStatus::parse(&form(body)), expected);
    check(
        "CallUUID=u-1&CallStatus=completed&Event=Hangup&Duration=61&BillDuration=120&\
         HangupCause=NORMAL_CLEARING&HangupCauseCode=4010&HangupSource=Plivo",
        expect![[
            r#"CallStatus { call: CarrierCallId("u-1"), state: Ended(Completed), cause: Some(Completed), code: Some(4010) }"#
        ]],
    );
    check("CallStatus=completed", expect!["refused: CallUUID missing"]);
    check(
        "CallUUID=u-1&CallStatus=completed&Duration=long",
        expect![[
            r#"CallStatus { call: CarrierCallId("u-1"), state: Ended(Completed), cause: None, code: None }"#
        ]],
    );
}

#[test]
fn documented_codes_say_where_to_look() {
    let ours = Some(Fault::Ours);
    for (codes, reason, fault) in [
        (&[4010][..], HangupReason::EndOfDocument, ours),
        (&[7011, 8011], HangupReason::AnswerUrl, ours),
        (&[7012, 8012], HangupReason::ActionUrl, ours),
        (&[7013, 8013], HangupReason::TransferUrl, ours),
        (&[7014, 8014], HangupReason::RedirectUrl, ours),
        (&[4240, 4250], HangupReason::SipCredentials, ours),
        (&[5030], HangupReason::Concurrency, ours),
        (&[6020], HangupReason::MediaTimeout, Some(Fault::Unclear)),
        (&[2070], HangupReason::MediaAnchoring, ours),
        (&[4000], HangupReason::Other(4000), None),
    ] {
        for code in codes {
            let body = format!("CallUUID=u-1&CallStatus=completed&HangupCauseCode={code}");
            let status = CallStatus::parse(&form(&body)).expect("a status");
            assert_eq!(status.reason(), Some(reason), "{code}");
            assert_eq!(reason.fault(), fault, "{code}");
        }
    }
    for code in ["", "x", "-1", "4294967296"] {
        let body = format!("CallUUID=u-1&CallStatus=completed&HangupCauseCode={code}");
        let status = CallStatus::parse(&form(&body)).expect("a status");
        assert_eq!(status.reason(), None, "{code}");
    }
    let still_up = form("CallUUID=u-1&CallStatus=ringing&HangupCauseCode=4010");
    let status = CallStatus::parse(&still_up).expect("a status");
    assert_eq!(status.reason(), None);
}

#[test]
fn dial_outcomes_say_whether_somebody_talked() {
    for (body, end) in [
        ("DialStatus=completed&DialBLegUUID=u-2", DialEnd::Bridged),
        (
            "DialStatus=Completed&DialBLegUUID=u-2&DialHangupCause=NORMAL_CLEARING",
            DialEnd::Bridged,
        ),
        ("DialStatus=completed", DialEnd::AnsweredNotBridged),
        (
            "DialStatus=completed&DialBLegUUID=",
            DialEnd::AnsweredNotBridged,
        ),
        ("DialStatus=busy&DialBLegUUID=u-2", DialEnd::Busy),
        ("DialStatus=failed", DialEnd::Failed { code: None }),
        ("DialStatus=failed&DialHangupCause=USER_BUSY", DialEnd::Busy),
        (
            "DialStatus=failed&DialHangupCause=CALL_REJECTED",
            DialEnd::Rejected,
        ),
        (
            "DialStatus=busy&DialHangupCause=CALL_REJECTED&DialBLegUUID=",
            DialEnd::Rejected,
        ),
        (
            "DialStatus=failed&DialHangupCause=sip_auth_failed",
            DialEnd::Failed { code: Some(4240) },
        ),
        (
            "DialStatus=timeout&DialHangupCause=sip_auth_timeout",
            DialEnd::Failed { code: Some(4250) },
        ),
        (
            "DialStatus=failed&DialHangupCause=UNALLOCATED_NUMBER&DialHangupCauseCode=2000",
            DialEnd::Failed { code: Some(2000) },
        ),
        (
            "DialStatus=failed&DialHangupCause=NO_USER_RESPONSE",
            DialEnd::NoAnswer,
        ),
        (
            "DialStatus=failed&DialHangupCause=NORMAL_CLEARING",
            DialEnd::Failed { code: None },
        ),
        ("DialStatus=cancel", DialEnd::Canceled),
        ("DialStatus=timeout", DialEnd::NoAnswer),
        ("DialStatus=no-answer", DialEnd::NoAnswer),
        ("DialStatus=abducted", DialEnd::Failed { code: None }),
        (
            "DialStatus=abducted&DialHangupCause=ORIGINATOR_CANCEL",
            DialEnd::Canceled,
        ),
    ] {
        let outcome = DialOutcome::parse(&form(&format!("CallUUID=u-1&{body}")));
        assert_eq!(
            outcome.map(|outcome| outcome.end(Acceptance::Answer)),
            Ok(end),
            "{body}"
        );
    }
    let check = |body: &str, expected| check(DialOutcome::parse(&form(body)), expected);
    check(
        "CallUUID=u-1&DialStatus=completed&DialRingStatus=true&DialHangupCause=NORMAL_CLEARING&\
         DialALegUUID=u-1&DialBLegUUID=u-2",
        expect![[
            r#"DialOutcome { call: CarrierCallId("u-1"), status: Completed, leg: Some(CarrierCallId("u-2")), cause: Some(Completed), code: None }"#
        ]],
    );
    check("CallUUID=u-1", expect!["refused: DialStatus missing"]);
    check("DialStatus=busy", expect!["refused: CallUUID missing"]);
    check(
        "CallUUID=u-1&DialStatus=busy&DialBLegUUID=%2F",
        expect!["refused: DialBLegUUID is not an identifier"],
    );
    let perhaps = form("CallUUID=u-1&DialStatus=busy&DialRingStatus=perhaps");
    assert!(DialOutcome::parse(&perhaps).is_ok());
}

#[test]
fn where_a_key_is_asked_for_an_answer_proves_nothing() {
    for (body, end) in [
        (
            "DialStatus=completed&DialBLegUUID=u-2",
            DialEnd::AnsweredNotBridged,
        ),
        ("DialStatus=completed", DialEnd::AnsweredNotBridged),
        ("DialStatus=no-answer&DialBLegUUID=u-2", DialEnd::NoAnswer),
        ("DialStatus=busy", DialEnd::Busy),
    ] {
        let outcome = DialOutcome::parse(&form(&format!("CallUUID=u-1&{body}")));
        let outcome = outcome.expect("an outcome");
        assert_eq!(outcome.end(Acceptance::Key), end, "{body}");
    }
}

#[test]
fn the_humans_accept_key_is_told_from_every_other() {
    for (body, event) in [
        (
            "DialDigitsMatch=1&DialDigitsPressedBy=BLeg",
            LegEvent::AcceptKey,
        ),
        (
            "DialDigitsMatch=1&DialDigitsPressedBy=bleg",
            LegEvent::AcceptKey,
        ),
        ("DialDigitsMatch=1", LegEvent::AcceptKey),
        (
            "DialDigitsMatch=1&DialDigitsPressedBy=ALeg",
            LegEvent::Digits,
        ),
        (
            "DialDigitsMatch=2&DialDigitsPressedBy=BLeg",
            LegEvent::Digits,
        ),
        (
            "DialDigitsMatch=11&DialDigitsPressedBy=BLeg",
            LegEvent::Digits,
        ),
    ] {
        let body = format!("CallUUID=u-1&DialBLegUUID=u-2&DialAction=digits&{body}");
        let status = LegStatus::parse(&form(&body)).expect("a report");
        assert_eq!(status.event, event, "{body}");
    }
}

#[test]
fn leg_reports_are_read_in_every_spelling() {
    for (body, event, progress) in [
        (
            "Event=DialAnswer&DialAction=answer&DialBLegStatus=answer",
            LegEvent::Answered,
            Some(LegProgress::Answered),
        ),
        (
            "DialAction=answer",
            LegEvent::Answered,
            Some(LegProgress::Answered),
        ),
        (
            "DialBLegStatus=answered",
            LegEvent::Answered,
            Some(LegProgress::Answered),
        ),
        (
            "Event=DialConnected&DialAction=connected",
            LegEvent::Connected,
            Some(LegProgress::Accepted),
        ),
        (
            "Event=dial_connect",
            LegEvent::Connected,
            Some(LegProgress::Accepted),
        ),
        (
            "Event=DialRinging",
            LegEvent::Ringing,
            Some(LegProgress::Ringing),
        ),
        (
            "DialBLegStatus=ringing",
            LegEvent::Ringing,
            Some(LegProgress::Ringing),
        ),
        (
            "Event=DialInitiated",
            LegEvent::Initiated,
            Some(LegProgress::Initiated),
        ),
        (
            "Event=DialHangup&DialAction=hangup",
            LegEvent::Hangup,
            Some(LegProgress::Completed),
        ),
        (
            "Event=Callback&DialBLegStatus=hangup",
            LegEvent::Hangup,
            Some(LegProgress::Completed),
        ),
        (
            "Event=DialDigitsMatch&DialAction=digits",
            LegEvent::Digits,
            None,
        ),
        ("Event=DialLevitated", LegEvent::Other, None),
        ("", LegEvent::Other, None),
    ] {
        let leg = LegStatus::parse(&form(&format!("CallUUID=u-1&DialBLegUUID=u-2&{body}")));
        let leg = leg.expect("a report");
        assert_eq!((leg.event, leg.progress()), (event, progress), "{body}");
    }
    let check = |body: &str, expected| check(LegStatus::parse(&form(body)), expected);
    check(
        "CallUUID=u-1&DialALegUUID=u-1&DialBLegUUID=u-2&Event=DialHangup&DialBLegFrom=15550100002&\
         DialBLegTo=15550100042&DialBLegPosition=1&DialBLegHangupCauseName=Rejected&\
         DialBLegHangupCauseCode=3020",
        expect![[
            r#"LegStatus { leg: Some(CarrierCallId("u-2")), parent: CarrierCallId("u-1"), event: Hangup, cause: Some(Rejected), code: Some(3020) }"#
        ]],
    );
    check(
        "CallUUID=u-2&DialALegUUID=u-1&Event=DialDigitsMatch",
        expect![[
            r#"LegStatus { leg: None, parent: CarrierCallId("u-1"), event: Digits, cause: None, code: None }"#
        ]],
    );
    check("Event=DialAnswer", expect!["refused: CallUUID missing"]);
}

#[test]
fn stream_reports_are_read_in_every_spelling() {
    for (words, event) in [
        (
            &["StartStream", "started", "STARTED"][..],
            StreamEvent::Started,
        ),
        (&["StopStream", "stopped"], StreamEvent::Stopped),
        (&["DroppedStream", "failed"], StreamEvent::Dropped),
        (&["DegradedStream", "degraded"], StreamEvent::Degraded),
        (&["PlayedStream", "playedStream"], StreamEvent::Played),
        (&["ClearedAudio"], StreamEvent::Cleared),
        (&["PausedStream"], StreamEvent::Other),
    ] {
        for word in words {
            let body = format!("CallUUID=u-1&StreamID=s-1&Event={word}&Timestamp=1&StatusReason=x");
            let status = StreamStatus::parse(&form(&body)).expect("a report");
            assert_eq!(status.event, event, "{word}");
        }
    }
    let check = |body: &str, expected| check(StreamStatus::parse(&form(body)), expected);
    check(
        "CallUUID=u-1&StreamId=s-1&Event=stopped",
        expect![[
            r#"StreamStatus { call: CarrierCallId("u-1"), stream: Some(StreamId("s-1")), event: Stopped }"#
        ]],
    );
    check(
        "CallUUID=u-1&StreamID=&Event=failed",
        expect![[r#"StreamStatus { call: CarrierCallId("u-1"), stream: None, event: Dropped }"#]],
    );
    check(
        "CallUUID=u-1&StreamID=s-1",
        expect!["refused: Event missing"],
    );
    check(
        "CallUUID=u-1&StreamID=%2F&Event=stopped",
        expect!["refused: StreamID is not an identifier"],
    );
}
