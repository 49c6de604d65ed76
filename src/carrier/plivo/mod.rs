//! Plivo's side of the conversation, in bytes.
//!
//! Implemented from the vendor's pages, libraries and published tests, not yet run against the carrier.
//! Where those sources are silent or disagree, every variant is taken, and the doc of the place says so.
//!
//! - [`wire`]: the media socket, both directions.
//! - [`signature`]: proof that a request or an upgrade comes from Plivo.
//! - [`webhook`]: the parameters that Plivo posts.
//! - [`hangup`]: why Plivo ended a leg.
//! - [`xml`]: the documents that we answer with.
//! - [`rest`]: the requests that change a live call or call a human, and what their answers mean.

pub mod hangup;
mod number;
pub mod rest;
pub mod signature;
pub(super) mod sip;
pub mod webhook;
pub mod wire;
pub mod xml;

#[cfg(test)]
mod tests;
