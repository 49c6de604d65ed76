//! `[delivery]` and `[sink.…]`: where the context goes, for how long it is tried, and with which
//! credentials.

use std::time::Duration;

use handoff_core::pii::Secret;

use super::bounds;
use super::environment::{Environment, Pair};
use super::reader::{Problems, Section};
use crate::base_url::BaseUrl;
use crate::email;

/// What is told of a text that is no e-mail address; the text is not repeated.
const NO_ADDRESS: &str = "must be an e-mail address, like \"phone@example.com\"";
/// As many as the sink sends of a caller's name.
const REQUESTER_NAME_CHARACTERS: usize = 200;
/// As many as the sink sends of a tag.
const TAG_CHARACTERS: usize = 80;

/// `[delivery]`.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// When a delivery becomes a dead letter.
    pub give_up_after: Duration,
}

/// `[sink.zendesk]` with its secrets.
#[derive(Clone, Debug)]
pub struct Zendesk {
    /// Where the API is.
    pub base_url: BaseUrl,
    /// How to authenticate.
    pub access: ZendeskAccess,
    /// The ticket's requester.
    pub requester_name: String,
    /// The requester's address, if one is to be given.
    pub requester_email: Option<String>,
    /// Tags on every ticket.
    pub tags: Vec<String>,
}

/// How Zendesk is authenticated with.
#[derive(Clone, Debug)]
pub enum ZendeskAccess {
    /// OAuth client credentials of a confidential client.
    Client {
        /// The client's identifier.
        id: String,
        /// Its secret.
        secret: Secret,
    },
    /// An API token, which Zendesk ends on 2027-04-30.
    Token {
        /// The address of the token's user.
        email: String,
        /// The token.
        token: Secret,
    },
}

/// `[sink.slack]` with its secrets.
#[derive(Clone, Debug)]
pub struct Slack {
    /// Where the API is.
    pub base_url: BaseUrl,
    /// How to post.
    pub access: SlackAccess,
}

/// How Slack is posted to.
#[derive(Clone, Debug)]
pub enum SlackAccess {
    /// As a bot: card, thread, updates.
    Bot {
        /// `xoxb-…`.
        token: Secret,
        /// The channel's id.
        channel: String,
    },
    /// Through an incoming webhook: the card alone.
    Webhook {
        /// The webhook's secret URL.
        url: BaseUrl,
    },
}

impl Delivery {
    pub(super) fn read(mut section: Section<'_>, problems: &mut Problems) -> Self {
        let read = Self {
            give_up_after: section.duration("give_up_after", &bounds::GIVE_UP_AFTER, problems),
        };
        section.finish(problems);
        read
    }
}

impl Zendesk {
    /// Reads the section; `None`, with a note, when nothing of it is set.
    pub(super) fn read(
        mut section: Section<'_>,
        env: &Environment<'_>,
        problems: &mut Problems,
        notes: &mut Vec<String>,
    ) -> Option<Self> {
        let client = env.pair("ZENDESK_CLIENT_ID", "ZENDESK_CLIENT_SECRET", problems);
        let token = env.pair("ZENDESK_EMAIL", "ZENDESK_API_TOKEN", problems);
        let base_url = section.text("base_url", problems);
        let base_path = section.path("base_url");
        let requester_name = section.text("requester_name", problems);
        let requester_email = section
            .optional_text("requester_email", problems)
            .filter(|email| !email.is_empty());
        let tags = section.texts("tags", problems);
        if let Some(email) = &requester_email {
            if !email::is_address(email) {
                problems.add(section.path("requester_email"), NO_ADDRESS);
            }
            if !(1..=REQUESTER_NAME_CHARACTERS).contains(&requester_name.chars().count()) {
                problems.add(
                    section.path("requester_name"),
                    format!(
                        "must be 1 to {REQUESTER_NAME_CHARACTERS} characters beside requester_email"
                    ),
                );
            }
        }
        for tag in tags.iter().filter(|tag| !is_tag(tag)) {
            problems.add(
                section.path("tags"),
                format!(
                    "\"{tag}\" must be 1 to {TAG_CHARACTERS} lower-case letters, digits, _, - or /, \
                     like \"voice_handoff\"; Zendesk takes a blank for the end of a tag"
                ),
            );
        }
        section.finish(problems);
        if let Pair::Whole(user, _) = &token
            && !email::is_address(user)
        {
            problems.add("ZENDESK_EMAIL", NO_ADDRESS);
        }
        let access = match (client, token) {
            (Pair::Whole(id, secret), token) => {
                if matches!(token, Pair::Whole(..)) {
                    notes.push("ZENDESK_CLIENT_ID and ZENDESK_API_TOKEN are both set: the client is used, the token is not".to_owned());
                }
                Some(ZendeskAccess::Client { id, secret })
            }
            (Pair::Absent, Pair::Whole(email, token)) => {
                notes.push("Zendesk API tokens end on 2027-04-30: move to ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET".to_owned());
                Some(ZendeskAccess::Token { email, token })
            }
            (Pair::Absent, Pair::Absent) if base_url.is_empty() => {
                notes.push("no Zendesk ticket: set ZENDESK_BASE_URL, ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET".to_owned());
                return None;
            }
            (Pair::Absent, Pair::Absent) => {
                problems.add("ZENDESK_CLIENT_ID", "is not set beside ZENDESK_BASE_URL; set it and ZENDESK_CLIENT_SECRET (or ZENDESK_EMAIL and ZENDESK_API_TOKEN)");
                None
            }
            (Pair::Half, _) | (Pair::Absent, Pair::Half) => None,
        };
        let base_url = if base_url.is_empty() {
            problems.add(base_path, "is not set beside the credentials; give your Zendesk address, like \"https://yourcompany.zendesk.com\" (or ZENDESK_BASE_URL)");
            None
        } else {
            problems.keep(base_path, BaseUrl::parse(&base_url))
        };
        Some(Self {
            base_url: base_url?,
            access: access?,
            requester_name,
            requester_email,
            tags,
        })
    }
}

impl Slack {
    /// Reads the section; `None`, with a note, when nothing of it is set.
    pub(super) fn read(
        mut section: Section<'_>,
        env: &Environment<'_>,
        problems: &mut Problems,
        notes: &mut Vec<String>,
    ) -> Option<Self> {
        let base_url = section.parsed("base_url", BaseUrl::parse, problems);
        let channel = section.text("channel", problems);
        let channel_path = section.path("channel");
        section.finish(problems);
        let token = env.secret("SLACK_BOT_TOKEN", problems);
        let access = match (token, env.get("SLACK_WEBHOOK_URL")) {
            (Some(token), webhook) => {
                if channel.is_empty() {
                    problems.add(channel_path, "is not set; give the id of the channel, like \"C0123456789\" (or SLACK_CHANNEL)");
                } else if !is_channel(&channel) {
                    problems.add(channel_path, "must be the id of the channel, C, G or D and at least 8 capitals and digits like \"C0123456789\", not its name; Slack shows it at the end of the channel's details");
                }
                if webhook.is_some() {
                    notes.push("SLACK_BOT_TOKEN and SLACK_WEBHOOK_URL are both set: the bot is used (card, thread, updates), the webhook is not".to_owned());
                }
                Some(SlackAccess::Bot { token, channel })
            }
            (None, Some(url)) => {
                if !channel.is_empty() {
                    notes.push("SLACK_CHANNEL is not used: SLACK_WEBHOOK_URL posts to the channel it was made for".to_owned());
                }
                problems
                    .keep("SLACK_WEBHOOK_URL", BaseUrl::parse(&url))
                    .map(|url| SlackAccess::Webhook { url })
            }
            (None, None) if channel.is_empty() => {
                notes.push(
                    "no Slack card: set SLACK_BOT_TOKEN and SLACK_CHANNEL (or SLACK_WEBHOOK_URL)"
                        .to_owned(),
                );
                return None;
            }
            (None, None) => {
                problems.add("SLACK_BOT_TOKEN", "is not set beside SLACK_CHANNEL");
                None
            }
        };
        Some(Self {
            base_url: base_url?,
            access: access?,
        })
    }
}

/// Whether Zendesk keeps a tag as it is written.
fn is_tag(text: &str) -> bool {
    let allowed =
        |c: char| c.is_alphanumeric() && !c.is_uppercase() || matches!(c, '_' | '-' | '/');
    (1..=TAG_CHARACTERS).contains(&text.chars().count()) && text.chars().all(allowed)
}

/// Whether a text is the id of a public channel, a private one or a conversation of two. Names are
/// refused: what shares a file and what reads the history take ids alone.
fn is_channel(text: &str) -> bool {
    let rest = text.strip_prefix(['C', 'G', 'D']).unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    rest.len() >= 8 && rest.bytes().all(allowed)
}
