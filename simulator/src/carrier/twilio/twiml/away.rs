//! `<Enqueue>`, `<Refer>` and `<Record>`.

use std::time::Duration;

use serde_json::Value;

use super::document::{Enqueue, Record, Refer, WaitingLine};
use super::reader::{Reader, attribute};
use crate::carrier::element::Element;

const MAX_QUEUE_NAME_CHARACTERS: usize = 64;
const MAX_ATTRIBUTES_BYTES: usize = 4096;
const KEYS: &str = "0123456789*#";

impl Reader<'_> {
    pub(super) fn enqueue(&mut self, element: &Element) -> Option<Enqueue> {
        const KNOWN: &[&str] = &[
            "action",
            "method",
            "waitUrl",
            "waitUrlMethod",
            "workflowSid",
            "maxQueueSize",
        ];
        self.attributes(element, KNOWN);
        self.integer(element, "maxQueueSize", 1, 5000);
        let action = self.callback(element, "action", "method");
        let wait = self.wait(element, "waitUrlMethod");
        let line = match attribute(element, "workflowSid") {
            Some(sid) => self.workflow(element, sid),
            None => self.queue(element),
        };
        Some(Enqueue {
            line: line?,
            action,
            wait,
        })
    }

    fn queue(&mut self, element: &Element) -> Option<WaitingLine> {
        self.no_children(element);
        let name = element.text.trim();
        if !(1..=MAX_QUEUE_NAME_CHARACTERS).contains(&name.chars().count()) {
            self.fault("the name of a queue has 1 to 64 characters");
            return None;
        }
        Some(WaitingLine::Queue(name.to_owned()))
    }

    fn workflow(&mut self, element: &Element, sid: &str) -> Option<WaitingLine> {
        let hex = sid.strip_prefix("WW").unwrap_or_default();
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if hex.len() != 32 || !hex.bytes().all(is_hex) {
            self.fault(format!(
                "workflowSid is {sid:?}, not WW and 32 hexadecimal digits"
            ));
            return None;
        }
        self.no_text(element);
        let [task] = element.children.as_slice() else {
            self.fault("an <Enqueue workflowSid> must have exactly one <Task>");
            return None;
        };
        if task.name != "Task" {
            self.fault(format!("<{}> cannot be inside <Enqueue>", task.name));
            return None;
        }
        self.attributes(task, &["priority", "timeout"]);
        self.no_children(task);
        self.integer(task, "priority", 0, u64::from(u32::MAX));
        self.integer(task, "timeout", 1, u64::from(u32::MAX));
        let attributes = task.text.trim();
        if attributes.len() > MAX_ATTRIBUTES_BYTES {
            self.fault(format!(
                "a <Task> has {} bytes of attributes; TaskRouter takes {MAX_ATTRIBUTES_BYTES}",
                attributes.len()
            ));
            return None;
        }
        if !matches!(serde_json::from_str(attributes), Ok(Value::Object(_))) {
            self.fault("the text of a <Task> is not a JSON object");
            return None;
        }
        Some(WaitingLine::Workflow {
            sid: sid.to_owned(),
            attributes: attributes.to_owned(),
        })
    }

    pub(super) fn refer(&mut self, element: &Element) -> Option<Refer> {
        self.attributes(element, &["action", "method"]);
        let action = self.callback(element, "action", "method");
        self.no_text(element);
        let [sip] = element.children.as_slice() else {
            self.fault("a <Refer> must have exactly one <Sip>");
            return None;
        };
        if sip.name != "Sip" {
            self.fault(format!("<{}> cannot be inside <Refer>", sip.name));
            return None;
        }
        self.attributes(sip, &[]);
        self.no_children(sip);
        let to = self.sip(sip.text.trim())?;
        Some(Refer { to, action })
    }

    pub(super) fn record(&mut self, element: &Element) -> Record {
        const KNOWN: &[&str] = &[
            "action",
            "method",
            "timeout",
            "finishOnKey",
            "maxLength",
            "playBeep",
            "trim",
            "recordingStatusCallback",
            "recordingStatusCallbackMethod",
            "recordingStatusCallbackEvent",
            "transcribe",
            "transcribeCallback",
        ];
        self.attributes(element, KNOWN);
        self.empty(element);
        self.truth(element, "playBeep", true);
        self.truth(element, "transcribe", false);
        if let Some(callback) = attribute(element, "transcribeCallback") {
            self.url("transcribeCallback of <Record>", callback);
        }
        self.one_of(element, "trim", &["trim-silence", "do-not-trim"]);
        let completed = ["in-progress", "completed", "absent"];
        let events = attribute(element, "recordingStatusCallbackEvent").unwrap_or("completed");
        for event in events.split(' ') {
            if !completed.contains(&event) {
                self.fault(format!(
                    "recordingStatusCallbackEvent has {event:?}, which is no event of a recording"
                ));
            }
        }
        let seconds = |value: Option<u64>, default| Duration::from_secs(value.unwrap_or(default));
        Record {
            action: self.callback(element, "action", "method"),
            status_callback: self
                .callback(
                    element,
                    "recordingStatusCallback",
                    "recordingStatusCallbackMethod",
                )
                .filter(|_| events.split(' ').any(|event| event == "completed")),
            max_length: seconds(self.integer(element, "maxLength", 1, 14_400), 3600),
            timeout: seconds(self.integer(element, "timeout", 1, 600), 5),
            finish_on_key: self.finish_on_key(element).unwrap_or(KEYS).to_owned(),
        }
    }

    /// `finishOnKey`: keys, or nothing at all.
    pub(super) fn finish_on_key<'e>(&mut self, element: &'e Element) -> Option<&'e str> {
        let keys = attribute(element, "finishOnKey")?;
        if !keys.chars().all(|key| KEYS.contains(key)) {
            self.fault(format!(
                "finishOnKey of <{}> is {keys:?}, which has something that is not a key",
                element.name
            ));
        }
        Some(keys)
    }
}
