//! A line at Plivo: the same promises over another carrier.

use handoff_core::call::Disposition;
use handoff_simulator::carrier::plivo::sign;
use handoff_simulator::carrier::{CarrierEvent, Human, Method};
use reqwest::StatusCode;

use super::stage::{PLIVO_TOKEN, PUBLIC_URL, Setup, Stage, bridged, count, rings, streams};
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

/// Posts a form as Plivo signs it; `altered` is sent and was not signed.
async fn posted(stage: &Stage, form: &[(&str, &str)], altered: &[(&str, &str)]) -> StatusCode {
    let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    };
    let (signed, mut sent) = (owned(form), owned(form));
    sent.extend(owned(altered));
    let url = format!("{PUBLIC_URL}/plivo/answer");
    let nonce = "05429567804466091622";
    let answer = stage
        .client
        .post(stage.url("/plivo/answer"))
        .header(
            "X-Plivo-Signature-V3",
            sign(PLIVO_TOKEN, Method::Post, &url, &signed, nonce),
        )
        .header("X-Plivo-Signature-V3-Nonce", nonce)
        .form(&sent)
        .send()
        .await;
    answer.expect("the server answers").status()
}

const CALL: [(&str, &str); 4] = [
    ("CallUUID", "7d0c0001-0000-4000-8000-000000000001"),
    ("From", "15550100001"),
    ("To", "15550100002"),
    ("Direction", "inbound"),
];

#[tokio::test]
async fn what_plivo_did_not_sign_is_refused() {
    let stage = Stage::set(Setup::at_plivo("asks-for-human")).await;
    let altered = posted(&stage, &CALL, &[("Event", "StartApp")]).await;
    assert_eq!(altered, StatusCode::FORBIDDEN);
    let unsigned = stage
        .client
        .post(stage.url("/plivo/answer"))
        .header(
            "X-Plivo-Signature-V2",
            "T9hEpf7hHGYpZu0ew6a7wZkwluhkgujekPlmpK+KvZw=",
        )
        .header("X-Plivo-Signature-V2-Nonce", "05429567804466091622")
        .form(&CALL)
        .send()
        .await
        .expect("the server answers");
    assert_eq!(unsigned.status(), StatusCode::FORBIDDEN);
    stage.finish().await;
}

/// An application without a hangup URL is told of the end where it was told of the beginning.
#[tokio::test]
async fn a_hangup_told_to_the_answer_url_ends_the_call_and_begins_none() {
    let stage = Stage::set(Setup::at_plivo("asks-for-human")).await;
    let with = |event| [&CALL[..], &[("Event", event)]].concat();
    assert_eq!(posted(&stage, &with("StartApp"), &[]).await, StatusCode::OK);
    stage.live_call().await;
    let hangup = posted(&stage, &with("Hangup"), &[]).await;
    assert_eq!(hangup, StatusCode::NO_CONTENT);
    stage.idle().await;
    let again = posted(&stage, &with("Hangup"), &[]).await;
    assert_eq!(again, StatusCode::NO_CONTENT);
    let books = stage.finish().await;
    assert_eq!(
        books.disposition(CALL[0].1).await,
        Disposition::StayedWithVoiceAgent
    );
}
