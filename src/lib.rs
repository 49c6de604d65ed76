//! The shells of handoff: everything that turns bytes into events and commands into requests.
//!
//! Who may use whom is in `ARCHITECTURE.md` and checked by `tests/tidy.rs`. The engine, which
//! decides, is the package `handoff-core`.
#![deny(unsafe_code)]

pub mod carrier;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod egress;
pub mod http;
pub mod journal;
pub mod recognizer;
pub mod session;
pub mod telemetry;
