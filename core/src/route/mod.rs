//! Routes: which human is rung, in which order, and why another is not.
//!
//! A [`Route`] says for which calls it is meant and who can take them; [`Routes`] makes a [`Plan`]
//! of it from the conditions of the instant: who is open, available and quick. The shell reads the
//! clock, the time zones and the live figures, and gives them as a [`Condition`] for each target.
//!
//! Where something about a target is not known, it is rung: a caller who reaches a closed line has
//! lost seconds, one for whom nobody was rung has lost the call.

mod civil;
mod hours;
mod plan;
mod routes;
mod target;
#[cfg(test)]
mod tests;

pub use civil::{Date, DateError, LocalTime, Weekday};
pub use hours::{Hours, HoursError};
pub use plan::{Condition, LONGEST_PLAN, PassedOver, Plan, PlanAsAsked};
pub use routes::{FailingRoute, Matching, Order, Route, Routes, RoutesError};
pub use target::{Acceptance, Joining, Metrics, Target, TargetName, TargetNameError};
