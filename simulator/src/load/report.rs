//! What came out: one row a run, medians, and ratios to the floor.

use std::time::Duration;

use serde_json::{Value, json};

use super::generator::Sent;
use super::measure::Plan;
use super::waits::Waits;

/// One measured run.
#[derive(Debug, Clone)]
pub struct Run {
    /// `handoff` or the name of a baseline.
    pub server: String,
    /// Calls that could be opened.
    pub opened: usize,
    /// Frames sent.
    pub sent: Sent,
    /// CPU time of the server while it was sent frames.
    pub cpu: Option<Duration>,
    /// Resident KiB before the calls, with silent calls, and with active calls.
    pub resident_kib: [Option<u64>; 3],
    /// Audio that did not reach the recognizer.
    pub loss: Option<Loss>,
    /// From final to rewrite and ringing.
    pub waits: Option<Waits>,
    calls: usize,
}

/// Audio sent and recognized, over the calls that stayed with the voice agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loss {
    /// Calls counted.
    pub calls: usize,
    /// Bytes of mu-law sent.
    pub sent_bytes: u64,
    /// Bytes of mu-law that reached the recognizer.
    pub recognized_bytes: u64,
    /// Calls of which less arrived than was sent.
    pub calls_with_loss: usize,
}

impl Run {
    pub(super) fn new(
        server: &str,
        plan: &Plan,
        sent: Sent,
        cpu: Option<Duration>,
        resident_kib: [Option<u64>; 3],
    ) -> Self {
        let server = server.to_owned();
        Self {
            server,
            opened: 0,
            sent,
            cpu,
            resident_kib,
            loss: None,
            waits: None,
            calls: plan.calls,
        }
    }

    /// Nanoseconds of the server's CPU for one frame.
    pub fn cpu_ns_per_frame(&self) -> Option<f64> {
        self.cpu
            .map(|cpu| cpu.as_nanos() as f64 / self.sent.frames.max(1) as f64)
    }

    /// Share of one core.
    pub fn core_share(&self) -> Option<f64> {
        self.cpu
            .map(|cpu| cpu.as_secs_f64() / self.sent.took.as_secs_f64().max(1e-9))
    }

    /// KiB for each call over what was resident before; 1 for silent, 2 for active calls.
    fn kib_per_call(&self, phase: usize) -> Option<f64> {
        let (base, with_calls) = self.resident_kib[0].zip(self.resident_kib[phase])?;
        Some((with_calls as f64 - base as f64) / self.calls.max(1) as f64)
    }

    /// The run as one JSON object.
    pub fn to_json(&self) -> Value {
        let took = self.sent.took.as_secs_f64();
        json!({
            "event": "run", "server": self.server, "calls": self.opened, "frames": self.sent.frames, "seconds": round(took),
            "frames_per_second": (self.sent.frames as f64 / took.max(1e-9)).round(),
            "cpu_ns_per_frame": self.cpu_ns_per_frame().map(f64::round), "core_share": self.core_share().map(round),
            "rss_kib_before": self.resident_kib[0],
            "rss_kib_per_idle_call": self.kib_per_call(1).map(round),
            "rss_kib_per_active_call": self.kib_per_call(2).map(round),
            "delayed_frames": self.sent.delayed, "broken_calls": self.sent.broken,
            "generator_latest_ms": round(self.sent.latest.as_secs_f64() * 1000.0),
            "audio": self.loss.map(|loss| json!({"calls": loss.calls, "sent_bytes": loss.sent_bytes,
                "recognized_bytes": loss.recognized_bytes, "calls_with_loss": loss.calls_with_loss})),
            "rewrite": self.waits.as_ref().map(Waits::rewrite_json),
            "trigger_to_ringing": self.waits.as_ref().map(Waits::ringing_json),
        })
    }

    /// What went wrong, in sentences; slowness and loss are measured, not judged.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let rewritten = self.waits.as_ref().map_or(0, |waits| waits.rewrite.count());
        // A rewritten call's media socket may be closed by either side.
        if self.sent.broken > rewritten as u64 {
            failures.push(format!(
                "{}: {} media sockets broke",
                self.server, self.sent.broken
            ));
        }
        failures.extend(self.waits.iter().flat_map(Waits::failures));
        failures
    }
}

/// Medians over the runs of each server and handoff's ratio to each floor.
pub fn summary(runs: &[Run]) -> Value {
    let mut servers: Vec<&str> = Vec::new();
    for run in runs {
        if !servers.contains(&run.server.as_str()) {
            servers.push(&run.server);
        }
    }
    let costs: Vec<(&str, Option<f64>)> = (servers.iter())
        .map(|server| {
            let of_server = runs.iter().filter(|run| run.server == *server);
            (
                *server,
                median(of_server.filter_map(Run::cpu_ns_per_frame).collect()),
            )
        })
        .collect();
    let cost_of = |wanted: &str| {
        costs
            .iter()
            .find(|(server, _)| *server == wanted)
            .and_then(|(_, cost)| *cost)
    };
    let medians: Value = costs
        .iter()
        .map(|(server, cost)| ((*server).to_owned(), json!(cost.map(f64::round))))
        .collect();
    let ratios: Value = (costs.iter())
        .filter(|(server, _)| *server != "handoff")
        .filter_map(|(server, floor)| {
            Some((
                (*server).to_owned(),
                json!(round(cost_of("handoff")? / (*floor)?)),
            ))
        })
        .collect();
    json!({"event": "summary", "cpu_ns_per_frame": medians, "handoff_to_baseline": ratios})
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

pub(super) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::carrier::Carrier;
    use crate::load::frames::{Frames, Tracks};

    fn run(server: &str, frames: u64, cpu_ms: u64) -> Run {
        let plan = Plan {
            calls: 10,
            carrier: Carrier::Twilio,
            frames: Frames::new(Carrier::Twilio, Tracks::Inbound, 0),
            seconds: 1,
            tracks: Tracks::Inbound,
            flood: false,
            idle: Duration::ZERO,
            threads: 1,
        };
        let sent = Sent {
            frames,
            took: Duration::from_secs(1),
            ..Sent::default()
        };
        Run::new(
            server,
            &plan,
            sent,
            Some(Duration::from_millis(cpu_ms)),
            [Some(1000), Some(1080), Some(1200)],
        )
    }

    #[test]
    fn a_run_is_told_per_frame_and_per_call() {
        let told = run("handoff", 1000, 20).to_json();
        assert_eq!(told["cpu_ns_per_frame"], 20_000.0);
        assert_eq!(told["core_share"], 0.02);
        assert_eq!(
            (
                &told["rss_kib_per_idle_call"],
                &told["rss_kib_per_active_call"]
            ),
            (&json!(8.0), &json!(20.0))
        );
    }

    #[test]
    fn the_summary_has_medians_and_ratios() {
        let runs = [
            run("handoff", 1000, 20),
            run("raw-tcp", 1000, 10),
            run("handoff", 1000, 40),
            run("handoff", 1000, 30),
        ];
        let summary = summary(&runs);
        assert_eq!(
            summary["cpu_ns_per_frame"],
            json!({"handoff": 30_000.0, "raw-tcp": 10_000.0})
        );
        assert_eq!(summary["handoff_to_baseline"], json!({"raw-tcp": 3.0}));
    }
}
