//! What callers hear and who is rung, the same at every carrier.

use handoff_core::call::Arrival;
use handoff_core::id::Carrier;
use handoff_core::pii::Pii;
use handoff_core::route::{Acceptance, TargetName};

use super::step::Step;
use crate::base_url::BaseUrl;
use crate::carrier::argument::{RingSeconds, Spoken, Voice, WebUrl};
use crate::carrier::brief::Brief;
use crate::carrier::document::{DeadManTail, Handoff, HandoffUrls, LastResort};
use crate::carrier::number::{CallerIdPolicy, E164, caller_id};
use crate::carrier::target::Reach;
use crate::config;
use crate::session::briefing::Briefing;

/// What a human who takes calls by a key hears after the whisper.
const PRESS: &str = "Press 1 to take the call.";

/// What callers hear every few seconds who wait where no music is configured.
pub(super) const HOLD: &str = "Thank you for waiting. A colleague will be with you shortly.";

/// How many characters of the voice agent's words a whisper repeats.
const QUOTE: usize = 160;

/// Everything in a document that depends neither on the call nor on the carrier.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) public_url: BaseUrl,
    handoff: config::Handoff,
    /// The default first.
    targets: Vec<config::Target>,
    pub(super) voice: Voice,
    nothing: Spoken,
    press: Spoken,
}

/// A human whom we call.
pub(super) struct HumanToCall<'a> {
    pub(super) number: &'a E164,
    /// The number that their phone shows.
    pub(super) caller_id: E164,
    pub(super) ring: RingSeconds,
    /// What they hear.
    pub(super) document_url: WebUrl,
    /// Where the carrier reports on their leg.
    pub(super) status_url: WebUrl,
}

impl Script {
    /// Takes what the documents are made of.
    pub fn new(
        public_url: &BaseUrl,
        handoff: &config::Handoff,
        targets: &[config::Target],
    ) -> Self {
        Self {
            public_url: public_url.clone(),
            handoff: handoff.clone(),
            targets: targets.to_vec(),
            voice: Voice::default(),
            nothing: Spoken::new(""),
            press: Spoken::new(PRESS),
        }
    }

    /// What moves the call to the first target of the step that the carrier can reach, or `None` if
    /// there is none. The callbacks name the step, so that news of a dial that a later attempt
    /// interrupted can be told from news of that attempt.
    pub(super) fn handoff<'a>(
        &'a self,
        carrier: Carrier,
        arrival: &Arrival,
        step: &Step,
        briefing: &'a Briefing,
    ) -> Option<Handoff<'a>> {
        let (place, target) = (step.targets.iter().enumerate())
            .filter_map(|(place, name)| Some((place, self.target(name)?)))
            .find(|(_, target)| {
                target.reach.possible_at(carrier).is_ok() && target.reach.suits(&arrival.caller)
            })?;
        let step = step.with(&step.targets[place..]);
        let about = |what: &str| self.url(&step.path(carrier, what));
        Some(Handoff {
            announcement: match briefing.announced {
                true => &self.nothing,
                false => &self.handoff.say,
            },
            voice: &self.voice,
            reach: &target.reach,
            caller_id: self.caller_id(arrival),
            ring: target.ring,
            whisper: target.whisper,
            acceptance: target.acceptance,
            room: step.room(),
            brief: &briefing.brief,
            urls: HandoffUrls {
                after: about("after-dial"),
                leg: about("leg"),
                whisper: about("whisper"),
                wait: about("wait"),
                music: self.handoff.hold_music.clone(),
            },
        })
    }

    /// What a human hears before they have the caller.
    pub(super) fn whisper(&self, brief: &Brief) -> Spoken {
        let brief = Brief {
            caller: brief.caller.as_ref().map(spelled),
            tried: brief.tried.as_ref().map(last_said),
            ..brief.clone()
        };
        Spoken::new(&self.handoff.whisper.render(&brief))
    }

    /// What they are asked to do.
    pub(super) fn press(&self) -> &Spoken {
        &self.press
    }

    /// The human of a step whom we call, because the caller waits for them. `None` if that target is
    /// nobody whom we call, or there is no number that their phone could show.
    pub(super) fn human_to_call(
        &self,
        carrier: Carrier,
        arrival: &Arrival,
        step: &Step,
    ) -> Option<HumanToCall<'_>> {
        let target = self.under_way(step)?;
        let (Reach::Conference { number } | Reach::MultiPartyCall { number }) = &target.reach
        else {
            return None;
        };
        Some(HumanToCall {
            number,
            // A call of ours may not show the caller's number: accounts show what they own or verified.
            caller_id: caller_id(CallerIdPolicy::Called, &arrival.caller, &arrival.called)?,
            ring: target.ring,
            document_url: self.url(&step.path(carrier, "human")),
            status_url: self.url(&step.path(carrier, "human-status")),
        })
    }

    /// When the target of a step has taken the call.
    pub(super) fn acceptance(&self, step: &Step) -> Acceptance {
        (self.under_way(step)).map_or(Acceptance::Key, |target| target.acceptance)
    }

    /// How long the target of a step is rung or waited for.
    pub(super) fn ring(&self, step: &Step) -> Option<RingSeconds> {
        self.under_way(step).map(|target| target.ring)
    }

    /// How the target of a step is reached.
    pub(super) fn reach(&self, step: &Step) -> Option<&Reach> {
        self.under_way(step).map(|target| &target.reach)
    }

    /// Whether the human of a step is called apart from the caller.
    pub(super) fn called_apart(&self, step: &Step) -> bool {
        matches!(
            self.reach(step),
            Some(Reach::Conference { .. } | Reach::MultiPartyCall { .. })
        )
    }

    /// What a caller gets whom no human could take.
    pub(super) fn last_resort(&self, carrier: Carrier, step: &Step) -> LastResort {
        let message = |about: &str| self.url(&step.path(carrier, about));
        match &self.handoff.last_resort {
            config::LastResort::CallBack => LastResort::CallBack {
                message: self.handoff.nobody.clone(),
            },
            config::LastResort::Voicemail { prompt, longest } => LastResort::Voicemail {
                prompt: prompt.clone(),
                longest: *longest,
                done_url: message("message"),
                status_url: message("message"),
            },
        }
    }

    /// What a caller hears when it is not even known what was tried for them.
    pub(super) fn nobody(&self) -> &Spoken {
        &self.handoff.nobody
    }

    pub(super) fn tail(&self, carrier: Carrier, arrival: &Arrival) -> DeadManTail {
        let reachable = |target: &&config::Target| target.without_us(carrier).is_some();
        // A configuration without such a target is refused.
        let target = (self.targets.iter().find(reachable)).unwrap_or(&self.targets[0]);
        DeadManTail {
            reach: target
                .without_us(carrier)
                .unwrap_or_else(|| target.reach.clone()),
            caller_id: self.caller_id(arrival),
            ring: target.ring,
            apology: self.handoff.apology.clone(),
            voice: self.voice.clone(),
        }
    }

    /// What callers hear while they wait, if it is not the carrier's to choose.
    pub(super) fn hold_music(&self) -> Option<&WebUrl> {
        self.handoff.hold_music.as_ref()
    }

    pub(super) fn caller_id(&self, arrival: &Arrival) -> Option<E164> {
        let policy: CallerIdPolicy = self.handoff.caller_id;
        caller_id(policy, &arrival.caller, &arrival.called)
    }

    pub(super) fn url(&self, path: &str) -> WebUrl {
        WebUrl::below(&self.public_url, path)
    }

    fn under_way(&self, step: &Step) -> Option<&config::Target> {
        step.targets.first().and_then(|name| self.target(name))
    }

    fn target(&self, name: &TargetName) -> Option<&config::Target> {
        self.targets.iter().find(|target| target.name == *name)
    }
}

/// A number digit by digit, as people say it. Anything else stays as it is.
fn spelled(address: &Pii<String>) -> Pii<String> {
    let Ok(number) = E164::parse(address.expose()) else {
        return address.clone();
    };
    let digits = number.expose().trim_start_matches('+').chars();
    Pii::new(digits.fold("plus".to_owned(), |spoken, digit| {
        format!("{spoken} {digit}")
    }))
}

/// What the voice agent tried, as a sentence of its own, so that a text reads well where it said nothing.
fn last_said(words: &Pii<String>) -> Pii<String> {
    let words = words.expose().trim();
    let cut: String = words.chars().take(QUOTE).collect();
    let rest = if cut.len() < words.len() { "…" } else { "" };
    Pii::new(format!(
        "The voice agent last said: \"{}{rest}\"",
        cut.trim_end()
    ))
}
