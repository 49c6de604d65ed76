//! The way in, beneath HTTP: who is accepted, how long somebody may stand in the door.
//!
//! - [`connection`]: a socket that can be told how much must come before it is read.
//! - [`crowd`]: the order in which connections that want nothing have to go.
//! - [`door`]: accepts, serves, and sees the slow and the idle out.

mod connection;
mod crowd;
mod door;

pub(super) use door::{Limits, serve};

#[cfg(test)]
mod tests;
