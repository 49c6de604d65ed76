//! The stand-in Twilio against a small server that plays handoff.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dial;
mod media;
mod rest;
mod server;
