//! The `extra_headers` of a stream, in every form they have been seen in.

use std::collections::BTreeMap;

use handoff_core::pii::Pii;
use serde_json::Value;

use crate::carrier::lenient::scalar;

/// Reads the `extra_headers` of a `start`. The vendor's pages separate pairs by `;` or by `,`, its
/// libraries take JSON, in a string or as it is. What has no name is dropped: it cannot be ours.
pub(super) fn parse(headers: Option<Value>) -> BTreeMap<String, Pii<String>> {
    match headers {
        Some(Value::String(text)) => match serde_json::from_str(&text) {
            Ok(Value::Object(members)) => members.into_iter().map(member).collect(),
            Ok(_) | Err(_) => pairs(&text),
        },
        Some(Value::Object(members)) => members.into_iter().map(member).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) | None => {
            BTreeMap::new()
        }
    }
}

/// A `;` anywhere makes it the separator, so that a value may then hold a `,`.
fn pairs(text: &str) -> BTreeMap<String, Pii<String>> {
    let separator = if text.contains(';') { ';' } else { ',' };
    text.split(separator)
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), Pii::new(value.to_owned())))
        .collect()
}

fn member((name, value): (String, Value)) -> (String, Pii<String>) {
    (name, Pii::new(scalar(value)))
}
