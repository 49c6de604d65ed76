//! The HTTP side: routes, credentials, limits and faults.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::state::{Access, State, Upload};
use super::ticket::Ticket;
use crate::http1::{Answer, Request, Response, Server};
use crate::sinks::fault::{self, FaultKind, RequestLine, SinkFault};
use crate::witness::{NotSeen, Observed};

/// How a [`Zendesk`] behaves; [`Default`] is a well-behaved one on a free port.
#[derive(Debug, Clone)]
pub struct ZendeskOptions {
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The confidential OAuth client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// E-mail address of the user of `api_token`.
    pub email: String,
    /// Legacy API token (Zendesk ends them on 2027-04-30).
    pub api_token: String,
    /// Lifetime of an access token when the request does not say.
    pub access_lifetime: Duration,
    /// How long an upload can be attached.
    pub upload_lifetime: Duration,
    /// How long an idempotency key is kept.
    pub idempotency_lifetime: Duration,
    /// Requests of the account in a minute.
    pub requests_per_minute: usize,
    /// Updates of one ticket in ten minutes.
    pub updates_per_ticket: usize,
    /// Faults, tried in order on each request; the first that fits and is not used up happens.
    pub faults: Vec<SinkFault<Route>>,
}

impl Default for ZendeskOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            client_id: "handoff_test".to_owned(),
            client_secret: "zendesk-test-secret".to_owned(),
            email: "integration@example.com".to_owned(),
            api_token: "zendesk-test-token".to_owned(),
            access_lifetime: Duration::from_secs(30 * 60),
            upload_lifetime: Duration::from_secs(60 * 60),
            idempotency_lifetime: Duration::from_secs(2 * 60 * 60),
            requests_per_minute: 400,
            updates_per_ticket: 30,
            faults: Vec::new(),
        }
    }
}

/// A request Zendesk answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `POST /oauth/tokens`.
    IssueToken,
    /// `POST /api/v2/uploads`.
    UploadFile,
    /// `POST /api/v2/tickets`.
    CreateTicket,
    /// `PUT /api/v2/tickets/{id}`.
    UpdateTicket,
    /// `GET /api/v2/tickets?external_id=…`.
    ListTickets,
    /// `GET /api/v2/tickets/{id}/comments`.
    ListComments,
    /// `GET /api/v2/users/me`.
    ShowSelf,
}

impl FromStr for Route {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "token" => Ok(Self::IssueToken),
            "upload" => Ok(Self::UploadFile),
            "create-ticket" => Ok(Self::CreateTicket),
            "update-ticket" => Ok(Self::UpdateTicket),
            "list-tickets" => Ok(Self::ListTickets),
            "list-comments" => Ok(Self::ListComments),
            "me" => Ok(Self::ShowSelf),
            _ => Err(()),
        }
    }
}

/// A route with what its path carries.
enum Target {
    Plain(Route),
    Ticket(u64),
    Comments(u64),
}

impl Target {
    fn route(&self) -> Route {
        match self {
            Self::Plain(route) => *route,
            Self::Ticket(_) => Route::UpdateTicket,
            Self::Comments(_) => Route::ListComments,
        }
    }
}

const TICKETS: &str = "/api/v2/tickets/";

fn ticket_id(segment: &str) -> Option<u64> {
    segment.parse().ok()
}

fn target(request: &Request) -> Option<Target> {
    let path = request.path.strip_suffix(".json").unwrap_or(&request.path);
    let plain = match (request.method.as_str(), path) {
        ("POST", "/oauth/tokens") => Route::IssueToken,
        ("POST", "/api/v2/uploads") => Route::UploadFile,
        ("POST", "/api/v2/tickets") => Route::CreateTicket,
        ("GET", "/api/v2/tickets") => Route::ListTickets,
        ("GET", "/api/v2/users/me") => Route::ShowSelf,
        ("PUT", path) => return ticket_id(path.strip_prefix(TICKETS)?).map(Target::Ticket),
        ("GET", path) => {
            let id = path.strip_prefix(TICKETS)?.strip_suffix("/comments")?;
            return ticket_id(id).map(Target::Comments);
        }
        _ => return None,
    };
    Some(Target::Plain(plain))
}

/// A listening stand-in for Zendesk; dropping it closes every connection.
#[derive(Debug)]
pub struct Zendesk {
    server: Server,
    observed: Observed<State>,
}

impl Zendesk {
    /// Binds and begins to answer.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(options: ZendeskOptions) -> std::io::Result<Self> {
        let observed = Observed::new(State::new(options.faults.clone()));
        let listen = options.listen;
        let shared = observed.clone();
        let server = Server::start(listen, move |request| {
            shared.update(|state| answer(&options, state, &request))
        })
        .await?;
        observed.update(|state| state.base_url = server.url());
        Ok(Self { server, observed })
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The base URL, which stands for `https://{subdomain}.zendesk.com`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The state, to be read or waited on.
    pub fn observed(&self) -> &Observed<State> {
        &self.observed
    }

    /// Adds faults for requests still to come.
    pub fn plan(&self, faults: impl IntoIterator<Item = SinkFault<Route>>) {
        self.observed.update(|state| state.faults.extend(faults));
    }

    /// Every ticket, in order of creation.
    pub fn tickets(&self) -> Vec<Ticket> {
        self.observed.read(|state| state.tickets.clone())
    }

    /// Every uploaded file, in order of arrival.
    pub fn uploads(&self) -> Vec<Upload> {
        self.observed.read(|state| state.uploads.clone())
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

fn answer(options: &ZendeskOptions, state: &mut State, request: &Request) -> Answer {
    let target = target(request);
    let fault = target
        .as_ref()
        .and_then(|target| fault::take(&mut state.faults, &target.route()));
    let answer = match (fault, target) {
        (_, None) => {
            state.violate(format!("there is no {} {}", request.method, request.path));
            Answer::Respond(Response::json(
                404,
                &json!({"error": "InvalidEndpoint", "description": "Not found"}),
            ))
        }
        (Some(FaultKind::TooManyRequests { retry_after }), Some(_)) => {
            Answer::Respond(too_many(retry_after))
        }
        (Some(FaultKind::ServerError), Some(_)) => Answer::Respond(Response::json(
            500,
            &json!({"error": "InternalError", "description": "Internal Server Error"}),
        )),
        (Some(FaultKind::Stall), Some(_)) => Answer::Stall,
        (Some(FaultKind::CutBefore), Some(_)) => Answer::Cut,
        (Some(FaultKind::CutAfter), Some(target)) => {
            act(options, state, request, &target);
            Answer::Cut
        }
        (Some(FaultKind::Expired), Some(_)) => {
            if let Some(token) = bearer(request) {
                state.revoke(token);
            }
            Answer::Respond(unauthorized())
        }
        (None, Some(target)) => Answer::Respond(act(options, state, request, &target)),
    };
    let line = RequestLine::of(request, request.path.clone(), &answer, fault);
    state.requests.push(line);
    answer
}

fn act(
    options: &ZendeskOptions,
    state: &mut State,
    request: &Request,
    target: &Target,
) -> Response {
    if let Target::Plain(Route::IssueToken) = target {
        return state.issue_token(options, request);
    }
    if let Some(refused) = check_credentials(options, state, request) {
        return refused;
    }
    let remaining = state.count_request(options.requests_per_minute);
    let Some(remaining) = remaining else {
        return with_rate_headers(too_many(Some(60)), options, 0);
    };
    let response = match target {
        Target::Plain(Route::UploadFile) => state.upload(request),
        Target::Plain(Route::CreateTicket) => state.create_ticket(options, request),
        Target::Plain(Route::ListTickets) => state.list_tickets(request),
        Target::Plain(
            Route::IssueToken | Route::ShowSelf | Route::UpdateTicket | Route::ListComments,
        ) => Response::json(
            200,
            &json!({"user": {"id": 1, "name": "Integration", "email": options.email, "role": "agent"}}),
        ),
        Target::Ticket(id) => state.update_ticket(options, request, *id),
        Target::Comments(id) => state.list_comments(request, *id),
    };
    with_rate_headers(response, options, remaining)
}

/// `X-Rate-Limit…` on every answer, `ratelimit-…` on those of the ticketing APIs
/// (developer.zendesk.com, rate limits, read 2026-11-21).
fn with_rate_headers(response: Response, options: &ZendeskOptions, remaining: usize) -> Response {
    response
        .with_header("X-Rate-Limit", options.requests_per_minute)
        .with_header("X-Rate-Limit-Remaining", remaining)
        .with_header("ratelimit-limit", options.requests_per_minute)
        .with_header("ratelimit-remaining", remaining)
        .with_header("ratelimit-reset", 60)
}

pub(super) fn too_many(retry_after: Option<u32>) -> Response {
    let body = json!({"error": "APIRateLimitExceeded", "description": "Number of allowed API requests per minute exceeded"});
    let response = Response::json(429, &body);
    match retry_after {
        Some(seconds) => response.with_header("Retry-After", seconds),
        None => response,
    }
}

fn unauthorized() -> Response {
    Response::json(
        401,
        &json!({"error": "invalid_token", "error_description": "The access token provided is expired, revoked, malformed or invalid for other reasons."}),
    )
}

fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

/// `None` when the credentials are good for this method.
fn check_credentials(
    options: &ZendeskOptions,
    state: &mut State,
    request: &Request,
) -> Option<Response> {
    let authorization = request.header("authorization").unwrap_or_default();
    if let Some(token) = authorization.strip_prefix("Bearer ") {
        let wanted = if request.method == "GET" {
            "read"
        } else {
            "write"
        };
        return match state.access(token, wanted) {
            Access::Granted => None,
            Access::Expired => Some(unauthorized()),
            Access::OutOfScope => {
                state.violate(format!("the access token's scope does not cover {wanted}"));
                Some(Response::json(
                    403,
                    &json!({"error": "Forbidden", "description": "You do not have access to this page."}),
                ))
            }
            Access::Unknown => {
                state.violate("the access token was never issued".to_owned());
                Some(unauthorized())
            }
        };
    }
    let expected = STANDARD.encode(format!("{}/token:{}", options.email, options.api_token));
    if authorization.strip_prefix("Basic ") == Some(expected.as_str()) {
        return None;
    }
    state.violate(match authorization.starts_with("Basic ") {
        true => "the Basic credentials are not base64 of email/token:api_token".to_owned(),
        false => "the request has no Bearer or Basic credentials".to_owned(),
    });
    Some(Response::json(
        401,
        &json!({"error": "Couldn't authenticate you"}),
    ))
}
