//! One call: what happened to it, what it decides, and what it asks for.
//!
//! [`Call`] is the machine; its transitions are in one file a family: `listening`, `keys`,
//! `handing_off`, `streams`. They record facts, and `apply` alone makes state of facts; `restore`
//! builds a call again from them. `telling` builds the context.

mod apply;
mod command;
mod event;
mod fact;
mod handing_off;
mod keys;
mod listening;
mod machine;
mod outcome;
mod policy;
mod restore;
mod state;
mod streams;
mod telling;
mod timeline;
mod timer;

pub use command::{Anomaly, Command};
pub use event::{Event, Inspection};
pub use fact::{Evidence, Fact, GiveUpReason, Party, Trigger, TriggerSource, Utterance};
pub use machine::{Arrival, Call};
pub use outcome::{DialEnd, Disposition, LegProgress, RewriteOutcome, StreamEnd};
pub use policy::{Mode, Policy};
pub use timeline::{Stamp, describe};
pub use timer::Timer;
