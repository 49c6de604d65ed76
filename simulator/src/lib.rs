//! The world around handoff, on loopback.

#![forbid(unsafe_code)]

pub mod command;
pub mod http1;
pub mod load;
pub mod recognizer;
pub mod sinks;
pub mod witness;
