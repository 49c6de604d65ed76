//! The pure engine of handoff.
#![forbid(unsafe_code)]

pub mod audio;
pub mod id;
pub mod pii;
pub mod rule;
pub mod signal;
pub mod speech;
pub mod time;
