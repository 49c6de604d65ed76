//! The stand-in Twilio and the stand-in Plivo, each against a small server that plays handoff.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dial;
mod media;
mod plivo_dial;
mod plivo_media;
mod plivo_rest;
mod plivo_server;
mod plivo_webhook;
mod rest;
mod server;
