//! What a fact makes of the call: the one place where facts become state.
//!
//! A transition decides what happened and records it; [`Call::apply`] then changes the call, and
//! the transition gives its orders. After a crash the same function goes through the facts that
//! were written down, so a restored call cannot differ from the one that wrote them. What no fact
//! tells is short-lived: timers, orders, words that no recognizer has settled on.

use super::command::Command;
use super::fact::{Fact, Utterance};
use super::machine::{Call, Understanding};
use super::state::{Handoff, Plan, Stage, State};
use crate::context::Message;
use crate::id::HandoffId;
use crate::pii::Pii;
use crate::speech::Speaker;
use crate::time::{CallTime, MediaTime};

impl Call {
    /// Lets a fact have its effect on the call, and has it written down.
    pub(super) fn record(&mut self, fact: Fact) {
        self.apply(&fact);
        self.commands.push_back(Command::Record(fact));
    }

    /// Changes the call as the fact says. Total: a fact of a handoff that is not the latest changes
    /// nothing.
    pub(super) fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::CallAnnounced { .. } => {}
            Fact::StreamStarted { stream, .. } => self.stream = Some(stream.clone()),
            Fact::StreamStopped { stream, .. } => {
                self.stream.take_if(|current| current == stream);
            }
            Fact::UtteranceHeard(utterance) => self.apply_utterance(utterance),
            Fact::DigitPressed { digit, at } => {
                self.ear.press(*digit, *at);
                self.caller_added();
            }
            Fact::DigitsEntered { digits, .. } => self.ear.enter(digits.clone()),
            Fact::RecognizerLost { speaker } => self.apply_recognizer(*speaker, true),
            Fact::RecognizerRestored { speaker } => self.apply_recognizer(*speaker, false),
            Fact::Triggered(trigger) => {
                self.handoff = Some(Handoff::begun(trigger.clone(), self.handoffs()));
            }
            Fact::Routed {
                handoff,
                route,
                targets,
                passed_over: _,
            } => self.change(handoff, |latest, _| {
                latest.plan = Some(Plan {
                    route: route.clone(),
                    targets: targets.clone(),
                });
            }),
            Fact::RewriteRequested { handoff, attempt } => {
                self.change(handoff, |latest, now| latest.on_requested(*attempt, now));
            }
            Fact::RewriteSettled {
                handoff,
                attempt,
                outcome,
            } => self.change(handoff, |latest, now| {
                latest.on_settled(*attempt, outcome, now);
            }),
            Fact::DocumentFetched { handoff, .. } => {
                self.change(handoff, |latest, now| latest.on_fetched(now));
            }
            Fact::LegProgressed {
                handoff,
                target,
                progress,
            } => self.change(handoff, |latest, now| {
                latest.on_leg(target, *progress, now);
            }),
            Fact::HumanCalled {
                handoff,
                target,
                leg,
            } => self.change(handoff, |latest, _| latest.on_called(target, leg.clone())),
            Fact::DialEnded {
                handoff,
                target,
                end,
            } => self.change(handoff, |latest, _| latest.on_dial_ended(target, *end)),
            Fact::CallBackPromised { .. } => self.call_back = true,
            Fact::MessageLeft { url, length, .. } => {
                self.message = Some(Message {
                    url: url.clone(),
                    length: *length,
                });
            }
            Fact::CutShort { talked, .. } => self.cut_short = Some(*talked),
            Fact::HandoffGivenUp { handoff, .. } => {
                self.change(handoff, |latest, _| latest.stage = Stage::GivenUp);
            }
            Fact::CallEnded { disposition } => self.state = State::Ending(*disposition),
        }
    }

    fn change(&mut self, handoff: &HandoffId, change: impl FnOnce(&mut Handoff, CallTime)) {
        let now = self.now;
        let latest = self.handoff.as_mut();
        if let Some(latest) = latest.filter(|latest| latest.trigger.handoff == *handoff) {
            change(latest, now);
        }
    }

    fn apply_utterance(&mut self, utterance: &Utterance) {
        self.ear.heard_to = self.ear.heard_to.max(utterance.end);
        if utterance.speaker == Speaker::Caller {
            self.ear.signals.caller.asks_for_human = self.asking(utterance.text.expose());
            self.caller_added();
        }
        self.ear.remember(utterance.clone());
    }

    fn apply_recognizer(&mut self, speaker: Speaker, lost: bool) {
        if speaker == Speaker::Caller {
            self.ear.signals.recognizer.lost = lost;
        }
    }

    /// Notes that a handoff that was given up may be wanted again.
    pub(super) fn caller_added(&mut self) {
        if let Some(handoff) = &mut self.handoff {
            handoff.caller_added = true;
        }
    }
}

impl Understanding {
    /// Adds an utterance to the transcript and to the signals that count over the whole call.
    fn remember(&mut self, utterance: Utterance) {
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

    /// An entry that goes on is nobody's answer yet, so the one before counts no more.
    fn press(&mut self, digit: char, at: MediaTime) {
        self.keys.all.push(digit);
        self.keys.entry.push(digit);
        self.keys.last_at = at;
        self.signals.caller.digits = Pii::default();
    }

    fn enter(&mut self, digits: Pii<String>) {
        self.keys.entry.clear();
        self.signals.caller.digits = digits;
    }
}
