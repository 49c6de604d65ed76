//! What is counted about outside URLs that give an order. Labels are words of this program.

use super::choose::NotFollowed;

/// Questions, by what came of them.
pub const QUESTIONS: &str = "handoff_route_questions_total";

pub(super) fn asked(outcome: Result<(), NotFollowed>) {
    let result = match outcome {
        Ok(()) => "followed",
        Err(reason) => reason.as_str(),
    };
    metrics::counter!(QUESTIONS, "result" => result).increment(1);
}
