//! The forms that carriers post: decoded, and read with a reason for what is wrong.

use handoff_core::id::CarrierCallId;

use super::lenient::is_identifier;

/// Decodes a form body: `+` is a space, `%2B` a plus.
pub fn parse_form(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}

/// Why a webhook cannot be understood. Carries no value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// A parameter is missing.
    #[error("{0} missing")]
    Missing(&'static str),
    /// A call, stream or account name that is none.
    #[error("{0} is not an identifier")]
    Identifier(&'static str),
    /// An address that is none.
    #[error("{0} is not an address")]
    Address(&'static str),
}

/// The parameters of one request. Of repeated names the first counts.
#[derive(Clone, Copy)]
pub(super) struct Form<'a>(pub &'a [(String, String)]);

impl<'a> Form<'a> {
    pub(super) fn get(&self, wanted: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&'a str, WebhookError> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or(WebhookError::Missing(name))
    }

    pub(super) fn identifier(&self, name: &'static str) -> Result<String, WebhookError> {
        let value = self.required(name)?;
        if is_identifier(value) {
            Ok(value.to_owned())
        } else {
            Err(WebhookError::Identifier(name))
        }
    }

    pub(super) fn call(&self, name: &'static str) -> Result<CarrierCallId, WebhookError> {
        self.identifier(name).map(CarrierCallId)
    }

    pub(super) fn optional_call(
        &self,
        name: &'static str,
    ) -> Result<Option<CarrierCallId>, WebhookError> {
        match self.get(name) {
            None | Some("") => Ok(None),
            Some(_) => self.call(name).map(Some),
        }
    }

    /// What is no number says nothing.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.trim().parse().ok()
    }

    /// What is neither true nor false says nothing.
    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        let value = self.get(name)?;
        if value.eq_ignore_ascii_case("true") {
            Some(true)
        } else if value.eq_ignore_ascii_case("false") {
            Some(false)
        } else {
            None
        }
    }
}
