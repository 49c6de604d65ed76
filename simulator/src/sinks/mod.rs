//! Stand-ins for the places a handoff's context is delivered to: Zendesk and Slack.
//!
//! Written from the vendors' public documentation (developers.zendesk.com, docs.slack.dev and the SDK
//! sources they point to, read 2026-11-21). Each is a real HTTP server that keeps what it was sent,
//! checks it against the documented rules and sizes, and can misbehave by plan.

mod cli;
mod fault;
pub mod slack;
pub mod zendesk;

pub use cli::{Args, run};
pub use fault::{FaultKind, ParseFaultError, RequestLine, SinkFault};
pub use slack::Slack;
pub use zendesk::Zendesk;
