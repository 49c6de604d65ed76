//! What the human gets: everything the caller already said, and why the call was moved.

mod handoff_context;
mod summary;

pub use handoff_context::{HandoffContext, Line};
pub(crate) use summary::summarize;
