//! `<Record>`: the caller leaves a message.

use std::collections::BTreeMap;
use std::time::Duration;

use handoff_simulator::carrier::twilio::{AfterRecording, CarrierOptions};
use handoff_simulator::carrier::{CarrierEvent, EndReason};

use crate::server::{DEADLINE, Socket, World, recording};

const RECORD: &str = r#"<Response><Record action="/after-record" recordingStatusCallback="/recorded" maxLength="10" timeout="3" playBeep="true" trim="trim-silence"/></Response>"#;

async fn world(voice: &str, change: impl FnOnce(&mut CarrierOptions)) -> World {
    let documents = [("/voice", voice), ("/after-record", "<Response/>")];
    World::start(&documents, Socket::Listens, change).await
}

/// What the action was told.
async fn recorded(change: impl FnOnce(&mut CarrierOptions)) -> BTreeMap<String, String> {
    let world = world(RECORD, change).await;
    world.play(&recording("listen", "none", 1)).await;
    world.assert_no_violations();
    let status = &world.requests("/recorded")[0];
    let action = world.requests("/after-record").remove(0);
    assert_eq!(status["RecordingStatus"], "completed");
    for name in [
        "RecordingSid",
        "RecordingUrl",
        "RecordingDuration",
        "CallSid",
    ] {
        assert_eq!(status[name], action[name], "{name}");
    }
    action
}

#[tokio::test]
async fn silence_a_key_and_the_longest_length_end_a_recording() {
    for (speaks, key, seconds, digits) in [
        (4, None, "4", ""),
        (4, Some('#'), "4", "#"),
        (60, None, "10", ""),
    ] {
        let action = recorded(|options| {
            options.caller_speaks_for = Duration::from_secs(speaks);
            options.caller_presses = key;
        })
        .await;
        assert_eq!(
            (&*action["RecordingDuration"], &*action["Digits"]),
            (seconds, digits)
        );
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_has_left_their_message() {
    let fork = r#"<Response><Start><Stream url="wss://bridge.example.com/media/t1"/></Start>"#;
    let document = RECORD
        .replace("<Response>", fork)
        .replace(r#" maxLength="10""#, "");
    let world = world(&document, |options| {
        options.caller_speaks_for = Duration::from_secs(500);
        options.after_recording = AfterRecording::HangUp;
    })
    .await;
    let call = world.place(&recording("listen", "none", 10));

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::CallerHungUp);

    world.assert_no_violations();
    let action = &world.requests("/after-record")[0];
    assert_eq!(
        (&*action["Digits"], &*action["CallStatus"]),
        ("hangup", "completed")
    );
    assert_eq!(world.requests("/recorded").len(), 1);
}

#[tokio::test]
async fn a_caller_who_says_nothing_is_not_recorded() {
    let world = world(
        r#"<Response><Record action="/after-record"/><Say>Goodbye.</Say></Response>"#,
        |options| options.caller_speaks_for = Duration::ZERO,
    )
    .await;

    let call = world.play(&recording("listen", "none", 1)).await;

    world.assert_no_violations();
    assert!(world.requests("/after-record").is_empty());
    assert!(call.events().contains(&CarrierEvent::SpokenToCaller {
        text: "Goodbye.".into()
    }));
}

#[tokio::test]
async fn without_an_action_the_document_is_asked_for_again() {
    let world = world("<Response><Record/></Response>", |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));
    let asked = |path: &str| path == "/voice";
    world
        .seen(|seen| seen.requests.iter().filter(|(path, _)| asked(path)).count() > 1)
        .await;

    world.carrier.hang_up(&call).await;

    call.ended(DEADLINE).await.unwrap();
    world.assert_no_violations();
    assert!(world.requests("/voice")[1]["RecordingSid"].starts_with("RE"));
}
