//! The fixtures' sound played straight into the embedded recognizer.
//!
//! They need Debian's `libpocketsphinx3` and `pocketsphinx-en-us`. Without them they say so on
//! standard error and pass, unless `HANDOFF_REQUIRE_POCKETSPHINX=1`, which `./test` sets.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use handoff_core::signal::AsksHuman;
use handoff_core::speech::{Hypothesis, Speaker};
use handoff_core::time::MediaTime;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{ACOUSTIC_MODEL, PocketSphinx, PocketSphinxError, PocketSphinxOptions};
use crate::recognizer::{Feed, Feeding, Heard, LostReason};

const WINDOW: usize = 800;

/// A recognizer with its own folder, which goes when the test does.
struct Installed {
    recognizer: PocketSphinx,
    scratch: PathBuf,
}

impl Deref for Installed {
    type Target = PocketSphinx;

    fn deref(&self) -> &PocketSphinx {
        &self.recognizer
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.scratch) {
            eprintln!("left behind: {}: {error}", self.scratch.display());
        }
    }
}

/// The recognizer, or `None` where it is not installed and need not be.
fn installed(test: &str) -> Option<Installed> {
    let scratch = std::env::temp_dir().join(format!("handoff-{test}-{}", std::process::id()));
    let loaded = PocketSphinx::load(PocketSphinxOptions {
        acoustic_model: PathBuf::from(ACOUSTIC_MODEL),
        scratch: scratch.clone(),
        max_decoders: 2,
    });
    match loaded {
        Ok(recognizer) => Some(Installed {
            recognizer,
            scratch,
        }),
        Err(error) => {
            let required = std::env::var_os("HANDOFF_REQUIRE_POCKETSPHINX");
            assert!(required.is_none_or(|value| value != "1"), "{error}");
            not_run(&format!("{test}: {error}"));
            None
        }
    }
}

/// Says so past the capture of the test harness, which shows nothing of a test that passes.
fn not_run(why: &str) {
    writeln!(std::io::stderr(), "NOT RUN: {why}").unwrap();
}

/// What the carrier sent of one track, on the call's media clock, with silence in its gaps.
fn track(call: &str, track: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/calls")
        .join(call)
        .join("stream.jsonl");
    let lines = std::fs::read_to_string(path).unwrap();
    let number = |value: &Value| match value {
        Value::String(text) => text.parse::<usize>().unwrap(),
        other => usize::try_from(other.as_u64().unwrap()).unwrap(),
    };
    let (mut tracks, mut origin) = (BTreeMap::<String, Vec<u8>>::new(), 0);
    for line in lines.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        if message["event"] == "connected" {
            origin = tracks.values().map(Vec::len).max().unwrap_or(0);
        }
        if message["event"] == "media" {
            let media = &message["media"];
            let codes = tracks
                .entry(media["track"].as_str().unwrap().to_owned())
                .or_default();
            let at = origin + number(&media["timestamp"]) * 8;
            if at > codes.len() + 160 {
                codes.resize(at, 0xFF);
            }
            codes.extend(STANDARD.decode(media["payload"].as_str().unwrap()).unwrap());
        }
    }
    tracks.remove(track).unwrap()
}

/// Everything that is heard of the codes, in order.
fn listen(recognizer: &PocketSphinx, speaker: Speaker, codes: &[u8]) -> Vec<Heard> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (feed, feeding) = Feed::new();
        let (told, mut heard) = mpsc::channel(4);
        recognizer.start(speaker, feeding, told).unwrap();
        let play = async move {
            for (at, window) in codes.chunks(WINDOW).enumerate() {
                let start = MediaTime((at * WINDOW) as u64);
                let mulaw = Bytes::copy_from_slice(window);
                while !feed.has_room() {
                    tokio::task::yield_now().await;
                }
                assert!(feed.push(Feeding::Window { start, mulaw }));
            }
        };
        let collect = async {
            let mut all = Vec::new();
            while let Some(one) = heard.recv().await {
                all.push(one);
            }
            all
        };
        tokio::join!(play, collect).1
    })
}

fn hypotheses(heard: &[Heard]) -> impl Iterator<Item = &Hypothesis> {
    heard.iter().filter_map(|one| match one {
        Heard::Hypothesis(hypothesis) => Some(&**hypothesis),
        Heard::UtteranceEnded { .. } | Heard::Lost { .. } | Heard::Restored { .. } => None,
    })
}

fn finals(heard: &[Heard]) -> Vec<&str> {
    hypotheses(heard)
        .filter(|hypothesis| hypothesis.is_final)
        .map(|hypothesis| hypothesis.text.expose().as_str())
        .collect()
}

/// How sure the shipped scorer is that a text asks for a human; its rule acts from 0.6 on.
fn asks_for_human(text: &str) -> f32 {
    let asking = AsksHuman::new().score(text);
    asking.map_or(0.0, |asking| asking.confidence)
}

fn check_asks(call: &str, phrase: &str) {
    let Some(recognizer) = installed(call) else {
        return;
    };
    let heard = listen(&recognizer, Speaker::Caller, &track(call, "inbound"));
    let finals = finals(&heard);
    let asked = |text: &&str| text.contains(phrase) && asks_for_human(text) >= 0.6;
    assert!(finals.iter().any(asked), "{call}: {finals:#?}");
}

#[test]
fn the_request_of_asks_for_human_is_heard() {
    check_asks("asks-for-human", "speak to a human");
}

#[test]
fn the_request_of_nobody_answers_is_heard() {
    check_asks("nobody-answers", "get me a representative");
}

#[test]
fn the_request_on_a_rough_line_is_heard() {
    check_asks("rough-line", "talk to a real person");
}

#[test]
fn no_request_is_heard_in_stays_with_bot() {
    let Some(recognizer) = installed("stays-with-bot") else {
        return;
    };
    for (speaker, name) in [
        (Speaker::Caller, "inbound"),
        (Speaker::VoiceAgent, "outbound"),
    ] {
        let heard = listen(&recognizer, speaker, &track("stays-with-bot", name));
        assert!(hypotheses(&heard).count() > 0);
        for hypothesis in hypotheses(&heard) {
            let text = hypothesis.text.expose();
            assert!(asks_for_human(text) < 0.6, "{text}");
        }
    }
}

/// One channel of a mu-law WAV file of the public data beside the repository, or `None` where
/// there is no such data.
fn recording(name: &str, channels: usize, channel: usize) -> Option<Vec<u8>> {
    let data = std::env::var_os("HANDOFF_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let path = data.join("audio").join(name);
    let Ok(file) = std::fs::read(&path) else {
        not_run(&format!("no recording at {}", path.display()));
        return None;
    };
    let at = file.windows(4).position(|four| four == b"data").unwrap() + 8;
    let samples = file[at..].iter().skip(channel).step_by(channels);
    Some(samples.copied().collect())
}

#[test]
fn the_request_of_a_real_caller_is_heard() {
    let Some(codes) = recording("jambonz_speak_to_customer_support_8k_mulaw.wav", 1, 0) else {
        return;
    };
    let Some(recognizer) = installed("real-caller") else {
        return;
    };
    let heard = listen(&recognizer, Speaker::Caller, &codes);
    let finals = finals(&heard);
    let asked = finals.iter().any(|text| asks_for_human(text) >= 0.6);
    assert!(asked, "{finals:#?}");
}

#[test]
fn no_request_is_made_of_a_real_call_without_one() {
    for channel in [0, 1] {
        let Some(codes) = recording("audiohook_stereo_8k_mulaw.wav", 2, channel) else {
            return;
        };
        let Some(recognizer) = installed("real-call") else {
            return;
        };
        let heard = listen(&recognizer, Speaker::Caller, &codes);
        assert!(finals(&heard).len() > 3);
        for text in finals(&heard) {
            assert!(asks_for_human(text) < 0.6, "{text}");
        }
    }
}

#[test]
fn words_come_while_somebody_speaks_and_are_marked_approximate() {
    let Some(recognizer) = installed("interims") else {
        return;
    };
    let heard = listen(
        &recognizer,
        Speaker::Caller,
        &track("presses-zero", "inbound"),
    );

    let all: Vec<_> = hypotheses(&heard).collect();
    assert!(
        all.iter()
            .all(|one| one.approximate && one.speaker == Speaker::Caller)
    );
    assert!(all.iter().all(|one| one.start < one.end));
    let interims = all.iter().filter(|one| !one.is_final).count();
    assert!(interims >= 3, "{interims}");
    let last = all.last().unwrap();
    assert!(last.is_final && last.ends_utterance);
    // Spoken from 3.2 to 6.1 s.
    assert!(
        (2_700..=3_300).contains(&last.start.as_millis()),
        "{:?}",
        last.start
    );
    assert!(
        (5_900..=6_400).contains(&last.end.as_millis()),
        "{:?}",
        last.end
    );
    assert!(matches!(
        heard.last(),
        Some(Heard::UtteranceEnded { speaker: Speaker::Caller, at }) if *at == last.end
    ));
}

#[test]
fn a_flush_gives_the_words_so_far_as_final() {
    let Some(recognizer) = installed("flush") else {
        return;
    };
    let codes = track("asks-for-human", "inbound");
    let (feed, feeding) = Feed::new();
    let (told, mut heard) = mpsc::channel(64);
    recognizer.start(Speaker::Caller, feeding, told).unwrap();
    // From 20.2 s on it is "I would much rather speak to a human please": cut before "please".
    for at in (20_000..22_400).step_by(100) {
        let start = MediaTime::from_millis(at);
        let mulaw = Bytes::copy_from_slice(&codes[start.0 as usize..][..WINDOW]);
        assert!(feed.push(Feeding::Window { start, mulaw }));
    }
    assert!(feed.push(Feeding::Flush));
    loop {
        match heard.blocking_recv().expect("a flush is answered") {
            Heard::Hypothesis(one) if one.is_final => {
                assert!(!one.ends_utterance);
                assert!(
                    one.text.expose().contains("speak to a human"),
                    "{:?}",
                    one.text.expose()
                );
                break;
            }
            Heard::Hypothesis(_) => {}
            other => panic!("{other:?}"),
        }
    }
    drop(feed);
    while let Some(one) = heard.blocking_recv() {
        assert!(matches!(one, Heard::Hypothesis(_)), "{one:?}");
    }
}

#[test]
fn one_speaker_more_than_allowed_is_refused_until_another_ends() {
    let Some(recognizer) = installed("limit") else {
        return;
    };
    let start = |told: &mpsc::Sender<Heard>| {
        let (feed, feeding) = Feed::new();
        recognizer
            .start(Speaker::Caller, feeding, told.clone())
            .map(|()| feed)
    };
    let (told, mut heard) = mpsc::channel(4);
    let first = start(&told).unwrap();
    let (other_told, _other_heard) = mpsc::channel(4);
    let _second = start(&other_told).unwrap();
    let refused = start(&other_told).unwrap_err();
    assert!(matches!(refused, PocketSphinxError::Busy { limit: 2 }));
    assert_eq!(refused.lost_reason(), LostReason::Busy);

    drop((first, told));
    assert!(heard.blocking_recv().is_none());
    // The thread gives its place back just after it has closed the channel.
    while start(&other_told).is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn a_missing_model_names_the_packages() {
    let Some(_) = installed("missing") else {
        return;
    };
    let nowhere = std::env::temp_dir().join("handoff-no-such-model");
    let error = PocketSphinx::load(PocketSphinxOptions {
        acoustic_model: nowhere.clone(),
        scratch: nowhere,
        max_decoders: 1,
    })
    .err()
    .unwrap();
    assert!(
        error
            .to_string()
            .contains("apt-get install -y libpocketsphinx3 pocketsphinx-en-us"),
        "{error}"
    );
}

/// The model would hear what it was counted from; the fixtures have to show more than that.
#[test]
fn no_request_of_a_fixture_is_a_line_of_the_language_model() {
    let lines = include_str!("../../../assets/pocketsphinx/lines.txt");
    for request in [
        "i would much rather speak to a human please",
        "let me talk to a real person about it will you",
        "could you get me a representative please",
    ] {
        assert!(
            !lines.lines().any(|line| line.contains(request)),
            "{request}"
        );
    }
}
