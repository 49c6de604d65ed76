//! The HTTP side: routes, credentials and faults.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use serde_json::json;

use super::blocks::Probe;
use super::state::{Channel, File, Message, State, failed};
use crate::http1::{Answer, Request, Response, Server};
use crate::sinks::fault::{self, FaultKind, RequestLine, SinkFault};
use crate::witness::{NotSeen, Observed};

/// How a [`Slack`] behaves; [`Default`] is a well-behaved one on a free port.
#[derive(Debug, Clone)]
pub struct SlackOptions {
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The bot's token; it begins with `xoxb-`.
    pub bot_token: String,
    /// Path of the incoming webhook, its secret included.
    pub webhook_path: String,
    /// Channels the bot is in; the webhook posts to the first.
    pub channels: Vec<Channel>,
    /// What is looked for in markup text.
    pub probe: Probe,
    /// Faults, tried in order on each request; the first that fits and is not used up happens.
    pub faults: Vec<SinkFault<Route>>,
}

impl Default for SlackOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            bot_token: "xoxb-slack-test-token".to_owned(),
            webhook_path: "/services/T0HANDOFF/B0HANDOFF/webhook-test-secret".to_owned(),
            channels: vec![Channel {
                id: "C0HANDOFF1".to_owned(),
                name: "handoffs".to_owned(),
            }],
            probe: Probe::default(),
            faults: Vec::new(),
        }
    }
}

/// A request Slack answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `chat.postMessage`.
    PostMessage,
    /// `chat.update`.
    UpdateMessage,
    /// `conversations.history`.
    History,
    /// `conversations.replies`.
    Replies,
    /// `files.getUploadURLExternal`.
    GetUploadUrl,
    /// The upload itself.
    UploadFile,
    /// `files.completeUploadExternal`.
    CompleteUpload,
    /// `auth.test`.
    TestAuth,
    /// The incoming webhook.
    Webhook,
}

impl FromStr for Route {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "post-message" => Ok(Self::PostMessage),
            "update-message" => Ok(Self::UpdateMessage),
            "history" => Ok(Self::History),
            "replies" => Ok(Self::Replies),
            "get-upload-url" => Ok(Self::GetUploadUrl),
            "upload" => Ok(Self::UploadFile),
            "complete-upload" => Ok(Self::CompleteUpload),
            "auth-test" => Ok(Self::TestAuth),
            "webhook" => Ok(Self::Webhook),
            _ => Err(()),
        }
    }
}

fn route(request: &Request) -> Option<Route> {
    let is_read = matches!(request.method.as_str(), "GET" | "POST");
    let is_write = request.method == "POST";
    match request.path.as_str() {
        "/api/chat.postMessage" if is_write => Some(Route::PostMessage),
        "/api/chat.update" if is_write => Some(Route::UpdateMessage),
        "/api/conversations.history" if is_read => Some(Route::History),
        "/api/conversations.replies" if is_read => Some(Route::Replies),
        "/api/files.getUploadURLExternal" if is_read => Some(Route::GetUploadUrl),
        "/api/files.completeUploadExternal" if is_write => Some(Route::CompleteUpload),
        "/api/auth.test" if is_read => Some(Route::TestAuth),
        path if is_write && path.starts_with("/upload/v1/") => Some(Route::UploadFile),
        path if is_write && path.starts_with("/services/") => Some(Route::Webhook),
        _ => None,
    }
}

/// A listening stand-in for Slack; dropping it closes every connection.
#[derive(Debug)]
pub struct Slack {
    server: Server,
    webhook_path: String,
    observed: Observed<State>,
}

impl Slack {
    /// Binds and begins to answer.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(options: SlackOptions) -> std::io::Result<Self> {
        let observed = Observed::new(State::new(options.faults.clone()));
        let (listen, webhook_path) = (options.listen, options.webhook_path.clone());
        let shared = observed.clone();
        let server = Server::start(listen, move |request| {
            shared.update(|state| answer(&options, state, &request))
        })
        .await?;
        observed.update(|state| state.base_url = server.url());
        Ok(Self {
            server,
            webhook_path,
            observed,
        })
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The base URL, which stands for `https://slack.com`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The base URL of the Web API, which stands for `https://slack.com/api`.
    pub fn api_url(&self) -> String {
        format!("{}/api", self.server.url())
    }

    /// The URL of the incoming webhook, which stands for `https://hooks.slack.com/services/…`.
    pub fn webhook_url(&self) -> String {
        format!("{}{}", self.server.url(), self.webhook_path)
    }

    /// The state, to be read or waited on.
    pub fn observed(&self) -> &Observed<State> {
        &self.observed
    }

    /// Adds faults for requests still to come.
    pub fn plan(&self, faults: impl IntoIterator<Item = SinkFault<Route>>) {
        self.observed.update(|state| state.faults.extend(faults));
    }

    /// Every message, in order of posting, as it reads after updates.
    pub fn messages(&self) -> Vec<Message> {
        self.observed.read(|state| state.messages.clone())
    }

    /// Every file, in order of the request for its upload URL.
    pub fn files(&self) -> Vec<File> {
        self.observed.read(|state| state.files.clone())
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<RequestLine> {
        self.observed.read(|state| state.requests.clone())
    }

    /// Every rule broken so far.
    pub fn violations(&self) -> Vec<String> {
        self.observed.read(|state| state.violations.clone())
    }

    /// Waits until `look` finds what it wants in the state.
    ///
    /// # Errors
    /// [`NotSeen`] when the deadline passes first.
    pub async fn wait_for<T>(
        &self,
        within: Duration,
        what: &str,
        look: impl FnMut(&State) -> Option<T>,
    ) -> Result<T, NotSeen> {
        self.observed.wait_for(within, what, look).await
    }
}

fn answer(options: &SlackOptions, state: &mut State, request: &Request) -> Answer {
    let route = route(request);
    let fault = route.and_then(|route| fault::take(&mut state.faults, &route));
    let answer = match (fault, route) {
        (_, None) => {
            state.violate(format!(
                "there is no {} {}",
                request.method,
                logged_path(request)
            ));
            Answer::Respond(failed("unknown_method"))
        }
        (Some(FaultKind::TooManyRequests { retry_after }), Some(_)) => {
            let response = Response::json(429, &json!({"ok": false, "error": "ratelimited"}));
            Answer::Respond(match retry_after {
                Some(seconds) => response.with_header("Retry-After", seconds),
                None => response,
            })
        }
        (Some(FaultKind::ServerError), Some(_)) => {
            Answer::Respond(Response::text(500, "Internal Server Error"))
        }
        (Some(FaultKind::Stall), Some(_)) => Answer::Stall,
        (Some(FaultKind::CutBefore), Some(_)) => Answer::Cut,
        (Some(FaultKind::CutAfter), Some(route)) => {
            act(options, state, request, route);
            Answer::Cut
        }
        (Some(FaultKind::Expired), Some(Route::Webhook)) => {
            Answer::Respond(Response::text(403, "invalid_token"))
        }
        (Some(FaultKind::Expired), Some(_)) => Answer::Respond(failed("token_expired")),
        (None, Some(route)) => Answer::Respond(act(options, state, request, route)),
    };
    let line = RequestLine::of(request, logged_path(request), &answer, fault);
    state.requests.push(line);
    answer
}

/// The webhook's path is a secret, so the log has only its beginning.
fn logged_path(request: &Request) -> String {
    match request.path.starts_with("/services/") {
        true => "/services/…".to_owned(),
        false => request.path.clone(),
    }
}

fn act(options: &SlackOptions, state: &mut State, request: &Request, route: Route) -> Response {
    let needs_token = !matches!(route, Route::Webhook | Route::UploadFile);
    if needs_token {
        let token = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let Some(token) = token else {
            state.violate("the request has no Bearer token".to_owned());
            return failed("not_authed");
        };
        if token != options.bot_token {
            state.violate("the Bearer token is not the bot's".to_owned());
            return failed("invalid_auth");
        }
    }
    match route {
        Route::PostMessage => state.post_message(options, request),
        Route::UpdateMessage => state.update_message(options, request),
        Route::History => state.history(options, request),
        Route::Replies => state.replies(options, request),
        Route::GetUploadUrl => state.get_upload_url(request),
        Route::UploadFile => state.upload(request),
        Route::CompleteUpload => state.complete_upload(options, request),
        Route::TestAuth => Response::json(
            200,
            &json!({"ok": true, "url": "https://example.slack.com/", "team": "Example", "user": "handoff",
                "team_id": "T0HANDOFF", "user_id": "U0HANDOFF", "bot_id": "B0HANDOFF"}),
        ),
        Route::Webhook => state.webhook(options, request),
    }
}
