use std::time::Duration;

use expect_test::{Expect, expect};
use handoff_core::call::{DialEnd, LegProgress};
use handoff_core::id::CarrierCallId;

use crate::carrier::plivo::webhook::{
    CallStatus, Keyed, LegReport, RoomEvent, RoomReport, VoicemailLeft, parse_form,
};

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
fn a_leg_that_was_called_apart_says_how_it_ended() {
    let failed = |code| Some(DialEnd::Failed { code });
    for (body, progress, end) in [
        ("CallStatus=ringing", Some(LegProgress::Ringing), None),
        ("Event=Ring", Some(LegProgress::Ringing), None),
        ("CallStatus=in-progress", Some(LegProgress::Answered), None),
        (
            "CallStatus=completed&Event=Hangup&HangupCause=NORMAL_CLEARING",
            Some(LegProgress::Completed),
            Some(DialEnd::AnsweredNotBridged),
        ),
        (
            "CallStatus=busy&HangupCause=USER_BUSY",
            Some(LegProgress::Completed),
            Some(DialEnd::Busy),
        ),
        (
            "CallStatus=busy&HangupCause=CALL_REJECTED",
            Some(LegProgress::Completed),
            Some(DialEnd::Rejected),
        ),
        (
            "CallStatus=failed&HangupCauseName=Rejected&HangupCauseCode=3020",
            Some(LegProgress::Completed),
            Some(DialEnd::Rejected),
        ),
        (
            "CallStatus=no-answer",
            Some(LegProgress::Completed),
            Some(DialEnd::NoAnswer),
        ),
        (
            "CallStatus=timeout&HangupCause=NO_ANSWER",
            Some(LegProgress::Completed),
            Some(DialEnd::NoAnswer),
        ),
        (
            "CallStatus=cancel&HangupCause=ORIGINATOR_CANCEL",
            Some(LegProgress::Completed),
            Some(DialEnd::Canceled),
        ),
        (
            "CallStatus=failed&HangupCause=NO_ROUTE_DESTINATION&HangupCauseCode=2010",
            Some(LegProgress::Completed),
            failed(Some(2010)),
        ),
        (
            "CallStatus=failed",
            Some(LegProgress::Completed),
            failed(None),
        ),
        ("CallStatus=levitating", None, None),
    ] {
        let status = CallStatus::parse(&form(&format!("CallUUID=u-2&{body}")));
        let status = status.expect("a report");
        assert_eq!((status.progress(), status.end()), (progress, end), "{body}");
    }
}

#[test]
fn rooms_are_read_in_every_spelling() {
    for (body, event) in [
        (
            "ConferenceAction=enter&Event=ConferenceEnter&ConferenceName=h1&ConferenceMemberID=2",
            RoomEvent::Entered,
        ),
        ("ConferenceAction=exit", RoomEvent::Left),
        ("Event=ConferenceExit&ConferenceName=h1", RoomEvent::Left),
        ("ConferenceAction=digits", RoomEvent::Other),
        ("ConferenceAction=record", RoomEvent::Other),
        ("EventName=ParticipantJoin&MPCName=h1", RoomEvent::Entered),
        ("EventName=ParticipantExit", RoomEvent::Left),
        ("EventName=participant_left", RoomEvent::Left),
        ("EventName=MPCStart&MPCName=h1", RoomEvent::Other),
        ("EventName=ParticipantHold", RoomEvent::Other),
    ] {
        for member in ["CallUUID", "ParticipantCallUUID"] {
            let report = RoomReport::parse(&form(&format!("{member}=u-2&{body}")));
            let report = report.expect("a report");
            assert_eq!(report.event, event, "{body}");
            assert_eq!(report.member, Some(CarrierCallId("u-2".into())));
        }
    }
    check(
        RoomReport::parse(&form("EventName=MPCEnd&MPCUUID=m-1")),
        expect!["RoomReport { member: None, role: None, event: Other }"],
    );
    check(
        RoomReport::parse(&form("ConferenceAction=enter&CallUUID=%2F")),
        expect!["refused: CallUUID is not an identifier"],
    );
}

#[test]
fn only_the_humans_coming_and_going_moves_their_leg() {
    for (body, progress) in [
        (
            "EventName=ParticipantJoin&ParticipantRole=Agent",
            Some(LegProgress::Accepted),
        ),
        (
            "EventName=ParticipantExit&ParticipantRole=agent",
            Some(LegProgress::Completed),
        ),
        ("EventName=ParticipantJoin&ParticipantRole=Customer", None),
        ("EventName=ParticipantJoin&ParticipantRole=Supervisor", None),
        ("EventName=ParticipantMute&ParticipantRole=Agent", None),
        ("ConferenceAction=enter", None),
        ("ConferenceAction=exit", None),
    ] {
        let report = RoomReport::parse(&form(&format!("CallUUID=u-2&{body}")));
        assert_eq!(report.expect("a report").progress(), progress, "{body}");
    }
}

#[test]
fn news_of_a_humans_leg_are_told_apart_by_their_names() {
    for (body, progress, end) in [
        (
            "CallUUID=u-1&DialALegUUID=u-1&DialBLegUUID=u-2&DialAction=connected&CallStatus=busy",
            Some(LegProgress::Accepted),
            None,
        ),
        (
            "CallUUID=u-2&CallStatus=ringing&Direction=outbound",
            Some(LegProgress::Ringing),
            None,
        ),
        (
            "CallUUID=u-2&CallStatus=busy&HangupCause=USER_BUSY&Event=Hangup",
            Some(LegProgress::Completed),
            Some(DialEnd::Busy),
        ),
        (
            "CallUUID=u-2&ConferenceAction=enter&ConferenceName=h1&CallStatus=in-progress",
            None,
            None,
        ),
        (
            "ParticipantCallUUID=u-2&EventName=ParticipantJoin&MPCName=h1&ParticipantRole=agent",
            Some(LegProgress::Accepted),
            None,
        ),
        ("EventName=MPCStart&MPCName=h1", None, None),
    ] {
        let report = LegReport::parse(&form(body)).expect("a report");
        assert_eq!((report.progress(), report.end()), (progress, end), "{body}");
    }
    check(
        LegReport::parse(&form("CallStatus=ringing")),
        expect!["refused: CallUUID missing"],
    );
}

#[test]
fn only_the_one_key_takes_the_call() {
    for (body, accepts) in [
        ("Digits=1&InputType=dtmf", true),
        ("Digits=1", true),
        ("Digits=2", false),
        ("Digits=11", false),
        ("Digits=", false),
        ("Digits=%231", false),
        ("InputType=speech&Speech=one", false),
        ("", false),
    ] {
        let keyed = Keyed::parse(&form(&format!("CallUUID=u-2&{body}"))).expect("keys");
        assert_eq!(keyed.accepts(), accepts, "{body}");
        assert_eq!(keyed.leg, CarrierCallId("u-2".into()));
    }
    check(
        Keyed::parse(&form("Digits=1")),
        expect!["refused: CallUUID missing"],
    );
}

#[test]
fn a_message_is_where_plivo_says_and_not_shown() {
    let check = |body: &str, expected| check(VoicemailLeft::parse(&form(body)), expected);
    check(
        "CallUUID=u-1&RecordUrl=https%3A%2F%2Fmedia.plivo.com%2Fr.mp3&RecordingDuration=12&\
         RecordingDurationMs=12345&RecordingID=r-1&Digits=%23",
        expect![[
            r#"Some(VoicemailLeft { call: CarrierCallId("u-1"), url: <personal>, lasts: Some(12s) })"#
        ]],
    );
    check(
        "CallUUID=u-1&RecordUrl=https%3A%2F%2Fmedia.plivo.com%2Fr.mp3&RecordingDuration=-1",
        expect![[
            r#"Some(VoicemailLeft { call: CarrierCallId("u-1"), url: <personal>, lasts: None })"#
        ]],
    );
    check("CallUUID=u-1&RecordingDuration=0", expect!["None"]);
    check("CallUUID=u-1", expect!["refused: RecordUrl missing"]);
    check(
        "CallUUID=u-1&RecordUrl=",
        expect!["refused: RecordUrl missing"],
    );
    check(
        "CallUUID=u-1&RecordUrl=javascript:alert(1)",
        expect!["refused: RecordUrl is not an address"],
    );
    check(
        "RecordUrl=https%3A%2F%2Fmedia.plivo.com%2Fr.mp3",
        expect!["refused: CallUUID missing"],
    );
}

#[test]
fn a_recordings_address_is_fetched_encrypted() {
    for (name, told, expected) in [
        (
            "RecordUrl",
            "https://media.plivo.com/r.mp3",
            "https://media.plivo.com/r.mp3",
        ),
        (
            "RecordUrl",
            "http://s3.amazonaws.com/recordings/r.mp3",
            "https://s3.amazonaws.com/recordings/r.mp3",
        ),
        (
            "RecordFile",
            "https://media.plivo.com/r.mp3",
            "https://media.plivo.com/r.mp3",
        ),
        (
            "RecordUrl",
            "http://127.0.0.1:9000/r.mp3",
            "http://127.0.0.1:9000/r.mp3",
        ),
    ] {
        let body = format!("CallUUID=u-1&{name}={told}&RecordingDuration=12");
        let left = VoicemailLeft::parse(&form(&body)).expect("a report");
        let left = left.expect("a message");
        assert_eq!(left.url.expose().as_str(), expected);
        assert_eq!(left.lasts, Some(Duration::from_secs(12)));
    }
}
