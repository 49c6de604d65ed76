//! What somebody hears while they wait in a room.

use std::future::pending;

use tokio::time::sleep;

use crate::carrier::callback::Callback;
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::plivo::call::Party;
use crate::carrier::plivo::prompts::{fetch_prompts, length_of, text_of};
use crate::carrier::plivo::stage::Stage;
use crate::carrier::plivo::xml::Prompt;

/// Plays the wait document again and again. One that says nothing, or cannot be had, is silence.
/// UNCONFIRMED: what is heard without any; here it is silence too, which a server can avoid.
pub(super) async fn play(
    stage: &Stage,
    source: Option<&Callback>,
    parameters: &[(String, String)],
) {
    let mut prompts = Vec::new();
    if let Some(callback) = source.cloned() {
        let (fetching, parameters) = (stage.clone(), parameters.to_vec());
        let fetched = stage.begin(async move {
            let what = "a wait document";
            fetch_prompts(&fetching, Purpose::Wait, &callback, &parameters, what).await
        });
        // A fetch that was abandoned gave no document.
        prompts = fetched.await.ok().flatten().unwrap_or_default();
    }
    let says_something = prompts.iter().any(|prompt| text_of(prompt).is_some());
    stage
        .call
        .view
        .send_modify(|view| view.busy = says_something);
    if !says_something {
        if let Party::Caller(_) = stage.call.party {
            stage.record(CarrierEvent::HoldSilence);
        }
        return pending().await;
    }
    loop {
        for prompt in &prompts {
            if let Some(event) = heard(&stage.call.party, prompt) {
                stage.record(event);
            }
            sleep(stage.wall(length_of(prompt))).await;
        }
    }
}

fn heard(party: &Party, prompt: &Prompt) -> Option<CarrierEvent> {
    match (party, prompt) {
        (_, Prompt::Silence(_)) => None,
        (Party::Caller(_), Prompt::Play(url)) => Some(CarrierEvent::HoldMusic {
            source: url.clone(),
        }),
        (Party::Caller(_), Prompt::Speak(text)) => {
            Some(CarrierEvent::SpokenToCaller { text: text.clone() })
        }
        (Party::Human(_), Prompt::Play(text) | Prompt::Speak(text)) => {
            Some(CarrierEvent::SpokenToHuman { text: text.clone() })
        }
    }
}
