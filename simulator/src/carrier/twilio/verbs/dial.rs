//! `<Dial>`: the human's phone, from the first ring to the action.

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::join;
use crate::carrier::event::{LegStatus, Purpose};
use crate::carrier::interrupt::interruptible;
use crate::carrier::twilio::call::{Order, Source};
use crate::carrier::twilio::flow::{Action, Flow};
use crate::carrier::twilio::leg::Leg;
use crate::carrier::twilio::script::{Heard, Hearer, Hearing, Script};
use crate::carrier::twilio::stage::Stage;
use crate::carrier::twilio::twiml::{Address, Callback, Dial, Noun, Phone};

/// Reaches whom the `<Dial>` names and waits until that is over.
pub(in crate::carrier::twilio) async fn dial(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    dial: Dial,
) -> Result<Flow, Order> {
    let action = Action {
        purpose: Purpose::DialAction,
        callback: dial.action.clone(),
    };
    match &dial.noun {
        Noun::Phone(phone) => ring(stage, orders, &dial, phone, action).await,
        Noun::Conference(conference) => {
            join::caller(stage, orders, conference, dial.time_limit, action).await
        }
    }
}

async fn ring(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    dial: &Dial,
    phone: &Phone,
    action: Action,
) -> Result<Flow, Order> {
    let caller_id = dial
        .caller_id
        .clone()
        .unwrap_or_else(|| stage.call.recording.from.clone());
    let allowed = caller_id_is_allowed(stage, &caller_id, &phone.address);
    let status_callback = phone.status_callback.as_ref();
    let mut leg = Leg::new(stage, &phone.address, caller_id, status_callback);
    let lived = if allowed {
        interruptible(orders, live(stage, &mut leg, dial, phone)).await
    } else {
        Ok(LegStatus::Failed)
    };
    // A ringing leg that is interrupted is reported as canceled. UNCONFIRMED: the observation of
    // `DialCallStatus=completed` was made on an answered one.
    let status = match &lived {
        Ok(status) => *status,
        Err(_) if leg.answered.is_some() => LegStatus::Completed,
        Err(_) => LegStatus::Canceled,
    };
    leg.complete(status);
    let parameters = leg.action_parameters(status);
    match lived {
        Ok(_) => Ok(action.follow(parameters)),
        Err(order) => {
            // OBS: Twilio asks for the action of an interrupted <Dial> and for the new document; only
            // the new document runs. A caller who hangs up makes it ask for the action too.
            action.tell(stage, &order, parameters);
            Err(order)
        }
    }
}

/// The shown number must be the account's own or the caller's; a SIP telephone shows a name as well.
fn caller_id_is_allowed(stage: &Stage, caller_id: &String, address: &Address) -> bool {
    let recording = &stage.call.recording;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+-_.".contains(&byte);
    let allowed = [&recording.from, &recording.to].contains(&caller_id)
        || stage.account.options.owned_numbers.contains(caller_id)
        || (matches!(address, Address::Sip(_)) && caller_id.bytes().all(is_name));
    if !allowed {
        stage.violation(format!(
            "callerId {caller_id:?} is neither a number of the account nor the caller's (13214)"
        ));
    }
    allowed
}

async fn live(stage: &Stage, leg: &mut Leg<'_>, dial: &Dial, phone: &Phone) -> LegStatus {
    if let Err(status) = leg.ring(dial.timeout).await {
        return status;
    }
    if accepts(stage, leg, phone.whisper.as_ref()).await {
        leg.bridge();
        let talks_for = leg.human.talks_for().min(dial.time_limit);
        sleep(stage.wall(talks_for)).await;
    }
    LegStatus::Completed
}

/// Plays the whisper document. One that ends without `<Hangup>` bridges.
async fn accepts(stage: &Stage, leg: &Leg<'_>, whisper: Option<&Callback>) -> bool {
    let stays = !leg.human.hangs_up_in_whisper();
    let Some(callback) = whisper else {
        return stays;
    };
    let parameters = leg.parameters("in-progress");
    let source = Source::Fetch {
        purpose: Purpose::Whisper,
        callback: callback.clone(),
        parameters: Vec::new(),
    };
    let mut hearing = Hearing::new(stage, Script::Whisper, Hearer::Human(leg.human));
    // UNCONFIRMED what Twilio does when a whisper cannot be had; the unkind variant is played.
    if !hearing.take_up(source, &parameters).await {
        return false;
    }
    match hearing.play(&parameters).await {
        Heard::RanOut => stays,
        Heard::HungUp | Heard::Left | Heard::Dialled(_) | Heard::Unavailable => false,
    }
}
