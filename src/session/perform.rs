//! Commands become requests, each a task of its call that gives back an event, and entries of the
//! call's ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use handoff_core::call::{Arrival, DialEnd, Effort, Event, Fact, Inspection};
use handoff_core::context::HandoffContext;
use handoff_core::id::{CarrierCallId, HandoffId};
use http::Request;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::carriers::{CarrierAccount, Judged, Step};
use super::ledger::{Entry, Stamp};
use super::surroundings::Surroundings;
use crate::carrier::creation::CreationError;
use crate::carrier::rewrite::RewriteError;
use crate::carrier::verdict::Retry;
use crate::clock;
use crate::egress::SendFailure;
use crate::journal::{DeliveryKind, NewDelivery};
use crate::targets::Question;
use crate::telemetry::metrics;

/// The longest wait that a carrier may ask for between two rewrites. The caller is listening.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3);

/// How often a human is called whom the carrier was too busy to call.
const CALLS_TRIED: u32 = 3;
const CALL_RETRY: Duration = Duration::from_millis(250);
const HANG_UP_RETRY: Duration = Duration::from_secs(1);

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

/// Finds out whom to try.
pub(super) async fn choose_targets(
    around: Arc<Surroundings>,
    call: Arc<Arrival>,
    handoff: HandoffId,
    route: Option<String>,
    signals: Vec<(String, String)>,
) -> Option<Event> {
    let question = Question {
        handoff: &handoff,
        call: &call.call,
        carrier: call.carrier,
        caller: &call.caller,
        called: &call.called,
        route: route.as_deref(),
        signals: &signals,
        now: clock::wall(),
    };
    let plan = around.targets.choose(&question).await.plan;
    Some(Event::TargetsChosen { handoff, plan })
}

/// Asks the carrier to move the call to the human. A carrier that asks us to wait is obeyed, as far as
/// a caller can be kept waiting.
pub(super) async fn rewrite(
    around: Arc<Surroundings>,
    account: CarrierAccount,
    request: Request<Bytes>,
    step: Step,
) -> Option<Event> {
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
        handoff: step.handoff,
        attempt: step.attempt,
        outcome,
    })
}

/// Asks the carrier to call the human for whom the caller waits. What certainly did nothing is repeated;
/// where the phone may ring, its news has to say so soon.
pub(super) async fn call_human(
    around: Arc<Surroundings>,
    account: CarrierAccount,
    request: Option<Request<Bytes>>,
    effort: Effort,
    waits: Arc<AtomicBool>,
) -> Option<Event> {
    let nobody = Err(DialEnd::Failed { code: None });
    let Some(request) = request else {
        error!("there is nobody to call to the caller's conference");
        return Some(Event::HumanCalled {
            effort,
            leg: nobody,
        });
    };
    let mut tries = 0;
    let leg = loop {
        tries += 1;
        let answer = (around.egress)
            .send_within(account.timeout(), request.clone())
            .await;
        let error = match account.called(answer) {
            Ok(leg) => break Ok(leg),
            Err(error) => error,
        };
        warn!(%error, "the carrier did not call the human");
        match error.verdict().retry {
            Retry::Repeat { after } if tries < CALLS_TRIED && waits.load(Ordering::Relaxed) => {
                let wait = after.unwrap_or(CALL_RETRY).min(LONGEST_RETRY_AFTER);
                tokio::time::sleep(wait).await;
            }
            Retry::Repeat { .. } | Retry::AskFirst | Retry::Never if error.may_ring() => {
                return Some(Event::HumanMaybeCalled { effort });
            }
            Retry::Repeat { .. } | Retry::AskFirst | Retry::Never => {
                break match error {
                    CreationError::Refused { code, .. } => Err(DialEnd::Failed { code }),
                    CreationError::Throttled { .. }
                    | CreationError::ServerFailed { .. }
                    | CreationError::Unnamed
                    | CreationError::NotSent
                    | CreationError::Unanswered => nobody,
                };
            }
        }
    };
    Some(Event::HumanCalled { effort, leg })
}

/// Hangs up on a human whom nobody waits for. Doing so twice does no harm.
pub(super) async fn hang_up(
    around: Arc<Surroundings>,
    account: CarrierAccount,
    leg: CarrierCallId,
) -> Option<Event> {
    let request = account.hang_up(&leg);
    for _ in 0..CALLS_TRIED {
        let answer = (around.egress)
            .send_within(account.timeout(), request.clone())
            .await;
        match account.judge(answer).failure {
            // It may be over already.
            None | Some(RewriteError::CallerGone) => return None,
            Some(error) => warn!(%error, "a human's leg was not hung up"),
        }
        tokio::time::sleep(HANG_UP_RETRY).await;
    }
    None
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
