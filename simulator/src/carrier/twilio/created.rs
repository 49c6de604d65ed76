//! A call that the REST API created: a human's phone rings, and who answers hears a document.

use std::time::Duration;

use tokio::sync::mpsc;

use super::call::{CallStatus, Order, Source};
use super::flow::owned;
use super::leg::Leg;
use super::script::{Heard, Hearer, Hearing, Script};
use super::stage::Stage;
use super::twiml::{Address, Callback, Dial, LegEvent, Noun, StatusCallback};
use super::verbs::{Party, Stayed, stay};
use crate::carrier::event::{LegStatus, Purpose};
use crate::carrier::interrupt::interruptible;

/// What the REST API was asked for.
#[derive(Debug)]
pub(super) struct NewCall {
    pub(super) to: Address,
    pub(super) from: String,
    /// What the human hears.
    pub(super) source: Source,
    pub(super) timeout: Duration,
    pub(super) status_callback: Option<StatusCallback<LegEvent>>,
}

/// Plays the call from the first ring to its end.
pub(super) async fn run(stage: Stage, mut orders: mpsc::Receiver<Order>, new: NewCall) {
    let NewCall {
        to,
        from,
        source,
        timeout,
        status_callback,
    } = new;
    let mut leg = Leg::new(&stage, &to, from, status_callback.as_ref());
    let rang = interruptible(&mut orders, leg.ring(timeout)).await;
    let status = match rang {
        Ok(Ok(())) => {
            talk(&stage, &mut orders, &mut leg, source).await;
            LegStatus::Completed
        }
        Ok(Err(status)) => status,
        Err(_) => LegStatus::Canceled,
    };
    drop(orders);
    stage.call.set_status(CallStatus::Ended(status));
    leg.complete(status);
    drop(leg);
    stage.settle().await;
}

/// Plays documents to the human until they or the documents hang up.
async fn talk(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    leg: &mut Leg<'_>,
    mut source: Source,
) {
    loop {
        match interruptible(orders, converse(stage, leg, source)).await {
            Err(Order::Rewrite(next)) => source = next,
            Ok(()) | Err(Order::Complete | Order::CallerHangsUp) => return,
        }
    }
}

async fn converse(stage: &Stage, leg: &mut Leg<'_>, source: Source) {
    let parameters = leg.parameters("in-progress");
    let human = leg.human;
    let mut hearing = Hearing::new(stage, Script::Created, Hearer::Human(human));
    if !hearing.take_up(source, &parameters).await {
        return;
    }
    loop {
        let dial = match hearing.play(&parameters).await {
            Heard::Dialled(dial) if !human.hangs_up_in_whisper() => *dial,
            Heard::Dialled(_)
            | Heard::RanOut
            | Heard::HungUp
            | Heard::Left
            | Heard::Unavailable => {
                return;
            }
        };
        let Dial {
            noun,
            action,
            time_limit,
            ..
        } = dial;
        let conference = match noun {
            Noun::Conference(conference) => conference,
            Noun::Phone(_) => {
                stage.violation("this stand-in lets a human it called dial a conference only");
                continue;
            }
        };
        match stay(stage, &conference, time_limit, Party::Human(leg)).await {
            Stayed::UntilHungUp => return,
            Stayed::ToTheEnd => {}
        }
        if let Some(callback) = action
            && !hearing.take_up(dial_action(callback), &parameters).await
        {
            return;
        }
    }
}

fn dial_action(callback: Callback) -> Source {
    Source::Fetch {
        purpose: Purpose::DialAction,
        callback,
        parameters: owned([("DialCallStatus", "answered")]),
    }
}
