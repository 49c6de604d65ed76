//! TwiML text to a [`Document`] and the faults found in it.

use std::time::Duration;

use super::callee::Dial;
use super::document::{Document, Enqueue, Gather, Prompt, Refer, TrackChoice, Verb};
use super::reader::{Base, Reader, attribute};
use crate::carrier::callback::Callback;
use crate::carrier::element::{self, Element};

/// Twilio refuses a fetched document above this with error 11750.
const MAX_BYTES: usize = 64 * 1024;
const MAX_SAY_CHARACTERS: usize = 4096;

/// Verbs of Twilio that this stand-in cannot play.
const UNPLAYED: &[&str] = &["Pay", "Prompt", "Queue", "Sms"];

/// What became of a document's text.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    /// The document, unless Twilio could not execute any of it.
    pub document: Option<Document>,
    /// Every rule that it breaks, one sentence each.
    pub faults: Vec<String>,
}

/// Reads a document, keeping what can be executed and noting every fault.
#[must_use]
pub fn read(text: &str, base: Base<'_>) -> Reading {
    let mut reader = Reader {
        base,
        faults: Vec::new(),
    };
    let document = reader.document(text);
    Reading {
        document,
        faults: reader.faults,
    }
}

impl Reader<'_> {
    fn document(&mut self, text: &str) -> Option<Document> {
        if text.len() > MAX_BYTES {
            self.fault(format!(
                "the document has {} bytes; Twilio takes 64 kB (11750)",
                text.len()
            ));
            return None;
        }
        let root = match element::read(text) {
            Ok(root) => root,
            Err(error) => {
                self.fault(format!(
                    "the document is not well-formed XML: {error} (12100)"
                ));
                return None;
            }
        };
        if root.name != "Response" {
            self.fault(format!(
                "the root element is <{}>, not <Response> (12100)",
                root.name
            ));
            return None;
        }
        self.attributes(&root, &[]);
        self.no_text(&root);
        let verbs: Vec<_> = root
            .children
            .iter()
            .filter_map(|child| self.verb(child))
            .collect();
        self.dead_code(&verbs);
        Some(Document { verbs })
    }

    /// A verb that hands control away makes the verbs after it unreachable.
    fn dead_code(&mut self, verbs: &[Verb]) {
        for pair in verbs.windows(2) {
            let away = match &pair[0] {
                Verb::Hangup => "<Hangup>",
                Verb::Reject => "<Reject>",
                Verb::Dial(Dial {
                    action: Some(_), ..
                }) => "<Dial action>",
                Verb::Connect {
                    action: Some(_), ..
                } => "<Connect action>",
                Verb::Enqueue(Enqueue {
                    action: Some(_), ..
                }) => "<Enqueue action>",
                Verb::Refer(Refer {
                    action: Some(_), ..
                }) => "<Refer action>",
                Verb::Leave => "<Leave>",
                Verb::Dial(_)
                | Verb::Enqueue(_)
                | Verb::Refer(_)
                | Verb::Record(_)
                | Verb::Connect { .. }
                | Verb::Redirect(_)
                | Verb::Start(_)
                | Verb::Stop { .. }
                | Verb::Prompt(_)
                | Verb::Pause(_)
                | Verb::Gather(_) => continue,
            };
            self.fault(format!("the verbs after {away} can never run"));
        }
    }

    fn verb(&mut self, element: &Element) -> Option<Verb> {
        match element.name.as_str() {
            "Start" => {
                self.attributes(element, &["action", "method"]);
                self.only_stream(element).map(Verb::Start)
            }
            "Stop" => {
                self.attributes(element, &[]);
                let stream = self.only_child(element, "Stream")?;
                self.attributes(stream, &["name"]);
                let name = self.required(stream, "name")?;
                Some(Verb::Stop { name })
            }
            "Connect" => self.connect(element),
            "Redirect" => {
                self.attributes(element, &["method"]);
                self.no_children(element);
                let method = self.method(element, "method");
                let url = self.url("the text of <Redirect>", element.text.trim())?;
                Some(Verb::Redirect(Callback { url, method }))
            }
            "Say" | "Play" => self.prompt(element).map(Verb::Prompt),
            "Pause" => Some(Verb::Pause(self.pause(element))),
            "Dial" => self.dial(element).map(Verb::Dial),
            "Gather" => Some(Verb::Gather(self.gather(element))),
            "Enqueue" => self.enqueue(element).map(Verb::Enqueue),
            "Refer" => self.refer(element).map(Verb::Refer),
            "Record" => Some(Verb::Record(self.record(element))),
            "Leave" => {
                self.attributes(element, &[]);
                self.empty(element);
                Some(Verb::Leave)
            }
            "Hangup" => {
                self.attributes(element, &[]);
                self.empty(element);
                Some(Verb::Hangup)
            }
            "Reject" => {
                self.attributes(element, &["reason"]);
                self.empty(element);
                self.one_of(element, "reason", &["busy", "rejected"]);
                Some(Verb::Reject)
            }
            unplayed if UNPLAYED.contains(&unplayed) => {
                self.fault(format!(
                    "<{unplayed}> is a verb of Twilio that this stand-in cannot play"
                ));
                None
            }
            unknown => {
                self.fault(format!("<{unknown}> is not a verb of Twilio (12200)"));
                None
            }
        }
    }

    fn connect(&mut self, element: &Element) -> Option<Verb> {
        self.attributes(element, &["action", "method"]);
        let action = self.callback(element, "action", "method");
        let stream = self.only_stream(element)?;
        if stream.track != TrackChoice::Inbound {
            self.fault("a <Connect><Stream> takes inbound_track only (31941)");
            return None;
        }
        Some(Verb::Connect { stream, action })
    }

    fn gather(&mut self, element: &Element) -> Gather {
        const KNOWN: &[&str] = &[
            "input",
            "action",
            "method",
            "timeout",
            "finishOnKey",
            "numDigits",
            "speechTimeout",
            "maxSpeechTime",
            "partialResultCallback",
            "partialResultCallbackMethod",
            "language",
            "hints",
            "bargeIn",
            "actionOnEmptyResult",
            "speechModel",
            "enhanced",
            "profanityFilter",
        ];
        self.attributes(element, KNOWN);
        self.no_text(element);
        let num_digits = self.integer(element, "numDigits", 1, 100);
        let inputs = ["dtmf", "speech", "dtmf speech", "speech dtmf"];
        let takes_keys = self.one_of(element, "input", &inputs) != Some("speech");
        self.finish_on_key(element);
        let mut prompts = Vec::new();
        for child in &element.children {
            match child.name.as_str() {
                "Say" | "Play" => prompts.extend(self.prompt(child)),
                "Pause" => prompts.push(Prompt::Silence(self.pause(child))),
                other => self.fault(format!("<{other}> cannot be inside a <Gather>")),
            }
        }
        let action = self.callback(element, "action", "method");
        let timeout = Duration::from_secs(self.integer(element, "timeout", 1, 600).unwrap_or(5));
        let action_on_empty_result =
            self.one_of(element, "actionOnEmptyResult", &["true", "false"]) == Some("true");
        Gather {
            prompts,
            action,
            timeout,
            num_digits,
            takes_keys,
            action_on_empty_result,
        }
    }

    fn prompt(&mut self, element: &Element) -> Option<Prompt> {
        let text = element
            .text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        if element.name == "Play" {
            self.attributes(element, &["loop", "digits"]);
            self.no_children(element);
            return match attribute(element, "digits") {
                Some(digits) => Some(Prompt::Play(format!("digits {digits}"))),
                None => self.url("the text of <Play>", &text).map(Prompt::Play),
            };
        }
        self.attributes(element, &["voice", "language", "loop"]);
        self.no_children(element);
        if text.is_empty() {
            self.fault("a <Say> has no text");
            return None;
        }
        let characters = text.chars().count();
        if characters > MAX_SAY_CHARACTERS {
            self.fault(format!(
                "a <Say> has {characters} characters; Twilio takes {MAX_SAY_CHARACTERS}"
            ));
        }
        Some(Prompt::Say(text))
    }

    fn pause(&mut self, element: &Element) -> Duration {
        self.attributes(element, &["length"]);
        self.empty(element);
        Duration::from_secs(self.integer(element, "length", 0, 86_400).unwrap_or(1))
    }
}
