//! What the call tells a human: the context at this instant.

use std::time::Duration;

use super::fact::{Evidence, Utterance};
use super::machine::{Call, Understanding};
use super::outcome::Disposition;
use crate::context::{HandoffContext, Line, summarize};
use crate::pii::Pii;
use crate::speech::{Speaker, Spoken};
use crate::time::MediaTime;

impl Call {
    /// The context of the latest handoff. There must have been one.
    pub(super) fn context(&self, disposition: Option<Disposition>) -> HandoffContext {
        let trigger = self
            .trigger
            .clone()
            .expect("a context is only taken of a handoff");
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
            revision: self.revision,
            accepted: self.arrival.accepted,
            caller: self.arrival.caller.clone(),
            called: self.arrival.called.clone(),
            summary: Pii::new(summarize(&trigger, &transcript, sentiment, disposition)),
            trigger,
            sentiment,
            sentiment_trend: sentiment.map(|_| self.ear.sentiment.trend() as f32),
            digits: self.ear.signals.caller.digits.clone(),
            transcript,
            parameters: self.arrival.parameters.clone(),
            disposition,
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

    /// Adds an utterance to the transcript and to the signals that count over the whole call.
    pub(super) fn remember(&mut self, utterance: Utterance) {
        if let Some(score) = utterance.sentiment {
            self.sentiment.add(score, utterance.end);
            self.signals.caller.sentiment = self.sentiment.value();
            self.signals.caller.sentiment_trend = self.sentiment.trend();
        }
        let same_turn =
            (self.transcript.last()).is_some_and(|previous| previous.speaker == utterance.speaker);
        if !same_turn {
            self.signals.call.turns += 1;
        }
        self.transcript.push(utterance);
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

    pub(super) fn press(&mut self, digit: char, at: MediaTime) {
        let mut digits = self.signals.caller.digits.expose().clone();
        digits.push(digit);
        self.signals.caller.digits = Pii::new(digits);
        self.last_digit_at = at;
    }
}
