//! The one HTTP client: every request to a carrier, vendor or sink leaves here, and every socket
//! that begins as one.
//!
//! Redirects are not followed (a vendor that redirects is misconfigured, and a credential must
//! not travel to where it was not meant for), answers are capped, and nothing is logged: URLs can
//! be secrets.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// Answers above this are not read.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// How long requests may take.
#[derive(Clone, Copy, Debug)]
pub struct EgressOptions {
    /// Until the connection stands, TLS included.
    pub connect_timeout: Duration,
    /// Until the last byte of the answer.
    pub total_timeout: Duration,
}

impl Default for EgressOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            total_timeout: Duration::from_secs(10),
        }
    }
}

/// Why a request brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendFailure {
    /// It certainly did not act: the name did not resolve, the connection was refused, or the
    /// request could not be put on the wire at all.
    #[error("request was not sent")]
    NotSent,
    /// It may or may not have acted: the connection broke or the time ran out after sending began,
    /// or the answer was too large to read.
    #[error("request may or may not have acted")]
    Unknown,
}

/// A WebSocket to a vendor, with TLS where its URL asks for it.
pub type Socket = WebSocketStream<reqwest::Upgraded>;

/// Why a socket was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailure {
    /// The server answered, but not with an upgrade.
    #[error("refused with status {}", .0.status().as_u16())]
    Refused(http::Response<Bytes>),
    /// The connection does not stand. Texts of the peer are not kept: they are not ours to log.
    #[error("not connected: {0}")]
    NotConnected(std::io::ErrorKind),
    /// The peer's certificate or its TLS is not acceptable.
    #[error("TLS failed")]
    Tls,
    /// The answer is no HTTP, or no proper upgrade.
    #[error("not a WebSocket server")]
    Protocol,
}

/// The HTTP client could not be made, usually for want of root certificates.
#[derive(Debug, thiserror::Error)]
#[error("HTTP client cannot be made")]
pub struct EgressError(#[source] reqwest::Error);

/// The client. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Egress {
    client: reqwest::Client,
    total_timeout: Duration,
}

impl Egress {
    /// Makes the client. Proxies named in the environment are not used: where requests go is in
    /// the configuration alone.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if TLS cannot be set up; nothing can be sent then.
    pub fn new(options: EgressOptions) -> Result<Self, EgressError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(options.connect_timeout)
            .user_agent(concat!("handoff/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(EgressError)?;
        Ok(Self {
            client,
            total_timeout: options.total_timeout,
        })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    ///
    /// [`SendFailure`] if no complete answer came. Any status is an answer.
    pub async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, SendFailure> {
        self.send_within(self.total_timeout, request).await
    }

    /// Opens a WebSocket at an `http` or `https` URL. Returns the headers of the answer too. The
    /// caller sets the deadline.
    ///
    /// The upgrade is an HTTP request like all others, and what stays in memory of it is nothing:
    /// tungstenite's own handshake would leave its 4 KiB to every socket for life.
    ///
    /// # Errors
    ///
    /// [`OpenFailure`]; nothing is tried again.
    pub async fn open_socket(
        &self,
        request: http::Request<()>,
        config: WebSocketConfig,
    ) -> Result<(Socket, HeaderMap), OpenFailure> {
        let key = generate_key();
        let accept = derive_accept_key(key.as_bytes());
        let mut request = request.map(|()| Bytes::new());
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        let key = HeaderValue::try_from(key).map_err(|_| OpenFailure::Protocol)?;
        headers.insert(SEC_WEBSOCKET_KEY, key);
        let request = reqwest::Request::try_from(request).map_err(|_| OpenFailure::Protocol)?;
        let answer = self.client.execute(request).await.map_err(open_failure)?;

        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(OpenFailure::Refused(refusal(answer).await));
        }
        let accepted = answer.headers().get(SEC_WEBSOCKET_ACCEPT);
        if accepted.is_none_or(|value| value != accept.as_str()) {
            return Err(OpenFailure::Protocol);
        }
        let headers = answer.headers().clone();
        let upgraded = answer.upgrade().await.map_err(open_failure)?;
        let socket = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await;
        Ok((socket, headers))
    }

    /// Sends a request that has its own deadline.
    ///
    /// # Errors
    ///
    /// As [`Egress::send`].
    pub async fn send_within(
        &self,
        total_timeout: Duration,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, SendFailure> {
        let mut request = reqwest::Request::try_from(request).map_err(|_| SendFailure::NotSent)?;
        *request.timeout_mut() = Some(total_timeout);
        let mut answer = self
            .client
            .execute(request)
            .await
            .map_err(|error| failure(&error))?;

        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| SendFailure::Unknown)? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(SendFailure::Unknown);
            }
            body.extend_from_slice(&chunk);
        }
        *response.body_mut() = body.freeze();
        Ok(response)
    }
}

fn failure(error: &reqwest::Error) -> SendFailure {
    if error.is_connect() || error.is_builder() {
        SendFailure::NotSent
    } else {
        SendFailure::Unknown
    }
}

/// What of a refusal is worth reading.
const MAX_REFUSAL_BYTES: usize = 4 * 1024;

async fn refusal(mut answer: reqwest::Response) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    let mut body = BytesMut::new();
    // A body that breaks off says as much as it said.
    while let Ok(Some(chunk)) = answer.chunk().await {
        let room = MAX_REFUSAL_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == MAX_REFUSAL_BYTES {
            break;
        }
    }
    *response.body_mut() = body.freeze();
    response
}

fn open_failure(error: reqwest::Error) -> OpenFailure {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = source {
        if error.is::<rustls::Error>() {
            return OpenFailure::Tls;
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            let inner = error.get_ref();
            if inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
                return OpenFailure::Tls;
            }
            return OpenFailure::NotConnected(error.kind());
        }
        source = error.source();
    }
    if error.is_timeout() {
        return OpenFailure::NotConnected(std::io::ErrorKind::TimedOut);
    }
    if error.is_connect() {
        return OpenFailure::NotConnected(std::io::ErrorKind::Other);
    }
    OpenFailure::Protocol
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::response::Response;
    use axum::routing::{get, post};
    use tokio::net::TcpListener;

    /// A server that answers well, too much, elsewhere, too late and incompletely.
    async fn vendor() -> String {
        let router = Router::new()
            .route("/echo", post(|body: Bytes| async move { body }))
            .route("/much", get(|| async { vec![0_u8; MAX_ANSWER_BYTES] }))
            .route(
                "/too-much",
                get(|| async { vec![0_u8; MAX_ANSWER_BYTES + 1] }),
            )
            .route(
                "/elsewhere",
                get(|| async {
                    Response::builder()
                        .status(307)
                        .header("location", "/much")
                        .body(Body::empty())
                        .unwrap()
                }),
            )
            .route("/never", get(std::future::pending::<()>))
            .route(
                "/cut",
                get(|| async {
                    let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
                    let body = futures_util::stream::once(async { Err::<Bytes, _>(broken) });
                    Response::new(Body::from_stream(body))
                }),
            );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        base
    }

    async fn ask(url: String) -> Result<http::Response<Bytes>, SendFailure> {
        let request = http::Request::get(url).body(Bytes::new()).unwrap();
        let egress = Egress::new(EgressOptions::default()).unwrap();
        egress
            .send_within(Duration::from_millis(500), request)
            .await
    }

    #[tokio::test]
    async fn an_answer_is_read_whole_with_status_and_headers() {
        let base = vendor().await;
        let egress = Egress::new(EgressOptions::default()).unwrap();
        let request = http::Request::post(format!("{base}/echo"))
            .body(Bytes::from("hi"))
            .unwrap();
        let answer = egress.send(request).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.body().as_ref()),
            (200, b"hi".as_slice())
        );
        assert_eq!(answer.headers()["content-length"], "2");
        let much = ask(format!("{base}/much")).await.unwrap();
        assert_eq!(much.body().len(), MAX_ANSWER_BYTES);
    }

    #[tokio::test]
    async fn redirects_are_answers() {
        let base = vendor().await;
        let answer = ask(format!("{base}/elsewhere")).await.unwrap();
        assert_eq!(answer.status().as_u16(), 307);
    }

    #[tokio::test]
    async fn what_may_have_acted_is_told_from_what_certainly_did_not() {
        let base = vendor().await;
        for path in ["too-much", "never", "cut"] {
            let answer = ask(format!("{base}/{path}")).await;
            assert_eq!(answer.unwrap_err(), SendFailure::Unknown, "{path}");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        assert_eq!(ask(nobody).await.unwrap_err(), SendFailure::NotSent);
        assert_eq!(
            ask("/no-host".to_owned()).await.unwrap_err(),
            SendFailure::NotSent
        );
    }
}
