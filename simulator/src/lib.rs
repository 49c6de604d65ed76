//! The world outside handoff, on loopback.

pub mod http1;
pub mod recognizer;
pub mod sinks;
pub mod witness;
