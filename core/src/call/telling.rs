//! What the call tells a human: the context at this instant.

use std::time::Duration;

use super::fact::{Evidence, Trigger, Utterance};
use super::machine::{Call, Understanding};
use super::outcome::{DialEnd, Disposition, LegProgress};
use super::state::{Handoff, Leg};
use crate::context::{HandoffContext, Line, Reached, TargetTried, summarize};
use crate::pii::Pii;
use crate::route::TargetName;
use crate::speech::{Speaker, Spoken};
use crate::time::{CallTime, MediaTime};

impl Call {
    /// The context of a handoff: the first revision as it is decided, the second with the call's
    /// disposition.
    pub(super) fn context(
        &self,
        trigger: Trigger,
        disposition: Option<Disposition>,
    ) -> HandoffContext {
        let decided: Vec<_> = (trigger.evidence.iter())
            .filter_map(|evidence| match evidence {
                Evidence::Words { speaker, at, .. } => Some((*speaker, *at)),
                Evidence::Digits { .. } => None,
            })
            .collect();
        let line = |utterance: &Utterance, is_final: bool| Line {
            speaker: utterance.speaker,
            at: utterance.start,
            text: utterance.text.clone(),
            confidence: utterance.confidence,
            approximate: utterance.approximate,
            is_final,
            decided: decided.contains(&(utterance.speaker, utterance.start)),
        };
        let mut transcript: Vec<Line> = self
            .ear
            .transcript
            .iter()
            .map(|utterance| line(utterance, true))
            .collect();
        for spoken in [&self.ear.caller, &self.ear.voice_agent] {
            transcript.extend(spoken.unfinished().map(|utterance| line(&utterance, false)));
        }
        transcript.sort_by_key(|line| line.at);
        let scored = self
            .ear
            .transcript
            .iter()
            .any(|said| said.sentiment.is_some());
        let sentiment = scored.then(|| self.ear.sentiment.value() as f32);
        HandoffContext {
            call: self.arrival.call.clone(),
            carrier_call: self.arrival.carrier_call.clone(),
            revision: u32::from(disposition.is_some()),
            accepted: self.arrival.accepted,
            caller: self.arrival.caller.clone(),
            called: self.arrival.called.clone(),
            summary: Pii::new(summarize(&trigger, &transcript, sentiment, disposition)),
            trigger,
            sentiment,
            sentiment_trend: sentiment.map(|_| self.ear.sentiment.trend() as f32),
            digits: Pii::new(self.ear.keys.all.clone()),
            transcript,
            parameters: self.arrival.parameters.clone(),
            reached: self
                .handoff
                .as_ref()
                .map(Handoff::reached)
                .unwrap_or_default(),
            call_back: self.call_back,
            message: self.message.clone(),
            cut_short: self.cut_short,
            disposition,
        }
    }

    /// The context of the latest handoff at this instant, for whoever is being reached.
    pub fn briefing(&self) -> Option<HandoffContext> {
        let trigger = self.trigger()?.clone();
        Some(self.context(trigger, None))
    }
}

impl Handoff {
    /// How far the efforts got, from the trigger on.
    fn reached(&self) -> Reached {
        let since = |at: CallTime| at.since(self.trigger.at);
        let told = |target: &TargetName, leg: &Leg, end: Option<DialEnd>| {
            let at = |progress| leg.at(progress).map(since);
            TargetTried {
                target: target.clone(),
                ringing: at(LegProgress::Ringing),
                answered: at(LegProgress::Answered),
                accepted: at(LegProgress::Accepted),
                bridged: at(LegProgress::Bridged),
                end,
            }
        };
        let mut targets: Vec<_> = (self.tried.iter())
            .map(|tried| told(&tried.target, &tried.leg, tried.end))
            .collect();
        if let (Some(leg), Some(current)) = (self.leg(), self.current()) {
            targets.push(told(&current.name, leg, self.end_at(self.tried.len())));
        }
        Reached {
            route: self.plan.as_ref().and_then(|plan| plan.route.clone()),
            rewrite_sent: self.sent.map(since),
            rewrite_taken: self.taken.map(since),
            targets,
        }
    }
}

impl Understanding {
    pub(super) fn spoken(&mut self, speaker: Speaker) -> Option<&mut Spoken> {
        match speaker {
            Speaker::Caller => Some(&mut self.caller),
            Speaker::VoiceAgent => Some(&mut self.voice_agent),
            Speaker::Human => None,
        }
    }

    /// Since when the one heard on the speaker's track has been quiet.
    pub(super) fn quiet_since(&mut self, speaker: Speaker) -> &mut Option<MediaTime> {
        match speaker {
            Speaker::Caller => &mut self.caller_quiet_since,
            Speaker::VoiceAgent | Speaker::Human => &mut self.voice_agent_quiet_since,
        }
    }

    /// How long nobody has spoken, by the audio heard.
    pub(super) fn silence(&self) -> Duration {
        match (self.caller_quiet_since, self.voice_agent_quiet_since) {
            (Some(caller), Some(voice_agent)) => self.heard_to.since(caller.max(voice_agent)),
            (None, _) | (_, None) => Duration::ZERO,
        }
    }
}
