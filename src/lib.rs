//! The shells of handoff: everything that turns bytes into events and commands into requests.
#![deny(unsafe_code)]

pub mod carrier;
pub mod delivery;
pub mod recognizer;
