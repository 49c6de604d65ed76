//! Twilio's REST API for live calls, and the webhook of the voice agent that answered before.
//!
//! Source: <https://www.twilio.com/docs/voice/api/call-resource>, read 2026-11-21.

mod asked;
mod create;
mod disturbed;
mod router;
mod source;
mod update;

pub(super) use router::{BOT_PATH, router};
