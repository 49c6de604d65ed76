//! What was said: hypotheses as recognizers give them, joined to utterances.

mod hypothesis;
mod utterance;

pub use hypothesis::{Hypothesis, Speaker};
pub(crate) use utterance::Spoken;
