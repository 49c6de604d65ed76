//! A call is what its facts tell: after every input of a disorderly call, the call itself, the one
//! restored from its facts, and a plain reading of the facts agree.

use std::collections::BTreeSet;
use std::sync::Arc;

use handoff_core::call::{
    Call, Command, DialEnd, Disposition, Fact, LegProgress, Planned, Policy, RewriteOutcome, Timer,
    Trigger, Utterance,
};
use handoff_core::route::{Acceptance, TargetName};
use handoff_core::speech::Speaker;
use handoff_core::time::CallTime;

use crate::harness::arrival;
use crate::model::{disorderly_policy, run_watched};

/// What can be seen of a call from outside and must survive a restart.
#[derive(Clone, Debug, PartialEq)]
struct View {
    outlook: Disposition,
    trigger: Option<Trigger>,
    handoffs: u32,
    attempts: u32,
    has_human: bool,
    transcript: Vec<Utterance>,
    digits: String,
    recognizer_lost: bool,
    turns: i64,
    /// Sentiment and its trend.
    feeling: (f64, f64),
}

impl View {
    fn of(call: &Call) -> Self {
        let signals = call.signals();
        Self {
            outlook: call.outlook(),
            trigger: call.trigger().cloned(),
            handoffs: call.handoffs(),
            attempts: call.attempts(),
            has_human: call.has_human(),
            transcript: call.transcript().to_vec(),
            digits: signals.caller.digits.expose().clone(),
            recognizer_lost: signals.recognizer.lost,
            turns: signals.call.turns,
            feeling: (signals.caller.sentiment, signals.caller.sentiment_trend),
        }
    }
}

/// The efforts of the latest handoff, as its facts tell them one after the other.
#[derive(Default)]
struct Efforts {
    plan: Vec<Planned>,
    /// Which of the plan is under way.
    place: usize,
    /// Whether the carrier follows the document.
    placed: bool,
    /// What was told of the leg under way.
    leg: BTreeSet<LegProgress>,
    /// Whether its end was told before anybody had taken the call.
    over_first: bool,
    talking: bool,
    last_end: Option<DialEnd>,
    parted: Option<DialEnd>,
    given_up: bool,
    refused: bool,
}

impl Efforts {
    fn be_placed(&mut self) {
        (self.placed, self.given_up, self.refused) = (true, false, false);
        self.leg.clear();
        self.over_first = false;
        if self.place >= self.plan.len() {
            self.parted = Some(self.last_end.unwrap_or(DialEnd::NobodyAvailable));
        }
    }

    /// Where the target is in the plan, if it is not done with. What is before it then is.
    fn reach(&mut self, target: &TargetName) -> Option<usize> {
        let place = self
            .plan
            .iter()
            .position(|planned| planned.name == *target)?;
        if place < self.place {
            return None;
        }
        if place > self.place {
            self.leg.clear();
            (self.talking, self.over_first) = (false, false);
            self.last_end = Some(DialEnd::NoAnswer);
        }
        (self.place, self.placed) = (place, true);
        (self.given_up, self.refused) = (false, false);
        Some(place)
    }

    fn has_human(&self) -> bool {
        self.talking || self.parted == Some(DialEnd::Bridged)
    }

    fn outlook(&self) -> Disposition {
        let told = |progress| self.leg.contains(&progress);
        if self.given_up || self.refused {
            return Disposition::CarrierRefused { code: None };
        }
        match self.parted {
            Some(end) => end.into(),
            None if self.talking => match told(LegProgress::Bridged) || self.over_first {
                true => Disposition::Bridged,
                false => Disposition::CallerHungUp,
            },
            None => Disposition::CallerHungUp,
        }
    }
}

/// The same, read from the facts without the machine, but for how the words feel.
fn told(facts: &[(CallTime, Fact)], feeling: (f64, f64)) -> View {
    let mut view = View {
        outlook: Disposition::StayedWithVoiceAgent,
        trigger: None,
        handoffs: 0,
        attempts: 0,
        has_human: false,
        transcript: Vec::new(),
        digits: String::new(),
        recognizer_lost: false,
        turns: 0,
        feeling,
    };
    let mut efforts = Efforts::default();
    let mut ended = None;
    for (_, fact) in facts {
        match fact {
            Fact::CallAnnounced { .. }
            | Fact::StreamStarted { .. }
            | Fact::StreamStopped { .. }
            | Fact::HumanCalled { .. }
            | Fact::CallBackPromised { .. }
            | Fact::MessageLeft { .. }
            | Fact::CutShort { .. } => {}
            Fact::RecognizerLost { speaker } => {
                view.recognizer_lost |= *speaker == Speaker::Caller;
            }
            Fact::RecognizerRestored { speaker } => {
                view.recognizer_lost &= *speaker != Speaker::Caller;
            }
            Fact::UtteranceHeard(said) => {
                let last = view.transcript.last().map(|last| last.speaker);
                view.turns += i64::from(last != Some(said.speaker));
                view.transcript.push(said.clone());
            }
            Fact::DigitPressed { .. } => view.digits.clear(),
            Fact::DigitsEntered { digits, .. } => view.digits.clone_from(digits.expose()),
            Fact::Triggered(trigger) => {
                view.trigger = Some(trigger.clone());
                view.handoffs += 1;
                view.attempts = 0;
                efforts = Efforts::default();
            }
            Fact::Routed { targets, .. } => efforts.plan.clone_from(targets),
            Fact::RewriteRequested { attempt, .. } => {
                view.attempts = *attempt;
                efforts = Efforts {
                    plan: std::mem::take(&mut efforts.plan),
                    place: efforts.place,
                    last_end: efforts.last_end,
                    ..Efforts::default()
                };
            }
            Fact::RewriteSettled {
                attempt, outcome, ..
            } => {
                let awaited = !efforts.placed && *attempt == view.attempts;
                if awaited && *outcome == RewriteOutcome::Accepted {
                    efforts.be_placed();
                }
                if awaited && matches!(outcome, RewriteOutcome::Refused { .. }) {
                    efforts.refused = true;
                }
            }
            Fact::DocumentFetched { .. } => efforts.be_placed(),
            Fact::LegProgressed {
                target, progress, ..
            } => {
                if let Some(place) = efforts.reach(target) {
                    let at_once = efforts.plan[place].acceptance == Acceptance::Answer;
                    efforts.leg.insert(*progress);
                    efforts.over_first |= !efforts.talking && *progress == LegProgress::Completed;
                    efforts.talking |= efforts.parted.is_none()
                        && match progress {
                            LegProgress::Accepted | LegProgress::Bridged => true,
                            LegProgress::Answered => at_once,
                            LegProgress::Initiated
                            | LegProgress::Ringing
                            | LegProgress::Completed => false,
                        };
                }
            }
            Fact::DialEnded { target, end, .. } => {
                if let Some(place) = efforts.reach(target) {
                    efforts.talking = false;
                    if *end == DialEnd::Bridged {
                        efforts.parted = Some(*end);
                    } else {
                        (efforts.place, efforts.last_end) = (place + 1, Some(*end));
                        efforts.be_placed();
                    }
                }
            }
            Fact::HandoffGivenUp { .. } => efforts.given_up = true,
            Fact::CallEnded { disposition } => ended = Some(*disposition),
        }
    }
    if view.trigger.is_some() {
        (view.outlook, view.has_human) = (efforts.outlook(), efforts.has_human());
    }
    view.outlook = ended.unwrap_or(view.outlook);
    view
}

fn facts_of(now: CallTime, commands: &[Command]) -> impl Iterator<Item = (CallTime, Fact)> {
    let facts = commands.iter().filter_map(|command| match command {
        Command::Record(fact) | Command::RecordEnd { fact, .. } => Some(fact.clone()),
        Command::RecordDecision(context) => Some(Fact::Triggered(context.trigger.clone())),
        Command::FlushSpeech
        | Command::ChooseTargets { .. }
        | Command::RewriteCall { .. }
        | Command::CallHuman(_)
        | Command::HangUpHuman(_)
        | Command::ReleaseCaller
        | Command::InspectCall
        | Command::Note(_) => None,
    });
    facts.map(move |fact| (now, fact))
}

/// Restores the call within an instant of its last fact, so that nothing is too old to go on with,
/// and gives the facts that the restart adds.
fn restore(facts: &[(CallTime, Fact)], policy: &Arc<Policy>) -> (Call, Vec<Fact>) {
    let now = CallTime::default();
    let mut call = Call::restore(arrival(), Arc::clone(policy), facts.iter().cloned(), now);
    let mut commands = Vec::new();
    while let Some(command) = call.poll_command() {
        commands.push(command);
    }
    let added = facts_of(now, &commands).map(|(_, fact)| fact).collect();
    (call, added)
}

#[test]
fn a_restart_at_any_point_finds_the_call_as_it_was() {
    let policy = Arc::new(disorderly_policy());
    for seed in 0..250 {
        let mut facts: Vec<(CallTime, Fact)> = Vec::new();
        let mut seen = 0;
        run_watched(seed, &mut |live, commands| {
            let before = facts.len();
            facts.extend(facts_of(CallTime::default(), &commands[seen..]));
            seen = commands.len();
            let (restored, added) = restore(&facts, &policy);

            let mut expected = View::of(live);
            let told = told(&facts, expected.feeling);
            assert_eq!(
                expected, told,
                "seed {seed}: the call is not what its facts tell"
            );
            // Nobody will hear the answer to a request that a process died over.
            match &added[..] {
                [] => {}
                [
                    ..,
                    Fact::RewriteSettled {
                        attempt,
                        outcome: RewriteOutcome::Unknown,
                        ..
                    },
                ] => expected.attempts = *attempt,
                // Who may wait for nobody is taken elsewhere.
                [Fact::RewriteRequested { attempt, .. }] => {
                    expected.attempts = *attempt;
                    expected.outlook = Disposition::CallerHungUp;
                }
                other => panic!("seed {seed}: a restart adds {other:?}"),
            }
            assert_eq!(
                View::of(&restored),
                expected,
                "seed {seed}: after {:?}",
                facts.last()
            );

            let leaving = matches!(live.poll_timeout(), Some((_, Timer::LastWords)));
            if !leaving {
                assert_eq!(restored.is_listening(), live.is_listening(), "seed {seed}");
            }
            let heard = facts[before..].iter().any(
                |(_, fact)| matches!(fact, Fact::UtteranceHeard(said) if said.speaker == Speaker::Caller),
            );
            if heard {
                let asks = |call: &Call| call.signals().caller.asks_for_human;
                assert_eq!(asks(&restored), asks(live), "seed {seed}");
            }
        });
    }
}
