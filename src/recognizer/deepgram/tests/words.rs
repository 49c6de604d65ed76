//! Audio goes there, words come back.

use std::time::Duration;

use handoff_core::pii::Pii;
use handoff_core::speech::{Hypothesis, Speaker};
use handoff_core::time::MediaTime;
use serde_json::json;

use super::peer::{Call, Kind, Peer};
use crate::recognizer::{Feeding, Heard};

#[tokio::test]
async fn windows_become_interim_and_final_words() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    call.window(100);
    let mut deepgram = peer.grants().await;
    assert_eq!(deepgram.asked.uri().path(), "/v1/listen");
    assert!(
        deepgram
            .asked
            .uri()
            .query()
            .unwrap()
            .contains("&encoding=mulaw&sample_rate=8000&")
    );
    assert_eq!(deepgram.asked.headers()["authorization"], "Token test-key");

    deepgram.gets_audio(2).await;
    deepgram.says_words("i want", 0.0, 0.1, Kind::Interim).await;
    let interim = call.hears_words().await;
    assert_eq!(
        (interim.text.expose().as_str(), interim.is_final),
        ("i want", false)
    );

    deepgram.says_words("", 0.0, 0.1, Kind::Final).await;
    deepgram
        .says_words("I want a refund.", 0.05, 0.2, Kind::Endpoint)
        .await;
    assert_eq!(
        call.hears_words().await,
        Hypothesis {
            speaker: Speaker::Caller,
            text: Pii::new("I want a refund.".to_owned()),
            start: MediaTime::from_millis(50),
            end: MediaTime::from_millis(200),
            confidence: 0.9,
            is_final: true,
            ends_utterance: true,
            approximate: false,
        }
    );
}

#[tokio::test]
async fn utterance_end_is_told_on_the_calls_clock() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(7_000);
    let mut deepgram = peer.grants().await;
    deepgram.gets_audio(1).await;
    deepgram.says_words("hello", 0.0, 0.1, Kind::Final).await;
    let end = json!({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 0.06});
    deepgram.says(end).await;
    assert_eq!(
        call.hears_words().await.start,
        MediaTime::from_millis(7_000)
    );
    let heard = call.hears().await;
    let Some(Heard::UtteranceEnded {
        speaker: Speaker::Caller,
        at,
    }) = heard
    else {
        panic!("{heard:?}")
    };
    assert_eq!(at, MediaTime::from_millis(7_060));
}

#[tokio::test]
async fn a_gap_in_the_audio_is_a_gap_in_the_times() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    call.window(5_000);
    let mut deepgram = peer.grants().await;
    deepgram.gets_audio(2).await;
    deepgram.says_words("before", 0.0, 0.1, Kind::Final).await;
    deepgram.says_words("after", 0.1, 0.2, Kind::Final).await;
    assert_eq!(call.hears_words().await.end, MediaTime::from_millis(100));
    let after = call.hears_words().await;
    assert_eq!(after.start, MediaTime::from_millis(5_000));
    assert_eq!(after.end, MediaTime::from_millis(5_100));
}

#[tokio::test]
async fn keep_alive_holds_a_connection_without_audio() {
    let peer = Peer::new().await;
    let mut options = peer.options();
    options.keep_alive = Duration::from_millis(20);
    let call = Call::new(options);
    call.window(0);
    let mut deepgram = peer.grants().await;
    deepgram.gets_audio(1).await;
    assert_eq!(deepgram.gets().await, "KeepAlive");
    assert_eq!(deepgram.gets().await, "KeepAlive");
    call.window(100);
    while deepgram.gets().await != "audio 800" {}
}

#[tokio::test]
async fn flush_asks_for_final_words_after_the_audio_before_it() {
    let peer = Peer::new().await;
    let call = Call::new(peer.options());
    call.push(Feeding::Flush);
    call.window(0);
    call.push(Feeding::Flush);
    call.window(100);
    let mut deepgram = peer.grants().await;
    for expected in ["audio 800", "Finalize", "audio 800"] {
        assert_eq!(deepgram.gets().await, expected);
    }
}

#[tokio::test]
async fn messages_that_cannot_be_read_change_nothing() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    let mut deepgram = peer.grants().await;
    deepgram.gets_audio(1).await;
    for text in [
        "{",
        "null",
        r#"{"type":"Results","start":0}"#,
        r#"{"type":"ConfigureSuccess"}"#,
        r#"{"type":"Metadata"}"#,
        r#"{"type":"Error","description":"d","message":"m","variant":"v"}"#,
    ] {
        deepgram.says_text(text).await;
    }
    deepgram
        .says_words("still here", 0.0, 0.1, Kind::Final)
        .await;
    assert_eq!(call.hears_words().await.text.expose(), "still here");
}
