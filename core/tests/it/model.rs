//! The call machine beside a reference model, under events in any order: dropped, repeated,
//! delayed, swapped, stopped early.

use std::sync::Arc;

use handoff_core::call::{
    Call, Command, DialEnd, Effort, Event, Fact, Inspection, LegProgress, Policy, RewriteOutcome,
    StreamEnd,
};
use handoff_core::id::{CarrierCallId, HandoffId, StreamId};
use handoff_core::pii::Pii;
use handoff_core::route::{Acceptance, Joining, Plan, TargetName};
use handoff_core::speech::{Hypothesis, Speaker};
use handoff_core::time::{CallTime, MediaTime};

use crate::harness::{arrival, policy, routes};

/// What must hold of any call, told from its commands alone.
#[derive(Debug, Default)]
struct Model {
    rewrite_in_flight: Option<(HandoffId, u32)>,
    last_attempt: Option<(HandoffId, u32)>,
    decisions: Vec<HandoffId>,
    ends: u32,
    over: bool,
}

impl Model {
    fn on_command(&mut self, command: &Command) {
        assert!(
            !self.over || matches!(command, Command::Note(_) | Command::HangUpHuman(_)),
            "a command after the end: {command:?}"
        );
        match command {
            Command::RecordDecision(context) => {
                let handoff = &context.trigger.handoff;
                assert!(
                    !self.decisions.contains(handoff),
                    "one handoff was decided twice"
                );
                self.decisions.push(handoff.clone());
            }
            Command::RewriteCall {
                handoff, attempt, ..
            } => {
                assert_eq!(self.rewrite_in_flight, None, "two rewrites in flight");
                assert!(
                    self.decisions.contains(handoff),
                    "a rewrite without a decision"
                );
                if let Some((same, before)) = &self.last_attempt
                    && same == handoff
                {
                    assert!(*attempt > *before, "no attempt is asked for twice");
                }
                self.rewrite_in_flight = Some((handoff.clone(), *attempt));
                self.last_attempt = Some((handoff.clone(), *attempt));
            }
            Command::RecordEnd { fact, .. } => {
                assert!(matches!(fact, Fact::CallEnded { .. }));
                self.ends += 1;
                assert_eq!(self.ends, 1, "two dispositions");
                self.over = true;
            }
            Command::Record(_)
            | Command::FlushSpeech
            | Command::ChooseTargets { .. }
            | Command::CallHuman(_)
            | Command::HangUpHuman(_)
            | Command::ReleaseCaller
            | Command::InspectCall
            | Command::Note(_) => {}
        }
    }

    /// The shell's promise: a request is answered once. The callbacks' disorder is the carrier's.
    fn settle(&mut self, outcome: RewriteOutcome) -> Option<Event> {
        let (handoff, attempt) = self.rewrite_in_flight.take()?;
        Some(Event::RewriteSettled {
            handoff,
            attempt,
            outcome,
        })
    }
}

/// The last is of no plan.
const TARGETS: [&str; 4] = ["support", "desk", "room", "stranger"];

/// A small generator of numbers (xorshift64*), so that a failure names a seed.
struct Disorder(u64);

impl Disorder {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.next(from.len() as u64) as usize]
    }

    fn event(&mut self, model: &mut Model, call: &Call, now: CallTime) -> Option<Event> {
        let at = MediaTime::from_millis(now.as_millis());
        let nth = self.next(2) as u32;
        let handoff = HandoffId::nth(&call.arrival().call, nth);
        let speaker = self.pick(&[Speaker::Caller, Speaker::VoiceAgent, Speaker::Human]);
        let stream = StreamId(format!("MZ{}", self.next(3)));
        let effort = Effort {
            handoff: handoff.clone(),
            attempt: self.next(4) as u32,
            target: TargetName::parse(TARGETS[self.next(4) as usize]).unwrap(),
        };
        let end = self.pick(&[
            DialEnd::Bridged,
            DialEnd::AnsweredNotBridged,
            DialEnd::NoAnswer,
            DialEnd::Busy,
        ]);
        Some(match self.next(24) {
            0 => Event::StreamStarted {
                stream,
                at,
                replacement: self.next(2) == 0,
            },
            1 => {
                let end = self.pick(&[StreamEnd::Stopped, StreamEnd::Closed, StreamEnd::Replaced]);
                Event::StreamStopped { stream, end }
            }
            2 => Event::AudioAdvanced { to: at },
            3 => Event::SpeechStarted { speaker, at },
            4 => Event::SpeechEnded { speaker, at },
            5..=7 => Event::HypothesisHeard(Hypothesis {
                speaker,
                text: Pii::new(
                    self.pick(&[
                        "I want to speak to a human",
                        "hello",
                        "no",
                        "thank you very much",
                    ])
                    .to_owned(),
                ),
                start: at,
                end: at,
                confidence: 0.9,
                is_final: self.next(2) == 0,
                ends_utterance: self.next(2) == 0,
                approximate: false,
            }),
            8 => Event::UtteranceEnded { speaker },
            9 => Event::DigitPressed {
                digit: self.pick(&['0', '1', '#']),
                at,
            },
            10 => Event::HandoffRequested {
                reason: Pii::new(String::new()),
            },
            11 => Event::DecisionRecorded { handoff },
            12 | 13 => {
                let outcome = [
                    RewriteOutcome::Accepted,
                    RewriteOutcome::CallerGone,
                    RewriteOutcome::Refused {
                        code: None,
                        status: 400,
                    },
                    RewriteOutcome::NotSent,
                    RewriteOutcome::Unknown,
                    RewriteOutcome::Taken,
                ];
                let outcome = outcome[self.next(6) as usize].clone();
                return model.settle(outcome);
            }
            14 => Event::LegProgressed {
                effort,
                progress: self.pick(&[
                    LegProgress::Initiated,
                    LegProgress::Ringing,
                    LegProgress::Answered,
                    LegProgress::Accepted,
                    LegProgress::Completed,
                ]),
            },
            15 => Event::DialEnded { effort, end },
            20 => Event::TargetsChosen {
                handoff,
                plan: Plan {
                    route: None,
                    // Now and then everybody is asleep.
                    targets: TARGETS[self.next(3) as usize..3]
                        .iter()
                        .skip(2 * usize::from(self.next(8) == 0))
                        .map(|name| TargetName::parse(name).unwrap())
                        .collect(),
                    passed_over: Vec::new(),
                },
            },
            21 => Event::DocumentFetched {
                handoff,
                attempt: self.next(4) as u32,
            },
            22 => Event::HumanCalled {
                effort,
                leg: match self.next(2) {
                    0 => Ok(CarrierCallId("CA-human".to_owned())),
                    _ => Err(DialEnd::Failed { code: None }),
                },
            },
            23 if self.next(4) == 0 => Event::HumanMaybeCalled { effort },
            23 => Event::HumanLeft { effort, end },
            16 => {
                let found = self.pick(&[
                    Inspection::InProgress,
                    Inspection::Unclear,
                    Inspection::Over,
                ]);
                // Mostly the call is still there, or hardly a run would get far.
                if found == Inspection::Over && self.next(4) > 0 {
                    return None;
                }
                Event::CallInspected(found)
            }
            17 => Event::RecognizerLost { speaker },
            18 => Event::RecognizerRestored { speaker },
            _ => {
                if self.next(12) > 0 {
                    return None;
                }
                Event::CallCompleted
            }
        })
    }
}

/// Every way in which a target takes a call.
pub fn disorderly_policy() -> Policy {
    Policy {
        routes: routes(&[
            ("support", Acceptance::Answer, Joining::Dial),
            ("desk", Acceptance::Key, Joining::Dial),
            ("room", Acceptance::Key, Joining::Conference),
        ]),
        ..policy()
    }
}

/// Runs one disorderly call and gives everything it asked for.
fn run(seed: u64) -> Vec<Command> {
    run_watched(seed, &mut |_, _| {})
}

/// Shows the call, and everything it asked for so far, after each of its inputs.
pub fn run_watched(seed: u64, watch: &mut dyn FnMut(&Call, &[Command])) -> Vec<Command> {
    let mut disorder = Disorder(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut call = Call::new(arrival(), Arc::new(disorderly_policy()));
    let mut model = Model::default();
    let mut asked = Vec::new();
    let mut now = CallTime::default();
    for _ in 0..disorder.next(120) + 1 {
        while let Some(command) = call.poll_command() {
            model.on_command(&command);
            asked.push(command);
        }
        watch(&call, &asked);
        now = now + std::time::Duration::from_millis(disorder.next(3_000));
        call.handle_timeout(now);
        while let Some(command) = call.poll_command() {
            model.on_command(&command);
            asked.push(command);
        }
        if let Some(event) = disorder.event(&mut model, &call, now) {
            call.handle(event, now);
        }
        if model.over && disorder.next(3) == 0 {
            call.handle(Event::EndRecorded, now);
        }
    }
    while let Some(command) = call.poll_command() {
        model.on_command(&command);
        asked.push(command);
    }
    watch(&call, &asked);
    asked
}

#[test]
fn any_order_of_events_gives_one_disposition_and_one_rewrite_at_a_time() {
    for seed in 0..3_000 {
        let outcome = std::panic::catch_unwind(|| run(seed));
        assert!(outcome.is_ok(), "seed {seed}");
    }
}

#[test]
fn the_same_events_give_the_same_commands() {
    for seed in 0..200 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}

#[test]
fn disorder_reaches_every_stage() {
    let commands: Vec<_> = (0..2_000).flat_map(run).collect();
    let count = |wanted: fn(&Command) -> bool| commands.iter().filter(|c| wanted(c)).count();
    assert!(count(|c| matches!(c, Command::RewriteCall { attempt: 2.., .. })) > 50);
    assert!(
        count(|c| matches!(
            c,
            Command::RecordEnd {
                context: Some(_),
                ..
            }
        )) > 50
    );
    assert!(count(|c| matches!(c, Command::Record(Fact::DialEnded { .. }))) > 50);
}
