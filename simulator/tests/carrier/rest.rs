//! The REST API: live-call updates, refusals and planned faults.

use std::time::Duration;

use handoff_simulator::carrier::twilio::{AfterRecording, CarrierOptions, FaultKind, RestFault};
use handoff_simulator::carrier::{CarrierEvent, EndReason, LegStatus};

use crate::server::{ACCOUNT, DEADLINE, Socket, TOKEN, World, names, recording};

const CONNECT: &str = r#"<Response><Connect><Stream url="wss://bridge.example.com/media/t1"/></Connect><Hangup/></Response>"#;
const LISTEN: &str = r#"<Response><Start><Stream url="wss://bridge.example.com/media/t1" track="both_tracks"/></Start>
  <Redirect>https://bot.example.com/voice</Redirect></Response>"#;
const HANDOFF: &str = r#"<Response><Dial timeout="25" action="https://bridge.example.com/after-dial"><Number>+15550100042</Number></Dial></Response>"#;
const HANG_UP: (&str, &str) = ("/after-dial", "<Response><Hangup/></Response>");

/// A world whose caller outlasts every request of a test, on a busy machine too.
async fn patient_world(
    documents: &[(&'static str, &str)],
    change: impl FnOnce(&mut CarrierOptions),
) -> World {
    World::start(documents, Socket::Listens, |options| {
        options.after_recording = AfterRecording::WaitForHandoff { grace: DEADLINE };
        change(options);
    })
    .await
}

fn is_streaming(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::StreamOpened { .. })
}

fn kinds(events: &[CarrierEvent], wanted: &[&str]) -> Vec<String> {
    names(events)
        .into_iter()
        .filter(|name| wanted.contains(&name.as_str()))
        .collect()
}

#[tokio::test]
async fn a_rewrite_ends_a_bidirectional_stream_with_stop_and_rings_the_human() {
    let world = patient_world(&[("/voice", CONNECT), HANG_UP], |_| {}).await;
    let call = world.place(&recording("converse", "answers", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();
    world
        .seen(|seen| seen.sockets.first().is_some_and(|socket| socket.len() > 5))
        .await;

    let (status, body) = world.update(&call, &[("Twiml", HANDOFF)]).await;

    assert_eq!((status, &body["status"]), (200, &"in-progress".into()));
    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::HungUp);
    world.assert_no_violations();
    let course = kinds(
        &call.events(),
        &[
            "call_rewritten",
            "stream_closed",
            "leg_initiated",
            "leg_bridged",
        ],
    );
    assert_eq!(
        course,
        [
            "call_rewritten",
            "stream_closed",
            "leg_initiated",
            "leg_bridged"
        ]
    );
    assert_eq!(world.sockets()[0].last().unwrap()["event"], "stop");
}

#[tokio::test]
async fn a_rewrite_leaves_a_fork_running_until_the_call_ends() {
    let world = patient_world(&[("/voice", LISTEN), HANG_UP], |_| {}).await;
    let call = world.place(&recording("listen", "answers", 20));
    world
        .seen(|seen| seen.sockets.first().is_some_and(|socket| socket.len() > 5))
        .await;

    world.update(&call, &[("Twiml", HANDOFF)]).await;

    call.ended(DEADLINE).await.unwrap();
    world.assert_no_violations();
    let course = kinds(
        &call.events(),
        &[
            "leg_bridged",
            "leg_completed",
            "call_ended",
            "stream_closed",
        ],
    );
    assert_eq!(
        course,
        [
            "leg_bridged",
            "leg_completed",
            "call_ended",
            "stream_closed"
        ]
    );
}

#[tokio::test]
async fn a_rewrite_during_a_dial_hangs_up_the_human_and_asks_for_action_and_document() {
    let ringing = [
        ("/voice", HANDOFF),
        HANG_UP,
        ("/next", "<Response><Say>Back again.</Say></Response>"),
    ];
    let world = patient_world(&ringing, |options| {
        options.speed = handoff_simulator::carrier::Speed::Times(1.0)
    })
    .await;
    let call = world.place(&recording("listen", "answers", 20));
    call.wait_for(
        |event| matches!(event, CarrierEvent::LegBridged { .. }),
        DEADLINE,
    )
    .await
    .unwrap();

    let (status, _) = world
        .update(&call, &[("Url", "https://bridge.example.com/next")])
        .await;

    assert_eq!(status, 200);
    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );
    world.assert_no_violations();
    assert_eq!(
        world.requests("/after-dial")[0]["DialCallStatus"],
        "completed"
    );
    assert_eq!(world.requests("/next").len(), 1);
    assert!(call.events().contains(&CarrierEvent::SpokenToCaller {
        text: "Back again.".into()
    }));
    let completed = |event: &CarrierEvent| {
        matches!(
            event,
            CarrierEvent::LegCompleted {
                status: LegStatus::Completed,
                ..
            }
        )
    };
    assert!(call.events().iter().any(completed));
}

#[tokio::test]
async fn a_call_can_be_completed_and_then_takes_no_update() {
    let world = patient_world(&[("/voice", CONNECT)], |_| {}).await;
    let call = world.place(&recording("converse", "none", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();

    world.update(&call, &[("Status", "completed")]).await;

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::CompletedByRest
    );
    let (status, body) = world.update(&call, &[("Twiml", HANDOFF)]).await;
    assert_eq!((status, &body["code"]), (400, &21220.into()));
    world.assert_no_violations();
}

#[tokio::test]
async fn updates_that_twilio_refuses_are_refused_and_noted() {
    let world = patient_world(&[("/voice", CONNECT)], |options| {
        options.api_key = Some(("SK1".into(), "secret".into()));
    })
    .await;
    let call = world.place(&recording("converse", "none", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();
    let long = format!("<Response><!--{}--></Response>", "x".repeat(4000));

    for (form, user, password, expected) in [
        (&[("Twiml", HANDOFF)][..], ACCOUNT, "wrong", (401, 20003)),
        (&[("Twiml", HANDOFF)][..], "SK1", TOKEN, (401, 20003)),
        (
            &[("Twiml", long.as_str())][..],
            "SK1",
            "secret",
            (400, 32018),
        ),
        (
            &[("Twiml", HANDOFF), ("Url", "https://bridge.example.com/x")][..],
            ACCOUNT,
            TOKEN,
            (400, 20001),
        ),
        (&[][..], ACCOUNT, TOKEN, (400, 20001)),
    ] {
        let violations = world.carrier.violations().len();
        let (status, body) = world.update_as(&call, form, user, password).await;
        assert_eq!((status, body["code"].as_u64().unwrap()), expected);
        assert_eq!(world.carrier.violations().len(), violations + 1, "{form:?}");
    }
    assert!(!names(&call.events()).contains(&"call_rewritten".into()));
}

#[tokio::test]
async fn planned_faults_come_in_order_and_then_the_update_works() {
    let fault = |kind, times| RestFault { kind, times };
    let world = patient_world(&[("/voice", CONNECT), HANG_UP], |options| {
        options.rest_faults = vec![
            fault(
                FaultKind::TooManyRequests {
                    retry_after: Some(1),
                },
                2,
            ),
            fault(FaultKind::ServerError(503), 1),
            fault(FaultKind::CutBeforeActing, 1),
        ];
    })
    .await;
    let call = world.place(&recording("converse", "answers", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();

    for expected in [429, 429, 503] {
        assert_eq!(world.update(&call, &[("Twiml", HANDOFF)]).await.0, expected);
    }
    let url = format!(
        "{}/2010-04-01/Accounts/{ACCOUNT}/Calls/{}.json",
        world.carrier.base_url(),
        call.call_sid()
    );
    let request = reqwest::Client::new()
        .post(url)
        .basic_auth(ACCOUNT, Some(TOKEN))
        .form(&[("Twiml", HANDOFF)]);
    assert!(request.send().await.is_err(), "the connection is cut");
    assert!(!names(&call.events()).contains(&"call_rewritten".into()));

    assert_eq!(world.update(&call, &[("Twiml", HANDOFF)]).await.0, 200);
    call.ended(DEADLINE).await.unwrap();
    world.assert_no_violations();
}

#[tokio::test]
async fn an_update_can_be_accepted_and_never_carried_out() {
    let world = patient_world(&[("/voice", CONNECT), HANG_UP], |options| {
        options.rest_faults = vec![RestFault {
            kind: FaultKind::AcceptWithoutActing,
            times: 1,
        }];
    })
    .await;
    let call = world.place(&recording("converse", "answers", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();

    assert_eq!(world.update(&call, &[("Twiml", HANDOFF)]).await.0, 200);

    assert!(!names(&call.events()).contains(&"call_rewritten".into()));
    assert_eq!(world.update(&call, &[("Twiml", HANDOFF)]).await.0, 200);
    call.ended(DEADLINE).await.unwrap();
    world.assert_no_violations();
}

#[tokio::test]
async fn an_update_that_was_carried_out_without_an_answer_may_not_be_repeated() {
    for kind in [FaultKind::HangAfterActing, FaultKind::CutAfterActing] {
        let world = patient_world(&[("/voice", CONNECT), HANG_UP], |options| {
            options.rest_faults = vec![RestFault { kind, times: 1 }];
        })
        .await;
        let call = world.place(&recording("converse", "no_answer", 20));
        call.wait_for(is_streaming, DEADLINE).await.unwrap();
        let url = format!(
            "{}/2010-04-01/Accounts/{ACCOUNT}/Calls/{}.json",
            world.carrier.base_url(),
            call.call_sid()
        );
        let client = reqwest::Client::builder()
            .timeout(Duration::from_millis(200))
            .build()
            .unwrap();

        let unanswered = client
            .post(&url)
            .basic_auth(ACCOUNT, Some(TOKEN))
            .form(&[("Twiml", HANDOFF)])
            .send()
            .await;

        assert!(unanswered.is_err());
        call.wait_for(
            |event| matches!(event, CarrierEvent::LegInitiated { .. }),
            DEADLINE,
        )
        .await
        .unwrap();
        world.assert_no_violations();
        world.update(&call, &[("Twiml", HANDOFF)]).await;
        assert!(
            world
                .carrier
                .violations()
                .iter()
                .any(|violation| violation.contains("second time"))
        );
    }
}

#[tokio::test]
async fn two_updates_with_one_document_at_a_time_are_a_violation() {
    let world = patient_world(&[("/voice", CONNECT), HANG_UP], |options| {
        options.rest_faults = vec![RestFault {
            kind: FaultKind::Delay(Duration::from_millis(500)),
            times: 2,
        }];
    })
    .await;
    let call = world.place(&recording("converse", "answers", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();

    tokio::join!(
        world.update(&call, &[("Twiml", HANDOFF)]),
        world.update(&call, &[("Twiml", HANDOFF)])
    );

    assert!(
        world
            .carrier
            .violations()
            .iter()
            .any(|violation| violation.contains("in flight at once"))
    );
}

#[tokio::test]
async fn an_unknown_call_is_not_found_and_a_known_one_can_be_read() {
    let world = patient_world(&[("/voice", CONNECT)], |_| {}).await;
    let call = world.place(&recording("converse", "none", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();
    let client = reqwest::Client::new();
    let read = |sid: String| {
        let url = format!(
            "{}/2010-04-01/Accounts/{ACCOUNT}/Calls/{sid}",
            world.carrier.base_url()
        );
        client.get(url).basic_auth(ACCOUNT, Some(TOKEN)).send()
    };

    let known: serde_json::Value = read(format!("{}.json", call.call_sid()))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let notifications = read(format!("{}/Notifications.json", call.call_sid()))
        .await
        .unwrap();
    let unknown = read("CA99999999999999999999999999999999.json".into())
        .await
        .unwrap();

    assert_eq!(
        (&known["status"], &known["from"]),
        (&"in-progress".into(), &"+15550100001".into())
    );
    assert_eq!(notifications.status(), 200);
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn a_fork_can_be_stopped_by_its_id_and_the_call_goes_on() {
    let world = patient_world(&[("/voice", LISTEN)], |_| {}).await;
    let call = world.place(&recording("listen", "none", 20));
    world
        .seen(|seen| seen.sockets.first().is_some_and(|socket| socket.len() > 5))
        .await;
    let sid = world.sockets()[0][1]["streamSid"]
        .as_str()
        .unwrap()
        .to_owned();
    let base = world.carrier.base_url();
    let url = format!(
        "{base}/2010-04-01/Accounts/{ACCOUNT}/Calls/{}/Streams/{sid}.json",
        call.call_sid()
    );

    let request = reqwest::Client::new()
        .post(url)
        .basic_auth(ACCOUNT, Some(TOKEN));
    let response = request.form(&[("Status", "stopped")]).send().await.unwrap();

    assert_eq!(response.status(), 200);
    world
        .seen(|seen| seen.sockets[0].last().unwrap()["event"] == "stop")
        .await;
    world.update(&call, &[("Status", "completed")]).await;
    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::CompletedByRest
    );
    world.assert_no_violations();
}
