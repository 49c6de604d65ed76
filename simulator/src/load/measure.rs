//! One measured run against one server: open, idle, active, closed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::baseline::{self, Baseline};
use super::carrier::{Rest, StreamElement, parse_stream, sign};
use super::frames::{CallIds, FRAME_AUDIO, Frames, Tracks, closing, opening};
use super::generator::{self, Line};
use super::process;
use super::report::{Loss, Run, Waits};
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
    /// `HOST:PORT` of its listener.
    pub address: String,
    /// Its process, if it can be looked at.
    pub pid: Option<u32>,
    /// The URL it believes to be reached by.
    pub public_url: String,
    /// Account of the calls.
    pub account_sid: String,
    /// Key of the signatures.
    pub auth_token: String,
    /// Of the calls, from 0 to 1, those whose caller asks for a human.
    pub ask_share: f64,
    /// The carrier's REST endpoint.
    pub rest: Rest,
    /// The recognizer.
    pub recognizer: Recognizer,
}

/// The results that make a share of the calls ask for a human; times are spread over the middle of the call.
pub fn asking_results(calls: &[CallIds], share: f64, seconds: usize) -> Vec<CallResults> {
    let asking = (calls.len() as f64 * share).round() as usize;
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
            call_sid: ids.call_sid.clone(),
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
        let ids = CallIds::new(number as u128);
        let socket = TcpStream::connect(&server.address)
            .await
            .context("cannot reach the baseline server")?;
        let socket = match kind {
            Baseline::RawTcp => socket,
            Baseline::Tungstenite => upgrade(socket, "127.0.0.1", "/", "").await?,
        };
        lines.push(Line::new(socket.into_std()?, ids.stream_sid_bytes()));
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
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .build()?;
    let opened: Vec<(CallIds, TcpStream)> = stream::iter(calls)
        .map(|ids| open_call(plan, handoff, &http, ids))
        .buffer_unordered(OPENING_AT_ONCE)
        .try_collect()
        .await?;
    let mut lines = Vec::with_capacity(opened.len());
    let mut ids = Vec::with_capacity(opened.len());
    for (call, socket) in opened {
        lines.push(Line::new(socket.into_std()?, call.stream_sid_bytes()));
        ids.push(call);
    }
    let (mut run, mut lines) =
        idle_then_active(plan, "handoff", handoff.pid, base_kib, lines).await?;
    run.opened = ids.len();

    let frames = plan.frames.list.len();
    let account_sid = handoff.account_sid.clone();
    let endings: Vec<Vec<u8>> = ids
        .iter()
        .map(|ids| closing(ids, &account_sid, frames))
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
        .take((calls.len() as f64 * handoff.ask_share).round() as usize)
        .collect();
    run.loss = Some(count_loss(plan, handoff, &ids, &asked));
    run.waits = Some(rewrite_waits(handoff, &asked));
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
    handoff: &Handoff,
    http: &reqwest::Client,
    ids: &CallIds,
) -> anyhow::Result<(CallIds, TcpStream)> {
    let stream = announce_call(handoff, http, ids).await?;
    let (host, path) = split_url(&stream.url)?;
    if plan.tracks == Tracks::Both {
        ensure!(
            stream.track.as_deref() == Some("both_tracks"),
            "the answer's <Stream> does not ask for both_tracks; use --tracks inbound"
        );
    }
    let socket = TcpStream::connect(&handoff.address)
        .await
        .context("cannot reach the media socket")?;
    let signature = format!(
        "x-twilio-signature: {}\r\n",
        sign(&handoff.auth_token, &stream.url, &[])
    );
    let mut socket = upgrade(socket, host, path, &signature).await?;
    socket
        .write_all(&opening(
            ids,
            &handoff.account_sid,
            plan.tracks,
            &stream.parameters,
        ))
        .await?;
    Ok((ids.clone(), socket))
}

/// Posts the signed webhook of a new call and reads the stream out of the answer.
async fn announce_call(
    handoff: &Handoff,
    http: &reqwest::Client,
    ids: &CallIds,
) -> anyhow::Result<StreamElement> {
    const PATH: &str = "/twilio/voice";
    let parameters = [
        ("AccountSid", handoff.account_sid.as_str()),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", &ids.call_sid),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("From", "+15550100001"),
        ("To", "+15550100002"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let public_url = handoff.public_url.trim_end_matches('/');
    let (host, _) = split_url(public_url)?;
    let request = http
        .post(format!("http://{}{PATH}", handoff.address))
        .header("Host", host)
        .header(
            "X-Twilio-Signature",
            sign(
                &handoff.auth_token,
                &format!("{public_url}{PATH}"),
                &parameters,
            ),
        )
        .form(&parameters);
    let response = request
        .send()
        .await
        .context("cannot reach the voice webhook")?;
    let status = response.status();
    ensure!(status.is_success(), "the voice webhook answered {status}");
    Ok(parse_stream(&response.text().await?)?)
}

/// Host and path of an absolute URL.
fn split_url(url: &str) -> anyhow::Result<(&str, &str)> {
    let Some((_, rest)) = url.split_once("://") else {
        bail!("{url} is not an absolute URL")
    };
    let path_at = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(path_at);
    Ok((host, if path.is_empty() { "/" } else { path }))
}

/// A WebSocket handshake by hand, so that the socket stays a plain one.
async fn upgrade(
    mut socket: TcpStream,
    host: &str,
    path: &str,
    more_headers: &str,
) -> anyhow::Result<TcpStream> {
    socket.set_nodelay(true)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more_headers}\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        ensure!(answer.len() < 8192, "the upgrade was answered at length");
        let byte = socket
            .read_u8()
            .await
            .context("the upgrade was not answered")?;
        answer.push(byte);
    }
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.lines().next().unwrap_or_default();
    ensure!(
        status.contains(" 101 "),
        "the upgrade was answered {status}"
    );
    Ok(socket)
}

/// Waits until the recognizer's connections of these calls have ended.
async fn settle(handoff: &Handoff, calls: &[CallIds]) {
    let ours: HashSet<&str> = calls.iter().map(|ids| ids.call_sid.as_str()).collect();
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
        let heard = heard.get(&ids.call_sid).copied().unwrap_or(0);
        loss.calls += 1;
        loss.sent_bytes += expected;
        loss.recognized_bytes += heard;
        loss.calls_with_loss += usize::from(heard < expected);
    }
    loss
}

/// From the recognizer's final leaving to the update of the call arriving.
fn rewrite_waits(handoff: &Handoff, asked: &[&CallIds]) -> Waits {
    let finals: HashMap<String, Instant> = handoff.recognizer.observed().read(|state| {
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
    });
    let mut waits = Waits {
        asked: asked.len(),
        ..Waits::default()
    };
    for rewrite in handoff
        .rest
        .rewrites()
        .iter()
        .filter(|rewrite| rewrite.is_document)
    {
        if let Some(left) = finals
            .get(&rewrite.call_sid)
            .filter(|_| asked.iter().any(|ids| ids.call_sid == rewrite.call_sid))
        {
            waits
                .milliseconds
                .push(rewrite.at.saturating_duration_since(*left).as_secs_f64() * 1000.0);
        }
    }
    waits.milliseconds.sort_by(f64::total_cmp);
    waits
}

fn read_resident(pid: Option<u32>) -> anyhow::Result<Option<u64>> {
    Ok(pid.map(process::resident_kib).transpose()?)
}
