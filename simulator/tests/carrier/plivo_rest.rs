//! The REST API: transfers, hangups, refusals and planned faults.

use std::time::Duration;

use handoff_simulator::carrier::plivo::TransferFetch;
use handoff_simulator::carrier::{CarrierEvent, EndReason, FaultKind, RestFault};
use serde_json::{Value, json};

use crate::plivo_server::{AUTH_ID, HANG_UP, PUBLIC, Socket, TOKEN, World, converse, is_streaming};
use crate::server::{DEADLINE, names, recording};

const HANDOFF: &str = r#"<Response><Dial timeout="25" action="https://bridge.example.com/after-dial"><Number>15550100042</Number></Dial></Response>"#;
const TAIL: &str = "<Speak>The tail.</Speak>";

fn documents(answer: &str) -> [(&str, &str); 3] {
    [
        ("/answer", answer),
        ("/handoff", HANDOFF),
        ("/after-dial", HANG_UP),
    ]
}

fn position(events: &[CarrierEvent], name: &str) -> usize {
    let names = names(events);
    names
        .iter()
        .position(|known| known == name)
        .unwrap_or_else(|| panic!("no {name}: {names:?}"))
}

fn heard_tail(events: &[CarrierEvent]) -> bool {
    events.contains(&CarrierEvent::SpokenToCaller {
        text: "The tail.".into(),
    })
}

#[tokio::test]
async fn a_transfer_is_fetched_and_executed_when_the_stream_ends() {
    let answer = converse(TAIL);
    for fetch in [TransferFetch::AtOnce, TransferFetch::WhenStreamEnds] {
        let world = World::patient(&documents(&answer), Socket::Listens, |options| {
            options.transfer_fetch = fetch;
        })
        .await;
        let call = world.place(&recording("converse", "answers", 20));
        world.streaming().await;

        let (status, body) = world.transfer(&call, "/handoff").await;

        assert_eq!(
            (status, &body["message"]),
            (202, &json!("call transferred"))
        );
        assert!(body["api_id"].is_string());
        if fetch == TransferFetch::AtOnce {
            world
                .seen(|seen| seen.requests.iter().any(|(path, _)| path == "/handoff"))
                .await;
        }
        assert!(
            !names(&call.events()).contains(&"leg_initiated".into()),
            "the stream still runs"
        );
        world.close_sockets();
        assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::HungUp);
        world.assert_no_violations();
        let events = call.events();
        assert!(position(&events, "stream_closed") < position(&events, "leg_initiated"));
        assert!(
            !heard_tail(&events),
            "the document with the tail was replaced"
        );
        assert_eq!(world.requests("/handoff")[0]["CallUUID"], call.call_sid());
        assert_eq!(world.requests("/after-dial")[0]["DialStatus"], "completed");
    }
}

#[tokio::test]
async fn a_transfer_replaces_a_document_that_no_stream_holds_at_once() {
    let answer = "<Response><Wait length='3600'/></Response>";
    let world = World::patient(&documents(answer), Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "answers", 1));
    let answered = |event: &CarrierEvent| matches!(event, CarrierEvent::WebhookAnswered { .. });
    call.wait_for(answered, DEADLINE).await.unwrap();

    let (status, _) = world.transfer(&call, "/handoff").await;

    assert_eq!(status, 202);
    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::HungUp);
    world.assert_no_violations();
}

#[tokio::test]
async fn a_transfer_that_is_accepted_and_never_executed_leaves_the_tail_to_run() {
    let answer = converse(TAIL);
    let world = World::patient(&documents(&answer), Socket::Listens, |options| {
        options.rest_faults = vec![RestFault {
            kind: FaultKind::AcceptWithoutActing,
            times: 1,
        }];
    })
    .await;
    let call = world.place(&recording("converse", "answers", 20));
    world.streaming().await;

    let (status, _) = world.transfer(&call, "/handoff").await;
    world.close_sockets();

    assert_eq!(status, 202);
    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );
    assert!(heard_tail(&call.events()));
    assert!(world.requests("/handoff").is_empty());
}

#[tokio::test]
async fn a_transfer_to_a_document_that_cannot_be_had_ends_the_call() {
    let answer = converse(TAIL);
    let world = World::patient(
        &[("/answer", &answer), ("/handoff", "500")],
        Socket::Listens,
        |options| {
            options.call_status_path = Some("/hangup".into());
        },
    )
    .await;
    let call = world.place(&recording("converse", "answers", 20));
    world.streaming().await;
    world.transfer(&call, "/handoff").await;
    world.close_sockets();

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::ApplicationError
    );
    world.assert_violation("(7013)");
    assert_eq!(world.requests("/hangup")[0]["HangupCauseCode"], "7013");
}

#[tokio::test]
async fn transfers_that_plivo_refuses_are_refused_and_noted() {
    let answer = converse(TAIL);
    let world = World::patient(&documents(&answer), Socket::Listens, |_| {}).await;
    let call = world.place(&recording("converse", "none", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();
    let url = world.call_url(&call);
    let handoff = format!("{PUBLIC}/handoff");
    let good = json!({"legs": "aleg", "aleg_url": handoff});
    let client = reqwest::Client::new();

    for (body, user, token, status, part) in [
        (
            good.clone(),
            AUTH_ID,
            "wrong",
            401,
            "without the account's credentials",
        ),
        (
            good.clone(),
            "MA9",
            TOKEN,
            401,
            "without the account's credentials",
        ),
        (json!({"legs": "aleg"}), AUTH_ID, TOKEN, 400, "absolute URL"),
        (
            json!({"legs": "aleg", "aleg_url": "/handoff"}),
            AUTH_ID,
            TOKEN,
            400,
            "absolute URL",
        ),
        (
            json!({"legs": "aleg", "aleg_url": "<Response/>"}),
            AUTH_ID,
            TOKEN,
            400,
            "no inline XML",
        ),
        (
            json!({"aleg_url": handoff}),
            AUTH_ID,
            TOKEN,
            400,
            "legs must be",
        ),
        (
            json!({"legs": "cleg", "aleg_url": handoff}),
            AUTH_ID,
            TOKEN,
            400,
            "legs must be",
        ),
        (
            json!({"legs": "bleg", "bleg_url": handoff}),
            AUTH_ID,
            TOKEN,
            400,
            "caller's leg only",
        ),
        (
            json!({"legs": "aleg", "aleg_url": handoff, "Url": ""}),
            AUTH_ID,
            TOKEN,
            400,
            "no field",
        ),
        (
            json!({"legs": "aleg", "aleg_url": handoff, "aleg_method": "PUT"}),
            AUTH_ID,
            TOKEN,
            400,
            "GET or POST",
        ),
        (json!([]), AUTH_ID, TOKEN, 400, "not a JSON object"),
    ] {
        let before = world.carrier.violations().len();
        let request = client.post(&url).basic_auth(user, Some(token)).json(&body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{body}");
        let error: Value = response.json().await.unwrap();
        assert!(error["error"].is_string());
        let violations = world.carrier.violations();
        assert_eq!(violations.len(), before + 1, "{body}");
        assert!(violations[before].contains(part), "{}", violations[before]);
    }
    let form = client
        .post(&url)
        .basic_auth(AUTH_ID, Some(TOKEN))
        .form(&[("legs", "aleg")]);
    assert_eq!(form.send().await.unwrap().status(), 400);
    world.assert_violation("not as JSON");
    let unslashed = client
        .post(url.trim_end_matches('/'))
        .basic_auth(AUTH_ID, Some(TOKEN))
        .json(&good);
    assert_eq!(unslashed.send().await.unwrap().status(), 404);
    world.assert_violation("end with a slash");
    assert!(!names(&call.events()).contains(&"call_rewritten".into()));
}

#[tokio::test]
async fn planned_faults_come_in_order_and_then_the_transfer_works() {
    let fault = |kind, times| RestFault { kind, times };
    let answer = converse(TAIL);
    let world = World::patient(&documents(&answer), Socket::Listens, |options| {
        options.rest_faults = vec![
            fault(
                FaultKind::TooManyRequests {
                    retry_after: Some(1),
                },
                2,
            ),
            fault(FaultKind::ServerError(503), 1),
            fault(FaultKind::CutBeforeActing, 1),
            fault(FaultKind::Delay(Duration::from_millis(50)), 1),
        ];
    })
    .await;
    let call = world.place(&recording("converse", "answers", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();

    for expected in [429, 429, 503] {
        assert_eq!(world.transfer(&call, "/handoff").await.0, expected);
    }
    let body = json!({"legs": "aleg", "aleg_url": format!("{PUBLIC}/handoff")});
    let request = reqwest::Client::new()
        .post(world.call_url(&call))
        .basic_auth(AUTH_ID, Some(TOKEN))
        .json(&body);
    assert!(request.send().await.is_err(), "the connection is cut");
    assert!(!names(&call.events()).contains(&"call_rewritten".into()));

    assert_eq!(world.transfer(&call, "/handoff").await.0, 202);
    world.close_sockets();
    call.ended(DEADLINE).await.unwrap();
    world.assert_no_violations();
}

#[tokio::test]
async fn a_transfer_that_was_carried_out_without_an_answer_may_not_be_repeated() {
    for kind in [FaultKind::HangAfterActing, FaultKind::CutAfterActing] {
        let answer = converse(TAIL);
        let world = World::patient(&documents(&answer), Socket::Listens, |options| {
            options.rest_faults = vec![RestFault { kind, times: 1 }];
        })
        .await;
        let call = world.place(&recording("converse", "no_answer", 20));
        world.streaming().await;
        let client = reqwest::Client::builder()
            .timeout(Duration::from_millis(200))
            .build()
            .unwrap();
        let body = json!({"legs": "aleg", "aleg_url": format!("{PUBLIC}/handoff")});

        let unanswered = client
            .post(world.call_url(&call))
            .basic_auth(AUTH_ID, Some(TOKEN))
            .json(&body)
            .send()
            .await;

        assert!(unanswered.is_err());
        let fetched = |event: &CarrierEvent| matches!(event, CarrierEvent::WebhookAnswered { url, .. } if url.ends_with("/handoff"));
        call.wait_for(fetched, DEADLINE).await.unwrap();
        world.assert_no_violations();
        world.transfer(&call, "/handoff").await;
        world.assert_violation("which restarts it");
    }
}

#[tokio::test]
async fn two_transfers_to_one_document_at_a_time_are_a_violation() {
    let answer = converse(TAIL);
    let world = World::patient(&documents(&answer), Socket::Listens, |options| {
        options.rest_delay = Duration::from_millis(300);
    })
    .await;
    let call = world.place(&recording("converse", "answers", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();
    tokio::join!(
        world.transfer(&call, "/handoff"),
        world.transfer(&call, "/handoff")
    );
    world.assert_violation("in flight at once");
}

#[tokio::test]
async fn the_seventy_first_transfer_hangs_up() {
    let answer = converse(TAIL);
    let world = World::patient(&documents(&answer), Socket::Listens, |options| {
        options.transfer_fetch = TransferFetch::WhenStreamEnds;
        options.call_status_path = Some("/hangup".into());
    })
    .await;
    let call = world.place(&recording("converse", "none", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();
    for number in 1..=70 {
        assert_eq!(
            world.transfer(&call, &format!("/handoff/{number}")).await.0,
            202
        );
    }
    world.assert_no_violations();

    world.transfer(&call, "/handoff/71").await;

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::LoopDetected);
    world.assert_violation("Loop detected");
    assert_eq!(world.requests("/hangup")[0]["HangupCause"], "Loop detected");
}

#[tokio::test]
async fn a_live_call_can_be_read_and_hung_up_and_is_gone_then() {
    let answer = converse(TAIL);
    let world = World::patient(&documents(&answer), Socket::Listens, |_| {}).await;
    let call = world.place(&recording("converse", "none", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();
    let client = reqwest::Client::new();
    let url = world.call_url(&call);
    let read = |url: String| client.get(url).basic_auth(AUTH_ID, Some(TOKEN)).send();

    let live: Value = read(format!("{url}?status=live"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&live["call_status"], &live["from"]),
        (&json!("in-progress"), &json!("15550100001"))
    );
    let list = format!(
        "{}/v1/Account/{AUTH_ID}/Call/?status=live",
        world.carrier.base_url()
    );
    let list: Value = read(list).await.unwrap().json().await.unwrap();
    assert_eq!(list["calls"], json!([call.call_sid()]));
    let hung_up = client
        .delete(&url)
        .basic_auth(AUTH_ID, Some(TOKEN))
        .send()
        .await
        .unwrap();
    assert_eq!(hung_up.status(), 204);

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::CompletedByRest
    );
    assert_eq!(
        read(format!("{url}?status=live")).await.unwrap().status(),
        404
    );
    let again = client
        .delete(&url)
        .basic_auth(AUTH_ID, Some(TOKEN))
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 404);
    assert_eq!(world.transfer(&call, "/handoff").await.0, 404);
    world.assert_no_violations();
}

#[tokio::test]
async fn a_call_of_nobody_and_a_call_without_status_live_are_not_found() {
    let answer = converse(TAIL);
    let world = World::patient(&documents(&answer), Socket::Listens, |_| {}).await;
    let call = world.place(&recording("converse", "none", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();
    let unknown = world
        .call_url(&call)
        .replace("-000000000001/", "-000000000009/?status=live");
    for (url, part) in [
        (unknown, "does not have"),
        (world.call_url(&call), "without ?status=live"),
    ] {
        let request = reqwest::Client::new()
            .get(url)
            .basic_auth(AUTH_ID, Some(TOKEN));
        assert_eq!(request.send().await.unwrap().status(), 404);
        world.assert_violation(part);
    }
}

#[tokio::test]
async fn a_stream_can_be_stopped_over_rest_and_the_document_goes_on() {
    let answer = converse(TAIL);
    let world = World::patient(&documents(&answer), Socket::Listens, |_| {}).await;
    let call = world.place(&recording("converse", "none", 20));
    call.wait_for(is_streaming, DEADLINE).await.unwrap();
    let url = format!("{}Stream/", world.call_url(&call));
    let client = reqwest::Client::new();
    let listed = client
        .get(&url)
        .basic_auth(AUTH_ID, Some(TOKEN))
        .send()
        .await
        .unwrap();
    let listed: Value = listed.json().await.unwrap();
    assert!(listed["objects"][0]["stream_id"].is_string());

    let stopped = client
        .delete(&url)
        .basic_auth(AUTH_ID, Some(TOKEN))
        .send()
        .await
        .unwrap();

    assert_eq!(stopped.status(), 204);
    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );
    assert!(heard_tail(&call.events()));
    world.assert_no_violations();
}
