//! What the sinks' tests share: contexts to render and a worker that plays scripted answers.

mod contexts;
mod worker;

pub(crate) use contexts::{ACCEPTED, context, hostile_context, monster_context, said};
pub(crate) use worker::{Worker, rendered};
