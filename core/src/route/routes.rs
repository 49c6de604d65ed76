//! Which calls go to which targets.

use std::collections::{BTreeMap, BTreeSet};

use super::target::{Metrics, Target, TargetName};
use crate::rule::{EvaluationError, Expression, Signals};

/// A `[[route]]`: for some calls, who can take them and who is asked first.
#[derive(Debug)]
pub struct Route {
    /// Its name in records and on the dashboard.
    pub name: String,
    /// For which calls it is meant, over the signals that rules read.
    pub when: Expression,
    /// What a target has to be able to do: all of it.
    pub skills: BTreeSet<String>,
    /// Who may be rung; with none named, every target that has the skills, the default ones first.
    pub targets: Vec<TargetName>,
    /// Who of them is rung first.
    pub order: Order,
}

/// Who is rung first. Targets of equal figures stay as they are listed, and those whose figure is
/// not known come after the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// As they are listed.
    #[default]
    Listed,
    /// Who is done soonest with a call.
    LowestHandleTime,
    /// Whose callers are happiest.
    HighestCsat,
    /// Who will take the call soonest.
    ShortestWait,
}

impl Order {
    /// Every order there is.
    pub const ALL: [Self; 4] = [
        Self::Listed,
        Self::LowestHandleTime,
        Self::HighestCsat,
        Self::ShortestWait,
    ];

    /// The word for it in configuration and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::LowestHandleTime => "lowest_handle_time",
            Self::HighestCsat => "highest_csat",
            Self::ShortestWait => "shortest_wait",
        }
    }

    /// The figure that it compares, less being better.
    pub(super) fn figure(self, metrics: Metrics) -> Option<f64> {
        match self {
            Self::Listed => None,
            Self::LowestHandleTime => metrics.handle_seconds,
            Self::HighestCsat => metrics.csat.map(|csat| -csat),
            Self::ShortestWait => metrics.wait_seconds,
        }
    }
}

/// The routes and targets of a configuration, which fit each other. Shared by all calls.
#[derive(Debug)]
pub struct Routes {
    routes: Vec<Route>,
    targets: BTreeMap<TargetName, Target>,
    /// All names: the default ones, then the others in the order of the configuration.
    default_first: Vec<TargetName>,
}

/// Something by which routes and targets do not fit each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoutesError {
    /// Nobody would be rung for a call that no route is meant for.
    #[error("there is no default target; name one that may be rung for every call")]
    NoDefault,
    /// Two targets have the same name.
    #[error("there are two targets named `{name}`; give one another name")]
    RepeatedTarget {
        /// The name.
        name: TargetName,
    },
    /// Two routes have the same name.
    #[error("there are two routes named `{name}`; give one another name")]
    RepeatedRoute {
        /// The name.
        name: String,
    },
    /// A default target does not exist.
    #[error("there is no target named `{name}` to be the default")]
    UnknownDefault {
        /// The name.
        name: TargetName,
    },
    /// A route names a target that does not exist.
    #[error("route `{route}`: there is no target named `{name}`")]
    UnknownTarget {
        /// The route.
        route: String,
        /// The name.
        name: TargetName,
    },
    /// A route could never ring anyone.
    #[error("route `{route}`: none of its targets has all of its skills")]
    NobodyAble {
        /// The route.
        route: String,
    },
}

/// Which route a call takes.
#[derive(Clone, Debug)]
pub struct Matching<'r> {
    /// The first route that is meant for the call.
    pub route: Option<&'r Route>,
    /// Routes before it whose condition has no value at this instant, and which were not taken.
    pub failing: Vec<FailingRoute<'r>>,
}

/// A route whose condition has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailingRoute<'r> {
    /// Its name.
    pub route: &'r str,
    /// What is wrong.
    pub error: EvaluationError,
}

impl Routes {
    /// Takes routes, first ones first, targets as listed, and the targets to be rung before all
    /// others for a call that no route is meant for.
    ///
    /// # Errors
    ///
    /// Everything that does not fit; the operator corrects the configuration.
    pub fn new(
        routes: Vec<Route>,
        targets: Vec<Target>,
        default: &[TargetName],
    ) -> Result<Self, Vec<RoutesError>> {
        let mut errors = Vec::new();
        let listed: Vec<TargetName> = targets.iter().map(|target| target.name.clone()).collect();
        let mut by_name = BTreeMap::new();
        for target in targets {
            let name = target.name.clone();
            if by_name.insert(name.clone(), target).is_some() {
                errors.push(RoutesError::RepeatedTarget { name });
            }
        }
        if default.is_empty() {
            errors.push(RoutesError::NoDefault);
        }
        for name in default.iter().filter(|name| !by_name.contains_key(*name)) {
            errors.push(RoutesError::UnknownDefault { name: name.clone() });
        }
        let made = Self {
            routes,
            targets: by_name,
            default_first: once_each(default.iter().chain(&listed)),
        };
        made.check_routes(&mut errors);
        if errors.is_empty() {
            Ok(made)
        } else {
            Err(errors)
        }
    }

    fn check_routes(&self, errors: &mut Vec<RoutesError>) {
        let mut names = BTreeSet::new();
        for route in &self.routes {
            if !names.insert(&route.name) {
                let name = route.name.clone();
                errors.push(RoutesError::RepeatedRoute { name });
            }
            let unknown = |name: &&TargetName| !self.targets.contains_key(*name);
            let before = errors.len();
            errors.extend(route.targets.iter().filter(unknown).map(|name| {
                RoutesError::UnknownTarget {
                    route: route.name.clone(),
                    name: name.clone(),
                }
            }));
            let mut candidates = self.candidates(Some(route));
            let somebody = candidates.any(|target| target.skills.is_superset(&route.skills));
            if errors.len() == before && !somebody {
                let route = route.name.clone();
                errors.push(RoutesError::NobodyAble { route });
            }
        }
    }

    /// The routes, first ones first.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route of that name.
    pub fn route(&self, name: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.name == name)
    }

    /// The targets, the default ones first, the others in the order of the configuration.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let names = self.default_first.iter();
        names.filter_map(|name| self.targets.get(name))
    }

    /// The target of that name.
    pub fn target(&self, name: &TargetName) -> Option<&Target> {
        self.targets.get(name)
    }

    /// Finds the first route that is meant for a call in which the signals read so.
    pub fn matching(&self, signals: &Signals) -> Matching<'_> {
        let mut failing = Vec::new();
        let route = self
            .routes
            .iter()
            .find(|route| match route.when.evaluate(signals) {
                Ok(holds) => holds,
                Err(error) => {
                    let route = route.name.as_str();
                    failing.push(FailingRoute { route, error });
                    false
                }
            });
        Matching { route, failing }
    }

    /// The targets that a route may ring, once each and as listed; all, the default ones first,
    /// without a route.
    pub(super) fn candidates(&self, route: Option<&Route>) -> impl Iterator<Item = &Target> {
        let named = match route {
            Some(route) if !route.targets.is_empty() => once_each(&route.targets),
            Some(_) | None => self.default_first.clone(),
        };
        named.into_iter().filter_map(|name| self.targets.get(&name))
    }
}

fn once_each<'n>(names: impl IntoIterator<Item = &'n TargetName>) -> Vec<TargetName> {
    let mut seen = BTreeSet::new();
    let names = names.into_iter().filter(|name| seen.insert(*name));
    names.cloned().collect()
}
