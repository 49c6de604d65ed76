//! Whom we talk to, and with which credentials: carrier, recognizers, sinks.

use std::time::Duration;

use handoff_core::pii::Secret;

use super::environment::Environment;
use super::reader::{Problems, Section};
use super::server::is_web_url;

/// The `[twilio]` section with its secrets.
#[derive(Clone, Debug)]
pub struct Twilio {
    /// REST base URL without a trailing slash.
    pub base_url: String,
    /// How long one REST request may take.
    pub timeout: Duration,
    /// The account (`AC…`).
    pub account_sid: String,
    /// What webhooks are signed with, newest first. Two during a rotation.
    pub auth_tokens: Vec<Secret>,
    /// What REST requests authenticate with.
    pub credentials: TwilioCredentials,
}

/// How REST requests authenticate.
#[derive(Clone, Debug)]
pub enum TwilioCredentials {
    /// With the first auth token.
    AuthToken,
    /// With an API key.
    ApiKey {
        /// `SK…`.
        sid: String,
        /// Its secret.
        secret: Secret,
    },
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
    /// Base URL without a trailing slash.
    pub base_url: String,
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
    /// Base URL without a trailing slash.
    pub base_url: String,
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
    /// Base URL without a trailing slash.
    pub base_url: String,
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
        url: Secret,
    },
}

impl Twilio {
    pub(super) fn read(
        mut section: Section<'_>,
        env: &Environment<'_>,
        problems: &mut Problems,
    ) -> Self {
        let base_url = base_url(&mut section, problems);
        let timeout = section.duration("timeout", problems);
        section.finish(problems);
        let account_sid = env.required("TWILIO_ACCOUNT_SID", "the account, AC…", problems);
        let token = env.required(
            "TWILIO_AUTH_TOKEN",
            "the account's primary auth token; webhooks are signed with it",
            problems,
        );
        let mut auth_tokens = vec![Secret::new(token)];
        auth_tokens.extend(env.get("TWILIO_AUTH_TOKEN_PREVIOUS").map(Secret::new));
        let credentials = match (env.get("TWILIO_API_KEY"), env.get("TWILIO_API_SECRET")) {
            (Some(sid), Some(secret)) => TwilioCredentials::ApiKey {
                sid,
                secret: Secret::new(secret),
            },
            (None, None) => TwilioCredentials::AuthToken,
            (Some(_), None) => {
                problems.add("TWILIO_API_SECRET", "is not set beside TWILIO_API_KEY");
                TwilioCredentials::AuthToken
            }
            (None, Some(_)) => {
                problems.add("TWILIO_API_KEY", "is not set beside TWILIO_API_SECRET");
                TwilioCredentials::AuthToken
            }
        };
        Self {
            base_url,
            timeout,
            account_sid,
            auth_tokens,
            credentials,
        }
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
    fn read(
        mut section: Section<'_>,
        env: &Environment<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let read = Self {
            base_url: base_url(&mut section, problems),
            api_key: Secret::new(env.get("DEEPGRAM_API_KEY").unwrap_or_default()),
            model: section.text("model", problems),
            language: section.text("language", problems),
            endpointing: section.duration("endpointing", problems),
            utterance_end: section.duration("utterance_end", problems),
            pace: section.number("pace", 1..=1_000, problems),
            keyterms: section.texts("keyterms", problems),
        };
        if read.utterance_end < Duration::from_secs(1) {
            problems.add(
                section.path("utterance_end"),
                "must be at least 1s: interim results come about once a second",
            );
        }
        section.finish(problems);
        (!read.api_key.expose().is_empty()).then_some(read)
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
    /// Reads the section; `None`, with a note, when no secrets are set.
    pub(super) fn read(
        mut section: Section<'_>,
        env: &Environment<'_>,
        problems: &mut Problems,
        notes: &mut Vec<String>,
    ) -> Option<Self> {
        let client = env
            .get("ZENDESK_CLIENT_ID")
            .zip(env.get("ZENDESK_CLIENT_SECRET"));
        let token = env.get("ZENDESK_EMAIL").zip(env.get("ZENDESK_API_TOKEN"));
        let base_url = section.text("base_url", problems);
        let base_path = section.path("base_url");
        let requester_name = section.text("requester_name", problems);
        let requester_email = section.optional_text("requester_email", problems);
        let tags = section.texts("tags", problems);
        section.finish(problems);
        let access = match (client, token) {
            (Some((id, secret)), _) => ZendeskAccess::Client {
                id,
                secret: Secret::new(secret),
            },
            (None, Some((email, token))) => {
                notes.push("Zendesk API tokens end on 2027-04-30: move to ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET".to_owned());
                ZendeskAccess::Token {
                    email,
                    token: Secret::new(token),
                }
            }
            (None, None) => {
                notes.push(
                    "no Zendesk ticket: set ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET".to_owned(),
                );
                return None;
            }
        };
        if !is_web_url(&base_url) {
            problems.add(base_path, "must be your Zendesk address, like \"https://yourcompany.zendesk.com\" (or ZENDESK_BASE_URL)");
        }
        Some(Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            access,
            requester_name,
            requester_email: requester_email.filter(|email| !email.is_empty()),
            tags,
        })
    }
}

impl Slack {
    /// Reads the section; `None`, with a note, when no secrets are set.
    pub(super) fn read(
        mut section: Section<'_>,
        env: &Environment<'_>,
        problems: &mut Problems,
        notes: &mut Vec<String>,
    ) -> Option<Self> {
        let base_url = base_url(&mut section, problems);
        let channel = section.text("channel", problems);
        let channel_path = section.path("channel");
        section.finish(problems);
        let access = match (env.get("SLACK_BOT_TOKEN"), env.get("SLACK_WEBHOOK_URL")) {
            (Some(token), _) => {
                if channel.is_empty() {
                    problems.add(channel_path, "is not set; give the id of the channel, like \"C0123456789\" (or SLACK_CHANNEL)");
                }
                SlackAccess::Bot {
                    token: Secret::new(token),
                    channel,
                }
            }
            (None, Some(url)) => {
                if !is_web_url(&url) {
                    problems.add("SLACK_WEBHOOK_URL", "must be an https:// address");
                }
                SlackAccess::Webhook {
                    url: Secret::new(url),
                }
            }
            (None, None) => {
                notes.push(
                    "no Slack card: set SLACK_BOT_TOKEN and SLACK_CHANNEL (or SLACK_WEBHOOK_URL)"
                        .to_owned(),
                );
                return None;
            }
        };
        Some(Self { base_url, access })
    }
}

fn base_url(section: &mut Section<'_>, problems: &mut Problems) -> String {
    let url = section.text("base_url", problems);
    if !is_web_url(&url) {
        problems.add(
            section.path("base_url"),
            format!("\"{url}\" must be an https:// address (http:// only on this machine)"),
        );
    }
    url.trim_end_matches('/').to_owned()
}
