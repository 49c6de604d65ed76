//! Recordings of real people through the whole server, with the embedded recognizer: what must hold
//! for any call, whoever speaks. The recordings are public data beside the repository and no part of
//! it; a copy without them says so.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::process::{Environment, Finished, run};
use super::stage::{ACCOUNT, Scratch};

/// Bytes of mu-law in a carrier's message of 20 ms.
const FRAME: usize = 160;
/// What the carrier sends while nobody speaks: mu-law zero.
const QUIET: u8 = 0xff;
/// Quiet after the last word, so that the recognizer sees its end.
const TAIL_FRAMES: usize = 100;
const CALL: &str = "CA00000000000000000000000000000077";
const STREAM: &str = "MZ00000000000000000000000000000077";

#[tokio::test]
async fn a_real_caller_who_asks_for_a_human_is_heard_and_gets_one() {
    let Some(wav) = recording("jambonz_speak_to_customer_support_8k_mulaw.wav") else {
        return;
    };
    let Some(lines) = played(&wav, "1").await else {
        return;
    };
    let kinds = kinds(&lines);
    assert!(kinds.contains(&"trigger"), "{lines:#?}");
    assert_eq!(lines.last().unwrap()["detail"], "bridged", "{lines:#?}");
}

#[tokio::test]
async fn a_real_call_in_which_nobody_asks_for_a_human_stays_where_it_is() {
    let Some(wav) = recording("audiohook_stereo_8k_mulaw.wav") else {
        return;
    };
    let Some(lines) = played(&wav, "2").await else {
        return;
    };
    assert!(!kinds(&lines).contains(&"trigger"), "{lines:#?}");
}

/// What one file says, a track for each channel.
struct Wav {
    name: &'static str,
    tracks: Vec<Vec<u8>>,
}

/// Reads a mu-law WAV file (format 7 of RFC 2361, 8 kHz), or says that there is none.
fn recording(name: &'static str) -> Option<Wav> {
    let data = std::env::var_os("HANDOFF_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let path = data.join("audio").join(name);
    let Ok(file) = std::fs::read(&path) else {
        not_run(&format!("no recording {name} in the public data"));
        return None;
    };
    assert_eq!((&file[..4], &file[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    let mut rest = &file[12..];
    let mut channels = 0;
    while let Some((head, body)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let body_length = length.min(body.len());
        match &head[..4] {
            b"fmt " => {
                assert_eq!(body[..2], [7, 0], "{name} is mu-law");
                assert_eq!(body[4..8], 8_000_u32.to_le_bytes(), "{name} has 8 kHz");
                channels = usize::from(body[2]);
            }
            b"data" => {
                let track = |nth| body[..body_length].iter().skip(nth).step_by(channels);
                let tracks = (0..channels).map(|nth| track(nth).copied().collect());
                let tracks = tracks.collect();
                return Some(Wav { name, tracks });
            }
            _ => {}
        }
        rest = &body[(length + length % 2).min(body.len())..];
    }
    panic!("{name} has no samples");
}

/// Plays a recording as a call, checks what holds for all of them, and gives the timeline, or
/// nothing where nobody can hear it.
async fn played(wav: &Wav, speed: &str) -> Option<Vec<Value>> {
    let scratch = Scratch::new();
    write_call(wav, &scratch.0);
    let folder = scratch.0.to_str().expect("a path in UTF-8");
    let told = replayed(folder, "pocketsphinx", speed, &scratch.0).await;
    let missing = told.stderr.contains("libpocketsphinx3");
    assert!(
        !missing || std::env::var_os("HANDOFF_REQUIRE_POCKETSPHINX").is_none(),
        "{}",
        told.stderr
    );
    if !missing {
        let lines = timeline(&told, wav);
        assert!(kinds(&lines).contains(&"utterance"), "{lines:#?}");
        return Some(lines);
    }
    not_run(&format!("what is said in {}: no PocketSphinx", wav.name));
    let lines = timeline(&replayed(folder, "none", "8", &scratch.0).await, wav);
    assert_eq!(kinds(&lines), ["announced", "stream", "stream", "ended"]);
    None
}

/// PocketSphinx keeps up with about four times life for one speaker, where nothing else runs.
async fn replayed(folder: &str, recognizer: &str, speed: &str, directory: &Path) -> Finished {
    let arguments = [
        "replay",
        folder,
        "--json",
        "--recognizer",
        recognizer,
        "--speed",
        speed,
    ];
    run(&arguments, directory, &Environment::new()).await
}

/// Reads what `replay` printed and checks what holds for any call.
fn timeline(told: &Finished, wav: &Wav) -> Vec<Value> {
    // Rules that a peer saw broken are on the error output, and fail the command.
    assert_eq!(
        (told.code, told.stderr.as_str()),
        (Some(0), ""),
        "{}",
        wav.name
    );
    let lines: Vec<Value> = (told.stdout.lines())
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let (lines, waits): (Vec<_>, Vec<_>) =
        (lines.into_iter()).partition(|line| line["kind"] != "ringing");
    assert!(waits.len() <= 1, "one handoff at most: {waits:?}");
    let kinds = kinds(&lines);
    assert_eq!(kinds.first(), Some(&"announced"), "{lines:#?}");
    assert_eq!(kinds.get(1), Some(&"stream"), "{lines:#?}");
    assert_eq!(kinds.last(), Some(&"ended"), "{lines:#?}");
    let streams = kinds.iter().filter(|kind| **kind == "stream").count();
    assert_eq!(streams, 2, "it starts and it stops: {lines:#?}");
    let length_ms = wav.tracks[0].len() as u64 / 8 + TAIL_FRAMES as u64 * 20;
    for line in lines.iter().filter(|line| line["kind"] == "utterance") {
        assert!(line["at_ms"].as_u64() <= Some(length_ms), "{line}");
    }
    lines
}

fn kinds(lines: &[Value]) -> Vec<&str> {
    let kinds = lines.iter().map(|line| line["kind"].as_str());
    kinds.map(|kind| kind.expect("a kind")).collect()
}

/// Writes a recorded call in the form of `fixtures/calls` (see `fixtures/README.md`): the first
/// channel is the caller, the second, or silence, the voice agent.
fn write_call(wav: &Wav, folder: &Path) {
    let call = json!({
        "slug": "real", "carrier": "twilio", "mode": "listen", "synthetic": false,
        "provenance": wav.name, "account_sid": ACCOUNT, "call_sid": CALL,
        "from": "+15550100077", "to": "+15550100090", "webhook": {}, "human": "answers",
    });
    std::fs::write(folder.join("call.json"), call.to_string()).expect("a scratch file");
    let start = json!({"event": "start", "sequenceNumber": "1", "streamSid": STREAM, "start": {
        "accountSid": ACCOUNT, "streamSid": STREAM, "callSid": CALL,
        "tracks": ["inbound", "outbound"], "customParameters": {},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }});
    let mut stream = String::from(r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#);
    write!(stream, "\n{start}\n").expect("a string grows");
    let frames = wav.tracks[0].len().div_ceil(FRAME) + TAIL_FRAMES;
    let mut sequence = 1;
    for nth in 0..frames {
        for (channel, track) in [(0, "inbound"), (1, "outbound")] {
            let said = wav.tracks.get(channel).map_or(&[][..], Vec::as_slice);
            let said = said.get(nth * FRAME..).unwrap_or_default();
            let mut payload = [QUIET; FRAME];
            let length = said.len().min(FRAME);
            payload[..length].copy_from_slice(&said[..length]);
            sequence += 1;
            let media = json!({"event": "media", "sequenceNumber": sequence.to_string(),
            "streamSid": STREAM, "media": {
                "track": track, "chunk": (nth + 1).to_string(),
                "timestamp": ((nth + 1) * 20).to_string(),
                "payload": STANDARD.encode(payload),
            }});
            writeln!(stream, "{media}").expect("a string grows");
        }
    }
    let stop = json!({"event": "stop", "sequenceNumber": (sequence + 1).to_string(),
        "streamSid": STREAM, "stop": {"accountSid": ACCOUNT, "callSid": CALL}});
    writeln!(stream, "{stop}").expect("a string grows");
    std::fs::write(folder.join("stream.jsonl"), stream).expect("a scratch file");
}

/// Says so past the capture of the test harness, which shows nothing of a test that passes.
fn not_run(what: &str) {
    writeln!(std::io::stderr(), "NOT RUN: {what}").expect("the error output is open");
}
