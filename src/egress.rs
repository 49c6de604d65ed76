//! The one HTTP client: every request to a carrier, vendor or sink leaves here.
//!
//! Redirects are not followed (a vendor that redirects is misconfigured, and a credential must
//! not travel to where it was not meant for), answers are capped, and nothing is logged: URLs can
//! be secrets.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

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
