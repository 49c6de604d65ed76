//! Rules: conditions over signals in CEL, and the engine that fires them.
//!
//! A rule's condition is checked when it is loaded (every name is a declared signal, every part of
//! it is a condition), so that what can still go wrong during a call is data: a parameter that did
//! not come, a text that is no number. Such a rule is false, and says so.

mod engine;
mod expression;
mod fitting;
mod signals;
#[cfg(test)]
mod tests;

pub use engine::{Failing, Fired, Rule, RuleEngine, RuleSet};
pub use expression::{EvaluationError, Expression, ExpressionError};
pub use signals::{Call, Caller, DECLARED, Declaration, Party, Reading, Signals};
