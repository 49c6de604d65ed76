//! The stand-in Twilio against a small server that plays handoff.

mod dial;
mod media;
mod rest;
mod server;
