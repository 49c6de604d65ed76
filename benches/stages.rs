//! Each stage between a carrier's frame and a rewritten call, by itself.
//!
//!     cargo bench --bench stages
//!
//! The frames are the simulator's: 160 bytes of noise bursts and quiet, as the carrier writes them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use handoff::carrier::brief::Brief;
use handoff::carrier::document::{Acceptance, HandoffUrls, RoomName};
use handoff::carrier::number::E164;
use handoff::carrier::target::Reach;
use handoff::carrier::twilio::argument::{RingSeconds, Spoken, Voice, WebUrl};
use handoff::carrier::twilio::signature::{SigningKeys, Verifier};
use handoff::carrier::twilio::twiml::{Handoff, handoff_document};
use handoff::carrier::twilio::wire::{self, Message};
use handoff_core::audio::{Ear, mulaw};
use handoff_core::call::{Arrival, Call, Event, LastResort, Mode, Party, Policy};
use handoff_core::id::{CallId, Carrier, CarrierCallId, HandoffId};
use handoff_core::pii::{Pii, Secret};
use handoff_core::route::{Joining, Metrics, Routes, Target, TargetName};
use handoff_core::rule::{Expression, Rule, RuleSet};
use handoff_core::signal::{AsksHuman, Sentiment};
use handoff_core::speech::{Hypothesis, Speaker};
use handoff_core::time::{CallTime, MediaTime, WallTime};
use handoff_simulator::carrier::twilio::sign;
use handoff_simulator::load::{self, Frames, StreamTag, Tracks};
use http::HeaderMap;

/// Frames that one iteration of a media stage works through: a second of one track.
const FRAMES: usize = 50;
const STREAM_SID: &str = "MZ00000000000000000000000000000001";

fn main() {
    divan::main();
}

fn texts() -> Vec<String> {
    let frames = Frames::new(load::Carrier::Twilio, Tracks::Inbound, FRAMES / 50);
    let tag = StreamTag {
        stream: STREAM_SID.to_owned(),
        trailer: String::new(),
    };
    let text = |frame: &handoff_simulator::load::Frame| {
        let mut bytes = Vec::new();
        frame.render(&tag, &mut bytes);
        // After 8 bytes of WebSocket header; the mask is zero.
        String::from_utf8(bytes[8..].to_vec()).expect("a text message")
    };
    frames.list.iter().map(text).collect()
}

fn payloads() -> Vec<String> {
    let payload = |text: &String| match wire::parse(text) {
        Ok(Message::Media(media)) => media.payload.expose().clone().into_owned(),
        other => unreachable!("the generator makes media only, not {other:?}"),
    };
    texts().iter().map(payload).collect()
}

fn audio() -> Vec<Vec<u8>> {
    let decode = |payload: &String| {
        let mut mulaw = Vec::new();
        wire::decode_payload(payload, &mut mulaw).expect("base64 of the generator");
        mulaw
    };
    payloads().iter().map(decode).collect()
}

/// Times are per frame: divan divides by the items.
mod frame {
    use super::*;

    #[divan::bench]
    fn parse(bencher: Bencher) {
        let texts = texts();
        bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
            for text in &texts {
                let _ = black_box(wire::parse(black_box(text)));
            }
        });
    }

    #[divan::bench]
    fn decode_base64(bencher: Bencher) {
        let payloads = payloads();
        let mut mulaw = Vec::with_capacity(160);
        bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
            for payload in &payloads {
                let _ = black_box(wire::decode_payload(black_box(payload), &mut mulaw));
            }
        });
    }

    #[divan::bench]
    fn decode_mulaw_and_measure_level(bencher: Bencher) {
        let audio = audio();
        bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
            for codes in &audio {
                let mut samples = [0; 160];
                for (sample, &code) in samples.iter_mut().zip(black_box(codes)) {
                    *sample = mulaw::decode(code);
                }
                black_box(mulaw::level_dbfs(&samples));
            }
        });
    }

    /// Placing in time, mu-law, level, voice activity and windows.
    #[divan::bench]
    fn hear(bencher: Bencher) {
        let audio = audio();
        let mut ear = Ear::new(Speaker::Caller);
        let mut at = 0;
        bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
            for codes in &audio {
                ear.hear(at, black_box(codes), &mut |sound| {
                    black_box(sound);
                });
                at += 20;
            }
        });
    }

    /// All of the above, from the text of a message to the window.
    #[divan::bench]
    fn whole(bencher: Bencher) {
        let texts = texts();
        let mut mulaw = Vec::with_capacity(160);
        bencher
            .counter(ItemsCount::new(FRAMES))
            .with_inputs(|| Ear::new(Speaker::Caller))
            .bench_local_refs(|ear| {
                for text in &texts {
                    if let Ok(Message::Media(media)) = wire::parse(black_box(text))
                        && wire::decode_payload(media.payload.expose(), &mut mulaw).is_ok()
                    {
                        ear.hear(media.timestamp_ms, &mulaw, &mut |sound| {
                            black_box(sound);
                        });
                    }
                }
            });
    }
}

mod decision {
    use super::*;

    /// Words that say nothing: sentiment, rules, no trigger.
    #[divan::bench]
    fn hypothesis_that_fires_nothing(bencher: Bencher) {
        said(
            bencher,
            "my order number is one two three and it did not arrive",
        );
    }

    /// Words that ask for a human: up to the order to write the decision down.
    #[divan::bench]
    fn hypothesis_that_triggers(bencher: Bencher) {
        said(bencher, "I want to speak to a human please");
    }

    #[divan::bench]
    fn audio_advanced(bencher: Bencher) {
        let mut call = call();
        let mut to = 0;
        bencher.bench_local(|| {
            to += 8_000;
            call.handle(
                Event::AudioAdvanced { to: MediaTime(to) },
                CallTime::default(),
            );
        });
    }

    fn said(bencher: Bencher, words: &str) {
        let hypothesis = Hypothesis {
            speaker: Speaker::Caller,
            text: Pii::new(words.to_owned()),
            start: MediaTime::from_millis(1_000),
            end: MediaTime::from_millis(3_000),
            confidence: 0.97,
            is_final: true,
            ends_utterance: true,
            approximate: false,
        };
        let now = CallTime(Duration::from_millis(3_200));
        bencher
            .with_inputs(|| (call(), hypothesis.clone()))
            .bench_local_values(|(mut call, hypothesis)| {
                call.handle(Event::HypothesisHeard(hypothesis), now);
                while let Some(command) = call.poll_command() {
                    black_box(command);
                }
                call
            });
    }

    fn call() -> Call {
        let mut call = Call::new(arrival(), Arc::new(policy()));
        while call.poll_command().is_some() {}
        call
    }

    fn policy() -> Policy {
        let when = "caller.asks_for_human >= 0.6 || caller.digits.matches('^0+$')";
        let rule = Rule {
            name: "caller_asks_for_human".to_owned(),
            when: Expression::compile(when).expect("the default rule"),
            cool_down: Duration::from_secs(30),
        };
        let target = Target {
            name: TargetName::parse("support").expect("a name"),
            acceptance: Acceptance::Key,
            joining: Joining::Dial,
            skills: BTreeSet::new(),
            hours: None,
            metrics: Metrics::default(),
        };
        let default = [target.name.clone()];
        let routes = Routes::new(Vec::new(), vec![target], &default).expect("one target");
        Policy {
            rules: RuleSet { rules: vec![rule] },
            routes: Arc::new(routes),
            unreachable: BTreeSet::new(),
            last_resort: LastResort::CallBack,
            route_deadline: Duration::from_secs(1),
            fetch_within: Duration::from_secs(3),
            bridged_after: Duration::from_secs(2),
            human_deadline: Duration::from_secs(660),
            asks_human: AsksHuman::new(),
            sentiment: Sentiment::new(),
            mode: Mode::Listen,
            digits_pause: Duration::from_millis(1_500),
            journal_deadline: Duration::from_millis(250),
            rewrite_attempts: 4,
            rewrite_retry: Duration::from_millis(250),
            rewrite_evidence: Duration::from_millis(1_500),
            handoffs: 3,
            last_words: Duration::from_millis(1_500),
            stream_grace: Duration::from_secs(10),
            inspect_every: Duration::from_secs(60),
            maximum_age: Duration::from_secs(4 * 3600),
        }
    }

    fn arrival() -> Arrival {
        Arrival {
            carrier: Carrier::Twilio,
            call: CallId::mint(WallTime(1_767_225_600_000), [7; 10]),
            carrier_call: CarrierCallId("CA00000000000000000000000000000001".to_owned()),
            caller: Party::Known(Pii::new("+15550100001".to_owned())),
            called: Party::Known(Pii::new("+15550100002".to_owned())),
            parameters: BTreeMap::new(),
            accepted: WallTime(1_767_225_600_000),
        }
    }
}

mod carrier {
    use super::*;

    const AUTH_TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

    #[divan::bench]
    fn verify_a_signed_webhook(bencher: Bencher) {
        let keys = SigningKeys::AuthTokens(vec![Secret::new(AUTH_TOKEN)]);
        let verifier = Verifier::new("https://handoff.example.com", keys).expect("a usable key");
        let parameters = [
            ("AccountSid", "AC00000000000000000000000000000001"),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", "CA00000000000000000000000000000001"),
            ("CallStatus", "ringing"),
            ("Direction", "inbound"),
            ("From", "+15550100001"),
            ("To", "+15550100002"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let signature = sign(
            AUTH_TOKEN,
            "https://handoff.example.com/twilio/voice",
            &parameters,
        );
        let mut headers = HeaderMap::new();
        headers.insert("x-twilio-signature", signature.parse().expect("base64"));
        assert!(
            verifier
                .verify_form("/twilio/voice", &parameters, &headers)
                .is_ok()
        );
        bencher.bench_local(|| {
            verifier.verify_form(black_box("/twilio/voice"), black_box(&parameters), &headers)
        });
    }

    #[divan::bench]
    fn render_the_handoff_document(bencher: Bencher) {
        let url = |path| {
            WebUrl::new(&format!("https://handoff.example.com/twilio/{path}")).expect("a URL")
        };
        let announcement = Spoken::new("One moment, I am connecting you to a colleague.");
        let voice = Voice::default();
        let reach = Reach::Number {
            number: E164::parse("+15550100042").expect("a number"),
            extension: None,
        };
        let brief = Brief::of(HandoffId::mint(WallTime(1_767_225_600_000), [7; 10]));
        let handoff = Handoff {
            announcement: &announcement,
            voice: &voice,
            reach: &reach,
            caller_id: E164::parse("+15550100002").ok(),
            ring: RingSeconds::new(25).expect("a ring time"),
            whisper: true,
            acceptance: Acceptance::Key,
            room: RoomName::of(&brief.handoff, 1),
            brief: &brief,
            urls: HandoffUrls {
                after: url("after-dial/h1"),
                leg: url("leg/h1"),
                whisper: url("whisper/h1"),
                wait: url("wait/h1"),
                music: None,
            },
        };
        bencher.bench_local(|| handoff_document(black_box(&handoff)));
    }
}
