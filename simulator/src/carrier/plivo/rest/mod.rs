//! The REST API: calls, transfers, streams, and the bot webhook.
//!
//! Source: <https://www.plivo.com/docs/voice/api/>, read 2026-11-21.

mod asked;
mod create;
mod disturbed;
mod fields;
mod participant;
mod router;
mod transfer;

pub(super) use router::{BOT_PATH, router};
