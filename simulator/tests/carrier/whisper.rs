//! What a human hears before being joined to the caller, and what they do with it.

use std::time::Duration;

use handoff_simulator::carrier::{CarrierEvent, Human};

use crate::server::{Socket, World, recording};

const WHISPER: &str = r#"<Response><Gather numDigits="1" timeout="4" action="/accept"><Say>Ann, about a refund.</Say><Play>/chime.wav</Play></Gather><Hangup/></Response>"#;
const NOUNS: [&str; 3] = [
    r#"<Number url="/whisper">+15550100042</Number>"#,
    r#"<Sip url="/whisper">sip:desk@pbx.example.com</Sip>"#,
    r#"<Client url="/whisper">alice</Client>"#,
];

async fn whispered(
    noun: &str,
    whisper: &str,
    accept: &str,
    human: Human,
) -> (World, Vec<CarrierEvent>) {
    let document = format!(r#"<Response><Dial action="/after-dial">{noun}</Dial></Response>"#);
    let documents = [
        ("/voice", document.as_str()),
        ("/whisper", whisper),
        ("/accept", accept),
        ("/after-dial", "<Response/>"),
    ];
    let world = World::start(&documents, Socket::Listens, |options| {
        options.human = Some(human);
    })
    .await;
    let call = world.play(&recording("listen", "answers", 1)).await;
    (world, call.events())
}

fn outcome(world: &World) -> (String, String) {
    let action = world.requests("/after-dial").remove(0);
    (
        action["DialCallStatus"].clone(),
        action["DialBridged"].clone(),
    )
}

fn said(events: &[CarrierEvent]) -> Vec<String> {
    let mut said = Vec::new();
    for event in events {
        if let CarrierEvent::SpokenToHuman { text } = event {
            said.push(text.clone());
        }
    }
    said
}

#[tokio::test]
async fn whoever_presses_the_key_is_bridged_on_every_kind_of_phone() {
    for noun in NOUNS {
        let (world, events) = whispered(noun, WHISPER, "<Response/>", Human::answers()).await;

        world.assert_no_violations();
        assert_eq!(outcome(&world), ("completed".into(), "true".into()));
        assert_eq!(
            said(&events),
            [
                "Ann, about a refund.",
                "https://bridge.example.com/chime.wav"
            ]
        );
        let (whisper, accept) = (
            &world.requests("/whisper")[0],
            &world.requests("/accept")[0],
        );
        assert_eq!(accept["Digits"], "1");
        for request in [whisper, accept] {
            assert_eq!(
                request["ParentCallSid"],
                "CA00000000000000000000000000000001"
            );
            assert_ne!(request["CallSid"], request["ParentCallSid"]);
            assert_eq!(request["Direction"], "outbound-dial");
        }
    }
}

#[tokio::test]
async fn a_voicemail_hears_the_whisper_and_presses_nothing() {
    let voicemail = Human::Voicemail {
        after: Duration::from_secs(1),
        speaks_for: Duration::from_secs(2),
    };
    for noun in NOUNS {
        let (world, events) = whispered(noun, WHISPER, "<Response/>", voicemail).await;

        world.assert_no_violations();
        assert_eq!(outcome(&world), ("completed".into(), "false".into()));
        assert!(world.requests("/accept").is_empty());
        assert_eq!(said(&events).len(), 2);
    }
}

#[tokio::test]
async fn a_voicemail_is_joined_to_the_caller_when_the_whisper_runs_out() {
    let voicemail = Human::Voicemail {
        after: Duration::from_secs(1),
        speaks_for: Duration::from_secs(2),
    };
    let (world, _) = whispered(
        NOUNS[0],
        "<Response><Say>Ann.</Say></Response>",
        "",
        voicemail,
    )
    .await;

    world.assert_no_violations();
    assert_eq!(outcome(&world), ("completed".into(), "true".into()));
}

#[tokio::test]
async fn an_answer_to_the_key_that_hangs_up_bridges_nobody() {
    let refuse = "<Response><Say>Somebody else was faster.</Say><Hangup/></Response>";
    let (world, events) = whispered(NOUNS[0], WHISPER, refuse, Human::answers()).await;

    world.assert_no_violations();
    assert_eq!(outcome(&world), ("completed".into(), "false".into()));
    assert_eq!(said(&events)[2], "Somebody else was faster.");
}

#[tokio::test]
async fn a_gather_that_wants_speech_takes_no_key() {
    let whisper = r#"<Response><Gather input="speech" action="/accept"><Say>Say yes.</Say></Gather><Hangup/></Response>"#;
    let (world, _) = whispered(NOUNS[0], whisper, "<Response/>", Human::answers()).await;

    world.assert_no_violations();
    assert!(world.requests("/accept").is_empty());
}

#[tokio::test]
async fn a_gather_without_an_action_asks_the_whisper_again() {
    let whisper =
        r#"<Response><Gather numDigits="1"><Say>COUNT</Say></Gather><Hangup/></Response>"#;
    let human = Human::Answers {
        after: Duration::from_secs(1),
        talks_for: Duration::from_secs(1),
        presses: Some('2'),
    };
    let (world, _) = whispered(NOUNS[0], whisper, "<Response/>", human).await;

    world.assert_violation("100 documents");
    assert_eq!(world.requests("/whisper")[1]["Digits"], "2");
}

#[tokio::test]
async fn a_whisper_with_another_verb_is_a_violation() {
    for verb in [
        "<Dial>+15550100043</Dial>",
        "<Redirect>/whisper</Redirect>",
        "<Leave/>",
        "<Record/>",
    ] {
        let whisper = format!("<Response>{verb}</Response>");
        let (world, _) = whispered(NOUNS[0], &whisper, "", Human::answers()).await;
        world.assert_violation("a whisper document takes");
    }
}

#[tokio::test]
async fn a_gather_of_any_number_of_keys_waits_for_more_after_one() {
    let whisper = r#"<Response><Gather timeout="50" action="/accept"/><Hangup/></Response>"#;
    let (world, _) = whispered(NOUNS[0], whisper, "<Response/>", Human::answers()).await;

    world.assert_no_violations();
    let log = world.carrier.log().since(0);
    let at = |wanted: fn(&CarrierEvent) -> bool| {
        let logged = log.iter().find(|logged| wanted(&logged.event));
        logged.unwrap().at_ms
    };
    let answered = at(|event| matches!(event, CarrierEvent::LegAnswered { .. }));
    let bridged = at(|event| matches!(event, CarrierEvent::LegBridged { .. }));
    assert!(
        bridged - answered >= 1000,
        "50 s at 50 times the speed took {} ms",
        bridged - answered
    );
}
