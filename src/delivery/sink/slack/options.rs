//! What an operator chooses about the Slack sink.

use handoff_core::pii::Secret;

use crate::delivery::sink::endpoint::BaseUrl;

/// The Slack workspace and how large messages may be.
#[derive(Clone, Debug)]
pub struct SlackOptions {
    /// How messages get to Slack.
    pub transport: SlackTransport,
    /// Sizes that messages keep to.
    pub limits: SlackLimits,
}

/// How messages get to Slack.
#[derive(Clone, Debug)]
pub enum SlackTransport {
    /// The Web API with a bot's token: card, thread, update, file.
    ///
    /// Scopes: `chat:write`; `channels:history` (`groups:history` in a private channel) so that a
    /// message is not posted twice after a failure that leaves its fate open; `files:write` for
    /// transcripts too long for the thread. Without the last two everything still arrives.
    Bot {
        /// `https://slack.com/api`.
        base: BaseUrl,
        /// `xoxb-…`.
        token: Secret,
        /// The channel's id (`C…`). A name posts too, but the look-up before a repeat needs the
        /// id.
        channel: String,
    },
    /// An incoming webhook: one message, never changed afterwards, possibly twice after a failure
    /// that leaves its fate open.
    Webhook {
        /// `https://hooks.slack.com/services/…`, a secret.
        url: BaseUrl,
    },
}

/// Sizes that messages keep to. Slack changes theirs, so these are settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlackLimits {
    /// Characters of one message of the thread. Slack recommends at most 4,000
    /// (api.slack.com, chat.postMessage, read 2026-11-21).
    pub message_characters: usize,
    /// Characters of all blocks of a message together. Undocumented: messages fail at roughly
    /// 13,200 (github.com/slackapi/bolt-js issue 2509, read 2026-11-21).
    pub blocks_characters: usize,
    /// Messages that a transcript may take in the thread before it becomes a file.
    pub thread_messages: usize,
}

impl SlackLimits {
    /// What the reference gives for Slack, with distance kept.
    pub const VENDOR: Self = Self {
        message_characters: 3_500,
        blocks_characters: 10_000,
        thread_messages: 8,
    };
}
