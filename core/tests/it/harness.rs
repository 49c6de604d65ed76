//! A shell for the call machine that lives in a test: scripts in, timeline out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use handoff_core::call::{
    Arrival, Call, Command, DialEnd, Effort, Event, Fact, Inspection, LastResort, LegProgress,
    Mode, NextStep, Party, Policy, RewriteOutcome, StreamEnd, Timer, describe,
};
use handoff_core::id::{CallId, Carrier, CarrierCallId, HandoffId, StreamId};
use handoff_core::pii::Pii;
use handoff_core::route::{Acceptance, Joining, Metrics, Routes, Target, TargetName};
use handoff_core::rule::{Expression, Rule, RuleSet};
use handoff_core::signal::{AsksHuman, Sentiment};
use handoff_core::speech::{Hypothesis, Speaker};
use handoff_core::time::{CallTime, MediaTime, WallTime};

/// The default rule, beside one on time and one on words and voice.
pub fn policy() -> Policy {
    let rule = |name: &str, when: &str| Rule {
        name: name.to_owned(),
        when: Expression::compile(when).unwrap(),
        cool_down: Duration::from_secs(30),
    };
    Policy {
        rules: RuleSet {
            rules: vec![
                rule(
                    "caller_asks_for_human",
                    "caller.asks_for_human >= 0.6 || caller.digits.matches('^0+$')",
                ),
                rule("silent_caller", "caller.silent_seconds >= 8.0"),
            ],
        },
        asks_human: AsksHuman::new(),
        sentiment: Sentiment::new(),
        mode: Mode::Listen,
        digits_pause: Duration::from_millis(1_500),
        routes: routes(&[("support", Acceptance::Answer, Joining::Dial)]),
        unreachable: BTreeSet::new(),
        last_resort: LastResort::CallBack,
        route_deadline: Duration::from_secs(1),
        bridged_after: Duration::from_secs(2),
        human_deadline: Duration::from_secs(60),
        journal_deadline: Duration::from_millis(250),
        rewrite_attempts: 3,
        rewrite_retry: Duration::from_millis(250),
        rewrite_evidence: Duration::from_millis(1_500),
        fetch_within: Duration::from_millis(1_500),
        handoffs: 3,
        last_words: Duration::from_millis(1_500),
        stream_grace: Duration::from_secs(10),
        inspect_every: Duration::from_secs(60),
        maximum_age: Duration::from_secs(4 * 3600),
    }
}

/// Targets that are tried in this order.
pub fn routes(targets: &[(&str, Acceptance, Joining)]) -> Arc<Routes> {
    let targets: Vec<_> = targets
        .iter()
        .map(|(name, acceptance, joining)| Target {
            name: TargetName::parse(name).unwrap(),
            acceptance: *acceptance,
            joining: *joining,
            skills: BTreeSet::new(),
            hours: None,
            metrics: Metrics::default(),
        })
        .collect();
    let default = [targets[0].name.clone()];
    Arc::new(Routes::new(Vec::new(), targets, &default).unwrap())
}

pub fn arrival() -> Arrival {
    Arrival {
        carrier: Carrier::Twilio,
        call: CallId::mint(WallTime(1_767_225_600_000), [7; 10]),
        carrier_call: CarrierCallId("CA00000000000000000000000000000001".to_owned()),
        caller: Party::Known(Pii::new("+15550100001".to_owned())),
        called: Party::Known(Pii::new("+15550100002".to_owned())),
        parameters: BTreeMap::new(),
        accepted: WallTime(1_767_225_600_000),
    }
}

/// A call in a test, with every fact it wrote down.
pub struct Harness {
    pub call: Call,
    pub facts: Vec<(CallTime, Fact)>,
    policy: Arc<Policy>,
    pub contexts: Vec<handoff_core::context::HandoffContext>,
    pub out: String,
    journal_up: bool,
    targets_known: bool,
}

impl Harness {
    pub fn new() -> Self {
        Self::under(policy())
    }

    pub fn under(policy: Policy) -> Self {
        let policy = Arc::new(policy);
        Self::of(Call::new(arrival(), Arc::clone(&policy)), policy)
    }

    /// The call that these facts tell of, taken up by another process.
    pub fn restored(facts: impl IntoIterator<Item = (CallTime, Fact)>, now: CallTime) -> Self {
        let policy = Arc::new(policy());
        let call = Call::restore(arrival(), Arc::clone(&policy), facts, now);
        Self::of(call, policy)
    }

    fn of(call: Call, policy: Arc<Policy>) -> Self {
        let mut harness = Self {
            call,
            policy,
            facts: Vec::new(),
            contexts: Vec::new(),
            out: String::new(),
            journal_up: true,
            targets_known: true,
        };
        harness.drain(CallTime::default());
        harness
    }

    /// Runs a script: `+SS.mmm what …`, one event a line; timers fire in between.
    pub fn run(&mut self, script: &str) -> &mut Self {
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let (at, what) = line.split_once(' ').expect("a line is a time and an event");
            let seconds: f64 = at
                .trim_start_matches('+')
                .parse()
                .expect("a time like +03.100");
            let now = CallTime(Duration::from_micros((seconds * 1e6) as u64));
            self.advance(now);
            if let Some(keys) = what.trim().strip_prefix("keys ") {
                for key in keys.chars() {
                    self.tell(&format!("digit {key}"), now);
                }
            } else {
                self.tell(what.trim(), now);
            }
        }
        // A call that is over waits for its last words; nothing else may be due then.
        while let Some((at, Timer::LastWords)) = self.call.poll_timeout() {
            self.call.handle_timeout(at);
            self.drain(at);
        }
        self
    }

    fn tell(&mut self, what: &str, now: CallTime) {
        if let Some(event) = self.parse(what, now) {
            self.tell_event(event, now);
        }
    }

    /// Tells the call of an event that no script can describe.
    pub fn tell_event(&mut self, event: Event, now: CallTime) {
        self.call.handle(event, now);
        self.drain(now);
    }

    /// Lets time pass; each timer fires when it is due.
    pub fn advance(&mut self, to: CallTime) {
        while let Some((at, _)) = self.call.poll_timeout().filter(|(at, _)| *at <= to) {
            self.call.handle_timeout(at);
            self.drain(at);
        }
    }

    /// Takes every command, as a shell must, and answers for the journal while it is up.
    fn drain(&mut self, now: CallTime) {
        while let Some(command) = self.call.poll_command() {
            let line = match command {
                Command::Record(fact) => self.fact(now, fact),
                Command::RecordDecision(context) => {
                    let handoff = context.trigger.handoff.clone();
                    let line = self.fact(now, Fact::Triggered(context.trigger.clone()));
                    self.contexts.push(*context);
                    if self.journal_up {
                        self.call.handle(Event::DecisionRecorded { handoff }, now);
                    }
                    line
                }
                Command::RecordEnd { fact, context } => {
                    let line = self.fact(now, fact);
                    self.contexts.extend(context.map(|context| *context));
                    self.call.handle(Event::EndRecorded, now);
                    line
                }
                Command::FlushSpeech => "> flush speech".to_owned(),
                Command::ChooseTargets { handoff, route } => {
                    if self.targets_known {
                        let plan = (self.policy.routes).plan(route.as_deref(), &BTreeMap::new());
                        (self.call).handle(Event::TargetsChosen { handoff, plan }, now);
                    }
                    continue;
                }
                Command::RewriteCall {
                    attempt, targets, ..
                } => {
                    let targets: Vec<_> = targets.iter().map(TargetName::as_str).collect();
                    format!("> rewrite, attempt {attempt}: {}", targets.join(", "))
                }
                Command::CallHuman(effort) => {
                    let target = effort.target.as_str();
                    format!("> call {target}, attempt {}", effort.attempt)
                }
                Command::HangUpHuman(leg) => format!("> hang up {}", leg.0),
                Command::ReleaseCaller => "> release the caller".to_owned(),
                Command::InspectCall => "> inspect".to_owned(),
                Command::Note(anomaly) => format!("! {}", anomaly.as_str()),
            };
            writeln!(self.out, "{now}  {line}").unwrap();
        }
    }

    fn fact(&mut self, now: CallTime, fact: Fact) -> String {
        let (_, kind, detail) = describe(&fact);
        self.facts.push((now, fact));
        format!("{kind:<10}  {detail}")
    }

    fn handoff(&self) -> HandoffId {
        match self.call.trigger() {
            Some(trigger) => trigger.handoff.clone(),
            None => HandoffId::nth(&self.call.arrival().call, 0),
        }
    }

    fn parse(&mut self, what: &str, now: CallTime) -> Option<Event> {
        let media = MediaTime::from_millis(now.as_millis());
        let stream = |name: &str| StreamId(format!("MZ{name}"));
        let handoff = self.handoff();
        let words: Vec<&str> = what.split_whitespace().collect();
        // The last rewrite and the first target, unless the line names others.
        let effort = |from: usize| {
            let nth = words
                .get(from)
                .map_or(1, |attempt| attempt.parse().unwrap());
            let target = words.get(from + 1).copied().unwrap_or("support");
            Effort {
                handoff: handoff.clone(),
                attempt: nth,
                target: TargetName::parse(target).unwrap(),
            }
        };
        Some(match words[..] {
            ["wait"] => return None,
            ["targets", state] => {
                self.targets_known = state == "known";
                return None;
            }
            ["ask-next", ..] => {
                let next = match self.call.next_step(&effort(1)) {
                    Some(NextStep::HangUp) => "hang up".to_owned(),
                    Some(NextStep::Reach(targets)) => format!("try {}", targets[0].as_str()),
                    Some(NextStep::LastResort) => "last resort".to_owned(),
                    None => "unknown".to_owned(),
                };
                writeln!(self.out, "{now}  < next: {next}").unwrap();
                return None;
            }
            ["fetched", attempt] => Event::DocumentFetched {
                handoff,
                attempt: attempt.parse().unwrap(),
            },
            ["called", leg, ..] => Event::HumanCalled {
                effort: effort(2),
                leg: Ok(CarrierCallId(leg.to_owned())),
            },
            ["not-called", ..] => Event::HumanCalled {
                effort: effort(1),
                leg: Err(DialEnd::Failed { code: Some(21_211) }),
            },
            ["maybe-called", ..] => Event::HumanMaybeCalled { effort: effort(1) },
            ["left", end, ..] => Event::HumanLeft {
                effort: effort(2),
                end: dial_end(end),
            },
            ["message", seconds] => Event::MessageLeft {
                handoff,
                url: Pii::new("https://carrier.example.com/recording".to_owned()),
                length: Duration::from_secs(seconds.parse().unwrap()),
            },
            ["journal", state] => {
                self.journal_up = state == "up";
                return None;
            }
            ["recorded"] => Event::DecisionRecorded { handoff },
            ["stream", name] => Event::StreamStarted {
                stream: stream(name),
                at: media,
                replacement: false,
            },
            ["stop", name] => Event::StreamStopped {
                stream: stream(name),
                end: StreamEnd::Stopped,
            },
            ["release", name] => Event::StreamStopped {
                stream: stream(name),
                end: StreamEnd::Released,
            },
            ["audio"] => Event::AudioAdvanced { to: media },
            ["bot-speaks"] => Event::SpeechStarted {
                speaker: Speaker::VoiceAgent,
                at: media,
            },
            ["bot-quiet"] => Event::SpeechEnded {
                speaker: Speaker::VoiceAgent,
                at: media,
            },
            ["speech"] => Event::SpeechStarted {
                speaker: Speaker::Caller,
                at: media,
            },
            ["quiet"] => Event::SpeechEnded {
                speaker: Speaker::Caller,
                at: media,
            },
            ["digit", digit] => Event::DigitPressed {
                digit: digit.chars().next().unwrap(),
                at: media,
            },
            ["request", ..] => Event::HandoffRequested {
                reason: Pii::new(quoted(what)),
            },
            ["lost"] => Event::RecognizerLost {
                speaker: Speaker::Caller,
            },
            ["restored"] => Event::RecognizerRestored {
                speaker: Speaker::Caller,
            },
            ["settled", attempt, outcome] => Event::RewriteSettled {
                handoff,
                attempt: attempt.parse().unwrap(),
                outcome: match outcome {
                    "accepted" => RewriteOutcome::Accepted,
                    "taken" => RewriteOutcome::Taken,
                    "gone" => RewriteOutcome::CallerGone,
                    "refused" => RewriteOutcome::Refused {
                        code: Some(21_205),
                        status: 400,
                    },
                    "not-sent" => RewriteOutcome::NotSent,
                    "unknown" => RewriteOutcome::Unknown,
                    other => panic!("no rewrite outcome {other}"),
                },
            },
            ["leg", progress, ..] => Event::LegProgressed {
                effort: effort(2),
                progress: match progress {
                    "initiated" => LegProgress::Initiated,
                    "ringing" => LegProgress::Ringing,
                    "answered" => LegProgress::Answered,
                    "accepted" => LegProgress::Accepted,
                    "completed" => LegProgress::Completed,
                    other => panic!("no leg progress {other}"),
                },
            },
            ["dial", end, ..] => Event::DialEnded {
                effort: effort(2),
                end: dial_end(end),
            },
            ["old-leg", _] => Event::LegProgressed {
                effort: Effort {
                    handoff: HandoffId::nth(&self.call.arrival().call, 99),
                    ..effort(2)
                },
                progress: LegProgress::Ringing,
            },
            ["inspected", found] => Event::CallInspected(match found {
                "over" => Inspection::Over,
                "in-progress" => Inspection::InProgress,
                "unclear" => Inspection::Unclear,
                other => panic!("no inspection {other}"),
            }),
            ["completed"] => Event::CallCompleted,
            [speaker, kind, ..] => Event::HypothesisHeard(Hypothesis {
                speaker: if speaker == "caller" {
                    Speaker::Caller
                } else {
                    Speaker::VoiceAgent
                },
                text: Pii::new(quoted(what)),
                start: MediaTime::from_millis(now.as_millis().saturating_sub(900)),
                end: media,
                confidence: 0.97,
                is_final: kind != "interim",
                ends_utterance: kind == "final",
                approximate: false,
            }),
            _ => panic!("not understood: {what}"),
        })
    }
}

/// Runs one script on a fresh call and compares what the call did.
pub fn check(script: &str, expected: expect_test::Expect) {
    let mut harness = Harness::new();
    harness.run(script);
    expected.assert_eq(&harness.out);
}

fn dial_end(end: &str) -> DialEnd {
    match end {
        "bridged" => DialEnd::Bridged,
        "not-bridged" => DialEnd::AnsweredNotBridged,
        "no-answer" => DialEnd::NoAnswer,
        "busy" => DialEnd::Busy,
        "rejected" => DialEnd::Rejected,
        "failed" => DialEnd::Failed { code: None },
        other => panic!("no dial end {other}"),
    }
}

fn quoted(text: &str) -> String {
    text.split('"').nth(1).expect("words in quotes").to_owned()
}
