//! What is said in the thread below the card: the transcript, and at the end how it ended.

use handoff_core::context::HandoffContext;

use super::card::{keep_last, lines, packed};
use super::markup::escaped;
use super::options::SlackLimits;
use crate::delivery::sink::content::Growth;
use crate::delivery::sink::wording;

/// Room for the heading of a message, out of its limit.
const HEADING_CHARACTERS: usize = 200;

/// The longest line about who was tried.
const LINE_CHARACTERS: usize = 300;

/// The transcript as it goes into a thread.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Transcript {
    /// There is nothing to say.
    Nothing,
    /// It fits into so many messages.
    Messages(Vec<String>),
    /// It is too long for messages: the whole of it as a file.
    File(String),
}

/// Which part of the transcript is due, given what the thread already holds.
pub(super) fn transcript(
    context: &HandoffContext,
    growth: Growth,
    limits: SlackLimits,
) -> Transcript {
    let messages = messages(context, growth, limits);
    if messages.is_empty() {
        Transcript::Nothing
    } else if messages.len() > limits.thread_messages {
        Transcript::File(wording::transcript(context))
    } else {
        Transcript::Messages(numbered(context, growth, messages, 0))
    }
}

/// The end of the transcript in messages, for a thread that cannot have the file.
pub(super) fn shortened(
    context: &HandoffContext,
    growth: Growth,
    limits: SlackLimits,
) -> Vec<String> {
    let (omitted, kept) = keep_last(messages(context, growth, limits), limits.thread_messages);
    numbered(context, growth, kept, omitted)
}

/// How the call ended, or that it goes on.
pub(super) fn end(context: &HandoffContext) -> String {
    let mut text = match context.disposition {
        Some(end) => format!("*The call has ended.* {}", wording::disposition(end)),
        None => "*The call goes on.* More is known than when it was handed over.".to_owned(),
    };
    for line in wording::course(context) {
        text.push_str(&format!("\n• {}", escaped(&line, LINE_CHARACTERS)));
    }
    text
}

fn messages(context: &HandoffContext, growth: Growth, limits: SlackLimits) -> Vec<String> {
    let from = match growth {
        Growth::None => return Vec::new(),
        Growth::After(count) => count,
        Growth::Rewritten => 0,
    };
    let limit = limits.message_characters.saturating_sub(HEADING_CHARACTERS);
    let lines = context.transcript[from..]
        .iter()
        .flat_map(|line| lines(line, limit))
        .collect();
    packed(lines, limit)
}

fn numbered(
    context: &HandoffContext,
    growth: Growth,
    messages: Vec<String>,
    omitted: usize,
) -> Vec<String> {
    let name = match growth {
        Growth::None | Growth::Rewritten => "Transcript",
        Growth::After(_) => "Said since",
    };
    let count = messages.len();
    messages
        .into_iter()
        .enumerate()
        .map(|(index, text)| {
            let mut heading = format!("*{name}*");
            if count > 1 {
                heading.push_str(&format!(" ({} of {count})", index + 1));
            }
            if index == 0 && omitted > 0 {
                heading.push_str(" (the beginning is too long for this thread and is left out)");
            }
            if index == 0 && wording::is_approximate(context) {
                heading.push_str(&format!("\n_{}_", wording::APPROXIMATE));
            }
            format!("{heading}\n{text}")
        })
        .collect()
}
