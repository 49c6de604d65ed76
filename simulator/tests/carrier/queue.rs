//! Queues and workflows: waiting, being taken, leaving.

use std::time::Duration;

use handoff_simulator::carrier::twilio::{AfterRecording, CarrierOptions};
use handoff_simulator::carrier::{CarrierEvent, EndReason, Human, Speed};

use crate::server::{DEADLINE, Socket, World, names, recording};

const ENQUEUE: &str =
    r#"<Response><Enqueue action="/after-queue" waitUrl="/wait">support</Enqueue></Response>"#;
const WORKFLOW: &str = r#"<Response><Enqueue action="/after-queue" workflowSid="WW00000000000000000000000000000001"><Task priority="5" timeout="300">{"intent":"billing"}</Task></Enqueue></Response>"#;
const WAIT: &str = "<Response><Say>Please hold.</Say><Play>/music.mp3</Play></Response>";
const BYE: &str = "<Response><Say>Back again.</Say></Response>";

async fn world(voice: &str, wait: &str, change: impl FnOnce(&mut CarrierOptions)) -> World {
    let documents = [
        ("/voice", voice),
        ("/wait", wait),
        ("/choice", "<Response><Leave/></Response>"),
        ("/after-queue", BYE),
    ];
    World::start(&documents, Socket::Listens, |options| {
        options.after_recording = AfterRecording::WaitForHandoff { grace: DEADLINE };
        options.human = Some(Human::NoAnswer);
        change(options);
    })
    .await
}

fn taken_after(seconds: u64) -> Human {
    Human::Answers {
        after: Duration::from_secs(seconds),
        talks_for: Duration::from_secs(4),
        presses: None,
    }
}

fn queue_events(events: &[CarrierEvent]) -> Vec<String> {
    names(events)
        .into_iter()
        .filter(|name| name.starts_with("queue_") || name.starts_with("leg_"))
        .collect()
}

#[tokio::test]
async fn a_human_takes_the_caller_from_the_queue() {
    let world = world(ENQUEUE, WAIT, |options| {
        options
            .humans
            .insert("queue:support".into(), taken_after(30));
    })
    .await;

    let call = world.place(&recording("listen", "none", 1));
    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );

    world.assert_no_violations();
    assert_eq!(
        queue_events(&call.events()),
        [
            "queue_entered",
            "queue_left",
            "leg_bridged",
            "leg_completed"
        ]
    );
    let waits = world.requests("/wait");
    assert!(waits.len() > 3, "the wait document is asked for again");
    assert_eq!(
        [
            "QueuePosition",
            "CurrentQueueSize",
            "MaxQueueSize",
            "QueueTime",
            "AvgQueueTime"
        ]
        .map(|name| waits[0][name].as_str()),
        ["1", "1", "100", "0", "0"]
    );
    assert!(waits[3]["QueueTime"].parse::<u32>().unwrap() > 0);
    let action = &world.requests("/after-queue")[0];
    assert_eq!(action["QueueResult"], "bridged");
    assert_eq!(action["QueueSid"], waits[0]["QueueSid"]);
    let waited: u32 = action["QueueTime"].parse().unwrap();
    assert!((30..60).contains(&waited), "{waited}");
    let music = CarrierEvent::HoldMusic {
        source: "https://bridge.example.com/music.mp3".into(),
    };
    assert!(call.events().contains(&music));
}

#[tokio::test]
async fn a_workflow_is_told_the_attributes_and_twilio_plays_its_music() {
    let world = world(WORKFLOW, WAIT, |options| {
        let workflow = "workflow:WW00000000000000000000000000000001";
        options.humans.insert(workflow.into(), taken_after(2));
    })
    .await;

    let call = world.play(&recording("listen", "none", 1)).await;

    world.assert_no_violations();
    assert_eq!(world.requests("/after-queue")[0]["QueueResult"], "bridged");
    let entered = |event: &CarrierEvent| {
        matches!(event, CarrierEvent::QueueEntered { queue, attributes, .. }
            if queue == "WW00000000000000000000000000000001"
                && attributes.as_deref() == Some(r#"{"intent":"billing"}"#))
    };
    assert!(call.events().iter().any(entered));
    let music = CarrierEvent::HoldMusic {
        source: "default".into(),
    };
    assert!(call.events().contains(&music));
}

#[tokio::test]
async fn a_queue_ends_as_its_wait_document_says() {
    let choice = r#"<Response><Gather numDigits="1" action="/choice"><Say>Press 9 to leave.</Say></Gather></Response>"#;
    for (wait, result, end) in [
        (
            "<Response><Say>Sorry.</Say><Leave/></Response>",
            "leave",
            EndReason::DocumentRanOut,
        ),
        (choice, "leave", EndReason::DocumentRanOut),
        (
            "<Response><Hangup/></Response>",
            "hangup",
            EndReason::HungUp,
        ),
    ] {
        let world = world(ENQUEUE, wait, |options| options.caller_presses = Some('9')).await;
        let call = world.place(&recording("listen", "none", 1));

        assert_eq!(call.ended(DEADLINE).await.unwrap(), end, "{wait}");

        world.assert_no_violations();
        assert_eq!(world.requests("/after-queue")[0]["QueueResult"], result);
    }
}

#[tokio::test]
async fn a_full_queue_takes_nobody() {
    let world = world(ENQUEUE, WAIT, |options| options.queue_full = true).await;

    let call = world.play(&recording("listen", "none", 1)).await;

    world.assert_no_violations();
    assert_eq!(
        world.requests("/after-queue")[0]["QueueResult"],
        "queue-full"
    );
    assert!(queue_events(&call.events()).is_empty());
}

#[tokio::test]
async fn a_wait_document_that_cannot_be_had_is_an_error() {
    let document = ENQUEUE.replace("/wait", "/nowhere");
    let world = world(&document, WAIT, |_| {}).await;

    world.play(&recording("listen", "none", 1)).await;

    world.assert_violation("answered 204 where a document was asked for");
    assert_eq!(world.requests("/after-queue")[0]["QueueResult"], "error");
}

#[tokio::test]
async fn a_rewrite_takes_the_caller_out_of_the_queue() {
    let world = world(ENQUEUE, WAIT, |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));
    world
        .seen(|seen| seen.requests.iter().any(|(path, _)| path == "/wait"))
        .await;

    let (status, _) = world
        .update(
            &call,
            &[("Twiml", "<Response><Say>We call you back.</Say></Response>")],
        )
        .await;

    assert_eq!(status, 200);
    call.ended(DEADLINE).await.unwrap();
    world.assert_no_violations();
    assert_eq!(
        world.requests("/after-queue")[0]["QueueResult"],
        "redirected"
    );
    let spoken = |text: &str| CarrierEvent::SpokenToCaller { text: text.into() };
    assert!(call.events().contains(&spoken("We call you back.")));
    assert!(!call.events().contains(&spoken("Back again.")));
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_the_queue() {
    let world = world(ENQUEUE, WAIT, |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));
    world
        .seen(|seen| seen.requests.iter().any(|(path, _)| path == "/wait"))
        .await;

    world.carrier.hang_up(&call).await;

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::CallerHungUp);
    world.assert_no_violations();
    let action = &world.requests("/after-queue")[0];
    assert_eq!(
        (&*action["QueueResult"], &*action["CallStatus"]),
        ("hangup", "completed")
    );
}

#[tokio::test]
async fn a_wait_document_with_another_verb_is_a_violation() {
    let wait = "<Response><Dial>+15550100042</Dial><Leave/></Response>";
    let world = world(ENQUEUE, wait, |_| {}).await;
    world.play(&recording("listen", "none", 1)).await;
    world.assert_violation("a queue's wait document takes");
}

#[tokio::test]
async fn leaving_outside_of_a_queue_is_a_violation() {
    let world = world("<Response><Leave/></Response>", WAIT, |_| {}).await;
    world.play(&recording("listen", "none", 1)).await;
    world.assert_violation("<Leave> belongs in the wait document");
}

#[tokio::test]
async fn a_rewrite_takes_the_caller_away_from_the_human_of_the_queue() {
    let human = taken_after(1);
    let world = world(ENQUEUE, WAIT, |options| {
        options.speed = Speed::Times(5.0);
        options.humans.insert("queue:support".into(), human);
    })
    .await;
    let call = world.place(&recording("listen", "none", 1));
    let bridged = |event: &CarrierEvent| matches!(event, CarrierEvent::LegBridged { .. });
    call.wait_for(bridged, DEADLINE).await.unwrap();

    world.update(&call, &[("Twiml", "<Response/>")]).await;

    call.ended(DEADLINE).await.unwrap();
    world.assert_no_violations();
    assert_eq!(
        world.requests("/after-queue")[0]["QueueResult"],
        "redirected-from-bridged"
    );
}
