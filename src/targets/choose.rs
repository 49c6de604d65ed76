//! Whom a handoff rings.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use handoff_core::route::{Condition, Plan, TargetName};
use http::{Request, StatusCode};
use tracing::warn;

use super::known::Targets;
use super::metrics;
use super::question::{Around, Question, names};
use crate::egress::SendFailure;

/// How long an outside URL may take. The caller waits for it.
const PATIENCE: Duration = Duration::from_millis(800);

/// Whom a handoff rings, and who gave the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The plan.
    pub plan: Plan,
    /// Whether it is in the order that an outside URL gave, or why it is not. `None` if nobody is to be
    /// asked for this route.
    pub asked: Option<Result<(), NotFollowed>>,
}

/// Why the order of an outside URL was not followed. The plan is the route's own then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// Nobody is there.
    #[error("no connection to it")]
    NotReached,
    /// There was no whole answer in time.
    #[error("no whole answer within {PATIENCE:?}")]
    TooLate,
    /// It answered that something went wrong.
    #[error("answered with status {0}")]
    Status(u16),
    /// The answer is no list of targets.
    #[error("the answer is not {{\"targets\": [\"…\"]}}")]
    Unreadable,
    /// Nobody of the list can be rung: unknown, closed, unavailable, or nobody in it.
    #[error("nobody that it names can be rung")]
    NobodyAvailable,
}

impl NotFollowed {
    /// The word for it in metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotReached => "not_reached",
            Self::TooLate => "too_late",
            Self::Status(_) => "status",
            Self::Unreadable => "unreadable",
            Self::NobodyAvailable => "nobody_available",
        }
    }
}

impl Targets {
    /// Makes the plan of a handoff. If its route asks an outside URL, that is waited for no longer than
    /// 800 ms, and whatever goes wrong with it costs its order alone.
    pub async fn choose(&self, question: &Question<'_>) -> Chosen {
        let conditions = self.conditions_for(question.carrier, question.caller, question.now);
        let Some(asked) = self.ask(question, &conditions).await else {
            return Chosen {
                plan: self.routes().plan(question.route, &conditions),
                asked: None,
            };
        };
        let route = question.route;
        let (plan, outcome) = match asked {
            Err(reason) => (self.routes().plan(route, &conditions), Err(reason)),
            Ok(names) => {
                let made = self.routes().plan_as_asked(route, &names, &conditions);
                if !made.unknown.is_empty() {
                    let unknown = made.unknown.len();
                    warn!(
                        route,
                        unknown, "the URL of a route names targets that do not exist"
                    );
                }
                let outcome = match made.followed {
                    true => Ok(()),
                    false => Err(NotFollowed::NobodyAvailable),
                };
                (made.plan, outcome)
            }
        };
        metrics::asked(outcome);
        if let Err(reason) = outcome {
            warn!(route, %reason, "the URL of a route gave no order; the route's own stands");
        }
        Chosen {
            plan,
            asked: Some(outcome),
        }
    }

    /// Asks the URL of the call's route for names. `None` if the route has none.
    async fn ask(
        &self,
        question: &Question<'_>,
        conditions: &BTreeMap<TargetName, Condition>,
    ) -> Option<Result<Vec<String>, NotFollowed>> {
        let asking = self.asking()?;
        let route = self.routes().route(question.route?)?;
        let ask = asking.by_route.get(&route.name)?;
        let around = Around {
            route,
            routes: self.routes(),
            conditions,
            fixed: &self.fixed,
        };
        let request = question.request(&around, ask, &asking.secret);
        Some(match request {
            Some(request) => self.send(request).await,
            None => Err(NotFollowed::NotReached),
        })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Vec<String>, NotFollowed> {
        let sent = self.egress.send_within(PATIENCE, request).await;
        let answer = sent.map_err(|failure| match failure {
            SendFailure::NotSent => NotFollowed::NotReached,
            SendFailure::Unknown => NotFollowed::TooLate,
        })?;
        match answer.status() {
            StatusCode::OK => names(answer.body()).ok_or(NotFollowed::Unreadable),
            status => Err(NotFollowed::Status(status.as_u16())),
        }
    }
}
