//! What Zendesk keeps, and what each request does to it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::server::{Route, ZendeskOptions, too_many};
use super::ticket::{self, Change, CommentBody, Findings, Requester, Ticket};
use crate::http1::{Request, Response};
use crate::sinks::fault::{RequestLine, SinkFault};

/// Most comments a ticket holds.
const COMMENTS_LIMIT: usize = 5000;
const KEY_LIMIT: usize = 255;

/// Everything a Zendesk stand-in saw and keeps.
#[derive(Debug, Default)]
pub struct State {
    /// Tickets, in order of creation.
    pub tickets: Vec<Ticket>,
    /// Files, in order of arrival.
    pub uploads: Vec<Upload>,
    /// Requests, in order.
    pub requests: Vec<RequestLine>,
    /// One sentence for every rule that the client broke.
    pub violations: Vec<String>,
    pub(super) base_url: String,
    pub(super) faults: Vec<SinkFault<Route>>,
    tokens: HashMap<String, Token>,
    replies: HashMap<String, Reply>,
    recent: Vec<Instant>,
    updates: HashMap<u64, Vec<Instant>>,
}

/// One uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Names the file until it is attached; several files may share one.
    pub token: String,
    /// As sent.
    pub filename: String,
    /// As sent.
    pub content_type: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// The ticket it is attached to.
    pub attached_to: Option<u64>,
    at: Instant,
}

#[derive(Debug)]
struct Token {
    scope: String,
    expires: Instant,
}

/// The first answer given under an idempotency key.
#[derive(Debug)]
struct Reply {
    body: Value,
    answer: Response,
    at: Instant,
}

/// What an access token is good for.
pub(super) enum Access {
    Granted,
    Expired,
    OutOfScope,
    Unknown,
}

impl State {
    pub(super) fn new(faults: Vec<SinkFault<Route>>) -> Self {
        Self {
            faults,
            ..Self::default()
        }
    }

    /// The ticket with that external id, the first when there are several.
    pub fn ticket_for(&self, external_id: &str) -> Option<&Ticket> {
        self.tickets
            .iter()
            .find(|ticket| ticket.external_id.as_deref() == Some(external_id))
    }

    pub(super) fn violate(&mut self, sentence: String) {
        self.violations.push(format!("zendesk: {sentence}"));
    }

    fn reject(&mut self, status: u16, error: &str, sentence: &str) -> Response {
        self.violate(sentence.to_owned());
        Response::json(status, &json!({"error": error, "description": sentence}))
    }

    pub(super) fn revoke(&mut self, token: &str) {
        if let Some(token) = self.tokens.get_mut(token) {
            token.expires = Instant::now();
        }
    }

    pub(super) fn access(&self, token: &str, wanted: &str) -> Access {
        match self.tokens.get(token) {
            None => Access::Unknown,
            Some(token) if token.expires <= Instant::now() => Access::Expired,
            Some(token)
                if token
                    .scope
                    .split(' ')
                    .any(|scope| scope.rsplit(':').next() == Some(wanted)) =>
            {
                Access::Granted
            }
            Some(_) => Access::OutOfScope,
        }
    }

    /// Counts a request of the account; `None` when the minute is used up, else what remains of it.
    pub(super) fn count_request(&mut self, limit: usize) -> Option<usize> {
        forget(&mut self.recent, Duration::from_secs(60));
        let remaining = limit.checked_sub(self.recent.len() + 1)?;
        self.recent.push(Instant::now());
        Some(remaining)
    }

    pub(super) fn issue_token(&mut self, options: &ZendeskOptions, request: &Request) -> Response {
        let Some(body) = json_body(request) else {
            return self.reject(
                400,
                "invalid_request",
                "the token request is not a JSON object declared as application/json",
            );
        };
        if body["grant_type"] != "client_credentials" {
            return self.reject(
                400,
                "unsupported_grant_type",
                "grant_type is not client_credentials",
            );
        }
        if body["client_id"] != *options.client_id
            || body["client_secret"] != *options.client_secret
        {
            return self.reject(
                401,
                "invalid_client",
                "client_id and client_secret are not those of the client",
            );
        }
        if !body["scopes"].is_null() {
            return self.reject(
                400,
                "invalid_scope",
                "scopes belongs to another endpoint; scope is one text",
            );
        }
        let Some(scope) = body["scope"].as_str().filter(|scope| is_scope(scope)) else {
            return self.reject(
                400,
                "invalid_scope",
                "scope is not one text of scopes separated by spaces",
            );
        };
        let wanted = &body["expires_in"];
        let seconds = if wanted.is_null() {
            Some(options.access_lifetime.as_secs())
        } else {
            wanted
                .as_u64()
                .filter(|seconds| (301..172_800).contains(seconds))
        };
        let Some(expires_in) = seconds else {
            return self.reject(
                400,
                "invalid_request",
                "expires_in is not above 300 and below 172800",
            );
        };
        let token = format!("access-{:06}", self.tokens.len() + 1);
        let expires = Instant::now() + Duration::from_secs(expires_in);
        self.tokens.insert(
            token.clone(),
            Token {
                scope: scope.to_owned(),
                expires,
            },
        );
        Response::json(
            200,
            &json!({"access_token": token, "token_type": "bearer", "scope": scope, "expires_in": expires_in}),
        )
    }

    pub(super) fn upload(&mut self, request: &Request) -> Response {
        let query = request.query().unwrap_or_default();
        let value = |wanted: &str| {
            query
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.clone())
        };
        let Some(filename) = value("filename").filter(|filename| !filename.is_empty()) else {
            return self.reject(400, "BadRequest", "the upload has no filename in its query");
        };
        let content_type = request.media_type();
        let expected = types_of(&filename);
        if !expected.contains(&content_type.as_str()) {
            let sentence = format!(
                "the upload's content type {content_type:?} does not fit the extension of its filename"
            );
            return self.reject(422, "AttachmentInvalid", &sentence);
        }
        if request.body.is_empty() {
            return self.reject(422, "AttachmentInvalid", "the upload is empty");
        }
        if content_type.starts_with("text/") && std::str::from_utf8(&request.body).is_err() {
            self.violate("the upload is declared as text but is not UTF-8".to_owned());
        }
        let token = match value("token") {
            Some(token)
                if self
                    .uploads
                    .iter()
                    .any(|upload| upload.token == token && upload.attached_to.is_none()) =>
            {
                token
            }
            Some(_) => {
                return self.reject(
                    422,
                    "AttachmentInvalid",
                    "the upload adds to a token that is unknown or used",
                );
            }
            None => format!("upload-{:06}", self.uploads.len() + 1),
        };
        let size = request.body.len();
        self.uploads.push(Upload {
            token: token.clone(),
            filename: filename.clone(),
            content_type: content_type.clone(),
            bytes: request.body.clone(),
            attached_to: None,
            at: Instant::now(),
        });
        let id = self.uploads.len();
        let attachment = json!({"id": id, "file_name": filename, "content_type": content_type, "size": size,
            "content_url": format!("{}/attachments/token/{token}/?name={filename}", self.base_url)});
        Response::json(
            201,
            &json!({"upload": {"token": token, "expires_at": null, "attachment": attachment, "attachments": [attachment]}}),
        )
    }

    pub(super) fn create_ticket(
        &mut self,
        options: &ZendeskOptions,
        request: &Request,
    ) -> Response {
        let Some(body) = json_body(request) else {
            return self.reject(
                400,
                "BadRequest",
                "the ticket is not a JSON object declared as application/json",
            );
        };
        let key = request.header("idempotency-key").map(str::to_owned);
        match &key {
            None => self.violate("a ticket is created without Idempotency-Key".to_owned()),
            Some(key) if key.is_empty() || key.len() > KEY_LIMIT => {
                return self.reject(
                    400,
                    "IdempotentRequestError",
                    "Idempotency-Key is not 1 to 255 characters long",
                );
            }
            Some(key) => {
                if let Some(replayed) = self.replay(options, key, &body) {
                    return replayed;
                }
            }
        }
        let Some(wrapped) = body["ticket"].as_object() else {
            return self.reject(
                422,
                "RecordInvalid",
                "the body does not wrap its fields in ticket",
            );
        };
        let mut findings = Findings::default();
        let change = ticket::read(wrapped, &mut findings);
        ticket::check_new(&change, &mut findings);
        if let Some(refused) = self.judge(options, &change, findings) {
            return refused;
        }
        let id = 35_436 + self.tickets.len() as u64;
        self.attach(&change, id);
        let ticket = new_ticket(id, change, key.clone());
        let location = format!("{}/api/v2/tickets/{id}.json", self.base_url);
        let answer = Response::json(201, &json!({"ticket": shown(&ticket, &self.base_url)}))
            .with_header("Location", location);
        self.tickets.push(ticket);
        if let Some(key) = key {
            self.replies.insert(
                key,
                Reply {
                    body,
                    answer: answer.clone(),
                    at: Instant::now(),
                },
            );
        }
        answer.with_header("x-idempotency-lookup", "miss")
    }

    /// The stored answer for a key, or the refusal when it stood for something else.
    fn replay(&mut self, options: &ZendeskOptions, key: &str, body: &Value) -> Option<Response> {
        let reply = self
            .replies
            .get(key)
            .filter(|reply| reply.at.elapsed() < options.idempotency_lifetime)?;
        if reply.body == *body {
            return Some(
                reply
                    .answer
                    .clone()
                    .with_header("x-idempotency-lookup", "hit"),
            );
        }
        self.violate("the same Idempotency-Key was used for another body".to_owned());
        let sentence = "Request parameters don't match the given idempotency key";
        Some(Response::json(
            400,
            &json!({"error": "IdempotentRequestError", "description": sentence}),
        ))
    }

    pub(super) fn update_ticket(
        &mut self,
        options: &ZendeskOptions,
        request: &Request,
        id: u64,
    ) -> Response {
        if request.header("idempotency-key").is_some() {
            self.violate(
                "an update carries Idempotency-Key, which only creating a ticket takes".to_owned(),
            );
        }
        let updates = self.updates.entry(id).or_default();
        forget(updates, Duration::from_secs(600));
        if updates.len() >= options.updates_per_ticket {
            self.violate(format!(
                "more than {} updates of one ticket in ten minutes",
                options.updates_per_ticket
            ));
            return too_many(Some(600));
        }
        updates.push(Instant::now());
        let Some(body) = json_body(request) else {
            return self.reject(
                400,
                "BadRequest",
                "the update is not a JSON object declared as application/json",
            );
        };
        let Some(wrapped) = body["ticket"].as_object() else {
            return self.reject(
                422,
                "RecordInvalid",
                "the body does not wrap its fields in ticket",
            );
        };
        let Some(index) = self.tickets.iter().position(|ticket| ticket.id == id) else {
            return self.reject(
                404,
                "RecordNotFound",
                "an update names a ticket that does not exist",
            );
        };
        let mut findings = Findings::default();
        let change = ticket::read(wrapped, &mut findings);
        let known = &self.tickets[index];
        if known.status == "closed" {
            findings.invalid.push((
                "status",
                "Status: closed prevents ticket update".to_owned(),
                "ClosedTicketError",
            ));
        }
        if change.comment.is_some() && known.comments.len() >= COMMENTS_LIMIT {
            findings.invalid.push((
                "comment",
                "the ticket has 5000 comments already".to_owned(),
                "InvalidValue",
            ));
        }
        if let Some(refused) = self.judge(options, &change, findings) {
            return refused;
        }
        self.attach(&change, id);
        let ticket = &mut self.tickets[index];
        apply(ticket, change);
        let body = json!({"ticket": shown(ticket, &self.base_url), "audit": {"id": ticket.comments.len(), "ticket_id": id}});
        Response::json(200, &body)
    }

    pub(super) fn list_tickets(&mut self, request: &Request) -> Response {
        let query = request.query().unwrap_or_default();
        let Some((_, wanted)) = query.iter().find(|(name, _)| name == "external_id") else {
            return self.reject(400, "BadRequest", "tickets are listed without external_id");
        };
        let ids: Vec<&str> = wanted.split(',').collect();
        let found: Vec<Value> = (self.tickets.iter())
            .filter(|ticket| {
                ticket
                    .external_id
                    .as_deref()
                    .is_some_and(|id| ids.contains(&id))
            })
            .map(|ticket| shown(ticket, &self.base_url))
            .collect();
        Response::json(
            200,
            &json!({"tickets": found, "count": found.len(), "next_page": null, "previous_page": null}),
        )
    }

    pub(super) fn list_comments(&mut self, request: &Request, id: u64) -> Response {
        let Some(ticket) = self.tickets.iter().find(|ticket| ticket.id == id) else {
            return self.reject(
                404,
                "RecordNotFound",
                "comments are listed of a ticket that does not exist",
            );
        };
        let mut comments: Vec<Value> = ticket.comments.iter().enumerate().map(|(index, comment)| {
            let (body, html_body) = match &comment.body {
                CommentBody::Plain(text) => (text.clone(), format!("<p>{text}</p>")),
                CommentBody::Html(text) => (without_tags(text), text.clone()),
            };
            json!({"id": id * 10_000 + index as u64, "type": "Comment", "author_id": 1, "public": comment.public,
                "body": body, "plain_body": body, "html_body": html_body})
        }).collect();
        let newest_first = request.query().is_some_and(|query| {
            query.iter().any(|(name, value)| {
                (name == "sort_order" && value == "desc")
                    || (name == "sort" && value.starts_with('-'))
            })
        });
        if newest_first {
            comments.reverse();
        }
        Response::json(
            200,
            &json!({"comments": comments, "count": comments.len(), "next_page": null, "previous_page": null}),
        )
    }

    /// Records what is wrong; `Some` when Zendesk would refuse the body.
    fn judge(
        &mut self,
        options: &ZendeskOptions,
        change: &Change,
        mut findings: Findings,
    ) -> Option<Response> {
        for token in change.comment.iter().flat_map(|comment| &comment.uploads) {
            let problem = match self.uploads.iter().find(|upload| upload.token == *token) {
                None => "Attachment: upload token is unknown",
                Some(upload) if upload.attached_to.is_some() => {
                    "Attachment: upload token was used before"
                }
                Some(upload) if upload.at.elapsed() >= options.upload_lifetime => {
                    "Attachment: upload token has expired"
                }
                Some(_) => continue,
            };
            findings
                .invalid
                .push(("attachments", problem.to_owned(), "InvalidValue"));
        }
        for sentence in &findings.wrong {
            self.violations.push(format!("zendesk: {sentence}"));
        }
        for (_, description, _) in &findings.invalid {
            self.violations.push(format!("zendesk: {description}"));
        }
        (!findings.invalid.is_empty()).then(|| Response::json(422, &findings.record_invalid()))
    }

    fn attach(&mut self, change: &Change, ticket: u64) {
        let tokens = change.comment.iter().flat_map(|comment| &comment.uploads);
        for token in tokens {
            for upload in self
                .uploads
                .iter_mut()
                .filter(|upload| upload.token == *token)
            {
                upload.attached_to = Some(ticket);
            }
        }
    }
}

fn new_ticket(id: u64, change: Change, idempotency_key: Option<String>) -> Ticket {
    Ticket {
        id,
        external_id: change.external_id,
        subject: change.subject,
        priority: change.priority,
        status: change.status.unwrap_or_else(|| "new".to_owned()),
        kind: change.kind,
        tags: change.tags.unwrap_or_default(),
        requester: change.requester.unwrap_or(Requester::Authenticated),
        custom_fields: change.custom_fields.unwrap_or_default(),
        comments: change.comment.into_iter().collect(),
        idempotency_key,
    }
}

fn apply(ticket: &mut Ticket, change: Change) {
    fn set<T>(field: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *field = value;
        }
    }
    set(&mut ticket.external_id, change.external_id.map(Some));
    set(&mut ticket.subject, change.subject.map(Some));
    set(&mut ticket.priority, change.priority.map(Some));
    set(&mut ticket.status, change.status);
    set(&mut ticket.kind, change.kind.map(Some));
    set(&mut ticket.tags, change.tags);
    set(&mut ticket.requester, change.requester);
    for (id, value) in change.custom_fields.unwrap_or_default() {
        ticket.custom_fields.retain(|(known, _)| *known != id);
        ticket.custom_fields.push((id, value));
    }
    ticket.comments.extend(change.comment);
}

/// The text of an HTML comment; entities are left as they are.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for character in html.chars() {
        match character {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if !in_tag => text.push(character),
            _ => {}
        }
    }
    text
}

/// A ticket as Zendesk shows it.
fn shown(ticket: &Ticket, base_url: &str) -> Value {
    let custom_fields: Vec<Value> = ticket
        .custom_fields
        .iter()
        .map(|(id, value)| json!({"id": id, "value": value}))
        .collect();
    json!({
        "id": ticket.id, "url": format!("{base_url}/api/v2/tickets/{}.json", ticket.id), "external_id": ticket.external_id,
        "subject": ticket.subject, "description": ticket.comments.first().map(|comment| comment.body.as_str()),
        "priority": ticket.priority, "status": ticket.status, "type": ticket.kind, "tags": ticket.tags,
        "custom_fields": custom_fields,
    })
}

fn json_body(request: &Request) -> Option<Value> {
    let declared = request.media_type() == "application/json";
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    (declared && body.is_object()).then_some(body)
}

fn is_scope(scope: &str) -> bool {
    let is_word = |word: &str| {
        matches!(
            word.rsplit(':').next(),
            Some("read" | "write" | "impersonate")
        )
    };
    !scope.is_empty() && scope.split(' ').all(is_word)
}

fn forget(moments: &mut Vec<Instant>, after: Duration) {
    moments.retain(|moment| moment.elapsed() < after);
}

/// Content types that fit a filename's extension.
fn types_of(filename: &str) -> &'static [&'static str] {
    match filename.rsplit_once('.').map(|(_, extension)| extension) {
        Some("txt" | "log") => &["text/plain"],
        Some("md") => &["text/markdown", "text/plain"],
        Some("html") => &["text/html"],
        Some("csv") => &["text/csv"],
        Some("json") => &["application/json"],
        Some("pdf") => &["application/pdf"],
        Some("wav") => &["audio/wav", "audio/x-wav"],
        Some("ogg" | "opus") => &["audio/ogg", "audio/opus"],
        Some("mp3") => &["audio/mpeg"],
        _ => &[],
    }
}
