//! Reads one TOML table, keeps every problem with its path, and knows which keys nobody asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use handoff_core::spelling::distance;
use toml::{Table, Value};

use super::bounds::Bounds;

/// Something wrong in a configuration: where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key's path (`rule[caller_asks_for_human].when`) or the environment variable's name.
    pub path: String,
    /// What is wrong, in words that say what would be right.
    pub message: String,
}

/// All problems of one configuration, in order of discovery.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem {
            path: path.into(),
            message: message.into(),
        });
    }

    /// Keeps what was made of a value, or why it could not be.
    pub(super) fn keep<T, E: std::fmt::Display>(
        &mut self,
        path: impl Into<String>,
        made: Result<T, E>,
    ) -> Option<T> {
        match made {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(path, error.to_string());
                None
            }
        }
    }
}

/// A table being read. Values of the wrong kind become problems, and a stand-in is given so that
/// reading goes on to find the next problem.
pub(super) struct Section<'a> {
    path: String,
    table: &'a Table,
    asked: BTreeSet<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn new(path: impl Into<String>, table: &'a Table) -> Self {
        Self {
            path: path.into(),
            table,
            asked: BTreeSet::new(),
        }
    }

    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(super) fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.insert(key);
        self.table.get(key)
    }

    /// Whether a key is there, which is one of this table's.
    pub(super) fn has(&mut self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// Whether a key is there, which may be none of this table's.
    pub(super) fn contains(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reads a text that becomes a value of its own type. A missing one is like an empty one.
    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
        problems: &mut Problems,
    ) -> Option<T> {
        let text = match self.has(key) {
            true => self.optional_text(key, problems)?,
            false => self.text(key, problems),
        };
        problems.keep(self.path(key), parse(&text))
    }

    pub(super) fn text(&mut self, key: &'static str, problems: &mut Problems) -> String {
        self.optional_text(key, problems).unwrap_or_default()
    }

    pub(super) fn optional_text(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<String> {
        let value = self.value(key)?;
        let text = value.as_str().map(|text| text.trim().to_owned());
        if text.is_none() {
            problems.add(
                self.path(key),
                format!("must be text in quotes, not {}", kind(value)),
            );
        }
        text
    }

    pub(super) fn texts(&mut self, key: &'static str, problems: &mut Problems) -> Vec<String> {
        let path = self.path(key);
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Array(values)) if values.iter().all(Value::is_str) => values
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            Some(_) => {
                problems.add(path, "must be a list of texts, like [\"one\", \"two\"]");
                Vec::new()
            }
        }
    }

    pub(super) fn flag(
        &mut self,
        key: &'static str,
        absent: bool,
        problems: &mut Problems,
    ) -> bool {
        match self.value(key) {
            None => absent,
            Some(Value::Boolean(flag)) => *flag,
            Some(other) => {
                problems.add(
                    self.path(key),
                    format!("must be true or false, not {}", kind(other)),
                );
                absent
            }
        }
    }

    pub(super) fn number(
        &mut self,
        key: &'static str,
        bounds: &Bounds<u32>,
        problems: &mut Problems,
    ) -> u32 {
        let path = self.path(key);
        match self
            .value(key)
            .and_then(Value::as_integer)
            .map(u32::try_from)
        {
            Some(Ok(number)) if bounds.hold(number) => number,
            Some(_) | None => {
                let why = bounds.why;
                problems.add(path, format!("must be a whole number from {bounds}: {why}"));
                bounds.least
            }
        }
    }

    pub(super) fn duration(
        &mut self,
        key: &'static str,
        bounds: &Bounds<Duration>,
        problems: &mut Problems,
    ) -> Duration {
        self.optional_duration(key, bounds, problems)
            .unwrap_or(bounds.least)
    }

    pub(super) fn optional_duration(
        &mut self,
        key: &'static str,
        bounds: &Bounds<Duration>,
        problems: &mut Problems,
    ) -> Option<Duration> {
        let duration = self.unbounded_duration(key, problems)?;
        if !bounds.hold(duration) {
            let given = humantime::format_duration(duration);
            let why = bounds.why;
            problems.add(
                self.path(key),
                format!("must be {bounds}, not {given}: {why}"),
            );
            return None;
        }
        Some(duration)
    }

    /// Reads a duration whose bounds are those of the type that it becomes.
    pub(super) fn unbounded_duration(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Duration> {
        let text = self.optional_text(key, problems)?;
        match humantime::parse_duration(&text) {
            Ok(duration) => Some(duration),
            Err(_) => {
                problems.add(
                    self.path(key),
                    format!(
                        "\"{text}\" is no duration; write one like \"750ms\", \"25s\" or \"4h\""
                    ),
                );
                None
            }
        }
    }

    pub(super) fn section(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Section<'a>> {
        let path = self.path(key);
        let value = self.value(key)?;
        let table = value.as_table();
        if table.is_none() {
            problems.add(
                path.clone(),
                format!("must be a table, not {}", kind(value)),
            );
        }
        table.map(|table| Section::new(path, table))
    }

    pub(super) fn sections(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Vec<Section<'a>> {
        let path = self.path(key);
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Array(values)) if values.iter().all(Value::is_table) => values
                .iter()
                .enumerate()
                .filter_map(|(nth, value)| {
                    let table = value.as_table()?;
                    // Defaults and a file's own tables are counted together, so a name says more
                    // than a number.
                    let name = table.get("name").and_then(Value::as_str);
                    let place = name.map_or_else(|| nth.to_string(), str::to_owned);
                    Some(Section::new(format!("{path}[{place}]"), table))
                })
                .collect(),
            Some(_) => {
                problems.add(
                    path.clone(),
                    format!("must be written as [[{path}]] tables"),
                );
                Vec::new()
            }
        }
    }

    /// Ends the reading: every key nobody asked for is a problem, with the nearest known name.
    pub(super) fn finish(self, problems: &mut Problems) {
        for key in self.table.keys() {
            if self.asked.contains(key.as_str()) {
                continue;
            }
            let near = (self.asked.iter())
                .map(|known| (distance(key, known), known))
                .min()
                .filter(|(distance, _)| *distance <= 1 + key.len() / 3);
            let hint = near.map(|(_, known)| format!("; did you mean \"{known}\"?"));
            problems.add(
                self.path(key),
                format!("unknown key{}", hint.unwrap_or_default()),
            );
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
