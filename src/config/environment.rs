//! The environment as the configuration sees it.

use handoff_core::pii::Secret;

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

    /// Reads a secret. One that no header can carry would fail every request.
    pub(super) fn secret(&self, name: &str, problems: &mut Problems) -> Option<Secret> {
        let value = self.get(name)?;
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            problems.add(name, "holds a space or another character no credential has");
        }
        Some(Secret::new(value))
    }

    /// Reads a name and its secret, which are of use together alone.
    pub(super) fn pair(&self, name: &str, secret: &str, problems: &mut Problems) -> Pair {
        match (self.get(name), self.secret(secret, problems)) {
            (Some(name), Some(secret)) => Pair::Whole(name, secret),
            (None, None) => Pair::Absent,
            (Some(_), None) => {
                problems.add(secret, format!("is not set beside {name}"));
                Pair::Half
            }
            (None, Some(_)) => {
                problems.add(name, format!("is not set beside {secret}"));
                Pair::Half
            }
        }
    }
}

/// A name and its secret.
pub(super) enum Pair {
    /// Both are set.
    Whole(String, Secret),
    /// One is missing, which is a problem that was told.
    Half,
    /// Neither is set.
    Absent,
}
