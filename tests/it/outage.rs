//! The journal cannot be written for a while: the kernel refuses every write of the running server to
//! its files, as a disk that is full or fails does. Callers notice nothing, and nothing is missing
//! afterwards.

use handoff::journal::Record;
use handoff_core::call::{Disposition, describe};
use handoff_simulator::carrier::Speed;
use handoff_simulator::sinks::zendesk;
use reqwest::{Method, StatusCode};

use super::by_hand::{Proof, announce, hang_up, open, says, sid};
use super::durability::{long_talk, once};
use super::stage::{Setup, Stage, bridged, rewritten, streams};

/// What the server has to say of it, once.
const AWAY: &str = "journal cannot be written";
const WRITABLE: &str = "handoff_journal_writable";

#[tokio::test]
async fn what_happened_while_the_journal_was_away_is_there_afterwards_in_order() {
    let mut setup = long_talk();
    setup.carrier.speed = Speed::Times(10.0);
    let mut stage = Stage::set(setup).await;
    stage.expect_error(AWAY);
    let call = stage.place();
    stage.see(&call, streams).await;
    stage.server().let_write(false);
    // All that is said, the decision, the rewrite and the human's answer fall into the outage.
    stage.see(&call, bridged).await;
    not_ready(&stage).await;
    let written = written(&stage).await;
    assert!(!written.contains(&"trigger".to_owned()), "{written:?}");
    stage.server().let_write(true);
    ready(&stage).await;
    once(&stage, &call).await;
    let books = stage.finish().await;
    let told = (books.log.iter()).filter(|line| line.contains(AWAY));
    assert_eq!(told.count(), 1, "one line an outage");
    let records = books.records(call.call_sid()).await;
    in_order(&records);
    let kinds = kinds(&records);
    assert_eq!(kinds.first(), Some(&"announced"));
    let times = |wanted| kinds.iter().filter(|kind| **kind == wanted).count();
    // What is said after the trigger may be cut off by the human's answer.
    assert!((5..=6).contains(&times("utterance")), "{kinds:?}");
    assert_eq!((times("trigger"), times("rewrite")), (1, 2), "{kinds:?}");
    assert!(times("leg") >= 3, "{kinds:?}");
    assert_eq!((times("dial"), times("ended")), (1, 1), "{kinds:?}");
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
}

#[tokio::test]
async fn killed_while_the_journal_is_away_the_context_is_delivered_once() {
    let mut stage = Stage::set(long_talk()).await;
    stage.expect_error(AWAY);
    let call = stage.place();
    stage.see(&call, rewritten).await;
    // The ticket is made when the decision is on disk. What follows it is not any more.
    let made = |state: &zendesk::State| (!state.tickets.is_empty()).then_some(());
    let made = stage.zendesk.wait_for(stage.left(), "a ticket", made).await;
    made.expect("a ticket");
    stage.server().let_write(false);
    stage.see(&call, bridged).await;
    not_ready(&stage).await;
    stage.kill().await;
    stage.start().await;
    ready(&stage).await;
    once(&stage, &call).await;
    let books = stage.finish().await;
    assert_eq!(books.triggers(call.call_sid()).await, 1);
    in_order(&books.records(call.call_sid()).await);
}

#[tokio::test]
async fn killed_while_nothing_of_a_call_but_its_announcement_is_on_disk_the_call_is_taken_up() {
    let mut setup = Setup::empty();
    setup.results.push(says(&sid(1), "My lamp is broken."));
    let mut stage = Stage::set(setup).await;
    stage.expect_error(AWAY);
    // A call made by hand exists at nobody's account; that it is looked at shows that it is ours.
    stage.expect_violation("names a call that the account does not have");
    let call = announce(&stage, &sid(1)).await;
    stage
        .until("the announcement on disk", async || {
            (written(&stage).await == ["announced"]).then_some(())
        })
        .await;
    stage.server().let_write(false);
    let Ok(mut socket) = open(&stage, &call.token, &Proof::Right).await else {
        panic!("the token is a live one");
    };
    socket.introduce(&call.call_sid, Some(&call.token)).await;
    socket.play(2_000).await;
    not_ready(&stage).await;
    // A call that comes now is answered, and gone without a trace after the kill.
    announce(&stage, &sid(2)).await;
    stage.kill().await;
    stage.start().await;
    stage
        .until("a look at the call that was taken up", async || {
            (!stage.carrier.violations().is_empty()).then_some(())
        })
        .await;
    hang_up(&stage, &sid(1)).await;
    let books = stage.finish().await;
    assert_eq!(
        books.disposition(&sid(1)).await,
        Disposition::StayedWithVoiceAgent
    );
    assert!(!books.knows(&sid(2)).await);
}

#[tokio::test]
async fn a_call_that_comes_and_goes_while_the_journal_is_away_is_in_the_books() {
    let mut setup = Setup::empty();
    setup.results.push(says(&sid(1), "My lamp is broken."));
    let mut stage = Stage::set(setup).await;
    stage.expect_error(AWAY);
    stage.server().let_write(false);
    let call = announce(&stage, &sid(1)).await;
    let Ok(mut socket) = open(&stage, &call.token, &Proof::Right).await else {
        panic!("the token is a live one");
    };
    socket.introduce(&call.call_sid, Some(&call.token)).await;
    socket.play(2_000).await;
    not_ready(&stage).await;
    hang_up(&stage, &sid(1)).await;
    stage.server().let_write(true);
    ready(&stage).await;
    let books = stage.finish().await;
    let records = books.records(&sid(1)).await;
    let kinds = kinds(&records);
    assert_eq!(kinds.first(), Some(&"announced"), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"ended"), "{kinds:?}");
    assert!(kinds.contains(&"stream"), "{kinds:?}");
    in_order(&records);
}

/// Waits until the server says that it does not want new calls, and why.
async fn not_ready(stage: &Stage) {
    let why = stage
        .until("the journal's trouble", async || {
            let (status, why) = stage.get("/readyz").await;
            (status == StatusCode::SERVICE_UNAVAILABLE).then_some(why)
        })
        .await;
    assert!(why.starts_with("journal cannot be written: "), "{why}");
    assert_eq!(why.lines().count(), 1, "{why}");
    assert_eq!(stage.metric(WRITABLE).await, 0.0);
    assert_eq!(stage.get("/healthz").await.0, StatusCode::OK);
}

async fn ready(stage: &Stage) {
    stage
        .until("the end of the journal's trouble", async || {
            (stage.get("/readyz").await.0 == StatusCode::OK).then_some(())
        })
        .await;
    assert_eq!(stage.metric(WRITABLE).await, 1.0);
}

/// What is on disk of the one live call.
async fn written(stage: &Stage) -> Vec<String> {
    let id = stage.live_call().await;
    let (_, facts) = stage
        .api(Method::GET, &format!("/api/calls/{id}"), "")
        .await;
    let facts = facts.as_array().cloned().unwrap_or_default();
    let kinds = facts.iter().filter_map(|fact| fact["kind"].as_str());
    kinds.map(str::to_owned).collect()
}

fn kinds(records: &[Record]) -> Vec<&'static str> {
    let kinds = records.iter().map(|record| describe(&record.fact).1);
    kinds.collect()
}

/// Insists that the records lie in the journal as they happened, each once.
fn in_order(records: &[Record]) {
    assert!(records.is_sorted_by_key(|record| record.at), "{records:#?}");
    assert!(
        records.is_sorted_by_key(|record| record.wall),
        "{records:#?}"
    );
    for (nth, record) in records.iter().enumerate() {
        let repeated = records[..nth]
            .iter()
            .any(|earlier| (earlier.at, &earlier.fact) == (record.at, &record.fact));
        assert!(!repeated, "{record:#?}");
    }
}
