//! Plivo: signed webhooks, Plivo XML, the audio stream, the REST API and the human's phone.
//!
//! A stand-in Plivo believes that the server is reached at a public URL and connects to the address
//! where it really listens, as a TLS-terminating proxy in front of it would: requests are plain HTTP
//! and WebSocket, signatures are over the public URL.
//!
//! Everything here is from Plivo's pages and libraries and has not been compared with a live account.
//! Where they are silent or disagree, a comment says UNCONFIRMED and what is played; where a server
//! could be caught out by the other variant, [`CarrierOptions`] has both.

mod account;
mod call;
mod confirm;
mod conversation;
mod created;
mod dial;
mod executor;
mod hangup;
mod incoming;
mod leg_callbacks;
mod media;
mod options;
mod phone;
mod player;
mod prompts;
mod record;
mod rest;
mod room;
mod signature;
mod stage;
mod stream_status;
mod streaming;
mod terms;
mod webhook;
pub mod xml;

pub use account::Carrier;
pub use options::{
    CarrierOptions, ExtraHeadersForm, LegEventNames, StreamEventNames, TransferFetch,
    UnconfirmedDialStatus,
};
pub use signature::sign;
