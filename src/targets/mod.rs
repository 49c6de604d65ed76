//! What is known of targets at this moment, and whom a handoff therefore rings.
//!
//! [`Targets`] knows what every call needs to know of a target: its clock, and what was last told of it
//! from outside (`PUT /api/targets/{name}`), which is in the journal before it counts. [`Targets::choose`]
//! makes the plan of a handoff, for which some routes ask an outside URL first. Which target is able, open
//! and before another is decided in `handoff_core::route`.

mod choose;
mod known;
mod metrics;
mod question;
#[cfg(test)]
mod tests;

pub use choose::{Chosen, NotFollowed};
pub use known::{Live, SetError, Shown, Targets};
pub use question::Question;
