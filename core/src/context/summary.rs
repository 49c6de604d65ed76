//! Two or three sentences without any model: why the call was moved, what it was first about, how
//! the caller feels.

use super::handoff_context::Line;
use crate::call::{Disposition, Trigger, TriggerSource};
use crate::speech::Speaker;

/// How many characters of somebody's words a summary quotes.
const QUOTE: usize = 160;

/// Writes the summary of a handoff.
///
/// The caller's first utterance of at least four words usually says what the call is about; it
/// and the deciding words are quoted, nothing is paraphrased.
pub(crate) fn summarize(
    trigger: &Trigger,
    transcript: &[Line],
    sentiment: Option<f32>,
    disposition: Option<Disposition>,
) -> String {
    let caller = || {
        transcript
            .iter()
            .filter(|line| line.speaker == Speaker::Caller)
    };
    let mut sentences = Vec::new();
    let decided = caller().find(|line| line.decided);
    sentences.push(match (&trigger.source, decided) {
        (TriggerSource::Rule(rule), Some(line)) => {
            format!("{}: \"{}\".", spaced(rule), quote(line))
        }
        (TriggerSource::Rule(rule), None) => format!("{}.", spaced(rule)),
        (TriggerSource::Api { reason }, _) => {
            format!("Handed over on request: {}.", cut(reason.expose()))
        }
    });
    let topic = caller().find(|line| line.text.expose().split_whitespace().count() >= 4);
    if let Some(line) = topic.filter(|line| !line.decided) {
        sentences.push(format!("The caller began with: \"{}\".", quote(line)));
    }
    match sentiment {
        Some(value) if value <= -0.5 => sentences.push("They sound upset.".to_owned()),
        Some(value) if value <= -0.15 => sentences.push("They sound displeased.".to_owned()),
        Some(_) | None => {}
    }
    if let Some(disposition) = disposition {
        sentences.push(format!(
            "Outcome: {}.",
            disposition.as_str().replace('_', " ")
        ));
    }
    sentences.join(" ")
}

fn spaced(rule: &str) -> String {
    let mut words = rule.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

fn quote(line: &Line) -> String {
    cut(line.text.expose()).trim_end_matches('.').to_owned()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= QUOTE {
        return text.trim().to_owned();
    }
    let head: String = text.chars().take(QUOTE).collect();
    format!("{}…", head.trim_end())
}
