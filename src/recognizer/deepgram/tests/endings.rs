//! The feed ends, or the call does.

use std::time::Duration;

use bytes::Bytes;
use handoff_core::time::MediaTime;
use serde_json::json;
use tokio::sync::mpsc;

use super::peer::{Call, Kind, Peer, caller_leg, egress, options, within};
use crate::recognizer::deepgram::start;
use crate::recognizer::{Feed, Feeding, Heard};

#[tokio::test]
async fn the_last_words_are_told_after_the_feed_ends() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    let mut deepgram = peer.grants().await;
    deepgram.gets_audio(1).await;
    call.window(100);
    call.end_feed();
    deepgram.gets_audio(1).await;
    assert_eq!(deepgram.gets().await, "CloseStream");
    deepgram
        .says_words("goodbye", 0.0, 0.2, Kind::Endpoint)
        .await;
    deepgram
        .says(json!({"type": "Metadata", "request_id": "r", "duration": 0.2}))
        .await;
    assert_eq!(call.hears_words().await.text.expose(), "goodbye");
    assert!(call.hears().await.is_none());
    assert_eq!(deepgram.gets().await, "close");
}

#[tokio::test]
async fn a_close_without_goodbye_ends_it_too() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    call.end_feed();
    let mut deepgram = peer.grants().await;
    deepgram.gets_audio(1).await;
    assert_eq!(deepgram.gets().await, "CloseStream");
    deepgram.closes(1000, "").await;
    assert!(call.hears().await.is_none());
}

#[tokio::test]
async fn last_words_that_never_come_are_given_up() {
    let peer = Peer::new().await;
    let mut options = peer.options();
    options.finish_deadline = Duration::from_millis(50);
    let mut call = Call::new(options);
    call.window(0);
    let mut deepgram = peer.grants().await;
    deepgram.gets_audio(1).await;
    call.end_feed();
    assert_eq!(deepgram.gets().await, "CloseStream");
    assert!(call.hears().await.is_none());
}

#[tokio::test]
async fn audio_kept_at_the_end_of_the_feed_is_still_sent() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    call.window(100);
    call.end_feed();
    peer.refuses(503, "").await;
    let mut deepgram = peer.grants().await;
    deepgram.gets_audio(2).await;
    assert_eq!(deepgram.gets().await, "CloseStream");
    deepgram
        .says_words("goodbye", 0.0, 0.2, Kind::Endpoint)
        .await;
    assert_eq!(call.hears_words().await.text.expose(), "goodbye");
}

#[tokio::test]
async fn a_feed_without_audio_makes_no_connection() {
    let mut call = Call::new(options("http://192.0.2.1"));
    call.end_feed();
    assert!(call.hears().await.is_none());
}

#[tokio::test]
async fn a_call_that_does_not_listen_ends_the_recognition() {
    let peer = Peer::new().await;
    let (feed, feeding) = Feed::new();
    let (sender, heard) = mpsc::channel(1);
    let recognition = start(
        peer.options().into(),
        egress(),
        caller_leg(),
        feeding,
        sender,
    );
    drop(heard);
    let says = async {
        let mulaw = Bytes::from_static(&[0xff; 800]);
        let start = MediaTime(0);
        assert!(feed.push(Feeding::Window { start, mulaw }));
        let mut deepgram = peer.grants().await;
        deepgram.gets_audio(1).await;
        deepgram.says_words("hello", 0.0, 0.1, Kind::Final).await;
    };
    within(async { tokio::join!(recognition, says) }).await;
}

#[tokio::test]
async fn a_full_channel_costs_interims_but_no_final() {
    let peer = Peer::new().await;
    let (feed, feeding) = Feed::new();
    let (sender, mut heard) = mpsc::channel(1);
    let recognition = start(
        peer.options().into(),
        egress(),
        caller_leg(),
        feeding,
        sender,
    );
    let says = async move {
        let mulaw = Bytes::from_static(&[0xff; 800]);
        let start = MediaTime(0);
        assert!(feed.push(Feeding::Window { start, mulaw }));
        let mut deepgram = peer.grants().await;
        deepgram.gets_audio(1).await;
        for text in ["i", "i want", "i want a"] {
            deepgram.says_words(text, 0.0, 0.1, Kind::Interim).await;
        }
        deepgram
            .says_words("I want a human.", 0.0, 0.1, Kind::Final)
            .await;
        drop(feed);
        let mut finals = Vec::new();
        while finals.is_empty() {
            match heard.recv().await {
                Some(Heard::Hypothesis(words)) if words.is_final => {
                    finals.push(words.text.into_exposed());
                }
                Some(Heard::Hypothesis(_)) => {}
                other => panic!("words expected, not {other:?}"),
            }
        }
        assert_eq!(finals, ["I want a human."]);
    };
    within(async { tokio::join!(recognition, says) }).await;
}

/// A call has two legs and 48 KiB for everything.
#[test]
fn a_waiting_recognition_is_small() {
    let (_feed, feeding) = Feed::new();
    let (sender, _heard) = mpsc::channel(1);
    let recognition = start(
        options("http://192.0.2.1").into(),
        egress(),
        caller_leg(),
        feeding,
        sender,
    );
    let size = std::mem::size_of_val(&recognition);
    assert!(size <= 6 * 1024, "{size} bytes");
}
