//! The stand-in Twilio and the stand-in Plivo, each against a small server that plays handoff.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conference;
mod dial;
mod disorder;
mod media;
mod phones;
mod plivo_created;
mod plivo_dial;
mod plivo_media;
mod plivo_record;
mod plivo_rest;
mod plivo_room;
mod plivo_server;
mod plivo_webhook;
mod queue;
mod record;
mod refer;
mod rest;
mod server;
mod whisper;
