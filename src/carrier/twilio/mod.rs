//! Twilio's side of the conversation, in bytes.
//!
//! - [`wire`]: the media socket, both directions.
//! - [`signature`]: proof that a request or an upgrade comes from Twilio.
//! - [`webhook`]: the parameters that Twilio posts.
//! - [`xml`]: checking of documents that an operator wrote.
//! - [`twiml`]: the documents that we answer with.
//! - [`sid`]: its names for things.
//! - [`rest`]: the requests that change a live call, and what their answers mean.

pub use super::{argument, call_state};

pub mod rest;
pub mod sid;
pub mod signature;
pub(super) mod sip;
pub mod twiml;
pub mod webhook;
pub mod wire;
pub mod xml;

#[cfg(test)]
mod tests;
