//! Brings contexts to where people look.
//!
//! The outbox rows that the journal keeps are claimed by the [`Worker`], which asks the row's sink
//! for one step after the other and settles the row. Sinks are pure; the worker owns sending,
//! retry and giving up.

mod attempt;
pub mod metrics;
pub mod outcome;
pub mod schedule;
pub mod sink;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod token;
mod worker;

pub use schedule::Schedule;
pub use worker::Worker;
