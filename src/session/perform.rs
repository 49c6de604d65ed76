//! Commands become requests, each a task of its call that gives back an event, and entries of the
//! call's ledger.

use std::sync::Arc;
use std::time::Duration;

use handoff_core::call::{Arrival, Event, Fact, Inspection};
use handoff_core::context::HandoffContext;
use handoff_core::id::{CarrierCallId, HandoffId};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::carriers::{CarrierAccount, Judged};
use super::ledger::{Entry, Stamp};
use super::surroundings::Surroundings;
use crate::carrier::verdict::Retry;
use crate::egress::SendFailure;
use crate::journal::{DeliveryKind, NewDelivery};
use crate::telemetry::metrics;

/// The longest wait that a carrier may ask for between two rewrites. The caller is listening.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3);

/// The entry of a decision, with the deliveries it causes.
pub(super) fn decision(around: &Surroundings, stamp: Stamp, context: &HandoffContext) -> Entry {
    let trigger = context.trigger.clone();
    let handoff = trigger.handoff.clone();
    let deliveries = deliveries(around, DeliveryKind::Open, stamp, context);
    Entry::decision(stamp, Fact::Triggered(trigger), deliveries, handoff)
}

/// The entry of the end of a call, with the last deliveries.
pub(super) fn end(
    around: &Surroundings,
    stamp: Stamp,
    fact: Fact,
    context: Option<&HandoffContext>,
) -> Entry {
    let deliveries = context
        .map(|context| deliveries(around, DeliveryKind::Update, stamp, context))
        .unwrap_or_default();
    Entry::end(stamp, fact, deliveries)
}

/// Asks the carrier to move the call to the human. A carrier that asks us to wait is obeyed, as far as
/// a caller can be kept waiting.
pub(super) async fn rewrite(
    around: Arc<Surroundings>,
    account: CarrierAccount,
    call: Arc<Arrival>,
    handoff: HandoffId,
    attempt: u32,
) -> Option<Event> {
    let request = account.rewrite(&call, &handoff, attempt);
    let asked = Instant::now();
    let answer = (around.egress)
        .send_within(account.timeout(), request)
        .await;
    metrics::rewrite_answered(asked.elapsed());
    let Judged { outcome, failure } = account.judge(answer);
    if let Some(error) = failure {
        let verdict = error.verdict();
        warn!(%error, ?verdict, "the carrier did not take the rewrite");
        if let Retry::Repeat { after: Some(after) } = verdict.retry {
            tokio::time::sleep(after.min(LONGEST_RETRY_AFTER)).await;
        }
    }
    Some(Event::RewriteSettled {
        handoff,
        attempt,
        outcome,
    })
}

/// Asks the carrier whether the caller is still there.
pub(super) async fn inspect(
    around: Arc<Surroundings>,
    account: CarrierAccount,
    call: CarrierCallId,
) -> Option<Event> {
    let request = account.inspect(&call);
    let answer = (around.egress)
        .send_within(account.timeout(), request)
        .await;
    let inspection = match answer {
        Ok(response) => account.inspected(&response),
        Err(SendFailure::NotSent | SendFailure::Unknown) => Inspection::Unclear,
    };
    Some(Event::CallInspected(inspection))
}

/// Sends a caller whose call's task died straight to the human.
pub(super) async fn rescue(around: &Surroundings, account: &CarrierAccount, call: &Arrival) {
    let request = account.rescue(call);
    match (around.egress)
        .send_within(account.timeout(), request)
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
