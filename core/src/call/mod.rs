//! One call: what happened to it, what it decides, and what it asks for.
//!
//! [`Call`] is the machine; its transitions are in one file a family: `listening`, `handing_off`,
//! `streams`; `telling` builds the context, `restore` builds a call again from its facts.

mod command;
mod event;
mod fact;
mod handing_off;
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
pub use fact::{Evidence, Fact, Party, Trigger, TriggerSource, Utterance};
pub use machine::{Arrival, Call};
pub use outcome::{DialEnd, Disposition, LegProgress, RewriteOutcome, StreamEnd};
pub use policy::Policy;
pub use timeline::{Stamp, describe};
pub use timer::Timer;
