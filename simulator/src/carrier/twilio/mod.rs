//! Twilio: signed webhooks, TwiML, media streams, the REST API and the human's phone.
//!
//! A stand-in Twilio believes that the server is reached at a public URL and connects to the address
//! where it really listens, as a TLS-terminating proxy in front of it would: requests are plain HTTP
//! and WebSocket, signatures are over the public URL.

mod account;
mod bidirectional;
mod call;
mod conference;
mod created;
mod executor;
mod flow;
mod leg;
mod media;
mod options;
mod player;
mod poster;
mod queue;
mod rest;
mod script;
mod signature;
mod stage;
pub mod twiml;
mod verbs;
mod webhook;

pub use crate::carrier::caller::AfterRecording;
pub use crate::carrier::fault::{FaultKind, RestFault};
pub use crate::carrier::placed::{DuplicateCall, PlacedCall};
pub use account::Carrier;
pub use options::CarrierOptions;
pub use signature::sign;
