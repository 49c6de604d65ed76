//! What was said: hypotheses as recognizers give them.

mod hypothesis;

pub use hypothesis::{Hypothesis, Speaker};
