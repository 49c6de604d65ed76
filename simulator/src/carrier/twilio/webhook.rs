//! Requests to the server: where they go, how they are signed, what an answer must be.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HOST, USER_AGENT};
use reqwest::{Client, Url, redirect};

use super::account::lock;
use super::rest::BOT_PATH;
use super::signature::sign;
use super::twiml::{Callback, Method};

/// Twilio gives a server 5 s to accept a connection.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// The way to the server, and to the voice agent's own webhook.
#[derive(Debug)]
pub(super) struct Outside {
    client: Client,
    auth_token: String,
    /// Scheme and the rest, without a trailing slash.
    public: (String, String),
    connect: Mutex<SocketAddr>,
    bot: SocketAddr,
}

/// Where a URL leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Below the public URL.
    Server,
    /// Anywhere else: to whoever answered the line before.
    Elsewhere,
}

/// What a webhook answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: String,
    pub(super) after: Duration,
}

/// No answer, with Twilio's code for it.
#[derive(Debug)]
pub(super) struct NoAnswer {
    pub(super) code: u32,
    pub(super) reason: String,
}

impl Outside {
    pub(super) fn new(
        auth_token: String,
        public_url: &str,
        connect: SocketAddr,
        bot: SocketAddr,
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
        let public = (scheme.to_owned(), rest.to_owned());
        Ok(Self {
            client,
            auth_token,
            public,
            connect: Mutex::new(connect),
            bot,
        })
    }

    /// The URL of the voice webhook or another configured path below the public URL.
    pub(super) fn below_public(&self, path: &str) -> String {
        format!("{}://{}{path}", self.public.0, self.public.1)
    }

    pub(super) fn place(&self, url: &str) -> Place {
        let rest = url
            .strip_prefix(&self.public.0)
            .and_then(|rest| rest.strip_prefix("://"));
        match rest {
            Some(rest) if self.is_below(rest) => Place::Server,
            Some(_) | None => Place::Elsewhere,
        }
    }

    /// The authority and path of a `wss://` URL below the public URL.
    pub(super) fn socket<'u>(&self, url: &'u str) -> Option<&'u str> {
        url.strip_prefix("wss://")
            .filter(|rest| self.is_below(rest))
    }

    pub(super) fn connect_address(&self) -> SocketAddr {
        *lock(&self.connect)
    }

    pub(super) fn set_connect(&self, address: SocketAddr) {
        *lock(&self.connect) = address;
    }

    pub(super) fn signature_of_upgrade(&self, url: &str) -> String {
        sign(&self.auth_token, url, &[])
    }

    /// Makes one signed request.
    pub(super) async fn request(
        &self,
        callback: &Callback,
        parameters: &[(String, String)],
    ) -> Result<Answer, NoAnswer> {
        let asked = Instant::now();
        let encoded = form_encoded(parameters);
        let (signed_url, body) = match callback.method {
            Method::Post => (callback.url.clone(), Some(encoded)),
            Method::Get => {
                let joint = if callback.url.contains('?') { '&' } else { '?' };
                (format!("{}{joint}{encoded}", callback.url), None)
            }
        };
        let signature = match callback.method {
            Method::Post => sign(&self.auth_token, &signed_url, parameters),
            Method::Get => sign(&self.auth_token, &signed_url, &[]),
        };
        let url = Url::parse(&signed_url).map_err(|error| NoAnswer {
            code: 11100,
            reason: error.to_string(),
        })?;
        let address = match self.place(&signed_url) {
            Place::Server => self.connect_address(),
            Place::Elsewhere => self.bot,
        };
        let (authority, path) = authority_and_path(&url);
        let path = match self.place(&signed_url) {
            Place::Server => path,
            Place::Elsewhere => BOT_PATH.to_owned(),
        };
        let target = format!("http://{address}{path}");
        let request = match body {
            Some(body) => self
                .client
                .post(target)
                .header(
                    CONTENT_TYPE,
                    "application/x-www-form-urlencoded; charset=utf-8",
                )
                .body(body),
            None => self.client.get(target),
        };
        let request = request
            .header(HOST, authority)
            .header(USER_AGENT, "TwilioProxy/1.1")
            .header("X-Forwarded-Proto", "https")
            .header("X-Twilio-Signature", signature);
        let response = request.send().await.map_err(no_answer)?;
        let status = response.status().as_u16();
        let header = response.headers().get(CONTENT_TYPE);
        let content_type = header
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let body = response.text().await.map_err(no_answer)?;
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
fn form_encoded(parameters: &[(String, String)]) -> String {
    let mut url = Url::parse("http://form/").expect("a constant URL");
    url.query_pairs_mut().extend_pairs(parameters);
    url.query().unwrap_or_default().to_owned()
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

/// Decodes a form body.
pub(super) fn form_decoded(body: &str) -> Vec<(String, String)> {
    let mut url = Url::parse("http://form/").expect("a constant URL");
    url.set_query(Some(body));
    url.query_pairs().into_owned().collect()
}

fn no_answer(error: reqwest::Error) -> NoAnswer {
    let code = if error.is_connect() || error.is_timeout() {
        11205
    } else {
        11200
    };
    NoAnswer {
        code,
        reason: format!("{:#}", anyhow::Error::from(error)),
    }
}
