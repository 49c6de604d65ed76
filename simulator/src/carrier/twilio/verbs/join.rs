//! `<Dial><Conference>`: a party waits in a conference, talks in it and leaves it.

use std::future::pending;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::carrier::event::CarrierEvent;
use crate::carrier::interrupt::interruptible;
use crate::carrier::twilio::call::Order;
use crate::carrier::twilio::conference::Seat;
use crate::carrier::twilio::flow::{Action, Flow, owned};
use crate::carrier::twilio::leg::Leg;
use crate::carrier::twilio::script::{Hearer, Script, wait};
use crate::carrier::twilio::stage::Stage;
use crate::carrier::twilio::twiml::Conference;

/// Who is in the conference.
#[derive(Debug)]
pub(in crate::carrier::twilio) enum Party<'l, 's> {
    Caller,
    Human(&'l mut Leg<'s>),
}

/// Why a party is in the conference no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::carrier::twilio) enum Stayed {
    /// The conference ended, or the `timeLimit` of the `<Dial>` was over.
    ToTheEnd,
    /// The human has talked enough and hangs up.
    UntilHungUp,
}

/// Lets the caller be in the conference until it is over.
pub(super) async fn caller(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    conference: &Conference,
    time_limit: Duration,
    action: Action,
) -> Result<Flow, Order> {
    let stayed = stay(stage, conference, time_limit, Party::Caller);
    let stayed = interruptible(orders, stayed).await;
    // `DialCallSid` and `DialCallDuration` are absent for a conference. UNCONFIRMED whether
    // `DialBridged` is there; a server that needs it is not helped.
    let parameters = owned([("DialCallStatus", "answered")]);
    match stayed {
        Ok(_) => Ok(action.follow(parameters)),
        Err(order) => {
            action.tell(stage, &order, parameters);
            Err(order)
        }
    }
}

/// Stays in the conference. Dropping this leaves it.
pub(in crate::carrier::twilio) async fn stay(
    stage: &Stage,
    conference: &Conference,
    time_limit: Duration,
    party: Party<'_, '_>,
) -> Stayed {
    let seat = Seat::take(stage, conference, matches!(party, Party::Human(_)));
    let hearer = match &party {
        Party::Caller => Hearer::Caller,
        Party::Human(leg) => Hearer::Human(leg.human),
    };
    let waiting = async {
        let parameters = || {
            let mut parameters = stage.parameters();
            parameters.extend(seat.parameters());
            parameters
        };
        wait(
            stage,
            Script::ConferenceWait,
            hearer,
            &conference.wait,
            parameters,
        )
        .await;
        // UNCONFIRMED what is heard when a wait document cannot be had; the unkind variant is played.
        if let Hearer::Caller = hearer {
            stage.record(CarrierEvent::HoldSilence);
        }
        pending::<()>().await;
    };
    tokio::select! {
        biased;
        () = seat.started_or_ended() => {}
        () = waiting => {}
    }
    let talk = async {
        match party {
            Party::Caller => meet(stage, &seat).await,
            Party::Human(leg) => {
                leg.bridged |= seat.has_started();
                sleep(stage.wall(leg.human.talks_for())).await;
            }
        }
    };
    tokio::select! {
        biased;
        () = seat.ended() => Stayed::ToTheEnd,
        () = talk => Stayed::UntilHungUp,
        () = sleep(stage.wall(time_limit)) => Stayed::ToTheEnd,
    }
}

/// Notes each human whom the caller meets.
async fn meet(stage: &Stage, seat: &Seat<'_>) {
    let mut met = Vec::new();
    loop {
        let leg_sid = seat.stranger(&met).await;
        met.push(leg_sid.clone());
        stage.record(CarrierEvent::LegBridged {
            leg_sid: leg_sid.to_string(),
        });
    }
}
