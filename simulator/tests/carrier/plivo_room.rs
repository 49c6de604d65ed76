//! `<Conference>` and `<MultiPartyCall>`: hold music, joining, leaving, and participants over REST.

use std::time::Duration;

use handoff_simulator::carrier::{CarrierEvent, EndReason, FaultKind, Human, Logged, RestFault};
use serde_json::{Value, json};

use crate::plivo_server::{HANG_UP, PUBLIC, Seen, Socket, World};
use crate::server::{DEADLINE, names, recording};

const MUSIC: &str = "<Response><Speak>One moment.</Speak><Play>https://bridge.example.com/hold.mp3</Play></Response>";
const LEFT: &str = "<Response><Speak>You left.</Speak></Response>";
const CALLER: &str = r#"<Response><Conference waitSound="https://bridge.example.com/music" startConferenceOnEnter="false"
  endConferenceOnExit="true" callbackUrl="https://bridge.example.com/room"
  action="https://bridge.example.com/left">desk</Conference></Response>"#;
const HUMAN: &str = r#"<Response><Speak>A caller about a bill.</Speak>
  <Conference stayAlone="false" endConferenceOnExit="true" enterSound="beep:1">desk</Conference></Response>"#;
const CUSTOMER: &str = r#"<Response><MultiPartyCall role="customer" waitMusicUrl="https://bridge.example.com/music"
  waitMusicMethod="POST" startMpcOnEnter="false" endMpcOnExit="true" stayAlone="false" maxDuration="600"
  statusCallbackUrl="https://bridge.example.com/room"
  statusCallbackEvents="mpc-state-changes,participant-state-changes"
  onExitActionUrl="https://bridge.example.com/left">desk</MultiPartyCall></Response>"#;

fn heard_music(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::HoldMusic { source } if source == "https://bridge.example.com/hold.mp3")
}

async fn world(answer: &str, human: &str, music: &str) -> World {
    let documents = [
        ("/answer", answer),
        ("/human", human),
        ("/music", music),
        ("/left", LEFT),
        ("/confirm", "<Response><Speak>Press 1.</Speak></Response>"),
    ];
    World::patient(&documents, Socket::Listens, |options| {
        options.human = Some(Human::answers());
    })
    .await
}

fn participant() -> Value {
    json!({
        "role": "agent",
        "from": "15550100002",
        "to": "15550100042",
        "ring_timeout": 30,
        "end_mpc_on_exit": true,
        "call_status_callback_url": format!("{PUBLIC}/over"),
    })
}

#[tokio::test]
async fn the_caller_hears_music_until_the_human_joins_and_goes_on_when_they_leave() {
    let world = world(CALLER, HUMAN, MUSIC).await;
    let call = world.place(&recording("listen", "none", 1));
    call.wait_for(heard_music, DEADLINE).await.unwrap();

    let uuid = world.create(json!({})).await;

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );
    world.leg_over(&uuid, "/over").await;
    world.assert_no_violations();
    let human = names(&world.events(&uuid));
    assert!(human.contains(&"leg_bridged".into()), "{human:?}");
    assert_eq!(world.requests("/music")[0]["ConferenceName"], "desk");
    let told = world.requests("/room");
    let told: Vec<_> = told
        .iter()
        .map(|told| told["ConferenceAction"].clone())
        .collect();
    assert_eq!(told, ["enter", "exit"]);
    assert_eq!(world.requests("/left")[0]["ConferenceName"], "desk");
    assert!(call.events().contains(&CarrierEvent::SpokenToCaller {
        text: "You left.".into()
    }));
}

#[tokio::test]
async fn a_room_without_music_is_silent_and_the_event_says_so() {
    for (answer, music) in [
        (CALLER.to_owned(), "<Response/>"),
        (
            CALLER.replace(r#"waitSound="https://bridge.example.com/music""#, ""),
            MUSIC,
        ),
    ] {
        let documents = [("/answer", answer.as_str()), ("/music", music)];
        let world = World::start(&documents, Socket::Listens, |_| {}).await;
        let call = world.place(&recording("listen", "none", 1));
        assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::CallerHungUp);
        world.assert_no_violations();
        let events = names(&call.events());
        assert!(events.contains(&"hold_silence".into()));
        assert!(!events.contains(&"hold_music".into()));
    }
}

#[tokio::test]
async fn a_wait_document_with_another_element_breaks_a_rule() {
    let world = world(CALLER, HUMAN, "<Response><Hangup/></Response>").await;
    let call = world.place(&recording("listen", "none", 1));
    let silent = |event: &CarrierEvent| matches!(event, CarrierEvent::HoldSilence);
    call.wait_for(silent, DEADLINE).await.unwrap();
    world.assert_violation("a wait document takes Play, Speak and Wait only");
}

#[tokio::test]
async fn the_human_is_alone_when_the_caller_hangs_up_first() {
    let talks_on = Human::Answers {
        after: Duration::from_secs(1),
        talks_for: Duration::from_secs(3600),
        presses: None,
    };
    for human in [
        HUMAN.to_owned(),
        HUMAN.replace(r#"stayAlone="false" endConferenceOnExit="true""#, ""),
    ] {
        let answer = CALLER.replace(r#"endConferenceOnExit="true""#, "");
        let documents = [
            ("/answer", answer.as_str()),
            ("/human", &human),
            ("/music", MUSIC),
        ];
        let world = World::patient(&documents, Socket::Listens, |options| {
            options.human = Some(talks_on);
        })
        .await;
        let call = world.place(&recording("listen", "none", 1));
        call.wait_for(heard_music, DEADLINE).await.unwrap();
        let uuid = world.create(json!({})).await;
        let joined = |logged: &Logged| matches!(&logged.event, CarrierEvent::LegBridged { leg_sid } if *leg_sid == uuid);
        world.carrier.wait_for(joined, DEADLINE).await.unwrap();
        assert_eq!(world.hang_up(call.call_sid()).await, 204);
        world.leg_over(&uuid, "/over").await;
        world.assert_no_violations();
    }
}

#[tokio::test]
async fn a_participant_is_rung_into_the_multi_party_call() {
    let world = world(CUSTOMER, HANG_UP, MUSIC).await;
    let call = world.place(&recording("listen", "none", 1));
    call.wait_for(heard_music, DEADLINE).await.unwrap();

    let resource = "MultiPartyCall/name_desk/Participant/";
    let (status, answer) = world.post(resource, &participant()).await;

    assert_eq!(status, 201);
    let uuid = answer["calls"][0]["call_uuid"].as_str().unwrap();
    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );
    world.leg_over(uuid, "/over").await;
    world.assert_no_violations();
    assert!(names(&world.events(uuid)).contains(&"leg_bridged".into()));
    let everything_told = |seen: &Seen| {
        let told = seen.requests.iter().filter(|(path, _)| path == "/room");
        let mut told: Vec<_> = told
            .map(|(_, told)| format!("{} {}", told["ParticipantRole"], told["EventName"]))
            .collect();
        told.sort();
        told == [
            "agent MPCEnded",
            "agent MPCStarted",
            "agent ParticipantJoined",
            "agent ParticipantLeft",
            "customer MPCInitialized",
            "customer ParticipantJoined",
            "customer ParticipantLeft",
        ]
    };
    world.seen(everything_told).await;
    let statuses = world.requests("/over");
    let statuses: Vec<_> = statuses.iter().map(|told| &*told["CallStatus"]).collect();
    assert_eq!(statuses[..2], ["ringing", "in-progress"]);
    assert_eq!(world.requests("/left")[0]["MPCName"], "desk");
}

#[tokio::test]
async fn a_participant_who_does_not_confirm_is_not_joined() {
    for (presses, joins) in [(Some('1'), true), (None, false)] {
        let documents = [
            ("/answer", CUSTOMER),
            ("/music", MUSIC),
            ("/left", LEFT),
            ("/confirm", "<Response><Speak>Press 1.</Speak></Response>"),
        ];
        let world = World::patient(&documents, Socket::Listens, |options| {
            options.human = Some(Human::Answers {
                after: Duration::from_secs(1),
                talks_for: Duration::from_secs(3),
                presses,
            });
        })
        .await;
        let call = world.place(&recording("listen", "none", 1));
        call.wait_for(heard_music, DEADLINE).await.unwrap();
        let mut body = participant();
        body["confirm_key"] = json!("1");
        body["confirm_key_sound_url"] = json!(format!("{PUBLIC}/confirm"));
        let resource = "MultiPartyCall/name_desk/Participant/";
        let (_, answer) = world.post(resource, &body).await;
        let uuid = answer["request_uuid"].as_str().unwrap();
        world.leg_over(uuid, "/over").await;
        let events = names(&world.events(uuid));
        assert!(events.contains(&"spoken_to_human".into()));
        assert_eq!(events.contains(&"leg_bridged".into()), joins);
        world.assert_no_violations();
    }
}

#[tokio::test]
async fn participants_that_plivo_refuses_are_refused_and_noted() {
    let world = world(CUSTOMER, HANG_UP, MUSIC).await;
    for (field, value, part) in [
        (
            "role",
            json!("boss"),
            "not one of agent, customer, supervisor",
        ),
        ("role", Value::Null, "role of a participant is null"),
        ("to", json!("desk"), "E.164 number or a SIP URI"),
        ("max_duration", json!(299), "not a number from 300 to 28800"),
        ("max_participants", json!(11), "not a number from 2 to 10"),
        ("stay_alone", json!("false"), "not a JSON boolean"),
        ("wait_music_url", json!("music"), "not an absolute URL"),
        ("enter_sound", json!("beep:3"), "beep:1, beep:2, none"),
        (
            "status_callback_events",
            json!("all"),
            "not some of mpc-state-changes",
        ),
        ("confirm_key", json!("12"), "not one key"),
        ("confirm_key", json!("1"), "no confirm_key_sound_url"),
        ("dial_music", json!("loud"), "real, none or an absolute URL"),
        ("hold", json!(true), "off hold"),
        ("call_uuid", json!("7d0c"), "beside from and to"),
        ("waitMusicUrl", json!("music"), "no field"),
        ("wait_time", json!(5), "no field"),
    ] {
        let mut body = participant();
        body[field] = value;
        let before = world.carrier.violations().len();
        let resource = "MultiPartyCall/name_desk/Participant/";
        let (status, _) = world.post(resource, &body).await;
        assert_eq!(status, 400, "{body}");
        let violations = world.carrier.violations();
        assert_eq!(violations.len(), before + 1, "{body}");
        assert!(violations[before].contains(part), "{}", violations[before]);
    }
    let resource = "MultiPartyCall/desk/Participant/";
    assert_eq!(world.post(resource, &participant()).await.0, 400);
    world.assert_violation("by name_… only");
}

#[tokio::test]
async fn planned_faults_meet_the_adding_of_participants_too() {
    let world = world(CUSTOMER, HANG_UP, MUSIC).await;
    let resource = "MultiPartyCall/name_desk/Participant/";
    for kind in [FaultKind::ServerError(500), FaultKind::AcceptWithoutActing] {
        world.carrier.add_create_fault(RestFault { kind, times: 1 });
    }
    assert_eq!(world.post(resource, &participant()).await.0, 500);
    let (status, answer) = world.post(resource, &participant()).await;
    assert_eq!(status, 201);
    let uuid = answer["request_uuid"].as_str().unwrap();
    assert!(world.events(uuid).is_empty());
}

#[tokio::test]
async fn a_transfer_takes_the_caller_out_of_the_room() {
    let documents = [("/answer", CALLER), ("/music", MUSIC), ("/next", HANG_UP)];
    let world = World::patient(&documents, Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));
    call.wait_for(heard_music, DEADLINE).await.unwrap();

    assert_eq!(world.transfer(&call, "/next").await.0, 202);

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::HungUp);
    world.assert_no_violations();
    let events = names(&call.events());
    assert!(events.contains(&"conference_left".into()), "{events:?}");
    assert_eq!(world.requests("/left").len(), 1, "told, and ignored");
}

#[tokio::test]
async fn nobody_is_joined_in_a_room_that_has_not_started_or_is_full() {
    for (attribute, cause) in [
        (r#"startConferenceOnEnter="false""#, "NORMAL_CLEARING"),
        (r#"maxMembers="1""#, "End Of XML Instructions"),
    ] {
        let human = format!("<Response><Conference {attribute}>desk</Conference></Response>");
        let world = world(CALLER, &human, MUSIC).await;
        let call = world.place(&recording("listen", "none", 1));
        call.wait_for(heard_music, DEADLINE).await.unwrap();
        let uuid = world.create(json!({})).await;
        let over = world.leg_over(&uuid, "/over").await;
        assert!(
            matches!(over, CarrierEvent::LegCompleted { bridged: false, .. }),
            "{attribute}"
        );
        assert_eq!(world.requests("/over")[0]["HangupCause"], cause);
        world.assert_no_violations();
    }
}

#[tokio::test]
async fn a_member_leaves_when_their_time_is_up() {
    let answer = CALLER.replace("<Conference", r#"<Conference timeLimit="5""#);
    let world = world(&answer, HUMAN, MUSIC).await;
    let call = world.place(&recording("listen", "none", 1));
    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );
    world.assert_no_violations();
    assert_eq!(world.requests("/left").len(), 1);
}
