//! The carrier's REST API on a bad day: whatever it does, the human's phone rings at most once, and
//! the caller never ends with nobody.

use std::time::Duration;

use handoff_core::call::{Disposition, Fact, RewriteOutcome, StreamEnd};
use handoff_simulator::carrier::twilio::{AfterRecording, FaultKind, PlacedCall, RestFault};
use handoff_simulator::carrier::{CarrierEvent, Human, Purpose, Speed};
use reqwest::StatusCode;

use super::by_hand::{Form, Proof, form, post, sid};
use super::stage::{ACCOUNT, Books, Setup, Stage, bridged, count, rewritten, rings};
use super::story::reached_a_human;

/// Twilio's code for them.
const WRONG_CREDENTIALS: u32 = 20_003;

#[tokio::test]
async fn too_many_requests_with_a_time_are_repeated_after_it() {
    let kind = FaultKind::TooManyRequests {
        retry_after: Some(1),
    };
    let (call, books) = played_with(fault(kind, 1)).await;
    rang_once(&call);
    assert_eq!(asked(&call), 2);
    let waited = between_requests(&books, &call).await;
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}

#[tokio::test]
async fn too_many_requests_without_a_time_are_repeated_soon() {
    let kind = FaultKind::TooManyRequests { retry_after: None };
    let (call, _) = played_with(fault(kind, 2)).await;
    rang_once(&call);
    assert_eq!(asked(&call), 3);
}

#[tokio::test]
async fn too_many_requests_for_ever_leave_the_caller_with_the_bot() {
    let kind = FaultKind::TooManyRequests { retry_after: None };
    let (call, books) = played_with(fault(kind, 100)).await;
    assert_eq!(count(&call, rewritten), 0);
    assert_eq!(asked(&call), 4, "the configured attempts and no more");
    let disposition = books.disposition(call.call_sid()).await;
    assert_eq!(disposition, Disposition::CarrierRefused { code: None });
}

#[tokio::test]
async fn a_server_error_is_looked_into_and_repeated() {
    let (call, books) = played_with(fault(FaultKind::ServerError(500), 1)).await;
    rang_once(&call);
    assert_eq!(asked(&call), 2);
    assert!(
        looked(&call) >= 1,
        "the call is looked at before the repeat"
    );
    assert_eq!(books.triggers(call.call_sid()).await, 1);
}

#[tokio::test]
async fn a_connection_that_is_cut_before_acting_is_looked_into_and_repeated() {
    let (call, _) = played_with(fault(FaultKind::CutBeforeActing, 1)).await;
    rang_once(&call);
    assert_eq!(asked(&call), 2);
    assert!(looked(&call) >= 1);
}

#[tokio::test]
async fn an_answer_that_is_cut_after_acting_does_not_ring_the_human_again() {
    let (call, books) = played_with(fault(FaultKind::CutAfterActing, 1)).await;
    rang_once(&call);
    assert_eq!(
        asked(&call),
        1,
        "the human's leg proved that the carrier acted"
    );
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
}

#[tokio::test]
async fn an_answer_that_never_comes_does_not_ring_the_human_again() {
    let mut setup = fault(FaultKind::HangAfterActing, 1);
    setup.config.push_str("[twilio]\ntimeout = \"600ms\"\n");
    setup.carrier.human = Some(talks_for(40));
    let (call, books) = played_with(setup).await;
    rang_once(&call);
    assert_eq!(asked(&call), 1);
    let unknown = settled(&books, &call).await;
    assert_eq!(unknown, [RewriteOutcome::Unknown]);
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
}

#[tokio::test]
async fn an_answer_that_comes_late_is_waited_for() {
    let mut setup = fault(FaultKind::Delay(Duration::from_millis(700)), 1);
    setup.config.push_str("[twilio]\ntimeout = \"3s\"\n");
    let (call, _) = played_with(setup).await;
    rang_once(&call);
    assert_eq!(asked(&call), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_before_the_rewrite_is_not_rung_after() {
    let mut setup = Setup::of("asks-for-human");
    // Slow enough that the words are understood before the caller has gone.
    setup.carrier.speed = Speed::Times(5.0);
    setup.carrier.after_recording = AfterRecording::HangUp;
    // Longer than the rest of the recording, so that the caller has gone when it is looked at.
    setup.carrier.rest_delay = Duration::from_millis(1_500);
    let (call, books) = played_with(setup).await;
    assert_eq!(count(&call, rewritten), 0);
    assert_eq!(count(&call, rings), 0);
    let disposition = books.disposition(call.call_sid()).await;
    assert_eq!(disposition, Disposition::CallerHungUp);
}

#[tokio::test]
async fn a_rewrite_that_finds_the_call_over_says_that_the_caller_hung_up() {
    let mut setup = Setup::of("asks-for-human");
    setup.carrier.after_recording = AfterRecording::HangUp;
    setup.carrier.rest_delay = Duration::from_millis(1_500);
    // Only the answer to the rewrite tells.
    setup.carrier.call_status_path = None;
    let (call, books) = played_with(setup).await;
    let told = |event: &CarrierEvent| {
        matches!(
            event,
            CarrierEvent::RestAnswered {
                code: Some(21220),
                ..
            }
        )
    };
    assert_eq!(count(&call, told), 1);
    assert_eq!(settled(&books, &call).await, [RewriteOutcome::CallerGone]);
    let disposition = books.disposition(call.call_sid()).await;
    assert_eq!(disposition, Disposition::CallerHungUp);
}

#[tokio::test]
async fn wrong_credentials_leave_the_caller_with_the_bot() {
    let mut setup = Setup::of("asks-for-human");
    setup.env("TWILIO_API_KEY", "SK00000000000000000000000000000001");
    setup.env("TWILIO_API_SECRET", "not-the-secret");
    let mut stage = Stage::set(setup).await;
    stage.expect_violation("without the account's credentials");
    let call = stage.place();
    stage.ended(&call).await;
    let books = stage.finish().await;
    assert_eq!(count(&call, rewritten), 0);
    assert_eq!(asked(&call), 1, "repeating does not mend credentials");
    let disposition = books.disposition(call.call_sid()).await;
    let code = Some(WRONG_CREDENTIALS);
    assert_eq!(disposition, Disposition::CarrierRefused { code });
}

/// In converse mode our socket holds the caller, and there is no bot beside us.
#[tokio::test]
async fn where_we_are_the_line_a_refused_rewrite_leaves_the_caller_to_the_carriers_document() {
    let mut setup = Setup::of("presses-zero");
    setup.env("TWILIO_API_KEY", "SK00000000000000000000000000000001");
    setup.env("TWILIO_API_SECRET", "not-the-secret");
    let mut stage = Stage::set(setup).await;
    stage.expect_violation("without the account's credentials");
    let call = stage.place();
    stage.ended(&call).await;
    let books = stage.finish().await;
    released_to_a_human(&call, &books).await;
}

#[tokio::test]
async fn where_we_are_the_line_attempts_used_up_leave_the_caller_to_the_carriers_document() {
    let mut setup = Setup::of("presses-zero");
    let kind = FaultKind::TooManyRequests { retry_after: None };
    setup
        .carrier
        .rest_faults
        .push(RestFault { kind, times: 100 });
    setup.config = "[handoff]\nattempts = 2\n".to_owned();
    let (call, books) = played_with(setup).await;
    released_to_a_human(&call, &books).await;
}

#[tokio::test]
async fn an_api_key_opens_the_rest_api() {
    let mut setup = Setup::of("asks-for-human");
    let key = "SK00000000000000000000000000000001";
    setup.carrier.api_key = Some((key.to_owned(), "the-secret".to_owned()));
    setup.env("TWILIO_API_KEY", key);
    setup.env("TWILIO_API_SECRET", "the-secret");
    let (call, _) = played_with(setup).await;
    rang_once(&call);
}

#[tokio::test]
async fn a_document_that_is_too_long_to_be_sent_along_is_fetched() {
    let mut setup = Setup::of("asks-for-human");
    let long = "Please hold the line. ".repeat(185);
    setup.config = format!("[handoff]\nsay = \"{}\"\n", long.trim());
    let (call, _) = played_with(setup).await;
    rang_once(&call);
    let fetched = |event: &CarrierEvent| {
        matches!(
            event,
            CarrierEvent::WebhookAnswered {
                purpose: Purpose::Rewrite,
                status: 200,
                ..
            }
        )
    };
    assert_eq!(count(&call, fetched), 1);
}

#[tokio::test]
async fn callbacks_that_come_late_or_twice_change_nothing() {
    let mut setup = Setup::of("asks-for-human");
    // 4 s by the wall, in which the callbacks below arrive.
    setup.carrier.human = Some(talks_for(80));
    let stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, bridged).await;
    let url = after_dial_url(&call);
    let leg_url = url.replace("after-dial", "leg");
    let leg = |status: &str| {
        form(&[
            ("AccountSid", ACCOUNT),
            ("CallSid", &sid(9)),
            ("ParentCallSid", call.call_sid()),
            ("CallStatus", status),
            ("SequenceNumber", "0"),
        ])
    };
    for status in [
        "initiated",
        "ringing",
        "ringing",
        "in-progress",
        "queued",
        "tomorrow",
    ] {
        let (code, _) = post(&stage, &leg_url, &leg(status), &Proof::Right).await;
        assert_eq!(code, StatusCode::NO_CONTENT, "{status}");
    }
    // Of a handoff that never was.
    let other = "/twilio/after-dial/ho_00000000000000000000000000/1/default";
    let (code, _) = post(
        &stage,
        other,
        &after_dial(&call, "no-answer"),
        &Proof::Right,
    )
    .await;
    assert_eq!(code, StatusCode::OK);
    stage.ended(&call).await;
    stage.idle().await;
    // After the end, twice, and saying something else.
    for status in ["completed", "no-answer", "busy"] {
        let (code, document) = post(&stage, &url, &after_dial(&call, status), &Proof::Right).await;
        assert_eq!(code, StatusCode::OK);
        assert!(document.contains("<Hangup/>"), "{document}");
    }
    let (code, _) = post(&stage, &leg_url, &leg("completed"), &Proof::Right).await;
    assert_eq!(code, StatusCode::NO_CONTENT);
    let books = stage.finish().await;
    rang_once(&call);
    assert_eq!(books.triggers(call.call_sid()).await, 1);
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
}

#[tokio::test]
async fn forged_callbacks_change_nothing() {
    let mut setup = Setup::of("asks-for-human");
    setup.carrier.human = Some(talks_for(40));
    let stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, rings).await;
    let url = after_dial_url(&call);
    let leg_url = url.replace("after-dial", "leg");
    for proof in [Proof::None, Proof::With("another-token")] {
        for (path, parameters) in [
            (url.as_str(), after_dial(&call, "no-answer")),
            (&leg_url, after_dial(&call, "completed")),
            ("/twilio/status", after_dial(&call, "completed")),
        ] {
            let (code, _) = post(&stage, path, &parameters, &proof).await;
            assert_eq!(code, StatusCode::FORBIDDEN);
        }
    }
    stage.ended(&call).await;
    let books = stage.finish().await;
    rang_once(&call);
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
}

#[tokio::test]
async fn a_busy_human_is_told_of() {
    let mut setup = Setup::of("asks-for-human");
    setup.carrier.human = Some(Human::Busy);
    let (call, books) = played_with(setup).await;
    assert_eq!(count(&call, bridged), 0);
    assert_eq!(books.disposition(call.call_sid()).await, Disposition::Busy);
}

fn fault(kind: FaultKind, times: u32) -> Setup {
    let mut setup = Setup::of("asks-for-human");
    setup.carrier.rest_faults.push(RestFault { kind, times });
    // A repeat waits for news of the human, and the announcement comes before any.
    setup.config = "[handoff]\nsay = \"Wait.\"\n".to_owned();
    // The caller stays for as long as the repeats may take.
    setup.carrier.after_recording = AfterRecording::WaitForHandoff {
        grace: Duration::from_secs(10),
    };
    setup
}

/// A human who picks up after a second and talks, in seconds of the carrier's time.
fn talks_for(seconds: u64) -> Human {
    Human::Answers {
        after: Duration::from_secs(1),
        talks_for: Duration::from_secs(seconds),
        presses: Some('1'),
    }
}

async fn played_with(setup: Setup) -> (PlacedCall, Books) {
    let stage = Stage::set(setup).await;
    let call = stage.place();
    stage.ended(&call).await;
    let books = stage.finish().await;
    (call, books)
}

fn rang_once(call: &PlacedCall) {
    assert_eq!(count(call, rings), 1, "the human's phone rings once");
    assert_eq!(count(call, rewritten), 1, "the call is rewritten once");
    assert!(reached_a_human(call));
}

/// The carrier went on behind `<Connect>`, where the document that began the call rings the human.
async fn released_to_a_human(call: &PlacedCall, books: &Books) {
    assert_eq!(count(call, rewritten), 0);
    assert_eq!(count(call, rings), 1);
    assert!(reached_a_human(call));
    let records = books.records(call.call_sid()).await;
    let released = |fact: &Fact| {
        let Fact::StreamStopped { end, .. } = fact else {
            return false;
        };
        *end == StreamEnd::Released
    };
    let released = records.iter().any(|record| released(&record.fact));
    assert!(released, "{records:?}");
    let disposition = books.disposition(call.call_sid()).await;
    assert!(matches!(disposition, Disposition::CarrierRefused { .. }));
}

/// How often a rewrite was asked for.
fn asked(call: &PlacedCall) -> usize {
    count(
        call,
        |event| matches!(event, CarrierEvent::RestRequested { method, .. } if method == "POST"),
    )
}

/// How often the call was looked at.
fn looked(call: &PlacedCall) -> usize {
    count(
        call,
        |event| matches!(event, CarrierEvent::RestRequested { method, .. } if method == "GET"),
    )
}

async fn settled(books: &Books, call: &PlacedCall) -> Vec<RewriteOutcome> {
    let records = books.records(call.call_sid()).await;
    let outcomes = records.into_iter().filter_map(|record| match record.fact {
        Fact::RewriteSettled { outcome, .. } => Some(outcome),
        _ => None,
    });
    outcomes.collect()
}

async fn between_requests(books: &Books, call: &PlacedCall) -> Duration {
    let records = books.records(call.call_sid()).await;
    let times: Vec<_> = (records.iter())
        .filter(|record| matches!(record.fact, Fact::RewriteRequested { .. }))
        .map(|record| record.at)
        .collect();
    assert_eq!(times.len(), 2);
    times[1].since(times[0])
}

/// The path of the URL that the handoff document gave for what follows the dial.
fn after_dial_url(call: &PlacedCall) -> String {
    let document = call.events().into_iter().find_map(|event| match event {
        CarrierEvent::CallRewritten { document, .. } => Some(document),
        _ => None,
    });
    let document = document.expect("the call was rewritten");
    let (_, rest) = document
        .split_once("https://handoff.example.com/twilio/after-dial/")
        .expect("an action");
    let (handoff, _) = rest.split_once('"').expect("an attribute");
    format!("/twilio/after-dial/{handoff}")
}

fn after_dial(call: &PlacedCall, status: &str) -> Form {
    form(&[
        ("AccountSid", ACCOUNT),
        ("CallSid", call.call_sid()),
        ("CallStatus", "completed"),
        ("DialCallStatus", status),
        ("ParentCallSid", call.call_sid()),
    ])
}
