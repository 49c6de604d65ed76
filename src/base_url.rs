//! Addresses of other people's servers, and of our own as they see it: parsed once, where the
//! configuration is read.
//!
//! Pure: nothing is looked up or connected to. Which vendor stands behind an address, and what is
//! below it, is the business of who uses it.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::Authority;

/// The part of a server's URLs that the configuration chooses, `https://host[:port][/path]` without
/// a trailing slash; `http` for loopback hosts alone.
///
/// Some are secrets (an incoming webhook), so only scheme and host show in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    scheme: Scheme,
    authority: String,
    path: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// Why a text is not a [`BaseUrl`]. The text itself is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It does not parse, or has no host.
    #[error("must be an address with a host, like \"https://host.example.com\"")]
    Malformed,
    /// Neither `https` nor `http` to this machine.
    #[error("must be an https:// address (http:// only on this machine)")]
    Scheme,
    /// The port is no number from 1 to 65535.
    #[error("must have a port from 1 to 65535, or none")]
    Port,
    /// Paths are appended to it, so that it cannot end in a query or fragment.
    #[error("must end before the query: no ? and no #")]
    Query,
    /// Credentials belong into their own settings.
    #[error("must not carry credentials before the host")]
    Credentials,
}

impl BaseUrl {
    /// Accepts `https://host[:port][/path]`.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] says what it must be.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        if text.contains(['?', '#']) {
            return Err(BaseUrlError::Query);
        }
        let uri: Uri = text.parse().map_err(|_| BaseUrlError::Malformed)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(BaseUrlError::Malformed);
        };
        if authority.host().is_empty() {
            return Err(BaseUrlError::Malformed);
        }
        if authority.as_str().contains('@') {
            return Err(BaseUrlError::Credentials);
        }
        let scheme = match scheme {
            "https" => Scheme::Https,
            "http" if is_loopback(authority.host()) => Scheme::Http,
            _ => return Err(BaseUrlError::Scheme),
        };
        let after_host = &authority.as_str()[authority.host().len()..];
        if !after_host.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(BaseUrlError::Port);
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
    pub fn at(&self, path: &str) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        self.with_scheme(scheme, path)
    }

    /// The same for a WebSocket: `wss`, or `ws` where the base is `http`.
    pub fn socket_at(&self, path: &str) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "ws",
            Scheme::Https => "wss",
        };
        self.with_scheme(scheme, path)
    }

    /// A base of its own below this one.
    #[must_use]
    pub fn below(&self, path: &str) -> Self {
        Self {
            path: format!("{}{path}", self.path),
            ..self.clone()
        }
    }

    /// The path below this base of a URL that leads here: empty for the base itself, `None` for a
    /// URL that leads elsewhere. A URL that is a path alone is one on this host.
    pub fn path_below(&self, url: &str) -> Option<String> {
        let uri: Uri = url.parse().ok()?;
        let port = |authority: &Authority, secure| {
            (authority.port_u16()).unwrap_or(if secure { 443 } else { 80 })
        };
        if let Some(authority) = uri.authority() {
            let ours: Authority = self.authority.parse().ok()?;
            let secure = self.scheme == Scheme::Https;
            let same_host = authority.host().eq_ignore_ascii_case(ours.host());
            let same_port =
                port(authority, uri.scheme_str() == Some("https")) == port(&ours, secure);
            if !same_host || !same_port {
                return None;
            }
        }
        let below = uri.path().strip_prefix(&self.path)?;
        (below.is_empty() || below.starts_with('/')).then(|| below.to_owned())
    }

    fn with_scheme(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://{}{}{path}", self.authority, self.path)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scheme, authority, ..
        } = self;
        match scheme {
            Scheme::Http => write!(f, "http://{authority}/…"),
            Scheme::Https => write!(f, "https://{authority}/…"),
        }
    }
}

/// Whether a host as it stands in a URL is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || (address.parse::<IpAddr>()).is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_leads_below_a_base_however_it_is_written() {
        let base = BaseUrl::parse("https://H.example/p").expect("a base");
        for (url, below) in [
            ("https://h.example/p/twilio/voice", Some("/twilio/voice")),
            ("https://h.EXAMPLE:443/p/x?a=b#rc=2", Some("/x")),
            ("https://h.example/p", Some("")),
            ("/p/x", Some("/x")),
            ("https://h.example/pq/x", None),
            ("https://h.example/x", None),
            ("https://h.example:8443/p/x", None),
            ("https://other.example/p/x", None),
            ("/x", None),
            ("a b", None),
        ] {
            assert_eq!(base.path_below(url).as_deref(), below, "{url}");
        }
    }

    #[test]
    fn a_base_is_https_or_this_machine_and_ends_in_a_path() {
        let at = |text: &str| BaseUrl::parse(text).map(|base| base.at("/x"));
        for (text, url) in [
            ("https://acme.zendesk.com/", "https://acme.zendesk.com/x"),
            ("https://a.example:8443/p/", "https://a.example:8443/p/x"),
            ("http://127.0.0.1:8080/api", "http://127.0.0.1:8080/api/x"),
            ("http://LOCALHOST", "http://LOCALHOST/x"),
            ("http://[::1]:80", "http://[::1]:80/x"),
        ] {
            assert_eq!(at(text), Ok(url.to_owned()));
        }
        for (text, error) in [
            ("", BaseUrlError::Malformed),
            ("acme.zendesk.com", BaseUrlError::Malformed),
            ("https://", BaseUrlError::Malformed),
            ("https://a b", BaseUrlError::Malformed),
            ("ftp://acme.zendesk.com", BaseUrlError::Scheme),
            ("http://acme.zendesk.com", BaseUrlError::Scheme),
            ("http://127.0.0.1.example.com", BaseUrlError::Scheme),
            ("https://a:b@acme.zendesk.com", BaseUrlError::Credentials),
            ("https://acme.zendesk.com/?a=b", BaseUrlError::Query),
            ("https://acme.zendesk.com/#a", BaseUrlError::Query),
            ("https://acme.zendesk.com:99999", BaseUrlError::Port),
            ("https://acme.zendesk.com:0", BaseUrlError::Port),
        ] {
            assert_eq!(at(text), Err(error), "{text}");
        }
    }

    #[test]
    fn sockets_and_deeper_bases_keep_host_and_path() {
        let base = BaseUrl::parse("https://h.example/p").unwrap();
        assert_eq!(base.socket_at("/m"), "wss://h.example/p/m");
        assert_eq!(base.below("/api").at("/x"), "https://h.example/p/api/x");
        let local = BaseUrl::parse("http://127.0.0.1:9").unwrap();
        assert_eq!(local.socket_at("/m"), "ws://127.0.0.1:9/m");
    }

    #[test]
    fn the_secret_part_of_a_url_is_not_shown() {
        let hook = BaseUrl::parse("https://hooks.slack.com/services/T0/B0/s3cr3t").unwrap();
        assert_eq!(format!("{hook:?}"), "https://hooks.slack.com/…");
        assert_eq!(hook.host(), "hooks.slack.com");
        assert_eq!(BaseUrl::parse("http://[::1]:80").unwrap().host(), "[::1]");
        assert_eq!(BaseUrl::parse("http://[::1]").unwrap().host(), "[::1]");
    }
}
