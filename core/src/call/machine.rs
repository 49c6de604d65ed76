//! The call machine: events in, commands out, nothing else.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::command::{Anomaly, Command};
use super::event::Event;
use super::fact::{Fact, Party, Trigger, Utterance};
use super::keys::Keys;
use super::outcome::Disposition;
use super::policy::Policy;
use super::state::{Handoff, Stage, State};
use super::timer::{Timer, Timers};
use crate::context::Message;
use crate::id::{CallId, Carrier, CarrierCallId, StreamId};
use crate::pii::Pii;
use crate::rule::{RuleEngine, Signals};
use crate::signal::Smoothed;
use crate::speech::{Speaker, Spoken};
use crate::time::{CallTime, MediaTime, WallTime};

/// What is known of a call when the carrier first tells us of it.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Our name for the call.
    pub call: CallId,
    /// Who carries it.
    pub carrier: Carrier,
    /// The carrier's name for it.
    pub carrier_call: CarrierCallId,
    /// Who calls.
    pub caller: Party,
    /// The number that was called.
    pub called: Party,
    /// What else the carrier told us.
    pub parameters: BTreeMap<String, Pii<String>>,
    /// When it was accepted.
    pub accepted: WallTime,
}

/// One call, from its first webhook to its disposition.
///
/// `handle` and `handle_timeout` take events, `poll_command` and `poll_timeout` yield output;
/// after every input the shell drains all commands before it gives the next input. The machine is
/// total: it never fails and never blocks, and the same inputs give the same outputs.
///
/// A call listens until a rule fires or a handoff is requested. The trigger is written down and it is
/// found out whom to try; then the carrier is asked to rewrite the call, at most one request at a
/// time, and the humans' legs are followed, one target after the other, until somebody takes the call
/// or nobody is left. What happens becomes state only as a [`Fact`],
/// so that a call can be built again from its facts. Streams come and go beside that: a stream that
/// ends never ends the call, only the carrier's word or a look at the call does.
#[derive(Debug)]
pub struct Call {
    pub(super) arrival: Arc<Arrival>,
    pub(super) policy: Arc<Policy>,
    pub(super) state: State,
    pub(super) stream: Option<StreamId>,
    pub(super) ear: Understanding,
    pub(super) handoff: Option<Handoff>,
    pub(super) asking: Asking,
    /// Whether a call back was promised.
    pub(super) call_back: bool,
    /// What the caller said to nobody.
    pub(super) message: Option<Message>,
    /// How long a talk was that may have been cut.
    pub(super) cut_short: Option<Duration>,
    /// When the input came that is being handled, or the fact that is being restored.
    pub(super) now: CallTime,
    pub(super) timers: Timers,
    pub(super) commands: VecDeque<Command>,
}

/// Whether the carrier owes an answer to a rewrite. It is never asked for another before that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    Nothing,
    Rewrite,
    /// And another rewrite is wanted.
    RewriteTwice,
}

/// What the call has understood so far.
#[derive(Debug)]
pub(super) struct Understanding {
    pub(super) rules: RuleEngine,
    pub(super) signals: Signals,
    pub(super) sentiment: Smoothed,
    pub(super) caller: Spoken,
    pub(super) voice_agent: Spoken,
    pub(super) transcript: Vec<Utterance>,
    pub(super) heard_to: MediaTime,
    /// Since when the caller has been quiet, unless they speak.
    pub(super) caller_quiet_since: Option<MediaTime>,
    /// The same of the voice agent. A caller who listens is not silent.
    pub(super) voice_agent_quiet_since: Option<MediaTime>,
    pub(super) keys: Keys,
}

impl Call {
    /// Begins a call that the carrier has just told us of, at call time zero.
    pub fn new(arrival: impl Into<Arc<Arrival>>, policy: Arc<Policy>) -> Self {
        let mut call = Self::silent(arrival.into(), policy);
        let fact = Fact::CallAnnounced {
            carrier: call.arrival.carrier,
            carrier_call: call.arrival.carrier_call.clone(),
            caller: call.arrival.caller.clone(),
            called: call.arrival.called.clone(),
            parameters: call.arrival.parameters.clone(),
        };
        call.record(fact);
        call.watch(CallTime::default());
        call
    }

    /// A call of which nothing has been written down.
    pub(super) fn silent(arrival: Arc<Arrival>, policy: Arc<Policy>) -> Self {
        let mut signals = Signals::default();
        signals.call.parameters = Pii::new(
            (arrival.parameters.iter())
                .map(|(name, value)| (name.clone(), value.expose().clone()))
                .collect(),
        );
        let ear = Understanding {
            rules: RuleEngine::default(),
            signals,
            sentiment: Smoothed::default(),
            caller: Spoken::new(Speaker::Caller),
            voice_agent: Spoken::new(Speaker::VoiceAgent),
            transcript: Vec::new(),
            heard_to: MediaTime::default(),
            caller_quiet_since: Some(MediaTime::default()),
            voice_agent_quiet_since: Some(MediaTime::default()),
            keys: Keys::default(),
        };
        Self {
            arrival,
            policy,
            state: State::Open,
            stream: None,
            ear,
            handoff: None,
            asking: Asking::Nothing,
            call_back: false,
            message: None,
            cut_short: None,
            now: CallTime::default(),
            timers: Timers::default(),
            commands: VecDeque::new(),
        }
    }

    /// What was known when the call arrived.
    pub fn arrival(&self) -> &Arc<Arrival> {
        &self.arrival
    }

    /// The final outcome, once it is written down.
    pub fn disposition(&self) -> Option<Disposition> {
        match self.state {
            State::Ended(disposition) => Some(disposition),
            State::Open | State::Leaving | State::Ending(_) => None,
        }
    }

    /// Whether the caller is on the line, as far as we know.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether a human has, or had, the caller.
    pub fn has_human(&self) -> bool {
        (self.handoff.as_ref()).is_some_and(Handoff::has_human)
    }

    /// Whether the voice agent still has the caller: no human is being fetched, and none has them.
    pub fn is_listening(&self) -> bool {
        self.state == State::Open
            && (self.handoff.as_ref()).is_none_or(|latest| matches!(latest.stage, Stage::GivenUp))
    }

    /// The trigger of the latest handoff, under way or over, if there was one.
    pub fn trigger(&self) -> Option<&Trigger> {
        self.handoff.as_ref().map(|latest| &latest.trigger)
    }

    /// How many handoffs were begun.
    pub fn handoffs(&self) -> u32 {
        self.handoff.as_ref().map_or(0, |latest| latest.nth + 1)
    }

    /// How often the carrier was asked to rewrite the call in the latest handoff.
    pub fn attempts(&self) -> u32 {
        self.handoff.as_ref().map_or(0, |latest| latest.attempts)
    }

    /// What rules see at this instant.
    pub fn signals(&self) -> &Signals {
        &self.ear.signals
    }

    /// The utterances so far, in the order in which they ended.
    pub fn transcript(&self) -> &[Utterance] {
        &self.ear.transcript
    }

    /// Whether orders wait to be polled.
    pub fn has_commands(&self) -> bool {
        !self.commands.is_empty()
    }

    /// The next order, if any.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// When to call [`Call::handle_timeout`], and which timer asks for it.
    pub fn poll_timeout(&self) -> Option<(CallTime, Timer)> {
        self.timers.next()
    }

    /// Takes an event in.
    pub fn handle(&mut self, event: Event, now: CallTime) {
        self.now = now;
        match self.state {
            State::Ended(_) | State::Ending(_) => return self.on_event_after_end(event),
            State::Open | State::Leaving => {}
        }
        match event {
            Event::StreamStarted {
                stream,
                at,
                replacement,
            } => {
                self.on_stream_started(stream, at, replacement, now);
            }
            Event::StreamStopped { stream, end } => self.on_stream_stopped(stream, end, now),
            Event::AudioAdvanced { to } => self.on_audio_advanced(to, now),
            Event::SpeechStarted { speaker, at } => self.on_speech_started(speaker, at),
            Event::SpeechEnded { speaker, at } => self.on_speech_ended(speaker, at),
            Event::HypothesisHeard(hypothesis) => self.on_hypothesis(hypothesis, now),
            Event::UtteranceEnded { speaker } => self.on_utterance_ended(speaker, now),
            Event::RecognizerLost { speaker } => self.on_recognizer(speaker, true, now),
            Event::RecognizerRestored { speaker } => self.on_recognizer(speaker, false, now),
            Event::DigitPressed { digit, at } => self.on_digit(digit, at, now),
            Event::HandoffRequested { reason } => self.on_handoff_requested(reason, now),
            Event::DecisionRecorded { handoff } => self.on_decision_recorded(&handoff),
            Event::RewriteSettled {
                handoff,
                attempt,
                outcome,
            } => {
                self.on_rewrite_settled(&handoff, attempt, outcome, now);
            }
            Event::TargetsChosen { handoff, plan } => self.on_targets_chosen(&handoff, plan),
            Event::DocumentFetched { handoff, attempt } => {
                self.on_document_fetched(&handoff, attempt, now);
            }
            Event::LegProgressed { effort, progress } => self.on_leg(&effort, progress, now),
            Event::DialEnded { effort, end } => self.on_dial_ended(&effort, end, now),
            Event::HumanCalled { effort, leg } => self.on_human_called(&effort, leg, now),
            Event::HumanMaybeCalled { effort } => self.on_human_maybe_called(&effort, now),
            Event::HumanLeft { effort, end } => self.on_human_left(&effort, end, now),
            Event::MessageLeft {
                handoff,
                url,
                length,
            } => self.on_message_left(handoff, url, length),
            Event::CallInspected(inspection) => self.on_inspected(inspection, now),
            Event::CallCompleted => self.leave(now),
            Event::EndRecorded => self.note(Anomaly::EventAfterEnd),
        }
    }

    /// Nothing more happens in the call, but nobody may be rung for a caller who is gone.
    fn on_event_after_end(&mut self, event: Event) {
        match (event, self.state) {
            (Event::EndRecorded, State::Ending(disposition)) => {
                self.state = State::Ended(disposition);
            }
            (Event::HumanCalled { leg: Ok(leg), .. }, _) => {
                self.commands.push_back(Command::HangUpHuman(leg));
            }
            (_, State::Ended(_)) => self.note(Anomaly::EventAfterEnd),
            (_, State::Ending(_) | State::Open | State::Leaving) => {}
        }
    }

    /// Acts on every timer that is due.
    pub fn handle_timeout(&mut self, now: CallTime) {
        self.now = now;
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                Timer::JournalDeadline => self.on_journal_deadline(),
                Timer::RouteDeadline => self.on_route_deadline(),
                Timer::BridgeHeld => self.hold(),
                Timer::HumanAbsent => self.on_human_absent(now),
                Timer::DigitsPause => self.on_digits_pause(now),
                Timer::RewriteRetry => self.on_rewrite_retry(),
                Timer::LastWords => self.end(self.outlook()),
                Timer::StreamAbsent | Timer::Inspect => {
                    self.expect_news(now);
                    self.commands.push_back(Command::InspectCall);
                }
                Timer::MaximumAge => {
                    self.note(Anomaly::EndNeverReported);
                    let known = self.has_human();
                    self.end(if known {
                        self.outlook()
                    } else {
                        Disposition::Unknown
                    });
                }
            }
        }
    }

    pub(super) fn note(&mut self, anomaly: Anomaly) {
        self.commands.push_back(Command::Note(anomaly));
    }

    /// Sets the timers that make sure that every call comes to an end in our books.
    pub(super) fn watch(&mut self, now: CallTime) {
        self.timers.set(
            Timer::MaximumAge,
            CallTime(self.policy.maximum_age).max(now),
        );
        self.timers
            .set(Timer::StreamAbsent, now + self.policy.inspect_every);
    }
}
