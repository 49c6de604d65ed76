//! Opening a media socket: plain WebSocket to where the server listens, whatever its public URL says.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{self};
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long opening a socket may take.
const OPENING: Duration = Duration::from_secs(5);

pub(in crate::carrier) type Socket = WebSocketStream<TcpStream>;

/// Why a media socket could not be opened.
#[derive(Debug)]
pub(in crate::carrier) enum Unopened {
    /// The URL is none.
    Malformed(String),
    /// Nobody listens, or the connection broke.
    Unreachable(String),
    /// The handshake was answered, and not with 101.
    Refused(u16),
    /// The answer was no handshake.
    NoHandshake(String),
    /// It took more than 5 s.
    TooLate,
}

/// Opens a socket for the authority and path (without scheme), with these headers.
pub(in crate::carrier) async fn open(
    connect: SocketAddr,
    below: &str,
    headers: &[(&'static str, String)],
) -> Result<Socket, Unopened> {
    let malformed = |error: &dyn std::fmt::Display| Unopened::Malformed(error.to_string());
    let mut request = format!("ws://{below}")
        .into_client_request()
        .map_err(|error| malformed(&error))?;
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).map_err(|error| malformed(&error))?;
        request
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    let opening = async {
        let stream = TcpStream::connect(connect)
            .await
            .map_err(tungstenite::Error::Io)?;
        stream.set_nodelay(true).map_err(tungstenite::Error::Io)?;
        client_async(request, stream).await
    };
    match timeout(OPENING, opening).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(tungstenite::Error::Http(response))) => {
            Err(Unopened::Refused(response.status().as_u16()))
        }
        Ok(Err(tungstenite::Error::Io(error))) => Err(Unopened::Unreachable(error.to_string())),
        Ok(Err(error)) => Err(Unopened::NoHandshake(error.to_string())),
        Err(_) => Err(Unopened::TooLate),
    }
}

/// Waits until the instant; for ever when there is none.
pub(in crate::carrier) async fn reached(at: Option<Instant>) {
    match at {
        Some(at) if at <= Instant::now() => {}
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
