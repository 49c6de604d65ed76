//! The world around handoff, on loopback: what a carrier, a recognizer and a ticket system would do.
//!
//! This package is an independent witness. It is written from the vendors' documentation and shares
//! no code with `handoff` or `handoff-core`, so that a fact misread there is not misread here too.
//! It checks what it is sent: a request or document that the real vendor would refuse, ignore or
//! punish becomes a violation, and a violation fails the test or the command that saw it.

#![forbid(unsafe_code)]

pub mod carrier;
pub mod command;
pub mod http1;
pub mod load;
pub mod recognizer;
pub mod recording;
pub mod sinks;
pub mod witness;
