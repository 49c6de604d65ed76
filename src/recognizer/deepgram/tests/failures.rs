//! Connections that are not made, break or stall.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use handoff_core::speech::Speaker;
use handoff_core::time::MediaTime;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::peer::{Call, Kind, Peer, caller_leg, deepgram, options, within};
use crate::recognizer::deepgram::start;
use crate::recognizer::{Feed, Feeding, Heard, LostReason};

async fn hears_lost(call: &mut Call) -> LostReason {
    match call.hears().await {
        Some(Heard::Lost {
            speaker: Speaker::Caller,
            reason,
        }) => reason,
        other => panic!("a loss expected, not {other:?}"),
    }
}

#[tokio::test]
async fn a_break_is_mended_and_the_times_go_on() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    for start_ms in [0, 100, 200, 300] {
        call.window(start_ms);
    }
    let mut first = peer.grants().await;
    first.gets_audio(4).await;
    first.says_words("i want", 0.0, 0.2, Kind::Final).await;
    assert_eq!(call.hears_words().await.end, MediaTime::from_millis(200));
    first.closes(1011, "NET-0000").await;

    call.window(400);
    let mut second = peer.grants().await;
    // What no final result covered comes again: 200, 300 and the new 400.
    second.gets_audio(3).await;
    second.says_words("a human", 0.0, 0.3, Kind::Endpoint).await;
    let words = call.hears_words().await;
    assert_eq!(words.start, MediaTime::from_millis(200));
    assert_eq!(words.end, MediaTime::from_millis(500));
}

#[tokio::test]
async fn kept_audio_is_not_sent_faster_than_the_rate() {
    let peer = Peer::new().await;
    let mut options = peer.options();
    options.replay.rate = 12.5;
    let call = Call::new(options);
    for window in 0..10 {
        call.window(window * 100);
    }
    let begun = Instant::now();
    let mut deepgram = peer.grants().await;
    deepgram.gets_audio(10).await;
    assert!(
        begun.elapsed() >= Duration::from_millis(9 * 8),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn bad_credentials_lose_the_recognizer_once_and_for_good() {
    for (status, error) in [
        (401, "INVALID_AUTH"),
        (402, "ASR_PAYMENT_REQUIRED"),
        (403, "INSUFFICIENT_PERMISSIONS"),
    ] {
        let peer = Peer::new().await;
        let mut call = Call::new(peer.options());
        call.window(0);
        peer.refuses(status, error).await;
        assert_eq!(hears_lost(&mut call).await, LostReason::Refused, "{status}");
        assert!(
            call.hears().await.is_none(),
            "the recognition ends after {status}"
        );
    }
}

#[tokio::test]
async fn bad_parameters_lose_the_recognizer_for_good() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    peer.refuses(400, "Bad Request").await;
    assert_eq!(hears_lost(&mut call).await, LostReason::Undecodable);
    assert!(call.hears().await.is_none());
}

#[tokio::test]
async fn undecodable_audio_loses_the_recognizer_for_good() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    let mut deepgram = peer.grants().await;
    deepgram.gets_audio(1).await;
    deepgram.closes(1008, "DATA-0000").await;
    assert_eq!(hears_lost(&mut call).await, LostReason::Undecodable);
    assert!(call.hears().await.is_none());
}

#[tokio::test]
async fn the_reason_is_read_though_the_connection_is_cut_under_our_audio() {
    for _ in 0..50 {
        let peer = Peer::new().await;
        let mut call = Call::new(peer.options());
        call.window(0);
        let mut deepgram = peer.grants().await;
        let frame = CloseFrame {
            code: CloseCode::Policy,
            reason: "DATA-0000".into(),
        };
        deepgram
            .socket
            .send(Message::Close(Some(frame)))
            .await
            .unwrap();
        call.window(100);
        // Unread audio makes this a reset.
        drop(deepgram);
        call.window(200);
        assert_eq!(hears_lost(&mut call).await, LostReason::Undecodable);
    }
}

#[tokio::test]
async fn a_recognizer_that_comes_back_is_restored_before_its_words() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    for _ in 0..4 {
        peer.refuses(503, "").await;
    }
    assert_eq!(hears_lost(&mut call).await, LostReason::Unreachable);
    peer.refuses(503, "").await;

    let mut deepgram = peer.grants().await;
    deepgram.gets_audio(1).await;
    deepgram.says_words("hello", 0.0, 0.1, Kind::Interim).await;
    let restored = call.hears().await;
    assert!(
        matches!(
            restored,
            Some(Heard::Restored {
                speaker: Speaker::Caller
            })
        ),
        "{restored:?}"
    );
    assert_eq!(call.hears_words().await.text.expose(), "hello");
}

#[tokio::test]
async fn words_between_failures_keep_the_recognizer() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    for _ in 0..3 {
        for _ in 0..2 {
            peer.refuses(503, "").await;
        }
        let mut deepgram = peer.grants().await;
        deepgram.gets_audio(1).await;
        deepgram.says_words("hello", 0.0, 0.1, Kind::Interim).await;
        call.hears_words().await;
        deepgram.closes(1011, "NET-0001").await;
    }
}

#[tokio::test]
async fn connections_that_never_answer_lose_the_recognizer() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    for _ in 0..4 {
        let mut deepgram = peer.grants().await;
        deepgram.gets_audio(1).await;
        deepgram.closes(1011, "NET-0000").await;
    }
    assert_eq!(hears_lost(&mut call).await, LostReason::Unreachable);
}

#[tokio::test]
async fn too_many_connections_are_told_as_busy() {
    let peer = Peer::new().await;
    let mut call = Call::new(peer.options());
    call.window(0);
    for _ in 0..4 {
        peer.refuses(429, "TOO_MANY_REQUESTS").await;
    }
    assert_eq!(hears_lost(&mut call).await, LostReason::Busy);
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut call = Call::new(options(&format!("ws://{}", listener.local_addr().unwrap())));
    drop(listener);
    call.window(0);
    assert_eq!(hears_lost(&mut call).await, LostReason::Unreachable);
}

#[tokio::test]
async fn a_peer_without_tls_is_unreachable_over_https() {
    let peer = Peer::new().await;
    let mut options = peer.options();
    options.base_url = options.base_url.replace("http://", "https://");
    options.reconnect.lost_after = 1;
    let mut call = Call::new(options);
    call.window(0);
    let mut plain = peer.takes().await;
    let mut greeting = [0];
    within(plain.read_exact(&mut greeting)).await.unwrap();
    const TLS_HANDSHAKE: u8 = 22;
    assert_eq!(greeting, [TLS_HANDSHAKE]);
    drop(plain);
    assert_eq!(hears_lost(&mut call).await, LostReason::Unreachable);
}

#[tokio::test]
async fn an_upgrade_that_is_never_answered_is_given_up() {
    let peer = Peer::new().await;
    let mut options = peer.options();
    options.connect_deadline = Duration::from_millis(20);
    options.reconnect.lost_after = 2;
    let mut call = Call::new(options);
    call.window(0);
    let _held = [peer.takes().await, peer.takes().await];
    assert_eq!(hears_lost(&mut call).await, LostReason::Unreachable);
}

#[tokio::test]
async fn a_base_url_that_is_none_loses_the_recognizer() {
    let mut call = Call::new(options("deepgram"));
    call.window(0);
    assert_eq!(hears_lost(&mut call).await, LostReason::Undecodable);
    assert!(call.hears().await.is_none());
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_pinged_and_left() {
    let peer = Peer::new().await;
    let mut options = peer.options();
    options.answer_deadline = Duration::from_millis(300);
    let call = Call::new(options);
    call.window(0);
    let mut deepgram = peer.grants().await;
    // Pings come at half the deadline. Reading answers them, so the connection outlives it.
    let mut pings = 0;
    while pings < 3 {
        match within(deepgram.socket.next()).await {
            Some(Ok(Message::Ping(_))) => pings += 1,
            Some(Ok(_)) => {}
            ended => panic!("left although it answers: {ended:?}"),
        }
    }
    // From here on nobody reads it.
    peer.grants().await;
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_left_though_it_talks() {
    let peer = Peer::new().await;
    let mut options = peer.options();
    options.answer_deadline = Duration::from_millis(300);
    options.reconnect.lost_after = 1;
    let mut call = Call::new(options);
    call.window(0);
    let mut deepgram = peer.grants().await;
    let talks = async {
        let mut rhythm = tokio::time::interval(Duration::from_millis(10));
        while deepgram
            .socket
            .send(Message::Ping(Bytes::new()))
            .await
            .is_ok()
        {
            rhythm.tick().await;
        }
    };
    // More than the kernel's buffers of a loopback connection hold.
    let feeds = async {
        let mut rhythm = tokio::time::interval(Duration::from_millis(1));
        loop {
            let mulaw = Bytes::from_static(&[0xff; 40_000]);
            call.try_push(Feeding::Window {
                start: MediaTime(0),
                mulaw,
            });
            rhythm.tick().await;
        }
    };
    let left = async {
        tokio::select! {
            () = talks => {}
            () = feeds => {}
        }
    };
    within(left).await;
    assert_eq!(hears_lost(&mut call).await, LostReason::Unreachable);
}

/// A server that takes connections and answers none must be found out by all calls, not by 128 at a
/// time.
#[tokio::test]
async fn a_connection_does_not_wait_for_others_that_get_nowhere() {
    let peer = Peer::new().await;
    let mut options = peer.options();
    options.connect_deadline = Duration::from_secs(3_600);
    let deepgram = deepgram(options);
    let mut recognitions = JoinSet::new();
    let mut feeds = Vec::new();
    let (sender, _heard) = mpsc::channel(1);
    let mut held = Vec::new();
    for _ in 0..130 {
        let (feed, feeding) = Feed::new();
        let mulaw = Bytes::from_static(&[0xff; 800]);
        let start_at = MediaTime(0);
        assert!(feed.push(Feeding::Window {
            start: start_at,
            mulaw
        }));
        feeds.push(feed);
        recognitions.spawn(start(
            Arc::clone(&deepgram),
            caller_leg(),
            feeding,
            sender.clone(),
        ));
    }
    for _ in 0..130 {
        held.push(peer.takes().await);
    }
}
