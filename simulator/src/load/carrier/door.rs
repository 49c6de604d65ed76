//! How the carrier reaches handoff: URLs are signed as the public has them and connected to elsewhere, as
//! by a proxy that terminates TLS.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::frames::CallIds;
use super::account::Account;
use super::document::{StreamElement, parse_stream};

/// Longest wait for the answer to a webhook or callback.
const DEADLINE: Duration = Duration::from_secs(10);

/// The way to the handoff under test.
#[derive(Debug)]
pub struct Door {
    /// Whose calls go through it.
    pub account: Account,
    address: String,
    public_url: String,
    http: reqwest::Client,
}

impl Door {
    /// Leads to the listener at `address`, which believes to be reached at `public_url`.
    ///
    /// # Errors
    /// The client for HTTP cannot be made.
    pub fn new(account: Account, address: &str, public_url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            account,
            address: address.to_owned(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            http: reqwest::Client::builder().timeout(DEADLINE).build()?,
        })
    }

    /// Posts a signed form and reads the answer. Errors name it by `what`, which is the same for every call.
    ///
    /// # Errors
    /// The URL is not below the public URL, or was not answered with success.
    pub async fn post(
        &self,
        what: &str,
        url: &str,
        parameters: &[(String, String)],
    ) -> anyhow::Result<String> {
        // The fragment tunes how a carrier connects and is never sent.
        let url = url.split_once('#').map_or(url, |(sent, _)| sent);
        let path = url.strip_prefix(&self.public_url);
        let path = path.with_context(|| format!("{what} is not below the public URL"))?;
        let (host, _) = split_url(&self.public_url)?;
        let mut request = self
            .http
            .post(format!("http://{}{path}", self.address))
            .header("Host", host)
            .form(parameters);
        for (name, value) in self.account.sign_post(url, parameters) {
            request = request.header(name, value);
        }
        let response = request.send().await;
        let response = response.with_context(|| format!("cannot reach {what}"))?;
        let status = response.status();
        ensure!(status.is_success(), "{what} answered {status}");
        Ok(response.text().await?)
    }

    /// Announces a new call and reads the stream out of the answer.
    ///
    /// # Errors
    /// The webhook cannot be reached, refuses the call, or answers without a stream.
    pub async fn announce(&self, ids: &CallIds) -> anyhow::Result<StreamElement> {
        let carrier = self.account.carrier();
        let url = format!("{}{}", self.public_url, carrier.voice_path());
        let told = self.account.announcement(ids);
        let document = self.post("the voice webhook", &url, &told).await?;
        Ok(parse_stream(carrier, &document)?)
    }

    /// Opens the media socket.
    ///
    /// # Errors
    /// It cannot be reached or refuses the upgrade.
    pub async fn open(&self, stream: &StreamElement) -> anyhow::Result<TcpStream> {
        let (host, path) = split_url(&stream.url)?;
        let socket = TcpStream::connect(&self.address).await;
        let socket = socket.context("cannot reach the media socket")?;
        let signatures = self.account.sign_upgrade(&stream.url);
        let headers: String = signatures
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        upgrade(socket, host, path, &headers).await
    }
}

/// Host and path of an absolute URL.
fn split_url(url: &str) -> anyhow::Result<(&str, &str)> {
    let Some((_, rest)) = url.split_once("://") else {
        bail!("{url} is not an absolute URL")
    };
    let path_at = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(path_at);
    Ok((host, if path.is_empty() { "/" } else { path }))
}

/// A WebSocket handshake by hand, so that the socket stays a plain one.
///
/// # Errors
/// The upgrade is refused or not answered.
pub async fn upgrade(
    mut socket: TcpStream,
    host: &str,
    path: &str,
    more_headers: &str,
) -> anyhow::Result<TcpStream> {
    socket.set_nodelay(true)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more_headers}\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        ensure!(answer.len() < 8192, "the upgrade was answered at length");
        let byte = socket
            .read_u8()
            .await
            .context("the upgrade was not answered")?;
        answer.push(byte);
    }
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.lines().next().unwrap_or_default();
    ensure!(
        status.contains(" 101 "),
        "the upgrade was answered {status}"
    );
    Ok(socket)
}
