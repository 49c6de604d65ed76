//! Who is rung for one handoff, in which order, and why another is not.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::civil::LocalTime;
use super::routes::{Order, Routes};
use super::target::{Metrics, Target, TargetName};
use crate::pii::Pii;

/// No plan has more targets. A caller who waited for ten would not wait for an eleventh.
pub const LONGEST_PLAN: usize = 10;

/// What the shell knows about a target at the instant of a handoff.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Whether it takes calls, as far as anyone has said.
    pub available: bool,
    /// What the clock shows where the target is.
    pub local: LocalTime,
    /// Live figures, which stand before the configured ones.
    pub metrics: Metrics,
}

/// Who is to be rung, one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The route that it was made from, by name.
    pub route: Option<String>,
    /// Whom to ring, first ones first, each once, at most [`LONGEST_PLAN`]. If there is nobody, the
    /// caller is given what comes after the last target.
    pub targets: Vec<TargetName>,
    /// Who else was considered, each once, and why not.
    pub passed_over: Vec<(TargetName, PassedOver)>,
}

/// Why a target is not rung.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PassedOver {
    /// It lacks a skill that the route needs; the first, if there are several.
    MissingSkill(String),
    /// It is outside of its opening hours.
    Closed,
    /// It was said to take no calls.
    Unavailable,
    /// There are [`LONGEST_PLAN`] before it.
    PlanFull,
}

/// A plan for which an outside URL was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanAsAsked {
    /// The plan.
    pub plan: Plan,
    /// Whether it is in the order that was given. Otherwise nobody of that order could be rung and
    /// the plan is the route's own.
    pub followed: bool,
    /// What was given but is no target's name. It comes from outside and may be anything.
    pub unknown: Vec<Pii<String>>,
}

impl Routes {
    /// Makes the plan of a route, or without one that of all targets, the default ones first. A
    /// name that no route has (the configuration changed since it was written down) is no route.
    ///
    /// A target without a condition counts as available and, even if it has hours, as open.
    pub fn plan(&self, route: Option<&str>, conditions: &BTreeMap<TargetName, Condition>) -> Plan {
        let route = route.and_then(|name| self.route(name));
        let nothing = BTreeSet::new();
        let (skills, order) = match route {
            Some(route) => (&route.skills, route.order),
            None => (&nothing, Order::Listed),
        };
        let mut draft = Draft::default();
        for target in self.candidates(route) {
            draft.consider(target, skills, conditions);
        }
        draft.sort(order);
        draft.finish(route.map(|route| route.name.clone()))
    }

    /// Makes a plan of the names that an outside URL gave, in their order, whatever the skills are
    /// that the route asks for. If nobody of them can be rung, the plan is the route's own.
    pub fn plan_as_asked(
        &self,
        route: Option<&str>,
        names: &[impl AsRef<str>],
        conditions: &BTreeMap<TargetName, Condition>,
    ) -> PlanAsAsked {
        let mut unknown = Vec::new();
        let mut seen = BTreeSet::new();
        let mut draft = Draft::default();
        for name in names.iter().map(AsRef::as_ref) {
            let known = TargetName::parse(name).ok();
            match known.and_then(|name| self.target(&name)) {
                Some(target) if seen.insert(&target.name) => {
                    draft.consider(target, &BTreeSet::new(), conditions);
                }
                Some(_) => {}
                None => unknown.push(Pii::new(name.to_owned())),
            }
        }
        let followed = !draft.able.is_empty();
        let plan = if followed {
            let route = route.and_then(|name| self.route(name));
            draft.finish(route.map(|route| route.name.clone()))
        } else {
            let mut own = self.plan(route, conditions);
            let named: BTreeSet<_> = own
                .passed_over
                .iter()
                .map(|(name, _)| name.clone())
                .collect();
            let also = draft.passed_over.into_iter();
            own.passed_over
                .extend(also.filter(|(name, _)| !named.contains(name)));
            own
        };
        PlanAsAsked {
            plan,
            followed,
            unknown,
        }
    }
}

/// A plan in the making.
#[derive(Default)]
struct Draft {
    able: Vec<(TargetName, Metrics)>,
    passed_over: Vec<(TargetName, PassedOver)>,
}

impl Draft {
    fn consider(
        &mut self,
        target: &Target,
        skills: &BTreeSet<String>,
        conditions: &BTreeMap<TargetName, Condition>,
    ) {
        let condition = conditions.get(&target.name);
        match obstacle(target, skills, condition) {
            Some(why) => self.passed_over.push((target.name.clone(), why)),
            None => {
                let live = condition.map(|condition| condition.metrics);
                let metrics = target.metrics.overridden_by(live.unwrap_or_default());
                self.able.push((target.name.clone(), metrics));
            }
        }
    }

    fn sort(&mut self, order: Order) {
        self.able.sort_by(|(_, left), (_, right)| {
            match (order.figure(*left), order.figure(*right)) {
                (Some(left), Some(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            }
        });
    }

    fn finish(self, route: Option<String>) -> Plan {
        let mut targets: Vec<_> = self.able.into_iter().map(|(name, _)| name).collect();
        let mut passed_over = self.passed_over;
        let beyond = targets.split_off(targets.len().min(LONGEST_PLAN));
        passed_over.extend(beyond.into_iter().map(|name| (name, PassedOver::PlanFull)));
        Plan {
            route,
            targets,
            passed_over,
        }
    }
}

/// What keeps a target from being rung; that which lasts longest, if there are several.
fn obstacle(
    target: &Target,
    skills: &BTreeSet<String>,
    condition: Option<&Condition>,
) -> Option<PassedOver> {
    if let Some(missing) = skills.difference(&target.skills).next() {
        return Some(PassedOver::MissingSkill(missing.clone()));
    }
    let condition = condition?;
    let is_closed = (target.hours.as_ref()).is_some_and(|hours| !hours.is_open(condition.local));
    if is_closed {
        return Some(PassedOver::Closed);
    }
    (!condition.available).then_some(PassedOver::Unavailable)
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingSkill(skill) => write!(f, "lacks the skill {skill}"),
            Self::Closed => f.write_str("closed"),
            Self::Unavailable => f.write_str("unavailable"),
            Self::PlanFull => write!(f, "after the first {LONGEST_PLAN}"),
        }
    }
}
