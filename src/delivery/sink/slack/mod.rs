//! Slack: a card in a channel with the transcript in its thread, and at the call's end the card
//! again with how it ended.
//!
//! `posting` is the bot's state machine, `webhook` that of the lesser form, `requests` and `wire`
//! the two directions of the protocol, `card` and `thread` the words.
//!
//! Facts: docs.slack.dev and python-slack-sdk, read 2026-11-21. Written from the documentation and
//! not yet run against a Slack workspace.

mod card;
mod channel;
mod markup;
mod options;
mod posting;
mod requests;
mod thread;
mod webhook;
mod wire;

#[cfg(test)]
mod tests;

pub use channel::Slack;
pub use options::{SlackLimits, SlackOptions, SlackTransport};
