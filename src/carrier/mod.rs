//! What the carriers say and understand, as pure functions.
//!
//! A carrier is known here by its bytes only: the messages of its media socket, the parameters and
//! signatures of its webhooks, the documents it executes, the requests its REST API takes. Opening
//! sockets and sending requests is the business of `session`, `http` and `egress`.
//!
//! - [`number`]: telephone numbers, and which one a human's phone shows.
//! - [`argument`]: what documents may carry, as types that cannot hold anything else.
//! - [`target`]: the ways to reach a human.
//! - [`brief`], [`template`]: what the human's side is told of the call.
//! - [`document`]: what documents have in common.
//! - [`call_state`]: how far a call is.
//! - [`form`]: the forms that carriers post.
//! - [`rewrite`], [`creation`]: why a live call was not rewritten, a human not called.
//! - [`verdict`]: what to do about a failure, and whose it is.
//! - [`twilio`], [`plivo`]: all of one carrier, by the direction and kind of bytes.

pub mod argument;
pub mod brief;
pub mod call_state;
pub mod creation;
pub mod document;
pub mod form;
mod lenient;
mod markup;
pub mod number;
pub mod payload;
pub mod plivo;
pub mod rewrite;
mod sip_status;
pub mod target;
pub mod template;
pub mod twilio;
pub mod verdict;

#[cfg(test)]
mod testing;
