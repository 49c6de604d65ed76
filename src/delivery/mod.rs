//! Brings contexts to where people look.
//!
//! The outbox rows that the journal keeps are claimed by the worker, which asks the row's sink for
//! one step after the other and settles the row. Sinks are pure; the worker owns sending, retry
//! and giving up.

pub mod outcome;
pub mod sink;
