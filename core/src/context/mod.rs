//! What the human gets: everything the caller already said, and why the call was moved.

mod handoff_context;
mod summary;

pub use handoff_context::{HandoffContext, Line, Message, Reached, TargetTried};
pub(crate) use summary::summarize;
