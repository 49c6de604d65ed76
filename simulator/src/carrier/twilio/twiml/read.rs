//! TwiML text to a [`Document`] and the faults found in it.

use std::time::Duration;

use reqwest::Url;

use super::document::{
    Callback, Dial, Document, Gather, LegEvent, Method, Number, Prompt, StatusCallback, Stream,
    TrackChoice, Verb,
};
use super::element::{self, Element};

/// Twilio refuses a fetched document above this with error 11750.
const MAX_BYTES: usize = 64 * 1024;
const MAX_SAY_CHARACTERS: usize = 4096;
/// Name and value of a `<Parameter>` together stay under this.
const MAX_PARAMETER_CHARACTERS: usize = 500;

/// Verbs of Twilio that this stand-in cannot play.
const UNPLAYED: &[&str] = &[
    "Enqueue", "Leave", "Pay", "Prompt", "Queue", "Record", "Refer", "Sms",
];

/// What relative URLs of a document are relative to.
#[derive(Debug, Clone, Copy)]
pub enum Base<'a> {
    /// The URL the document was fetched from.
    Fetched(&'a str),
    /// Nothing: the document came inline in a REST request, so every URL must be absolute.
    Inline,
}

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

struct Reader<'a> {
    base: Base<'a>,
    faults: Vec<String>,
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
                Verb::Redirect(_) => "<Redirect>",
                Verb::Hangup => "<Hangup>",
                Verb::Reject => "<Reject>",
                Verb::Dial(Dial {
                    action: Some(_), ..
                }) => "<Dial action>",
                Verb::Connect {
                    action: Some(_), ..
                } => "<Connect action>",
                Verb::Dial(_)
                | Verb::Connect { .. }
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
            "Gather" => self.gather(element).map(Verb::Gather),
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

    fn only_stream(&mut self, parent: &Element) -> Option<Stream> {
        let element = self.only_child(parent, "Stream")?;
        self.attributes(
            element,
            &[
                "url",
                "name",
                "track",
                "statusCallback",
                "statusCallbackMethod",
            ],
        );
        let url = self.required(element, "url")?;
        let track = match self.one_of(
            element,
            "track",
            &["inbound_track", "outbound_track", "both_tracks"],
        ) {
            Some("outbound_track") => TrackChoice::Outbound,
            Some("both_tracks") => TrackChoice::Both,
            Some(_) | None => TrackChoice::Inbound,
        };
        if let Some(callback) = attribute(element, "statusCallback")
            && !is_absolute(callback)
        {
            self.fault("the statusCallback of a <Stream> must be an absolute URL");
        }
        let status_callback = self.callback(element, "statusCallback", "statusCallbackMethod");
        let parameters = element
            .children
            .iter()
            .filter_map(|child| self.parameter(child))
            .collect();
        let usable = self.stream_url(&url);
        let name = attribute(element, "name").map(str::to_owned);
        usable.then_some(Stream {
            url,
            name,
            track,
            parameters,
            status_callback,
        })
    }

    fn stream_url(&mut self, url: &str) -> bool {
        if !url.starts_with("wss://") {
            self.fault(format!(
                "the url of a <Stream> must begin with wss://, and this is {url:?} (31922)"
            ));
            return false;
        }
        if url.contains(['?', '#']) {
            self.fault(format!(
                "the url of a <Stream> may not have a query string, and this is {url:?} (31920)"
            ));
        }
        if let Err(error) = Url::parse(url) {
            self.fault(format!(
                "the url of a <Stream> is malformed: {error} (31923)"
            ));
            return false;
        }
        true
    }

    fn parameter(&mut self, element: &Element) -> Option<(String, String)> {
        if element.name != "Parameter" {
            self.fault(format!("<{}> cannot be inside a <Stream>", element.name));
            return None;
        }
        self.attributes(element, &["name", "value"]);
        self.empty(element);
        let name = self.required(element, "name")?;
        let value = self.required(element, "value")?;
        let characters = name.chars().count() + value.chars().count();
        if characters >= MAX_PARAMETER_CHARACTERS {
            self.fault(format!("the <Parameter> {name:?} has {characters} characters; name and value must stay under 500"));
        }
        Some((name, value))
    }

    fn dial(&mut self, element: &Element) -> Option<Dial> {
        const KNOWN: &[&str] = &[
            "action",
            "method",
            "timeout",
            "timeLimit",
            "answerOnBridge",
            "callerId",
            "callReason",
            "hangupOnStar",
            "record",
            "recordingStatusCallback",
            "recordingStatusCallbackMethod",
            "recordingStatusCallbackEvent",
            "recordingTrack",
            "trim",
            "referUrl",
            "referMethod",
            "ringTone",
            "sequential",
        ];
        for misplaced in ["statusCallback", "statusCallbackEvent", "url"] {
            if attribute(element, misplaced).is_some() {
                self.fault(format!(
                    "{misplaced} belongs on <Number>, not on <Dial>, where Twilio ignores it"
                ));
            }
        }
        let known_or_misplaced: Vec<_> = KNOWN
            .iter()
            .copied()
            .chain(["statusCallback", "statusCallbackEvent", "url"])
            .collect();
        self.attributes(element, &known_or_misplaced);
        self.one_of(element, "answerOnBridge", &["true", "false"]);
        self.one_of(element, "hangupOnStar", &["true", "false"]);
        if attribute(element, "callReason").is_some_and(|reason| reason.chars().count() > 50) {
            self.fault("the callReason of a <Dial> has more than 50 characters");
        }
        let timeout = Duration::from_secs(self.integer(element, "timeout", 5, 600).unwrap_or(30));
        let time_limit = Duration::from_secs(
            self.integer(element, "timeLimit", 1, 14_400)
                .unwrap_or(14_400),
        );
        let action = self.callback(element, "action", "method");
        let caller_id = attribute(element, "callerId").map(str::to_owned);
        let number = match element.children.as_slice() {
            [] => Number {
                number: self.e164(element.text.trim())?,
                whisper: None,
                status_callback: None,
            },
            [noun] if noun.name == "Number" => {
                self.no_text(element);
                self.number(noun)?
            }
            [noun] => {
                self.fault(format!(
                    "<Dial><{}> cannot be played by this stand-in",
                    noun.name
                ));
                return None;
            }
            _ => {
                self.fault("a <Dial> with several nouns cannot be played by this stand-in");
                return None;
            }
        };
        Some(Dial {
            number,
            timeout,
            caller_id,
            action,
            time_limit,
        })
    }

    fn number(&mut self, element: &Element) -> Option<Number> {
        const KNOWN: &[&str] = &[
            "sendDigits",
            "url",
            "method",
            "byoc",
            "statusCallback",
            "statusCallbackMethod",
            "statusCallbackEvent",
            "machineDetection",
            "machineDetectionTimeout",
            "machineDetectionSpeechThreshold",
            "machineDetectionSpeechEndThreshold",
            "machineDetectionSilenceTimeout",
            "amdStatusCallback",
        ];
        self.attributes(element, KNOWN);
        self.no_children(element);
        if let Some(digits) = attribute(element, "sendDigits")
            && !digits.chars().all(|key| "0123456789ABCD*#wW".contains(key))
        {
            self.fault(format!(
                "sendDigits {digits:?} has something that is not a key or a pause"
            ));
        }
        let number = self.e164(element.text.trim())?;
        let whisper = self.callback(element, "url", "method");
        let events = self.leg_events(attribute(element, "statusCallbackEvent"));
        let status_callback = self
            .callback(element, "statusCallback", "statusCallbackMethod")
            .map(|callback| StatusCallback { callback, events });
        if status_callback.is_none() && attribute(element, "statusCallbackEvent").is_some() {
            self.fault("a <Number> has statusCallbackEvent but no statusCallback");
        }
        Some(Number {
            number,
            whisper,
            status_callback,
        })
    }

    fn leg_events(&mut self, names: Option<&str>) -> Vec<LegEvent> {
        let Some(names) = names else {
            return vec![LegEvent::Completed];
        };
        let mut events = Vec::new();
        for name in names.split(' ') {
            match name {
                "initiated" => events.push(LegEvent::Initiated),
                "ringing" => events.push(LegEvent::Ringing),
                "answered" => events.push(LegEvent::Answered),
                "completed" => events.push(LegEvent::Completed),
                unknown => self.fault(format!(
                    "statusCallbackEvent has {unknown:?}, which is no event of a leg"
                )),
            }
        }
        events
    }

    fn gather(&mut self, element: &Element) -> Option<Gather> {
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
        self.integer(element, "numDigits", 1, 100);
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
        Some(Gather {
            prompts,
            action,
            timeout,
            action_on_empty_result,
        })
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

    fn e164(&mut self, text: &str) -> Option<String> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let valid =
            (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !valid {
            self.fault(format!("{text:?} is not a number in E.164 form (13224)"));
        }
        valid.then(|| text.to_owned())
    }

    fn callback(&mut self, element: &Element, url: &str, method: &str) -> Option<Callback> {
        let method_value = self.method(element, method);
        let Some(value) = attribute(element, url) else {
            if attribute(element, method).is_some() {
                self.fault(format!("<{}> has {method} but no {url}", element.name));
            }
            return None;
        };
        let url = self.url(&format!("{url} of <{}>", element.name), value)?;
        Some(Callback {
            url,
            method: method_value,
        })
    }

    fn method(&mut self, element: &Element, name: &str) -> Method {
        match self.one_of(element, name, &["GET", "POST"]) {
            Some("GET") => Method::Get,
            Some(_) | None => Method::Post,
        }
    }

    /// The absolute form of a URL. An absolute one stays as it is written, byte for byte, because the
    /// signature is over what is written.
    fn url(&mut self, what: &str, written: &str) -> Option<String> {
        if is_absolute(written) {
            if let Err(error) = Url::parse(written) {
                self.fault(format!("{what} is malformed: {error} (11100)"));
                return None;
            }
            return Some(written.to_owned());
        }
        let Base::Fetched(base) = self.base else {
            self.fault(format!(
                "{what} is {written:?}; URLs in an inline document must be absolute"
            ));
            return None;
        };
        match Url::parse(base).and_then(|base| base.join(written)) {
            Ok(url) if !written.is_empty() => Some(url.into()),
            Ok(_) | Err(_) => {
                self.fault(format!("{what} is {written:?}, which is not a URL (11100)"));
                None
            }
        }
    }

    fn integer(&mut self, element: &Element, name: &str, least: u64, most: u64) -> Option<u64> {
        let value = attribute(element, name)?;
        match value.parse() {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            Ok(_) | Err(_) => {
                self.fault(format!(
                    "{name} of <{}> is {value:?}, not a number from {least} to {most}",
                    element.name
                ));
                None
            }
        }
    }

    fn one_of<'e>(
        &mut self,
        element: &'e Element,
        name: &str,
        allowed: &[&str],
    ) -> Option<&'e str> {
        let value = attribute(element, name)?;
        if allowed.contains(&value) {
            return Some(value);
        }
        self.fault(format!(
            "{name} of <{}> is {value:?}, not one of {}",
            element.name,
            allowed.join(", ")
        ));
        None
    }

    fn required(&mut self, element: &Element, name: &str) -> Option<String> {
        let value = attribute(element, name);
        if value.is_none() {
            self.fault(format!("<{}> has no {name}", element.name));
        }
        value.map(str::to_owned)
    }

    fn only_child<'e>(&mut self, parent: &'e Element, name: &str) -> Option<&'e Element> {
        self.no_text(parent);
        match parent.children.as_slice() {
            [child] if child.name == name => {
                self.no_text(child);
                Some(child)
            }
            _ => {
                self.fault(format!(
                    "<{}> must have exactly one <{name}> to be played by this stand-in",
                    parent.name
                ));
                None
            }
        }
    }

    fn attributes(&mut self, element: &Element, known: &[&str]) {
        for (name, _) in &element.attributes {
            if !known.contains(&name.as_str()) {
                self.fault(format!(
                    "<{}> has no attribute {name}; Twilio ignores it silently",
                    element.name
                ));
            }
        }
    }

    fn empty(&mut self, element: &Element) {
        self.no_text(element);
        self.no_children(element);
    }

    fn no_text(&mut self, element: &Element) {
        if !element.text.trim().is_empty() {
            self.fault(format!("<{}> may not have text", element.name));
        }
    }

    fn no_children(&mut self, element: &Element) {
        if let Some(child) = element.children.first() {
            self.fault(format!(
                "<{}> cannot be inside <{}>",
                child.name, element.name
            ));
        }
    }

    fn fault(&mut self, sentence: impl Into<String>) {
        self.faults.push(sentence.into());
    }
}

fn attribute<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    element
        .attributes
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

fn is_absolute(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
