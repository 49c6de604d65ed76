//! Commands become requests; each runs as a task of its call and gives back an event.

use std::sync::Arc;
use std::time::Duration;

use handoff_core::call::{Arrival, Event, Fact, Inspection, RewriteOutcome};
use handoff_core::context::HandoffContext;
use handoff_core::id::{CallId, CarrierCallId, HandoffId};
use handoff_core::time::{CallTime, WallTime};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::surroundings::Surroundings;
use crate::carrier::twilio::call_state::CallState;
use crate::carrier::twilio::rest::{self, RewriteError};
use crate::carrier::verdict::Retry;
use crate::egress::SendFailure;
use crate::journal::{DeliveryKind, NewDelivery};
use crate::telemetry::metrics;

/// The longest wait that a carrier may ask for between two rewrites. The caller is listening.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3);
/// Waits between attempts to write a decision or the end of a call, the last one repeated.
const DURABLE_RETRY: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

type Stamp = (CallTime, WallTime);

/// Writes a fact.
pub(super) async fn record(
    around: Arc<Surroundings>,
    call: CallId,
    (at, wall): Stamp,
    fact: Fact,
) -> Option<Event> {
    if let Err(error) = around.journal.append(&call, vec![(at, wall, fact)]).await {
        metrics::journal_failed();
        error!(%error, "a fact is not in the journal");
    }
    None
}

/// Writes the decision and the deliveries it causes, in one transaction. What the journal does not
/// take at once is written as soon as it does, while the call moves on.
pub(super) async fn record_decision(
    around: Arc<Surroundings>,
    stamp: Stamp,
    context: HandoffContext,
) -> Option<Event> {
    let handoff = context.trigger.handoff.clone();
    let fact = Fact::Triggered(context.trigger.clone());
    let call = context.call.clone();
    let deliveries = deliveries(&around, DeliveryKind::Open, stamp, &context);
    write_until_done(&around, &call, stamp, fact, deliveries).await;
    Some(Event::DecisionRecorded { handoff })
}

/// Writes the end of the call and the last deliveries, in one transaction.
pub(super) async fn record_end(
    around: Arc<Surroundings>,
    call: CallId,
    stamp: Stamp,
    fact: Fact,
    context: Option<Box<HandoffContext>>,
) -> Option<Event> {
    let deliveries = context
        .map(|context| deliveries(&around, DeliveryKind::Update, stamp, &context))
        .unwrap_or_default();
    write_until_done(&around, &call, stamp, fact, deliveries).await;
    Some(Event::EndRecorded)
}

async fn write_until_done(
    around: &Surroundings,
    call: &CallId,
    (at, wall): Stamp,
    fact: Fact,
    deliveries: Vec<NewDelivery>,
) {
    for attempt in 0usize.. {
        let facts = vec![(at, wall, fact.clone())];
        let written = around
            .journal
            .append_with_deliveries(call, facts, deliveries.clone())
            .await;
        let Err(error) = written else { return };
        metrics::journal_failed();
        error!(%error, attempt, "the journal does not take a durable fact");
        if !error.may_pass() {
            // The call must come to its end in our books all the same.
            return;
        }
        tokio::time::sleep(DURABLE_RETRY[attempt.min(DURABLE_RETRY.len() - 1)]).await;
    }
}

/// Asks the carrier to move the call to the human.
pub(super) async fn rewrite(
    around: Arc<Surroundings>,
    call: Arrival,
    handoff: HandoffId,
    attempt: u32,
) -> Option<Event> {
    let outcome = ask_for_rewrite(&around, &call, &handoff, attempt).await;
    Some(Event::RewriteSettled {
        handoff,
        attempt,
        outcome,
    })
}

async fn ask_for_rewrite(
    around: &Surroundings,
    call: &Arrival,
    handoff: &HandoffId,
    attempt: u32,
) -> RewriteOutcome {
    let request = (around.documents).rewrite(&around.account, call, handoff, attempt);
    let asked = Instant::now();
    let answer = around
        .egress
        .send_within(around.carrier_timeout, request)
        .await;
    metrics::rewrite_answered(asked.elapsed());
    let failure = match answer {
        Ok(response) => {
            let (head, body) = response.into_parts();
            match rest::interpret_rewrite(head.status, &head.headers, &body) {
                Ok(()) => return RewriteOutcome::Accepted,
                Err(failure) => failure,
            }
        }
        Err(SendFailure::NotSent) => RewriteError::NotSent,
        Err(SendFailure::Unknown) => RewriteError::Unanswered,
    };
    settle(failure).await
}

/// What a failed rewrite means for the call. A carrier that asks us to wait is obeyed, as far as a
/// caller can be kept waiting.
async fn settle(failure: RewriteError) -> RewriteOutcome {
    let verdict = failure.verdict();
    warn!(error = %failure, ?verdict, "the carrier did not take the rewrite");
    if let Retry::Repeat { after: Some(after) } = verdict.retry {
        tokio::time::sleep(after.min(LONGEST_RETRY_AFTER)).await;
    }
    RewriteOutcome::from(failure)
}

/// Asks the carrier whether the caller is still there.
pub(super) async fn inspect(around: Arc<Surroundings>, call: CarrierCallId) -> Option<Event> {
    let request = rest::fetch_call(&around.account, &call);
    let inspection = match around
        .egress
        .send_within(around.carrier_timeout, request)
        .await
    {
        Ok(response) => inspection(rest::interpret_call(response.status(), response.body())),
        Err(SendFailure::NotSent | SendFailure::Unknown) => Inspection::Unclear,
    };
    Some(Event::CallInspected(inspection))
}

fn inspection(state: CallState) -> Inspection {
    match state {
        CallState::Queued | CallState::Ringing | CallState::InProgress => Inspection::InProgress,
        CallState::Ended(_) => Inspection::Over,
        CallState::Initiated | CallState::Unknown => Inspection::Unclear,
    }
}

/// Sends a caller whose call's task died straight to the human.
pub(super) async fn rescue(around: &Surroundings, call: &Arrival) {
    let request = around.documents.rescue(&around.account, call);
    match around
        .egress
        .send_within(around.carrier_timeout, request)
        .await
    {
        Ok(response) if response.status().is_success() => {
            info!("a caller whose call failed was sent to the default target");
        }
        Ok(response) => error!(status = %response.status(), "a caller could not be rescued"),
        Err(failure) => error!(?failure, "a caller could not be rescued"),
    }
}

fn deliveries(
    around: &Surroundings,
    kind: DeliveryKind,
    (_, created): Stamp,
    context: &HandoffContext,
) -> Vec<NewDelivery> {
    let to = |sink: &String| NewDelivery {
        sink: sink.clone(),
        kind,
        context: context.clone(),
        created,
    };
    around.sinks.iter().map(to).collect()
}
