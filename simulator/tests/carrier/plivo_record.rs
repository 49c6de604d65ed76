//! `<Record>`: the caller's message.

use std::time::Duration;

use handoff_simulator::carrier::{CarrierEvent, EndReason};

use crate::plivo_server::{HANG_UP, Socket, World};
use crate::server::{DEADLINE, recording};

const RECORD: &str = r#"<Response><Speak>Leave a message.</Speak>
  <Record action="https://bridge.example.com/recorded" callbackUrl="https://bridge.example.com/ready"
    maxLength="30" timeout="4" finishOnKey="1*" playBeep="true" fileFormat="wav"/></Response>"#;

#[tokio::test]
async fn the_caller_speaks_and_the_action_and_the_callback_tell_where_it_is() {
    for (speaks_for, seconds) in [(0, "0"), (12, "12"), (300, "30")] {
        let documents = [("/answer", RECORD), ("/recorded", HANG_UP)];
        let world = World::start(&documents, Socket::Listens, |options| {
            options.caller_speaks_for = Duration::from_secs(speaks_for);
        })
        .await;
        let call = world.place(&recording("listen", "none", 1));

        assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::HungUp);

        world.assert_no_violations();
        let told = &world.requests("/recorded")[0];
        assert_eq!(told["RecordingDuration"], seconds);
        let id = &told["RecordingID"];
        assert!(told["RecordUrl"].ends_with(&format!("/Recording/{id}.wav")));
        let ready = &world.requests("/ready")[0];
        assert_eq!(ready["RecordUrl"], told["RecordUrl"]);
        assert!(call.events().contains(&CarrierEvent::CallerRecorded {
            recording_sid: id.clone(),
            seconds: seconds.parse().unwrap(),
        }));
    }
}

#[tokio::test]
async fn an_action_without_redirect_lets_the_document_go_on() {
    let record = RECORD
        .replace("<Record ", r#"<Record redirect="false" "#)
        .replace("</Response>", "<Speak>Goodbye.</Speak></Response>");
    let world = World::start(&[("/answer", &record)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));

    let reason = call.ended(DEADLINE).await.unwrap();

    assert_eq!(reason, EndReason::DocumentRanOut);
    world.assert_no_violations();
    assert_eq!(world.requests("/recorded").len(), 1);
    assert!(call.events().contains(&CarrierEvent::SpokenToCaller {
        text: "Goodbye.".into()
    }));
}

#[tokio::test]
async fn a_key_ends_the_message_and_is_told() {
    for (key, digits) in [('1', Some("1")), ('9', None)] {
        let documents = [("/answer", RECORD), ("/recorded", HANG_UP)];
        let world = World::start(&documents, Socket::Listens, |options| {
            options.caller_presses = Some(key);
        })
        .await;
        let call = world.place(&recording("listen", "none", 1));
        call.ended(DEADLINE).await.unwrap();
        world.assert_no_violations();
        let told = &world.requests("/recorded")[0];
        assert_eq!(told["RecordingDuration"], "3");
        assert_eq!(told.get("Digits").map(String::as_str), digits);
    }
}

#[tokio::test]
async fn the_caller_presses_a_key_where_a_document_asks_for_one() {
    let asks = r#"<Response><GetInput action="https://bridge.example.com/pressed" inputType="dtmf" numDigits="1">
      <Speak>Press 2 for a call back.</Speak></GetInput><Speak>Nothing was pressed.</Speak></Response>"#;
    for presses in [Some('2'), None] {
        let documents = [("/answer", asks), ("/pressed", HANG_UP)];
        let world = World::start(&documents, Socket::Listens, |options| {
            options.caller_presses = presses;
        })
        .await;
        let call = world.place(&recording("listen", "none", 1));
        call.ended(DEADLINE).await.unwrap();
        world.assert_no_violations();
        let pressed = world.requests("/pressed");
        let pressed = pressed.first().map(|told| told["Digits"].clone());
        assert_eq!(pressed, presses.map(String::from));
        let goes_on = call.events().contains(&CarrierEvent::SpokenToCaller {
            text: "Nothing was pressed.".into(),
        });
        assert_eq!(goes_on, presses.is_none());
    }
}
