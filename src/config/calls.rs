//! What happens to a call: `[voice_agent]`, `[stream]`, `[handoff]`, `[[rule]]`.

use std::time::Duration;

use handoff_core::call;
use handoff_core::rule::{Expression, Rule};

use super::bounds;
use super::reader::{Problems, Section};
use crate::base_url::BaseUrl;
use crate::carrier::argument::{Spoken, WebUrl};
use crate::carrier::number::CallerIdPolicy;
use crate::carrier::plivo::xml::{self, InlineElements};
use crate::carrier::template::{Template, TemplateError};
use crate::carrier::twilio::twiml;
use crate::carrier::twilio::xml::InlineVerbs;

/// The `[stream]` section.
#[derive(Clone, Copy, Debug)]
pub struct StreamTimes {
    /// How long a socket may take to introduce itself.
    pub start_deadline: Duration,
    /// How long a call may be without a stream.
    pub grace: Duration,
}

/// The `[handoff]` section.
#[derive(Clone, Debug)]
pub struct Handoff {
    /// Spoken before the human's phone rings.
    pub say: Spoken,
    /// Spoken when no human picked up.
    pub nobody: Spoken,
    /// Spoken by the carrier when all of ours is gone.
    pub apology: Spoken,
    /// Which number the human sees.
    pub caller_id: CallerIdPolicy,
    /// How long no key is pressed after the last of an entry.
    pub digits_pause: Duration,
    /// How long a rewrite waits for the journal.
    pub journal_deadline: Duration,
    /// How often a rewrite is asked for.
    pub attempts: u32,
    /// The first wait between two.
    pub retry: Duration,
    /// What humans hear before they have the caller.
    pub whisper: Template,
    /// What callers get after the last target.
    pub last_resort: LastResort,
    /// How long caller and human have to be joined to count as such.
    pub bridged_after: Duration,
    /// What callers hear while they wait in a queue or conference; the carrier's own music without it.
    pub hold_music: Option<WebUrl>,
}

/// What a caller gets whom no human could take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastResort {
    /// The promise of a call, which is [`Handoff::nobody`].
    CallBack,
    /// The chance to leave a message.
    Voicemail {
        /// Spoken before the tone.
        prompt: Spoken,
        /// How long the caller can speak.
        longest: Duration,
    },
}

/// `[voice_agent]`: how we stand in a call, in the words of each carrier that is configured.
#[derive(Clone, Debug)]
pub struct VoiceAgent {
    /// How we stand.
    pub mode: call::Mode,
    /// What Twilio is told.
    pub twilio: Option<twiml::Mode>,
    /// What Plivo is told.
    pub plivo: Option<xml::Mode>,
}

impl VoiceAgent {
    fn converse() -> Self {
        Self {
            mode: call::Mode::Converse,
            twilio: Some(twiml::Mode::Converse),
            plivo: Some(xml::Mode::Converse),
        }
    }

    fn behind(webhook: WebUrl) -> Self {
        Self {
            mode: call::Mode::Listen,
            plivo: Some(xml::Mode::Listen {
                then: xml::Then::Redirect(webhook.clone()),
            }),
            twilio: Some(twiml::Mode::Listen {
                then: twiml::Then::Redirect(webhook),
            }),
        }
    }

    pub(super) fn read(
        mut section: Section<'_>,
        around: &Surroundings,
        problems: &mut Problems,
        notes: &mut Vec<String>,
    ) -> Option<Self> {
        let mode = section.text("mode", problems);
        let webhook_url = section.text("webhook_url", problems);
        let documents = [
            section.text("document", problems),
            section.text("plivo_document", problems),
        ];
        let no_document = documents.iter().all(String::is_empty);
        let read = match (mode.as_str(), webhook_url.is_empty(), no_document) {
            ("converse", _, _) => Some(Self::converse()),
            ("listen", false, true) => {
                let base = around.public_url.as_ref();
                match base.and_then(|base| base.path_below(&webhook_url)) {
                    Some(path) if is_our_webhook(&path) => problems.add(
                        section.path("webhook_url"),
                        "is a webhook of this server, so that a call would be answered with itself \
                         for ever; give the webhook of the voice agent that answered the line so far",
                    ),
                    Some(_) => notes.push(
                        "voice_agent.webhook_url is an address of this server: that is right only \
                         if a proxy leads it to the voice agent"
                            .to_owned(),
                    ),
                    None => {}
                }
                problems
                    .keep(section.path("webhook_url"), WebUrl::new(&webhook_url))
                    .map(Self::behind)
            }
            ("listen", true, false) => Self::connected_by(&section, documents, around, problems),
            ("listen", true, true) => {
                problems.add(
                    section.path("webhook_url"),
                    "is not set; give the webhook of the voice agent that answered the line so \
                     far (or VOICE_AGENT_URL, or voice_agent.document)",
                );
                None
            }
            ("listen", false, false) => {
                problems.add(
                    section.path("document"),
                    "is set beside webhook_url; keep the one that connects your voice agent",
                );
                None
            }
            (other, _, _) => {
                problems.add(
                    section.path("mode"),
                    format!("\"{other}\" must be \"listen\" or \"converse\""),
                );
                None
            }
        };
        section.finish(problems);
        read
    }

    /// Carriers have verbs of their own, so each needs a document of its own.
    fn connected_by(
        section: &Section<'_>,
        [document, plivo_document]: [String; 2],
        around: &Surroundings,
        problems: &mut Problems,
    ) -> Option<Self> {
        for (key, document) in [("document", &document), ("plivo_document", &plivo_document)] {
            if (around.public_url.as_ref()).is_some_and(|base| leads_to(document, base)) {
                problems.add(
                    section.path(key),
                    "leads to a webhook of this server, so that a call would be answered with \
                     itself for ever; let it connect the voice agent",
                );
            }
        }
        let mut missing = |key, carrier, is_missing: bool| {
            if is_missing {
                problems.add(
                    section.path(key),
                    format!("is not set; it connects the voice agent at {carrier}"),
                );
            }
        };
        missing("document", "Twilio", around.twilio && document.is_empty());
        missing(
            "plivo_document",
            "Plivo",
            around.plivo && plivo_document.is_empty(),
        );
        let twilio = (!document.is_empty())
            .then(|| problems.keep(section.path("document"), InlineVerbs::new(&document)))
            .flatten()
            .map(|verbs| twiml::Mode::Listen {
                then: twiml::Then::Document(verbs),
            });
        let elements = InlineElements::new(&plivo_document);
        let plivo = (!plivo_document.is_empty())
            .then(|| problems.keep(section.path("plivo_document"), elements))
            .flatten()
            .map(|elements| xml::Mode::Listen {
                then: xml::Then::Document(elements),
            });
        Some(Self {
            mode: call::Mode::Listen,
            twilio,
            plivo,
        })
    }
}

/// What else of the configuration `[voice_agent]` depends on.
pub(super) struct Surroundings {
    /// Whether there is an account at Twilio.
    pub(super) twilio: bool,
    /// Whether there is one at Plivo.
    pub(super) plivo: bool,
    /// How carriers reach us.
    pub(super) public_url: Option<BaseUrl>,
}

fn is_our_webhook(path: &str) -> bool {
    path.starts_with("/twilio/") || path.starts_with("/plivo/")
}

/// Whether a text or an attribute in a document is the address of a webhook of ours.
fn leads_to(document: &str, ourselves: &BaseUrl) -> bool {
    document
        .split(['<', '>', '"', '\''])
        .filter_map(|part| ourselves.path_below(part.trim()))
        .any(|path| is_our_webhook(&path))
}

impl StreamTimes {
    pub(super) fn read(mut section: Section<'_>, problems: &mut Problems) -> Self {
        let times = Self {
            start_deadline: section.duration("start_deadline", &bounds::START_DEADLINE, problems),
            grace: section.duration("grace", &bounds::GRACE, problems),
        };
        section.finish(problems);
        times
    }
}

impl Handoff {
    /// Reads the section; the name of the target and the ring time belong to
    /// [`Target::read_all`](super::Target::read_all). `None` if it cannot be used.
    pub(super) fn read(section: &mut Section<'_>, problems: &mut Problems) -> Option<Self> {
        let mut spoken = |key: &'static str| {
            let text = section.text(key, problems);
            let spoken = Spoken::new(&text);
            if text.chars().count() > Spoken::LIMIT_CHARS || spoken.expose().is_empty() {
                let limit = Spoken::LIMIT_CHARS;
                problems.add(
                    section.path(key),
                    format!("must be 1 to {limit} characters of text to speak"),
                );
            }
            spoken
        };
        let (say, nobody, apology) = (spoken("say"), spoken("nobody"), spoken("apology"));
        let prompt = spoken("voicemail");
        let whisper = section.parsed("whisper", whisper, problems);
        let longest = section.duration("voicemail_longest", &bounds::VOICEMAIL_LONGEST, problems);
        let last_resort = match section.text("last_resort", problems).as_str() {
            "call_back" => LastResort::CallBack,
            "voicemail" => LastResort::Voicemail { prompt, longest },
            other => {
                problems.add(
                    section.path("last_resort"),
                    format!("\"{other}\" must be \"call_back\" or \"voicemail\""),
                );
                LastResort::CallBack
            }
        };
        let hold_music = match section.text("hold_music", problems).as_str() {
            "" => None,
            url => problems.keep(section.path("hold_music"), WebUrl::new(url)),
        };
        let caller_id = match section.text("caller_id", problems).as_str() {
            "caller" => CallerIdPolicy::Caller,
            "called" => CallerIdPolicy::Called,
            other => {
                problems.add(
                    section.path("caller_id"),
                    format!("\"{other}\" must be \"called\" or \"caller\""),
                );
                CallerIdPolicy::default()
            }
        };
        Some(Self {
            say,
            nobody,
            apology,
            caller_id,
            digits_pause: section.duration("digits_pause", &bounds::DIGITS_PAUSE, problems),
            journal_deadline: section.duration(
                "journal_deadline",
                &bounds::JOURNAL_DEADLINE,
                problems,
            ),
            attempts: section.number("attempts", &bounds::ATTEMPTS, problems),
            retry: section.duration("retry", &bounds::RETRY, problems),
            bridged_after: section.duration("bridged_after", &bounds::BRIDGED_AFTER, problems),
            whisper: whisper?,
            last_resort,
            hold_music,
        })
    }
}

/// Why a text is no whisper.
#[derive(Debug, thiserror::Error)]
enum WhisperError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("must be 1 to {WHISPER_CHARACTERS} characters: the caller waits while it is said")]
    Length,
}

/// Some 40 seconds of speech, before what the places in it are filled with.
const WHISPER_CHARACTERS: usize = 500;

fn whisper(text: &str) -> Result<Template, WhisperError> {
    if !(1..=WHISPER_CHARACTERS).contains(&text.chars().count()) {
        return Err(WhisperError::Length);
    }
    Ok(Template::parse(text)?)
}

/// Reads one rule; `None` when it is switched off or cannot be used.
pub(super) fn read_rule(mut section: Section<'_>, problems: &mut Problems) -> Option<Rule> {
    let name = section.text("name", problems);
    let shaped = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if name.is_empty() || !shaped {
        problems.add(
            section.path("name"),
            "must be a name in lower case like \"caller_asks_for_human\"",
        );
    }
    let enabled = section.flag("enabled", true, problems);
    let cool_down = section.optional_duration("cool_down", &bounds::COOL_DOWN, problems);
    let source = section.text("when", problems);
    let path = section.path("when");
    if let Some(steps) = section.value("steps")
        && steps.as_array().is_none_or(|steps| {
            steps.len() != 1
                || steps[0]
                    .as_table()
                    .is_none_or(|step| !step.contains_key("handoff"))
        })
    {
        problems.add(
            section.path("steps"),
            "the only step so far is [{ handoff = {} }], which is also what happens without steps",
        );
    }
    section.finish(problems);
    match Expression::compile(&source) {
        Ok(when) if enabled => Some(Rule {
            name,
            when,
            cool_down: cool_down.unwrap_or(Duration::from_secs(30)),
        }),
        Ok(_) => None,
        Err(error) => {
            problems.add(path, error.to_string());
            None
        }
    }
}
