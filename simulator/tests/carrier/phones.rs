//! Numbers, SIP telephones and softphones: how each is called, and what becomes of it.

use std::time::Duration;

use handoff_simulator::carrier::{CarrierEvent, Human, LegStatus};
use serde_json::{Value, json};

use crate::server::{Socket, World, recording};

const NUMBER: &str = "<Number>+15550100042</Number>";
const SIP: &str = "<Sip>sip:desk@pbx.example.com;transport=tls?x-handoff-id=h1&amp;User-to-User=7b7d%3Bencoding%3Dhex</Sip>";
const CLIENT: &str =
    r#"<Client><Identity>alice</Identity><Parameter name="handoff" value="h 1"/></Client>"#;

/// Dials the noun, with every human at that address doing the same.
async fn dialled(noun: &str, human: Human) -> (World, Vec<CarrierEvent>) {
    let document = format!(r#"<Response><Dial action="/after-dial">{noun}</Dial></Response>"#);
    let documents = [
        ("/voice", document.as_str()),
        ("/after-dial", "<Response/>"),
    ];
    let world = World::start(&documents, Socket::Listens, |options| {
        options.human = Some(Human::NoAnswer);
        for address in [
            "+15550100042",
            "sip:desk@pbx.example.com;transport=tls",
            "client:alice",
        ] {
            options.humans.insert(address.into(), human);
        }
    })
    .await;
    let call = world.play(&recording("listen", "no_answer", 1)).await;
    (world, call.events())
}

fn initiated(events: &[CarrierEvent]) -> Value {
    let event = events
        .iter()
        .find(|event| matches!(event, CarrierEvent::LegInitiated { .. }));
    serde_json::to_value(event.unwrap()).unwrap()
}

#[tokio::test]
async fn each_address_is_called_by_what_its_own_human_does() {
    let voicemail = Human::Voicemail {
        after: Duration::from_secs(2),
        speaks_for: Duration::from_secs(4),
    };
    for (human, status, bridged, sip_code) in [
        (Human::answers(), "completed", "true", "200"),
        (voicemail, "completed", "true", "200"),
        (Human::Busy, "busy", "false", "486"),
        (Human::Rejects, "busy", "false", "603"),
        (Human::NoAnswer, "no-answer", "false", "487"),
        (Human::Unreachable, "failed", "false", "404"),
    ] {
        for noun in [NUMBER, SIP, CLIENT] {
            let (world, events) = dialled(noun, human).await;

            world.assert_no_violations();
            let action = &world.requests("/after-dial")[0];
            let told = (&*action["DialCallStatus"], &*action["DialBridged"]);
            assert_eq!(told, (status, bridged), "{noun} {human:?}");
            let is_sip = noun == SIP;
            let expected = is_sip.then_some(sip_code);
            let told = action.get("DialSipResponseCode").map(String::as_str);
            assert_eq!(told, expected, "{noun} {human:?}");
            assert_eq!(action.contains_key("DialSipCallId"), is_sip);
            let rang = events
                .iter()
                .any(|event| matches!(event, CarrierEvent::LegRinging { .. }));
            assert_eq!(rang, !matches!(human, Human::Busy | Human::Unreachable));
        }
    }
}

#[tokio::test]
async fn keys_for_an_extension_are_shown() {
    let (world, events) = dialled(
        r#"<Number sendDigits="wW12#">+15550100042</Number>"#,
        Human::Busy,
    )
    .await;

    world.assert_no_violations();
    assert_eq!(initiated(&events)["digits"], "wW12#");
}

#[tokio::test]
async fn sip_headers_are_decoded_and_shown() {
    let (world, events) = dialled(SIP, Human::Busy).await;

    world.assert_no_violations();
    let leg = initiated(&events);
    assert_eq!(leg["to"], "sip:desk@pbx.example.com;transport=tls");
    assert_eq!(
        leg["sip_headers"],
        json!([
            ["x-handoff-id", "h1"],
            ["User-to-User", "7b7d;encoding=hex"]
        ])
    );
}

#[tokio::test]
async fn parameters_of_a_softphone_are_shown() {
    let (world, events) = dialled(CLIENT, Human::Busy).await;

    world.assert_no_violations();
    let leg = initiated(&events);
    assert_eq!(leg["to"], "client:alice");
    assert_eq!(leg["parameters"], json!([["handoff", "h 1"]]));
}

#[tokio::test]
async fn a_sip_telephone_may_show_a_name_and_a_number_may_not() {
    for (noun, allowed) in [(SIP, true), (NUMBER, false)] {
        let document = format!(r#"<Response><Dial callerId="front-desk">{noun}</Dial></Response>"#);
        let world = World::start(&[("/voice", &document)], Socket::Listens, |_| {}).await;

        let call = world.play(&recording("listen", "busy", 1)).await;

        let failed = call.events().iter().any(|event| {
            let status = LegStatus::Failed;
            matches!(event, CarrierEvent::LegCompleted { status: ended, .. } if *ended == status)
        });
        assert_eq!(failed, !allowed);
        if allowed {
            world.assert_no_violations();
        } else {
            world.assert_violation("13214");
        }
    }
}
