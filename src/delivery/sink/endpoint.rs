//! How requests to a vendor are put together.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};

pub use crate::base_url::{BaseUrl, BaseUrlError};

/// A request's method, URL, credentials and content, each already encoded.
pub(super) struct Draft<'a> {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) authorization: Option<&'a HeaderValue>,
    pub(super) content_type: Option<&'static str>,
    pub(super) body: Bytes,
}

impl Draft<'_> {
    /// Puts the request together, or says `None` if the URL (the only part that may come from a
    /// vendor) is not one.
    pub(super) fn finish(self) -> Option<Request<Bytes>> {
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.url.parse().ok()?;
        let headers = request.headers_mut();
        if let Some(authorization) = self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        if let Some(content_type) = self.content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        Some(request)
    }
}

/// Percent-encodes a query or form value (RFC 3986 unreserved characters stay).
pub(super) fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Encodes pairs as a query or as a form body.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_values_are_percent_encoded() {
        assert_eq!(
            form(&[("a b", "ü&="), ("n", "1")]),
            "a%20b=%C3%BC%26%3D&n=1"
        );
    }
}
