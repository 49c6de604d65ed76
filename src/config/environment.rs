//! The environment as the configuration sees it.

use super::reader::Problems;

/// Looks a variable up. Given by the caller so that tests need not touch the process.
pub struct Environment<'a>(pub &'a dyn Fn(&str) -> Option<String>);

/// Reads a variable of the process. The only place that does.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Environment<'_> {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.0)(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, name: &str, what: &str, problems: &mut Problems) -> String {
        self.get(name).unwrap_or_else(|| {
            problems.add(name, format!("is not set; it holds {what}"));
            String::new()
        })
    }
}
