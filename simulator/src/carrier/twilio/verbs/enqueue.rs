//! `<Enqueue>`: the caller waits in a queue until a human takes them from it, or they leave it.

use std::future::pending;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::carrier::event::{CarrierEvent, EndReason, LegStatus, Purpose};
use crate::carrier::human::Human;
use crate::carrier::interrupt::interruptible;
use crate::carrier::twilio::account::sid;
use crate::carrier::twilio::call::Order;
use crate::carrier::twilio::flow::{Action, Flow};
use crate::carrier::twilio::queue::{Place, told};
use crate::carrier::twilio::script::{Heard, Hearer, Script, wait};
use crate::carrier::twilio::stage::Stage;
use crate::carrier::twilio::twiml::Enqueue;

/// How the waiting ended.
enum Waited {
    /// A human took the caller.
    Taken,
    /// The wait document ended it.
    Heard(Heard),
}

/// Lets the caller stand in the queue and talk to the human who takes them.
pub(in crate::carrier::twilio) async fn enqueue(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    enqueue: Enqueue,
) -> Result<Flow, Order> {
    let action = Action {
        purpose: Purpose::EnqueueAction,
        callback: enqueue.action.clone(),
    };
    if stage.account.options.queue_full {
        return Ok(action.follow(told(&sid("QU", "full"), "queue-full", 0)));
    }
    let place = Place::take(stage, &enqueue.line);
    let human = stage.human_at(&place.key);
    let waited = {
        let taken = async {
            match human.picks_up_after() {
                Some(after) => sleep(stage.wall(after)).await,
                None => pending().await,
            }
        };
        let parameters = || {
            let mut parameters = stage.parameters();
            parameters.extend(place.wait_parameters());
            parameters
        };
        let waiting = wait(
            stage,
            Script::QueueWait,
            Hearer::Caller,
            &enqueue.wait,
            parameters,
        );
        let either = async {
            tokio::select! {
                biased;
                () = taken => Waited::Taken,
                heard = waiting => Waited::Heard(heard),
            }
        };
        interruptible(orders, either).await
    };
    let heard = match waited {
        Ok(Waited::Taken) => {
            let parameters = place.leave("bridged");
            return talk(stage, orders, human, action, parameters).await;
        }
        Ok(Waited::Heard(heard)) => heard,
        Err(order) => {
            let result = match order {
                Order::Rewrite(_) => "redirected",
                Order::Complete | Order::CallerHangsUp => "hangup",
            };
            action.tell(stage, &order, place.leave(result));
            return Err(order);
        }
    };
    match heard {
        Heard::Left | Heard::RanOut => Ok(action.follow(place.leave("leave"))),
        Heard::HungUp => {
            action.tell(stage, &Order::Complete, place.leave("hangup"));
            Ok(Flow::End(EndReason::HungUp))
        }
        Heard::Unavailable | Heard::Dialled(_) => Ok(action.follow(place.leave("error"))),
    }
}

/// The human who took the caller talks to them. The action is asked for when they have.
async fn talk(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    human: Human,
    action: Action,
    mut parameters: Vec<(String, String)>,
) -> Result<Flow, Order> {
    let leg_sid = stage.account.new_sid("CA", &stage.call.sid);
    let bridged = Instant::now();
    stage.record(CarrierEvent::LegBridged {
        leg_sid: leg_sid.clone(),
    });
    let talked = interruptible(orders, sleep(stage.wall(human.talks_for()))).await;
    stage.record(CarrierEvent::LegCompleted {
        leg_sid,
        status: LegStatus::Completed,
        bridged: true,
        seconds: stage.seconds_since(bridged),
    });
    match talked {
        Ok(()) => Ok(action.follow(parameters)),
        Err(order) => {
            if matches!(order, Order::Rewrite(_)) {
                for result in parameters
                    .iter_mut()
                    .filter(|(name, _)| name == "QueueResult")
                {
                    "redirected-from-bridged".clone_into(&mut result.1);
                }
            }
            action.tell(stage, &order, parameters);
            Err(order)
        }
    }
}
