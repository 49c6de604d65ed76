//! One call: what happened to it, what it decides, and what it asks for.
//!
//! [`Call`] is the machine; its transitions are in one file a family: `listening`, `keys`,
//! `handing_off`, `reaching`, `streams`. They record facts, and `apply` alone makes state of facts; `restore`
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
mod reaching;
mod restore;
mod state;
mod streams;
mod telling;
mod timeline;
mod timer;

pub use command::{Anomaly, Command};
pub use event::{Effort, Event, Inspection};
pub use fact::{Evidence, Fact, GiveUpReason, Party, Planned, Trigger, TriggerSource, Utterance};
pub use machine::{Arrival, Call};
pub use outcome::{DialEnd, Disposition, LastResort, LegProgress, RewriteOutcome, StreamEnd};
pub use policy::{Mode, Policy};
pub use reaching::NextStep;
pub use timeline::{Stamp, describe};
pub use timer::Timer;
