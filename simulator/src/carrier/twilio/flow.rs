//! What follows a verb.

use super::call::{Order, Source};
use super::stage::Stage;
use super::twiml::Callback;
use crate::carrier::event::{EndReason, Purpose};

/// What follows a verb.
#[derive(Debug)]
pub(super) enum Flow {
    Next,
    Replace(Source),
    End(EndReason),
}

/// The `action` of a verb, if it has one.
#[derive(Debug)]
pub(super) struct Action {
    pub(super) purpose: Purpose,
    pub(super) callback: Option<Callback>,
}

impl Action {
    /// The action's document takes over; without an action the next verb follows.
    pub(super) fn follow(self, parameters: Vec<(String, String)>) -> Flow {
        let Self { purpose, callback } = self;
        callback.map_or(Flow::Next, |callback| {
            Flow::Replace(Source::Fetch {
                purpose,
                callback,
                parameters,
            })
        })
    }

    /// Asks for the action of a verb that an order cut short. Its answer is not executed.
    pub(super) fn tell(self, stage: &Stage, order: &Order, parameters: Vec<(String, String)>) {
        let Self { purpose, callback } = self;
        let Some(callback) = callback else { return };
        let mut all = stage.parameters();
        all.extend(parameters);
        if !matches!(order, Order::Rewrite(_)) {
            for status in all.iter_mut().filter(|(name, _)| name == "CallStatus") {
                "completed".clone_into(&mut status.1);
            }
        }
        let asker = stage.clone();
        stage.in_background(async move {
            asker.fetch(purpose, &callback, &all).await;
        });
    }
}

/// Names and values as they are sent.
pub(super) fn owned<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
