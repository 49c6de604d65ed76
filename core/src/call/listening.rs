//! Words, keys and silence become signals; signals that satisfy a rule become a trigger.

use super::command::{Anomaly, Command};
use super::fact::{Evidence, Fact, Trigger, TriggerSource, Utterance};
use super::machine::Call;
use super::state::State;
use super::timer::Timer;
use crate::id::HandoffId;
use crate::pii::Pii;
use crate::speech::{Hypothesis, Speaker};
use crate::time::{CallTime, MediaTime};

impl Call {
    pub(super) fn on_hypothesis(&mut self, hypothesis: Hypothesis, now: CallTime) {
        let speaker = self.speaking_as(hypothesis.speaker);
        // The recognizers were flushed at the trigger: what they had is whole, without an endpoint.
        let flushed = self.is_fetching() && hypothesis.is_final;
        let Some(spoken) = self.ear.spoken(hypothesis.speaker) else {
            // The human is heard on the voice agent's track; nothing feeds this speaker yet.
            return;
        };
        let ended = spoken.on_hypothesis(&hypothesis);
        let ended = ended.or_else(|| flushed.then(|| spoken.take_final()).flatten());
        let words = match &ended {
            Some(utterance) => utterance.text.expose().clone(),
            None => spoken.reliable(),
        };
        if speaker == Speaker::Caller {
            self.ear.heard_to = self.ear.heard_to.max(hypothesis.end);
            self.ear.signals.caller.asks_for_human = self.asking(&words);
            self.caller_added();
        }
        if let Some(utterance) = ended {
            self.on_utterance(Utterance {
                speaker,
                ..utterance
            });
        }
        if speaker == Speaker::Caller {
            self.watch_rules(now);
        }
    }

    pub(super) fn on_utterance_ended(&mut self, speaker: Speaker, now: CallTime) {
        let Some(utterance) = self
            .ear
            .spoken(speaker)
            .and_then(|spoken| spoken.take_final())
        else {
            return;
        };
        let utterance = Utterance {
            speaker: self.speaking_as(speaker),
            ..utterance
        };
        self.on_utterance(utterance);
        self.watch_rules(now);
    }

    pub(super) fn on_recognizer(&mut self, speaker: Speaker, lost: bool, now: CallTime) {
        self.record(if lost {
            Fact::RecognizerLost { speaker }
        } else {
            Fact::RecognizerRestored { speaker }
        });
        self.watch_rules(now);
    }

    pub(super) fn on_speech_started(&mut self, speaker: Speaker, at: MediaTime) {
        self.ear.heard_to = self.ear.heard_to.max(at);
        *self.ear.quiet_since(speaker) = None;
    }

    pub(super) fn on_speech_ended(&mut self, speaker: Speaker, at: MediaTime) {
        self.ear.heard_to = self.ear.heard_to.max(at);
        *self.ear.quiet_since(speaker) = Some(at);
    }

    pub(super) fn on_audio_advanced(&mut self, to: MediaTime, now: CallTime) {
        self.ear.heard_to = self.ear.heard_to.max(to);
        self.expect_news(now);
        self.end_entry_by(to, now);
        self.watch_rules(now);
    }

    pub(super) fn on_handoff_requested(&mut self, reason: Pii<String>, now: CallTime) {
        self.begin_handoff(TriggerSource::Api { reason }, Vec::new(), Vec::new(), now);
    }

    /// Writes down what was final but had not ended, because its audio will not go on.
    pub(super) fn settle_unfinished_words(&mut self) {
        for speaker in [Speaker::Caller, Speaker::VoiceAgent] {
            let left = self
                .ear
                .spoken(speaker)
                .and_then(|spoken| spoken.take_final());
            if let Some(utterance) = left {
                let utterance = Utterance {
                    speaker: self.speaking_as(speaker),
                    ..utterance
                };
                self.on_utterance(utterance);
            }
        }
    }

    fn on_utterance(&mut self, mut utterance: Utterance) {
        if utterance.speaker == Speaker::Caller {
            let score = self.policy.sentiment.score(utterance.text.expose());
            utterance.sentiment = Some(score);
        }
        self.record(Fact::UtteranceHeard(utterance));
    }

    pub(super) fn asking(&self, words: &str) -> f64 {
        match self.policy.asks_human.score(words) {
            Some(asking) => f64::from(asking.confidence),
            None => 0.0,
        }
    }

    /// Whether a human is being fetched and has not answered.
    fn is_fetching(&self) -> bool {
        self.state == State::Open && !self.is_listening() && !self.has_human()
    }

    /// After a human answered, the track that carried the voice agent carries the human.
    fn speaking_as(&self, heard_on: Speaker) -> Speaker {
        match heard_on {
            Speaker::VoiceAgent if self.has_human() => Speaker::Human,
            Speaker::VoiceAgent | Speaker::Caller | Speaker::Human => heard_on,
        }
    }

    /// Rules are frozen while a human is being fetched: a caller who says "hello?" on hold must not
    /// set off a second handoff.
    pub(super) fn watch_rules(&mut self, now: CallTime) {
        // Nor does a handoff that the carrier refused repeat itself, a ticket each time, unless the
        // caller adds something.
        let repeats = (self.handoff.as_ref()).is_some_and(|given_up| !given_up.caller_added);
        if !self.is_listening() || repeats {
            return;
        }
        self.ear.signals.call.seconds = now.0.as_secs_f64();
        self.ear.signals.caller.silent_seconds = self.ear.silence().as_secs_f64();
        let fired = self
            .ear
            .rules
            .evaluate(&self.policy.rules, &self.ear.signals, now);
        while self.ear.rules.poll_failing().is_some() {
            self.note(Anomaly::RuleFailed);
        }
        let Some(fired) = fired else { return };
        let evidence = self.evidence(&fired.values);
        let values = (fired.values.into_iter())
            .map(|(signal, value)| (signal.to_owned(), value))
            .collect();
        self.begin_handoff(TriggerSource::Rule(fired.name), evidence, values, now);
    }

    /// What of the caller's words and keys a fired rule rests on, judged by the signals it reads.
    fn evidence(&self, values: &[(&'static str, String)]) -> Vec<Evidence> {
        let reads = |name: &str| values.iter().any(|(signal, _)| *signal == name);
        let asked = reads("caller.asks_for_human") && self.ear.signals.caller.asks_for_human > 0.0;
        let entered = !self.ear.signals.caller.digits.expose().is_empty();
        let mut evidence = Vec::new();
        if reads("caller.digits") && !asked && entered {
            evidence.push(Evidence::Digits {
                digits: Pii::new(self.ear.keys.all.clone()),
                at: self.ear.keys.last_at,
            });
        }
        let words = asked || reads("caller.sentiment");
        if words && let Some((utterance, is_final)) = self.latest_caller_words() {
            evidence.push(Evidence::Words {
                speaker: Speaker::Caller,
                at: utterance.start,
                text: utterance.text.clone(),
                is_final,
            });
        }
        evidence
    }

    /// Where the caller's latest words end.
    fn words_heard_to(&self) -> MediaTime {
        let words = self.latest_caller_words();
        words.map_or(self.ear.heard_to, |(utterance, _)| utterance.end)
    }

    fn latest_caller_words(&self) -> Option<(Utterance, bool)> {
        let unfinished = self
            .ear
            .caller
            .unfinished()
            .map(|utterance| (utterance, false));
        unfinished.or_else(|| {
            let last = (self.ear.transcript.iter().rev())
                .find(|utterance| utterance.speaker == Speaker::Caller)?;
            Some((last.clone(), true))
        })
    }

    fn begin_handoff(
        &mut self,
        source: TriggerSource,
        evidence: Vec<Evidence>,
        values: Vec<(String, String)>,
        now: CallTime,
    ) {
        if !self.is_listening() {
            return self.note(Anomaly::TriggerDuringHandoff);
        }
        if self.handoffs() >= self.policy.handoffs {
            return self.note(Anomaly::TooManyHandoffs);
        }
        let media_at = match evidence.last() {
            Some(Evidence::Words { .. }) => self.words_heard_to(),
            Some(Evidence::Digits { at, .. }) => *at,
            None => self.ear.heard_to,
        };
        let trigger = Trigger {
            handoff: HandoffId::nth(&self.arrival.call, self.handoffs()),
            source,
            at: now,
            media_at,
            evidence,
            values,
        };
        self.apply(&Fact::Triggered(trigger.clone()));
        self.commands.push_back(Command::FlushSpeech);
        let context = Box::new(self.context(trigger, None));
        self.commands.push_back(Command::RecordDecision(context));
        let handoff = HandoffId::nth(&self.arrival.call, self.handoffs() - 1);
        let matching = self.policy.routes.matching(&self.ear.signals);
        let route = matching.route.map(|route| route.name.clone());
        let failing = matching.failing.len();
        for _ in 0..failing {
            self.note(Anomaly::RouteFailed);
        }
        self.commands
            .push_back(Command::ChooseTargets { handoff, route });
        self.timers
            .set(Timer::JournalDeadline, now + self.policy.journal_deadline);
        self.timers
            .set(Timer::RouteDeadline, now + self.policy.route_deadline);
    }
}
