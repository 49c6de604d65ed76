//! The pure engine of handoff.
#![forbid(unsafe_code)]

pub mod call;
pub mod context;
pub mod id;
pub mod pii;
pub mod speech;
pub mod time;
