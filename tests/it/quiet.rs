//! A call is woken for whole windows of audio. What comes without audio behind it must not wait for
//! one.

use std::time::Duration;

use handoff_core::call::{Disposition, Fact, StreamEnd};
use reqwest::Method;
use serde_json::json;
use tokio::time::timeout;

use super::by_hand::{Proof, STREAM, announce, hang_up, open, sid};
use super::stage::{ACCOUNT, Setup, Stage};

/// Far above what the call itself allows the audio to pause, far below anything else that might
/// wake it.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_stop_after_the_last_audio_is_seen_while_the_socket_stays_open() {
    let mut setup = Setup::empty();
    setup.hears = false;
    // Nothing but the stop may end the stream in time.
    setup.config = "[stream]\ngrace = \"60s\"\n".to_owned();
    let stage = Stage::set(setup).await;
    let call = announce(&stage, &sid(1)).await;
    let Ok(mut socket) = open(&stage, &call.token, &Proof::Right).await else {
        panic!("the token is a live one");
    };
    socket.introduce(&call.call_sid, Some(&call.token)).await;
    socket.play(1_000).await;
    let id = stage.live_call().await;
    let streams = async || {
        let (_, facts) = stage
            .api(Method::GET, &format!("/api/calls/{id}"), "")
            .await;
        let facts = facts.as_array().cloned().unwrap_or_default();
        facts.iter().filter(|fact| fact["kind"] == "stream").count()
    };
    let started = async || (streams().await == 1).then_some(());
    stage.until("the start of the stream", started).await;
    // A message that is far shorter than a window.
    let stop = json!({"event": "stop", "sequenceNumber": "60", "streamSid": STREAM,
        "stop": {"accountSid": ACCOUNT, "callSid": call.call_sid}});
    socket.send(stop.to_string()).await;
    let stopped = async || (streams().await == 2).then_some(());
    let seen = timeout(SOON, stage.until("the end of the stream", stopped)).await;
    seen.expect("the stop waits for audio that does not come");
    hang_up(&stage, &sid(1)).await;
    let books = stage.finish().await;
    drop(socket);
    let stop = (books.records(&sid(1)).await.into_iter()).find_map(|record| match record.fact {
        Fact::StreamStopped { end, .. } => Some(end),
        _ => None,
    });
    assert_eq!(stop, Some(StreamEnd::Stopped));
    assert_eq!(
        books.disposition(&sid(1)).await,
        Disposition::StayedWithVoiceAgent
    );
}
