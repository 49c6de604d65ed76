//! The media socket: whose it is, and what broken messages on it may do, which is little.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use handoff_core::call::{Disposition, Fact};
use handoff_simulator::carrier::{CarrierEvent, Logged, Speed};
use handoff_simulator::recognizer::Speaker;
use reqwest::Method;

use super::by_hand::{
    Announced, Proof, Socket, announce, hang_up, media, open, says, says_at, sid, start,
};
use super::stage::{ACCOUNT, Setup, Stage, count, rings, streams};
use super::story::reached_a_human;

const TOKENS: &str = r#"handoff_refusals_total{reason="token"}"#;
/// Calls made by hand exist at nobody's account, so their rewrite is refused. That it is asked for
/// is what these tests look at.
const UNKNOWN_CALL: &str = "names a call that the account does not have";
const POLICY: Option<u16> = Some(1008);
const HEARD: &str = r#"handoff_frames_total{result="heard"}"#;
const BAD: &str = r#"handoff_frames_total{result="bad"}"#;
const IGNORED: &str = r#"handoff_frames_total{result="ignored"}"#;
const SECOND_STREAM: &str = r#"handoff_refusals_total{reason="second_stream"}"#;
const NO_START: &str = r#"handoff_refusals_total{reason="no_start"}"#;

#[tokio::test]
async fn a_socket_with_an_unknown_token_is_refused() {
    let stage = Stage::set(Setup::empty()).await;
    let call = announce(&stage, &sid(1)).await;
    let mut changed = call.token.clone();
    changed.pop();
    changed.push(if call.token.ends_with('A') { 'B' } else { 'A' });
    for token in [
        "x",
        &changed,
        &call.token.to_uppercase(),
        &"a".repeat(4_000),
    ] {
        assert_eq!(
            open(&stage, token, &Proof::Right).await.err(),
            Some(403),
            "{token}"
        );
    }
    assert_eq!(stage.metric(TOKENS).await, 4.0);
    hang_up(&stage, &sid(1)).await;
    stage.idle().await;
    let late = open(&stage, &call.token, &Proof::Right).await;
    assert_eq!(late.err(), Some(403), "the token ends with its call");
    stage.finish().await;
}

#[tokio::test]
async fn a_signature_on_the_upgrade_must_hold_and_may_be_absent() {
    let mut setup = Setup::empty();
    setup
        .results
        .push(says(&sid(1), "I want to talk to a human."));
    let mut stage = Stage::set(setup).await;
    stage.expect_violation(UNKNOWN_CALL);
    let call = announce(&stage, &sid(1)).await;
    for proof in [
        Proof::With("another-token"),
        Proof::Twice,
        Proof::Literal("x".to_owned()),
    ] {
        let refused = open(&stage, &call.token, &proof).await;
        assert_eq!(refused.err(), Some(403), "{proof:?}");
    }
    let counted = stage
        .metric(r#"handoff_refusals_total{reason="signature"}"#)
        .await;
    assert_eq!(counted, 3.0);
    let mut socket = opened(&stage, &call, &Proof::None).await;
    socket.introduce(&call.call_sid, Some(&call.token)).await;
    socket.play(700).await;
    a_rewrite_is_asked_for(&stage).await;
    hang_up(&stage, &sid(1)).await;
    stage.finish().await;
}

#[tokio::test]
async fn a_socket_that_speaks_for_another_call_is_closed_and_not_heard() {
    let mut setup = Setup::of("asks-for-human");
    setup.carrier.speed = Speed::Times(10.0);
    let stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, streams).await;
    let victim = announce(&stage, call.call_sid()).await;
    let stranger = announce(&stage, &sid(7)).await;
    let cases = [
        // The right token, in the name of another call.
        (&victim.token, start(&sid(7), Some(&victim.token))),
        (
            &stranger.token,
            start(call.call_sid(), Some(&stranger.token)),
        ),
        // The right call, and the token of another one or none in the document's parameter.
        (&victim.token, start(call.call_sid(), Some(&stranger.token))),
        (&victim.token, start(call.call_sid(), None)),
        (&victim.token, start(call.call_sid(), Some(""))),
    ];
    for (token, introduction) in cases {
        let Ok(mut socket) = open(&stage, token, &Proof::Right).await else {
            panic!("the token is a live one");
        };
        socket.send(&introduction).await;
        // The server may close before it has read all of this.
        for nth in 0..50 {
            if !socket.send_if_open(media(nth * 20, "//////8=")).await {
                break;
            }
        }
        assert_eq!(socket.closed(&stage).await, POLICY, "{introduction}");
    }
    hang_up(&stage, &sid(7)).await;
    stage.ended(&call).await;
    assert!(reached_a_human(&call), "the call is unharmed");
    assert_eq!(count(&call, rings), 1);
    assert!(stage.recognizer.audio(&sid(7), Speaker::Caller).is_empty());
    let refused = [
        stage
            .metric(r#"handoff_refusals_total{reason="wrong_call"}"#)
            .await,
        stage.metric(TOKENS).await,
    ];
    assert_eq!(refused, [2.0, 3.0]);
    let books = stage.finish().await;
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
    let streams = (books.records(call.call_sid()).await.iter())
        .filter(|record| matches!(record.fact, Fact::StreamStarted { .. }))
        .count();
    assert_eq!(streams, 1);
}

#[tokio::test]
async fn a_socket_of_another_account_is_refused_and_one_that_names_none_is_not() {
    let stage = Stage::set(Setup::empty()).await;
    let call = announce(&stage, &sid(1)).await;
    let introduction = start(&call.call_sid, Some(&call.token));
    let mut stranger = opened(&stage, &call, &Proof::Right).await;
    stranger
        .send(introduction.replace(ACCOUNT, &ACCOUNT.replace('1', "2")))
        .await;
    assert_eq!(stranger.closed(&stage).await, POLICY);
    let counted = stage
        .metric(r#"handoff_refusals_total{reason="account"}"#)
        .await;
    assert_eq!(counted, 1.0);
    let mut nameless = opened(&stage, &call, &Proof::Right).await;
    let account = format!(r#""accountSid":"{ACCOUNT}","#);
    assert!(introduction.contains(&account), "{introduction}");
    nameless.send(introduction.replace(&account, "")).await;
    nameless.play(200).await;
    nameless.close().await;
    hang_up(&stage, &sid(1)).await;
    stage.idle().await;
    assert_eq!(stage.metric(HEARD).await, 10.0);
    stage.finish().await;
}

#[tokio::test]
async fn media_before_the_start_is_not_passed_on() {
    let mut setup = Setup::empty();
    setup
        .results
        .push(says(&sid(1), "I want to talk to a human."));
    let mut stage = Stage::set(setup).await;
    stage.expect_violation(UNKNOWN_CALL);
    let call = announce(&stage, &sid(1)).await;
    let mut socket = opened(&stage, &call, &Proof::Right).await;
    // As loud as mu-law gets, which silence is not.
    let loud = STANDARD.encode([0_u8; 160]);
    for nth in 0..100 {
        socket.send(media(nth * 20, &loud)).await;
    }
    socket.introduce(&call.call_sid, Some(&call.token)).await;
    socket.play(700).await;
    a_rewrite_is_asked_for(&stage).await;
    socket.send(r#"{"event":"stop","stop":{}}"#).await;
    hang_up(&stage, &sid(1)).await;
    stage.idle().await;
    let heard = stage.recognizer.audio(&sid(1), Speaker::Caller);
    assert_eq!(heard.len(), 8 * 700);
    assert!(
        !heard.contains(&0),
        "what came before the start was passed on"
    );
    stage.finish().await;
}

#[tokio::test]
async fn a_socket_that_never_introduces_itself_is_closed() {
    let mut setup = Setup::empty();
    setup.config = "[stream]\nstart_deadline = \"300ms\"\n".to_owned();
    let stage = Stage::set(setup).await;
    let call = announce(&stage, &sid(1)).await;
    let mut socket = opened(&stage, &call, &Proof::Right).await;
    socket.play(200).await;
    assert_eq!(socket.closed(&stage).await, POLICY);
    assert_eq!(stage.metric(NO_START).await, 1.0);
    let mut second = opened(&stage, &call, &Proof::Right).await;
    second.introduce(&call.call_sid, Some(&call.token)).await;
    second.play(200).await;
    second.close().await;
    hang_up(&stage, &sid(1)).await;
    stage.idle().await;
    assert_eq!(stage.metric(HEARD).await, 10.0);
    stage.finish().await;
}

#[tokio::test]
async fn a_second_stream_is_refused_while_the_first_works() {
    let mut setup = Setup::of("asks-for-human");
    setup.carrier.speed = Speed::Times(10.0);
    let stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, streams).await;
    let answer = announce(&stage, call.call_sid()).await;
    let mut second = opened(&stage, &answer, &Proof::Right).await;
    second.introduce(call.call_sid(), Some(&answer.token)).await;
    assert_eq!(second.closed(&stage).await, POLICY);
    assert_eq!(stage.metric(SECOND_STREAM).await, 1.0);
    stage.ended(&call).await;
    assert!(reached_a_human(&call));
    let books = stage.finish().await;
    let replaced = (books.records(call.call_sid()).await.iter()).any(|record| {
        matches!(
            record.fact,
            Fact::StreamStarted {
                replacement: true,
                ..
            }
        )
    });
    assert!(!replaced);
}

#[tokio::test]
async fn broken_messages_are_counted_and_the_stream_goes_on() {
    let mut setup = Setup::empty();
    setup
        .results
        .push(says(&sid(1), "I want to talk to a human."));
    let mut stage = Stage::set(setup).await;
    stage.expect_violation(UNKNOWN_CALL);
    let call = announce(&stage, &sid(1)).await;
    let mut socket = opened(&stage, &call, &Proof::Right).await;
    socket.introduce(&call.call_sid, Some(&call.token)).await;
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/wire/twilio");
    let mut broken = 0;
    for entry in std::fs::read_dir(fixtures).expect("the fixtures of the wire") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let about_the_stream = ["start", "stop", "huge"]
            .iter()
            .any(|part| name.contains(part));
        if name.starts_with("bad-") && !about_the_stream {
            socket
                .send(std::fs::read_to_string(&path).expect("a fixture"))
                .await;
            broken += 1;
        }
    }
    assert!(broken > 10, "there are broken messages to send");
    socket.send_binary(&[0; 400]).await;
    socket
        .send(r#"{"event":"tomorrow","tomorrow":{"is":["another","day"]}}"#)
        .await;
    let strange = r#"{"event":"media","new":1,"media":{"track":"inbound","timestamp":"0","payload":"/////w==","more":{}}}"#;
    socket.send(strange).await;
    socket.play(700).await;
    a_rewrite_is_asked_for(&stage).await;
    socket.send(r#"{"event":"stop","stop":{}}"#).await;
    hang_up(&stage, &sid(1)).await;
    stage.idle().await;
    assert_eq!(
        stage.metric(BAD).await,
        f64::from(broken) + 1.0,
        "the broken messages and the binary one"
    );
    assert_eq!(stage.metric(IGNORED).await, 1.0, "the event of tomorrow");
    let books = stage.finish().await;
    assert_eq!(told(&books.log).len(), 1, "one line a stream");
}

#[tokio::test]
async fn frames_are_counted_while_the_call_is_live() {
    let stage = Stage::set(Setup::empty()).await;
    let call = announce(&stage, &sid(1)).await;
    let mut socket = opened(&stage, &call, &Proof::Right).await;
    socket.introduce(&call.call_sid, Some(&call.token)).await;
    for round in 1..=3 {
        socket.play(200).await;
        socket.send("hello").await;
        socket.send(r#"{"event":"tomorrow"}"#).await;
        counted(&stage, HEARD, f64::from(round) * 10.0).await;
        counted(&stage, BAD, f64::from(round)).await;
        counted(&stage, IGNORED, f64::from(round)).await;
    }
    let (_, calls) = stage.api(Method::GET, "/api/calls", "").await;
    assert_eq!(calls.as_array().map(Vec::len), Some(1), "the call goes on");
    socket.close().await;
    hang_up(&stage, &sid(1)).await;
    stage.idle().await;
    assert_eq!(stage.metric(HEARD).await, 30.0, "once each");
    stage.finish().await;
}

#[tokio::test]
async fn nonsense_before_the_introduction_is_counted_and_told_once_and_the_socket_may_go_on() {
    let mut setup = Setup::empty();
    setup
        .results
        .push(says(&sid(1), "I want to talk to a human."));
    let mut stage = Stage::set(setup).await;
    stage.expect_violation(UNKNOWN_CALL);
    let call = announce(&stage, &sid(1)).await;
    let mut socket = opened(&stage, &call, &Proof::Right).await;
    let introduction = start(&call.call_sid, Some(&call.token));
    let wrong = [
        introduction.replace("8000", "16000"),
        introduction.replace("audio/x-mulaw", "audio/x-l16"),
        introduction.replace(&call.call_sid, "../secret"),
        introduction.replace("mediaFormat", "format"),
        "secret".to_owned(),
        String::new(),
    ];
    for (nth, wrong) in (1..).zip(&wrong) {
        socket.send(wrong.as_str()).await;
        counted(&stage, BAD, f64::from(nth)).await;
    }
    socket.send_binary(&[0; 400]).await;
    counted(&stage, BAD, wrong.len() as f64 + 1.0).await;
    socket.introduce(&call.call_sid, Some(&call.token)).await;
    socket.send("secret").await;
    socket.play(700).await;
    a_rewrite_is_asked_for(&stage).await;
    socket.send(r#"{"event":"stop","stop":{}}"#).await;
    hang_up(&stage, &sid(1)).await;
    stage.idle().await;
    assert_eq!(stage.metric(BAD).await, wrong.len() as f64 + 2.0);
    assert_eq!(stage.metric(HEARD).await, 35.0);
    let books = stage.finish().await;
    let told = told(&books.log);
    assert_eq!(told.len(), 1, "one line a socket: {told:?}");
    assert!(told[0].contains("sample rate 16000"), "{told:?}");
    assert!(!books.log.iter().any(|line| line.contains("secret")));
}

#[tokio::test]
async fn nonsense_does_not_outlive_the_deadline_of_the_introduction() {
    let mut setup = Setup::empty();
    setup.config = "[stream]\nstart_deadline = \"300ms\"\n".to_owned();
    let stage = Stage::set(setup).await;
    let call = announce(&stage, &sid(1)).await;
    let mut socket = opened(&stage, &call, &Proof::Right).await;
    // Goes on for as long as the server takes it.
    while socket.send_if_open("hello".to_owned()).await {}
    socket.closed(&stage).await;
    assert_eq!(stage.metric(NO_START).await, 1.0);
    hang_up(&stage, &sid(1)).await;
    let books = stage.finish().await;
    assert_eq!(told(&books.log).len(), 1);
}

#[tokio::test]
async fn a_start_with_odd_members_that_nobody_reads_is_heard() {
    let mut stage = Stage::set(Setup::empty()).await;
    stage.expect_violation(UNKNOWN_CALL);
    let tracks = r#""tracks":["inbound","outbound"]"#;
    for (nth, odd) in (1..).zip([r#"["both_tracks"]"#, "null", r#""inbound""#, "7"]) {
        let call = announce(&stage, &sid(nth)).await;
        let mut socket = opened(&stage, &call, &Proof::Right).await;
        let introduction = start(&call.call_sid, Some(&call.token));
        assert!(introduction.contains(tracks), "{introduction}");
        socket
            .send(introduction.replace(tracks, &format!(r#""tracks":{odd}"#)))
            .await;
        socket.play(200).await;
        counted(&stage, HEARD, f64::from(nth) * 10.0).await;
        // The key that the default rule takes for a request for a human, as a number.
        socket
            .send(r#"{"event":"dtmf","dtmf":{"track":"both","digit":0}}"#)
            .await;
        a_rewrite_is_asked_for_of(&stage, &call.call_sid).await;
        socket.close().await;
        hang_up(&stage, &call.call_sid).await;
    }
    stage.finish().await;
}

#[tokio::test]
async fn a_start_without_parameters_is_refused_at_once() {
    let stage = Stage::set(Setup::empty()).await;
    let call = announce(&stage, &sid(1)).await;
    let introduction = start(&call.call_sid, Some(&call.token));
    let parameters = format!(r#"{{"token":"{}"}}"#, call.token);
    assert!(introduction.contains(&parameters), "{introduction}");
    for (nth, odd) in (1..).zip(["[]", "null", r#""token""#]) {
        let mut socket = opened(&stage, &call, &Proof::Right).await;
        socket.send(introduction.replace(&parameters, odd)).await;
        assert_eq!(socket.closed(&stage).await, POLICY);
        assert_eq!(stage.metric(TOKENS).await, f64::from(nth), "{odd}");
    }
    assert_eq!(stage.metric(BAD).await, 0.0, "it could be read");
    hang_up(&stage, &sid(1)).await;
    stage.finish().await;
}

#[tokio::test]
async fn a_newer_socket_takes_the_place_of_one_that_says_nothing() {
    let mut setup = Setup::empty();
    setup
        .results
        .push(says(&sid(1), "I want to talk to a human."));
    let mut stage = Stage::set(setup).await;
    stage.expect_violation(UNKNOWN_CALL);
    let call = announce(&stage, &sid(1)).await;
    let mut silent = opened(&stage, &call, &Proof::Right).await;
    // Shows that the call has the socket.
    silent.send("hello").await;
    counted(&stage, BAD, 1.0).await;
    let mut carrier = opened(&stage, &call, &Proof::Right).await;
    carrier.introduce(&call.call_sid, Some(&call.token)).await;
    assert_eq!(silent.closed(&stage).await, POLICY);
    carrier.play(700).await;
    a_rewrite_is_asked_for(&stage).await;
    assert_eq!(stage.metric(NO_START).await, 1.0);
    assert_eq!(stage.metric(SECOND_STREAM).await, 0.0);
    carrier.close().await;
    hang_up(&stage, &sid(1)).await;
    stage.finish().await;
}

#[tokio::test]
async fn silent_sockets_do_not_keep_a_replacement_out() {
    let mut setup = Setup::empty();
    setup
        .results
        .push(says_at(&sid(1), 1_000, "I want to talk to a human."));
    let mut stage = Stage::set(setup).await;
    stage.expect_violation(UNKNOWN_CALL);
    let call = announce(&stage, &sid(1)).await;
    let mut first = opened(&stage, &call, &Proof::Right).await;
    first.introduce(&call.call_sid, Some(&call.token)).await;
    first.play(200).await;
    counted(&stage, HEARD, 10.0).await;
    let mut silent = Vec::new();
    for nth in 1..=5 {
        let mut socket = opened(&stage, &call, &Proof::Right).await;
        socket.send("hello").await;
        counted(&stage, BAD, f64::from(nth)).await;
        silent.push(socket);
    }
    first.close().await;
    let mut replacement = opened(&stage, &call, &Proof::Right).await;
    replacement
        .introduce(&call.call_sid, Some(&call.token))
        .await;
    replacement.play(2_000).await;
    a_rewrite_is_asked_for(&stage).await;
    for socket in silent {
        assert_eq!(socket.closed(&stage).await, POLICY);
    }
    assert_eq!(stage.metric(NO_START).await, 5.0);
    assert_eq!(stage.metric(SECOND_STREAM).await, 0.0);
    hang_up(&stage, &sid(1)).await;
    stage.finish().await;
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_the_stream_and_not_the_call() {
    let mut setup = Setup::empty();
    setup
        .results
        .push(says_at(&sid(1), 1_000, "I want to talk to a human."));
    let mut stage = Stage::set(setup).await;
    stage.expect_violation(UNKNOWN_CALL);
    let call = announce(&stage, &sid(1)).await;
    let mut socket = opened(&stage, &call, &Proof::Right).await;
    socket.introduce(&call.call_sid, Some(&call.token)).await;
    socket.play(200).await;
    socket
        .send_if_open(media(200, &"A".repeat(70 * 1024)))
        .await;
    socket.closed(&stage).await;
    let (_, calls) = stage.api(Method::GET, "/api/calls", "").await;
    assert_eq!(calls.as_array().map(Vec::len), Some(1), "the call goes on");
    let mut replacement = opened(&stage, &call, &Proof::Right).await;
    replacement
        .introduce(&call.call_sid, Some(&call.token))
        .await;
    replacement.play(2_000).await;
    a_rewrite_is_asked_for(&stage).await;
    hang_up(&stage, &sid(1)).await;
    stage.finish().await;
}

#[tokio::test]
async fn a_stalled_peer_gives_its_place_to_a_replacement() {
    let mut setup = Setup::empty();
    setup
        .results
        .push(says_at(&sid(1), 1_000, "I want to talk to a human."));
    let mut stage = Stage::set(setup).await;
    stage.expect_violation(UNKNOWN_CALL);
    let call = announce(&stage, &sid(1)).await;
    let mut stalled = opened(&stage, &call, &Proof::Right).await;
    stalled.introduce(&call.call_sid, Some(&call.token)).await;
    stalled.play(200).await;
    let told = async |what: &str| {
        let id = stage.live_call().await;
        let path = format!("/api/calls/{id}");
        let (_, facts) = stage.api(Method::GET, &path, "").await;
        facts.to_string().contains(what).then_some(())
    };
    stage
        .until("the first one is heard", async || {
            told("audio arrives").await
        })
        .await;
    // Waits as long as the first one may only be pausing.
    let mut replacement = opened(&stage, &call, &Proof::Right).await;
    replacement
        .introduce(&call.call_sid, Some(&call.token))
        .await;
    stage
        .until("the replacement is taken", async || {
            told("replaces the one before").await
        })
        .await;
    replacement.play(2_000).await;
    a_rewrite_is_asked_for(&stage).await;
    hang_up(&stage, &sid(1)).await;
    stage.finish().await;
}

#[tokio::test]
async fn a_token_is_spent_once_its_stream_is_over_for_good() {
    let mut setup = Setup::empty();
    setup.config = "[stream]\ngrace = \"250ms\"\n".to_owned();
    let mut stage = Stage::set(setup).await;
    stage.expect_violation(UNKNOWN_CALL);
    let call = announce(&stage, &sid(1)).await;
    let mut socket = opened(&stage, &call, &Proof::Right).await;
    socket.introduce(&call.call_sid, Some(&call.token)).await;
    socket.play(200).await;
    socket.send(r#"{"event":"stop","stop":{}}"#).await;
    // The carrier is asked about the call when the grace period is over.
    let asked = |logged: &Logged| matches!(&logged.event, CarrierEvent::RestRequested { method, .. } if method == "GET");
    stage
        .carrier
        .wait_for(asked, stage.left())
        .await
        .expect("the call is looked at");
    let mut again = opened(&stage, &call, &Proof::Right).await;
    again.introduce(&call.call_sid, Some(&call.token)).await;
    assert_eq!(again.closed(&stage).await, POLICY);
    assert_eq!(stage.metric(TOKENS).await, 1.0);
    hang_up(&stage, &sid(1)).await;
    stage.finish().await;
}

#[tokio::test]
async fn many_strangers_at_once_do_not_disturb_a_call() {
    let mut setup = Setup::of("asks-for-human");
    setup.carrier.speed = Speed::Times(10.0);
    let stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, streams).await;
    let answer = announce(&stage, call.call_sid()).await;
    let strangers = (0..40).map(async |nth| {
        let token = if nth % 2 == 0 {
            "guess"
        } else {
            answer.token.as_str()
        };
        let Ok(mut socket) = open(&stage, token, &Proof::None).await else {
            return;
        };
        socket
            .send_if_open(start(call.call_sid(), Some("guess")))
            .await;
        socket.closed(&stage).await;
    });
    join_all(strangers).await;
    stage.ended(&call).await;
    assert!(reached_a_human(&call));
    stage.finish().await;
}

async fn opened(stage: &Stage, call: &Announced, proof: &Proof) -> Socket {
    match open(stage, &call.token, proof).await {
        Ok(socket) => socket,
        Err(status) => panic!("the socket was refused with {status}"),
    }
}

/// Waits for a metric to reach this value, and no other past it.
async fn counted(stage: &Stage, metric: &str, value: f64) {
    let reached = async || (stage.metric(metric).await >= value).then_some(());
    stage.until(metric, reached).await;
    assert_eq!(stage.metric(metric).await, value, "{metric}");
}

/// The lines on messages that cannot be read.
fn told(log: &[String]) -> Vec<&String> {
    let told = log.iter().filter(|line| line.contains("cannot be read"));
    told.collect()
}

async fn a_rewrite_is_asked_for(stage: &Stage) {
    a_rewrite_is_asked_for_of(stage, "").await;
}

async fn a_rewrite_is_asked_for_of(stage: &Stage, call_sid: &str) {
    let asked = |logged: &Logged| matches!(&logged.event, CarrierEvent::RestRequested { method, path, .. } if method == "POST" && path.contains(call_sid));
    let within = stage.left().min(Duration::from_secs(20));
    if let Err(error) = stage.carrier.wait_for(asked, within).await {
        panic!(
            "no rewrite was asked for: {error}\n{}",
            stage.server().log().join("\n")
        );
    }
}
