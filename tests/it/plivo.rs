//! A line at Plivo: the same promises over another carrier.

use handoff_core::call::Disposition;
use handoff_simulator::carrier::{CarrierEvent, Human};

use super::stage::{Setup, Stage, bridged, count, rings, streams};
use super::story::{only_card, only_ticket};

#[tokio::test]
async fn a_caller_who_asks_for_a_human_gets_one_context_and_all() {
    let stage = Stage::set(Setup::at_plivo("asks-for-human")).await;
    let call = stage.place_at_plivo();
    stage.see(&call, bridged).await;
    stage.ended(&call).await;
    stage.idle().await;
    stage.undelivered(0).await;
    only_ticket(&stage);
    only_card(&stage);
    let books = stage.finish().await;
    assert_eq!(books.triggers(call.call_sid()).await, 1);
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
}

#[tokio::test]
async fn a_caller_who_is_content_stays_with_the_bot() {
    let stage = Stage::set(Setup::at_plivo("stays-with-bot")).await;
    let call = stage.place_at_plivo();
    stage.ended(&call).await;
    let visited = |event: &CarrierEvent| matches!(event, CarrierEvent::BotVisited { .. });
    assert_eq!(count(&call, visited), 1);
    assert_eq!(count(&call, rings), 0);
    let books = stage.finish().await;
    assert_eq!(books.triggers(call.call_sid()).await, 0);
}

#[tokio::test]
async fn a_caller_who_presses_zero_where_we_are_the_line_gets_a_human() {
    let stage = Stage::set(Setup::at_plivo("presses-zero")).await;
    let call = stage.place_at_plivo();
    stage.see(&call, bridged).await;
    stage.ended(&call).await;
    let books = stage.finish().await;
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
}

#[tokio::test]
async fn a_caller_whom_nobody_answers_hears_a_sentence() {
    let mut setup = Setup::at_plivo("asks-for-human");
    if let Some(plivo) = &mut setup.plivo {
        plivo.human = Some(Human::NoAnswer);
    }
    let stage = Stage::set(setup).await;
    let call = stage.place_at_plivo();
    stage.ended(&call).await;
    let books = stage.finish().await;
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::NoAnswer
    );
}

#[tokio::test]
async fn killed_for_good_where_we_are_the_line_the_carrier_rings_the_human() {
    let mut stage = Stage::set(Setup::at_plivo("presses-zero")).await;
    let call = stage.place_at_plivo();
    stage.see(&call, streams).await;
    stage.kill().await;
    stage.ended(&call).await;
    assert_eq!(count(&call, bridged), 1);
    stage.start().await;
    stage.finish().await;
}
