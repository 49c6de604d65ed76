//! Callbacks that come twice or out of order.

use handoff_simulator::carrier::CarrierEvent;

use crate::server::{Socket, World, recording};

const DIAL: &str = r#"<Response><Dial action="/after-dial"><Number url="/whisper" statusCallback="/leg" statusCallbackEvent="initiated ringing answered completed">+15550100042</Number></Dial></Response>"#;
const WHISPER: &str = r#"<Response><Gather numDigits="1" action="/accept"><Say>Press 1.</Say></Gather><Hangup/></Response>"#;

#[tokio::test]
async fn every_callback_and_action_can_come_twice() {
    let documents = [
        ("/voice", DIAL),
        ("/whisper", WHISPER),
        ("/accept", "<Response/>"),
        ("/after-dial", "<Response><Say>Goodbye.</Say></Response>"),
    ];
    let world = World::start(&documents, Socket::Listens, |options| {
        options.duplicate_callbacks = true;
        options.call_status_path = Some("/status".into());
    })
    .await;

    let call = world.play(&recording("listen", "answers", 1)).await;

    world.assert_no_violations();
    for (path, times) in [
        ("/voice", 1),
        ("/whisper", 1),
        ("/accept", 2),
        ("/leg", 8),
        ("/after-dial", 2),
        ("/status", 2),
    ] {
        assert_eq!(world.requests(path).len(), times, "{path}");
    }
    let legs = world.requests("/leg");
    assert!(legs.chunks(2).all(|pair| pair[0] == pair[1]));
    let goodbye = |event: &&CarrierEvent| matches!(event, CarrierEvent::SpokenToCaller { .. });
    assert_eq!(call.events().iter().filter(goodbye).count(), 1);
}

#[tokio::test]
async fn an_action_that_answers_otherwise_the_second_time_is_a_violation() {
    let documents = [
        (
            "/voice",
            r#"<Response><Dial action="/after-dial">+15550100042</Dial></Response>"#,
        ),
        (
            "/after-dial",
            "<Response><Say>Number COUNT.</Say></Response>",
        ),
    ];
    let world = World::start(&documents, Socket::Listens, |options| {
        options.duplicate_callbacks = true;
    })
    .await;

    world.play(&recording("listen", "busy", 1)).await;

    world.assert_violation("asked twice for one call, gave different documents");
}

#[tokio::test]
async fn the_ringing_of_a_leg_can_come_after_what_follows_it() {
    for (human, expected) in [
        (
            "answers",
            ["initiated", "in-progress", "ringing", "completed"].as_slice(),
        ),
        ("no_answer", &["initiated", "no-answer", "ringing"]),
    ] {
        let documents = [
            ("/voice", DIAL),
            ("/whisper", "<Response/>"),
            ("/after-dial", "<Response/>"),
        ];
        let world = World::start(&documents, Socket::Listens, |options| {
            options.shuffle_leg_callbacks = true;
        })
        .await;

        world.play(&recording("listen", human, 1)).await;

        world.assert_no_violations();
        let legs = world.requests("/leg");
        let statuses: Vec<_> = legs.iter().map(|leg| &*leg["CallStatus"]).collect();
        assert_eq!(statuses, expected);
        let ringing = legs
            .iter()
            .find(|leg| leg["CallStatus"] == "ringing")
            .unwrap();
        assert_eq!(ringing["SequenceNumber"], "1");
    }
}
