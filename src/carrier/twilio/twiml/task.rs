//! What TaskRouter, and so the desktop of the human, is told of a call.

use serde_json::{Map, Value};

use crate::carrier::brief::Brief;

/// The most bytes that Twilio takes of a task's attributes.
const LIMIT_BYTES: usize = 4_096;

/// The fewest characters worth keeping to. A document that has room for less is long for another reason
/// and is fetched in any case.
const LEAST_CHARS: usize = 600;

/// Writes the attributes: everything known, in the order of what a human needs most, as far as there is
/// room. The transcript comes last, and of it the latest lines; the link leads to the rest.
///
/// `chars` is the room in the document, where each `"` is written `&quot;`.
///
/// Twilio merges them with attributes of its own for the call, which have `from` and `caller` among
/// them, hence the prefix.
pub(super) fn attributes(brief: &Brief, chars: usize) -> String {
    let known = [
        ("handoff_id", Some(brief.handoff.as_str())),
        ("handoff_link", brief.link.as_deref()),
        (
            "handoff_call",
            brief.call.as_ref().map(|call| call.as_str()),
        ),
        ("handoff_rule", brief.rule.as_deref()),
        (
            "handoff_caller",
            brief.caller.as_ref().map(|of| of.expose().as_str()),
        ),
        (
            "handoff_called",
            brief.called.as_ref().map(|of| of.expose().as_str()),
        ),
        (
            "handoff_reason",
            brief.reason.as_ref().map(|of| of.expose().as_str()),
        ),
        (
            "handoff_summary",
            brief.summary.as_ref().map(|of| of.expose().as_str()),
        ),
        (
            "handoff_tried",
            brief.tried.as_ref().map(|of| of.expose().as_str()),
        ),
    ];
    let mut attributes = Map::new();
    let mut room = Room::new(chars);
    for (name, value) in known {
        if let Some(value) = value.filter(|value| !value.is_empty())
            && room.takes(&format!("{}:{},", quoted(name), quoted(value)))
        {
            attributes.insert(name.to_owned(), Value::from(value));
        }
    }
    let mut latest = Vec::new();
    if room.takes(r#""handoff_transcript":[],"#) {
        for line in brief.transcript.iter().rev() {
            if !room.takes(&format!("{},", quoted(line.expose()))) {
                break;
            }
            latest.push(Value::from(line.expose().as_str()));
        }
    }
    if !latest.is_empty() {
        latest.reverse();
        attributes.insert("handoff_transcript".to_owned(), Value::Array(latest));
    }
    Value::Object(attributes).to_string()
}

/// What is left of both limits.
struct Room {
    bytes: usize,
    escaped_chars: usize,
}

impl Room {
    fn new(chars: usize) -> Self {
        let braces = "{}".len();
        Self {
            bytes: LIMIT_BYTES - braces,
            escaped_chars: match chars {
                LEAST_CHARS.. => chars - braces,
                _ => usize::MAX,
            },
        }
    }

    /// Takes the room that a part of the attributes needs, if there is that much.
    fn takes(&mut self, json: &str) -> bool {
        let escaped_chars = quick_xml::escape::escape(json).chars().count();
        let fits = json.len() <= self.bytes && escaped_chars <= self.escaped_chars;
        if fits {
            self.bytes -= json.len();
            self.escaped_chars -= escaped_chars;
        }
        fits
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
