//! `<Refer>`: only a SIP telephone can be referred, and it says what became of it.

use handoff_simulator::carrier::{CarrierEvent, EndReason, Human};

use crate::server::{DEADLINE, Socket, World, recording};

const REFER: &str = r#"<Response><Refer action="/after-refer"><Sip>sip:desk@pbx.example.com?x-handoff-id=h1</Sip></Refer></Response>"#;
const NO_ACTION: &str =
    "<Response><Refer><Sip>sip:desk@pbx.example.com</Sip></Refer><Say>Still here.</Say></Response>";
const SIP_CALLER: &str = "sip:customer@shop.example.com";

async fn referred(human: Human, caller: Option<&str>, response: u16) -> World {
    let documents = [("/voice", REFER), ("/after-refer", "<Response/>")];
    let world = World::start(&documents, Socket::Listens, |options| {
        options
            .humans
            .insert("sip:desk@pbx.example.com".into(), human);
        options.caller = caller.map(str::to_owned);
        options.refer_response = response;
    })
    .await;
    world.play(&recording("listen", "none", 1)).await;
    world
}

#[tokio::test]
async fn the_action_is_told_what_the_telephone_reported() {
    for (human, response, status, notified) in [
        (Human::answers(), 202, "in-progress", Some("200")),
        (Human::Busy, 202, "busy", Some("486")),
        (Human::Rejects, 202, "busy", Some("603")),
        (Human::NoAnswer, 202, "no-answer", Some("487")),
        (Human::Unreachable, 202, "failed", Some("404")),
        (Human::answers(), 405, "failed", None),
    ] {
        let world = referred(human, Some(SIP_CALLER), response).await;

        world.assert_no_violations();
        let action = &world.requests("/after-refer")[0];
        assert_eq!(action["ReferCallStatus"], status, "{human:?}");
        assert_eq!(action["ReferSipResponseCode"], response.to_string());
        let told = action.get("NotifySipResponseCode").map(String::as_str);
        assert_eq!(told, notified, "{human:?}");
    }
}

#[tokio::test]
async fn a_call_from_a_sip_telephone_says_so_in_the_webhook() {
    let world = referred(Human::answers(), Some(SIP_CALLER), 202).await;

    let voice = &world.requests("/voice")[0];
    assert_eq!(
        (&*voice["From"], &*voice["SipDomain"]),
        (SIP_CALLER, "shop.example.com")
    );
}

#[tokio::test]
async fn a_telephone_call_cannot_be_referred() {
    let world = referred(Human::answers(), None, 202).await;

    world.assert_violation("SIP telephone only");
    let action = &world.requests("/after-refer")[0];
    assert_eq!(action["ReferCallStatus"], "failed");
    assert!(!action.contains_key("ReferSipResponseCode"));
}

#[tokio::test]
async fn without_an_action_the_next_verb_follows() {
    let world = World::start(&[("/voice", NO_ACTION)], Socket::Listens, |options| {
        options.caller = Some(SIP_CALLER.into());
    })
    .await;
    let call = world.place(&recording("listen", "busy", 1));

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );

    world.assert_no_violations();
    let referred = CarrierEvent::CallReferred {
        to: "sip:desk@pbx.example.com".into(),
        sip_headers: Vec::new(),
        sip_code: 202,
        notified: Some(486),
    };
    assert!(call.events().contains(&referred));
    assert!(call.events().contains(&CarrierEvent::SpokenToCaller {
        text: "Still here.".into()
    }));
}
