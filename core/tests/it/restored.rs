//! A call is what its facts tell: after every input of a disorderly call, the call itself, the one
//! restored from its facts, and a plain reading of the facts agree.

use std::sync::Arc;

use handoff_core::call::{
    Call, Command, DialEnd, Disposition, Fact, LegProgress, Policy, RewriteOutcome, Timer, Trigger,
    Utterance,
};
use handoff_core::speech::Speaker;
use handoff_core::time::CallTime;

use crate::harness::{arrival, policy};
use crate::model::run_watched;

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

/// The same, read from the facts without the machine, but for how the words feel.
fn told(facts: &[Fact], feeling: (f64, f64)) -> View {
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
    for fact in facts {
        match fact {
            Fact::CallAnnounced { .. }
            | Fact::StreamStarted { .. }
            | Fact::StreamStopped { .. }
            | Fact::RewriteSettled { .. } => {}
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
                (view.outlook, view.has_human) = (Disposition::CallerHungUp, false);
            }
            Fact::RewriteRequested { attempt, .. } => {
                view.attempts = *attempt;
                (view.outlook, view.has_human) = (Disposition::CallerHungUp, false);
            }
            Fact::LegProgressed { progress, .. } => {
                let over = view.outlook == Disposition::NoAnswer;
                view.outlook = match progress {
                    // The dialling has its own word on how it went.
                    _ if view.has_human => view.outlook,
                    LegProgress::Initiated | LegProgress::Ringing if over => view.outlook,
                    LegProgress::Initiated | LegProgress::Ringing => Disposition::CallerHungUp,
                    LegProgress::Answered => Disposition::Bridged,
                    LegProgress::Completed => Disposition::NoAnswer,
                };
                view.has_human |= *progress == LegProgress::Answered;
            }
            Fact::DialEnded { end, .. } => {
                view.has_human = true;
                view.outlook = match end {
                    DialEnd::Bridged => Disposition::Bridged,
                    DialEnd::NoAnswer | DialEnd::AnsweredNotBridged => Disposition::NoAnswer,
                    DialEnd::Busy => Disposition::Busy,
                    DialEnd::Failed => Disposition::CarrierRefused,
                    DialEnd::Canceled => Disposition::CallerHungUp,
                };
            }
            Fact::HandoffGivenUp { .. } => view.outlook = Disposition::CarrierRefused,
            Fact::CallEnded { disposition } => view.outlook = *disposition,
        }
    }
    view
}

fn facts_of(commands: &[Command]) -> impl Iterator<Item = Fact> {
    commands.iter().filter_map(|command| match command {
        Command::Record(fact) | Command::RecordEnd { fact, .. } => Some(fact.clone()),
        Command::RecordDecision(context) => Some(Fact::Triggered(context.trigger.clone())),
        Command::FlushSpeech
        | Command::RewriteCall { .. }
        | Command::ReleaseCaller
        | Command::InspectCall
        | Command::Note(_) => None,
    })
}

/// Restores the call within an instant of its last fact, so that nothing is too old to go on with,
/// and gives the facts that the restart adds.
fn restore(facts: &[Fact], policy: &Arc<Policy>) -> (Call, Vec<Fact>) {
    let now = CallTime::default();
    let mut call = Call::restore(arrival(), Arc::clone(policy), facts.iter().cloned(), now);
    let mut commands = Vec::new();
    while let Some(command) = call.poll_command() {
        commands.push(command);
    }
    let added = facts_of(&commands).collect();
    (call, added)
}

#[test]
fn a_restart_at_any_point_finds_the_call_as_it_was() {
    let policy = Arc::new(policy());
    for seed in 0..250 {
        let mut facts: Vec<Fact> = Vec::new();
        let mut seen = 0;
        run_watched(seed, &mut |live, commands| {
            let before = facts.len();
            facts.extend(facts_of(&commands[seen..]));
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
                    Fact::RewriteSettled {
                        attempt,
                        outcome: RewriteOutcome::Unknown,
                        ..
                    },
                ] => expected.attempts = *attempt,
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
                |fact| matches!(fact, Fact::UtteranceHeard(said) if said.speaker == Speaker::Caller),
            );
            if heard {
                let asks = |call: &Call| call.signals().caller.asks_for_human;
                assert_eq!(asks(&restored), asks(live), "seed {seed}");
            }
        });
    }
}
