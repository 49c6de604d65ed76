//! What is counted about deliveries. Labels are words of this program, never of a vendor.

use super::outcome::FailureReason;
use super::sink::Sink;
use crate::journal::Undelivered;
use handoff_core::time::WallTime;

/// Deliveries that ended, by sink and result.
pub const DELIVERIES: &str = "handoff_deliveries_total";
/// Attempts that failed and will be repeated, by sink and reason.
pub const RETRIES: &str = "handoff_delivery_retries_total";
/// Deliveries that wait.
pub const UNDELIVERED: &str = "handoff_undelivered";
/// How long the oldest of them has been waiting.
pub const OLDEST_UNDELIVERED: &str = "handoff_oldest_undelivered_seconds";

pub(super) fn delivered(sink: &Sink) {
    metrics::counter!(DELIVERIES, "sink_kind" => sink.name(), "result" => "delivered").increment(1);
}

pub(super) fn dead(sink: &Sink) {
    metrics::counter!(DELIVERIES, "sink_kind" => sink.name(), "result" => "dead").increment(1);
}

pub(super) fn retried(sink: &Sink, reason: &FailureReason) {
    metrics::counter!(RETRIES, "sink_kind" => sink.name(), "reason" => reason.as_str())
        .increment(1);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of rows are far below 2^53"
)]
pub(super) fn undelivered(undelivered: Undelivered, now: WallTime) {
    metrics::gauge!(UNDELIVERED).set(undelivered.count as f64);
    metrics::gauge!(OLDEST_UNDELIVERED).set(undelivered.oldest_age(now).as_secs_f64());
}
