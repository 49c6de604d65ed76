//! What people say, who they are and what proves anything is in no log, metric or error.

use std::time::Duration;

use handoff_simulator::carrier::Speed;
use handoff_simulator::recognizer::{CallResults, Fault, FaultKind};
use handoff_simulator::sinks::{FaultKind as SinkFaultKind, SinkFault};
use reqwest::{Method, StatusCode};

use super::by_hand::{
    Proof, VOICE, announce, call_form, hang_up, media, open, post, sid, start, token_of,
};
use super::stage::{API_TOKEN, AUTH_TOKEN, Setup, Stage, streams};

/// Spoken in `asks-for-human`, in words that no program would choose for its own messages.
const SPOKEN: [&str; 6] = [
    "lamp",
    "refund",
    "4471",
    "Larkfield",
    "going nowhere",
    "speak to a human",
];
/// Who is on the line, and what else came with the call.
const WHO: [&str; 6] = [
    "5550100011",
    "5550100090",
    "DANA",
    "WHITLOCK",
    "SALEM",
    "5550100042",
];
/// What proves who is who.
const TOKENS: [&str; 7] = [
    AUTH_TOKEN,
    API_TOKEN,
    "dg-test-key",
    "zendesk-test-secret",
    "xoxb-slack-test-token",
    "the-stated-reason",
    "guessed-token",
];

#[tokio::test]
async fn nothing_personal_is_logged_or_shown_even_at_trace() {
    let mut setup = Setup::of("asks-for-human");
    setup.env("HANDOFF_LOG", "trace");
    setup.carrier.speed = Speed::Times(10.0);
    // Failures are where payloads end up in messages.
    setup
        .zendesk
        .faults
        .push(SinkFault::once(SinkFaultKind::ServerError));
    setup
        .slack
        .faults
        .push(SinkFault::once(SinkFaultKind::CutAfter));
    setup
        .recognizer
        .faults
        .push(Fault::once(FaultKind::MalformedJson { after_ms: 3_000 }));
    setup
        .results
        .push(CallResults::parse(&sid(1), "nothing", "").expect("no results"));
    let mut stage = Stage::set(setup).await;
    stage.expect_violation("names a call that the account does not have");

    let call = stage.place();
    stage.see(&call, streams).await;
    let token = token_of(&announce(&stage, call.call_sid()).await.document).expect("a token");
    let mut shown = errors(&stage).await;
    misbehave(&stage).await;
    let id = {
        let (_, calls) = stage.api(Method::GET, "/api/calls", "").await;
        let calls = calls.as_array().expect("a list").clone();
        let of_call = calls
            .iter()
            .find(|live| live["carrier_call"] == call.call_sid());
        of_call.expect("the call is live")["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    let reason = r#"{"reason":"the-stated-reason"}"#;
    let other = stage.live_call_beside(&id).await;
    let path = format!("/api/calls/{other}/handoff");
    assert_eq!(
        stage.api(Method::POST, &path, reason).await.0,
        StatusCode::ACCEPTED
    );
    stage.ended(&call).await;
    hang_up(&stage, &sid(1)).await;
    stage.idle().await;
    stage.undelivered(0).await;
    shown.push(stage.get("/metrics").await.1);
    // The needles are what the sinks really got, so that they are known to have been there.
    let ticket = stage.zendesk.tickets();
    let ticket = format!("{ticket:?}");
    for needle in SPOKEN {
        assert!(
            ticket.contains(needle),
            "{needle:?} was not even in the ticket"
        );
    }
    let books = stage.finish().await;
    for level in ["TRACE", "DEBUG", "INFO", "WARN"] {
        let is_of_level = |line: &String| line.split_whitespace().nth(1) == Some(level);
        assert!(
            books.log.iter().any(is_of_level),
            "the log has lines of {level}"
        );
    }

    for needle in SPOKEN
        .iter()
        .chain(&WHO)
        .chain(&TOKENS)
        .copied()
        .chain([token.as_str()])
    {
        let logged: Vec<_> = books
            .log
            .iter()
            .filter(|line| after_instant(line).contains(needle))
            .collect();
        assert!(
            logged.is_empty(),
            "{needle:?} is logged: {:#?}",
            &logged[..logged.len().min(5)]
        );
        let answered = shown.iter().find(|text| text.contains(needle));
        assert!(answered.is_none(), "{needle:?} is shown: {answered:?}");
    }
}

/// Asks for every kind of error and gives the answers' bodies.
async fn errors(stage: &Stage) -> Vec<String> {
    let mut shown = Vec::new();
    let mut with_name = call_form("not a call sid");
    with_name.push(("CallerName".to_owned(), "DANA WHITLOCK".to_owned()));
    for proof in [Proof::None, Proof::With("another-token"), Proof::Right] {
        for path in [
            VOICE,
            "/twilio/status",
            "/twilio/after-dial/ho_x/1/default",
            "/twilio/leg/ho_x/1/default",
        ] {
            let (status, body) = post(stage, path, &with_name, &proof).await;
            if !status.is_success() {
                shown.push(body);
            }
        }
    }
    for (method, path, body) in [
        (
            Method::POST,
            "/api/calls/+15550100011/handoff",
            "{\"reason\":\"the-stated-reason\",}",
        ),
        (Method::POST, "/api/calls/x/handoff", "the-stated-reason"),
        (Method::GET, "/api/calls/lamp", ""),
        (Method::GET, "/lamp", ""),
    ] {
        let request = stage
            .client
            .request(method.clone(), stage.url(path))
            .body(body);
        let answer = request
            .bearer_auth("guessed-token")
            .send()
            .await
            .expect("an answer");
        shown.push(answer.text().await.expect("a text"));
        let request = stage.client.request(method, stage.url(path)).body(body);
        let answer = request
            .bearer_auth(API_TOKEN)
            .send()
            .await
            .expect("an answer");
        shown.push(answer.text().await.expect("a text"));
    }
    shown
}

/// Sends what cannot be read, with something personal in it.
async fn misbehave(stage: &Stage) {
    let call = announce(stage, &sid(1)).await;
    assert_eq!(
        open(stage, "guessed-token", &Proof::None).await.err(),
        Some(403)
    );
    let Ok(mut socket) = open(stage, &call.token, &Proof::Right).await else {
        panic!("a live token");
    };
    socket
        .send(start(&call.call_sid, Some("guessed-token")))
        .await;
    let closed = tokio::time::timeout(Duration::from_secs(20), socket.closed(stage)).await;
    assert_eq!(closed.expect("closed in time"), Some(1008));
    let Ok(mut socket) = open(stage, &call.token, &Proof::Right).await else {
        panic!("a live token");
    };
    socket.introduce(&call.call_sid, Some(&call.token)).await;
    for text in [
        r#"{"event":"media","media":{"track":"DANA WHITLOCK","payload":"lamp"}}"#,
        r#"{"event":"dtmf","dtmf":{"digit":"4471"}}"#,
        r#"{"event":"speak to a human"}"#,
        r#"{"event":["lamp"]}"#,
        "refund",
    ] {
        socket.send(text).await;
    }
    socket.send(media(0, "lamp!refund")).await;
    socket.play(200).await;
    socket.send(r#"{"event":"stop","stop":{}}"#).await;
    socket.closed(stage).await;
}

/// A line of the log without its first word, whose digits may be anybody's.
fn after_instant(line: &str) -> &str {
    line.split_once(' ').map_or(line, |(_, rest)| rest)
}
