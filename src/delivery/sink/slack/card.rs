//! The card: what a channel sees of a handoff at a glance.

use handoff_core::context::HandoffContext;
use serde::Serialize;
use serde_json::{Value, json};

use super::markup::escaped;
use super::options::SlackLimits;
use crate::delivery::sink::cut;
use crate::delivery::sink::wording::{self, Said};

/// Slack's own limits (python-slack-sdk, models/blocks, read 2026-11-21).
const SECTION_CHARACTERS: usize = 3_000;
const HEADER_CHARACTERS: usize = 150;

const FALLBACK_CHARACTERS: usize = 300;
const SUMMARY_CHARACTERS: usize = 1_500;
const FIELD_CHARACTERS: usize = 200;
const EXHIBITS: usize = 3;
const EXHIBIT_CHARACTERS: usize = 500;
/// Blocks that hold the transcript of a webhook's message, out of Slack's 50.
const TRANSCRIPT_BLOCKS: usize = 30;

/// One block of a message, and how many characters of Slack's undocumented total it takes.
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Block {
    value: Value,
    #[serde(skip)]
    pub(super) characters: usize,
}

impl Block {
    fn header(text: &str) -> Self {
        let text = cut::characters(text, HEADER_CHARACTERS);
        let characters = text.chars().count();
        Self {
            value: json!({"type": "header", "text": {"type": "plain_text", "text": text}}),
            characters,
        }
    }

    fn section(text: String) -> Self {
        debug_assert!(text.chars().count() <= SECTION_CHARACTERS);
        let characters = text.chars().count();
        Self {
            value: json!({"type": "section", "text": {"type": "mrkdwn", "text": text}}),
            characters,
        }
    }

    fn fields(fields: Vec<String>) -> Self {
        let characters = fields.iter().map(|field| field.chars().count()).sum();
        let fields: Vec<Value> = fields
            .into_iter()
            .map(|text| json!({"type": "mrkdwn", "text": text}))
            .collect();
        Self {
            value: json!({"type": "section", "fields": fields}),
            characters,
        }
    }

    fn context(text: String) -> Self {
        let characters = text.chars().count();
        Self {
            value: json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}),
            characters,
        }
    }
}

/// The one-line form, for notifications and clients that show no blocks.
pub(super) fn fallback(context: &HandoffContext) -> String {
    let mut text = format!(
        "Handoff {}: {}",
        context.trigger.handoff,
        escaped(&wording::reason(&context.trigger), FALLBACK_CHARACTERS)
    );
    if let Some(sentiment) = wording::sentiment(context) {
        text.push_str(&format!(", sentiment {sentiment}"));
    }
    if let Some(end) = context.disposition {
        text.push_str(&format!(". {}", wording::disposition(end)));
    }
    text
}

/// The card's blocks. With a disposition the card says first how the call ended.
pub(super) fn blocks(context: &HandoffContext) -> Vec<Block> {
    let mut blocks = Vec::with_capacity(6);
    match context.disposition {
        Some(end) => {
            blocks.push(Block::header("Call ended"));
            blocks.push(Block::section(format!("*{}*", wording::disposition(end))));
        }
        None => blocks.push(Block::header("Caller needs a human")),
    }
    let summary = wording::line(context.summary.expose());
    if !summary.is_empty() {
        blocks.push(Block::section(format!(
            "*Summary*\n{}",
            escaped(&summary, SUMMARY_CHARACTERS)
        )));
    }
    blocks.push(Block::fields(fields(context)));
    let exhibits: Vec<String> = wording::exhibits(&context.trigger)
        .iter()
        .take(EXHIBITS)
        .map(|exhibit| {
            format!(
                "> {}: {}",
                exhibit.place,
                escaped(&exhibit.text, EXHIBIT_CHARACTERS)
            )
        })
        .collect();
    if !exhibits.is_empty() {
        blocks.push(Block::section(format!(
            "*What decided it*\n{}",
            exhibits.join("\n")
        )));
    }
    let mut origin = format!(
        "Handoff `{}` · call `{}` · accepted {}",
        context.trigger.handoff,
        context.call,
        wording::instant(context.accepted)
    );
    if wording::is_approximate(context) {
        origin.push_str(" · ");
        origin.push_str(wording::APPROXIMATE);
    }
    blocks.push(Block::context(origin));
    blocks
}

/// The card with as much of the transcript's end as one message holds, for the webhook.
pub(super) fn blocks_with_transcript(context: &HandoffContext, limits: SlackLimits) -> Vec<Block> {
    let mut blocks = blocks(context);
    let used: usize = blocks.iter().map(|block| block.characters).sum();
    const POINTER_CHARACTERS: usize = 100;
    let budget = limits
        .blocks_characters
        .saturating_sub(used + POINTER_CHARACTERS);
    let lines: Vec<String> = context
        .transcript
        .iter()
        .flat_map(|line| lines(line, FIELD_CHARACTERS * 5))
        .collect();
    let (omitted, lines) = cut::tail(lines, budget, |line| line.chars().count() + 1);
    let (dropped, sections) = keep_last(packed(lines, SECTION_CHARACTERS), TRANSCRIPT_BLOCKS);
    if omitted + dropped > 0 {
        blocks.push(Block::section(
            "*Transcript* (its beginning does not fit here and is left out)".to_owned(),
        ));
    } else if !sections.is_empty() {
        blocks.push(Block::section("*Transcript*".to_owned()));
    }
    blocks.extend(sections.into_iter().map(Block::section));
    blocks
}

fn fields(context: &HandoffContext) -> Vec<String> {
    let field = |name: &str, value: &str| format!("*{name}*\n{}", escaped(value, FIELD_CHARACTERS));
    let mut fields = vec![
        field("Reason", &wording::reason(&context.trigger)),
        field("Caller", &wording::party(&context.caller)),
        field("Called", &wording::party(&context.called)),
    ];
    if let Some(sentiment) = wording::sentiment(context) {
        fields.push(field("Sentiment", &sentiment));
    }
    let digits = wording::line(context.digits.expose());
    if !digits.is_empty() {
        fields.push(field("Keys", &digits));
    }
    fields
}

/// One utterance as lines of mrkdwn, each at most `limit` characters.
pub(super) fn lines(line: &handoff_core::context::Line, limit: usize) -> Vec<String> {
    const HEAD_CHARACTERS: usize = 100;
    let said = Said::of(line);
    let who = escaped(&said.who, HEAD_CHARACTERS);
    let head = format!("{} *{who}* ", said.at);
    let mut lines = super::markup::split(&said.text, limit.saturating_sub(HEAD_CHARACTERS));
    if let Some(first) = lines.first_mut() {
        first.insert_str(0, &head);
    }
    if let Some(last) = lines.last_mut() {
        last.push_str(said.remark);
    }
    lines
}

/// Packs lines into texts of at most `limit` characters.
pub(super) fn packed(lines: Vec<String>, limit: usize) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut length = 0;
    for line in lines {
        let width = line.chars().count();
        match texts.last_mut() {
            Some(text) if length + 1 + width <= limit => {
                text.push('\n');
                text.push_str(&line);
                length += 1 + width;
            }
            Some(_) | None => {
                texts.push(line);
                length = width;
            }
        }
    }
    texts
}

/// Keeps the last `count` texts and says how many were left out before them.
pub(super) fn keep_last(texts: Vec<String>, count: usize) -> (usize, Vec<String>) {
    let dropped = texts.len().saturating_sub(count);
    (dropped, texts.into_iter().skip(dropped).collect())
}
