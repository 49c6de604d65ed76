//! Conferences: the caller waits with music while a human is called over REST and briefed, then both talk.

use std::time::Duration;

use handoff_simulator::carrier::twilio::{
    AfterRecording, CarrierOptions, FaultKind, PlacedCall, RestFault,
};
use handoff_simulator::carrier::{CarrierEvent, EndReason, Human, LegStatus};
use serde_json::Value;

use crate::server::{DEADLINE, Socket, World, names, recording};

const CALLER: &str = r#"<Response><Dial action="/after-dial"><Conference participantLabel="caller" beep="false" statusCallback="/room" statusCallbackEvent="start end join leave">h1</Conference></Dial></Response>"#;
const HUMAN: &str = r#"<Response><Gather numDigits="1" action="https://bridge.example.com/join"><Say>Ann, about a refund.</Say></Gather><Hangup/></Response>"#;
const JOIN: &str = r#"<Response><Dial><Conference participantLabel="human" endConferenceOnExit="true">h1</Conference></Dial></Response>"#;
const EVENTS: [(&str, &str); 5] = [
    ("StatusCallback", "https://bridge.example.com/leg"),
    ("StatusCallbackEvent", "initiated"),
    ("StatusCallbackEvent", "ringing"),
    ("StatusCallbackEvent", "answered"),
    ("StatusCallbackEvent", "completed"),
];

/// A caller who is in the conference, and waits.
async fn waiting(caller: &str, change: impl FnOnce(&mut CarrierOptions)) -> (World, PlacedCall) {
    let documents = [
        ("/voice", caller),
        ("/whisper", HUMAN),
        ("/join", JOIN),
        (
            "/wait",
            "<Response><Say>Soon.</Say><Play>/music.mp3</Play></Response>",
        ),
        ("/after-dial", "<Response><Say>Goodbye.</Say></Response>"),
    ];
    let world = World::start(&documents, Socket::Listens, |options| {
        options.after_recording = AfterRecording::WaitForHandoff { grace: DEADLINE };
        change(options);
    })
    .await;
    let call = world.place(&recording("listen", "none", 1));
    call.wait_for(
        |event| matches!(event, CarrierEvent::ConferenceEntered { .. }),
        DEADLINE,
    )
    .await
    .unwrap();
    (world, call)
}

/// Asks for a call to the human.
async fn create(world: &World, more: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![("To", "+15550100042"), ("From", "+15550100002")];
    form.extend(more);
    world.post("Calls.json", &form).await
}

async fn leg_ended(world: &World) -> CarrierEvent {
    let ended = |event: &CarrierEvent| matches!(event, CarrierEvent::LegCompleted { .. });
    world
        .carrier
        .wait_for(|logged| ended(&logged.event), DEADLINE)
        .await
        .unwrap()
        .event
}

fn progress(world: &World) -> Vec<(String, String)> {
    world
        .requests("/leg")
        .into_iter()
        .map(|leg| (leg["SequenceNumber"].clone(), leg["CallStatus"].clone()))
        .collect()
}

fn numbered(statuses: &[&str]) -> Vec<(String, String)> {
    let statuses = statuses.iter().enumerate();
    statuses
        .map(|(number, status)| (number.to_string(), (*status).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_briefed_human_joins_the_caller_who_heard_music_until_then() {
    let (world, call) = waiting(CALLER, |_| {}).await;

    let mut more = vec![("Twiml", HUMAN), ("Timeout", "25")];
    more.extend(EVENTS);
    let (status, body) = create(&world, &more).await;

    assert_eq!(
        (status, &body["status"], &body["direction"]),
        (201, &"queued".into(), &"outbound-api".into())
    );
    let sid = body["sid"].as_str().unwrap();
    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );
    world
        .seen(|seen| {
            seen.requests
                .iter()
                .any(|(path, leg)| path == "/leg" && leg["CallStatus"] == "completed")
        })
        .await;
    world.assert_no_violations();
    let course: Vec<_> = names(&call.events())
        .into_iter()
        .filter(|name| {
            [
                "hold_music",
                "conference_entered",
                "leg_bridged",
                "conference_left",
            ]
            .contains(&&**name)
        })
        .collect();
    assert_eq!(
        course,
        [
            "conference_entered",
            "hold_music",
            "leg_bridged",
            "conference_left"
        ]
    );
    assert!(call.events().contains(&CarrierEvent::LegBridged {
        leg_sid: sid.to_owned()
    }));
    let action = &world.requests("/after-dial")[0];
    assert_eq!(action["DialCallStatus"], "answered");
    assert!(!action.contains_key("DialCallSid") && !action.contains_key("DialCallDuration"));
    assert_eq!(
        progress(&world),
        numbered(&["initiated", "ringing", "in-progress", "completed"])
    );
    let join = &world.requests("/join")[0];
    assert_eq!(
        (&*join["CallSid"], &*join["Direction"]),
        (sid, "outbound-api")
    );
    assert!(!join.contains_key("ParentCallSid"));
    let (_, shown) = world
        .post(&format!("Calls/{sid}.json"), &[("Status", "completed")])
        .await;
    assert_eq!(shown["code"], 21220, "the human's call is over too");
}

#[tokio::test]
async fn progress_of_the_conference_is_posted_in_order() {
    let (world, call) = waiting(CALLER, |_| {}).await;
    create(&world, &[("Twiml", HUMAN)]).await;
    call.ended(DEADLINE).await.unwrap();

    world
        .seen(|seen| {
            seen.requests
                .iter()
                .filter(|(path, _)| path == "/room")
                .count()
                == 6
        })
        .await;

    let told: Vec<_> = world
        .requests("/room")
        .into_iter()
        .map(|told| {
            let label = told.get("ParticipantLabel").cloned().unwrap_or_default();
            (told["StatusCallbackEvent"].clone(), label)
        })
        .collect();
    let expected = [
        ("participant-join", "caller"),
        ("participant-join", "human"),
        ("conference-start", ""),
        ("participant-leave", "human"),
        ("conference-end", ""),
        ("participant-leave", "caller"),
    ];
    assert_eq!(
        told,
        expected.map(|(event, label)| (event.to_owned(), label.to_owned()))
    );
    world.assert_no_violations();
}

#[tokio::test]
async fn a_wait_document_is_played_over_and_over_and_silence_is_silent() {
    let conference = |attribute: &str| CALLER.replace("beep=\"false\"", attribute);
    let (world, call) = waiting(&conference(r#"waitUrl="/wait""#), |_| {}).await;
    world
        .seen(|seen| {
            seen.requests
                .iter()
                .filter(|(path, _)| path == "/wait")
                .count()
                > 2
        })
        .await;
    world.carrier.hang_up(&call).await;
    call.ended(DEADLINE).await.unwrap();
    let music = CarrierEvent::HoldMusic {
        source: "https://bridge.example.com/music.mp3".into(),
    };
    assert!(call.events().contains(&music));
    assert_eq!(world.requests("/wait")[0]["FriendlyName"], "h1");
    world.assert_no_violations();

    let (world, call) = waiting(&conference(r#"waitUrl="""#), |_| {}).await;
    world.carrier.hang_up(&call).await;
    call.ended(DEADLINE).await.unwrap();
    assert!(call.events().contains(&CarrierEvent::HoldSilence));
    assert!(!names(&call.events()).contains(&"hold_music".into()));

    let (world, call) = waiting(
        &conference(r#"waitUrl="https://music.example.net/a.mp3""#),
        |_| {},
    )
    .await;
    world.carrier.hang_up(&call).await;
    call.ended(DEADLINE).await.unwrap();
    let music = CarrierEvent::HoldMusic {
        source: "https://music.example.net/a.mp3".into(),
    };
    assert!(call.events().contains(&music));
    world.assert_no_violations();
}

#[tokio::test]
async fn a_call_that_nobody_takes_ends_as_the_human_says() {
    for (human, status, word) in [
        (Human::Busy, LegStatus::Busy, "busy"),
        (Human::Rejects, LegStatus::Busy, "busy"),
        (Human::NoAnswer, LegStatus::NoAnswer, "no-answer"),
        (Human::Unreachable, LegStatus::Failed, "failed"),
    ] {
        let (world, _) = waiting(CALLER, |options| {
            options.humans.insert("+15550100042".into(), human);
        })
        .await;
        let mut more = vec![("Twiml", HUMAN)];
        more.extend(EVENTS);

        create(&world, &more).await;

        let ended = leg_ended(&world).await;
        assert!(
            matches!(ended, CarrierEvent::LegCompleted { status: ended, bridged: false, .. } if ended == status)
        );
        world
            .seen(|seen| {
                seen.requests
                    .iter()
                    .any(|(path, leg)| path == "/leg" && leg["CallStatus"] == word)
            })
            .await;
        world.assert_no_violations();
    }
}

#[tokio::test]
async fn a_human_who_is_not_there_yet_can_be_called_off() {
    for status in ["canceled", "completed"] {
        let (world, _) = waiting(CALLER, |options| options.human = Some(Human::NoAnswer)).await;
        let mut more = vec![
            ("Url", "https://bridge.example.com/whisper"),
            ("Timeout", "600"),
        ];
        more.extend(EVENTS);
        let (_, body) = create(&world, &more).await;
        let rings = |event: &CarrierEvent| matches!(event, CarrierEvent::LegRinging { .. });
        world
            .carrier
            .wait_for(|logged| rings(&logged.event), DEADLINE)
            .await
            .unwrap();

        let resource = format!("Calls/{}.json", body["sid"].as_str().unwrap());
        let (code, _) = world.post(&resource, &[("Status", status)]).await;

        assert_eq!(code, 200);
        let ended = leg_ended(&world).await;
        assert!(matches!(
            ended,
            CarrierEvent::LegCompleted {
                status: LegStatus::Canceled,
                ..
            }
        ));
        world
            .seen(|seen| {
                seen.requests
                    .iter()
                    .filter(|(path, _)| path == "/leg")
                    .count()
                    == 3
            })
            .await;
        assert_eq!(
            progress(&world),
            numbered(&["initiated", "ringing", "canceled"])
        );
        assert!(world.requests("/whisper").is_empty());
        world.assert_no_violations();
    }
}

#[tokio::test]
async fn a_human_in_the_conference_can_be_hung_up_and_the_conference_ends() {
    let (world, call) = waiting(CALLER, |options| {
        options.human = Some(Human::Answers {
            after: Duration::from_secs(1),
            talks_for: Duration::from_secs(10_000),
            presses: Some('1'),
        });
    })
    .await;
    let (_, body) = create(&world, &[("Url", "https://bridge.example.com/whisper")]).await;
    let bridged = |event: &CarrierEvent| matches!(event, CarrierEvent::LegBridged { .. });
    call.wait_for(bridged, DEADLINE).await.unwrap();
    let resource = format!("Calls/{}.json", body["sid"].as_str().unwrap());

    let (canceled, _) = world.post(&resource, &[("Status", "canceled")]).await;
    let (completed, _) = world.post(&resource, &[("Status", "completed")]).await;

    assert_eq!((canceled, completed), (400, 200));
    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );
    assert_eq!(
        world.requests("/after-dial")[0]["DialCallStatus"],
        "answered"
    );
    assert_eq!(world.requests("/whisper")[0]["Direction"], "outbound-api");
    world.assert_no_violations();
}

#[tokio::test]
async fn a_human_who_presses_nothing_or_hangs_up_does_not_join() {
    let voicemail = Human::Voicemail {
        after: Duration::from_secs(1),
        speaks_for: Duration::from_secs(9),
    };
    let hangs_up = Human::HangsUpInWhisper {
        after: Duration::from_secs(1),
    };
    for human in [voicemail, hangs_up] {
        let (world, call) = waiting(CALLER, |options| options.human = Some(human)).await;

        create(&world, &[("Twiml", HUMAN)]).await;

        let ended = leg_ended(&world).await;
        assert!(matches!(
            ended,
            CarrierEvent::LegCompleted {
                status: LegStatus::Completed,
                bridged: false,
                ..
            }
        ));
        assert!(world.requests("/join").is_empty());
        assert!(
            !names(&call.events()).contains(&"conference_left".into()),
            "the caller waits"
        );
        world.assert_no_violations();
    }
}

#[tokio::test]
async fn a_conference_that_one_party_may_not_start_waits() {
    let join = r#"<Response><Dial><Conference startConferenceOnEnter="false">h1</Conference></Dial></Response>"#;
    let (world, call) = waiting(CALLER, |_| {}).await;

    create(&world, &[("Twiml", join)]).await;

    let entered =
        |call: &CarrierEvent| matches!(call, CarrierEvent::ConferenceEntered { label: None, .. });
    world
        .carrier
        .wait_for(|logged| entered(&logged.event), DEADLINE)
        .await
        .unwrap();
    assert!(!names(&call.events()).contains(&"leg_bridged".into()));
    world.assert_no_violations();
}

#[tokio::test]
async fn a_call_creation_that_breaks_a_rule_is_refused_or_noted() {
    let (world, _) = waiting(CALLER, |_| {}).await;
    let url = ("Url", "https://bridge.example.com/whisper");
    let to = ("To", "+15550100042");
    let from = ("From", "+15550100002");
    let long = format!("<Response><Say>{}</Say></Response>", "x".repeat(4000));
    for (form, status, expected) in [
        (vec![from, url], 400, "no To"),
        (vec![to, url], 400, "no From"),
        (vec![to, from], 400, "neither Url nor Twiml"),
        (vec![("To", "555"), from, url], 400, "E.164"),
        (vec![("To", "sip:pbx"), from, url], 400, "not a SIP URI"),
        (vec![to, ("From", "+15550199999"), url], 400, "21210"),
        (vec![to, from, ("Url", "/whisper")], 400, "absolute"),
        (vec![to, from, ("Twiml", &long)], 400, "32018"),
        (vec![to, from, url, ("Timeout", "4")], 400, "from 5 to 600"),
        (vec![to, from, url, ("Method", "PUT")], 400, "GET or POST"),
        (
            vec![to, from, url, ("Twiml", "<Response/>")],
            201,
            "Url wins",
        ),
        (
            vec![to, from, url, ("Colour", "red")],
            201,
            "no parameter Colour",
        ),
        (vec![to, from, url, ("SendDigits", "x")], 400, "not a key"),
        (
            vec![to, from, url, ("StatusCallbackEvent", "ringing")],
            201,
            "without a StatusCallback",
        ),
        (
            vec![
                to,
                from,
                url,
                EVENTS[0],
                ("StatusCallbackEvent", "initiated ringing"),
            ],
            201,
            "no event of a call",
        ),
    ] {
        let before = world.carrier.violations().len();
        let (answered, _) = world.post("Calls.json", &form).await;
        assert_eq!(answered, status, "{form:?}");
        let violations = world.carrier.violations();
        let fresh = &violations[before..];
        assert!(
            fresh.len() == 1 && fresh[0].contains(expected),
            "expected {expected:?} of {form:?}, got {fresh:#?}"
        );
    }
}

#[tokio::test]
async fn a_document_of_a_created_call_with_another_verb_is_a_violation() {
    for verb in ["<Enqueue>support</Enqueue>", "<Dial>+15550100043</Dial>"] {
        let (world, _) = waiting(CALLER, |_| {}).await;
        create(
            &world,
            &[("Twiml", &format!("<Response>{verb}</Response>"))],
        )
        .await;
        leg_ended(&world).await;
        world.assert_violation("this stand-in");
    }
}

#[tokio::test]
async fn planned_faults_meet_call_creations_and_not_updates() {
    let legs = |world: &World| {
        let log = world.carrier.log().since(0).into_iter();
        log.filter(|logged| matches!(logged.event, CarrierEvent::LegInitiated { .. }))
            .count()
    };
    for (kind, status, called) in [
        (
            FaultKind::TooManyRequests {
                retry_after: Some(2),
            },
            429,
            0,
        ),
        (FaultKind::ServerError(503), 503, 0),
        (FaultKind::AcceptWithoutActing, 201, 0),
        (FaultKind::Delay(Duration::from_millis(1)), 201, 1),
    ] {
        let (world, _) = waiting(CALLER, |_| {}).await;
        world.carrier.add_create_fault(RestFault { kind, times: 1 });

        let (answered, _) = create(&world, &[("Twiml", HUMAN)]).await;

        assert_eq!(answered, status);
        assert_eq!(legs(&world), called);
        world.assert_no_violations();
    }
}

#[tokio::test]
async fn a_created_call_may_be_made_though_the_answer_never_comes() {
    let (world, call) = waiting(CALLER, |options| {
        options.create_faults.push(RestFault {
            kind: FaultKind::CutAfterActing,
            times: 1,
        });
    })
    .await;
    let url = format!(
        "{}/2010-04-01/Accounts/{}/Calls.json",
        world.carrier.base_url(),
        crate::server::ACCOUNT
    );
    let form = [
        ("To", "+15550100042"),
        ("From", "+15550100002"),
        ("Twiml", HUMAN),
    ];

    let answer = reqwest::Client::new()
        .post(url)
        .basic_auth(crate::server::ACCOUNT, Some(crate::server::TOKEN))
        .form(&form)
        .send()
        .await;

    assert!(answer.is_err());
    let bridged = |event: &CarrierEvent| matches!(event, CarrierEvent::LegBridged { .. });
    call.wait_for(bridged, DEADLINE).await.unwrap();
    world.assert_no_violations();
}

#[tokio::test]
async fn a_created_call_can_be_moved_into_the_conference_over_rest() {
    let (world, call) = waiting(CALLER, |_| {}).await;
    let brief = r#"<Response><Say>One moment.</Say><Pause length="600"/></Response>"#;
    let (_, body) = create(&world, &[("Twiml", brief)]).await;
    let briefed = |event: &CarrierEvent| matches!(event, CarrierEvent::SpokenToHuman { .. });
    world
        .carrier
        .wait_for(|logged| briefed(&logged.event), DEADLINE)
        .await
        .unwrap();

    let resource = format!("Calls/{}.json", body["sid"].as_str().unwrap());
    let (status, shown) = world.post(&resource, &[("Twiml", JOIN)]).await;

    assert_eq!((status, &shown["status"]), (200, &"in-progress".into()));
    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );
    assert!(names(&call.events()).contains(&"leg_bridged".into()));
    world.assert_no_violations();
}

#[tokio::test]
async fn sip_telephones_and_softphones_can_be_called_over_rest() {
    for (to, address, shown) in [
        (
            "sip:desk@pbx.example.com?x-handoff-id=h%201",
            "sip:desk@pbx.example.com",
            "sip_headers",
        ),
        (
            "client:alice?x-handoff-id=h%201",
            "client:alice",
            "parameters",
        ),
    ] {
        let (world, _) = waiting(CALLER, |options| {
            options.humans.insert(address.into(), Human::Rejects);
        })
        .await;
        let form = [("To", to), ("From", "+15550100001"), ("Twiml", HUMAN)];

        let (status, body) = world.post("Calls.json", &form).await;

        assert_eq!((status, &body["to"]), (201, &address.into()));
        leg_ended(&world).await;
        let initiated = |event: &CarrierEvent| matches!(event, CarrierEvent::LegInitiated { .. });
        let leg = world
            .carrier
            .wait_for(|logged| initiated(&logged.event), DEADLINE)
            .await
            .unwrap();
        let leg = serde_json::to_value(leg.event).unwrap();
        assert_eq!(leg["to"], address);
        assert_eq!(leg[shown], serde_json::json!([["x-handoff-id", "h 1"]]));
        world.assert_no_violations();
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_the_human_alone_in_the_conference() {
    let human = Human::Answers {
        after: Duration::from_secs(1),
        talks_for: Duration::from_secs(10_000),
        presses: Some('1'),
    };
    let (world, call) = waiting(CALLER, |options| options.human = Some(human)).await;
    let (_, body) = create(&world, &[("Twiml", HUMAN)]).await;
    let bridged = |event: &CarrierEvent| matches!(event, CarrierEvent::LegBridged { .. });
    call.wait_for(bridged, DEADLINE).await.unwrap();

    world.carrier.hang_up(&call).await;

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::CallerHungUp);
    let action = &world.requests("/after-dial")[0];
    assert_eq!(
        (&*action["DialCallStatus"], &*action["CallStatus"]),
        ("answered", "completed")
    );
    let resource = format!("Calls/{}.json", body["sid"].as_str().unwrap());
    let (status, _) = world.post(&resource, &[("Status", "completed")]).await;
    assert_eq!(status, 200, "nobody but the server ends the human's call");
    world.assert_no_violations();
}

#[tokio::test]
async fn a_human_who_joins_after_the_caller_left_is_not_bridged() {
    let (world, call) = waiting(CALLER, |_| {}).await;
    world.carrier.hang_up(&call).await;
    call.ended(DEADLINE).await.unwrap();
    let (_, body) = create(&world, &[("Twiml", JOIN)]).await;
    let sid = body["sid"].as_str().unwrap().to_owned();
    world
        .carrier
        .wait_for(
            |logged| {
                logged.call.as_deref() == Some(&sid)
                    && matches!(logged.event, CarrierEvent::ConferenceEntered { .. })
            },
            DEADLINE,
        )
        .await
        .unwrap();

    let resource = format!("Calls/{sid}.json");
    world.post(&resource, &[("Status", "completed")]).await;

    let ended = leg_ended(&world).await;
    assert!(matches!(
        ended,
        CarrierEvent::LegCompleted { bridged: false, .. }
    ));
    world.assert_no_violations();
}

#[tokio::test]
async fn a_wait_document_that_cannot_be_had_leaves_the_caller_in_silence() {
    let caller = CALLER.replace("beep=\"false\"", r#"waitUrl="/nowhere""#);
    let (world, call) = waiting(&caller, |_| {}).await;

    let silent = |event: &CarrierEvent| *event == CarrierEvent::HoldSilence;
    call.wait_for(silent, DEADLINE).await.unwrap();

    world.assert_violation("where a document was asked for");
}
