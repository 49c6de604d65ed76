//! A vendor on loopback that speaks as much of Zendesk and of Slack's webhooks as the worker's
//! tests need, and misbehaves as told.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use handoff_core::pii::Secret;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::sink::{
    BaseUrl, Priority, PriorityRule, Requester, Sink, Slack, SlackLimits, SlackOptions,
    SlackTransport, Zendesk, ZendeskCredentials, ZendeskLimits, ZendeskOptions,
};

/// What happens to one request.
#[derive(Clone, Debug)]
pub(super) enum Whim {
    /// It is not done, and answered with the status and, if given, `Retry-After`.
    Refuse(u16, Option<&'static str>),
    /// It is not done, and answered with the status and body.
    Reject(u16, &'static str),
    /// It is done, and the connection breaks before the answer is through.
    ActAndCut,
    /// It is done and never answered.
    ActAndStall,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Method and path, without query.
    pub(super) line: String,
    pub(super) bearer: Option<String>,
    pub(super) key: Option<String>,
    pub(super) body: Bytes,
    pub(super) at: Instant,
}

#[derive(Debug, Default)]
struct Inner {
    seen: Vec<Seen>,
    whims: BTreeMap<String, VecDeque<Whim>>,
    /// Answers to creates by idempotency key.
    created: BTreeMap<String, Value>,
    notes: Vec<String>,
    cards: usize,
    tokens: u32,
}

/// The vendor. Ends with the test.
pub(super) struct Vendor {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    progress: watch::Sender<usize>,
    server: JoinHandle<()>,
}

impl Vendor {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Mutex::new(Inner::default()));
        let progress = watch::Sender::new(0);
        let router = Router::new()
            .fallback(answer)
            .with_state((Arc::clone(&inner), progress.clone()));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            inner,
            progress,
            server,
        }
    }

    /// Lets the next requests of a method and path meet with these.
    pub(super) fn meets(&self, line: &str, whims: impl IntoIterator<Item = Whim>) {
        self.inner
            .lock()
            .unwrap()
            .whims
            .entry(line.to_owned())
            .or_default()
            .extend(whims);
    }

    /// Ends all misbehaviour.
    pub(super) fn mends(&self) {
        self.inner.lock().unwrap().whims.clear();
    }

    /// What came, in order, of one method and path.
    pub(super) fn seen(&self, line: &str) -> Vec<Seen> {
        let inner = self.inner.lock().unwrap();
        inner
            .seen
            .iter()
            .filter(|seen| seen.line == line)
            .cloned()
            .collect()
    }

    /// Method and path of everything that came, in order.
    pub(super) fn lines(&self) -> Vec<String> {
        self.inner
            .lock()
            .unwrap()
            .seen
            .iter()
            .map(|seen| seen.line.clone())
            .collect()
    }

    /// How many tickets there are.
    pub(super) fn tickets(&self) -> usize {
        self.inner.lock().unwrap().created.len()
    }

    /// How many notes were added to tickets.
    pub(super) fn notes(&self) -> usize {
        self.inner.lock().unwrap().notes.len()
    }

    /// How many cards were posted.
    pub(super) fn cards(&self) -> usize {
        self.inner.lock().unwrap().cards
    }

    /// Waits until this many requests of a method and path came.
    pub(super) async fn until_seen(&self, line: &str, count: usize) {
        let mut progress = self.progress.subscribe();
        within(async {
            while self.seen(line).len() < count {
                progress.changed().await.unwrap();
            }
        })
        .await;
    }

    fn url(&self, path: &str) -> BaseUrl {
        BaseUrl::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub(super) fn zendesk(&self) -> Sink {
        let credentials = ZendeskCredentials::OAuth {
            client_id: "bridge".to_owned(),
            client_secret: Secret::new("s3cr3t"),
            scope: "read write".to_owned(),
        };
        Sink::Zendesk(Zendesk::new(ZendeskOptions {
            base: self.url(""),
            credentials,
            requester: Requester::Fixed {
                name: "Phone callers".to_owned(),
                email: "phone@acme.example".to_owned(),
            },
            priority: PriorityRule {
                steps: Vec::new(),
                otherwise: Priority::Normal,
            },
            tags: Vec::new(),
            custom_fields: Vec::new(),
            limits: ZendeskLimits::VENDOR,
        }))
    }

    pub(super) fn slack(&self) -> Sink {
        let url = self.url("/hook");
        Sink::Slack(Slack::new(SlackOptions {
            transport: SlackTransport::Webhook { url },
            limits: SlackLimits::VENDOR,
        }))
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State((inner, progress)): State<(Arc<Mutex<Inner>>, watch::Sender<usize>)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name| {
        parts
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let seen = Seen {
        line: format!("{} {}", parts.method, parts.uri.path()),
        bearer: header("authorization"),
        key: header("idempotency-key"),
        body: axum::body::to_bytes(body, usize::MAX).await.unwrap(),
        at: Instant::now(),
    };
    let (whim, answer) = inner.lock().unwrap().receive(seen);
    progress.send_modify(|count| *count += 1);
    let status = |status: u16| Response::builder().status(status);
    match whim {
        None => answer,
        Some(Whim::Refuse(code, after)) => {
            let mut builder = status(code);
            if let Some(after) = after {
                builder = builder.header("retry-after", after);
            }
            builder.body(Body::empty()).unwrap()
        }
        Some(Whim::Reject(code, body)) => status(code).body(Body::from(body)).unwrap(),
        Some(Whim::ActAndCut) => {
            let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
            let body = futures_util::stream::once(async { Err::<Bytes, _>(broken) });
            status(201).body(Body::from_stream(body)).unwrap()
        }
        Some(Whim::ActAndStall) => std::future::pending().await,
    }
}

impl Inner {
    fn receive(&mut self, seen: Seen) -> (Option<Whim>, Response) {
        let whim = self.whims.get_mut(&seen.line).and_then(VecDeque::pop_front);
        let acts = match whim {
            None | Some(Whim::ActAndCut | Whim::ActAndStall) => true,
            Some(Whim::Refuse(..) | Whim::Reject(..)) => false,
        };
        let answer = if acts { self.act(&seen) } else { Value::Null };
        self.seen.push(seen);
        let (status, body) = match answer {
            Value::String(plain) => (200, plain),
            json => (201, json.to_string()),
        };
        (
            whim,
            Response::builder()
                .status(status)
                .body(Body::from(body))
                .unwrap(),
        )
    }

    fn act(&mut self, seen: &Seen) -> Value {
        match seen.line.as_str() {
            "POST /oauth/tokens" => {
                self.tokens += 1;
                json!({ "access_token": format!("t{}", self.tokens), "expires_in": 7_200 })
            }
            "POST /api/v2/uploads" => json!({ "upload": { "token": "u1" } }),
            "POST /api/v2/tickets" => {
                let next = self.created.len() + 1;
                let key = seen.key.clone().expect("creates carry a key");
                let body: Value = serde_json::from_slice(&seen.body).unwrap();
                let answer = json!({ "ticket": { "id": next, "external_id": body["ticket"]["external_id"] } });
                self.created.entry(key).or_insert(answer).clone()
            }
            "POST /hook" => {
                self.cards += 1;
                Value::String("ok".to_owned())
            }
            line if line.starts_with("PUT /api/v2/tickets/") => {
                let body: Value = serde_json::from_slice(&seen.body).unwrap();
                self.notes
                    .push(body["ticket"]["comment"]["html_body"].to_string());
                json!({ "ticket": { "id": 1 } })
            }
            line if line.ends_with("/comments") => {
                let comments: Vec<_> = self
                    .notes
                    .iter()
                    .map(|note| json!({ "html_body": note }))
                    .collect();
                json!({ "comments": comments, "next_page": null })
            }
            line => panic!("{line} is not expected"),
        }
    }
}

/// The one deadline of whatever a test waits for.
pub(super) async fn within<T>(waiting: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .expect("in time")
}
