//! The shells of handoff: everything that turns bytes into events and commands into requests.
//!
//! Who may use whom is in `ARCHITECTURE.md` and checked by `tests/tidy`. The engine, which
//! decides, is the package `handoff-core`.
#![deny(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::wildcard_enum_match_arm,
        reason = "for tests alone; the code that ships is linted without them as well"
    )
)]

pub mod base_url;
pub mod carrier;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod egress;
pub mod email;
pub mod http;
pub mod journal;
pub mod recognizer;
pub mod session;
pub mod standard_webhooks;
pub mod targets;
pub mod telemetry;
pub mod time_zone;
