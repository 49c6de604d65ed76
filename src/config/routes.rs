//! `[[route]]`: which calls go to which targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use handoff_core::route::{Order, Route, Routes, RoutesError, TargetName};
use handoff_core::rule::Expression;

use super::environment::Environment;
use super::reader::{Problems, Section};
use super::targets::{self, Target, Targets};
use crate::carrier::argument::WebUrl;
use crate::standard_webhooks::SigningSecret;

/// The variable that holds what questions are signed with.
const SECRET: &str = "HANDOFF_ROUTE_SECRET";

/// All `[[route]]`s.
#[derive(Clone, Debug)]
pub struct Routing {
    /// What decides, with every target.
    pub routes: Arc<Routes>,
    /// Who is asked first, if any route asks.
    pub asking: Option<Asking>,
}

/// Routes whose order somebody outside gives.
#[derive(Clone, Debug)]
pub struct Asking {
    /// What the questions are signed with.
    pub secret: SigningSecret,
    /// Who is asked, by the name of the route. Never empty.
    pub by_route: BTreeMap<String, Ask>,
}

/// Who gives the order of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Where they are.
    pub url: WebUrl,
    /// Whether they are told the numbers of caller and called, and what was keyed and passed along.
    pub with_caller: bool,
}

impl Routing {
    /// Reads all routes; `None` if routes and targets do not fit, or some target cannot be used.
    pub(super) fn read_all(
        sections: Vec<Section<'_>>,
        targets: &Targets,
        env: &Environment<'_>,
        problems: &mut Problems,
        notes: &mut Vec<String>,
    ) -> Option<Self> {
        let given = sections.len();
        let mut by_route = BTreeMap::new();
        let routes: Vec<Route> = sections
            .into_iter()
            .filter_map(|section| read(section, &mut by_route, problems))
            .collect();
        let secret = env.get(SECRET);
        let asking = match (by_route.is_empty(), secret) {
            (true, None) => None,
            (true, Some(_)) => {
                notes.push(format!("{SECRET} is not used: no [[route]] asks"));
                None
            }
            (false, Some(secret)) => problems
                .keep(SECRET, SigningSecret::parse(&secret))
                .map(|secret| Asking { secret, by_route }),
            (false, None) => {
                problems.add(
                    SECRET,
                    "is not set; questions of a [[route]] that asks are signed with it. Make one \
                     by `echo whsec_$(openssl rand -base64 32)`",
                );
                None
            }
        };
        // A target that is missing because it cannot be used has been told.
        if !targets.all_usable || routes.len() != given {
            return None;
        }
        let default = targets.targets.first()?.name.clone();
        let known = targets.targets.iter().map(Target::for_routes).collect();
        match Routes::new(routes, known, &[default]) {
            Ok(routes) => Some(Self {
                routes: Arc::new(routes),
                asking,
            }),
            Err(errors) => {
                for error in errors {
                    problems.add(place(&error), error.to_string());
                }
                None
            }
        }
    }
}

/// Where a thing that does not fit is written.
fn place(error: &RoutesError) -> String {
    match error {
        RoutesError::NoDefault | RoutesError::UnknownDefault { .. } => "handoff.target".to_owned(),
        RoutesError::RepeatedTarget { name } => format!("target[{name}].name"),
        RoutesError::RepeatedRoute { name } => format!("route[{name}].name"),
        RoutesError::UnknownTarget { route, .. } => format!("route[{route}].targets"),
        RoutesError::NobodyAble { route } => format!("route[{route}].skills"),
    }
}

fn read(
    mut section: Section<'_>,
    asks: &mut BTreeMap<String, Ask>,
    problems: &mut Problems,
) -> Option<Route> {
    let before = problems.0.len();
    let name = section.text("name", problems);
    let shaped = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if name.is_empty() || !shaped {
        problems.add(
            section.path("name"),
            "must be a name in lower case like \"billing_in_german\"",
        );
    }
    let when = section.text("when", problems);
    let when = problems.keep(section.path("when"), Expression::compile(&when));
    let skills = targets::skills(&mut section, problems);
    let names = section.texts("targets", problems);
    let targets = (names.iter())
        .filter_map(|name| {
            let known = TargetName::parse(name);
            let known = known.map_err(|error| format!("\"{name}\" is {error}"));
            problems.keep(section.path("targets"), known)
        })
        .collect();
    let order = match section.optional_text("order", problems) {
        None => Order::default(),
        Some(text) => order(&text, &section, problems),
    };
    let with_caller = section.flag("ask_with_caller", false, problems);
    if section.has("ask") {
        let url = section.parsed("ask", WebUrl::new, problems);
        asks.extend(url.map(|url| (name.clone(), Ask { url, with_caller })));
    } else if section.has("ask_with_caller") {
        problems.add(section.path("ask_with_caller"), "is set without ask");
    }
    section.finish(problems);
    let route = Route {
        name,
        when: when?,
        skills,
        targets,
        order,
    };
    (problems.0.len() == before).then_some(route)
}

fn order(text: &str, section: &Section<'_>, problems: &mut Problems) -> Order {
    let found = Order::ALL.into_iter().find(|order| order.as_str() == text);
    found.unwrap_or_else(|| {
        let all: Vec<&str> = Order::ALL.into_iter().map(Order::as_str).collect();
        problems.add(
            section.path("order"),
            format!("\"{text}\" must be one of {}", all.join(", ")),
        );
        Order::default()
    })
}
