//! Where a vendor is reached, and how requests to it are put together.

use std::fmt;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};

/// The part of a vendor's URLs that the configuration chooses, without a trailing slash.
///
/// Some are secrets (an incoming webhook), so only scheme and host show in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    scheme: &'static str,
    authority: String,
    path: String,
}

/// Why a text is not a [`BaseUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It does not parse, or has no host.
    #[error("not a URL with a host")]
    Malformed,
    /// Only `http` and `https` are spoken.
    #[error("neither http nor https")]
    Scheme,
    /// Paths are appended to it, so that it cannot end in a query.
    #[error("has a query")]
    Query,
    /// Credentials belong into their own settings.
    #[error("carries credentials before the host")]
    Credentials,
}

impl BaseUrl {
    /// Accepts `https://host[:port][/path]`.
    ///
    /// # Errors
    /// [`BaseUrlError`] says what is wrong with the text, without repeating it.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let uri: Uri = text.parse().map_err(|_| BaseUrlError::Malformed)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(BaseUrlError::Malformed);
        };
        let scheme = match scheme {
            "http" => "http",
            "https" => "https",
            _ => return Err(BaseUrlError::Scheme),
        };
        if authority.host().is_empty() {
            return Err(BaseUrlError::Malformed);
        }
        if authority.as_str().contains('@') {
            return Err(BaseUrlError::Credentials);
        }
        if uri.query().is_some() {
            return Err(BaseUrlError::Query);
        }
        Ok(Self {
            scheme,
            authority: authority.as_str().to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The host, without port.
    pub fn host(&self) -> &str {
        self.authority
            .rsplit_once(':')
            .map_or(self.authority.as_str(), |(host, port)| {
                if port.ends_with(']') {
                    self.authority.as_str()
                } else {
                    host
                }
            })
    }

    /// The whole URL of something below this base. `path` is empty or begins with a slash and is
    /// percent-encoded where needed.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}://{}{}{}", self.scheme, self.authority, self.path, path)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.scheme, self.authority)
    }
}

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
    fn base_urls_are_checked_once() {
        let check = |text: &str| BaseUrl::parse(text).map(|base| base.at("/x"));
        assert_eq!(
            check("https://acme.zendesk.com/"),
            Ok("https://acme.zendesk.com/x".to_owned())
        );
        assert_eq!(
            check("http://127.0.0.1:8080/api"),
            Ok("http://127.0.0.1:8080/api/x".to_owned())
        );
        assert_eq!(check("acme.zendesk.com"), Err(BaseUrlError::Malformed));
        assert_eq!(check("ftp://acme.zendesk.com"), Err(BaseUrlError::Scheme));
        assert_eq!(
            check("https://a:b@acme.zendesk.com"),
            Err(BaseUrlError::Credentials)
        );
        assert_eq!(
            check("https://acme.zendesk.com/?a=b"),
            Err(BaseUrlError::Query)
        );
        assert_eq!(check(""), Err(BaseUrlError::Malformed));
    }

    #[test]
    fn the_secret_part_of_a_url_is_not_shown() {
        let hook = BaseUrl::parse("https://hooks.slack.com/services/T0/B0/s3cr3t").unwrap();
        assert_eq!(format!("{hook:?}"), "https://hooks.slack.com/…");
        assert_eq!(hook.host(), "hooks.slack.com");
        assert_eq!(BaseUrl::parse("http://[::1]:80").unwrap().host(), "[::1]");
        assert_eq!(BaseUrl::parse("http://[::1]").unwrap().host(), "[::1]");
    }

    #[test]
    fn form_values_are_percent_encoded() {
        assert_eq!(
            form(&[("a b", "ü&="), ("n", "1")]),
            "a%20b=%C3%BC%26%3D&n=1"
        );
    }
}
