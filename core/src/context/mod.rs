//! What the human gets: everything the caller already said, and why the call was moved.

mod handoff_context;

pub use handoff_context::{HandoffContext, Line};
