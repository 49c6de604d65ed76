//! Deepgram's live transcription (`/v1/listen`) behind the recognizer port.
//!
//! [`start`] is one speaker's recognition: it connects when the first audio comes, reconnects
//! when the connection breaks and ends when the feed is dropped. What Deepgram's protocol says is
//! in `request`, `wire` and `policy`; which audio is sent when in `backlog` and `pace`; what the
//! answers mean on the call's media clock in `segments` and `reading`. None of those does I/O.
//! `connection` drives one WebSocket, `socket` opens them one after the other.
//!
//! This is not Flux (`/v2/listen`), nor Deepgram's Speak or Voice Agent.

mod backlog;
mod connection;
mod count;
mod options;
mod pace;
mod policy;
mod reading;
mod recognition;
mod request;
mod segments;
mod socket;
mod wire;

#[cfg(test)]
mod tests;

pub use options::{DeepgramOptions, Leg, Reconnect, Replay};
pub use request::{ConnectRequest, RequestError};
pub use socket::{Deepgram, start};
