//! Calls that the REST API makes: judged, rung, answered, ended and told.

use std::time::Duration;

use handoff_simulator::carrier::{
    CarrierEvent, FaultKind, Human, LegStatus, Logged, RestFault, Speed,
};
use serde_json::{Value, json};

use crate::plivo_server::{AUTH_ID, PUBLIC, Socket, TOKEN, World};
use crate::server::{DEADLINE, names};

const BRIEF: &str = r#"<Response><Speak>A caller about a bill. Press 1.</Speak>
  <GetDigits action="https://bridge.example.com/accepted" numDigits="1" timeout="5"><Speak>Press 1.</Speak></GetDigits>
  <Hangup/></Response>"#;
const ACCEPTED: &str = "<Response><Speak>Thank you.</Speak></Response>";

async fn world(document: &str, human: Human) -> World {
    let documents = [("/human", document), ("/accepted", ACCEPTED)];
    World::start(&documents, Socket::Listens, |options| {
        options.humans = [("15550100042".to_owned(), human)].into();
    })
    .await
}

#[tokio::test]
async fn a_human_who_answers_hears_the_document_and_presses_the_key() {
    let world = world(BRIEF, Human::answers()).await;

    let uuid = world.create(json!({"send_digits": "ww7"})).await;
    let over = world.leg_over(&uuid, "/over").await;

    world.assert_no_violations();
    assert!(matches!(
        over,
        CarrierEvent::LegCompleted {
            status: LegStatus::Completed,
            bridged: false,
            ..
        }
    ));
    let events = world.events(&uuid);
    let course: Vec<_> = names(&events)
        .into_iter()
        .filter(|name| name.starts_with("leg_") || name.starts_with("spoken_"))
        .collect();
    assert_eq!(
        course,
        [
            "leg_initiated",
            "leg_ringing",
            "leg_answered",
            "spoken_to_human",
            "spoken_to_human",
            "spoken_to_human",
            "leg_completed"
        ]
    );
    assert!(matches!(
        &events[0],
        CarrierEvent::LegInitiated { to, caller_id, digits, .. }
            if to == "15550100042" && caller_id == "15550100002" && digits.as_deref() == Some("ww7")
    ));
    let human = &world.requests("/human")[0];
    for (name, value) in [
        ("CallUUID", uuid.as_str()),
        ("Direction", "outbound"),
        ("CallStatus", "in-progress"),
        ("From", "15550100002"),
        ("To", "15550100042"),
        ("Event", "StartApp"),
    ] {
        assert_eq!(human[name], value, "{name}");
    }
    assert_eq!(world.requests("/accepted")[0]["Digits"], "1");
    assert_eq!(world.requests("/ring")[0]["CallStatus"], "ringing");
    let over = &world.requests("/over")[0];
    assert_eq!(
        (&*over["CallStatus"], &*over["HangupCause"]),
        ("completed", "End Of XML Instructions")
    );
}

#[tokio::test]
async fn every_way_not_to_answer_has_its_status() {
    let after = |seconds| Human::Answers {
        after: Duration::from_secs(seconds),
        talks_for: Duration::ZERO,
        presses: None,
    };
    let timeout = json!({"ring_timeout": 20});
    for (human, change, status, cause, rings) in [
        (Human::Busy, json!({}), "busy", "USER_BUSY", false),
        (Human::Rejects, json!({}), "busy", "CALL_REJECTED", true),
        (
            Human::Unreachable,
            json!({}),
            "failed",
            "NO_ROUTE_DESTINATION",
            false,
        ),
        (Human::NoAnswer, json!({}), "no-answer", "NO_ANSWER", true),
        (after(21), timeout.clone(), "timeout", "NO_ANSWER", true),
        (Human::NoAnswer, timeout, "timeout", "NO_ANSWER", true),
    ] {
        let world = world(BRIEF, human).await;
        let uuid = world.create(change).await;
        world.leg_over(&uuid, "/over").await;
        world.assert_no_violations();
        let over = &world.requests("/over")[0];
        assert_eq!(
            (&*over["CallStatus"], &*over["HangupCause"]),
            (status, cause)
        );
        assert_eq!(!world.requests("/ring").is_empty(), rings);
        assert!(world.requests("/human").is_empty());
    }
}

#[tokio::test]
async fn a_machine_presses_nothing_and_a_human_may_hang_up_at_the_first_words() {
    let voicemail = Human::Voicemail {
        after: Duration::from_secs(1),
        speaks_for: Duration::from_secs(60),
    };
    let hangs_up = Human::HangsUpInWhisper {
        after: Duration::from_secs(1),
    };
    for (human, heard) in [(voicemail, 2), (hangs_up, 1)] {
        let world = world(BRIEF, human).await;
        let uuid = world.create(json!({})).await;
        world.leg_over(&uuid, "/over").await;
        world.assert_no_violations();
        let spoken = names(&world.events(&uuid));
        let spoken = spoken.iter().filter(|name| *name == "spoken_to_human");
        assert_eq!(spoken.count(), heard);
        assert!(world.requests("/accepted").is_empty());
        assert_eq!(world.requests("/over")[0]["HangupCause"], "NORMAL_CLEARING");
    }
}

#[tokio::test]
async fn a_call_is_ended_over_rest_while_it_rings_and_while_it_talks() {
    for (human, until, status) in [
        (Human::NoAnswer, "leg_ringing", "canceled"),
        (Human::answers(), "spoken_to_human", "completed"),
    ] {
        let document = "<Response><Speak>Wait.</Speak><Wait length='3600'/></Response>";
        let world = World::start(&[("/human", document)], Socket::Listens, |options| {
            options.speed = Speed::Times(5.0);
            options.human = Some(human);
        })
        .await;
        let uuid = world.create(json!({})).await;
        let reached = |logged: &Logged| names(std::slice::from_ref(&logged.event)) == [until];
        world.carrier.wait_for(reached, DEADLINE).await.unwrap();

        assert_eq!(world.hang_up(&uuid).await, 204);

        world.leg_over(&uuid, "/over").await;
        assert_eq!(world.requests("/over")[0]["CallStatus"], status);
        assert_eq!(world.hang_up(&uuid).await, 404);
        world.assert_no_violations();
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_had_is_taken_from_the_fallback() {
    for (fallback, cause) in [
        (Some("/accepted"), "End Of XML Instructions"),
        (None, "Error"),
    ] {
        let world = world("500", Human::answers()).await;
        let url = fallback.map(|path| format!("{PUBLIC}{path}"));
        let change = url.map_or(json!({}), |url| json!({"fallback_url": url}));
        let uuid = world.create(change).await;
        world.leg_over(&uuid, "/over").await;
        world.assert_violation("(7011)");
        assert_eq!(world.requests("/over")[0]["HangupCause"], cause);
    }
}

#[tokio::test]
async fn calls_that_plivo_refuses_are_refused_and_noted() {
    let world = world(BRIEF, Human::answers()).await;
    let answer_url = format!("{PUBLIC}/human");
    let good = json!({"from": "15550100002", "to": "15550100042", "answer_url": answer_url});
    for (field, value, part) in [
        ("from", Value::Null, "from of a call is null"),
        ("from", json!("desk"), "not an E.164 number"),
        (
            "to",
            json!("15550100042<15550100043"),
            "E.164 number or a SIP URI",
        ),
        ("to", json!("+15550100002"), "from the number that it is to"),
        ("answer_url", json!("/human"), "not an absolute URL"),
        ("answer_method", json!("PUT"), "not one of GET, POST"),
        ("ring_timeout", json!("20"), "not a JSON number"),
        ("ring_timeout", json!(-1), "not a number from 0"),
        ("send_digits", json!("call me"), "not keys of a telephone"),
        ("send_on_preanswer", json!("true"), "not a JSON boolean"),
        ("sip_headers", json!("id=a b"), "letters and digits"),
        (
            "sip_headers",
            json!("Plivoid=1"),
            "whose prefix Plivo drops",
        ),
        ("caller_name", json!("x".repeat(51)), "1 to 50 characters"),
        ("machine_detection", json!("true"), "cannot play"),
        ("answerUrl", json!(""), "no field"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let before = world.carrier.violations().len();
        let (status, answer) = world.post("Call/", &body).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].is_string());
        let violations = world.carrier.violations();
        assert_eq!(violations.len(), before + 1, "{body}");
        assert!(violations[before].contains(part), "{}", violations[before]);
    }
    for field in ["from", "to", "answer_url"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(field);
        assert_eq!(world.post("Call/", &body).await.0, 400, "{field}");
    }
    let url = format!("{}/v1/Account/{AUTH_ID}/Call/", world.carrier.base_url());
    let client = reqwest::Client::new();
    let form = client.post(&url).basic_auth(AUTH_ID, Some(TOKEN));
    let form = form.form(&[("from", "15550100002")]).send().await.unwrap();
    assert_eq!(form.status(), 400);
    let stranger = client.post(&url).basic_auth(AUTH_ID, Some("wrong"));
    let stranger = stranger.json(&good).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    let rang = |logged: &Logged| matches!(logged.event, CarrierEvent::LegInitiated { .. });
    assert!(!world.carrier.log().since(0).iter().any(rang));
}

#[tokio::test]
async fn planned_faults_meet_the_making_of_calls_too() {
    let world = world(BRIEF, Human::answers()).await;
    let body = json!({
        "from": "15550100002", "to": "15550100042", "answer_url": format!("{PUBLIC}/human"),
    });
    for kind in [
        FaultKind::TooManyRequests { retry_after: None },
        FaultKind::ServerError(503),
        FaultKind::AcceptWithoutActing,
    ] {
        world.carrier.add_create_fault(RestFault { kind, times: 1 });
    }
    for status in [429, 503, 201] {
        assert_eq!(world.post("Call/", &body).await.0, status);
    }
    world.carrier.add_create_fault(RestFault {
        kind: FaultKind::CutAfterActing,
        times: 1,
    });
    let url = format!("{}/v1/Account/{AUTH_ID}/Call/", world.carrier.base_url());
    let request = reqwest::Client::new().post(url).json(&body);
    let cut = request.basic_auth(AUTH_ID, Some(TOKEN)).send().await;
    assert!(cut.is_err());
    let answered = |logged: &Logged| matches!(logged.event, CarrierEvent::LegAnswered { .. });
    world.carrier.wait_for(answered, DEADLINE).await.unwrap();
    let log = world.carrier.log().since(0);
    let rung = log
        .iter()
        .filter(|logged| matches!(logged.event, CarrierEvent::LegInitiated { .. }));
    assert_eq!(rung.count(), 1, "only the last was carried out");
}

#[tokio::test]
async fn the_callbacks_of_a_call_may_come_twice_and_out_of_order() {
    let world = World::start(&[("/human", ACCEPTED)], Socket::Listens, |options| {
        options.human = Some(Human::answers());
        options.duplicate_callbacks = true;
        options.shuffle_leg_callbacks = true;
    })
    .await;
    let uuid = world.create(json!({})).await;
    world.leg_over(&uuid, "/over").await;
    world
        .seen(|seen| {
            let order: Vec<_> = seen
                .requests
                .iter()
                .map(|(path, _)| path.as_str())
                .collect();
            order == ["/human", "/over", "/over", "/ring", "/ring"]
        })
        .await;
    world.assert_no_violations();
}
