//! Requests to the server: where they go and how an answer comes back. Signing is each carrier's own.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HOST};
use reqwest::{Client, Url, redirect};

use super::callback::Method;
use super::lock::lock;

/// How long a server may take to accept a connection.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// The way to the server, and to the voice agent's own webhook.
#[derive(Debug)]
pub(in crate::carrier) struct Outside {
    client: Client,
    /// Scheme and the rest, without a trailing slash.
    public: (String, String),
    connect: Mutex<SocketAddr>,
    bot: SocketAddr,
    bot_path: &'static str,
}

/// Where a URL leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::carrier) enum Place {
    /// Below the public URL.
    Server,
    /// Anywhere else: to whoever answered the line before.
    Elsewhere,
}

/// A request that is ready to be sent.
#[derive(Debug)]
pub(in crate::carrier) struct Prepared {
    pub(in crate::carrier) method: Method,
    /// With the parameters of a GET.
    pub(in crate::carrier) url: String,
    /// The signature and the like.
    pub(in crate::carrier) headers: Vec<(&'static str, String)>,
    /// The form of a POST.
    pub(in crate::carrier) body: String,
}

/// What a webhook answered.
#[derive(Debug)]
pub(in crate::carrier) struct Answer {
    pub(in crate::carrier) status: u16,
    pub(in crate::carrier) content_type: String,
    pub(in crate::carrier) body: String,
    pub(in crate::carrier) after: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(in crate::carrier) enum Unanswered {
    /// The URL is none.
    Malformed(String),
    /// Nobody listens, or the time ran out.
    Unreachable(String),
    /// The connection broke.
    Broken(String),
}

impl Outside {
    pub(in crate::carrier) fn new(
        public_url: &str,
        connect: SocketAddr,
        bot: SocketAddr,
        bot_path: &'static str,
        deadline: Duration,
    ) -> anyhow::Result<Self> {
        let Some((scheme, rest)) = public_url.trim_end_matches('/').split_once("://") else {
            anyhow::bail!("the public URL {public_url:?} must begin with https://");
        };
        // A connection of its own for each request, so that a restarted server is never spoken to over
        // a dead one.
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_DEADLINE.min(deadline))
            .timeout(deadline)
            .build()?;
        Ok(Self {
            client,
            public: (scheme.to_owned(), rest.to_owned()),
            connect: Mutex::new(connect),
            bot,
            bot_path,
        })
    }

    /// The URL of a configured path below the public URL.
    pub(in crate::carrier) fn below_public(&self, path: &str) -> String {
        format!("{}://{}{path}", self.public.0, self.public.1)
    }

    pub(in crate::carrier) fn place(&self, url: &str) -> Place {
        let rest = url
            .strip_prefix(&self.public.0)
            .and_then(|rest| rest.strip_prefix("://"));
        match rest {
            Some(rest) if self.is_below(rest) => Place::Server,
            Some(_) | None => Place::Elsewhere,
        }
    }

    /// The authority and path of a `wss://` URL below the public URL.
    pub(in crate::carrier) fn socket<'u>(&self, url: &'u str) -> Option<&'u str> {
        url.strip_prefix("wss://")
            .filter(|rest| self.is_below(rest))
    }

    pub(in crate::carrier) fn connect_address(&self) -> SocketAddr {
        *lock(&self.connect)
    }

    pub(in crate::carrier) fn set_connect(&self, address: SocketAddr) {
        *lock(&self.connect) = address;
    }

    /// Makes one request.
    pub(in crate::carrier) async fn send(&self, prepared: Prepared) -> Result<Answer, Unanswered> {
        let asked = Instant::now();
        let Prepared {
            method,
            url: written,
            headers,
            body,
        } = prepared;
        let url = Url::parse(&written).map_err(|error| Unanswered::Malformed(error.to_string()))?;
        let (authority, path) = authority_and_path(&url);
        let (address, path) = match self.place(&written) {
            Place::Server => (self.connect_address(), path),
            Place::Elsewhere => (self.bot, self.bot_path.to_owned()),
        };
        let target = format!("http://{address}{path}");
        let mut request = match method {
            Method::Post => self
                .client
                .post(target)
                .header(
                    CONTENT_TYPE,
                    "application/x-www-form-urlencoded; charset=utf-8",
                )
                .body(body),
            Method::Get => self.client.get(target),
        };
        request = request
            .header(HOST, authority)
            .header("X-Forwarded-Proto", "https");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await.map_err(unanswered)?;
        let status = response.status().as_u16();
        let header = response.headers().get(CONTENT_TYPE);
        let content_type = header
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let body = response.text().await.map_err(unanswered)?;
        Ok(Answer {
            status,
            content_type,
            body,
            after: asked.elapsed(),
        })
    }

    fn is_below(&self, rest: &str) -> bool {
        let below = rest.strip_prefix(self.public.1.as_str());
        below.is_some_and(|below| below.is_empty() || below.starts_with(['/', '?', '#']))
    }
}

/// Encodes parameters as an HTML form does.
pub(in crate::carrier) fn form_encoded(parameters: &[(String, String)]) -> String {
    let mut url = Url::parse("http://form/").expect("a constant URL");
    url.query_pairs_mut().extend_pairs(parameters);
    url.query().unwrap_or_default().to_owned()
}

/// Decodes a form body.
pub(in crate::carrier) fn form_decoded(body: &str) -> Vec<(String, String)> {
    let mut url = Url::parse("http://form/").expect("a constant URL");
    url.set_query(Some(body));
    url.query_pairs().into_owned().collect()
}

/// Host and port, and everything of the URL that is sent in the request line.
fn authority_and_path(url: &Url) -> (String, String) {
    let host = url.host_str().unwrap_or_default();
    let authority = url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    (authority, format!("{}{query}", url.path()))
}

fn unanswered(error: reqwest::Error) -> Unanswered {
    let out_of_reach = error.is_connect() || error.is_timeout();
    let reason = format!("{:#}", anyhow::Error::from(error));
    if out_of_reach {
        Unanswered::Unreachable(reason)
    } else {
        Unanswered::Broken(reason)
    }
}
