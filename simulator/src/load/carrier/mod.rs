//! The carrier's side of many calls: signed webhooks, the answers' streams, the REST endpoint, and what
//! a rewritten call does until the human's phone rings.

mod account;
mod document;
mod door;
mod rest;

pub use account::{Account, Carrier};
pub use document::{ParseDocumentError, StreamElement, parse_stream};
pub use door::{Door, upgrade};
pub use rest::{Delays, Rest, Ringing};
