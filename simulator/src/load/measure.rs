//! One measured run against one server: open, idle, active, closed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::baseline::{self, Baseline};
use super::carrier::{Carrier, Door, Rest, Ringing, upgrade};
use super::frames::{CallIds, FRAME_AUDIO, Frames, StreamTag, Tracks, closing, opening};
use super::generator::{self, Line};
use super::process;
use super::report::{Loss, Run};
use super::waits::{Rang, Spread, Waits};
use crate::recognizer::{self, CallResults, Event, Recognizer, RecognizerOptions, Speaker};

/// Calls that are opened at the same time.
const OPENING_AT_ONCE: usize = 32;
/// Longest wait for the server to finish what it was sent.
const SETTLE: Duration = Duration::from_secs(15);

/// What is the same for every run.
#[derive(Debug)]
pub struct Plan {
    /// Calls at once.
    pub calls: usize,
    /// Whose messages are sent.
    pub carrier: Carrier,
    /// Media of each.
    pub frames: Frames,
    /// Length of that media.
    pub seconds: usize,
    /// Tracks of each.
    pub tracks: Tracks,
    /// Whether frames are sent as fast as they are taken.
    pub flood: bool,
    /// Silence between opening and media.
    pub idle: Duration,
    /// Threads of the generator.
    pub threads: usize,
}

/// The handoff under test and the world this program gives it.
#[derive(Debug)]
pub struct Handoff {
    /// The way to it.
    pub door: Arc<Door>,
    /// Its process, if it can be looked at.
    pub pid: Option<u32>,
    /// Of the calls, from 0 to 1, those whose caller asks for a human.
    pub ask_share: f64,
    /// The carrier's REST endpoint.
    pub rest: Rest,
    /// The recognizer.
    pub recognizer: Recognizer,
}

/// How many of that many callers ask for a human.
pub fn asking(calls: usize, share: f64) -> usize {
    (calls as f64 * share).round() as usize
}

/// The results that make a share of the calls ask for a human; times are spread over the middle of the call.
pub fn asking_results(calls: &[CallIds], share: f64, seconds: usize) -> Vec<CallResults> {
    let asking = asking(calls.len(), share);
    let (from_ms, span_ms) = (seconds as u64 * 200, seconds as u64 * 600);
    let ask = |(index, ids): (usize, &CallIds)| {
        let at_ms = from_ms + span_ms * index as u64 / asking.max(1) as u64;
        let end = at_ms as f64 / 1000.0;
        let start = (end - 1.6).max(0.0);
        let text = ["I", "want", "to", "speak", "to", "a", "human"];
        let step = (end - start) / text.len() as f64;
        let words: Vec<_> = (text.iter().enumerate())
            .map(|(index, word)| {
                let from = start + step * index as f64;
                json!({"word": word.to_lowercase(), "punctuated_word": word, "start": from, "end": from + step, "confidence": 0.98})
            })
            .collect();
        let message = json!({"type": "Results", "channel_index": [0, 1], "start": start, "duration": end - start,
            "is_final": true, "speech_final": true, "from_finalize": false,
            "channel": {"alternatives": [{"transcript": "I want to speak to a human.", "confidence": 0.98, "words": words}]},
            "metadata": {"request_id": "", "model_uuid": "",
                "model_info": {"name": "general-nova-3", "version": "stand-in", "arch": "nova-3"}}});
        let line = recognizer::Line {
            speaker: Speaker::Caller,
            at_ms,
            message,
        };
        CallResults {
            call_sid: ids.call.clone(),
            lines: vec![line],
        }
    };
    calls.iter().take(asking).enumerate().map(ask).collect()
}

/// Options of the recognizer for all runs; it must not lose patience with silent calls or keep their audio.
pub fn recognizer_options(api_key: &str, results: Vec<CallResults>) -> RecognizerOptions {
    RecognizerOptions {
        api_key: api_key.to_owned(),
        results,
        idle_timeout: Duration::from_secs(300),
        keep_audio: false,
        ..RecognizerOptions::default()
    }
}

/// Measures a floor server, started for this run.
pub async fn measure_baseline(
    plan: &Arc<Plan>,
    kind: Baseline,
    core: Option<usize>,
) -> anyhow::Result<Run> {
    let server = baseline::Running::start(kind, core).await?;
    let pid = server.pid();
    let base_kib = read_resident(pid)?;
    let mut lines = Vec::with_capacity(plan.calls);
    for number in 0..plan.calls {
        let ids = CallIds::new(plan.carrier, number as u128);
        let socket = TcpStream::connect(&server.address)
            .await
            .context("cannot reach the baseline server")?;
        let socket = match kind {
            Baseline::RawTcp => socket,
            Baseline::Tungstenite => upgrade(socket, "127.0.0.1", "/", "").await?,
        };
        let tag = StreamTag::new(plan.carrier, &ids, &[]);
        lines.push(Line::new(socket.into_std()?, tag));
    }
    let (mut run, mut lines) = idle_then_active(plan, kind.as_str(), pid, base_kib, lines).await?;
    tokio::task::spawn_blocking(move || {
        // The server may have gone already; it was measured.
        lines
            .iter_mut()
            .for_each(|line| drop(line.write_all(&super::frames::CLOSE_FRAME)));
    })
    .await?;
    run.opened = plan.calls;
    Ok(run)
}

/// Measures handoff with calls of these ids.
pub async fn measure_handoff(
    plan: &Arc<Plan>,
    handoff: &Handoff,
    calls: &[CallIds],
) -> anyhow::Result<Run> {
    let base_kib = read_resident(handoff.pid)?;
    let opened: Vec<(CallIds, StreamTag, TcpStream)> = stream::iter(calls)
        .map(|ids| open_call(plan, &handoff.door, ids))
        .buffer_unordered(OPENING_AT_ONCE)
        .try_collect()
        .await?;
    let mut lines = Vec::with_capacity(opened.len());
    let mut ids = Vec::with_capacity(opened.len());
    for (call, tag, socket) in opened {
        lines.push(Line::new(socket.into_std()?, tag));
        ids.push(call);
    }
    let (mut run, mut lines) =
        idle_then_active(plan, "handoff", handoff.pid, base_kib, lines).await?;
    run.opened = ids.len();

    let frames = plan.frames.list.len();
    let endings: Vec<Vec<u8>> = ids
        .iter()
        .map(|ids| closing(ids, &handoff.door.account, frames))
        .collect();
    let closed = tokio::task::spawn_blocking(move || {
        for (line, ending) in lines.iter_mut().zip(&endings) {
            // A socket that the server closed after its rewrite needs no ending.
            drop(line.write_all(ending));
        }
        lines
    });
    // The sockets stay open until the server has finished, so that nothing is lost to a reset.
    let _open = closed.await?;
    settle(handoff, &ids).await;
    let asked: Vec<&CallIds> = calls
        .iter()
        .take(asking(calls.len(), handoff.ask_share))
        .collect();
    run.loss = Some(count_loss(plan, handoff, &ids, &asked));
    run.waits = Some(count_waits(handoff, &asked));
    Ok(run)
}

async fn idle_then_active(
    plan: &Arc<Plan>,
    server: &str,
    pid: Option<u32>,
    base_kib: Option<u64>,
    mut lines: Vec<Line>,
) -> anyhow::Result<(Run, Vec<Line>)> {
    tokio::time::sleep(plan.idle).await;
    let idle_kib = read_resident(pid)?;
    let cpu_before = pid.map(process::cpu_time).transpose()?;
    let media = Arc::clone(plan);
    let sending = tokio::task::spawn_blocking(move || {
        let send = if media.flood {
            generator::flood
        } else {
            generator::pace
        };
        send(&mut lines, &media.frames, media.threads).map(|sent| (sent, lines))
    });
    let (sent, lines) = sending.await??;
    let active_kib = read_resident(pid)?;
    if plan.flood {
        wait_until_quiet(pid).await?;
    }
    let cpu_after = pid.map(process::cpu_time).transpose()?;
    let cpu = cpu_before
        .zip(cpu_after)
        .map(|(before, after)| after.saturating_sub(before));
    Ok((
        Run::new(server, plan, sent, cpu, [base_kib, idle_kib, active_kib]),
        lines,
    ))
}

/// Waits until the server has worked off what its sockets still held.
async fn wait_until_quiet(pid: Option<u32>) -> anyhow::Result<()> {
    let Some(pid) = pid else { return Ok(()) };
    let deadline = Instant::now() + SETTLE;
    let mut before = process::cpu_time(pid)?;
    while Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let after = process::cpu_time(pid)?;
        if after.saturating_sub(before) <= Duration::from_millis(20) {
            return Ok(());
        }
        before = after;
    }
    Ok(())
}

async fn open_call(
    plan: &Plan,
    door: &Door,
    ids: &CallIds,
) -> anyhow::Result<(CallIds, StreamTag, TcpStream)> {
    let stream = door.announce(ids).await?;
    if plan.tracks == Tracks::Both {
        ensure!(
            stream.both_tracks,
            "the answer's <Stream> does not ask for both tracks; use --tracks inbound"
        );
    }
    let mut socket = door.open(&stream).await?;
    socket
        .write_all(&opening(ids, &door.account, plan.tracks, &stream))
        .await?;
    let tag = StreamTag::new(plan.carrier, ids, &stream.parameters);
    Ok((ids.clone(), tag, socket))
}

/// Waits until the recognizer's connections of these calls have ended and all rewrites are carried out.
async fn settle(handoff: &Handoff, calls: &[CallIds]) {
    let ours: HashSet<&str> = calls.iter().map(|ids| ids.call.as_str()).collect();
    let ended = |state: &recognizer::State| {
        let open = state
            .connections
            .iter()
            .any(|one| one.ended.is_none() && ours.contains(one.call.as_str()));
        (!open).then_some(())
    };
    // What is still open then shows as loss.
    let _ = handoff
        .recognizer
        .wait_for(SETTLE, "the end of all recognizer streams", ended)
        .await;
    let delays = handoff.rest.delays();
    // What is still under way then shows as a phone that did not ring.
    let _ = handoff
        .rest
        .settled(SETTLE + delays.rest + delays.setup)
        .await;
}

/// Compares audio sent with audio recognized, over the calls that stayed with the voice agent.
fn count_loss(plan: &Plan, handoff: &Handoff, calls: &[CallIds], asked: &[&CallIds]) -> Loss {
    let mut heard: HashMap<String, u64> = HashMap::new();
    handoff.recognizer.observed().read(|state| {
        for connection in &state.connections {
            *heard.entry(connection.call.clone()).or_default() += connection.audio_bytes;
        }
    });
    let expected = (plan.frames.list.len() * FRAME_AUDIO) as u64;
    let mut loss = Loss::default();
    for ids in calls.iter().filter(|ids| !asked.contains(ids)) {
        let heard = heard.get(&ids.call).copied().unwrap_or(0);
        loss.calls += 1;
        loss.sent_bytes += expected;
        loss.recognized_bytes += heard;
        loss.calls_with_loss += usize::from(heard < expected);
    }
    loss
}

/// What came of the calls whose caller asked, from the recognizer's final leaving on.
fn count_waits(handoff: &Handoff, asked: &[&CallIds]) -> Waits {
    let finals = finals(handoff);
    let asked: HashSet<&str> = asked.iter().map(|ids| ids.call.as_str()).collect();
    let since = |call: &str, at: Instant| {
        let left = finals.get(call).filter(|_| asked.contains(call));
        left.map(|left| at.saturating_duration_since(*left))
    };
    let rewrites = handoff.rest.rewrites();
    let mut rung = HashSet::new();
    let mut rang = Vec::new();
    let mut failed = BTreeSet::new();
    for rewrite in &rewrites {
        let Some(to_rewrite) = since(&rewrite.call, rewrite.at) else {
            continue;
        };
        match &rewrite.ringing {
            Ringing::Rings {
                at,
                fetched_in,
                announcement,
            } => {
                // A call that is rewritten again rings again; the caller waited for the first.
                if let Some(after) = since(&rewrite.call, *at)
                    && rung.insert(rewrite.call.as_str())
                {
                    rang.push(Rang {
                        after,
                        ours: to_rewrite + *fetched_in,
                        announcement: *announcement,
                    });
                }
            }
            Ringing::Failed(reason) => drop(failed.insert(reason.clone())),
            Ringing::Pending => drop(failed.insert("a rewrite was not carried out".to_owned())),
        }
    }
    Waits {
        asked: asked.len(),
        rewrite: Spread::new(
            rewrites
                .iter()
                .filter_map(|rewrite| since(&rewrite.call, rewrite.at)),
        ),
        rang,
        carrier: handoff.rest.delays(),
        failed: failed.into_iter().collect(),
    }
}

/// When the recognizer's last final of each call left.
fn finals(handoff: &Handoff) -> HashMap<String, Instant> {
    handoff.recognizer.observed().read(|state| {
        let call_of: HashMap<usize, &str> = state
            .connections
            .iter()
            .map(|connection| (connection.number, connection.call.as_str()))
            .collect();
        let finals = state.log.iter().filter_map(|entry| {
            let Event::Sent {
                connection,
                is_final: true,
                ..
            } = &entry.event
            else {
                return None;
            };
            Some(((*call_of.get(connection)?).to_owned(), entry.at))
        });
        finals.collect()
    })
}

fn read_resident(pid: Option<u32>) -> anyhow::Result<Option<u64>> {
    Ok(pid.map(process::resident_kib).transpose()?)
}
