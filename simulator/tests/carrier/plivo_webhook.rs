//! Webhooks and documents: signed, retried and executed.

use handoff_simulator::carrier::plivo::{CarrierOptions, sign};
use handoff_simulator::carrier::{AfterRecording, CarrierEvent, EndReason, Method};

use crate::plivo_server::{HANG_UP, PUBLIC, Socket, TOKEN, World};
use crate::server::{DEADLINE, names, recording};

const LISTEN: &str = r#"<Response><Stream contentType="audio/x-mulaw;rate=8000" audioTrack="both">wss://bridge.example.com/media/t1</Stream>
  <Redirect>https://bot.example.com/voice</Redirect></Response>"#;

#[tokio::test]
async fn the_answer_webhook_has_the_calls_parameters_and_numbers_without_plus() {
    let world = World::start(&[("/answer", HANG_UP)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::HungUp);

    world.assert_no_violations();
    assert_eq!(call.call_sid(), "00000000-0000-0000-0000-000000000001");
    let answer = &world.requests("/answer")[0];
    for (name, value) in [
        ("CallUUID", call.call_sid()),
        ("From", "15550100001"),
        ("To", "15550100002"),
        ("Direction", "inbound"),
        ("CallStatus", "ringing"),
        ("Event", "StartApp"),
    ] {
        assert_eq!(answer[name], value, "{name}");
    }
    assert!(!answer.contains_key("StirVerstat"), "a parameter of Twilio");
}

#[tokio::test]
async fn a_sub_account_signs_v3_with_its_own_token_and_every_nonce_is_new() {
    let world = World::start(
        &[("/answer", r#"<Response><Redirect method="GET">https://bridge.example.com/next?a=1</Redirect></Response>"#), ("/next", HANG_UP)],
        Socket::Listens,
        |options| options.sub_account_token = Some("sub".into()),
    )
    .await;
    let call = world.place(&recording("listen", "none", 1));
    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    let signatures = world.signatures();
    let [by_owner, main, nonce] = &signatures[0];
    assert_ne!(by_owner, main);
    let parameters: Vec<_> = world.requests("/answer")[0].clone().into_iter().collect();
    let url = format!("{PUBLIC}/answer");
    assert_eq!(
        *by_owner,
        sign("sub", Method::Post, &url, &parameters, nonce)
    );
    assert_ne!(signatures[0][2], signatures[1][2]);
    assert_eq!(world.requests("/next")[0]["CallUUID"], call.call_sid());
}

#[tokio::test]
async fn while_tokens_rotate_the_valid_signature_is_second_in_the_list() {
    let world = World::start(&[("/answer", HANG_UP)], Socket::Listens, |options| {
        options.outgoing_token = Some("old".into());
    })
    .await;
    let call = world.place(&recording("listen", "none", 1));
    call.ended(DEADLINE).await.unwrap();

    let [by_owner, _, nonce] = &world.signatures()[0];
    let parameters: Vec<_> = world.requests("/answer")[0].clone().into_iter().collect();
    let url = format!("{PUBLIC}/answer");
    let valid = sign(TOKEN, Method::Post, &url, &parameters, nonce);
    assert!(by_owner.ends_with(&format!(",{valid}")));
}

#[tokio::test]
async fn a_listening_stream_goes_on_beside_the_bot_that_the_call_is_sent_to() {
    let hang_up_after =
        |options: &mut CarrierOptions| options.after_recording = AfterRecording::HangUp;
    let world = World::start(&[("/answer", LISTEN)], Socket::Listens, hang_up_after).await;
    let call = world.place(&recording("listen", "none", 1));

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::CallerHungUp);

    world.assert_no_violations();
    assert!(names(&call.events()).contains(&"bot_visited".into()));
    assert_eq!(world.sockets().len(), 1);
}

#[tokio::test]
async fn different_answers_to_a_repeated_webhook_are_a_violation() {
    for (document, same) in [
        (HANG_UP, true),
        ("<Response><Speak>COUNT</Speak></Response>", false),
    ] {
        let world = World::start(&[("/answer", document)], Socket::Listens, |options| {
            options.voice_webhook_twice = true;
        })
        .await;
        let call = world.place(&recording("listen", "none", 1));
        call.ended(DEADLINE).await.unwrap();
        assert_eq!(world.requests("/answer").len(), 2);
        assert_eq!(world.carrier.violations().is_empty(), same);
    }
}

#[tokio::test]
async fn an_answer_that_plivo_cannot_use_ends_the_call_and_is_a_violation() {
    for (document, part) in [
        ("500", "(7011)"),
        ("302", "(7011)"),
        ("hello", "(8011)"),
        (
            "<Response><Say>Hello.</Say></Response>",
            "<Say> is not an element of Plivo (8011)",
        ),
        (
            r#"<Response><Speak rate="fast">Hello.</Speak></Response>"#,
            "no attribute rate (8011)",
        ),
    ] {
        let world = World::start(&[("/answer", document)], Socket::Listens, |options| {
            options.call_status_path = Some("/hangup".into());
        })
        .await;
        let call = world.place(&recording("listen", "none", 1));

        let reason = call.ended(DEADLINE).await.unwrap();

        assert_eq!(reason, EndReason::ApplicationError, "{document}");
        world.assert_violation(part);
        let code = part.split(['(', ')']).rev().nth(1).unwrap();
        assert_eq!(world.requests("/hangup")[0]["HangupCauseCode"], code);
    }
}

#[tokio::test]
async fn a_dead_server_is_asked_again_and_then_the_call_ends() {
    let world = World::start(&[("/answer", HANG_UP)], Socket::Listens, |_| {}).await;
    world.kill();
    let call = world.place(&recording("listen", "none", 1));

    let reason = call.ended(DEADLINE).await.unwrap();

    assert_eq!(reason, EndReason::ApplicationError);
    world.assert_no_violations();
    let failed =
        |event: &&CarrierEvent| matches!(event, CarrierEvent::WebhookFailed { code: 7011, .. });
    assert_eq!(call.events().iter().filter(failed).count(), 4);
}

#[tokio::test]
async fn the_fallback_answers_when_the_answer_webhook_cannot_be_had() {
    let documents = [("/answer", "503"), ("/fallback", HANG_UP)];
    let world = World::start(&documents, Socket::Listens, |options| {
        options.fallback_path = Some("/fallback".into());
    })
    .await;
    let call = world.place(&recording("listen", "none", 1));

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::HungUp);
    assert_eq!(world.requests("/fallback").len(), 1);
}

#[tokio::test]
async fn only_a_redirect_may_lead_away_from_the_server() {
    let document = r#"<Response><Dial action="https://elsewhere.example.com/after"><Number>15550100042</Number></Dial></Response>"#;
    let world = World::start(&[("/answer", document)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "busy", 1));
    call.ended(DEADLINE).await.unwrap();
    world.assert_violation("only a <Redirect> may lead elsewhere");
}

#[tokio::test]
async fn a_parameter_that_plivo_sends_too_may_not_be_in_the_query() {
    let document = r#"<Response><Redirect method="GET">https://bridge.example.com/next?CallUUID=1</Redirect></Response>"#;
    let documents = [("/answer", document), ("/next", HANG_UP)];
    let world = World::start(&documents, Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));
    call.ended(DEADLINE).await.unwrap();
    world.assert_violation("libraries disagree");
}

#[tokio::test]
async fn a_document_that_redirects_to_itself_is_stopped() {
    let document = "<Response><Redirect>https://bridge.example.com/answer</Redirect></Response>";
    let world = World::start(&[("/answer", document)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));
    let reason = call.ended(DEADLINE).await.unwrap();
    assert_eq!(reason, EndReason::ApplicationError);
    world.assert_violation("found no end");
}

#[tokio::test]
async fn every_other_element_is_played() {
    let document = r#"<Response><PreAnswer><Speak>One moment.</Speak></PreAnswer><Speak voice="Polly.Amy">Hello.</Speak>
        <Play>https://bridge.example.com/hello.mp3</Play><Wait length="2"/>
        <GetInput action="https://bridge.example.com/keys" inputType="dtmf" executionTimeout="5"><Speak>Press 1.</Speak></GetInput>
        <GetDigits action="https://bridge.example.com/keys"/>
        <Record recordSession="true" callbackUrl="https://bridge.example.com/recorded"/>
        <Record maxLength="5" redirect="false" action="https://bridge.example.com/voicemail"/>
        <Conference timeLimit="2" redirect="false" action="https://bridge.example.com/room" callbackUrl="https://bridge.example.com/members">line1</Conference>
        <Hangup/></Response>"#;
    let world = World::patient(&[("/answer", document)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::HungUp);

    // An action with redirect=false is a notification: the server answered 204, which is enough.
    world.assert_no_violations();

    let heard: Vec<_> = call
        .events()
        .into_iter()
        .filter_map(|event| {
            let CarrierEvent::SpokenToCaller { text } = event else {
                return None;
            };
            Some(text)
        })
        .collect();
    let file = "https://bridge.example.com/hello.mp3";
    assert_eq!(heard, ["One moment.", "Hello.", file, "Press 1."]);
    assert_eq!(world.requests("/voicemail").len(), 1);
    assert_eq!(world.requests("/room").len(), 1);
    assert_eq!(world.requests("/members").len(), 2);
}

#[tokio::test]
async fn a_scheduled_hangup_lets_the_document_go_on_meanwhile() {
    let document = r#"<Response><Hangup schedule="5"/><Speak>Five seconds.</Speak><Wait length="600"/></Response>"#;
    let world = World::patient(&[("/answer", document)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));
    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::HungUp);
    assert!(names(&call.events()).contains(&"spoken_to_caller".into()));
}
