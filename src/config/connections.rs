//! Whom we talk to, and with which credentials: carrier, recognizers, sinks.

use std::time::Duration;

use handoff_core::pii::Secret;

use super::environment::{Environment, Pair};
use super::reader::{Problems, Section};
use crate::base_url::BaseUrl;
use crate::carrier::twilio::rest::{AccountSid, Credentials, KeySid};

/// The `[twilio]` section with its secrets.
#[derive(Clone, Debug)]
pub struct Twilio {
    /// Where the REST API is.
    pub base_url: BaseUrl,
    /// How long one REST request may take.
    pub timeout: Duration,
    /// The account (`AC…`).
    pub account_sid: AccountSid,
    /// What webhooks are signed with, newest first. Two during a rotation.
    pub auth_tokens: Vec<Secret>,
    /// What REST requests authenticate with.
    pub credentials: Credentials,
}

/// `[recognizer]`: who turns speech into words.
#[derive(Clone, Debug)]
pub enum RecognizerChoice {
    /// Deepgram's live API.
    Deepgram(Deepgram),
    /// The embedded phrase spotter; the start fails if it is not installed.
    PocketSphinx(PocketSphinx),
    /// The embedded phrase spotter if it is installed, else none.
    PocketSphinxIfInstalled(PocketSphinx),
    /// Nobody: keys, silence and the API still work.
    None,
}

/// `[recognizer.deepgram]` with its secret.
#[derive(Clone, Debug)]
pub struct Deepgram {
    /// Where the API is.
    pub base_url: BaseUrl,
    /// The project's key.
    pub api_key: Secret,
    /// The model.
    pub model: String,
    /// The language (BCP 47).
    pub language: String,
    /// Silence that ends a stretch.
    pub endpointing: Duration,
    /// Gap between words that ends an utterance.
    pub utterance_end: Duration,
    /// How many times faster than speech the audio comes.
    pub pace: u32,
    /// Words to expect.
    pub keyterms: Vec<String>,
}

/// `[recognizer.pocketsphinx]`.
#[derive(Clone, Copy, Debug)]
pub struct PocketSphinx {
    /// Decoders at a time.
    pub max_streams: usize,
}

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

impl Twilio {
    pub(super) fn read(
        mut section: Section<'_>,
        env: &Environment<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let base_url = section.parsed("base_url", BaseUrl::parse, problems);
        let timeout = section.duration("timeout", problems);
        section.finish(problems);
        let account_sid = match env.get("TWILIO_ACCOUNT_SID") {
            Some(sid) => problems.keep("TWILIO_ACCOUNT_SID", AccountSid::parse(&sid)),
            None => {
                problems.add(
                    "TWILIO_ACCOUNT_SID",
                    "is not set; it holds the account, AC…",
                );
                None
            }
        };
        let token = env.secret("TWILIO_AUTH_TOKEN", problems);
        if token.is_none() {
            problems.add(
                "TWILIO_AUTH_TOKEN",
                "is not set; it holds the account's primary auth token, with which webhooks are \
                 signed",
            );
        }
        let previous = env.secret("TWILIO_AUTH_TOKEN_PREVIOUS", problems);
        let key = match env.pair("TWILIO_API_KEY", "TWILIO_API_SECRET", problems) {
            Pair::Whole(sid, secret) => problems
                .keep("TWILIO_API_KEY", KeySid::parse(&sid))
                .map(|sid| Credentials::ApiKey { sid, secret }),
            Pair::Half | Pair::Absent => None,
        };
        let token = token?;
        let credentials = key.unwrap_or_else(|| Credentials::AuthToken(token.clone()));
        Some(Self {
            base_url: base_url?,
            timeout,
            account_sid: account_sid?,
            auth_tokens: [token].into_iter().chain(previous).collect(),
            credentials,
        })
    }
}

impl RecognizerChoice {
    pub(super) fn read(
        mut section: Section<'_>,
        env: &Environment<'_>,
        problems: &mut Problems,
        notes: &mut Vec<String>,
    ) -> Self {
        let kind = section.text("kind", problems);
        let deepgram = section.section("deepgram", problems);
        let sphinx = section.section("pocketsphinx", problems);
        let kind_path = section.path("kind");
        section.finish(problems);
        let deepgram = deepgram.and_then(|section| Deepgram::read(section, env, problems));
        let sphinx = sphinx.map_or(PocketSphinx { max_streams: 1 }, |mut section| {
            let max_streams = section.number("max_streams", 1..=1_000, problems) as usize;
            section.finish(problems);
            PocketSphinx { max_streams }
        });
        match (kind.as_str(), deepgram) {
            ("none", _) => Self::None,
            ("pocketsphinx", _) => Self::PocketSphinx(sphinx),
            ("deepgram" | "auto", Some(deepgram)) => Self::Deepgram(deepgram),
            ("deepgram" | "auto", None) if env.get("DEEPGRAM_API_KEY").is_some() => Self::None,
            ("deepgram", None) => {
                problems.add(
                    "DEEPGRAM_API_KEY",
                    "is not set; recognizer.kind = \"deepgram\" needs it",
                );
                Self::None
            }
            ("auto", None) => {
                notes.push("DEEPGRAM_API_KEY is not set: the embedded recognizer is used if it is installed; it spots phrases and does not transcribe".to_owned());
                Self::PocketSphinxIfInstalled(sphinx)
            }
            (other, _) => {
                problems.add(
                    kind_path,
                    format!(
                        "\"{other}\" must be \"auto\", \"deepgram\", \"pocketsphinx\" or \"none\""
                    ),
                );
                Self::None
            }
        }
    }
}

impl Deepgram {
    /// Reads the section; `None` without a key, or with a problem that was told.
    fn read(
        mut section: Section<'_>,
        env: &Environment<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let base_url = section.parsed("base_url", BaseUrl::parse, problems);
        let api_key = env.secret("DEEPGRAM_API_KEY", problems);
        let model = section.text("model", problems);
        let language = section.text("language", problems);
        let endpointing = section.duration("endpointing", problems);
        let utterance_end = section.duration("utterance_end", problems);
        let pace = section.number("pace", 1..=1_000, problems);
        let keyterms = section.texts("keyterms", problems);
        if utterance_end < Duration::from_secs(1) {
            problems.add(
                section.path("utterance_end"),
                "must be at least 1s: interim results come about once a second",
            );
        }
        section.finish(problems);
        Some(Self {
            base_url: base_url?,
            api_key: api_key?,
            model,
            language,
            endpointing,
            utterance_end,
            pace,
            keyterms,
        })
    }
}

impl Delivery {
    pub(super) fn read(mut section: Section<'_>, problems: &mut Problems) -> Self {
        let read = Self {
            give_up_after: section.duration("give_up_after", problems),
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
        let requester_email = section.optional_text("requester_email", problems);
        let tags = section.texts("tags", problems);
        section.finish(problems);
        let access = match (client, token) {
            (Pair::Whole(id, secret), _) => Some(ZendeskAccess::Client { id, secret }),
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
            requester_email: requester_email.filter(|email| !email.is_empty()),
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
            (Some(token), _) => {
                if channel.is_empty() {
                    problems.add(channel_path, "is not set; give the id of the channel, like \"C0123456789\" (or SLACK_CHANNEL)");
                }
                Some(SlackAccess::Bot { token, channel })
            }
            (None, Some(url)) => problems
                .keep("SLACK_WEBHOOK_URL", BaseUrl::parse(&url))
                .map(|url| SlackAccess::Webhook { url }),
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
