//! A small HTTP/1.1 server for stand-ins that must be able to misbehave on the wire.
//!
//! A framework answers every request; a stand-in has to cut the connection before or after it acted
//! and to hold an answer back for ever. Bodies need a `Content-Length` or chunked coding; requests on
//! one connection are answered in order. No TLS, no HTTP/2.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

const MAX_HEAD: usize = 32 * 1024;
const MAX_BODY: usize = 64 * 1024 * 1024;

/// One request, fully read.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method as sent.
    pub method: String,
    /// Path without the query, percent-coding left as sent.
    pub path: String,
    /// Query as sent, without the question mark; empty when there is none.
    pub raw_query: String,
    /// Names in lower case, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// Body after removal of the transfer coding.
    pub body: Vec<u8>,
}

impl Request {
    /// First value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Media type of the body in lower case without its parameters; empty when not declared.
    pub fn media_type(&self) -> String {
        let declared = self.header("content-type").unwrap_or_default();
        declared
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }

    /// Query parameters, decoded; `None` when the coding is broken.
    pub fn query(&self) -> Option<Vec<(String, String)>> {
        form_pairs(&self.raw_query)
    }
}

/// What goes back for one request.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers besides `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Response {
    /// A JSON answer.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        let headers = vec![(
            "Content-Type".to_owned(),
            "application/json; charset=utf-8".to_owned(),
        )];
        Self {
            status,
            headers,
            body: body.to_string().into_bytes(),
        }
    }

    /// A plain-text answer.
    pub fn text(status: u16, body: &str) -> Self {
        let headers = vec![(
            "Content-Type".to_owned(),
            "text/plain; charset=utf-8".to_owned(),
        )];
        Self {
            status,
            headers,
            body: body.as_bytes().to_vec(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

/// How one request ends on the wire.
#[derive(Debug, Clone)]
pub enum Answer {
    /// An ordinary answer.
    Respond(Response),
    /// The connection is reset without an answer.
    Cut,
    /// The connection stays open and silent until the client gives up.
    Stall,
}

/// A listening server; dropping it closes every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Server {
    /// Binds `listen` (port 0 picks a free one) and answers every request by `answer`.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(
        listen: SocketAddr,
        answer: impl Fn(Request) -> Answer + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, Arc::new(answer))).abort_handle();
        Ok(Self { address, accepting })
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, answer: Arc<dyn Fn(Request) -> Answer + Send + Sync>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            continue;
        };
        connections.spawn(converse(socket, Arc::clone(&answer)));
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(mut socket: TcpStream, answer: Arc<dyn Fn(Request) -> Answer + Send + Sync>) {
    let mut unread = Vec::new();
    while let Some(request) = read_request(&mut socket, &mut unread).await {
        let last = request
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let response = match answer(request) {
            Answer::Respond(response) => response,
            Answer::Cut => {
                // A failure leaves an orderly end, which the client takes for a lost answer as well.
                let _ = socket.set_zero_linger();
                return;
            }
            Answer::Stall => {
                let mut discard = [0; 256];
                while socket.read(&mut discard).await.is_ok_and(|read| read > 0) {}
                return;
            }
        };
        if socket.write_all(&encode(&response)).await.is_err() || last {
            return;
        }
    }
}

fn encode(response: &Response) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {} {}\r\n",
        response.status,
        reason(response.status)
    );
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", response.body.len()));
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&response.body);
    bytes
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

/// Reads one request; `None` at the end of the connection or when it is not HTTP.
async fn read_request(socket: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Request> {
    let head_end = loop {
        if let Some(end) = find(unread, b"\r\n\r\n") {
            break end;
        }
        if unread.len() > MAX_HEAD || socket.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(unread[..head_end].to_vec()).ok()?;
    unread.drain(..head_end + 4);
    let mut request = parse_head(&head)?;
    if request.header("expect").is_some() {
        socket
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .await
            .ok()?;
    }
    let chunked = request
        .header("transfer-encoding")
        .is_some_and(|coding| coding.contains("chunked"));
    if chunked {
        loop {
            let line = read_line(socket, unread).await?;
            let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
            if request.body.len() + size > MAX_BODY {
                return None;
            }
            request
                .body
                .extend(read_exactly(socket, unread, size).await?);
            read_line(socket, unread).await?;
            if size == 0 {
                return Some(request);
            }
        }
    }
    let length = match request.header("content-length") {
        Some(length) => length
            .trim()
            .parse()
            .ok()
            .filter(|length| *length <= MAX_BODY)?,
        None => 0,
    };
    request.body = read_exactly(socket, unread, length).await?;
    Some(request)
}

fn parse_head(head: &str) -> Option<Request> {
    let mut lines = head.split("\r\n");
    let mut start = lines.next()?.split(' ');
    let (method, target) = (start.next()?, start.next()?);
    let (path, raw_query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines
        .map(|line| {
            line.split_once(':')
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        raw_query: raw_query.to_owned(),
        headers,
        body: Vec::new(),
    })
}

async fn read_line(socket: &mut TcpStream, unread: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = find(unread, b"\r\n") {
            let line = String::from_utf8(unread[..end].to_vec()).ok()?;
            unread.drain(..end + 2);
            return Some(line);
        }
        if unread.len() > MAX_HEAD || socket.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
}

async fn read_exactly(
    socket: &mut TcpStream,
    unread: &mut Vec<u8>,
    length: usize,
) -> Option<Vec<u8>> {
    while unread.len() < length {
        if socket.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
    let rest = unread.split_off(length);
    Some(std::mem::replace(unread, rest))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Decodes `a=1&b=2` (form or query); `None` when the percent coding or the UTF-8 is broken.
pub fn form_pairs(encoded: &str) -> Option<Vec<(String, String)>> {
    encoded
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((percent_decode(name)?, percent_decode(value)?))
        })
        .collect()
}

fn percent_decode(encoded: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_pairs_decode_spaces_and_bytes() {
        let expected = vec![
            ("a b".to_owned(), "é+".to_owned()),
            ("c".to_owned(), String::new()),
        ];
        assert_eq!(form_pairs("a+b=%C3%A9%2B&c"), Some(expected));
        assert_eq!(form_pairs("a=%C3"), None);
        assert_eq!(form_pairs("a=%zz"), None);
    }
}
