//! What a human hears before they are joined to the caller, and the key that they are asked for.

use std::time::Duration;

use tokio::time::sleep;

use super::prompts::{fetch_prompts, length_of, text_of};
use super::stage::Stage;
use super::xml::Confirm;
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::human::Human;

/// How long the key is waited for when nobody says how long.
pub(super) const CONFIRM_TIMEOUT: Duration = Duration::from_secs(120);

/// Plays the confirm document and waits for the key. Whether the human accepts the call.
pub(super) async fn confirmed(
    stage: &Stage,
    human: Human,
    confirm: &Confirm,
    parameters: &[(String, String)],
    pressed: impl FnOnce(char),
) -> bool {
    // UNCONFIRMED what Plivo does when the document cannot be had; the unkind variant is played.
    if !is_heard(stage, confirm, parameters).await || human.hangs_up_in_whisper() {
        return false;
    }
    let Some(key) = confirm.key else {
        return true;
    };
    if let Some(key) = human.presses() {
        pressed(key);
    }
    if human.presses() == Some(key) {
        return true;
    }
    sleep(stage.wall(confirm.timeout)).await;
    false
}

/// Whether the human heard what the document says; an empty document says nothing.
async fn is_heard(stage: &Stage, confirm: &Confirm, parameters: &[(String, String)]) -> bool {
    let Some(callback) = &confirm.sound else {
        return true;
    };
    let what = "a confirm document";
    let prompts = fetch_prompts(stage, Purpose::Whisper, callback, parameters, what);
    let Some(prompts) = prompts.await else {
        return false;
    };
    for prompt in prompts {
        if let Some(text) = text_of(&prompt) {
            stage.record(CarrierEvent::SpokenToHuman {
                text: text.to_owned(),
            });
        }
        sleep(stage.wall(length_of(&prompt))).await;
    }
    true
}
