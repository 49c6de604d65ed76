//! What the carriers say and understand, as pure functions.
//!
//! A carrier is known here by its bytes only: the messages of its media socket, the parameters and
//! signatures of its webhooks, the documents it executes, the requests its REST API takes. Opening
//! sockets and sending requests is the business of `session`, `http` and `egress`.
//!
//! - [`number`]: telephone numbers, and which one a human's phone shows.
//! - [`argument`]: what documents may carry, as types that cannot hold anything else.
//! - [`document`]: what documents have in common.
//! - [`call_state`]: how far a call is.
//! - [`form`]: the forms that carriers post.
//! - [`rewrite`]: why a live call was not rewritten.
//! - [`verdict`]: what to do about a failure, and whose it is.
//! - [`twilio`], [`plivo`]: all of one carrier, by the direction and kind of bytes.

pub mod argument;
pub mod call_state;
pub mod document;
pub mod form;
mod lenient;
mod markup;
pub mod number;
pub mod payload;
pub mod plivo;
pub mod rewrite;
pub mod twilio;
pub mod verdict;
