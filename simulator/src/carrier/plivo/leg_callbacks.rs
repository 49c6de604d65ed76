//! The callbacks of one leg to a human: posted one after the other, or out of order when the options
//! say so.

use tokio::sync::mpsc;

use super::stage::Stage;
use crate::carrier::callback::Callback;
use crate::carrier::event::Purpose;

/// A callback that is due.
struct Due {
    purpose: Purpose,
    callback: Callback,
    parameters: Vec<(String, String)>,
}

/// Posts the callbacks of one leg. Dropping it posts what was held back.
#[derive(Debug)]
pub(super) struct LegCallbacks {
    due: mpsc::UnboundedSender<Due>,
}

impl LegCallbacks {
    pub(super) fn start(stage: &Stage) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a leg has a handful of events; its callbacks are posted one after the other"
        )]
        let (due, receiver) = mpsc::unbounded_channel();
        let poster = stage.clone();
        stage.in_background(async move { post(poster, receiver).await });
        Self { due }
    }

    /// Posts to the callback, if there is one.
    pub(super) fn tell(
        &self,
        to: Option<&Callback>,
        purpose: Purpose,
        parameters: &[(String, String)],
    ) {
        let Some(callback) = to.cloned() else {
            return;
        };
        // The poster ends only after this sender is dropped.
        let _ = self.due.send(Due {
            purpose,
            callback,
            parameters: parameters.to_vec(),
        });
    }
}

/// With `shuffle_leg_callbacks`, each second one overtakes the one before it.
async fn post(stage: Stage, mut due: mpsc::UnboundedReceiver<Due>) {
    let tell = async |due: Due| {
        stage
            .tell(due.purpose, &due.callback, &due.parameters)
            .await;
    };
    let mut held = None;
    while let Some(next) = due.recv().await {
        match held.take() {
            Some(overtaken) => {
                tell(next).await;
                tell(overtaken).await;
            }
            None if stage.account.options.shuffle_leg_callbacks => held = Some(next),
            None => tell(next).await,
        }
    }
    if let Some(last) = held {
        tell(last).await;
    }
}
