//! The document that a request puts on a call: inline, or to be fetched.

use std::sync::Arc;

use axum::http::StatusCode;
use reqwest::Url;

use super::asked::{Asked, Refusal, refusal};
use crate::carrier::event::Purpose;
use crate::carrier::twilio::call::{Call, Source};
use crate::carrier::twilio::twiml::{self, Base, Callback, Method};

/// Twilio takes this many characters of inline TwiML.
const MAX_TWIML_CHARACTERS: usize = 4000;

/// Reads `Url` with its `Method`.
pub(super) fn fetched(
    asked: &Asked,
    call: Option<&Arc<Call>>,
    url: &str,
    purpose: Purpose,
) -> Result<Source, Refusal> {
    let callback = Callback {
        url: absolute(asked, call, "Url", url)?,
        method: method(asked, call, "Method")?,
    };
    Ok(Source::Fetch {
        purpose,
        callback,
        parameters: Vec::new(),
    })
}

/// Reads `Twiml`.
pub(super) fn inline(
    asked: &Asked,
    call: Option<&Arc<Call>>,
    twiml: &str,
) -> Result<Source, Refusal> {
    let characters = twiml.chars().count();
    if characters > MAX_TWIML_CHARACTERS {
        asked.violation(
            call,
            format!(
                "inline Twiml has {characters} characters; Twilio takes {MAX_TWIML_CHARACTERS} (32018)"
            ),
        );
        return Err(refusal(StatusCode::BAD_REQUEST, 32018, "Twiml is too long"));
    }
    if twiml::read(twiml, Base::Inline).document.is_none() {
        asked.violation(
            call,
            "inline Twiml cannot be executed; who is on the line would hear an application error (12100)",
        );
    }
    Ok(Source::Inline(twiml.to_owned()))
}

pub(super) fn absolute(
    asked: &Asked,
    call: Option<&Arc<Call>>,
    name: &str,
    url: &str,
) -> Result<String, Refusal> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web && Url::parse(url).is_ok() {
        return Ok(url.to_owned());
    }
    asked.violation(
        call,
        format!("{name} is {url:?}, not an absolute URL (21205)"),
    );
    Err(refusal(
        StatusCode::BAD_REQUEST,
        21205,
        "Url is not a valid URL",
    ))
}

pub(super) fn method(
    asked: &Asked,
    call: Option<&Arc<Call>>,
    name: &str,
) -> Result<Method, Refusal> {
    match asked.parameter(name) {
        Some("GET") => Ok(Method::Get),
        Some("POST") | None => Ok(Method::Post),
        Some(other) => {
            asked.violation(call, format!("{name} is {other:?}, not GET or POST"));
            Err(refusal(
                StatusCode::BAD_REQUEST,
                20001,
                "Method must be GET or POST",
            ))
        }
    }
}
