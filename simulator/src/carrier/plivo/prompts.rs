//! Documents that may only be heard: what a human hears before they are joined, and hold music.

use std::time::Duration;

use super::stage::Stage;
use super::xml::{Element, Prompt};
use crate::carrier::callback::Callback;
use crate::carrier::event::Purpose;
use crate::carrier::speech::{PLAYED_FILE, spoken};

/// Fetches a document of `<Speak>`, `<Play>` and `<Wait>`. `None` when it could not be had.
pub(super) async fn fetch_prompts(
    stage: &Stage,
    purpose: Purpose,
    callback: &Callback,
    parameters: &[(String, String)],
    what: &str,
) -> Option<Vec<Prompt>> {
    let document = stage.fetch(purpose, callback, parameters).await?;
    let mut prompts = Vec::new();
    for element in document.elements {
        match element {
            Element::Prompt(prompt) => prompts.push(prompt),
            Element::Wait(length) => prompts.push(Prompt::Silence(length)),
            Element::Stream(_)
            | Element::Dial(_)
            | Element::GetInput(_)
            | Element::Record(_)
            | Element::Conference(_)
            | Element::MultiPartyCall(_)
            | Element::PreAnswer(_)
            | Element::Redirect(_)
            | Element::Hangup { .. } => {
                stage.violation(format!("{what} takes Play, Speak and Wait only"));
            }
        }
    }
    Some(prompts)
}

/// What is heard of a prompt.
pub(super) fn text_of(prompt: &Prompt) -> Option<&str> {
    match prompt {
        Prompt::Speak(text) | Prompt::Play(text) => Some(text),
        Prompt::Silence(_) => None,
    }
}

/// How much of the carrier's time a prompt takes.
pub(super) fn length_of(prompt: &Prompt) -> Duration {
    match prompt {
        Prompt::Speak(text) => spoken(text),
        Prompt::Play(_) => PLAYED_FILE,
        Prompt::Silence(length) => *length,
    }
}
