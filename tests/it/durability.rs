//! The server is killed at the worst moments, or told to stop, and nothing is lost or done twice.

use std::time::Duration;

use handoff_core::call::Disposition;
use handoff_simulator::carrier::twilio::{AfterRecording, FaultKind, PlacedCall, RestFault};
use handoff_simulator::carrier::{CarrierEvent, Human, Speed};
use handoff_simulator::sinks::{FaultKind as SinkFaultKind, SinkFault, slack, zendesk};
use reqwest::StatusCode;

use super::by_hand::{Proof, VOICE, call_form, post, sid};
use super::stage::{Setup, Stage, TARGET, bridged, count, rewritten, rings, streams};
use super::story::{only_card, only_ticket, reached_a_human};

#[tokio::test]
async fn killed_as_the_call_is_rewritten_the_context_is_delivered_once() {
    let mut stage = Stage::set(long_talk()).await;
    let call = stage.place();
    stage.see(&call, rewritten).await;
    restart(&mut stage, &call).await;
    everything_once(stage, call).await;
}

#[tokio::test]
async fn killed_while_the_sinks_stall_the_context_is_delivered_once() {
    let mut setup = long_talk();
    setup
        .zendesk
        .faults
        .push(SinkFault::once(SinkFaultKind::Stall).on(zendesk::Route::UploadFile));
    setup
        .slack
        .faults
        .push(SinkFault::once(SinkFaultKind::Stall).on(slack::Route::PostMessage));
    let mut stage = Stage::set(setup).await;
    let call = stage.place();
    faulted(&stage).await;
    restart(&mut stage, &call).await;
    everything_once(stage, call).await;
}

#[tokio::test]
async fn killed_while_the_create_is_not_answered_the_context_is_delivered_once() {
    let mut setup = long_talk();
    setup
        .zendesk
        .faults
        .push(SinkFault::once(SinkFaultKind::Stall).on(zendesk::Route::CreateTicket));
    setup
        .slack
        .faults
        .push(SinkFault::once(SinkFaultKind::Stall).on(slack::Route::PostMessage));
    let mut stage = Stage::set(setup).await;
    let call = stage.place();
    faulted(&stage).await;
    restart(&mut stage, &call).await;
    everything_once(stage, call).await;
}

#[tokio::test]
async fn killed_after_the_sinks_acted_and_before_they_answered_the_context_is_delivered_once() {
    let mut setup = long_talk();
    setup
        .zendesk
        .faults
        .push(SinkFault::once(SinkFaultKind::CutAfter).on(zendesk::Route::CreateTicket));
    setup
        .slack
        .faults
        .push(SinkFault::once(SinkFaultKind::CutAfter).on(slack::Route::PostMessage));
    let mut stage = Stage::set(setup).await;
    let call = stage.place();
    faulted(&stage).await;
    restart(&mut stage, &call).await;
    everything_once(stage, call).await;
}

#[tokio::test]
async fn killed_as_the_ticket_is_made_the_context_is_delivered_once() {
    let mut stage = Stage::set(long_talk()).await;
    let call = stage.place();
    let made = |state: &zendesk::State| (!state.tickets.is_empty()).then_some(());
    stage
        .zendesk
        .wait_for(stage.left(), "a ticket", made)
        .await
        .expect("a ticket");
    restart(&mut stage, &call).await;
    everything_once(stage, call).await;
}

#[tokio::test]
async fn killed_twice_the_context_is_delivered_once() {
    let mut setup = long_talk();
    let stall = SinkFault::once(SinkFaultKind::Stall)
        .on(zendesk::Route::CreateTicket)
        .times(2);
    setup.zendesk.faults.push(stall);
    let mut stage = Stage::set(setup).await;
    let call = stage.place();
    for stalled in 1..=2 {
        let tries = |state: &zendesk::State| {
            let faulted = state
                .requests
                .iter()
                .filter(|request| request.fault.is_some());
            (faulted.count() == stalled).then_some(())
        };
        stage
            .zendesk
            .wait_for(stage.left(), "a stalled create", tries)
            .await
            .expect("a create");
        restart(&mut stage, &call).await;
    }
    everything_once(stage, call).await;
}

#[tokio::test]
async fn killed_before_the_carrier_acted_the_call_is_looked_at_and_rewritten() {
    let mut setup = long_talk();
    let kind = FaultKind::Delay(Duration::from_secs(30));
    setup.carrier.rest_faults.push(RestFault { kind, times: 1 });
    let mut stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, |event| requested(event, "POST")).await;
    stage.kill().await;
    assert_eq!(count(&call, rewritten), 0);
    stage.start().await;
    stage.see(&call, |event| requested(event, "GET")).await;
    everything_once(stage, call).await;
}

#[tokio::test]
async fn killed_after_the_carrier_acted_the_human_is_not_rung_again() {
    let mut setup = long_talk();
    setup.carrier.rest_faults.push(RestFault {
        kind: FaultKind::HangAfterActing,
        times: 1,
    });
    // The leg's first news finds the restarted server.
    setup.carrier.ring_delay = Duration::from_millis(1_200);
    let mut stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, rewritten).await;
    restart(&mut stage, &call).await;
    everything_once(stage, call).await;
}

#[tokio::test]
async fn killed_for_good_the_caller_goes_on_with_the_bot() {
    let mut setup = Setup::of("asks-for-human");
    setup.carrier.speed = Speed::Times(10.0);
    let mut stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, streams).await;
    stage.kill().await;
    stage.ended(&call).await;
    let failed = |event: &CarrierEvent| matches!(event, CarrierEvent::BotVisited { .. });
    assert_eq!(count(&call, failed), 1);
    assert_eq!(count(&call, rings), 0);
    // The next start finds the call over and says so.
    stage.start().await;
    let books = stage.finish().await;
    let disposition = books.disposition(call.call_sid()).await;
    assert_eq!(disposition, Disposition::StayedWithVoiceAgent);
}

#[tokio::test]
async fn killed_for_good_while_we_are_the_media_endpoint_the_carrier_rings_the_human() {
    let mut setup = Setup::of("presses-zero");
    setup.carrier.speed = Speed::Times(10.0);
    let mut stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, streams).await;
    stage.kill().await;
    stage.ended(&call).await;
    assert_eq!(count(&call, rings), 1, "the dead-man tail rings the human");
    assert!(reached_a_human(&call));
    stage.start().await;
    stage.finish().await;
}

/// What Twilio does after a `<Dial>` is ours to say. If we are gone, it is for the number's fallback.
#[tokio::test]
async fn killed_for_good_while_a_phone_rings_that_nobody_answers_the_numbers_fallback_has_the_caller()
 {
    let mut setup = Setup::of("asks-for-human");
    setup.carrier.speed = Speed::Times(10.0);
    setup.carrier.human = Some(Human::NoAnswer);
    let fallback = "<Response><Say>Please hold on.</Say><Pause length=\"5\"/></Response>";
    setup.carrier.fallback_document = Some(fallback.to_owned());
    let mut stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, rings).await;
    stage.kill().await;
    let taken = |event: &CarrierEvent| matches!(event, CarrierEvent::FallbackTaken { .. });
    stage.see(&call, taken).await;
    stage.ended(&call).await;
    stage.start().await;
    let books = stage.finish().await;
    assert!(books.disposition(call.call_sid()).await != Disposition::Bridged);
}

#[tokio::test]
async fn told_to_stop_it_lets_live_calls_end_and_new_ones_pass_by() {
    let mut setup = Setup::of("asks-for-human");
    setup.carrier.speed = Speed::Times(8.0);
    let mut stage = Stage::set(setup).await;
    let call = stage.place();
    stage.see(&call, streams).await;
    assert_eq!(stage.get("/readyz").await.0, StatusCode::OK);
    stage.server().terminate();
    stage
        .until("not ready", async || {
            let (status, _) = stage.get("/readyz").await;
            (status == StatusCode::SERVICE_UNAVAILABLE).then_some(())
        })
        .await;
    assert_eq!(stage.get("/healthz").await.0, StatusCode::OK);
    let (status, document) = post(&stage, VOICE, &call_form(&sid(5)), &Proof::Right).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!document.contains("<Stream"), "{document}");
    assert!(document.contains("</Redirect>"), "{document}");
    assert!(document.contains(TARGET), "{document}");
    stage.ended(&call).await;
    assert!(reached_a_human(&call), "the live call was not given up");
    stage.exited().await;
    // What could not be delivered any more is delivered by the next process.
    stage.start().await;
    stage.undelivered(0).await;
    only_ticket(&stage);
    let books = stage.finish().await;
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
    assert!(
        !books.knows(&sid(5)).await,
        "a call that passes by is not ours"
    );
}

/// A caller who is with the human for so long that the server can be killed and started meanwhile.
pub fn long_talk() -> Setup {
    let mut setup = Setup::of("asks-for-human");
    setup.carrier.human = Some(Human::Answers {
        after: Duration::from_secs(30),
        talks_for: Duration::from_secs(60),
        presses: Some('1'),
    });
    setup.carrier.after_recording = AfterRecording::WaitForHandoff {
        grace: Duration::from_secs(20),
    };
    setup
}

fn requested(event: &CarrierEvent, wanted: &str) -> bool {
    matches!(event, CarrierEvent::RestRequested { method, .. } if method == wanted)
}

/// Waits until each planned fault of the sinks has happened.
async fn faulted(stage: &Stage) {
    let ticket = |state: &zendesk::State| {
        state
            .requests
            .iter()
            .any(|request| request.fault.is_some())
            .then_some(())
    };
    stage
        .zendesk
        .wait_for(stage.left(), "the ticket's fault", ticket)
        .await
        .expect("a fault");
    let card = |state: &slack::State| {
        state
            .requests
            .iter()
            .any(|request| request.fault.is_some())
            .then_some(())
    };
    stage
        .slack
        .wait_for(stage.left(), "the card's fault", card)
        .await
        .expect("a fault");
}

async fn restart(stage: &mut Stage, call: &PlacedCall) {
    stage.kill().await;
    let over = |event: &CarrierEvent| matches!(event, CarrierEvent::CallEnded { .. });
    assert_eq!(count(call, over), 0, "the call outlives the server");
    stage.start().await;
}

/// Lets the call end, insists that the human and the context came once, and closes the books.
async fn everything_once(stage: Stage, call: PlacedCall) {
    once(&stage, &call).await;
    let books = stage.finish().await;
    assert_eq!(books.triggers(call.call_sid()).await, 1);
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
}

/// Lets the call end and insists on one ring, one ticket and one card for the one handoff.
pub async fn once(stage: &Stage, call: &PlacedCall) {
    stage.ended(call).await;
    assert_eq!(count(call, rings), 1, "the human's phone rings once");
    assert_eq!(count(call, bridged), 1);
    stage.idle().await;
    stage.undelivered(0).await;
    let ticket = only_ticket(stage);
    let card = only_card(stage);
    let handoff = ticket.external_id.expect("the ticket names its handoff");
    assert_eq!(
        card.metadata["event_payload"]["handoff_id"],
        handoff.as_str()
    );
    let notes: Vec<_> = ticket
        .comments
        .iter()
        .map(|comment| comment.body.as_str())
        .collect();
    assert_eq!(
        notes.len(),
        2,
        "one note at the handoff and one at the end: {notes:#?}"
    );
}
