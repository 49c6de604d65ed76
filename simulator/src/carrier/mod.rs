//! Stand-ins for carriers. What they have in common is here, each carrier's protocol in its own folder.

mod clock;
mod event;
mod human;
mod log;
mod speed;
pub mod twilio;

pub use event::{Attachment, CarrierEvent, ClosedBy, EndReason, LegStatus, Purpose};
pub use human::Human;
pub use log::{EventLog, Logged, WaitTimedOut};
pub use speed::Speed;
