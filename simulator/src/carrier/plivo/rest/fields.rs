//! The JSON body of a request, judged field by field.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::asked::{Asked, Refusal, refusal};
use crate::carrier::plivo::stage::Stage;
use crate::carrier::plivo::terms::{Rule, Terms};

/// A field that a resource takes.
pub(super) struct Field {
    /// Its name in the body.
    pub(super) name: &'static str,
    /// Its name among the terms.
    pub(super) term: &'static str,
    pub(super) rule: Rule,
}

impl Field {
    pub(super) const fn new(name: &'static str, rule: Rule) -> Self {
        Self {
            name,
            term: name,
            rule,
        }
    }
}

impl Asked {
    /// Refuses the request with a sentence, and notes the violation.
    pub(super) fn refuse(&self, stage: Option<&Stage>, sentence: impl Into<String>) -> Refusal {
        let sentence = sentence.into();
        self.violation(stage.map(|stage| &stage.call), sentence.clone());
        refusal(StatusCode::BAD_REQUEST, &sentence)
    }

    /// The body, if it is a JSON object; `what` is what it asks for.
    pub(super) fn object(
        &self,
        stage: Option<&Stage>,
        what: &str,
    ) -> Result<&Map<String, Value>, Refusal> {
        let content_type = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if !content_type.starts_with("application/json") {
            let sentence = format!("{what} came as {content_type:?}, not as JSON");
            return Err(self.refuse(stage, sentence));
        }
        let object = self.body.as_object();
        object.ok_or_else(|| self.refuse(stage, format!("the body of {what} is not a JSON object")))
    }

    /// The fields of the body, each by its rule.
    pub(super) fn terms(&self, what: &str, known: &[Field]) -> Result<Terms, Refusal> {
        let mut terms = Terms::default();
        for (name, value) in self.object(None, what)? {
            let Some(field) = known.iter().find(|field| field.name == name) else {
                return Err(self.refuse(None, format!("{what} has no field {name:?}")));
            };
            let taken = written(value, field.rule)
                .and_then(|value| terms.take(field.term, field.rule, value));
            if let Err(wrong) = taken {
                return Err(self.refuse(None, format!("{name} of {what} {wrong}")));
            }
        }
        Ok(terms)
    }
}

/// A value as an attribute would have it. Flags are JSON booleans and spans JSON numbers, as the
/// libraries send them.
fn written(value: &Value, rule: Rule) -> Result<String, String> {
    match (rule, value) {
        (Rule::Flag, Value::Bool(flag)) => Ok(flag.to_string()),
        (Rule::Between(..), Value::Number(number)) => Ok(number.to_string()),
        (Rule::Flag, _) => Err(format!("is {value}, not a JSON boolean")),
        (Rule::Between(..), _) => Err(format!("is {value}, not a JSON number")),
        (_, Value::String(text)) => Ok(text.clone()),
        (_, _) => Err(format!("is {value}, not a JSON string")),
    }
}
