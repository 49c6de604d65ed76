//! Recognizers that refuse, break off or are not there: keys and the API still hand calls over.

use handoff_core::call::{Disposition, Fact, TriggerSource};
use handoff_simulator::carrier::Speed;
use handoff_simulator::recognizer::{Fault, FaultKind, Speaker};
use reqwest::{Method, StatusCode};

use super::stage::{Setup, Stage, count, rewritten, rings, streams};
use super::story::{only_ticket, reached_a_human};

#[tokio::test]
async fn a_recognizer_that_refuses_our_key_leaves_the_keys_of_the_telephone() {
    let mut setup = Setup::of("presses-zero");
    let refuse = Fault::once(FaultKind::Refuse { status: 401 }).times(100);
    setup.recognizer.faults.push(refuse);
    let stage = Stage::set(setup).await;
    let call = stage.place();
    stage.ended(&call).await;
    assert!(reached_a_human(&call));
    let books = stage.finish().await;
    let lost = (books.records(call.call_sid()).await.iter())
        .any(|record| matches!(record.fact, Fact::RecognizerLost { .. }));
    assert!(lost, "the loss is written down");
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
}

#[tokio::test]
async fn a_recognizer_that_breaks_off_is_connected_to_again_and_hears_the_request() {
    for kind in [
        FaultKind::Close {
            code: 1011,
            after_ms: 6_000,
        },
        FaultKind::Cut { after_ms: 6_000 },
        FaultKind::MalformedJson { after_ms: 6_000 },
    ] {
        let mut setup = Setup::of("asks-for-human");
        // A reconnect takes a quarter of a second, and the request comes 14 s of speech later.
        setup.carrier.speed = Speed::Times(10.0);
        setup
            .recognizer
            .faults
            .push(Fault::once(kind.clone()).on(Speaker::Caller));
        let stage = Stage::set(setup).await;
        let call = stage.place();
        stage.ended(&call).await;
        assert!(reached_a_human(&call), "{kind:?}");
        assert_eq!(count(&call, rings), 1);
        stage.finish().await;
    }
}

#[tokio::test]
async fn without_a_recognizer_the_api_hands_a_call_over() {
    let mut setup = Setup::of("asks-for-human");
    setup.hears = false;
    setup.carrier.speed = Speed::Times(8.0);
    let stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, streams).await;
    let id = stage.live_call().await;
    let path = format!("/api/calls/{id}/handoff");

    let unauthorized = [None, Some("stage-api-toke"), Some("")];
    for token in unauthorized {
        let mut request = stage.client.post(stage.url(&path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.expect("the server answers");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{token:?}");
    }
    for (path, body, expected) in [
        (
            "/api/calls/call_00000000000000000000000000/handoff",
            "",
            StatusCode::NOT_FOUND,
        ),
        ("/api/calls/nonsense/handoff", "", StatusCode::NOT_FOUND),
        (&path, "not json", StatusCode::BAD_REQUEST),
        (&path, r#"{"reson":"typo"}"#, StatusCode::BAD_REQUEST),
    ] {
        let (status, _) = stage.api(Method::POST, path, body).await;
        assert_eq!(status, expected, "{path} {body}");
    }
    assert_eq!(count(&call, rewritten), 0);

    let reason = r#"{"reason":"the supervisor saw it"}"#;
    for _ in 0..3 {
        let (status, _) = stage.api(Method::POST, &path, reason).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    stage.ended(&call).await;
    assert_eq!(count(&call, rings), 1, "asked three times, rung once");
    assert!(reached_a_human(&call));
    stage.idle().await;
    stage.undelivered(0).await;
    let note = only_ticket(&stage).comments[0].body.as_str().to_owned();
    assert!(note.contains("the supervisor saw it"), "{note}");
    assert!(stage.recognizer.connections().is_empty());
    let books = stage.finish().await;
    let by_api = (books.records(call.call_sid()).await.into_iter()).any(|record| {
        matches!(record.fact, Fact::Triggered(trigger)
            if matches!(trigger.source, TriggerSource::Api { .. }))
    });
    assert!(by_api);
}

#[tokio::test]
async fn without_its_token_the_api_is_closed() {
    let stage = Stage::set(Setup::empty()).await;
    for (method, path) in [
        (Method::GET, "/api/calls"),
        (Method::GET, "/api/calls/call_00000000000000000000000000"),
        (Method::GET, "/api/deliveries"),
        (
            Method::POST,
            "/api/calls/call_00000000000000000000000000/handoff",
        ),
    ] {
        let answer = stage.client.request(method, stage.url(path)).send().await;
        let answer = answer.expect("the server answers");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    stage.finish().await;
}

#[tokio::test]
async fn a_recognizer_that_cannot_be_reached_does_not_disturb_the_call() {
    let mut setup = Setup::of("presses-zero");
    // The discard port, where nobody listens.
    setup.env("DEEPGRAM_BASE_URL", "http://127.0.0.1:9");
    let stage = Stage::set(setup).await;
    let call = stage.place();
    stage.ended(&call).await;
    assert!(reached_a_human(&call));
    let books = stage.finish().await;
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
}
