//! Whom a call goes through, and with which credentials: carrier and recognizer.

use std::time::Duration;

use handoff_core::pii::Secret;

use super::bounds;
use super::environment::{Environment, Pair};
use super::reader::{Problems, Section};
use crate::base_url::BaseUrl;
use crate::carrier::plivo::rest::AuthId;
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

/// The `[plivo]` section with its secrets.
#[derive(Clone, Debug)]
pub struct Plivo {
    /// Where the REST API is.
    pub base_url: BaseUrl,
    /// How long one REST request may take.
    pub timeout: Duration,
    /// The account (`MA…`, `SA…`).
    pub auth_id: AuthId,
    /// What webhooks are signed with, the account's own first, which requests authenticate with too.
    pub auth_tokens: Vec<Secret>,
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

impl Twilio {
    pub(super) fn read(
        mut section: Section<'_>,
        env: &Environment<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let base_url = section.parsed("base_url", BaseUrl::parse, problems);
        let timeout = section.duration("timeout", &bounds::CARRIER_TIMEOUT, problems);
        section.finish(problems);
        let plivo = env.get("PLIVO_AUTH_ID").is_some() || env.get("PLIVO_AUTH_TOKEN").is_some();
        let twilio = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY"];
        if plivo && twilio.iter().all(|name| env.get(name).is_none()) {
            return None;
        }
        let account_sid = match env.get("TWILIO_ACCOUNT_SID") {
            Some(sid) => problems.keep("TWILIO_ACCOUNT_SID", AccountSid::parse(&sid)),
            None => {
                problems.add(
                    "TWILIO_ACCOUNT_SID",
                    "is not set; it holds the account, AC… (or set PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN)",
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

impl Plivo {
    pub(super) fn read(
        mut section: Section<'_>,
        env: &Environment<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let base_url = section.parsed("base_url", BaseUrl::parse, problems);
        let timeout = section.duration("timeout", &bounds::CARRIER_TIMEOUT, problems);
        section.finish(problems);
        let Pair::Whole(auth_id, token) = env.pair("PLIVO_AUTH_ID", "PLIVO_AUTH_TOKEN", problems)
        else {
            return None;
        };
        let auth_id = problems.keep("PLIVO_AUTH_ID", AuthId::parse(&auth_id));
        let previous = env.secret("PLIVO_AUTH_TOKEN_PREVIOUS", problems);
        Some(Self {
            base_url: base_url?,
            timeout,
            auth_id: auth_id?,
            auth_tokens: [token].into_iter().chain(previous).collect(),
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
            let max_streams =
                section.number("max_streams", &bounds::MAX_STREAMS, problems) as usize;
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
        let mut named = |key| {
            let name = section.text(key, problems);
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                problems.add(
                    section.path(key),
                    format!(
                        "\"{name}\" is no name at Deepgram; without the line the default is used"
                    ),
                );
            }
            name
        };
        let (model, language) = (named("model"), named("language"));
        let endpointing = section.duration("endpointing", &bounds::ENDPOINTING, problems);
        let utterance_end = section.duration("utterance_end", &bounds::UTTERANCE_END, problems);
        let pace = section.number("pace", &bounds::PACE, problems);
        let keyterms = section.texts("keyterms", problems);
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
