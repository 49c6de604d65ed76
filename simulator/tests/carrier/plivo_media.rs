//! The stream: opened, refused, played, conversed with and ended.

use std::time::Duration;

use handoff_simulator::carrier::plivo::{CarrierOptions, ExtraHeadersForm, StreamEventNames};
use handoff_simulator::carrier::{AfterRecording, CarrierEvent, ClosedBy, EndReason, Speed};
use handoff_simulator::recording::Recording;
use serde_json::{Value, json};

use crate::plivo_server::{AUTH_ID, Socket, World, converse, is_streaming};
use crate::server::{DEADLINE, names, recording, recording_with_extra_line};

const LISTEN: &str = r#"<Response><Stream contentType="audio/x-mulaw;rate=8000" audioTrack="both"
    statusCallbackUrl="https://bridge.example.com/stream">wss://bridge.example.com/media/t1</Stream>
  <Wait length="3600"/></Response>"#;

fn hang_up_after(options: &mut CarrierOptions) {
    options.after_recording = AfterRecording::HangUp;
}

fn events<'v>(socket: &'v [Value], event: &str) -> Vec<&'v Value> {
    socket
        .iter()
        .filter(|message| message["event"] == event)
        .collect()
}

fn spoke(call: &[CarrierEvent], said: &str) -> bool {
    call.contains(&CarrierEvent::SpokenToCaller { text: said.into() })
}

#[tokio::test]
async fn a_listening_stream_carries_both_tracks_in_plivos_form() {
    let world = World::start(&[("/answer", LISTEN)], Socket::Listens, hang_up_after).await;
    let call = world.place(&recording("listen", "none", 2));

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::CallerHungUp);

    world.assert_no_violations();
    let socket = &world.sockets()[0];
    let start = &socket[0];
    assert_eq!(
        (&start["event"], &start["sequenceNumber"]),
        (&json!("start"), &json!(1))
    );
    let stream_id = &start["start"]["streamId"];
    assert_eq!(start["start"]["callId"], call.call_sid());
    assert_eq!(start["start"]["accountId"], AUTH_ID);
    assert_eq!(start["start"]["tracks"], json!(["inbound", "outbound"]));
    let format = json!({"encoding": "audio/x-mulaw", "sampleRate": 8000});
    assert_eq!(start["start"]["mediaFormat"], format);
    let media = events(socket, "media");
    assert_eq!(media.len(), 200);
    assert_eq!(media[0]["media"]["payload"], "//////7+");
    assert_eq!(
        (&media[0]["media"]["chunk"], &media[0]["streamId"]),
        (&json!(1), stream_id)
    );
    let stamps: Vec<u64> = media
        .iter()
        .filter(|message| message["media"]["track"] == "inbound")
        .map(|message| {
            message["media"]["timestamp"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    assert!(stamps[0] > 1_700_000_000_000, "milliseconds since 1970");
    assert!(stamps.windows(2).all(|pair| pair[1] - pair[0] == 20));
    let known = ["start", "media"];
    assert!(
        socket
            .iter()
            .all(|message| known.contains(&message["event"].as_str().unwrap()))
    );
}

#[tokio::test]
async fn a_bidirectional_stream_carries_the_caller_and_keys_and_no_outbound_track() {
    let dtmf = r#"{"event":"dtmf","sequenceNumber":"9","streamSid":"MZ1","dtmf":{"track":"inbound_track","digit":"0"}}"#;
    let document = converse("");
    let world = World::start(&[("/answer", &document)], Socket::Listens, hang_up_after).await;
    let call = world.place(&recording_with_extra_line("converse", dtmf));

    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    let socket = &world.sockets()[0];
    assert_eq!(socket[0]["extra_headers"], "tok=abc");
    let media = events(socket, "media");
    assert_eq!(media.len(), 50);
    assert!(
        media
            .iter()
            .all(|message| message["media"]["track"] == "inbound"
                && message["extra_headers"] == "tok=abc")
    );
    let key = &events(socket, "dtmf")[0]["dtmf"];
    assert_eq!(
        (&key["digit"], &key["track"]),
        (&json!("0"), &json!("inbound"))
    );
    let last = media[49]["media"]["timestamp"].as_str();
    assert_eq!(key["timestamp"].as_str(), last);
}

#[tokio::test]
async fn a_listening_stream_of_the_same_recording_has_no_keys() {
    let dtmf = r#"{"event":"dtmf","sequenceNumber":"9","streamSid":"MZ1","dtmf":{"track":"inbound_track","digit":"0"}}"#;
    let world = World::start(&[("/answer", LISTEN)], Socket::Listens, hang_up_after).await;
    let call = world.place(&recording_with_extra_line("converse", dtmf));
    call.ended(DEADLINE).await.unwrap();
    assert!(events(&world.sockets()[0], "dtmf").is_empty());
}

#[tokio::test]
async fn audio_is_converted_to_the_declared_coding() {
    let document = LISTEN.replace("audio/x-mulaw;rate=8000", "audio/x-l16;rate=16000");
    let world = World::start(&[("/answer", &document)], Socket::Listens, hang_up_after).await;
    let call = world.place(&recording("listen", "none", 1));
    call.ended(DEADLINE).await.unwrap();
    let socket = &world.sockets()[0];
    let format = json!({"encoding": "audio/x-l16", "sampleRate": 16000});
    assert_eq!(socket[0]["start"]["mediaFormat"], format);
    let media = events(socket, "media");
    // Six bytes of mu-law are 24 of L16 at twice the rate.
    assert_eq!(media[0]["media"]["payload"].as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn extra_headers_and_stop_come_in_the_configured_form() {
    let document = converse("");
    for (form, expected) in [
        (ExtraHeadersForm::Commas, "tok=abc"),
        (ExtraHeadersForm::Json, r#"{"tok":"abc"}"#),
    ] {
        let world = World::start(&[("/answer", &document)], Socket::Listens, |options| {
            hang_up_after(options);
            options.extra_headers = form;
            options.sends_stop = true;
        })
        .await;
        let call = world.place(&recording("converse", "none", 1));
        call.ended(DEADLINE).await.unwrap();
        let socket = &world.sockets()[0];
        assert_eq!(socket[0]["extra_headers"], expected);
        assert_eq!(socket.last().unwrap()["event"], "stop");
    }
}

#[tokio::test]
async fn checkpoints_are_reported_when_reached_and_clear_audio_is_answered() {
    let audio = r#"{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":"f39/f39/f38="}}
{"event":"checkpoint","streamId":"ID","name":"said"}
{"event":"clearAudio","streamId":"ID"}
{"event":"checkpoint","streamId":"ID","name":"idle"}
{"event":"sendDTMF","dtmf":"1#"}"#;
    let document = converse("");
    let world = World::patient(&[("/answer", &document)], Socket::Sends(audio), |_| {}).await;
    let call = world.place(&recording("converse", "none", 2));

    world
        .seen(|seen| {
            seen.sockets.first().is_some_and(|socket| {
                socket.iter().any(|message| message["name"] == "idle")
                    && !events(socket, "clearedAudio").is_empty()
            })
        })
        .await;

    world.assert_no_violations();
    let socket = &world.sockets()[0];
    let stream_id = &socket[0]["start"]["streamId"];
    assert_eq!(&events(socket, "clearedAudio")[0]["streamId"], stream_id);
    assert_eq!(&events(socket, "playedStream")[0]["streamId"], stream_id);
    drop(call);
}

#[tokio::test]
async fn a_checkpoint_that_is_cleared_is_forgotten_or_echoed_as_configured() {
    let half_a_minute = {
        let payload = "/".repeat(16_000);
        let audio = json!({"event": "playAudio", "media": {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": payload}});
        let twenty = vec![audio.to_string(); 20].join("\n");
        let rest = r#"{"event":"checkpoint","streamId":"ID","name":"late"}
{"event":"clearAudio","streamId":"ID"}
{"event":"checkpoint","streamId":"ID","name":"idle"}"#;
        Box::leak(format!("{twenty}\n{rest}").into_boxed_str())
    };
    for echoes in [false, true] {
        let document = converse("").replace(
            "extraHeaders",
            r#"statusCallbackUrl="https://bridge.example.com/stream" extraHeaders"#,
        );
        let documents = [("/answer", document.as_str())];
        let world = World::patient(&documents, Socket::Sends(half_a_minute), |options| {
            options.speed = Speed::Times(1.0);
            options.clear_echoes_checkpoints = echoes;
        })
        .await;
        let _call = world.place(&recording("converse", "none", 20));
        world
            .seen(|seen| {
                seen.sockets
                    .first()
                    .is_some_and(|socket| socket.iter().any(|message| message["name"] == "idle"))
            })
            .await;
        world.assert_no_violations();
        let socket = &world.sockets()[0];
        let late = socket.iter().any(|message| message["name"] == "late");
        assert_eq!(late, echoes);
        let degraded =
            |(path, parameters): &(String, std::collections::BTreeMap<String, String>)| {
                path == "/stream" && parameters["Event"] == "DegradedStream"
            };
        world.seen(|seen| seen.requests.iter().any(degraded)).await;
    }
}

#[tokio::test]
async fn too_much_audio_is_a_violation() {
    let payload = "/".repeat(16_000);
    let audio = json!({"event": "playAudio", "media": {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": payload}});
    let minute = Box::leak(vec![audio.to_string(); 28].join("\n").into_boxed_str());
    let document = converse("");
    let world = World::patient(
        &[("/answer", &document)],
        Socket::Sends(minute),
        |options| {
            options.speed = Speed::Times(1.0);
        },
    )
    .await;
    let call = world.place(&recording("converse", "none", 20));
    let violated = |event: &CarrierEvent| matches!(event, CarrierEvent::Violation { .. });
    call.wait_for(violated, DEADLINE).await.unwrap();
    world.assert_violation("more than 40 s");
}

#[tokio::test]
async fn what_a_server_may_not_send_is_a_violation_once_and_the_stream_goes_on() {
    let wrong = r#"{"event":"clear","streamSid":"ID"}
{"event":"clear","streamSid":"ID"}
{"event":"checkpoint","streamId":"ID","name":"alive"}"#;
    let document = converse("");
    let world = World::patient(&[("/answer", &document)], Socket::Sends(wrong), |_| {}).await;
    let call = world.place(&recording("converse", "none", 2));
    let alive = |event: &CarrierEvent| matches!(event, CarrierEvent::MarkEchoed { .. });
    call.wait_for(alive, DEADLINE).await.unwrap();
    assert_eq!(world.carrier.violations().len(), 1);
    world.assert_violation("no event that a server may send");
}

#[tokio::test]
async fn a_server_that_speaks_on_a_listening_stream_breaks_a_rule() {
    let audio = r#"{"event":"clearAudio","streamId":"ID"}"#;
    let world = World::start(&[("/answer", LISTEN)], Socket::Sends(audio), |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));
    call.ended(DEADLINE).await.unwrap();
    world.assert_violation("not bidirectional");
}

#[tokio::test]
async fn the_document_goes_on_when_the_server_closes_a_stream_that_keeps_the_call_alive() {
    let document = converse("<Speak>Goodbye.</Speak>");
    let world = World::patient(&[("/answer", &document)], Socket::Closes, |_| {}).await;
    let call = world.place(&recording("converse", "none", 5));

    let reason = call.ended(DEADLINE).await.unwrap();

    assert_eq!(reason, EndReason::DocumentRanOut);
    assert!(spoke(&call.events(), "Goodbye."));
    let closed = |event: &CarrierEvent| {
        matches!(
            event,
            CarrierEvent::StreamClosed {
                by: ClosedBy::Server,
                ..
            }
        )
    };
    assert!(call.events().iter().any(closed));
    world.assert_no_violations();
}

#[tokio::test]
async fn the_tail_runs_when_the_server_dies() {
    let document = converse("<Speak>Goodbye.</Speak>");
    let world = World::patient(&[("/answer", &document)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("converse", "none", 20));
    world.streaming().await;

    world.kill();

    let reason = call.ended(DEADLINE).await.unwrap();
    assert_eq!(reason, EndReason::DocumentRanOut);
    assert!(spoke(&call.events(), "Goodbye."));
}

#[tokio::test]
async fn without_keep_call_alive_the_document_runs_on_and_its_end_ends_the_call() {
    let document = converse("<Speak>At once.</Speak>").replace(r#"keepCallAlive="true""#, "");
    let world = World::patient(&[("/answer", &document)], Socket::Listens, |options| {
        options.call_status_path = Some("/hangup".into());
    })
    .await;
    let call = world.place(&recording("converse", "none", 20));

    let reason = call.ended(DEADLINE).await.unwrap();

    assert_eq!(reason, EndReason::DocumentRanOut);
    assert!(spoke(&call.events(), "At once."));
    let hangup = &world.requests("/hangup")[0];
    assert_eq!(hangup["HangupCauseCode"], "4010");
    assert_eq!(hangup["CallStatus"], "completed");
}

#[tokio::test]
async fn a_stream_is_tried_three_times_and_then_dropped_while_the_document_goes_on() {
    let document = converse("<Speak>No stream.</Speak>").replace(
        "extraHeaders",
        r#"statusCallbackUrl="https://bridge.example.com/stream" extraHeaders"#,
    );
    for (refusals, upgrades, opened) in [(2, 3, true), (9, 3, false)] {
        let documents = [("/answer", document.as_str())];
        let world = World::start(&documents, Socket::Refuses(refusals), |_| {}).await;
        let call = world.place(&recording("converse", "none", 1));

        call.ended(DEADLINE).await.unwrap();

        world.assert_no_violations();
        assert_eq!(world.upgrades(), upgrades);
        assert_eq!(call.events().iter().any(is_streaming), opened);
        assert_eq!(spoke(&call.events(), "No stream."), !opened);
        let dropped = world
            .requests("/stream")
            .iter()
            .any(|status| status["Event"] == "DroppedStream");
        assert_eq!(dropped, !opened);
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_time_is_up() {
    let document = converse("<Speak>Time is up.</Speak>")
        .replace("bidirectional", r#"streamTimeout="3" bidirectional"#);
    let world = World::patient(&[("/answer", &document)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("converse", "none", 20));
    call.ended(DEADLINE).await.unwrap();
    assert!(spoke(&call.events(), "Time is up."));
    let closed = |event: &CarrierEvent| {
        matches!(
            event,
            CarrierEvent::StreamClosed {
                by: ClosedBy::Carrier,
                ..
            }
        )
    };
    assert!(call.events().iter().any(closed));
}

#[tokio::test]
async fn a_second_stream_in_a_call_is_a_violation() {
    let second = LISTEN.replace("<Wait", r#"<Stream contentType="audio/x-mulaw;rate=8000">wss://bridge.example.com/media/t2</Stream><Wait"#);
    let world = World::start(&[("/answer", &second)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("listen", "none", 1));
    call.ended(DEADLINE).await.unwrap();
    world.assert_violation("a second <Stream>");
    assert_eq!(world.sockets().len(), 1);
}

#[tokio::test]
async fn a_stream_that_leads_elsewhere_is_a_violation() {
    let document = converse("").replace("bridge.example.com", "evil.example.com");
    let world = World::start(&[("/answer", &document)], Socket::Listens, |_| {}).await;
    let call = world.place(&recording("converse", "none", 1));
    call.ended(DEADLINE).await.unwrap();
    world.assert_violation("not below the public URL");
}

#[tokio::test]
async fn stream_status_callbacks_have_the_names_of_either_page() {
    for (form, expected) in [
        (StreamEventNames::Reference, ["StartStream", "StopStream"]),
        (StreamEventNames::Guide, ["started", "stopped"]),
    ] {
        let world = World::start(&[("/answer", LISTEN)], Socket::Listens, |options| {
            hang_up_after(options);
            options.stream_event_names = form;
        })
        .await;
        let call = world.place(&recording("listen", "none", 1));
        call.ended(DEADLINE).await.unwrap();
        let statuses = world.requests("/stream");
        for event in expected {
            let status = statuses
                .iter()
                .find(|status| status["Event"] == event)
                .unwrap();
            assert_eq!(status["CallUUID"], call.call_sid());
            assert_eq!(
                world.sockets()[0][0]["start"]["streamId"],
                status["StreamID"].as_str()
            );
        }
    }
}

#[tokio::test]
async fn the_call_fixtures_are_played_to_their_end() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/calls");
    for slug in ["asks-for-human", "presses-zero", "rough-line"] {
        let recording = Recording::load(&fixtures.join(slug)).unwrap();
        let document = converse("");
        let world = World::start(&[("/answer", &document)], Socket::Listens, |options| {
            hang_up_after(options);
            options.speed = Speed::Max;
        })
        .await;
        let call = world.place(&recording);
        assert_eq!(
            call.ended(Duration::from_secs(60)).await.unwrap(),
            EndReason::CallerHungUp
        );
        world.assert_no_violations();
        let course = names(&call.events());
        assert!(course.contains(&"recording_ended".into()), "{slug}");
        assert_eq!(world.sockets().len(), 1, "{slug}: no replacement sockets");
    }
}
