//! A call that somebody placed: the answer webhook, the caller's patience, and the hangup webhook.

use tokio::sync::mpsc::Receiver;

use super::call::{CallStatus, Order, Party, Source};
use super::executor::{Executor, Flow};
use super::stage::Stage;
use crate::carrier::callback::{Callback, Method};
use crate::carrier::caller::patience;
use crate::carrier::event::{CarrierEvent, EndReason, Purpose};

/// Plays one call from the first ring to its end.
pub(super) async fn run(stage: Stage, orders: Receiver<Order>) {
    stage.record(CarrierEvent::CallPlaced {
        from: stage.call.from.clone(),
        to: stage.call.to.clone(),
    });
    stage.in_background(caller(stage.clone()));
    let answer = Flow::Replace(Source::Fetch {
        purpose: Purpose::Voice,
        callback: below_public(&stage, &stage.account.options.voice_path),
        parameters: vec![("Event".to_owned(), "StartApp".to_owned())],
    });
    let mut executor = Executor { stage, orders };
    let reason = executor.follow(answer).await;
    let Executor { stage, orders } = executor;
    drop(orders);
    stage.over(CallStatus::Completed);
    stage.record(CarrierEvent::CallEnded { reason });
    if let Some(path) = &stage.account.options.call_status_path {
        let callback = below_public(&stage, path);
        let parameters = stage.hangup_parameters(reason);
        stage.ask(Purpose::CallStatus, &callback, &parameters).await;
    }
    stage.settle().await;
}

/// Hangs up when the caller has waited for long enough.
async fn caller(stage: Stage) {
    let Party::Caller(recording) = &stage.call.party else {
        return;
    };
    let options = &stage.account.options;
    let patience = patience(
        stage.call.view.subscribe(),
        recording,
        options.speed,
        options.after_recording,
        || stage.record(CarrierEvent::RecordingEnded),
    );
    tokio::select! {
        () = patience => {
            // Nobody takes the order when the call ended just before.
            let _ = stage.call.orders.send(Order::End(EndReason::CallerHungUp)).await;
        }
        () = stage.call.orders.closed() => {}
    }
}

fn below_public(stage: &Stage, path: &str) -> Callback {
    Callback {
        url: stage.account.outside.below_public(path),
        method: Method::Post,
    }
}
