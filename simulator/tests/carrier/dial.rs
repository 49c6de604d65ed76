//! Ringing a human: answered, not answered, busy, whispered to, and when the server is dead.

use handoff_simulator::carrier::{CarrierEvent, EndReason, Human, LegStatus};

use crate::server::{DEADLINE, Socket, World, names, recording};

const DIAL: &str = r#"<Response><Say>One moment.</Say><Dial timeout="25" action="/after-dial">
  <Number statusCallback="https://bridge.example.com/leg" statusCallbackEvent="initiated ringing answered completed">+15550100042</Number>
</Dial></Response>"#;
const HANG_UP: &str = "<Response><Hangup/></Response>";

fn leg_events(events: &[CarrierEvent]) -> Vec<String> {
    names(events)
        .into_iter()
        .filter(|name| name.starts_with("leg_"))
        .collect()
}

#[tokio::test]
async fn a_human_who_answers_talks_and_the_action_is_told() {
    let world = World::start(
        &[("/voice", DIAL), ("/after-dial", HANG_UP)],
        Socket::Listens,
        |_| {},
    )
    .await;
    let call = world.place(&recording("listen", "answers", 1));

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::HungUp);

    world.assert_no_violations();
    assert_eq!(
        leg_events(&call.events()),
        [
            "leg_initiated",
            "leg_ringing",
            "leg_answered",
            "leg_bridged",
            "leg_completed"
        ]
    );
    let action = &world.requests("/after-dial")[0];
    assert_eq!(
        [
            &action["DialCallStatus"],
            &action["DialBridged"],
            &action["FromCity"]
        ],
        ["completed", "true", "MÜNCHEN"]
    );
    assert!(action["DialCallDuration"].parse::<u32>().unwrap() >= 3);
    let progress = world.requests("/leg");
    let progress: Vec<_> = progress
        .iter()
        .map(|leg| (&*leg["SequenceNumber"], &*leg["CallStatus"]))
        .collect();
    assert_eq!(
        progress,
        [
            ("0", "initiated"),
            ("1", "ringing"),
            ("2", "in-progress"),
            ("3", "completed")
        ]
    );
    assert_eq!(world.requests("/leg")[0]["ParentCallSid"], call.call_sid());
}

#[tokio::test]
async fn a_human_who_does_not_answer_rings_five_seconds_beyond_the_timeout() {
    let world = World::start(
        &[("/voice", DIAL), ("/after-dial", HANG_UP)],
        Socket::Listens,
        |_| {},
    )
    .await;
    let call = world.place(&recording("listen", "no_answer", 1));

    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    let action = &world.requests("/after-dial")[0];
    assert_eq!(
        (&*action["DialCallStatus"], &*action["DialBridged"]),
        ("no-answer", "false")
    );
    assert!(!action.contains_key("DialCallDuration"));
    let since = |wanted: fn(&CarrierEvent) -> bool| {
        world
            .carrier
            .log()
            .since(0)
            .iter()
            .find(|logged| wanted(&logged.event))
            .unwrap()
            .at_ms
    };
    let ringing = since(|event| matches!(event, CarrierEvent::LegRinging { .. }));
    let completed = since(|event| matches!(event, CarrierEvent::LegCompleted { .. }));
    assert!(
        completed - ringing >= 600,
        "30 s at 50 times the speed took {} ms",
        completed - ringing
    );
}

#[tokio::test]
async fn without_an_action_the_next_verb_follows_the_dial() {
    let document = r#"<Response><Dial><Number>+15550100042</Number></Dial><Say>Nobody is there.</Say></Response>"#;
    let world = World::start(&[("/voice", document)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "busy", 1));

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );

    world.assert_no_violations();
    assert!(call.events().contains(&CarrierEvent::SpokenToCaller {
        text: "Nobody is there.".into()
    }));
    let busy = |event: &CarrierEvent| {
        matches!(
            event,
            CarrierEvent::LegCompleted {
                status: LegStatus::Busy,
                ..
            }
        )
    };
    assert!(call.events().iter().any(busy));
}

#[tokio::test]
async fn a_human_who_hangs_up_in_the_whisper_is_completed_but_not_bridged() {
    let dial = r#"<Response><Dial action="/after-dial"><Number url="/whisper">+15550100042</Number></Dial></Response>"#;
    let whisper = r#"<Response><Gather numDigits="1" action="/accept"><Say>Press 1.</Say></Gather><Hangup/></Response>"#;
    let documents = [
        ("/voice", dial),
        ("/whisper", whisper),
        ("/accept", "<Response/>"),
        ("/after-dial", HANG_UP),
    ];
    let human = Human::HangsUpInWhisper {
        after: std::time::Duration::from_secs(1),
    };
    let world = World::start(&documents, Socket::Listens, |options| {
        options.human = Some(human)
    })
    .await;
    let call = world.place(&recording("listen", "answers", 1));

    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    let action = &world.requests("/after-dial")[0];
    assert_eq!(
        (&*action["DialCallStatus"], &*action["DialBridged"]),
        ("completed", "false")
    );
    assert!(world.requests("/accept").is_empty());
}

#[tokio::test]
async fn a_human_who_presses_the_key_is_bridged() {
    let dial = r#"<Response><Dial action="/after-dial"><Number url="/whisper">+15550100042</Number></Dial></Response>"#;
    let whisper = r#"<Response><Gather numDigits="1" action="/accept"><Say>Press 1.</Say></Gather><Hangup/></Response>"#;
    let documents = [
        ("/voice", dial),
        ("/whisper", whisper),
        ("/accept", "<Response/>"),
        ("/after-dial", HANG_UP),
    ];
    let world = World::start(&documents, Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "answers", 1));

    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    assert_eq!(world.requests("/accept")[0]["Digits"], "1");
    assert_eq!(world.requests("/after-dial")[0]["DialBridged"], "true");
    assert!(call.events().contains(&CarrierEvent::SpokenToHuman {
        text: "Press 1.".into()
    }));
}

#[tokio::test]
async fn a_caller_id_that_is_not_the_accounts_is_a_violation_and_fails_the_leg() {
    let dial = r#"<Response><Dial callerId="+15550199999" action="/after-dial"><Number>+15550100042</Number></Dial></Response>"#;
    let world = World::start(
        &[("/voice", dial), ("/after-dial", HANG_UP)],
        Socket::Listens,
        |_| {},
    )
    .await;
    let call = world.place(&recording("listen", "answers", 1));

    call.ended(DEADLINE).await.unwrap();

    assert_eq!(world.requests("/after-dial")[0]["DialCallStatus"], "failed");
    assert_eq!(world.carrier.violations().len(), 1);
    assert!(world.carrier.violations()[0].contains("13214"));
}

#[tokio::test]
async fn a_caller_may_be_put_through_under_the_called_their_own_or_an_owned_number() {
    for caller_id in ["+15550100001", "+15550100002", "+15550100009"] {
        let dial = format!(
            r#"<Response><Dial callerId="{caller_id}"><Number>+15550100042</Number></Dial></Response>"#
        );
        let own = |options: &mut handoff_simulator::carrier::twilio::CarrierOptions| {
            options.owned_numbers = vec!["+15550100009".into()];
        };
        let world = World::start(&[("/voice", &dial)], Socket::Listens, own).await;
        let call = world.place(&recording("listen", "busy", 1));
        call.ended(DEADLINE).await.unwrap();
        world.assert_no_violations();
    }
}

#[tokio::test]
async fn when_the_server_dies_the_tail_after_connect_rings_a_human() {
    let tail = r#"<Response><Connect><Stream url="wss://bridge.example.com/media/t1"/></Connect>
      <Dial timeout="20"><Number>+15550100042</Number></Dial><Say>Sorry.</Say></Response>"#;
    let world = World::start(&[("/voice", tail)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("converse", "answers", 20));
    world
        .seen(|seen| seen.sockets.first().is_some_and(|socket| socket.len() > 5))
        .await;

    world.kill();

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );
    let course = names(&call.events())
        .into_iter()
        .filter(|name| ["stream_closed", "leg_bridged"].contains(&name.as_str()));
    assert_eq!(course.collect::<Vec<_>>(), ["stream_closed", "leg_bridged"]);
    world.assert_no_violations();
}

#[tokio::test]
async fn a_dead_server_at_the_dials_end_costs_the_call_only_after_the_human() {
    let world = World::start(&[("/voice", DIAL)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "answers", 1));
    call.wait_for(
        |event| matches!(event, CarrierEvent::LegInitiated { .. }),
        DEADLINE,
    )
    .await
    .unwrap();

    world.kill();

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::ApplicationError
    );
    assert!(names(&call.events()).contains(&"leg_bridged".into()));
}

#[tokio::test]
async fn a_voice_webhook_that_nobody_answers_ends_the_call_with_an_application_error() {
    let world = World::start(&[], Socket::Listens, |options| {
        options.connect = "127.0.0.1:1".parse().unwrap()
    })
    .await;
    let call = world.place(&recording("listen", "answers", 1));

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::ApplicationError
    );
    assert!(names(&call.events()).contains(&"webhook_failed".into()));
}

#[tokio::test]
async fn a_caller_presses_the_key_that_a_document_asks_for() {
    let documents = [
        (
            "/voice",
            r#"<Response><Gather numDigits="1" action="/choice"><Say>Press 2 for a message.</Say></Gather><Say>Nothing.</Say></Response>"#,
        ),
        ("/choice", "<Response><Say>Speak now.</Say></Response>"),
    ];
    let world = World::start(&documents, Socket::Listens, |options| {
        options.caller_presses = Some('2');
    })
    .await;

    let call = world.play(&recording("listen", "none", 1)).await;

    world.assert_no_violations();
    assert_eq!(world.requests("/choice")[0]["Digits"], "2");
    let spoken = |text: &str| CarrierEvent::SpokenToCaller { text: text.into() };
    assert!(call.events().contains(&spoken("Speak now.")));
    assert!(!call.events().contains(&spoken("Nothing.")));
}
