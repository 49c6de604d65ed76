//! Ticket and chat systems that are slow, busy, down or set up wrongly.

use handoff_core::call::Disposition;
use handoff_simulator::carrier::twilio::PlacedCall;
use handoff_simulator::sinks::{FaultKind, SinkFault, slack, zendesk};

use super::stage::{Books, Setup, Stage, bridged, count, rewritten};
use super::story::{only_card, only_ticket};

#[tokio::test]
async fn a_ticket_system_that_is_busy_is_asked_again_after_its_time() {
    let mut setup = Setup::of("asks-for-human");
    let busy = FaultKind::TooManyRequests {
        retry_after: Some(1),
    };
    setup
        .zendesk
        .faults
        .push(SinkFault::once(busy).on(zendesk::Route::CreateTicket));
    let (stage, call) = delivered(setup).await;
    let creates = requests(&stage, "/api/v2/tickets");
    assert_eq!(creates, [Some(429), Some(201)]);
    only_ticket(&stage);
    finish_bridged(stage, &call).await;
}

#[tokio::test]
async fn an_access_token_that_is_refused_is_replaced_by_a_new_one() {
    let mut setup = Setup::of("asks-for-human");
    setup
        .zendesk
        .faults
        .push(SinkFault::once(FaultKind::Expired).on(zendesk::Route::CreateTicket));
    let (stage, call) = delivered(setup).await;
    assert_eq!(requests(&stage, "/oauth/tokens"), [Some(200), Some(200)]);
    assert_eq!(requests(&stage, "/api/v2/tickets"), [Some(401), Some(201)]);
    only_ticket(&stage);
    finish_bridged(stage, &call).await;
}

#[tokio::test]
async fn a_channel_that_does_not_exist_keeps_its_card_until_it_is_set_right() {
    let mut setup = Setup::of("asks-for-human");
    setup.env("SLACK_CHANNEL", "C0MISSING");
    let mut stage = Stage::set(setup).await;
    stage.expect_violation("a channel that the bot is not in");
    stage.expect_error("sink no longer exists");
    let call = stage.place();
    stage.ended(&call).await;
    stage.idle().await;
    // The card and its update; the ticket is not held up.
    stage.undelivered(2).await;
    only_ticket(&stage);
    assert!(stage.slack.messages().is_empty());
    stage.kill().await;
    stage.start_with("SLACK_CHANNEL", "C0HANDOFF1").await;
    stage.undelivered(0).await;
    only_ticket(&stage);
    only_card(&stage);
    finish_bridged(stage, &call).await;
}

#[tokio::test]
async fn a_sink_that_fails_is_asked_again_until_it_works() {
    let mut setup = Setup::of("asks-for-human");
    setup
        .zendesk
        .faults
        .push(SinkFault::once(FaultKind::ServerError).times(2));
    setup
        .slack
        .faults
        .push(SinkFault::once(FaultKind::CutBefore).times(2));
    let (stage, call) = delivered(setup).await;
    only_ticket(&stage);
    only_card(&stage);
    finish_bridged(stage, &call).await;
}

#[tokio::test]
async fn an_answer_that_was_lost_does_not_make_a_second_ticket_or_card() {
    let mut setup = Setup::of("asks-for-human");
    let ticket = SinkFault::once(FaultKind::CutAfter).on(zendesk::Route::CreateTicket);
    setup.zendesk.faults.push(ticket);
    let card = SinkFault::once(FaultKind::CutAfter).on(slack::Route::PostMessage);
    setup.slack.faults.push(card);
    let (stage, call) = delivered(setup).await;
    only_ticket(&stage);
    only_card(&stage);
    finish_bridged(stage, &call).await;
}

#[tokio::test]
async fn sinks_that_stall_do_not_hold_up_the_caller() {
    let mut setup = Setup::of("asks-for-human");
    setup.zendesk.faults.push(SinkFault::once(FaultKind::Stall));
    setup.slack.faults.push(SinkFault::once(FaultKind::Stall));
    let mut stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, bridged).await;
    assert_eq!(count(&call, rewritten), 1);
    assert!(
        stage.zendesk.tickets().is_empty(),
        "the human was rung before any sink answered"
    );
    assert!(stage.slack.messages().is_empty());
    stage.ended(&call).await;
    stage.idle().await;
    // A new process does not wait for the stalled answers.
    stage.kill().await;
    stage.start().await;
    stage.undelivered(0).await;
    only_ticket(&stage);
    only_card(&stage);
    finish_bridged(stage, &call).await;
}

#[tokio::test]
async fn without_sinks_the_caller_gets_a_human_all_the_same() {
    let mut setup = Setup::of("asks-for-human");
    for name in [
        "ZENDESK_BASE_URL",
        "ZENDESK_CLIENT_ID",
        "ZENDESK_CLIENT_SECRET",
        "SLACK_BOT_TOKEN",
        "SLACK_CHANNEL",
    ] {
        setup.env(name, "");
    }
    let (stage, call) = delivered(setup).await;
    assert!(stage.zendesk.requests().is_empty());
    assert!(stage.slack.requests().is_empty());
    finish_bridged(stage, &call).await;
}

#[tokio::test]
async fn an_incoming_webhook_gets_the_card() {
    let mut setup = Setup::of("asks-for-human");
    let slack = slack::SlackOptions::default();
    // The stand-in's address is known once it listens, so that this one has a fixed port.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    setup.slack.listen = port.expect("a free port");
    let url = format!("http://{}{}", setup.slack.listen, slack.webhook_path);
    setup.env("SLACK_BOT_TOKEN", "");
    setup.env("SLACK_WEBHOOK_URL", url);
    let (stage, call) = delivered(setup).await;
    let messages = stage.slack.messages();
    assert!(!messages.is_empty() && messages.iter().all(|message| message.by_webhook));
    let books = finish_bridged(stage, &call).await;
    let secret = books
        .log
        .iter()
        .any(|line| line.contains("webhook-test-secret"));
    assert!(!secret, "the webhook's path is a secret");
}

async fn delivered(setup: Setup) -> (Stage, PlacedCall) {
    let stage = Stage::set(setup).await;
    let call = stage.place();
    stage.ended(&call).await;
    stage.idle().await;
    stage.undelivered(0).await;
    (stage, call)
}

async fn finish_bridged(stage: Stage, call: &PlacedCall) -> Books {
    let books = stage.finish().await;
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
    books
}

/// The statuses that the ticket system answered to posts at a path with.
fn requests(stage: &Stage, path: &str) -> Vec<Option<u16>> {
    let all = stage.zendesk.requests().into_iter();
    let posts = all.filter(|request| {
        request.method == "POST"
            && request.path.strip_suffix(".json").unwrap_or(&request.path) == path
    });
    posts.map(|request| request.status).collect()
}
