//! Media sockets: forks and bidirectional streams, played, refused, lost and ended.

use handoff_simulator::carrier::twilio::{AfterRecording, CarrierOptions};
use handoff_simulator::carrier::{CarrierEvent, ClosedBy, EndReason, Speed};
use handoff_simulator::recording::Recording;
use serde_json::Value;

use crate::server::{
    DEADLINE, Socket, World, names, recording, recording_with_extra_line, recording_with_pace,
};

const LISTEN: &str = r#"<Response><Start><Stream url="wss://bridge.example.com/media/t1" track="both_tracks"
    statusCallback="https://bridge.example.com/stream"><Parameter name="tok" value="t1"/></Stream></Start>
  <Redirect>https://bot.example.com/voice</Redirect></Response>"#;
const CONNECT: &str = r#"<Response><Connect><Stream url="wss://bridge.example.com/media/t1"/></Connect>
  <Say>Goodbye.</Say></Response>"#;

fn hang_up_after(options: &mut CarrierOptions) {
    options.after_recording = AfterRecording::HangUp;
}

fn events<'v>(socket: &'v [Value], event: &str) -> Vec<&'v Value> {
    socket
        .iter()
        .filter(|message| message["event"] == event)
        .collect()
}

#[tokio::test]
async fn a_fork_carries_both_tracks_and_the_parameters_while_the_bot_has_the_call() {
    let world = World::start(&[("/voice", LISTEN)], Socket::Listens, hang_up_after).await;
    let call = world.place(&recording("listen", "none", 2));

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::CallerHungUp);

    world.assert_no_violations();
    assert!(names(&call.events()).contains(&"bot_visited".into()));
    let socket = &world.sockets()[0];
    assert_eq!(socket[0]["event"], "connected");
    assert_eq!(socket[1]["start"]["customParameters"]["tok"], "t1");
    assert_eq!(socket[1]["start"]["callSid"], call.call_sid());
    assert_eq!(events(socket, "media").len(), 200);
    assert_eq!(socket.last().unwrap()["event"], "stop");
    assert_eq!(socket.last().unwrap()["sequenceNumber"], "202");
    let statuses: Vec<_> = world
        .requests("/stream")
        .iter()
        .map(|status| status["StreamEvent"].clone())
        .collect();
    assert!(
        statuses.contains(&"stream-started".to_owned())
            && statuses.contains(&"stream-stopped".to_owned())
    );
}

#[tokio::test]
async fn many_calls_of_one_recording_run_at_once_as_fast_as_the_socket_takes_them() {
    let fast = |options: &mut CarrierOptions| {
        hang_up_after(options);
        options.speed = Speed::Max;
    };
    let world = World::start(&[("/voice", LISTEN)], Socket::Listens, fast).await;
    let recording = recording("listen", "none", 4);
    let call_sid = |number: u32| format!("CA{number:032x}");
    let calls: Vec<_> = (1..=20)
        .map(|number| world.place(&recording.clone().with_call_sid(call_sid(number))))
        .collect();

    for call in &calls {
        assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::CallerHungUp);
    }

    world.assert_no_violations();
    let sockets = world.sockets();
    let mut sids: Vec<_> = sockets
        .iter()
        .map(|socket| socket[1]["streamSid"].to_string())
        .collect();
    sids.sort_unstable();
    sids.dedup();
    assert_eq!(sids.len(), 20, "every call has a stream of its own");
    assert!(
        sockets
            .iter()
            .all(|socket| events(socket, "media").len() == 400)
    );
}

#[tokio::test]
async fn a_server_that_sends_on_a_fork_is_told_off_and_the_call_goes_on() {
    let world = World::start(
        &[("/voice", LISTEN)],
        Socket::Sends(r#"{"event":"clear","streamSid":"SID"}"#),
        hang_up_after,
    )
    .await;
    let call = world.place(&recording("listen", "none", 1));

    assert_eq!(call.ended(DEADLINE).await.unwrap(), EndReason::CallerHungUp);

    assert_eq!(world.carrier.violations().len(), 1);
    assert!(world.carrier.violations()[0].contains("31924"));
}

#[tokio::test]
async fn a_bidirectional_stream_echoes_marks_and_carries_the_caller_only() {
    let sends = r#"{"event":"media","streamSid":"SID","media":{"payload":"//////7+"}}
{"event":"mark","streamSid":"SID","mark":{"name":"greeting"}}"#;
    let world = World::start(&[("/voice", CONNECT)], Socket::Sends(sends), hang_up_after).await;
    let call = world.place(&recording("listen", "none", 1));

    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    let socket = &world.sockets()[0];
    assert_eq!(events(socket, "mark")[0]["mark"]["name"], "greeting");
    assert_eq!(
        events(socket, "media").len(),
        50,
        "the caller's half of the recording"
    );
    assert_eq!(socket[1]["start"]["tracks"], serde_json::json!(["inbound"]));
    let numbers: Vec<u64> = socket[1..]
        .iter()
        .map(|message| message["sequenceNumber"].as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(
        numbers,
        (1..=u64::try_from(socket.len() - 1).unwrap()).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn when_the_server_closes_a_bidirectional_stream_the_next_verb_follows() {
    let world = World::start(&[("/voice", CONNECT)], Socket::Closes, |_| {}).await;
    let call = world.place(&recording("converse", "none", 5));

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );

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
    assert!(call.events().contains(&CarrierEvent::SpokenToCaller {
        text: "Goodbye.".into()
    }));
}

#[tokio::test]
async fn a_refused_upgrade_lets_the_next_verb_follow_and_tells_the_status() {
    let world = World::start(&[("/voice", CONNECT)], Socket::Refuses, |_| {}).await;
    let call = world.place(&recording("converse", "none", 5));

    assert_eq!(
        call.ended(DEADLINE).await.unwrap(),
        EndReason::DocumentRanOut
    );

    let refused = |event: &CarrierEvent| {
        matches!(
            event,
            CarrierEvent::StreamRefused {
                status: Some(403),
                code: 31920,
                ..
            }
        )
    };
    assert!(call.events().iter().any(refused));
}

#[tokio::test]
async fn a_second_connected_opens_a_replacement_socket_after_the_first_was_lost() {
    let stream = |sid: &str, frames: std::ops::RangeInclusive<u64>| {
        let mut lines =
            vec![r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#.to_owned()];
        lines.push(format!(
            r#"{{"event":"start","sequenceNumber":"1","streamSid":"{sid}","start":{{"accountSid":"AC00000000000000000000000000000001","streamSid":"{sid}","callSid":"CA00000000000000000000000000000007","tracks":["inbound","outbound"],"customParameters":{{}}}}}}"#
        ));
        for frame in frames {
            let (number, timestamp) = (frame + 1, frame * 20);
            lines.push(format!(
                r#"{{"event":"media","sequenceNumber":"{number}","streamSid":"{sid}","media":{{"track":"inbound","chunk":"{frame}","timestamp":"{timestamp}","payload":"//////7+"}}}}"#
            ));
        }
        lines.join("\n")
    };
    let (first, second) = (
        "MZ0000000000000000000000000000000a",
        "MZ0000000000000000000000000000000b",
    );
    let text = format!("{}\n{}", stream(first, 1..=10), stream(second, 1..=20));
    let call = r#"{"slug":"replaced","carrier":"twilio","mode":"listen","account_sid":"AC00000000000000000000000000000001",
        "call_sid":"CA00000000000000000000000000000007","from":"+15550100001","to":"+15550100002","human":"none"}"#;
    let recording = Recording::parse(call, &text, Some(r#"[{"line":20,"stall_ms":400}]"#)).unwrap();
    let world = World::start(&[("/voice", LISTEN)], Socket::Listens, hang_up_after).await;

    let call = world.place(&recording);
    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    let sockets = world.sockets();
    let shape: Vec<_> = sockets
        .iter()
        .map(|socket| {
            (
                socket[1]["streamSid"].as_str().unwrap(),
                events(socket, "media").len(),
            )
        })
        .collect();
    assert_eq!(shape, [(first, 10), (second, 20)]);
    assert!(
        events(&sockets[0], "stop").is_empty(),
        "a lost socket says no stop"
    );
    assert_eq!(sockets[1][1]["start"]["customParameters"]["tok"], "t1");
}

#[tokio::test]
async fn frames_fall_due_by_their_timestamps_and_a_stall_holds_them_back() {
    for (speed, stall_ms, at_least_ms) in [(4.0, 0, 500), (4.0, 4000, 1000)] {
        let pace = format!(r#"[{{"line":50,"stall_ms":{stall_ms}}}]"#);
        let recording = recording_with_pace("listen", "none", 2, Some(&pace));
        let change = |options: &mut CarrierOptions| {
            hang_up_after(options);
            options.speed = Speed::Times(speed);
        };
        let world = World::start(&[("/voice", LISTEN)], Socket::Listens, change).await;

        let call = world.place(&recording);
        call.ended(DEADLINE).await.unwrap();

        let at = |name: &str| {
            let log = world.carrier.log().since(0);
            log.iter()
                .find(|logged| names(std::slice::from_ref(&logged.event)) == [name])
                .unwrap()
                .at_ms
        };
        let took = at("recording_ended") - at("stream_opened");
        assert!(
            took >= at_least_ms,
            "2 s at 4 times the speed with a stall of {stall_ms} ms took {took} ms"
        );
    }
}

#[tokio::test]
async fn a_voice_webhook_that_is_asked_twice_must_answer_the_same() {
    let twice = |options: &mut CarrierOptions| {
        hang_up_after(options);
        options.voice_webhook_twice = true;
    };
    let world = World::start(&[("/voice", LISTEN)], Socket::Listens, twice).await;
    let same = world.place(&recording("listen", "none", 1));
    same.ended(DEADLINE).await.unwrap();
    assert_eq!(world.requests("/voice").len(), 2);
    world.assert_no_violations();

    let counted = r#"<Response><Say>Answer COUNT</Say></Response>"#;
    let world = World::start(&[("/voice", counted)], Socket::Listens, twice).await;
    let different = world.place(&recording("listen", "none", 1));
    different.ended(DEADLINE).await.unwrap();
    assert!(world.carrier.violations()[0].contains("different documents"));
}

#[tokio::test]
async fn a_call_status_callback_tells_the_end_once() {
    let told = |options: &mut CarrierOptions| {
        hang_up_after(options);
        options.call_status_path = Some("/status".into());
    };
    let world = World::start(&[("/voice", LISTEN)], Socket::Listens, told).await;
    let call = world.place(&recording("listen", "none", 1));

    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    let statuses = world.requests("/status");
    assert_eq!(
        statuses
            .iter()
            .map(|status| status["CallStatus"].clone())
            .collect::<Vec<_>>(),
        ["completed"]
    );
}

#[tokio::test]
async fn a_fork_and_a_bidirectional_stream_of_one_call_have_ids_of_their_own() {
    let both = r#"<Response><Start><Stream url="wss://bridge.example.com/media/t1" track="both_tracks"/></Start>
      <Connect><Stream url="wss://bridge.example.com/media/t2"/></Connect></Response>"#;
    let world = World::start(&[("/voice", both)], Socket::Listens, hang_up_after).await;
    let call = world.place(&recording("listen", "none", 2));

    call.ended(DEADLINE).await.unwrap();

    world.assert_no_violations();
    let sockets = world.sockets();
    assert_eq!(sockets.len(), 2);
    assert_ne!(sockets[0][1]["streamSid"], sockets[1][1]["streamSid"]);
    for socket in &sockets {
        let tracks = socket[1]["start"]["tracks"].as_array().unwrap().len();
        assert_eq!(
            events(socket, "media").len(),
            tracks * 100,
            "each carries the whole conversation"
        );
        let sid = &socket[1]["streamSid"];
        assert!(
            socket[1..]
                .iter()
                .all(|message| message["streamSid"] == *sid)
        );
    }
}

#[tokio::test]
async fn keys_are_carried_on_bidirectional_streams_only() {
    let key = r#"{"event":"dtmf","sequenceNumber":"52","streamSid":"MZ1","dtmf":{"track":"inbound_track","digit":"0"}}"#;
    let recording = recording_with_extra_line("converse", key);
    for (document, keys) in [(CONNECT, 1), (LISTEN, 0)] {
        let world = World::start(&[("/voice", document)], Socket::Listens, hang_up_after).await;
        let call = world.place(&recording);

        call.ended(DEADLINE).await.unwrap();

        world.assert_no_violations();
        let socket = &world.sockets()[0];
        assert_eq!(events(socket, "dtmf").len(), keys);
        let numbers = socket[1..]
            .iter()
            .map(|message| message["sequenceNumber"].as_str().unwrap().parse::<usize>());
        assert_eq!(
            numbers.map(Result::unwrap).collect::<Vec<_>>(),
            (1..socket.len()).collect::<Vec<_>>()
        );
    }
}
