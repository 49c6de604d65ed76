//! One call: what happened to it, what it decides, and what it asks for.

mod fact;
mod outcome;

pub use fact::{Evidence, Fact, Party, Trigger, TriggerSource, Utterance};
pub use outcome::{DialEnd, Disposition, LegProgress, RewriteOutcome, StreamEnd};
