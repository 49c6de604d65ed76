//! The call machine from outside: scenarios as scripts, and a reference model under disorder.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;
mod model;
mod reaching;
mod restored;
mod scenario;
