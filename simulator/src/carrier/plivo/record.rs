//! `<Record>`: the caller leaves a message.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::call::Order;
use super::executor::{Executor, Flow};
use super::stage::owned;
use super::xml::Record;
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::interrupt::interruptible;

impl Executor {
    /// Records until the caller has said what they have to say and is silent, or the time is up. With
    /// `recordSession` the recording goes on beside the document, and nothing is told of it here.
    pub(super) async fn record(&mut self, record: Record) -> Result<Flow, Order> {
        if record.whole_session {
            return Ok(Flow::Next);
        }
        let began = Instant::now();
        let speaks_for = self.stage.account.options.caller_speaks_for;
        let key = self.stage.pressed();
        let key = key.filter(|key| record.finish_on_key.contains(*key));
        let silence = match key {
            Some(_) => Duration::ZERO,
            None => record.silence,
        };
        let heard = speaks_for.saturating_add(silence);
        let lasts = self.stage.wall(heard.min(record.max_length));
        let recorded = interruptible(&mut self.orders, sleep(lasts)).await;
        let went = self.stage.account.options.speed.carrier(began.elapsed());
        // UNCONFIRMED whether the silence that ends a recording counts; here it does not.
        let seconds = went.min(speaks_for).min(record.max_length).as_secs_f64();
        let mut told = self.told(&record, Duration::from_secs_f64(seconds.round()));
        if let (Some(key), Ok(())) = (key, &recorded) {
            told.push(("Digits".to_owned(), key.to_string()));
        }
        if let Some(callback) = record.callback {
            self.notify(Purpose::RecordStatus, callback, told.clone());
        }
        match (recorded, record.action) {
            (Ok(()), action) => {
                Ok(self.after(Purpose::RecordAction, action, record.redirect, told))
            }
            (Err(order), action) => {
                // UNCONFIRMED whether the action is asked for when the caller hangs up meanwhile.
                if let Some(action) = action {
                    self.notify(Purpose::RecordAction, action, told);
                }
                Err(order)
            }
        }
    }

    fn told(&self, record: &Record, length: Duration) -> Vec<(String, String)> {
        let account = &self.stage.account;
        let id = account.new_uuid();
        let seconds = length.as_secs();
        self.stage.record(CarrierEvent::CallerRecorded {
            recording_sid: id.clone(),
            seconds,
        });
        let url = format!(
            "https://media.plivo.com/v1/Account/{}/Recording/{id}.{}",
            account.options.auth_id, record.file_format
        );
        owned(&[
            ("RecordUrl", &url),
            ("RecordingDuration", &seconds.to_string()),
            ("RecordingID", &id),
        ])
    }
}
