//! The names that Twilio gives: two letters and 32 hexadecimal digits
//! (<https://www.twilio.com/docs/glossary/what-is-a-sid>, read 2026-11-21).

/// The text is not a name of what it is to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {prefix} and 32 hexadecimal digits")]
pub struct NotASid {
    prefix: &'static str,
}

macro_rules! sid {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Accepts such a name.
            ///
            /// # Errors
            ///
            /// [`NotASid`] for anything else.
            pub fn parse(text: &str) -> Result<Self, NotASid> {
                let digits = text.strip_prefix($prefix).unwrap_or_default();
                let shaped =
                    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                if shaped {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NotASid { prefix: $prefix })
                }
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

sid!(
    /// The name of an account.
    AccountSid,
    "AC"
);
sid!(
    /// The name of an API key.
    KeySid,
    "SK"
);
sid!(
    /// The name of a TaskRouter workflow.
    WorkflowSid,
    "WW"
);
