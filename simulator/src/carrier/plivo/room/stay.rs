//! Being in a room: waiting for the others, being joined to them, and going.

use std::future::pending;
use std::time::Duration;

use tokio::time::sleep;

use super::music;
use super::rooms::{Presence, Standing};
use crate::carrier::callback::Callback;
use crate::carrier::event::{CarrierEvent, EndReason};
use crate::carrier::interrupt::interruptible;
use crate::carrier::lock::lock;
use crate::carrier::plivo::call::{Order, Party};
use crate::carrier::plivo::executor::Executor;
use crate::carrier::plivo::stage::Stage;

/// A human whom nobody is joined to hangs up after this long.
const HUMAN_PATIENCE: Duration = Duration::from_secs(60);

impl Executor {
    /// Stays until the room is over, the time is up or something better comes.
    pub(super) async fn stay(
        &mut self,
        presence: &Presence,
        time_limit: Duration,
        music: Option<&Callback>,
        parameters: &[(String, String)],
    ) -> Result<(), Order> {
        let stage = &self.stage;
        let course = async {
            let mut room = presence.watch();
            loop {
                let standing = presence.standing(&room.borrow_and_update());
                let activity = async {
                    match standing {
                        Standing::Waits => wait(stage, music, parameters).await,
                        Standing::Joined => talk(stage).await,
                        Standing::Removed => None,
                    }
                };
                tokio::select! {
                    reason = activity => return reason,
                    // The sender lives in the room, which the presence holds.
                    _ = room.wait_for(|state| presence.standing(state) != standing) => {}
                }
            }
        };
        let limited = async {
            tokio::select! {
                reason = course => reason,
                () = sleep(stage.wall(time_limit)) => None,
            }
        };
        match interruptible(&mut self.orders, limited).await? {
            Some(reason) => Err(Order::End(reason)),
            None => Ok(()),
        }
    }
}

/// Waits; a caller for as long as it takes, a human until they lose patience.
async fn wait(
    stage: &Stage,
    music: Option<&Callback>,
    parameters: &[(String, String)],
) -> Option<EndReason> {
    let patience = async {
        match stage.call.party {
            Party::Caller(_) => pending().await,
            Party::Human(_) => sleep(stage.wall(HUMAN_PATIENCE)).await,
        }
    };
    tokio::select! {
        () = music::play(stage, music, parameters) => None,
        () = patience => Some(EndReason::CallerHungUp),
    }
}

/// Talks to the others; the human is the one who hangs up.
async fn talk(stage: &Stage) -> Option<EndReason> {
    stage.call.view.send_modify(|view| view.busy = true);
    match &stage.call.party {
        Party::Caller(_) => pending().await,
        Party::Human(human) => {
            lock(&stage.call.state).bridged = true;
            stage.record(CarrierEvent::LegBridged {
                leg_sid: stage.call.uuid.to_string(),
            });
            sleep(stage.wall(human.talks_for())).await;
            Some(EndReason::CallerHungUp)
        }
    }
}
