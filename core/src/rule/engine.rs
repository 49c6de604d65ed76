//! Which rule fires, and when it may fire again.
//!
//! A rule fires when its condition becomes true. It may fire again once the condition was false in
//! between, or, while it stays true, each time its cool-down has passed. Rules are asked in the
//! order in which they are listed: of several that may fire the first does, the others remain
//! ready and are found by the next evaluation if their conditions still hold.

use std::time::Duration;

use super::expression::{EvaluationError, Expression};
use super::signals::Signals;
use crate::time::CallTime;

/// An operator's condition for a handoff.
#[derive(Debug)]
pub struct Rule {
    /// The name in evidence, timelines and the dashboard.
    pub name: String,
    /// When it fires.
    pub when: Expression,
    /// How long it waits to fire again while its condition stays true.
    pub cool_down: Duration,
}

/// The rules of a configuration, in order of priority.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// The rules; the first one that may fire does.
    pub rules: Vec<Rule>,
}

/// A rule that fired, with the evidence of that instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// Its place in the [`RuleSet`].
    pub rule: usize,
    /// Its name.
    pub name: String,
    /// The signals its condition names and what they read, fit to be shown: nothing personal.
    pub values: Vec<(&'static str, String)>,
}

/// A rule whose condition has no value, from the first time in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Its place in the [`RuleSet`].
    pub rule: usize,
    /// What is wrong.
    pub error: EvaluationError,
}

/// The memory of one call about its rules.
#[derive(Clone, Debug, Default)]
pub struct RuleEngine {
    states: Vec<State>,
}

#[derive(Clone, Debug)]
struct State {
    readiness: Readiness,
    health: Health,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    /// The condition was false since the rule last fired, or it never fired.
    Ready,
    /// It fired and its condition has been true since.
    Held { since: CallTime },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    /// The condition had a value when it was last asked.
    Sound,
    /// It had none; nobody was told yet.
    Failing(EvaluationError),
    /// It has had none since that was told.
    Announced,
}

impl State {
    const NEW: Self = Self {
        readiness: Readiness::Ready,
        health: Health::Sound,
    };
}

impl RuleEngine {
    /// Asks all rules and fires at most one. A rule whose condition has no value does not fire and
    /// is as ready afterwards as it was before.
    pub fn evaluate(&mut self, rules: &RuleSet, signals: &Signals, now: CallTime) -> Option<Fired> {
        self.states.resize(rules.rules.len(), State::NEW);
        let mut fired = None;
        for (index, (rule, state)) in rules.rules.iter().zip(&mut self.states).enumerate() {
            match rule.when.evaluate(signals) {
                Ok(true) => {
                    state.health = Health::Sound;
                    let may_fire = match state.readiness {
                        Readiness::Ready => true,
                        Readiness::Held { since } => now.since(since) >= rule.cool_down,
                    };
                    if may_fire && fired.is_none() {
                        state.readiness = Readiness::Held { since: now };
                        fired = Some((index, rule));
                    }
                }
                Ok(false) => {
                    state.health = Health::Sound;
                    state.readiness = Readiness::Ready;
                }
                Err(error) => state.fail(error),
            }
        }
        fired.map(|(index, rule)| Fired {
            rule: index,
            name: rule.name.clone(),
            values: evidence(&rule.when, signals),
        })
    }

    /// Yields each rule that began to fail since it was last asked for, once per run of failures.
    pub fn poll_failing(&mut self) -> Option<Failing> {
        let mut states = self.states.iter_mut().enumerate();
        states.find_map(|(rule, state)| match state.health {
            Health::Failing(error) => {
                state.health = Health::Announced;
                Some(Failing { rule, error })
            }
            Health::Sound | Health::Announced => None,
        })
    }
}

impl State {
    fn fail(&mut self, error: EvaluationError) {
        self.health = match self.health {
            Health::Sound | Health::Failing(_) => Health::Failing(error),
            Health::Announced => Health::Announced,
        };
    }
}

fn evidence(when: &Expression, signals: &Signals) -> Vec<(&'static str, String)> {
    let named = when.signals().iter();
    named
        .map(|declared| (declared.name, declared.read(signals).to_string()))
        .collect()
}
