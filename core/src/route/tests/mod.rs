//! When a target is open, which route a call takes, and who is rung.

mod hours;
mod plan;
