//! The arguments of a method, in any of the forms in which Slack takes them.

use serde_json::{Map, Value};

use crate::http1::{Request, form_pairs};

/// Arguments from a JSON body, a form or the query; structured ones are JSON text in the latter two.
pub(super) fn arguments(request: &Request) -> Option<Map<String, Value>> {
    if request.media_type() == "application/json" {
        return match serde_json::from_slice(&request.body).ok()? {
            Value::Object(members) => Some(members),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => None,
        };
    }
    let mut pairs = request.query()?;
    if request.media_type() == "application/x-www-form-urlencoded" {
        pairs.extend(form_pairs(std::str::from_utf8(&request.body).ok()?)?);
    } else if !request.body.is_empty() {
        return None;
    }
    let structured = ["blocks", "metadata", "files", "attachments"];
    pairs
        .into_iter()
        .map(|(name, value)| {
            let value = match structured.contains(&name.as_str()) {
                true => serde_json::from_str(&value).ok()?,
                false => Value::String(value),
            };
            Some((name, value))
        })
        .collect()
}

/// A number that may be written as text.
pub(super) fn argument_number(arguments: &Map<String, Value>, name: &str) -> Option<f64> {
    let value = arguments.get(name)?;
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}
