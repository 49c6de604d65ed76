//! The pure engine of handoff: what was heard, what it means, and what the call does next.
//!
//! Nothing here reads a clock, opens a socket, draws a random number or waits. A shell gives a
//! [`call::Call`] what happened and when, and carries out what the call asks for:
//!
//! ```text
//! call.handle(event, now);                          // total: cannot fail, never blocks
//! while let Some(command) = call.poll_command() {   // performed beside the loop; what comes of
//!     perform(command);                             // it returns as an event
//! }
//! let deadline = call.poll_timeout();               // when to wake, and which timer asks
//! ```
//!
//! All commands are drained after every input, before the next one. The same inputs give the same
//! commands, which is why a decision can be explained and replayed.
//!
//! # Two planes
//!
//! The *media plane* runs per frame: an [`audio::Ear`] places the frame in time, finds speech in it
//! and gives out windows for a recognizer. It allocates nothing and fails never. The *decision
//! plane* runs per hypothesis, key and timer: the [`call::Call`] turns them into
//! [`rule::Signals`], the rules into a trigger, the trigger into commands.
//!
//! # Three clocks
//!
//! [`time::MediaTime`] counts samples and says when something was heard. [`time::CallTime`] is
//! monotonic, comes with every event and runs the timers. [`time::WallTime`] is for records and
//! tickets only.
#![forbid(unsafe_code)]

pub mod audio;
pub mod call;
pub mod context;
pub mod id;
pub mod pii;
pub mod route;
pub mod rule;
pub mod signal;
pub mod speech;
pub mod spelling;
pub mod time;
