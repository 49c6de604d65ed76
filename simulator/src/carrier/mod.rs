//! Stand-ins for carriers. What they have in common is here, each carrier's protocol in its own folder.

mod callback;
mod caller;
mod clock;
mod connection;
mod element;
mod event;
mod fault;
mod human;
mod interrupt;
mod lock;
mod log;
mod outside;
mod placed;
mod play_queue;
pub mod plivo;
mod socket;
mod speech;
mod speed;
pub mod twilio;

pub use callback::{Callback, Method};
pub use caller::AfterRecording;
pub use event::{Attachment, CarrierEvent, ClosedBy, EndReason, LegStatus, Purpose};
pub use fault::{FaultKind, RestFault};
pub use human::Human;
pub use log::{EventLog, Logged, WaitTimedOut};
pub use placed::{DuplicateCall, PlacedCall};
pub use speed::Speed;
