//! The voice webhook and its siblings: who may speak, what is answered, and how often.

use handoff_simulator::carrier::twilio::sign;
use handoff_simulator::carrier::{CarrierEvent, Logged};
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::by_hand::{
    Form, Proof, SIGNATURE, VOICE, announce, call_form, form, hang_up, post, sid, token_of,
};
use super::stage::{ACCOUNT, AUTH_TOKEN, PUBLIC_URL, Setup, Stage, TARGET};

const SIGNATURES: &str = r#"handoff_refusals_total{reason="signature"}"#;
const MALFORMED: &str = r#"handoff_refusals_total{reason="malformed"}"#;
const ROUTES: [&str; 6] = [
    VOICE,
    "/twilio/status",
    "/twilio/stream-status",
    "/twilio/handoff/ho_01M7Z21QMCMG69WCKJN4BDMX00/1/default",
    "/twilio/after-dial/ho_01M7Z21QMCMG69WCKJN4BDMX00/1/default",
    "/twilio/leg/ho_01M7Z21QMCMG69WCKJN4BDMX00/1/default",
];
/// Ends of paths that we never write.
const NO_STEPS: [&str; 7] = [
    "ho_01M7Z21QMCMG69WCKJN4BDMX00/99999999999999999999/default",
    "ho_01M7Z21QMCMG69WCKJN4BDMX00/-1/default",
    "ho_01M7Z21QMCMG69WCKJN4BDMX00/%20/default",
    "ho_01M7Z21QMCMG69WCKJN4BDMX00/1/Default",
    "ho_01M7Z21QMCMG69WCKJN4BDMX00/1/a..b",
    "nonsense/1/default",
    "%ff%fe/1/%ff",
];

#[tokio::test]
async fn a_webhook_without_a_valid_signature_is_refused_and_counted() {
    let stage = Stage::set(Setup::empty()).await;
    let call = sid(1);
    let proofs = [
        Proof::None,
        Proof::With("another-token"),
        Proof::Literal("not base64 at all".to_owned()),
        Proof::Literal(String::new()),
        Proof::Twice,
    ];
    let mut refused = 0.0;
    let odd = NO_STEPS.into_iter().flat_map(|end| {
        ["handoff", "after-dial", "leg"].map(|what| format!("/twilio/{what}/{end}"))
    });
    for route in ROUTES.map(str::to_owned).into_iter().chain(odd) {
        for proof in &proofs {
            let (status, body) = post(&stage, &route, &call_form(&call), proof).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{route} with {proof:?}");
            assert_eq!(body, "signature does not match");
            refused += 1.0;
        }
    }
    assert_eq!(stage.metric(SIGNATURES).await, refused);
    let books = stage.finish().await;
    assert!(!books.knows(&call).await, "nothing was announced");
    let told = books
        .log
        .iter()
        .filter(|line| line.contains("not signed by the carrier"));
    assert_eq!(told.count() as f64, refused, "one line a refusal");
}

#[tokio::test]
async fn a_signature_holds_for_its_own_url_and_parameters_only() {
    let stage = Stage::set(Setup::empty()).await;
    let elsewhere = sign(
        AUTH_TOKEN,
        &format!("{}/twilio/status", PUBLIC_URL),
        &call_form(&sid(1)),
    );
    let other_call = sign(
        AUTH_TOKEN,
        &format!("{}{VOICE}", PUBLIC_URL),
        &call_form(&sid(2)),
    );
    for signature in [elsewhere, other_call] {
        let proof = Proof::Literal(signature);
        let (status, _) = post(&stage, VOICE, &call_form(&sid(1)), &proof).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
    let books = stage.finish().await;
    assert!(!books.knows(&sid(1)).await);
}

#[tokio::test]
async fn a_webhook_of_another_account_is_refused_and_counted() {
    let stage = Stage::set(Setup::empty()).await;
    let mut parameters = call_form(&sid(1));
    for (name, value) in &mut parameters {
        if name == "AccountSid" {
            *value = ACCOUNT.replace('1', "2");
        }
    }
    let (status, _) = post(&stage, VOICE, &parameters, &Proof::Right).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let counted = stage
        .metric(r#"handoff_refusals_total{reason="account"}"#)
        .await;
    assert_eq!(counted, 1.0);
    let books = stage.finish().await;
    assert!(!books.knows(&sid(1)).await);
}

#[tokio::test]
async fn a_signed_webhook_that_cannot_be_read_is_malformed() {
    let stage = Stage::set(Setup::empty()).await;
    let cases = [
        form(&[]),
        form(&[("AccountSid", ACCOUNT)]),
        form(&[("AccountSid", ACCOUNT), ("CallSid", "")]),
        form(&[
            ("AccountSid", ACCOUNT),
            ("CallSid", "../../etc"),
            ("From", "x"),
        ]),
    ];
    for parameters in &cases {
        let (status, body) = post(&stage, VOICE, parameters, &Proof::Right).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{parameters:?}: {body}");
    }
    assert_eq!(stage.metric(MALFORMED).await, cases.len() as f64);
    stage.finish().await;
}

#[tokio::test]
async fn a_caller_who_waits_hears_something_whatever_the_path_says() {
    let stage = Stage::set(Setup::empty()).await;
    let mut ended = call_form(&sid(1));
    ended.extend(form(&[("DialCallStatus", "no-answer")]));
    for end in NO_STEPS {
        let path = format!("/twilio/after-dial/{end}");
        let (status, document) = post(&stage, &path, &ended, &Proof::Right).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(document.contains("<Say"), "{path}: {document}");
        let path = format!("/twilio/handoff/{end}");
        let (status, document) = post(&stage, &path, &call_form(&sid(1)), &Proof::Right).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(
            document.contains("<Dial") && document.contains(TARGET),
            "{document}"
        );
    }
    let unread = call_form(&sid(1));
    let path = "/twilio/after-dial/ho_01M7Z21QMCMG69WCKJN4BDMX00/1/default";
    let (status, document) = post(&stage, path, &unread, &Proof::Right).await;
    assert_eq!(status, StatusCode::OK);
    assert!(document.contains("<Say"), "{document}");
    assert_eq!(stage.metric(MALFORMED).await, 15.0);
    stage.finish().await;
}

#[tokio::test]
async fn a_report_of_no_step_of_ours_is_malformed() {
    let stage = Stage::set(Setup::empty()).await;
    let mut rings = call_form(&sid(2));
    rings.extend(form(&[("ParentCallSid", &sid(1))]));
    for end in NO_STEPS {
        let path = format!("/twilio/leg/{end}");
        let (status, body) = post(&stage, &path, &rings, &Proof::Right).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {body}");
    }
    assert_eq!(stage.metric(MALFORMED).await, NO_STEPS.len() as f64);
    stage.finish().await;
}

#[tokio::test]
async fn parameters_that_nobody_reads_refuse_no_webhook() {
    let stage = Stage::set(Setup::empty()).await;
    let more = [
        ("SequenceNumber", "1.0"),
        ("CallDuration", "2.4"),
        ("DialCallDuration", "3.5"),
        ("DialCallSid", "../../etc"),
        ("Timestamp", "soon"),
    ];
    let posted = |pairs: &[(&str, &str)]| {
        let said = form(pairs).into_iter();
        said.chain(form(&more)).collect::<Form>()
    };
    announce(&stage, &sid(1)).await;
    let attempt = "ho_01M7Z21QMCMG69WCKJN4BDMX00/1/default";

    let talked = posted(&[
        ("CallSid", &sid(1)),
        ("DialCallStatus", "completed"),
        ("DialBridged", "true"),
    ]);
    let path = format!("/twilio/after-dial/{attempt}");
    let (status, document) = post(&stage, &path, &talked, &Proof::Right).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!document.contains("<Say"), "{document}");

    let answered = posted(&[
        ("CallSid", &sid(2)),
        ("ParentCallSid", &sid(1)),
        ("CallStatus", "in-progress"),
    ]);
    let path = format!("/twilio/leg/{attempt}");
    let (status, body) = post(&stage, &path, &answered, &Proof::Right).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");

    let over = posted(&[("CallSid", &sid(1)), ("CallStatus", "completed")]);
    let (status, body) = post(&stage, "/twilio/status", &over, &Proof::Right).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    stage.idle().await;
    assert_eq!(stage.metric(MALFORMED).await, 0.0);
    stage.finish().await;
}

#[tokio::test]
async fn nobody_s_body_is_read_who_does_not_claim_to_be_the_carrier() {
    let stage = Stage::set(Setup::empty()).await;
    let mut stranger = TcpStream::connect(stage.server().address)
        .await
        .expect("the server listens");
    // The body never comes.
    stranger
        .write_all(b"POST /twilio/voice HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        .await
        .expect("the server listens");
    let mut answer = [0; 12];
    let reading = stranger.read_exact(&mut answer);
    let read = tokio::time::timeout(stage.left(), reading).await;
    read.expect("an answer").expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 403");
    stage.finish().await;
}

#[tokio::test]
async fn a_repeated_webhook_gets_the_same_answer_and_is_one_call() {
    let stage = Stage::set(Setup::empty()).await;
    let first = announce(&stage, &sid(1)).await;
    let again = announce(&stage, &sid(1)).await;
    assert_eq!(first.document, again.document);

    let second = sid(2);
    let asking = (0..20).map(|_| announce(&stage, &second));
    let answers = futures_util::future::join_all(asking).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.document == answers[0].document)
    );
    assert_ne!(
        answers[0].token, first.token,
        "each call has a token of its own"
    );

    let (_, calls) = stage.api(Method::GET, "/api/calls", "").await;
    assert_eq!(calls.as_array().map(Vec::len), Some(2), "{calls}");
    hang_up(&stage, &sid(1)).await;
    hang_up(&stage, &sid(2)).await;
    let books = stage.finish().await;
    for call in [sid(1), sid(2)] {
        assert_eq!(
            books.records(&call).await.len(),
            2,
            "announced once and ended once"
        );
    }
}

#[tokio::test]
async fn a_webhook_is_answered_the_same_after_a_restart() {
    let mut stage = Stage::set(Setup::empty()).await;
    stage.expect_violation("names a call that the account does not have");
    let before = announce(&stage, &sid(1)).await;
    // The announcement is written beside the answer: only a call that is in the journal comes back.
    let id = stage.live_call().await;
    stage
        .until("the announcement in the journal", async || {
            let (status, _) = stage
                .api(Method::GET, &format!("/api/calls/{id}"), "")
                .await;
            (status == StatusCode::OK).then_some(())
        })
        .await;
    stage.kill().await;
    stage.start().await;
    assert_eq!(stage.live_call().await, id, "the call was taken up");
    let asked = |logged: &Logged| matches!(logged.event, CarrierEvent::Violation { .. });
    stage
        .carrier
        .wait_for(asked, stage.left())
        .await
        .expect("the call is looked at");
    let after = announce(&stage, &sid(1)).await;
    assert_eq!(before.document, after.document);
    hang_up(&stage, &sid(1)).await;
    stage.finish().await;
}

#[tokio::test]
async fn the_answer_rings_a_human_without_any_url_of_ours_in_its_tail() {
    let stage = Stage::set(Setup::empty()).await;
    let answer = announce(&stage, &sid(1)).await;
    let (_, tail) = answer
        .document
        .split_once("</Redirect>")
        .expect("listen mode");
    assert!(tail.starts_with("<Dial"), "{tail}");
    assert!(tail.contains(TARGET), "{tail}");
    assert!(!tail.contains("handoff.example.com"), "{tail}");
    hang_up(&stage, &sid(1)).await;
    stage.finish().await;
}

#[tokio::test]
async fn only_posts_of_a_reasonable_size_are_taken() {
    let stage = Stage::set(Setup::empty()).await;
    for route in ROUTES {
        let (status, _) = stage.get(route).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{route}");
    }
    let mut parameters = call_form(&sid(1));
    parameters.push(("Padding".to_owned(), "x".repeat(64 * 1024)));
    let (status, _) = post(&stage, VOICE, &parameters, &Proof::Right).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let books = stage.finish().await;
    assert!(!books.knows(&sid(1)).await);
}

#[tokio::test]
async fn strangers_with_half_a_request_do_not_keep_the_carrier_out() {
    let stage = Stage::set(Setup::empty()).await;
    let _strangers = half_requests(&stage, 200).await;
    announce(&stage, &sid(1)).await;
    hang_up(&stage, &sid(1)).await;
    stage.finish().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn strangers_who_take_every_descriptor_do_not_keep_the_carrier_out() {
    use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

    let mut stage = Stage::set(Setup::empty()).await;
    stage.expect_error("connections cannot be accepted");
    // The server took its cap from a limit that is far above this one.
    let open = std::fs::read_dir(format!("/proc/{}/fd", stage.server().id()));
    let open = open.expect("the server runs").count();
    let limit = Rlimit {
        current: Some(open as u64 + 30),
        ..getrlimit(Resource::Nofile)
    };
    prlimit(Some(stage.server().id()), Resource::Nofile, limit).expect("the server is ours");
    let _strangers = half_requests(&stage, 100).await;
    announce(&stage, &sid(1)).await;
    hang_up(&stage, &sid(1)).await;
    assert!(stage.metric("handoff_accept_failures_total").await > 0.0);
    let crowded = r#"handoff_connections_closed_total{reason="crowded"}"#;
    assert!(stage.metric(crowded).await > 0.0);
    let books = stage.finish().await;
    let told = (books.log.iter()).filter(|line| line.contains("cannot be accepted"));
    assert_eq!(told.count(), 1, "one line while it lasts");
}

/// Connections that began a request and go no further.
async fn half_requests(stage: &Stage, count: usize) -> Vec<TcpStream> {
    let mut strangers = Vec::new();
    for _ in 0..count {
        let stranger = TcpStream::connect(stage.server().address).await;
        let mut stranger = stranger.expect("the server listens");
        let half = b"POST /twilio/voice HTTP/1.1\r\nHost: ";
        stranger.write_all(half).await.expect("the server listens");
        strangers.push(stranger);
    }
    strangers
}

#[tokio::test]
async fn during_a_rotation_both_auth_tokens_are_accepted() {
    let mut setup = Setup::empty();
    setup.env("TWILIO_AUTH_TOKEN_PREVIOUS", "previous-auth-token");
    let stage = Stage::set(setup).await;
    for (number, proof, expected) in [
        (1, Proof::Right, StatusCode::OK),
        (2, Proof::With("previous-auth-token"), StatusCode::OK),
        (3, Proof::With("older-auth-token"), StatusCode::FORBIDDEN),
    ] {
        let (status, body) = post(&stage, VOICE, &call_form(&sid(number)), &proof).await;
        assert_eq!(status, expected, "{proof:?}");
        assert_eq!(token_of(&body).is_some(), expected == StatusCode::OK);
    }
    hang_up(&stage, &sid(1)).await;
    hang_up(&stage, &sid(2)).await;
    stage.finish().await;
}

#[tokio::test]
async fn a_body_that_is_no_form_is_not_taken_for_one() {
    let stage = Stage::set(Setup::empty()).await;
    let url = format!("{}{VOICE}", PUBLIC_URL);
    let signature = sign(AUTH_TOKEN, &url, &[]);
    let answer = stage
        .client
        .post(stage.url(VOICE))
        .header(SIGNATURE, signature)
        .body(vec![0xff_u8, 0x00, 0xfe])
        .send()
        .await
        .expect("the server answers");
    assert!(answer.status().is_client_error(), "{}", answer.status());
    stage.finish().await;
}

#[tokio::test]
async fn a_call_that_is_over_is_told_from_one_that_never_was() {
    let stage = Stage::set(Setup::empty()).await;
    let asked = async |id: &str| {
        let path = format!("/api/calls/{id}/handoff");
        stage.api(Method::POST, &path, "").await
    };
    for id in ["call_01M7Z21QMCMG69WCKJN4BDMX00", "nonsense", "%ff"] {
        let (status, refused) = asked(id).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(refused["error"], "no_such_call", "{id}");
    }
    announce(&stage, &sid(1)).await;
    let id = stage.live_call().await;
    hang_up(&stage, &sid(1)).await;
    stage.idle().await;
    let (status, refused) = asked(&id).await;
    assert_eq!(status, StatusCode::GONE, "{refused}");
    assert_eq!(refused["error"], "call_ended");
    let message = refused["message"].as_str().expect("a message");
    assert!(message.starts_with("the call ended at 20"), "{message}");
    assert!(message.contains("Z as "), "{message}");
    stage.finish().await;
}

#[tokio::test]
async fn nothing_of_the_api_is_told_to_who_has_no_token() {
    let stage = Stage::set(Setup::empty()).await;
    for path in [
        "/api/calls",
        "/api/deliveries",
        "/api/calls/nonsense",
        "/api/calls/%ff",
    ] {
        let (status, body) = stage.get(path).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}: {body}");
    }
    let asked = stage.client.post(stage.url("/api/calls/%ff/handoff"));
    let answer = asked.bearer_auth("guess").body("not JSON").send().await;
    let answer = answer.expect("the server answers");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    stage.finish().await;
}
