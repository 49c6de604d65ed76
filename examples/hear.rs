//! Prints what the embedded recognizer hears, and what that costs.
//!
//!     cargo run --example hear -- fixtures/calls/*/stream.jsonl
//!     cargo run --example hear -- --decoders 8 recording.wav
//!
//! Takes carrier streams (JSON lines, as in `fixtures/calls`) and 8 kHz mu-law WAV files. Each track
//! is heard as fast as it can be; with `--decoders N` it is heard N times at once. Memory and CPU
//! come from `/proc`, so they are shown on Linux only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use handoff::recognizer::pocketsphinx::{ACOUSTIC_MODEL, PocketSphinx, PocketSphinxOptions};
use handoff::recognizer::{Feed, Feeding, Heard};
use handoff_core::speech::Speaker;
use handoff_core::time::{MediaTime, SAMPLE_RATE};
use serde_json::Value;
use tokio::sync::mpsc;

const WINDOW: usize = 800;

type Tracks = BTreeMap<String, Vec<u8>>;

fn main() -> anyhow::Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut decoders = 1;
    if arguments.first().is_some_and(|first| first == "--decoders") {
        ensure!(arguments.len() > 2, "--decoders needs a number and a file");
        decoders = arguments[1].parse()?;
        arguments.drain(..2);
    }
    let before = resident_kib();
    let recognizer = PocketSphinx::load(PocketSphinxOptions {
        acoustic_model: PathBuf::from(ACOUSTIC_MODEL),
        scratch: std::env::temp_dir().join("handoff-hear"),
        max_decoders: decoders,
    })?;
    for path in &arguments {
        let path = Path::new(path);
        let tracks = read(path).with_context(|| format!("cannot read {}", path.display()))?;
        for (name, codes) in &tracks {
            println!("{} {name}", path.display());
            let cpu = cpu_seconds();
            let peak = hear(&recognizer, codes, decoders)?;
            let audio = codes.len() as f64 / SAMPLE_RATE as f64;
            if let (Some(before), Some(peak), Some(cpu), Some(now)) =
                (before, peak, cpu, cpu_seconds())
            {
                println!(
                    "  {audio:.1} s, {:.1} % of a core and {:.1} MiB a decoder",
                    (now - cpu) * 100.0 / audio / decoders as f64,
                    peak.saturating_sub(before) as f64 / 1_024.0 / decoders as f64,
                );
            }
        }
    }
    Ok(())
}

/// Plays the codes to all decoders at once, prints what the first hears, and returns the memory in
/// use when all were done.
fn hear(recognizer: &PocketSphinx, codes: &[u8], decoders: usize) -> anyhow::Result<Option<u64>> {
    let mut feeds = Vec::new();
    let (told, mut heard) = mpsc::channel(64);
    for _ in 0..decoders {
        let (feed, feeding) = Feed::new();
        recognizer.start(Speaker::Caller, feeding, told.clone())?;
        feeds.push(feed);
    }
    drop(told);
    let printer = std::thread::spawn(move || {
        while let Some(heard) = heard.blocking_recv() {
            match heard {
                Heard::Hypothesis(one) if one.is_final && decoders == 1 => println!(
                    "  {:6.2} to {:6.2} heard (approximate): {}",
                    one.start.as_millis() as f64 / 1_000.0,
                    one.end.as_millis() as f64 / 1_000.0,
                    one.text.expose()
                ),
                Heard::Hypothesis(_) | Heard::UtteranceEnded { .. } | Heard::Restored { .. } => {}
                Heard::Lost { reason, .. } => println!("  lost: {reason:?}"),
            }
        }
    });
    for (at, window) in codes.chunks(WINDOW).enumerate() {
        for feed in &feeds {
            let start = MediaTime((at * WINDOW) as u64);
            let mulaw = Bytes::copy_from_slice(window);
            while !feed.has_room() {
                std::thread::yield_now();
            }
            if !feed.push(Feeding::Window { start, mulaw }) {
                bail!("a decoder is gone");
            }
        }
    }
    let resident = resident_kib();
    drop(feeds);
    if printer.join().is_err() {
        bail!("the printer failed");
    }
    Ok(resident)
}

fn read(path: &Path) -> anyhow::Result<Tracks> {
    if path.extension().is_some_and(|extension| extension == "wav") {
        wav(&std::fs::read(path)?)
    } else {
        stream(&std::fs::read_to_string(path)?)
    }
}

/// Lays a carrier's frames out by their timestamps, streams one after the other.
fn stream(lines: &str) -> anyhow::Result<Tracks> {
    let (mut tracks, mut origin) = (Tracks::new(), 0);
    for line in lines.lines() {
        let message: Value = serde_json::from_str(line)?;
        if message["event"] == "connected" {
            origin = tracks.values().map(Vec::len).max().unwrap_or(0);
        }
        let media = &message["media"];
        let (Some(track), Some(payload)) = (media["track"].as_str(), media["payload"].as_str())
        else {
            continue;
        };
        let timestamp = media["timestamp"].to_string();
        let timestamp = timestamp.trim_matches('"').parse::<usize>()?;
        let codes = tracks.entry(track.to_owned()).or_default();
        let at = origin + timestamp * 8;
        if at > codes.len() + 160 {
            codes.resize(at, 0xFF);
        }
        codes.extend(STANDARD.decode(payload)?);
    }
    Ok(tracks)
}

/// Takes the channels of a WAV file (format 7, mu-law) apart.
fn wav(file: &[u8]) -> anyhow::Result<Tracks> {
    ensure!(file.starts_with(b"RIFF"), "no WAV file");
    let (mut rest, mut channels) = (&file[12..], 0);
    while let [a, b, c, d, l0, l1, l2, l3, body @ ..] = rest {
        let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        let body_length = length.min(body.len());
        match [*a, *b, *c, *d].as_slice() {
            b"fmt " => {
                ensure!(body[..2] == [7, 0], "not mu-law");
                ensure!(body[4..8] == [0x40, 0x1F, 0, 0], "not 8 kHz");
                channels = usize::from(body[2]);
            }
            b"data" => {
                let mut tracks = Tracks::new();
                for channel in 0..channels {
                    let codes = body[..body_length].iter().skip(channel).step_by(channels);
                    tracks.insert(format!("channel {channel}"), codes.copied().collect());
                }
                return Ok(tracks);
            }
            _ => {}
        }
        rest = &body[(body_length + body_length % 2).min(body.len())..];
    }
    bail!("no samples")
}

/// The process's share of memory: pages that several mappings have in common count once.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = status.lines().find(|line| line.starts_with("Pss:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// User and system time of the process, at Linux's 100 ticks a second.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}
