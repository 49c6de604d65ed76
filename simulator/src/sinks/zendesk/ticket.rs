//! What a ticket may look like: reading a create or update body by the documented rules.
//!
//! Source: Zendesk's Tickets API and `oas.yaml` (developer.zendesk.com, read 2026-11-21); the comment
//! length is from Zendesk staff (support.zendesk.com community post 4719863289498).

use serde::Serialize;
use serde_json::{Map, Value, json};

/// Longest comment, in characters.
pub(super) const COMMENT_LIMIT: usize = 65_000;

const KNOWN: &[&str] = &[
    "additional_collaborators",
    "assignee_email",
    "assignee_id",
    "brand_id",
    "collaborator_ids",
    "collaborators",
    "comment",
    "custom_fields",
    "custom_status_id",
    "due_at",
    "email_cc_ids",
    "email_ccs",
    "external_id",
    "fields",
    "follower_ids",
    "followers",
    "group_id",
    "macro_ids",
    "metadata",
    "organization_id",
    "priority",
    "problem_id",
    "raw_subject",
    "recipient",
    "requester",
    "requester_id",
    "safe_update",
    "status",
    "subject",
    "submitter_id",
    "tags",
    "ticket_form_id",
    "type",
    "updated_stamp",
    "via",
    "via_followup_source_id",
    "voice_comment",
];
const COMMENT_KNOWN: &[&str] = &[
    "author_id",
    "body",
    "html_body",
    "public",
    "type",
    "uploads",
];
const PRIORITIES: &[&str] = &["urgent", "high", "normal", "low"];
const STATUSES: &[&str] = &["new", "open", "pending", "hold", "solved", "closed"];
const TYPES: &[&str] = &["problem", "incident", "question", "task"];

/// One ticket as stored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ticket {
    /// Number given by Zendesk.
    pub id: u64,
    /// The client's own id.
    pub external_id: Option<String>,
    /// Subject line.
    pub subject: Option<String>,
    /// `urgent`, `high`, `normal` or `low`.
    pub priority: Option<String>,
    /// `new`, `open`, `pending`, `hold`, `solved` or `closed`.
    pub status: String,
    /// `problem`, `incident`, `question` or `task`.
    pub kind: Option<String>,
    /// Tags, in the order given.
    pub tags: Vec<String>,
    /// Whose ticket it is.
    pub requester: Requester,
    /// Field id and value.
    pub custom_fields: Vec<(u64, Value)>,
    /// The first is the description.
    pub comments: Vec<Comment>,
    /// The key it was created under.
    pub idempotency_key: Option<String>,
}

/// Whose ticket it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Requester {
    /// An existing user.
    Id(u64),
    /// A user to be created.
    Inline {
        /// Name shown.
        name: String,
        /// E-mail address.
        email: Option<String>,
        /// Telephone number.
        phone: Option<String>,
    },
    /// Nobody was named, so the user of the credentials.
    Authenticated,
}

/// One comment of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// Whether the requester sees it; `false` is an internal note.
    pub public: bool,
    /// Its text.
    pub body: CommentBody,
    /// Upload tokens that it attached.
    pub uploads: Vec<String>,
}

/// The text of a comment in the form in which it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentBody {
    /// `body`.
    Plain(String),
    /// `html_body`.
    Html(String),
}

impl CommentBody {
    /// The text as sent.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Html(text) => text,
        }
    }
}

/// What a body asks to be set; `None` leaves a field as it is.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) external_id: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) priority: Option<String>,
    pub(super) status: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) requester: Option<Requester>,
    pub(super) custom_fields: Option<Vec<(u64, Value)>>,
    pub(super) comment: Option<Comment>,
}

/// What was found wrong with a body.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Refused with 422: field, description, error code.
    pub(super) invalid: Vec<(&'static str, String, &'static str)>,
    /// Accepted by Zendesk, wrong for a handoff all the same.
    pub(super) wrong: Vec<String>,
}

impl Findings {
    fn invalid(&mut self, field: &'static str, description: impl Into<String>) {
        self.invalid
            .push((field, description.into(), "InvalidValue"));
    }

    fn wrong(&mut self, sentence: impl Into<String>) {
        self.wrong.push(sentence.into());
    }

    /// The documented shape of a 422.
    pub(super) fn record_invalid(&self) -> Value {
        let mut details: Map<String, Value> = Map::new();
        for (field, description, error) in &self.invalid {
            let entries = details.entry(*field).or_insert_with(|| json!([]));
            if let Some(entries) = entries.as_array_mut() {
                entries.push(json!({"description": description, "error": error}));
            }
        }
        json!({"error": "RecordInvalid", "description": "Record validation errors", "details": details})
    }
}

/// Reads the object under `ticket`, collecting everything wrong with it.
pub(super) fn read(ticket: &Map<String, Value>, findings: &mut Findings) -> Change {
    for name in ticket.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
        findings.wrong(format!("ticket.{name} is not a field of a ticket"));
    }
    Change {
        external_id: text(ticket, "external_id", "external_id", findings),
        subject: text(ticket, "subject", "subject", findings),
        priority: choice(ticket, "priority", PRIORITIES, findings),
        status: choice(ticket, "status", STATUSES, findings),
        kind: choice(ticket, "type", TYPES, findings),
        tags: ticket
            .get("tags")
            .and_then(|tags| read_tags(tags, findings)),
        requester: read_requester(ticket, findings),
        custom_fields: ticket
            .get("custom_fields")
            .and_then(|fields| read_custom_fields(fields, findings)),
        comment: ticket
            .get("comment")
            .and_then(|comment| read_comment(comment, findings)),
    }
}

/// What only a new ticket must have.
pub(super) fn check_new(change: &Change, findings: &mut Findings) {
    if change.comment.is_none() && findings.invalid.is_empty() {
        findings.invalid.push((
            "base",
            "Description: cannot be blank".to_owned(),
            "BlankValue",
        ));
    }
    if change.requester.is_none() {
        findings.wrong("ticket has no requester, so the integration's own user becomes it");
    }
    if change.external_id.is_none() {
        findings.wrong("ticket has no external_id, so it cannot be found again after the idempotency key expires");
    }
    if change.subject.is_none() {
        findings.wrong("ticket has no subject");
    }
}

fn text(
    object: &Map<String, Value>,
    name: &str,
    field: &'static str,
    findings: &mut Findings,
) -> Option<String> {
    match object.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
        Some(_) => {
            findings.invalid(field, format!("{name} must be a text that is not empty"));
            None
        }
    }
}

fn choice(
    ticket: &Map<String, Value>,
    name: &'static str,
    allowed: &[&str],
    findings: &mut Findings,
) -> Option<String> {
    let value = match ticket.get(name) {
        None | Some(Value::Null) => return None,
        Some(value) => value,
    };
    let chosen = value.as_str().filter(|word| allowed.contains(word));
    if chosen.is_none() {
        findings.invalid(
            name,
            format!("{name} must be one of {}", allowed.join(", ")),
        );
    }
    chosen.map(str::to_owned)
}

pub(super) fn read_tags(tags: &Value, findings: &mut Findings) -> Option<Vec<String>> {
    let words: Option<Vec<String>> = tags.as_array().and_then(|tags| {
        tags.iter()
            .map(|tag| tag.as_str().map(str::to_owned))
            .collect()
    });
    let Some(words) = words else {
        findings.invalid("tags", "tags must be an array of texts");
        return None;
    };
    if words
        .iter()
        .any(|tag| tag.is_empty() || tag.contains(char::is_whitespace))
    {
        findings.wrong("a tag is empty or has a space, at which Zendesk would split it");
    }
    Some(words)
}

fn read_requester(ticket: &Map<String, Value>, findings: &mut Findings) -> Option<Requester> {
    match (ticket.get("requester_id"), ticket.get("requester")) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            findings.invalid(
                "requester",
                "Requester: requester and requester_id exclude each other",
            );
            None
        }
        (Some(id), None) => {
            if id.as_u64().is_none() {
                findings.invalid("requester", "Requester: requester_id must be a number");
            }
            id.as_u64().map(Requester::Id)
        }
        (None, Some(Value::Object(requester))) => {
            let name = text(requester, "name", "requester", findings);
            let email = text(requester, "email", "requester", findings);
            let phone = text(requester, "phone", "requester", findings);
            if email
                .as_deref()
                .is_some_and(|email| !looks_like_email(email))
            {
                findings.invalid("requester", "Requester: Email is invalid");
            }
            if name.is_none() {
                findings.invalid(
                    "requester",
                    "Requester: Name: is too short (minimum one character)",
                );
            }
            Some(Requester::Inline {
                name: name?,
                email,
                phone,
            })
        }
        (None, Some(_)) => {
            findings.invalid("requester", "Requester: must be an object");
            None
        }
    }
}

fn looks_like_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && host.contains('.')
            && !host.starts_with('.')
            && !host.ends_with('.')
            && !text.contains(char::is_whitespace)
    })
}

fn read_custom_fields(fields: &Value, findings: &mut Findings) -> Option<Vec<(u64, Value)>> {
    let read = |field: &Value| Some((field["id"].as_u64()?, field.get("value")?.clone()));
    let pairs = fields
        .as_array()
        .and_then(|fields| fields.iter().map(read).collect());
    if pairs.is_none() {
        findings.invalid(
            "custom_fields",
            "custom_fields must be an array of objects with a numeric id and a value",
        );
    }
    pairs
}

fn read_comment(comment: &Value, findings: &mut Findings) -> Option<Comment> {
    let Some(comment) = comment.as_object() else {
        findings.invalid("comment", "comment must be an object");
        return None;
    };
    for name in comment
        .keys()
        .filter(|name| !COMMENT_KNOWN.contains(&name.as_str()))
    {
        findings.wrong(format!("ticket.comment.{name} is not a field of a comment"));
    }
    let plain = text(comment, "body", "comment", findings);
    let html = text(comment, "html_body", "comment", findings);
    let body = match (plain, html) {
        (Some(text), None) => CommentBody::Plain(text),
        (None, Some(text)) => CommentBody::Html(text),
        (Some(_), Some(_)) | (None, None) => {
            findings.invalid(
                "comment",
                "comment must have exactly one of body and html_body",
            );
            return None;
        }
    };
    if body.as_str().chars().count() > COMMENT_LIMIT {
        findings.invalid(
            "comment",
            format!("comment is longer than {COMMENT_LIMIT} characters"),
        );
    }
    let public = match comment.get("public") {
        None => true,
        Some(Value::Bool(public)) => *public,
        Some(_) => {
            findings.invalid("comment", "comment.public must be true or false");
            true
        }
    };
    if public {
        findings.wrong("comment is public (public:false makes it an internal note): the caller would be sent it");
    }
    let uploads = match comment.get("uploads") {
        None => Some(Vec::new()),
        Some(tokens) => tokens.as_array().and_then(|tokens| {
            tokens
                .iter()
                .map(|token| token.as_str().map(str::to_owned))
                .collect()
        }),
    };
    if uploads.is_none() {
        findings.invalid("comment", "comment.uploads must be an array of tokens");
    }
    Some(Comment {
        public,
        body,
        uploads: uploads?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Value {
        json!({
            "subject": "Refund", "external_id": "ho_1", "requester": {"name": "Dana Reyes", "email": "dana@example.com"},
            "priority": "high", "type": "incident", "tags": ["voice_handoff"], "custom_fields": [{"id": 7, "value": "CA1"}],
            "comment": {"public": false, "html_body": "<p>Summary</p>", "uploads": ["t1"]},
        })
    }

    fn findings(ticket: &Value) -> Findings {
        let mut findings = Findings::default();
        let change = read(ticket.as_object().unwrap(), &mut findings);
        check_new(&change, &mut findings);
        findings
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut ticket = good();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        ticket.pointer_mut(parent).unwrap()[name] = value;
        ticket
    }

    fn without(parent: &str, name: &str) -> Value {
        let mut ticket = good();
        ticket
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(name);
        ticket
    }

    #[test]
    fn a_good_ticket_has_nothing_wrong() {
        let findings = findings(&good());
        assert!(
            findings.invalid.is_empty() && findings.wrong.is_empty(),
            "{findings:?}"
        );
    }

    #[test]
    fn borders_are_inside() {
        for ticket in [
            with("/comment/html_body", json!("x".repeat(COMMENT_LIMIT))),
            with(
                "/requester",
                json!({"name": "Caller", "phone": "+15550100"}),
            ),
            with("/status", json!("open")),
        ] {
            let findings = findings(&ticket);
            assert!(
                findings.invalid.is_empty() && findings.wrong.is_empty(),
                "{findings:?}"
            );
        }
        let mut by_id = without("", "requester");
        by_id["requester_id"] = json!(5);
        assert!(findings(&by_id).invalid.is_empty());
    }

    #[test]
    fn what_zendesk_refuses_is_a_422() {
        let both_requesters = with("/requester_id", json!(5));
        let cases = [
            (
                with("/comment/body", json!("x")),
                "comment must have exactly one of body and html_body",
            ),
            (
                without("/comment", "html_body"),
                "comment must have exactly one of body and html_body",
            ),
            (
                with("/comment/html_body", json!("x".repeat(COMMENT_LIMIT + 1))),
                "comment is longer than 65000 characters",
            ),
            (
                with("/comment/public", json!("false")),
                "comment.public must be true or false",
            ),
            (
                with("/comment/uploads", json!("t1")),
                "comment.uploads must be an array of tokens",
            ),
            (without("", "comment"), "Description: cannot be blank"),
            (with("/comment", json!("text")), "comment must be an object"),
            (
                with("/priority", json!("extreme")),
                "priority must be one of urgent, high, normal, low",
            ),
            (
                with("/status", json!("done")),
                "status must be one of new, open, pending, hold, solved, closed",
            ),
            (
                with("/type", json!("call")),
                "type must be one of problem, incident, question, task",
            ),
            (
                with("/tags", json!("a,b")),
                "tags must be an array of texts",
            ),
            (
                with("/requester/email", json!("dana")),
                "Requester: Email is invalid",
            ),
            (
                without("/requester", "name"),
                "Requester: Name: is too short (minimum one character)",
            ),
            (
                both_requesters,
                "Requester: requester and requester_id exclude each other",
            ),
            (
                with("/custom_fields", json!([{"id": "7", "value": 1}])),
                "custom_fields must be an array of objects with a numeric id and a value",
            ),
            (
                with("/subject", json!("")),
                "subject must be a text that is not empty",
            ),
        ];
        for (ticket, sentence) in cases {
            let findings = findings(&ticket);
            assert!(
                findings
                    .invalid
                    .iter()
                    .any(|(_, description, _)| description == sentence),
                "{sentence}: {findings:?}"
            );
        }
    }

    #[test]
    fn what_is_wrong_for_a_handoff_is_noted() {
        let cases = [
            (with("/comment/public", json!(true)), "comment is public"),
            (without("/comment", "public"), "comment is public"),
            (without("", "requester"), "ticket has no requester"),
            (without("", "external_id"), "ticket has no external_id"),
            (without("", "subject"), "ticket has no subject"),
            (
                with("/tags", json!(["two words"])),
                "a tag is empty or has a space",
            ),
            (
                with("/colour", json!("red")),
                "ticket.colour is not a field of a ticket",
            ),
            (
                with("/comment/text", json!("x")),
                "ticket.comment.text is not a field of a comment",
            ),
        ];
        for (ticket, sentence) in cases {
            let findings = findings(&ticket);
            assert!(
                findings
                    .wrong
                    .iter()
                    .any(|wrong| wrong.starts_with(sentence)),
                "{sentence}: {findings:?}"
            );
        }
    }

    #[test]
    fn a_422_has_the_documented_shape() {
        let body = findings(&with("/requester/email", json!("dana"))).record_invalid();
        assert_eq!(
            body,
            json!({
                "error": "RecordInvalid", "description": "Record validation errors",
                "details": {"requester": [{"description": "Requester: Email is invalid", "error": "InvalidValue"}]},
            })
        );
    }
}
