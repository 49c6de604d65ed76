//! Documents that one party hears beside the call's own: a whisper, what is played to somebody who
//! waits, and the document of a call that the REST API created.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::call::Source;
use super::stage::Stage;
use super::twiml::{self, Base, Callback, Dial, Gather, Prompt, Verb, Wait};
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::human::Human;
use crate::carrier::outside::Place;
use crate::carrier::speech::{PLAYED_FILE, spoken};

/// No sensible script runs through more documents than this; a redirect to itself does.
const MOST_DOCUMENTS: usize = 100;
/// How soon a wait document that plays nothing is asked for again.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// What a document is for, and so which verbs it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Whisper,
    Created,
    QueueWait,
    /// UNCONFIRMED which verbs a conference's wait document takes; those of a queue's are taken but for
    /// the ones that need a queue or a key.
    ConferenceWait,
}

impl Script {
    fn takes(self, verb: &Verb) -> bool {
        match verb {
            Verb::Prompt(_) | Verb::Pause(_) => true,
            Verb::Gather(_) | Verb::Hangup => self != Self::ConferenceWait,
            Verb::Redirect(_) => self != Self::Whisper,
            Verb::Leave => self == Self::QueueWait,
            Verb::Dial(_) => self == Self::Created,
            Verb::Start(_)
            | Verb::Stop { .. }
            | Verb::Connect { .. }
            | Verb::Enqueue(_)
            | Verb::Refer(_)
            | Verb::Record(_)
            | Verb::Reject => false,
        }
    }

    /// The rule that a document with another verb breaks.
    fn rule(self) -> &'static str {
        match self {
            Self::Whisper => "a whisper document takes Play, Say, Gather, Pause and Hangup only",
            Self::Created => {
                "this stand-in plays Say, Play, Pause, Gather, Redirect, Dial and Hangup to a human it called"
            }
            Self::QueueWait => {
                "a queue's wait document takes Play, Say, Pause, Gather, Redirect, Leave and Hangup only"
            }
            Self::ConferenceWait => {
                "a conference's wait document takes Play, Say, Pause and Redirect only"
            }
        }
    }
}

/// Who hears a script.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hearer {
    Caller,
    Human(Human),
}

/// How a script ended, for now.
#[derive(Debug)]
pub(super) enum Heard {
    RanOut,
    /// The document or its hearer hung up.
    HungUp,
    Left,
    /// A `<Dial>`, after which the script can be played on.
    Dialled(Box<Dial>),
    /// A document could not be had.
    Unavailable,
}

/// A script that is being played.
#[derive(Debug)]
pub(super) struct Hearing<'a> {
    stage: &'a Stage,
    script: Script,
    hearer: Hearer,
    /// The document's own URL.
    url: Option<Callback>,
    left: VecDeque<Verb>,
    documents: usize,
}

impl<'a> Hearing<'a> {
    pub(super) fn new(stage: &'a Stage, script: Script, hearer: Hearer) -> Self {
        Self {
            stage,
            script,
            hearer,
            url: None,
            left: VecDeque::new(),
            documents: 0,
        }
    }

    /// Takes up a document. Whether it can be had; `parameters` come before those of the source.
    pub(super) async fn take_up(
        &mut self,
        source: Source,
        parameters: &[(String, String)],
    ) -> bool {
        self.documents += 1;
        if self.documents > MOST_DOCUMENTS {
            self.stage.violation(format!(
                "a party went through {MOST_DOCUMENTS} documents and found no end"
            ));
            return false;
        }
        let document = match source {
            Source::Inline(text) => {
                self.url = None;
                self.stage.checked(twiml::read(&text, Base::Inline))
            }
            Source::Fetch {
                purpose,
                callback,
                parameters: more,
            } => {
                let all = [parameters, &more].concat();
                let document = self.stage.fetch(purpose, &callback, &all).await;
                self.url = Some(callback);
                document
            }
        };
        let available = document.is_some();
        self.left = document.map_or_else(VecDeque::new, |document| document.verbs.into());
        available
    }

    /// Plays what is left, up to its end or to a `<Dial>`.
    pub(super) async fn play(&mut self, parameters: &[(String, String)]) -> Heard {
        while let Some(verb) = self.left.pop_front() {
            if !self.script.takes(&verb) {
                self.stage.violation(self.script.rule());
                continue;
            }
            match verb {
                Verb::Prompt(prompt) => {
                    if !self.hear(&prompt).await {
                        return Heard::HungUp;
                    }
                }
                Verb::Pause(length) => sleep(self.stage.wall(length)).await,
                Verb::Gather(gather) => {
                    for prompt in &gather.prompts {
                        if !self.hear(prompt).await {
                            return Heard::HungUp;
                        }
                    }
                    let key = match self.hearer {
                        Hearer::Human(human) => human.presses(),
                        Hearer::Caller => self.stage.account.options.caller_presses,
                    };
                    let pressed = press(self.stage, gather, key, self.url.as_ref()).await;
                    let Some(answered) = pressed else {
                        continue;
                    };
                    if !self.take_up(answered, parameters).await {
                        return Heard::Unavailable;
                    }
                }
                Verb::Redirect(callback) => {
                    let source = Source::Fetch {
                        purpose: Purpose::Redirect,
                        callback,
                        parameters: Vec::new(),
                    };
                    if !self.take_up(source, parameters).await {
                        return Heard::Unavailable;
                    }
                }
                Verb::Hangup => return Heard::HungUp,
                Verb::Leave => return Heard::Left,
                Verb::Dial(dial) => return Heard::Dialled(Box::new(dial)),
                Verb::Start(_)
                | Verb::Stop { .. }
                | Verb::Connect { .. }
                | Verb::Enqueue(_)
                | Verb::Refer(_)
                | Verb::Record(_)
                | Verb::Reject => {}
            }
        }
        Heard::RanOut
    }

    /// Plays a prompt. Whether the hearer is still there.
    async fn hear(&self, prompt: &Prompt) -> bool {
        if let Some(text) = text_of(prompt).map(str::to_owned) {
            self.stage.record(match (self.hearer, prompt) {
                (Hearer::Human(_), _) => CarrierEvent::SpokenToHuman { text },
                (Hearer::Caller, Prompt::Play(_)) => CarrierEvent::HoldMusic { source: text },
                (Hearer::Caller, Prompt::Say(_) | Prompt::Silence(_)) => {
                    CarrierEvent::SpokenToCaller { text }
                }
            });
            if matches!(self.hearer, Hearer::Human(human) if human.hangs_up_in_whisper()) {
                return false;
            }
        }
        sleep(self.stage.wall(length_of(prompt))).await;
        true
    }
}

/// Waits for the key that is pressed, and gives where it leads. `None` when the next verb follows.
/// `url` is the document's own, which is the default action.
pub(super) async fn press(
    stage: &Stage,
    gather: Gather,
    key: Option<char>,
    url: Option<&Callback>,
) -> Option<Source> {
    let key = key.filter(|_| gather.takes_keys);
    if key.is_none() || gather.num_digits != Some(1) {
        sleep(stage.wall(gather.timeout)).await;
    }
    if key.is_none() && !gather.action_on_empty_result {
        return None;
    }
    let callback = gather.action.or_else(|| url.cloned())?;
    let digits = key.map(|key| ("Digits".to_owned(), key.to_string()));
    Some(Source::Fetch {
        purpose: Purpose::GatherAction,
        callback,
        parameters: digits.into_iter().collect(),
    })
}

/// Plays what somebody who waits hears, over and over. Returns when a document ends it.
pub(super) async fn wait(
    stage: &Stage,
    script: Script,
    hearer: Hearer,
    wait: &Wait,
    parameters: impl Fn() -> Vec<(String, String)>,
) -> Heard {
    let music = match wait {
        Wait::Silence => None,
        Wait::Default => Some("default"),
        // Somebody else's music is not fetched.
        Wait::Document(callback) => (stage.account.outside.place(&callback.url)
            == Place::Elsewhere)
            .then_some(callback.url.as_str()),
    };
    match (music, hearer) {
        (Some(source), Hearer::Caller) => {
            let source = source.to_owned();
            stage.record(CarrierEvent::HoldMusic { source });
        }
        (None, Hearer::Caller) if *wait == Wait::Silence => {
            stage.record(CarrierEvent::HoldSilence);
        }
        (Some(_) | None, Hearer::Caller | Hearer::Human(_)) => {}
    }
    let callback = match wait {
        Wait::Document(callback) if music.is_none() => callback,
        Wait::Document(_) | Wait::Default | Wait::Silence => return std::future::pending().await,
    };
    loop {
        let began = Instant::now();
        let mut hearing = Hearing::new(stage, script, hearer);
        let source = Source::Fetch {
            purpose: Purpose::Wait,
            callback: callback.clone(),
            parameters: Vec::new(),
        };
        if !hearing.take_up(source, &parameters()).await {
            return Heard::Unavailable;
        }
        match hearing.play(&parameters()).await {
            Heard::RanOut => {}
            heard @ (Heard::HungUp | Heard::Left | Heard::Dialled(_) | Heard::Unavailable) => {
                return heard;
            }
        }
        let shortest = stage.wall(SHORTEST_WAIT);
        sleep(shortest.saturating_sub(began.elapsed())).await;
    }
}

/// What is heard of a prompt.
pub(super) fn text_of(prompt: &Prompt) -> Option<&str> {
    match prompt {
        Prompt::Say(text) | Prompt::Play(text) => Some(text),
        Prompt::Silence(_) => None,
    }
}

/// How much of the carrier's time a prompt takes.
pub(super) fn length_of(prompt: &Prompt) -> Duration {
    match prompt {
        Prompt::Say(text) => spoken(text),
        Prompt::Play(_) => PLAYED_FILE,
        Prompt::Silence(length) => *length,
    }
}
