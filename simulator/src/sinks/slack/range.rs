//! Which messages a read asks for, and the page it gets.

use serde_json::{Map, Value, json};

use super::arguments::argument_number;
use super::state::{Message, shown};
use crate::http1::Response;

/// What cursors begin with; the rest counts the messages before.
const CURSOR: &str = "offset-";

/// The arguments of `conversations.history` and `conversations.replies`.
pub(super) struct Range {
    pub(super) channel: String,
    /// `ts`, which only replies have.
    pub(super) root: String,
    oldest: f64,
    latest: f64,
    inclusive: bool,
    limit: usize,
    skip: usize,
    with_metadata: bool,
}

impl Range {
    /// `None` when the cursor is not one of ours.
    pub(super) fn read(channel: String, arguments: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| {
            arguments
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let number = |name: &str| argument_number(arguments, name);
        let is_true = |name: &str| {
            arguments
                .get(name)
                .is_some_and(|value| value == true || value == "true" || value == "1")
        };
        let skip = match text("cursor") {
            "" => 0,
            cursor => cursor.strip_prefix(CURSOR)?.parse().ok()?,
        };
        Some(Self {
            channel,
            root: text("ts").to_owned(),
            oldest: number("oldest").unwrap_or(0.0),
            latest: number("latest").unwrap_or(f64::MAX),
            inclusive: is_true("inclusive"),
            limit: number("limit")
                .map_or(100, |limit| limit as usize)
                .clamp(1, 999),
            skip,
            with_metadata: is_true("include_all_metadata"),
        })
    }

    /// One page of those messages that lie within.
    pub(super) fn page<'a>(&self, messages: impl Iterator<Item = &'a Message>) -> Response {
        let within = |message: &&Message| {
            let ts: f64 = message.ts.parse().unwrap_or(0.0);
            let inside = ts > self.oldest && ts < self.latest;
            let on_border = self.inclusive && (ts == self.oldest || ts == self.latest);
            message.channel == self.channel && (inside || on_border)
        };
        let mut rest = messages.filter(within).skip(self.skip);
        let page: Vec<Value> = rest
            .by_ref()
            .take(self.limit)
            .map(|message| shown(message, self.with_metadata))
            .collect();
        let has_more = rest.next().is_some();
        let next_cursor = match has_more {
            true => format!("{CURSOR}{}", self.skip + page.len()),
            false => String::new(),
        };
        Response::json(
            200,
            &json!({"ok": true, "messages": page, "has_more": has_more, "response_metadata": {"next_cursor": next_cursor}}),
        )
    }
}
