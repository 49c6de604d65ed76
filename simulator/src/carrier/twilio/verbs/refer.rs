//! `<Refer>`: the caller's own SIP telephone is asked to call somebody else.

use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::carrier::event::{CarrierEvent, LegStatus, Purpose};
use crate::carrier::human::Human;
use crate::carrier::interrupt::interruptible;
use crate::carrier::twilio::call::Order;
use crate::carrier::twilio::flow::{Action, Flow, owned};
use crate::carrier::twilio::leg::{RING_SLACK, sip_response};
use crate::carrier::twilio::stage::Stage;
use crate::carrier::twilio::twiml::Refer;

/// How a REFER ended.
struct Referred {
    /// `ReferCallStatus`.
    status: &'static str,
    sip_code: Option<u16>,
    notified: Option<u16>,
}

/// Refers the caller's telephone, and says what became of it.
pub(in crate::carrier::twilio) async fn refer(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    refer: Refer,
) -> Result<Flow, Order> {
    let action = Action {
        purpose: Purpose::ReferAction,
        callback: refer.action.clone(),
    };
    let referred = if stage.call.recording.from.starts_with("sip:") {
        interruptible(orders, ask_telephone(stage, &refer)).await
    } else {
        stage.violation("<Refer> works on a call from a SIP telephone only");
        Ok(Referred {
            status: "failed",
            sip_code: None,
            notified: None,
        })
    };
    match referred {
        Ok(referred) => Ok(action.follow(referred.parameters())),
        Err(order) => {
            action.tell(stage, &order, owned([("ReferCallStatus", "canceled")]));
            Err(order)
        }
    }
}

/// UNCONFIRMED which `ReferCallStatus` a success has; `in-progress` is the first of Twilio's list.
async fn ask_telephone(stage: &Stage, refer: &Refer) -> Referred {
    let sip_code = stage.account.options.refer_response;
    let human = stage.human_at(&refer.to.uri);
    let referred = if (200..300).contains(&sip_code) {
        let (status, ended) = match human {
            Human::Answers { after, .. }
            | Human::HangsUpInWhisper { after }
            | Human::Voicemail { after, .. } => {
                sleep(stage.wall(after)).await;
                ("in-progress", LegStatus::Completed)
            }
            Human::Busy | Human::Rejects => ("busy", LegStatus::Busy),
            Human::NoAnswer => {
                sleep(stage.wall(RING_SLACK)).await;
                ("no-answer", LegStatus::NoAnswer)
            }
            Human::Unreachable => ("failed", LegStatus::Failed),
        };
        Referred {
            status,
            sip_code: Some(sip_code),
            notified: Some(sip_response(human, ended)),
        }
    } else {
        Referred {
            status: "failed",
            sip_code: Some(sip_code),
            notified: None,
        }
    };
    stage.record(CarrierEvent::CallReferred {
        to: refer.to.uri.clone(),
        sip_headers: refer.to.headers.clone(),
        sip_code,
        notified: referred.notified,
    });
    referred
}

impl Referred {
    fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters = owned([("ReferCallStatus", self.status)]);
        let codes = [
            ("ReferSipResponseCode", self.sip_code),
            ("NotifySipResponseCode", self.notified),
        ];
        parameters.extend(
            codes
                .into_iter()
                .filter_map(|(name, code)| Some((name.to_owned(), code?.to_string()))),
        );
        parameters
    }
}
