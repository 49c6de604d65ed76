//! What the human's side is told of a call, taken from its context.

use std::sync::Arc;

use handoff_core::call::{Arrival, NextStep, Party, TriggerSource};
use handoff_core::context::HandoffContext;
use handoff_core::id::HandoffId;
use handoff_core::pii::Pii;
use handoff_core::speech::Speaker;

use crate::base_url::BaseUrl;
use crate::carrier::brief::Brief;

/// What a call's task knows when a carrier asks about it.
#[derive(Debug)]
pub struct Knowledge {
    /// Who calls whom.
    pub arrival: Arc<Arrival>,
    /// Everything so far, if there is a handoff.
    pub context: Option<HandoffContext>,
    /// Whether the caller waits for the target that the carrier speaks of, or has the human already.
    pub is_awaited: bool,
    /// What comes next, if the carrier told of the end of an effort.
    pub next: Option<NextStep>,
}

/// What a document about a handoff is written from.
#[derive(Debug)]
pub struct Briefing {
    /// What it may tell the human.
    pub brief: Brief,
    /// Whether the caller has been told already that somebody is being fetched.
    pub announced: bool,
}

impl Briefing {
    /// What is left if the process that knew the call is gone.
    pub fn without(handoff: &HandoffId) -> Self {
        Self {
            brief: Brief::of(handoff.clone()),
            announced: false,
        }
    }

    /// What a context says. `public_url` is where its call can be looked up.
    pub fn of(context: &HandoffContext, public_url: &BaseUrl) -> Self {
        let address = |party: &Party| match party {
            Party::Known(address) => Some(address.clone()),
            Party::Withheld => None,
        };
        let (rule, reason) = match &context.trigger.source {
            TriggerSource::Rule(name) => (Some(name.clone()), name.replace('_', " ")),
            TriggerSource::Api { reason } => (None, reason.expose().clone()),
        };
        let said = |line: &handoff_core::context::Line| {
            Pii::new(format!("{}: {}", line.speaker.as_str(), line.text.expose()))
        };
        let tried = (context.transcript.iter().rev())
            .find(|line| line.speaker == Speaker::VoiceAgent)
            .map(|line| line.text.clone());
        let brief = Brief {
            handoff: context.trigger.handoff.clone(),
            call: Some(context.call.clone()),
            caller: address(&context.caller),
            called: address(&context.called),
            rule,
            reason: Some(Pii::new(reason)),
            summary: Some(context.summary.clone()),
            tried,
            transcript: context.transcript.iter().map(said).collect(),
            link: Some(public_url.at(&format!("/api/calls/{}", context.call))),
        };
        let announced = (context.reached.targets.iter()).any(|tried| tried.end.is_some());
        Self { brief, announced }
    }
}
