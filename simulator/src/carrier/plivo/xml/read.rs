//! The text of a document to a [`Document`] and the faults found in it.

use std::time::Duration;

use super::document::{Document, Element, Prompt};
use super::reader::{Reader, attribute};
use crate::carrier::callback::Callback;
use crate::carrier::element::{self, Element as Tree};

/// Plivo takes documents of at most 100 kB.
const MAX_BYTES: usize = 100_000;

/// Elements of Plivo that this stand-in cannot play.
const UNPLAYED: &[&str] = &["DTMF", "Message"];

/// Children of `<PreAnswer>` that this stand-in cannot play.
const UNPLAYED_BEFORE: &[&str] = &["GetDigits", "Redirect", "Message", "DTMF"];

/// Children of `<Speak>`: its speech marks.
const SPEECH_MARKS: &[&str] = &[
    "break", "cont", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w",
];

/// What became of a document's text.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    /// The document, unless Plivo refuses the whole of it and ends the call.
    pub document: Option<Document>,
    /// Every rule that it breaks, one sentence each.
    pub faults: Vec<String>,
}

/// Reads a document, noting every fault.
#[must_use]
pub fn read(text: &str) -> Reading {
    let mut reader = Reader::default();
    let document = reader.document(text);
    Reading {
        document: document.filter(|_| !reader.unusable),
        faults: reader.faults,
    }
}

impl Reader {
    fn document(&mut self, text: &str) -> Option<Document> {
        if text.len() > MAX_BYTES {
            self.fatal(format!(
                "the document has {} bytes; Plivo takes 100 kB",
                text.len()
            ));
            return None;
        }
        let root = match element::read(text) {
            Ok(root) => root,
            Err(error) => {
                self.fatal(format!("the document is not well-formed XML: {error}"));
                return None;
            }
        };
        if root.name != "Response" {
            self.fatal(format!(
                "the root element is <{}>, not <Response>",
                root.name
            ));
            return None;
        }
        self.attributes(&root, &[]);
        self.no_text(&root);
        let elements: Vec<_> = root
            .children
            .iter()
            .filter_map(|child| self.element(child))
            .collect();
        self.dead_code(&elements);
        Some(Document { elements })
    }

    /// An element that hands control away makes the elements after it unreachable.
    fn dead_code(&mut self, elements: &[Element]) {
        for pair in elements.windows(2) {
            let away = match &pair[0] {
                Element::Hangup { after: None, .. } => "<Hangup>",
                Element::Dial(dial) if dial.action.is_some() && dial.redirect => "<Dial action>",
                Element::Conference(room) if room.action.is_some() && room.redirect => {
                    "<Conference action>"
                }
                Element::MultiPartyCall(call) if call.on_exit.is_some() => {
                    "<MultiPartyCall onExitActionUrl>"
                }
                // What follows a redirect may be there for a reader that falls through.
                Element::Redirect(_)
                | Element::Hangup { .. }
                | Element::Dial(_)
                | Element::Conference(_)
                | Element::MultiPartyCall(_)
                | Element::Stream(_)
                | Element::Prompt(_)
                | Element::GetInput(_)
                | Element::Wait(_)
                | Element::Record(_)
                | Element::PreAnswer(_) => continue,
            };
            self.fault(format!("the elements after {away} can never run"));
        }
    }

    fn element(&mut self, tree: &Tree) -> Option<Element> {
        match tree.name.as_str() {
            "Stream" => self.stream(tree).map(Element::Stream),
            "Dial" => self.dial(tree).map(Element::Dial),
            "Speak" | "Play" => self.prompt(tree).map(Element::Prompt),
            "GetInput" | "GetDigits" => self.input(tree).map(Element::GetInput),
            "Wait" => Some(Element::Wait(self.wait(tree))),
            "Record" => self.record(tree).map(Element::Record),
            "Conference" => self.conference(tree).map(Element::Conference),
            "MultiPartyCall" => self.multi_party_call(tree).map(Element::MultiPartyCall),
            "PreAnswer" => {
                self.attributes(tree, &[]);
                Some(Element::PreAnswer(self.prompts(tree)))
            }
            "Redirect" => {
                self.attributes(tree, &["method"]);
                self.no_children(tree);
                let method = self.method(tree, "method");
                let url = self.url("the text of <Redirect>", tree.text.trim())?;
                Some(Element::Redirect(Callback { url, method }))
            }
            "Hangup" => {
                self.attributes(tree, &["reason", "schedule"]);
                self.empty(tree);
                let refuses = self.one_of(tree, "reason", &["rejected", "busy"]).is_some();
                let after = self.seconds(tree, "schedule", 1, 86_400);
                Some(Element::Hangup { refuses, after })
            }
            unplayed if UNPLAYED.contains(&unplayed) => {
                self.fault(format!(
                    "<{unplayed}> is an element of Plivo that this stand-in cannot play"
                ));
                None
            }
            unknown => {
                self.fatal(format!("<{unknown}> is not an element of Plivo"));
                None
            }
        }
    }

    /// The prompts inside an element that takes nothing else.
    pub(super) fn prompts(&mut self, parent: &Tree) -> Vec<Prompt> {
        self.no_text(parent);
        let mut prompts = Vec::new();
        for child in &parent.children {
            match child.name.as_str() {
                "Speak" | "Play" => prompts.extend(self.prompt(child)),
                "Wait" => prompts.push(Prompt::Silence(self.wait(child))),
                name if parent.name == "PreAnswer" && UNPLAYED_BEFORE.contains(&name) => {
                    self.fault(format!(
                        "<{name}> in a <PreAnswer> is something that this stand-in cannot play"
                    ));
                }
                _ => self.misplaced(child, parent),
            }
        }
        prompts
    }

    fn prompt(&mut self, tree: &Tree) -> Option<Prompt> {
        let text = tree.text.trim();
        if tree.name == "Play" {
            self.attributes(tree, &["loop"]);
            self.no_children(tree);
            self.integer(tree, "loop", 0, 1000);
            return self.url("the text of <Play>", text).map(Prompt::Play);
        }
        self.attributes(tree, &["voice", "language", "loop"]);
        self.integer(tree, "loop", 0, 1000);
        if let Some(voice) = attribute(tree, "voice")
            && !["WOMAN", "MAN"].contains(&voice)
            && !voice.starts_with("Polly.")
        {
            self.fault(format!(
                "voice of <Speak> is {voice:?}, not WOMAN, MAN or Polly.…"
            ));
        }
        let mut marked = String::new();
        for child in &tree.children {
            if !SPEECH_MARKS.contains(&child.name.as_str()) {
                self.misplaced(child, tree);
            }
            marked.push_str(&child.text);
        }
        if text.is_empty() && marked.trim().is_empty() {
            self.fault("a <Speak> has no text");
            return None;
        }
        let spoken = [text, marked.trim()].concat();
        Some(Prompt::Speak(spoken))
    }

    fn wait(&mut self, tree: &Tree) -> Duration {
        self.attributes(tree, &["length", "silence", "minSilence", "beep"]);
        self.empty(tree);
        self.flag(tree, "silence", false);
        self.flag(tree, "beep", false);
        self.integer(tree, "minSilence", 1, 86_400_000);
        let length = self.seconds(tree, "length", 1, 86_400);
        length.unwrap_or(Duration::from_secs(1))
    }
}
