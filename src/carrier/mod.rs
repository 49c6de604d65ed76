//! What the carriers say and understand, as pure functions.
//!
//! A carrier is known here by its bytes only: the messages of its media socket, the parameters and
//! signatures of its webhooks, the documents it executes, the requests its REST API takes. Opening
//! sockets and sending requests is the business of `session`, `http` and `egress`.
//!
//! - [`number`]: telephone numbers, and which one a human's phone shows.
//! - [`verdict`]: what to do about a failure, and whose it is.
//! - [`twilio`]: all of Twilio, by the direction and kind of bytes.

mod lenient;
pub mod number;
pub mod twilio;
pub mod verdict;
