//! The carrier's REST endpoint: every call is in progress, every rewrite succeeds and is carried out until
//! the human's phone rings.
//!
//! Sources: Twilio's Call resource page, Plivo's transfer API, read 2026-11-21.

use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::account::Carrier;
use super::document::parse_ring;
use super::door::Door;
use crate::http1::form_pairs;
use crate::witness::{NotSeen, Observed};

/// How long a character of the announcement takes to be spoken.
const SPEECH_PER_CHARACTER: Duration = Duration::from_millis(80);

/// How long the carrier takes for what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// Until a request to its API is answered, and acted on.
    pub rest: Duration,
    /// From a `<Dial>` to the phone ringing.
    pub setup: Duration,
    /// Whether the announcement is waited for.
    pub speech: bool,
}

/// One request that gives a live call a new document, and what came of it.
#[derive(Debug, Clone)]
pub struct Rewrite {
    /// Call it names.
    pub call: String,
    /// When the request had arrived whole.
    pub at: Instant,
    /// What it led to.
    pub ringing: Ringing,
}

/// How far a rewritten call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ringing {
    /// Under way.
    Pending,
    /// The human's phone rings.
    Rings {
        /// Since when.
        at: Instant,
        /// How long handoff took to serve the document; zero where it came with the request.
        fetched_in: Duration,
        /// How long the announcement is.
        announcement: Duration,
    },
    /// It never will.
    Failed(String),
}

/// The endpoint; it closes when this value is dropped.
#[derive(Debug)]
pub struct Rest {
    url: String,
    api: Arc<Api>,
    serving: AbortHandle,
}

#[derive(Debug)]
struct Api {
    carrier: Carrier,
    account_id: String,
    delays: Delays,
    rewrites: Observed<Vec<Rewrite>>,
    door: OnceLock<Arc<Door>>,
}

/// The new document of a rewrite.
#[derive(Debug, PartialEq, Eq)]
enum Instructions {
    Inline(String),
    At(String),
}

impl Rest {
    /// Listens on a free port of the loopback.
    ///
    /// # Errors
    /// No port can be bound.
    pub async fn start(
        carrier: Carrier,
        account_id: &str,
        delays: Delays,
    ) -> std::io::Result<Self> {
        let api = Arc::new(Api {
            carrier,
            account_id: account_id.to_owned(),
            delays,
            rewrites: Observed::new(Vec::new()),
            door: OnceLock::new(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(answer).with_state(Arc::clone(&api));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the REST API stopped");
            }
        });
        Ok(Self {
            url,
            api,
            serving: serving.abort_handle(),
        })
    }

    /// The base URL, which stands for that of the carrier's API.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How long things take here.
    pub fn delays(&self) -> Delays {
        self.api.delays
    }

    /// Tells the way to handoff, by which documents are fetched and ringing is told.
    pub fn connect(&self, door: Arc<Door>) {
        // One run has one handoff, and says so once.
        drop(self.api.door.set(door));
    }

    /// Every rewrite so far.
    pub fn rewrites(&self) -> Vec<Rewrite> {
        self.api.rewrites.read(Clone::clone)
    }

    /// Waits until every rewrite so far was carried out.
    ///
    /// # Errors
    /// [`NotSeen`] when that takes longer.
    pub async fn settled(&self, within: Duration) -> Result<(), NotSeen> {
        let settled = |rewrites: &Vec<Rewrite>| {
            let is_pending = |rewrite: &Rewrite| rewrite.ringing == Ringing::Pending;
            (!rewrites.iter().any(is_pending)).then_some(())
        };
        let what = "the end of all rewrites";
        self.api.rewrites.wait_for(within, what, settled).await
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(api): State<Arc<Api>>, method: Method, uri: Uri, body: Bytes) -> Response {
    let at = Instant::now();
    let call = api.call(uri.path()).map(str::to_owned);
    if let Some(call) = &call
        && method == Method::POST
        && let Some(instructions) = api.instructions(&body)
    {
        let rewrite = Rewrite {
            call: call.clone(),
            at,
            ringing: Ringing::Pending,
        };
        let place = api.rewrites.update(|rewrites| {
            rewrites.push(rewrite);
            rewrites.len() - 1
        });
        tokio::spawn(carry_out(
            Arc::clone(&api),
            place,
            call.clone(),
            instructions,
        ));
    }
    tokio::time::sleep(api.delays.rest).await;
    match call {
        Some(call) => api.taken(&method, &call, uri.path()),
        None => api.unknown(),
    }
}

/// Does with a call what its new document says, from the moment at which the request is answered.
async fn carry_out(api: Arc<Api>, place: usize, call: String, instructions: Instructions) {
    tokio::time::sleep(api.delays.rest).await;
    let ringing = match api.ring(&call, instructions).await {
        Ok(ringing) => ringing,
        Err(error) => Ringing::Failed(format!("{error:#}")),
    };
    api.rewrites
        .update(|rewrites| rewrites[place].ringing = ringing);
}

impl Api {
    async fn ring(&self, call: &str, instructions: Instructions) -> anyhow::Result<Ringing> {
        let door = self.door.get().context("a rewrite came before any call")?;
        let asked = Instant::now();
        let (document, fetched_in) = match instructions {
            Instructions::Inline(document) => (document, Duration::ZERO),
            Instructions::At(url) => {
                let told = door.account.live(call);
                let document = door.post("the handoff document", &url, &told).await?;
                (document, asked.elapsed())
            }
        };
        let document = parse_ring(self.carrier, &document)?;
        let characters = u32::try_from(document.announcement).unwrap_or(u32::MAX);
        let announcement = SPEECH_PER_CHARACTER.saturating_mul(characters);
        if self.delays.speech {
            tokio::time::sleep(announcement).await;
        }
        tokio::time::sleep(self.delays.setup).await;
        let at = Instant::now();
        if let Some((url, told)) = document.ringing_url.zip(door.account.leg_rings(call)) {
            door.post("the callback of the human's leg", &url, &told)
                .await?;
        }
        Ok(Ringing::Rings {
            at,
            fetched_in,
            announcement,
        })
    }

    /// The call that a path names.
    fn call<'p>(&self, path: &'p str) -> Option<&'p str> {
        let id = &self.account_id;
        let (prefix, suffix) = match self.carrier {
            Carrier::Twilio => (format!("/2010-04-01/Accounts/{id}/Calls/"), ".json"),
            Carrier::Plivo => (format!("/v1/Account/{id}/Call/"), "/"),
        };
        path.strip_prefix(&prefix)?.strip_suffix(suffix)
    }

    /// The document that the body of an update gives, if it gives one.
    fn instructions(&self, body: &[u8]) -> Option<Instructions> {
        match self.carrier {
            Carrier::Twilio => {
                let form = form_pairs(std::str::from_utf8(body).ok()?)?;
                form.into_iter()
                    .find_map(|(name, value)| match name.as_str() {
                        "Twiml" => Some(Instructions::Inline(value)),
                        "Url" => Some(Instructions::At(value)),
                        _ => None,
                    })
            }
            Carrier::Plivo => {
                let body: Value = serde_json::from_slice(body).ok()?;
                Some(Instructions::At(body["aleg_url"].as_str()?.to_owned()))
            }
        }
    }

    fn taken(&self, method: &Method, call: &str, path: &str) -> Response {
        match self.carrier {
            Carrier::Twilio => Json(json!({"sid": call, "account_sid": self.account_id,
                "status": "in-progress", "direction": "inbound", "api_version": "2010-04-01", "uri": path}))
            .into_response(),
            Carrier::Plivo if method == Method::POST => {
                let taken = json!({"message": "call transferred", "api_id": call});
                (StatusCode::ACCEPTED, Json(taken)).into_response()
            }
            Carrier::Plivo if method == Method::DELETE => StatusCode::NO_CONTENT.into_response(),
            Carrier::Plivo => Json(json!({"api_id": call, "call_uuid": call,
                "call_status": "in-progress", "direction": "inbound"}))
            .into_response(),
        }
    }

    fn unknown(&self) -> Response {
        let body = match self.carrier {
            Carrier::Twilio => {
                json!({"code": 20404, "message": "The requested resource was not found", "status": 404})
            }
            Carrier::Plivo => json!({"api_id": "", "error": "not found"}),
        };
        (StatusCode::NOT_FOUND, Json(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_DELAYS: Delays = Delays {
        rest: Duration::ZERO,
        setup: Duration::ZERO,
        speech: false,
    };

    async fn api(carrier: Carrier, id: &str) -> Rest {
        Rest::start(carrier, id, NO_DELAYS).await.unwrap()
    }

    #[tokio::test]
    async fn updates_with_a_document_are_rewrites_and_others_are_not() {
        let twilio = api(Carrier::Twilio, "AC1").await.api.clone();
        let path = "/2010-04-01/Accounts/AC1/Calls/CA1.json";
        assert_eq!(twilio.call(path), Some("CA1"));
        assert_eq!(twilio.call("/2010-04-01/Accounts/AC2/Calls/CA1.json"), None);
        let inline = Instructions::Inline("<Response/>".to_owned());
        assert_eq!(
            twilio.instructions(b"Twiml=%3CResponse%2F%3E"),
            Some(inline)
        );
        assert_eq!(twilio.instructions(b"Status=completed"), None);

        let plivo = api(Carrier::Plivo, "MA1").await.api.clone();
        assert_eq!(plivo.call("/v1/Account/MA1/Call/u-1/"), Some("u-1"));
        let at = Instructions::At("https://a.example/d".to_owned());
        let body = br#"{"legs":"aleg","aleg_url":"https://a.example/d","aleg_method":"POST"}"#;
        assert_eq!(plivo.instructions(body), Some(at));
    }
}
