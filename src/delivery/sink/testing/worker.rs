//! A worker without sockets: asks a sink for steps, answers them from a script and writes down what
//! went by.
//!
//! A script has one line an answer: `201 {"ticket":{"id":1}}`, `429 retry-after=30`, `timeout`
//! (sent, no answer), `refused` (never sent), `crash` (sent, and the process died). `+30m` lets time
//! pass. Bodies are named A, B, … in the order of their first appearance.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use handoff_core::context::HandoffContext;
use handoff_core::pii::Secret;
use handoff_core::time::WallTime;
use http::{HeaderName, HeaderValue, Request, Response};

use super::contexts::ACCEPTED;
use crate::delivery::outcome::{Job, Kind, Receipt, SendFailure, Step, Verdict};
use crate::delivery::sink::Sink;

/// Plays one delivery.
pub(crate) struct Worker {
    sink: Sink,
    context: HandoffContext,
    opened: Option<Receipt>,
    pub(crate) now: WallTime,
    pub(crate) progress: Option<Vec<u8>>,
    first_saved: Option<WallTime>,
    bodies: Vec<Bytes>,
    log: String,
}

impl Worker {
    /// Opens a handoff at a sink.
    pub(crate) fn open(sink: Sink, context: HandoffContext) -> Self {
        Self {
            sink,
            context,
            opened: None,
            now: WallTime(ACCEPTED.0 + 11_000),
            progress: None,
            first_saved: None,
            bodies: Vec::new(),
            log: String::new(),
        }
    }

    /// Updates what was opened.
    pub(crate) fn update(sink: Sink, context: HandoffContext, opened: Receipt) -> Self {
        Self {
            opened: Some(opened),
            ..Self::open(sink, context)
        }
    }

    /// Plays a script and gives the record of it, ending with what the sink would do next.
    pub(crate) fn play(&mut self, script: &str) -> String {
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            if let Some(minutes) = line.strip_prefix('+') {
                let minutes: u64 = minutes.trim_end_matches('m').parse().expect("+30m");
                self.now.0 += minutes * 60_000;
                writeln!(self.log, "{line}").unwrap();
                continue;
            }
            if self.step("").is_none() {
                return std::mem::take(&mut self.log);
            }
            if line == "crash" {
                writeln!(self.log, "  crash").unwrap();
                continue;
            }
            let verdict = self
                .sink
                .interpret(&self.job(), self.progress.as_deref(), answer(line));
            let label = line.split(['{', '<']).next().unwrap_or(line).trim();
            writeln!(self.log, "  {label} -> {}", worded(&verdict)).unwrap();
            match verdict {
                Verdict::Continue { progress } => self.save(progress),
                Verdict::Retry {
                    progress: Some(progress),
                    ..
                } => self.save(progress),
                Verdict::Retry { progress: None, .. } | Verdict::Refresh => {}
                Verdict::Done(_) | Verdict::Dead(_) | Verdict::DisableSink(_) => {
                    return std::mem::take(&mut self.log);
                }
            }
        }
        // A look ahead: what is saved with it is not kept.
        let before = (self.progress.clone(), self.first_saved);
        self.step("next ");
        (self.progress, self.first_saved) = before;
        std::mem::take(&mut self.log)
    }

    /// The next request in full, which is then under way.
    pub(crate) fn request(&mut self) -> Request<Bytes> {
        self.step("").expect("something to send")
    }

    /// The verdict on an answer to the request under way, progress untouched.
    pub(crate) fn verdict(&self, line: &str) -> String {
        worded(
            &self
                .sink
                .interpret(&self.job(), self.progress.as_deref(), answer(line)),
        )
    }

    fn job(&self) -> Job<'_> {
        static TOKEN: std::sync::LazyLock<Secret> =
            std::sync::LazyLock::new(|| Secret::new("t0k3n"));
        Job {
            kind: match &self.opened {
                None => Kind::Open,
                Some(opened) => Kind::Update { opened },
            },
            context: &self.context,
            now: self.now,
            first_saved: self.first_saved,
            token: Some(&TOKEN),
        }
    }

    fn save(&mut self, progress: Vec<u8>) {
        self.first_saved.get_or_insert(self.now);
        self.progress = Some(progress);
    }

    fn step(&mut self, prefix: &str) -> Option<Request<Bytes>> {
        let request = match self.sink.step(&self.job(), self.progress.as_deref()) {
            Step::Send(request) => request,
            Step::SaveThenSend { progress, request } => {
                self.save(progress);
                request
            }
            Step::Done(receipt) => {
                writeln!(self.log, "{prefix}{}", worded(&Verdict::Done(receipt))).unwrap();
                return None;
            }
            Step::Fail(reason) => {
                writeln!(self.log, "{prefix}fail: {reason}").unwrap();
                return None;
            }
        };
        let path = request.uri().path_and_query().expect("absolute").as_str();
        write!(self.log, "{prefix}{} {path}", request.method()).unwrap();
        if !request.body().is_empty() {
            let known = self.bodies.iter().position(|body| body == request.body());
            let index = known.unwrap_or_else(|| {
                self.bodies.push(request.body().clone());
                self.bodies.len() - 1
            });
            let name = char::from(b'A' + u8::try_from(index).expect("few bodies"));
            write!(self.log, " {name}").unwrap();
        }
        if let Some(key) = request.headers().get("idempotency-key") {
            write!(self.log, " key={}", key.to_str().unwrap()).unwrap();
        }
        writeln!(self.log).unwrap();
        Some(request)
    }
}

/// Writes a request as on the wire, JSON bodies laid out.
pub(crate) fn rendered(request: &Request<Bytes>) -> String {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    let mut headers: Vec<_> = request.headers().iter().collect();
    headers.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in headers {
        writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    let body = std::str::from_utf8(request.body()).unwrap();
    match serde_json::from_str::<serde_json::Value>(body) {
        Ok(json) => writeln!(text, "\n{json:#}").unwrap(),
        Err(_) if body.is_empty() => {}
        Err(_) => writeln!(text, "\n{}", body.trim_end()).unwrap(),
    }
    text
}

fn answer(line: &str) -> Result<Response<Bytes>, SendFailure> {
    match line {
        "timeout" => return Err(SendFailure::Unknown),
        "refused" => return Err(SendFailure::NotSent),
        _ => {}
    }
    let (status, mut rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status.parse::<u16>().unwrap().try_into().unwrap();
    if let Some(header) = rest.strip_prefix("retry-after=") {
        let (seconds, body) = header.split_once(' ').unwrap_or((header, ""));
        let name = HeaderName::from_static("retry-after");
        response
            .headers_mut()
            .insert(name, HeaderValue::from_str(seconds).unwrap());
        rest = body;
    }
    *response.body_mut() = Bytes::copy_from_slice(rest.as_bytes());
    Ok(response)
}

fn worded(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Continue { progress: _ } => "continue".to_owned(),
        Verdict::Done(receipt) => format!(
            "done {}, {}",
            receipt.external_id,
            if receipt.exactly_once {
                "exactly once"
            } else {
                "perhaps twice"
            }
        ),
        Verdict::Retry {
            after,
            progress: _,
            reason,
        } => match after {
            Some(after) => format!("retry after {}s: {reason}", Duration::as_secs(after)),
            None => format!("retry: {reason}"),
        },
        Verdict::Refresh => "refresh".to_owned(),
        Verdict::Dead(reason) => format!("dead: {reason}"),
        Verdict::DisableSink(reason) => format!("disable: {reason}"),
    }
}
