//! `<Record>`: the caller leaves a message.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::carrier::clock::Utc;
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::interrupt::interruptible;
use crate::carrier::twilio::call::Order;
use crate::carrier::twilio::flow::{Action, Flow, owned};
use crate::carrier::twilio::stage::Stage;
use crate::carrier::twilio::twiml::{Callback, Record};

/// Records the caller. `url` is the document's own, which is the default action.
pub(in crate::carrier::twilio) async fn record(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    record: Record,
    url: Option<Callback>,
) -> Result<Flow, Order> {
    let action = Action {
        purpose: Purpose::RecordAction,
        callback: record.action.clone().or(url),
    };
    let options = &stage.account.options;
    let speaks_for = options.caller_speaks_for.min(record.max_length);
    let key = options
        .caller_presses
        .filter(|key| record.finish_on_key.contains(*key));
    let is_cut = options.caller_speaks_for >= record.max_length;
    let silence = if key.is_some() || is_cut {
        Duration::ZERO
    } else {
        record.timeout
    };
    let began = Instant::now();
    let recorded = interruptible(orders, sleep(stage.wall(speaks_for + silence))).await;
    let seconds = match &recorded {
        Ok(()) => speaks_for.as_secs(),
        Err(_) => stage.seconds_since(began).min(speaks_for.as_secs()),
    };
    if seconds == 0 {
        // UNCONFIRMED: a recording of silence alone is thrown away, and the next verb follows.
        return recorded.map(|()| Flow::Next);
    }
    let recording_sid = stage.account.new_sid("RE", &stage.call.sid);
    stage.record(CarrierEvent::CallerRecorded {
        recording_sid: recording_sid.clone(),
        seconds,
    });
    // UNCONFIRMED: `Digits` is empty when silence or `maxLength` ended the recording.
    let digits = match &recorded {
        Ok(()) => key.map(String::from).unwrap_or_default(),
        Err(_) => "hangup".to_owned(),
    };
    let account_sid = &options.account_sid;
    let url = format!(
        "https://api.twilio.com/2010-04-01/Accounts/{account_sid}/Recordings/{recording_sid}"
    );
    let about = owned([
        ("RecordingDuration", &seconds.to_string()),
        ("RecordingSid", &recording_sid),
        ("RecordingUrl", &url),
    ]);
    if let Some(callback) = record.status_callback {
        let mut parameters = about.clone();
        parameters.extend(owned([
            ("AccountSid", account_sid),
            ("CallSid", &stage.call.sid),
            ("RecordingChannels", "1"),
            ("RecordingSource", "RecordVerb"),
            ("RecordingStartTime", &Utc::now().rfc2822()),
            ("RecordingStatus", "completed"),
        ]));
        let poster = stage.clone();
        stage.in_background(async move {
            poster
                .ask(Purpose::RecordStatus, &callback, &parameters)
                .await;
        });
    }
    let mut parameters = about;
    parameters.push(("Digits".to_owned(), digits));
    match recorded {
        Ok(()) => Ok(action.follow(parameters)),
        Err(order) => {
            action.tell(stage, &order, parameters);
            Err(order)
        }
    }
}
