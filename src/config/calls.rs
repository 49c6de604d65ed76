//! What happens to a call: `[voice_agent]`, `[stream]`, `[handoff]`, `[[target]]`, `[[rule]]`.

use std::time::Duration;

use handoff_core::pii::Pii;
use handoff_core::rule::{Expression, Rule};

use super::reader::{Problems, Section};
use super::server::is_web_url;

/// How we stand in the call (design: mode).
#[derive(Clone, Debug)]
pub enum VoiceAgent {
    /// We hear both sides; the call goes on to the webhook that answered it so far.
    ListenThenRedirect {
        /// The voice agent's own voice webhook.
        webhook_url: String,
    },
    /// We hear both sides; the verbs connect the voice agent.
    ListenThenDocument {
        /// Verbs without the `<Response>` around them.
        document: String,
    },
    /// We are the media endpoint.
    Converse,
}

/// The `[stream]` section.
#[derive(Clone, Copy, Debug)]
pub struct StreamTimes {
    /// How long a socket may take to introduce itself.
    pub start_deadline: Duration,
    /// How long a call may be without a stream.
    pub grace: Duration,
}

/// Which number the human sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerIdPolicy {
    /// The business number that was called.
    Called,
    /// The caller's number, unless it is withheld.
    Caller,
}

/// The `[handoff]` section.
#[derive(Clone, Debug)]
pub struct Handoff {
    /// Spoken before the human's phone rings.
    pub say: String,
    /// Spoken when no human picked up.
    pub nobody: String,
    /// Spoken by the carrier when all of ours is gone.
    pub apology: String,
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
}

/// A `[[target]]`: where calls go.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name in the configuration.
    pub name: String,
    /// The number to ring, E.164.
    pub number: Pii<String>,
    /// How long to ring it.
    pub ring: Duration,
}

/// The longest text a carrier speaks in one go (Twilio `<Say>`).
const LONGEST_SPOKEN: usize = 4_096;

impl VoiceAgent {
    pub(super) fn read(mut section: Section<'_>, problems: &mut Problems) -> Self {
        let mode = section.text("mode", problems);
        let webhook_url = section.text("webhook_url", problems);
        let document = section.text("document", problems);
        let read = match (mode.as_str(), webhook_url.is_empty(), document.is_empty()) {
            ("converse", _, _) => Self::Converse,
            ("listen", false, true) => {
                if !is_web_url(&webhook_url) {
                    problems.add(
                        section.path("webhook_url"),
                        format!("\"{webhook_url}\" must be an absolute https:// address"),
                    );
                }
                Self::ListenThenRedirect { webhook_url }
            }
            ("listen", true, false) => Self::ListenThenDocument { document },
            ("listen", true, true) => {
                problems.add(
                    section.path("webhook_url"),
                    "is not set; give the webhook of the voice agent that answered the line so \
                     far (or VOICE_AGENT_URL, or voice_agent.document)",
                );
                Self::Converse
            }
            ("listen", false, false) => {
                problems.add(
                    section.path("document"),
                    "is set beside webhook_url; keep the one that connects your voice agent",
                );
                Self::Converse
            }
            (other, _, _) => {
                problems.add(
                    section.path("mode"),
                    format!("\"{other}\" must be \"listen\" or \"converse\""),
                );
                Self::Converse
            }
        };
        section.finish(problems);
        read
    }
}

impl StreamTimes {
    pub(super) fn read(mut section: Section<'_>, problems: &mut Problems) -> Self {
        let times = Self {
            start_deadline: section.duration("start_deadline", problems),
            grace: section.duration("grace", problems),
        };
        section.finish(problems);
        times
    }
}

impl Handoff {
    /// Reads the section; the name of the target and the ring time belong to [`Target::read_all`].
    pub(super) fn read(section: &mut Section<'_>, problems: &mut Problems) -> Self {
        let mut spoken = |key: &'static str| {
            let text = section.text(key, problems);
            if text.chars().count() > LONGEST_SPOKEN || text.is_empty() {
                problems.add(
                    section.path(key),
                    format!("must be 1 to {LONGEST_SPOKEN} characters of text to speak"),
                );
            }
            text
        };
        let (say, nobody, apology) = (spoken("say"), spoken("nobody"), spoken("apology"));
        let caller_id = match section.text("caller_id", problems).as_str() {
            "caller" => CallerIdPolicy::Caller,
            "called" => CallerIdPolicy::Called,
            other => {
                problems.add(
                    section.path("caller_id"),
                    format!("\"{other}\" must be \"called\" or \"caller\""),
                );
                CallerIdPolicy::Called
            }
        };
        Self {
            say,
            nobody,
            apology,
            caller_id,
            digits_pause: section.duration("digits_pause", problems),
            journal_deadline: section.duration("journal_deadline", problems),
            attempts: section.number("attempts", 1..=20, problems),
            retry: section.duration("retry", problems),
        }
    }
}

impl Target {
    /// Reads all targets; the one that calls go to by default comes first.
    pub(super) fn read_all(
        sections: Vec<Section<'_>>,
        handoff: &mut Section<'_>,
        problems: &mut Problems,
    ) -> Vec<Self> {
        let ring = handoff.duration("ring", problems);
        check_ring(ring, &handoff.path("ring"), problems);
        let wanted = handoff.text("target", problems);
        let mut targets: Vec<Self> = sections
            .into_iter()
            .map(|section| Self::read(section, ring, problems))
            .collect();
        if targets.is_empty() {
            problems.add(
                "target",
                "no human to hand calls to; add a [[target]] with name and number, or set \
                 HANDOFF_TARGET to a number like +15550100042",
            );
        } else if !wanted.is_empty() {
            match targets.iter().position(|target| target.name == wanted) {
                Some(place) => targets[..=place].rotate_right(1),
                None => problems.add(
                    handoff.path("target"),
                    format!("there is no [[target]] named \"{wanted}\""),
                ),
            }
        }
        targets
    }

    fn read(mut section: Section<'_>, ring: Duration, problems: &mut Problems) -> Self {
        let name = section.text("name", problems);
        if name.is_empty() {
            problems.add(
                section.path("name"),
                "is not set; routes and tickets name the target",
            );
        }
        let number = section.text("number", problems);
        if !is_e164(&number) {
            problems.add(
                section.path("number"),
                "must be a number with country code, like \"+15550100042\"",
            );
        }
        let own_ring = section.optional_duration("ring", problems);
        if let Some(ring) = own_ring {
            check_ring(ring, &section.path("ring"), problems);
        }
        section.finish(problems);
        Self {
            name,
            number: Pii::new(number),
            ring: own_ring.unwrap_or(ring),
        }
    }
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
    let cool_down = section.optional_duration("cool_down", problems);
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

fn check_ring(ring: Duration, path: &str, problems: &mut Problems) {
    if !(5..=600).contains(&ring.as_secs()) {
        problems.add(path, "must be from 5s to 600s, which is what carriers take");
    }
}

/// Whether a text is a telephone number as ITU-T E.164 writes it.
fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    })
}
