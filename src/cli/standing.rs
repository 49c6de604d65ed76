//! Targets and routes as `handoff check` shows them: by the clock alone, because what was told of a target
//! is in the journal, which the server has.

use std::collections::{BTreeMap, BTreeSet};

use handoff_core::route::{Acceptance, Condition, Metrics, Order, Plan, Route, TargetName};
use handoff_core::time::WallTime;
use serde::Serialize;

use crate::config::{Config, Target};

/// Who is there, and who would be rung at this moment.
#[derive(Serialize)]
pub(super) struct Standing<'a> {
    /// The default first.
    targets: Vec<TargetReport<'a>>,
    /// What happens without a route comes last.
    routes: Vec<RouteReport<'a>>,
}

#[derive(Serialize)]
struct TargetReport<'a> {
    name: &'a str,
    kind: &'static str,
    ring_seconds: u16,
    accept: &'static str,
    whisper: bool,
    skills: &'a BTreeSet<String>,
    open: bool,
    /// What the clock shows there, if it has hours.
    local: Option<String>,
}

#[derive(Serialize)]
struct RouteReport<'a> {
    name: Option<&'a str>,
    when: Option<&'a str>,
    order: &'static str,
    ask: Option<&'a str>,
    now: Vec<String>,
    passed_over: BTreeMap<String, String>,
}

impl<'a> Standing<'a> {
    pub(super) fn of(config: &'a Config, now: WallTime) -> Self {
        let conditions = conditions(config, now);
        let routes = config.routing.routes.routes().iter().map(Some);
        Self {
            targets: (config.targets.iter())
                .map(|target| TargetReport::of(target, now))
                .collect(),
            routes: (routes.chain([None]))
                .map(|route| RouteReport::of(route, config, &conditions))
                .collect(),
        }
    }

    /// The same for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (nth, target) in self.targets.iter().enumerate() {
            lines.push(target.line(nth == 0));
        }
        for route in &self.routes {
            lines.push(route.line());
            let passed_over = route.passed_over.iter();
            lines.extend(passed_over.map(|(name, why)| format!("{:13}not {name}: {why}", "")));
        }
        lines
    }
}

/// A target without hours has no clock, and none is needed.
fn conditions(config: &Config, now: WallTime) -> BTreeMap<TargetName, Condition> {
    let conditions = config.targets.iter().filter_map(|target| {
        let opening = target.opening.as_ref()?;
        let condition = Condition {
            available: true,
            local: opening.zone.local(now),
            metrics: Metrics::default(),
        };
        Some((target.name.clone(), condition))
    });
    conditions.collect()
}

impl<'a> TargetReport<'a> {
    fn of(target: &'a Target, now: WallTime) -> Self {
        let opening = target.opening.as_ref();
        let shown = opening.map(|opening| (opening, opening.zone.local(now)));
        Self {
            name: target.name.as_str(),
            kind: target.kind.as_str(),
            ring_seconds: target.ring.get(),
            accept: match target.acceptance {
                Acceptance::Key => "key",
                Acceptance::Answer => "answer",
            },
            whisper: target.whisper,
            skills: &target.skills,
            open: shown.is_none_or(|(opening, local)| opening.hours.is_open(local)),
            local: shown.map(|(opening, local)| format!("{local} in {}", opening.zone.name())),
        }
    }

    fn line(&self, is_default: bool) -> String {
        let Self { name, kind, .. } = self;
        let mut said = vec![
            format!("rings {} s", self.ring_seconds),
            format!("taken by {}", self.accept),
        ];
        if !self.whisper {
            said.push("no whisper".to_owned());
        }
        if is_default {
            said.push("the default".to_owned());
        }
        if !self.skills.is_empty() {
            let skills: Vec<&str> = self.skills.iter().map(String::as_str).collect();
            said.push(format!("skills {}", skills.join(" ")));
        }
        if let Some(local) = &self.local {
            let open = if self.open { "open" } else { "closed" };
            said.push(format!("{open} now ({local})"));
        }
        format!("target       {name} ({kind}) {}", said.join(", "))
    }
}

impl<'a> RouteReport<'a> {
    fn of(
        route: Option<&'a Route>,
        config: &'a Config,
        conditions: &BTreeMap<TargetName, Condition>,
    ) -> Self {
        let routing = &config.routing;
        let name = route.map(|route| route.name.as_str());
        let Plan {
            targets,
            passed_over,
            ..
        } = routing.routes.plan(name, conditions);
        let ask = name.and_then(|name| routing.asking.as_ref()?.by_route.get(name));
        Self {
            name,
            when: route.map(|route| route.when.source()),
            order: route.map_or(Order::default(), |route| route.order).as_str(),
            // What comes after the path may be a secret.
            ask: ask.and_then(|ask| ask.url.as_str().split(['?', '#']).next()),
            now: targets.iter().map(TargetName::to_string).collect(),
            passed_over: (passed_over.iter())
                .map(|(name, why)| (name.to_string(), why.to_string()))
                .collect(),
        }
    }

    fn line(&self) -> String {
        let calls = match (self.name, self.when) {
            (Some(name), Some(when)) => format!("{name}: {when}"),
            (Some(_), None) | (None, _) => "all other calls".to_owned(),
        };
        let ask = self.ask.map(|ask| format!(", asks {ask}"));
        let now = match self.now.as_slice() {
            [] => "nobody".to_owned(),
            names => names.join(", "),
        };
        let (order, ask) = (self.order, ask.unwrap_or_default());
        format!("route        {calls} ({order}{ask}), now {now}")
    }
}
