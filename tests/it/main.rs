//! The real server process against its peers, over loopback.
//!
//! `stage` sets the scene, `by_hand` is Twilio where it has to misbehave, `process` is the server.
//! Everything else is tests, one file a subject.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "for tests alone"
)]

mod by_hand;
mod config;
mod durability;
mod faults;
mod kinds;
mod media;
#[cfg(target_os = "linux")]
mod outage;
mod pii;
mod plivo;
mod process;
mod quiet;
mod recognizers;
mod recordings;
mod replay;
mod rewrite;
mod routes;
mod sinks;
mod stage;
mod story;
mod targets;
mod webhook;
