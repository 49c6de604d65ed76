//! `<Dial>`: the human's phone, confirmation, callbacks and the action.

use std::time::Duration;

use handoff_simulator::carrier::plivo::{LegEventNames, UnconfirmedDialStatus};
use handoff_simulator::carrier::{CarrierEvent, EndReason, Human, LegStatus, Speed};

use crate::plivo_server::{HANG_UP, Socket, World};
use crate::server::{DEADLINE, names, recording};

const DIAL: &str = r#"<Response><Dial timeout="25" action="https://bridge.example.com/after-dial"
  callbackUrl="https://bridge.example.com/legs" callerId="15550100002"><Number>15550100042</Number></Dial></Response>"#;
const CONFIRM: &str = r#"<Response><Dial timeout="25" action="https://bridge.example.com/after-dial"
  confirmSound="https://bridge.example.com/confirm" confirmKey="1" confirmTimeout="10"><Number>15550100042</Number></Dial></Response>"#;
const WHISPER: &str =
    "<Response><Speak>A caller about a bill. Press 1.</Speak><Wait length='1'/></Response>";

fn documents(dial: &str) -> [(&str, &str); 3] {
    [
        ("/answer", dial),
        ("/after-dial", HANG_UP),
        ("/confirm", WHISPER),
    ]
}

#[tokio::test]
async fn a_human_who_answers_is_bridged_and_the_action_tells_so() {
    let world = World::start(&documents(DIAL), Socket::Listens, |options| {
        options.call_status_path = Some("/hangup".into());
    })
    .await;
    let call = world.place(&recording("listen", "answers", 1));

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::HungUp);

    world.assert_no_violations();
    let course: Vec<_> = names(&call.events())
        .into_iter()
        .filter(|name| name.starts_with("leg_"))
        .collect();
    assert_eq!(
        course,
        [
            "leg_initiated",
            "leg_ringing",
            "leg_answered",
            "leg_bridged",
            "leg_completed"
        ]
    );
    let action = &world.requests("/after-dial")[0];
    assert_eq!(action["DialStatus"], "completed");
    assert_eq!(action["DialHangupCause"], "NORMAL_CLEARING");
    assert_eq!(action["DialRingStatus"], "true");
    assert_eq!(action["DialALegUUID"], call.call_sid());
    let legs = world.requests("/legs");
    let events: Vec<_> = legs.iter().map(|leg| leg["DialAction"].clone()).collect();
    assert_eq!(events, ["answer", "connected", "hangup"]);
    assert!(
        legs.iter()
            .all(|leg| leg["DialBLegUUID"] == action["DialBLegUUID"]
                && leg["DialBLegTo"] == "15550100042"
                && leg["DialBLegFrom"] == "15550100002")
    );
    let hangup = &world.requests("/hangup")[0];
    assert_eq!(
        (&*hangup["HangupCause"], &*hangup["CallStatus"]),
        ("NORMAL_CLEARING", "completed")
    );
}

#[tokio::test]
async fn every_way_not_to_answer_has_its_status() {
    let never = Human::Answers {
        after: Duration::from_secs(60),
        talks_for: Duration::ZERO,
        presses: None,
    };
    let unlimited = DIAL.replace(r#"timeout="25""#, "");
    for (dial, human, status, cause, rang) in [
        (DIAL, Human::Busy, "busy", "USER_BUSY", "false"),
        (DIAL, Human::Rejects, "busy", "CALL_REJECTED", "true"),
        (
            DIAL,
            Human::Unreachable,
            "failed",
            "NO_ROUTE_DESTINATION",
            "false",
        ),
        (DIAL, Human::NoAnswer, "timeout", "NO_ANSWER", "true"),
        (DIAL, never, "timeout", "NO_ANSWER", "true"),
        (
            unlimited.as_str(),
            Human::NoAnswer,
            "no-answer",
            "NO_ANSWER",
            "true",
        ),
    ] {
        let world = World::start(&documents(dial), Socket::Listens, |options| {
            options.human = Some(human);
        })
        .await;
        let call = world.place(&recording("listen", "none", 1));
        call.ended(DEADLINE).await.unwrap();
        world.assert_no_violations();
        let action = &world.requests("/after-dial")[0];
        assert_eq!(
            (
                &*action["DialStatus"],
                &*action["DialHangupCause"],
                &*action["DialRingStatus"]
            ),
            (status, cause, rang)
        );
    }
}

#[tokio::test]
async fn only_the_right_key_accepts_the_call() {
    let presses = |key: Option<char>| Human::Answers {
        after: Duration::from_secs(1),
        talks_for: Duration::from_secs(3),
        presses: key,
    };
    let hangs_up = Human::HangsUpInWhisper {
        after: Duration::from_secs(1),
    };
    let voicemail = Human::Voicemail {
        after: Duration::from_secs(1),
        speaks_for: Duration::from_secs(60),
    };
    let said = UnconfirmedDialStatus::NoAnswer;
    for (human, bridged, unconfirmed, status) in [
        (presses(Some('1')), true, said, "completed"),
        (presses(Some('2')), false, said, "no-answer"),
        (presses(None), false, said, "no-answer"),
        (hangs_up, false, said, "no-answer"),
        (voicemail, false, said, "no-answer"),
        (
            voicemail,
            false,
            UnconfirmedDialStatus::Completed,
            "completed",
        ),
    ] {
        let world = World::start(&documents(CONFIRM), Socket::Listens, |options| {
            options.human = Some(human);
            options.unconfirmed_dial_status = unconfirmed;
        })
        .await;
        let call = world.place(&recording("listen", "none", 1));
        call.ended(DEADLINE).await.unwrap();
        world.assert_no_violations();
        assert_eq!(
            names(&call.events()).contains(&"leg_bridged".into()),
            bridged,
            "{human:?}"
        );
        let action = &world.requests("/after-dial")[0];
        assert_eq!(action["DialStatus"], status);
        assert_eq!(action["DialBLegUUID"].len(), 36);
        let waited_out = |event: &CarrierEvent| {
            matches!(
                event,
                CarrierEvent::LegCompleted {
                    seconds: 12..,
                    bridged: false,
                    ..
                }
            )
        };
        let waits = !bridged && human != hangs_up;
        assert_eq!(call.events().iter().any(waited_out), waits, "{human:?}");
        assert!(call.events().contains(&CarrierEvent::SpokenToHuman {
            text: "A caller about a bill. Press 1.".into()
        }));
    }
}

#[tokio::test]
async fn an_empty_confirm_document_is_neutral_and_other_elements_break_a_rule() {
    for (confirm, violates) in [
        ("<Response/>", false),
        ("<Response><Hangup/></Response>", true),
    ] {
        let documents = [
            ("/answer", CONFIRM),
            ("/after-dial", HANG_UP),
            ("/confirm", confirm),
        ];
        let world = World::start(&documents, Socket::Listens, |_| {}).await;
        let call = world.place(&recording("listen", "answers", 1));
        call.ended(DEADLINE).await.unwrap();
        assert_eq!(world.requests("/after-dial")[0]["DialStatus"], "completed");
        assert_eq!(!world.carrier.violations().is_empty(), violates);
    }
}

#[tokio::test]
async fn an_action_without_redirect_is_told_and_the_document_goes_on() {
    let dial = DIAL
        .replace("<Dial", r#"<Dial redirect="false""#)
        .replace("</Response>", "<Speak>Nobody is there.</Speak></Response>");
    let world = World::start(&documents(&dial), Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "busy", 1));

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );

    world.assert_no_violations();
    assert_eq!(world.requests("/after-dial")[0]["DialStatus"], "busy");
    assert!(call.events().contains(&CarrierEvent::SpokenToCaller {
        text: "Nobody is there.".into()
    }));
}

#[tokio::test]
async fn all_targets_ring_and_the_first_to_answer_stops_the_others() {
    let dial = DIAL.replace(
        "<Number>15550100042</Number>",
        r#"<User sipHeaders="handoffid=h1">sip:desk@phone.plivo.com</User><Number>15550100042</Number>"#,
    );
    let world = World::start(&documents(&dial), Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "answers", 1));
    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    let events = call.events();
    let header = ("X-PH-handoffid".to_owned(), "h1".to_owned());
    assert!(events.iter().any(|event| matches!(event, CarrierEvent::LegInitiated { sip_headers, .. } if sip_headers.contains(&header))));
    let statuses: Vec<_> = events
        .iter()
        .filter_map(|event| {
            let CarrierEvent::LegCompleted { status, .. } = event else {
                return None;
            };
            Some(*status)
        })
        .collect();
    assert_eq!(statuses, [LegStatus::Canceled, LegStatus::Completed]);
    assert_eq!(
        world.requests("/legs")[0]["DialBLegTo"],
        "sip:desk@phone.plivo.com"
    );
}

#[tokio::test]
async fn a_transfer_stops_the_ringing_and_its_document_takes_over() {
    let next = "<Response><Speak>Back again.</Speak></Response>";
    let documents = [("/answer", DIAL), ("/after-dial", HANG_UP), ("/next", next)];
    let world = World::patient(&documents, Socket::Listens, |options| {
        options.speed = Speed::Times(1.0);
        options.human = Some(Human::NoAnswer);
    })
    .await;
    let call = world.place(&recording("listen", "none", 1));
    let rings = |event: &CarrierEvent| matches!(event, CarrierEvent::LegRinging { .. });
    call.wait_for(rings, DEADLINE).await.unwrap();

    assert_eq!(world.transfer(&call, "/next").await.0, 202);

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );
    world.assert_no_violations();
    assert_eq!(world.requests("/after-dial")[0]["DialStatus"], "cancel");
    assert!(call.events().contains(&CarrierEvent::SpokenToCaller {
        text: "Back again.".into()
    }));
}

#[tokio::test]
async fn a_machine_that_nobody_asks_for_a_key_is_joined_to_the_caller() {
    let world = World::start(&documents(DIAL), Socket::Listens, |options| {
        options.human = Some(Human::Voicemail {
            after: Duration::from_secs(1),
            speaks_for: Duration::from_secs(5),
        });
    })
    .await;
    let call = world.place(&recording("listen", "none", 1));
    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    assert!(names(&call.events()).contains(&"leg_bridged".into()));
    assert_eq!(world.requests("/after-dial")[0]["DialStatus"], "completed");
}

#[tokio::test]
async fn every_address_has_its_own_human_and_the_last_to_fail_is_told() {
    let dial = DIAL.replace(
        "<Number>15550100042</Number>",
        r#"<Number>+15550100042</Number><User>sip:desk@phone.plivo.com</User>"#,
    );
    for (desk, status, statuses) in [
        (
            Human::answers(),
            "completed",
            [LegStatus::Busy, LegStatus::Completed],
        ),
        (
            Human::Unreachable,
            "busy",
            [LegStatus::Failed, LegStatus::Busy],
        ),
    ] {
        let world = World::start(&documents(&dial), Socket::Listens, |options| {
            options.human = Some(Human::NoAnswer);
            options.humans = [
                ("15550100042".to_owned(), Human::Rejects),
                ("sip:desk@phone.plivo.com".to_owned(), desk),
            ]
            .into();
        })
        .await;
        let call = world.place(&recording("listen", "none", 1));
        call.ended(DEADLINE).await.unwrap();

        world.assert_no_violations();
        let ends = call.events().into_iter().filter_map(|event| {
            let CarrierEvent::LegCompleted { status, .. } = event else {
                return None;
            };
            Some(status)
        });
        assert_eq!(ends.collect::<Vec<_>>(), statuses);
        assert_eq!(world.requests("/after-dial")[0]["DialStatus"], status);
    }
}

#[tokio::test]
async fn what_is_pressed_and_sent_for_a_target_is_reported() {
    let dial = DIAL.replace(
        "<Number>",
        r#"<Number sendDigits="ww42#" sendOnPreanswer="true">"#,
    );
    let world = World::start(&documents(&dial), Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "answers", 1));
    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    let with_extension = |event: &CarrierEvent| matches!(event, CarrierEvent::LegInitiated { digits: Some(digits), .. } if digits == "ww42#");
    assert!(call.events().iter().any(with_extension));
}

#[tokio::test]
async fn the_callback_tells_each_step_in_either_spelling_and_in_either_order() {
    let confirm = CONFIRM.replace(
        "<Dial ",
        r#"<Dial callbackUrl="https://bridge.example.com/legs" digitsMatchBLeg="1,2" "#,
    );
    for (spelling, shuffled, parameter, expected) in [
        (
            LegEventNames::DialAction,
            false,
            "DialAction",
            ["answer", "digits", "connected", "hangup"],
        ),
        (
            LegEventNames::DialAction,
            true,
            "DialAction",
            ["digits", "answer", "hangup", "connected"],
        ),
        (
            LegEventNames::Event,
            false,
            "Event",
            ["DialAnswer", "DialDigits", "DialConnected", "DialHangup"],
        ),
    ] {
        let world = World::start(&documents(&confirm), Socket::Listens, |options| {
            options.leg_event_names = spelling;
            options.shuffle_leg_callbacks = shuffled;
        })
        .await;
        let call = world.place(&recording("listen", "answers", 1));
        call.ended(DEADLINE).await.unwrap();
        world.assert_no_violations();
        let legs = world.requests("/legs");
        let told: Vec<_> = legs.iter().map(|leg| leg[parameter].clone()).collect();
        assert_eq!(told, expected);
        let digits = legs.iter().find_map(|leg| leg.get("DialDigitsMatch"));
        assert_eq!(digits.unwrap(), "1");
    }
}

#[tokio::test]
async fn callbacks_and_actions_told_twice_must_be_answered_alike() {
    for (after, same) in [
        (HANG_UP, true),
        ("<Response><Speak>COUNT</Speak></Response>", false),
    ] {
        let documents = [("/answer", DIAL), ("/after-dial", after)];
        let world = World::start(&documents, Socket::Listens, |options| {
            options.duplicate_callbacks = true;
        })
        .await;
        let call = world.place(&recording("listen", "answers", 1));
        call.ended(DEADLINE).await.unwrap();
        assert_eq!(world.requests("/answer").len(), 1);
        assert_eq!(world.requests("/after-dial").len(), 2);
        assert_eq!(world.requests("/legs").len(), 6);
        if same {
            world.assert_no_violations();
        } else {
            world.assert_violation("asked twice for one action");
        }
    }
}
