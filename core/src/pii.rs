//! Values that must never reach a log line: what people said, who they are, and secrets.
//!
//! Redaction is unconditional. There is no feature flag and no `Display`; whoever needs the value
//! says so with [`Pii::expose`] or [`Secret::expose`], which makes every such place easy to find.

use std::fmt;

/// A value about a person: transcript text, a phone number, a name.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Wraps a personal value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Gives the value to code that stores or delivers it.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// Unwraps the value for code that stores or delivers it.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Pii<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<personal>")
    }
}

/// A credential. Compared only in constant time, by the code that verifies with it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a credential.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Gives the credential to the code that signs or authenticates with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_persons_nor_secrets() {
        let shown = format!("{:?} {:?}", Pii::new("+15550100001"), Secret::new("0f1e2d"));
        assert_eq!(shown, "<personal> <secret>");
    }
}
