//! Zendesk over real HTTP: credentials, uploads, tickets, idempotency, limits and faults.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use handoff_simulator::sinks::zendesk::{CommentBody, Requester, Route, ZendeskOptions};
use handoff_simulator::sinks::{FaultKind, SinkFault, Zendesk};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

async fn start(change: impl FnOnce(&mut ZendeskOptions)) -> Zendesk {
    let mut options = ZendeskOptions::default();
    change(&mut options);
    Zendesk::start(options).await.unwrap()
}

/// A client with an access token.
struct Session<'a> {
    zendesk: &'a Zendesk,
    http: Client,
    token: String,
}

impl<'a> Session<'a> {
    async fn open(zendesk: &'a Zendesk) -> Self {
        let http = Client::new();
        let answer: Value = ask_token(&http, zendesk, &grant())
            .await
            .json()
            .await
            .unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        Self {
            zendesk,
            http,
            token,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.zendesk.url()))
            .bearer_auth(&self.token)
    }

    async fn create(&self, key: &str, ticket: &Value) -> reqwest::Response {
        let request = self
            .request(Method::POST, "/api/v2/tickets")
            .header("Idempotency-Key", key);
        request
            .json(&json!({"ticket": ticket}))
            .send()
            .await
            .unwrap()
    }

    async fn update(&self, id: u64, ticket: &Value) -> reqwest::Response {
        let request = self.request(Method::PUT, &format!("/api/v2/tickets/{id}"));
        request
            .json(&json!({"ticket": ticket}))
            .send()
            .await
            .unwrap()
    }

    async fn upload(&self, filename: &str, content_type: &str, bytes: &[u8]) -> reqwest::Response {
        let request = self.request(
            Method::POST,
            &format!("/api/v2/uploads?filename={filename}"),
        );
        request
            .header("Content-Type", content_type)
            .body(bytes.to_vec())
            .send()
            .await
            .unwrap()
    }

    async fn upload_token(&self) -> String {
        let answer: Value = self
            .upload("transcript.txt", "text/plain", b"hello")
            .await
            .json()
            .await
            .unwrap();
        answer["upload"]["token"].as_str().unwrap().to_owned()
    }
}

fn grant() -> Value {
    json!({"grant_type": "client_credentials", "client_id": "handoff_test", "client_secret": "zendesk-test-secret",
        "scope": "read write", "expires_in": 7200})
}

async fn ask_token(http: &Client, zendesk: &Zendesk, body: &Value) -> reqwest::Response {
    http.post(format!("{}/oauth/tokens", zendesk.url()))
        .json(body)
        .send()
        .await
        .unwrap()
}

fn ticket() -> Value {
    json!({"subject": "Escalated call", "external_id": "ho_1", "priority": "high",
        "requester": {"name": "Dana Reyes", "email": "dana@example.com"},
        "comment": {"public": false, "body": "Summary"}})
}

fn with_uploads(tokens: &[&str]) -> Value {
    let mut ticket = ticket();
    ticket["comment"]["uploads"] = json!(tokens);
    ticket
}

fn assert_violation(zendesk: &Zendesk, beginning: &str) {
    let violations = zendesk.violations();
    assert!(
        violations
            .iter()
            .any(|sentence| sentence.starts_with(&format!("zendesk: {beginning}"))),
        "{beginning}: {violations:?}"
    );
}

#[tokio::test]
async fn a_ticket_with_its_transcript_is_created_and_updated() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    let token = session.upload_token().await;
    let created = session.create("ho_1", &with_uploads(&[&token])).await;
    assert_eq!(created.status(), StatusCode::CREATED);
    assert_eq!(created.headers()["x-idempotency-lookup"], "miss");
    assert_eq!(created.headers()["x-rate-limit-remaining"], "398");
    let location = created.headers()["location"].to_str().unwrap().to_owned();
    let body: Value = created.json().await.unwrap();
    let id = body["ticket"]["id"].as_u64().unwrap();
    assert!(location.ends_with(&format!("/api/v2/tickets/{id}.json")));

    let change =
        json!({"status": "open", "comment": {"public": false, "html_body": "<p>Call ended</p>"}});
    let updated = session.update(id, &change).await;
    assert_eq!(updated.status(), StatusCode::OK);
    assert!(updated.json::<Value>().await.unwrap()["audit"].is_object());

    let stored = zendesk
        .wait_for(Duration::from_secs(5), "the ticket", |state| {
            state.ticket_for("ho_1").cloned()
        })
        .await
        .unwrap();
    assert_eq!((stored.status.as_str(), stored.comments.len()), ("open", 2));
    assert_eq!(
        stored.comments[1].body,
        CommentBody::Html("<p>Call ended</p>".to_owned())
    );
    assert!(matches!(stored.requester, Requester::Inline { .. }));
    assert_eq!(stored.idempotency_key.as_deref(), Some("ho_1"));
    let upload = &zendesk.uploads()[0];
    assert_eq!(
        (upload.bytes.as_slice(), upload.attached_to),
        (b"hello".as_slice(), Some(id))
    );
    assert_eq!(zendesk.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_token_request_must_be_exact() {
    let with = |name: &str, value: Value| {
        let mut body = grant();
        body[name] = value;
        body
    };
    let cases = [
        (
            with("grant_type", json!("password")),
            400,
            "grant_type is not",
        ),
        (
            with("client_secret", json!("x")),
            401,
            "client_id and client_secret",
        ),
        (with("scope", json!(["read"])), 400, "scope is not one text"),
        (with("scope", Value::Null), 400, "scope is not one text"),
        (with("scopes", json!(["read"])), 400, "scopes belongs"),
        (with("expires_in", json!(300)), 400, "expires_in is not"),
        (with("expires_in", json!(172_800)), 400, "expires_in is not"),
    ];
    for (body, status, sentence) in cases {
        let zendesk = start(|_| {}).await;
        assert_eq!(
            ask_token(&Client::new(), &zendesk, &body)
                .await
                .status()
                .as_u16(),
            status
        );
        assert_violation(&zendesk, sentence);
    }
    let zendesk = start(|_| {}).await;
    for body in [
        with("scope", json!("tickets:read tickets:write")),
        with("expires_in", json!(301)),
        with("expires_in", Value::Null),
    ] {
        assert_eq!(
            ask_token(&Client::new(), &zendesk, &body).await.status(),
            StatusCode::OK
        );
    }
    assert_eq!(zendesk.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_token_path_is_at_the_root_and_the_body_is_json() {
    let zendesk = start(|_| {}).await;
    let http = Client::new();
    let under_api = http
        .post(format!("{}/api/v2/oauth/tokens", zendesk.url()))
        .json(&grant())
        .send()
        .await
        .unwrap();
    assert_eq!(under_api.status(), StatusCode::NOT_FOUND);
    assert_violation(&zendesk, "there is no POST /api/v2/oauth/tokens");
    let form = http
        .post(format!("{}/oauth/tokens", zendesk.url()))
        .body("grant_type=client_credentials")
        .send()
        .await
        .unwrap();
    assert_eq!(form.status(), StatusCode::BAD_REQUEST);
    assert_violation(&zendesk, "the token request is not a JSON object");
}

#[tokio::test]
async fn credentials_are_checked() {
    let zendesk = start(|_| {}).await;
    let list = || Client::new().get(format!("{}/api/v2/tickets?external_id=ho_1", zendesk.url()));
    let legacy = list().basic_auth("integration@example.com/token", Some("zendesk-test-token"));
    assert_eq!(legacy.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(zendesk.violations(), Vec::<String>::new());

    assert_eq!(
        list().send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    assert_violation(&zendesk, "the request has no Bearer or Basic credentials");
    let password = list().basic_auth("integration@example.com", Some("zendesk-test-token"));
    assert_eq!(
        password.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    assert_violation(&zendesk, "the Basic credentials are not");
    assert_eq!(
        list().bearer_auth("made-up").send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    assert_violation(&zendesk, "the access token was never issued");
}

#[tokio::test]
async fn a_scope_must_cover_the_request() {
    let zendesk = start(|_| {}).await;
    let http = Client::new();
    let mut body = grant();
    body["scope"] = json!("read");
    let answer: Value = ask_token(&http, &zendesk, &body)
        .await
        .json()
        .await
        .unwrap();
    let session = Session {
        zendesk: &zendesk,
        http,
        token: answer["access_token"].as_str().unwrap().to_owned(),
    };
    let me = session
        .request(Method::GET, "/api/v2/users/me.json")
        .send()
        .await
        .unwrap();
    assert_eq!(me.status(), StatusCode::OK);
    assert_eq!(
        session.create("k", &ticket()).await.status(),
        StatusCode::FORBIDDEN
    );
    assert_violation(&zendesk, "the access token's scope does not cover write");
}

#[tokio::test]
async fn an_expired_token_is_refused_once_and_a_new_one_works() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    zendesk.plan([SinkFault::once(FaultKind::Expired).on(Route::CreateTicket)]);
    assert_eq!(
        session.create("k", &ticket()).await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        session.create("k", &ticket()).await.status(),
        StatusCode::UNAUTHORIZED
    );
    let renewed = Session::open(&zendesk).await;
    assert_eq!(
        renewed.create("k", &ticket()).await.status(),
        StatusCode::CREATED
    );
    assert_eq!(zendesk.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_same_key_gives_the_same_ticket_and_another_body_is_refused() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    let first: Value = session.create("k", &ticket()).await.json().await.unwrap();
    let again = session.create("k", &ticket()).await;
    assert_eq!(
        (again.status(), &again.headers()["x-idempotency-lookup"]),
        (StatusCode::CREATED, &"hit".parse().unwrap())
    );
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    assert_eq!(zendesk.tickets().len(), 1);
    assert_eq!(zendesk.violations(), Vec::<String>::new());

    let mut other = ticket();
    other["subject"] = json!("Another");
    let refused = session.create("k", &other).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        refused.json::<Value>().await.unwrap(),
        json!({"error": "IdempotentRequestError",
        "description": "Request parameters don't match the given idempotency key"})
    );
    assert_violation(
        &zendesk,
        "the same Idempotency-Key was used for another body",
    );
}

#[tokio::test]
async fn keys_expire_and_have_a_longest_length() {
    let zendesk = start(|options| options.idempotency_lifetime = Duration::ZERO).await;
    let session = Session::open(&zendesk).await;
    for _ in 0..2 {
        assert_eq!(
            session.create(&"k".repeat(255), &ticket()).await.status(),
            StatusCode::CREATED
        );
    }
    assert_eq!(
        (zendesk.tickets().len(), zendesk.violations().len()),
        (2, 0)
    );
    assert_eq!(
        session.create(&"k".repeat(256), &ticket()).await.status(),
        StatusCode::BAD_REQUEST
    );
    assert_violation(&zendesk, "Idempotency-Key is not 1 to 255");
}

#[tokio::test]
async fn a_ticket_without_a_key_and_an_update_with_one_are_violations() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    let body = json!({"ticket": ticket()});
    let keyless = session
        .request(Method::POST, "/api/v2/tickets")
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(keyless.status(), StatusCode::CREATED);
    assert_violation(&zendesk, "a ticket is created without Idempotency-Key");
    let id = zendesk.tickets()[0].id;
    let update = session
        .request(Method::PUT, &format!("/api/v2/tickets/{id}.json"))
        .header("Idempotency-Key", "k");
    assert_eq!(
        update
            .json(&json!({"ticket": {"status": "open"}}))
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
    assert_violation(&zendesk, "an update carries Idempotency-Key");
}

#[tokio::test]
async fn what_is_not_a_ticket_is_refused() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    let post = || {
        session
            .request(Method::POST, "/api/v2/tickets")
            .header("Idempotency-Key", "k")
    };
    assert_eq!(
        post().body("{").send().await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        post().json(&ticket()).send().await.unwrap().status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_violation(&zendesk, "the body does not wrap its fields in ticket");
    let mut public = ticket();
    public["comment"]["public"] = json!(true);
    assert_eq!(
        session.create("public", &public).await.status(),
        StatusCode::CREATED
    );
    assert_violation(&zendesk, "comment is public");
    let mut invalid = ticket();
    invalid["requester"]["email"] = json!("dana");
    let refused = session.create("invalid", &invalid).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        refused.json::<Value>().await.unwrap()["error"],
        "RecordInvalid"
    );
    assert_eq!(zendesk.tickets().len(), 1);
}

#[tokio::test]
async fn updates_need_a_ticket_that_is_open_to_them() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    assert_eq!(
        session.update(1, &json!({"status": "open"})).await.status(),
        StatusCode::NOT_FOUND
    );
    session.create("k", &ticket()).await;
    let id = zendesk.tickets()[0].id;
    assert_eq!(
        session
            .update(id, &json!({"status": "closed"}))
            .await
            .status(),
        StatusCode::OK
    );
    let refused = session.update(id, &json!({"status": "open"})).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_violation(&zendesk, "Status: closed prevents ticket update");
}

#[tokio::test]
async fn an_upload_token_works_once_and_in_time() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    let token = session.upload_token().await;
    assert_eq!(
        session.create("a", &with_uploads(&[&token])).await.status(),
        StatusCode::CREATED
    );
    assert_eq!(zendesk.violations(), Vec::<String>::new());
    assert_eq!(
        session.create("b", &with_uploads(&[&token])).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_violation(&zendesk, "Attachment: upload token was used before");
    assert_eq!(
        session.create("c", &with_uploads(&["x"])).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_violation(&zendesk, "Attachment: upload token is unknown");

    let hasty = start(|options| options.upload_lifetime = Duration::ZERO).await;
    let session = Session::open(&hasty).await;
    let token = session.upload_token().await;
    assert_eq!(
        session.create("a", &with_uploads(&[&token])).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_violation(&hasty, "Attachment: upload token has expired");
}

#[tokio::test]
async fn an_upload_must_be_what_its_name_says() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    assert_eq!(
        session
            .upload("a.json", "application/json", b"{}")
            .await
            .status(),
        StatusCode::CREATED
    );
    assert_eq!(
        session
            .upload("a.txt", "text/plain; charset=utf-8", b"x")
            .await
            .status(),
        StatusCode::CREATED
    );
    assert_eq!(zendesk.violations(), Vec::<String>::new());
    for (filename, content_type) in [
        ("a.txt", "application/json"),
        ("a.exe", "text/plain"),
        ("a", "text/plain"),
    ] {
        assert_eq!(
            session.upload(filename, content_type, b"x").await.status(),
            StatusCode::UNPROCESSABLE_ENTITY
        );
        assert_violation(&zendesk, "the upload's content type");
    }
    assert_eq!(
        session.upload("", "text/plain", b"x").await.status(),
        StatusCode::BAD_REQUEST
    );
    assert_violation(&zendesk, "the upload has no filename");
    assert_eq!(
        session.upload("a.txt", "text/plain", b"").await.status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_violation(&zendesk, "the upload is empty");
    session.upload("a.txt", "text/plain", &[0xC3]).await;
    assert_violation(&zendesk, "the upload is declared as text but is not UTF-8");
}

#[tokio::test]
async fn tickets_are_found_by_external_id() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    session.create("k", &ticket()).await;
    let list = async |query: &str| {
        session
            .request(Method::GET, &format!("/api/v2/tickets{query}"))
            .send()
            .await
            .unwrap()
    };
    for (query, count) in [
        ("?external_id=ho_1", 1),
        ("?external_id=ho_0,ho_1", 1),
        ("?external_id=ho_2", 0),
    ] {
        assert_eq!(
            list(query).await.json::<Value>().await.unwrap()["count"],
            count
        );
    }
    assert_eq!(zendesk.violations(), Vec::<String>::new());
    assert_eq!(list("").await.status(), StatusCode::BAD_REQUEST);
    assert_violation(&zendesk, "tickets are listed without external_id");
}

#[tokio::test]
async fn comments_are_listed_in_the_order_asked_for() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    session.create("k", &ticket()).await;
    let id = zendesk.tickets()[0].id;
    let note = json!({"comment": {"public": false, "html_body": "<p>Reference <b>ho_1</b></p>"}});
    session.update(id, &note).await;
    let list = async |path: String| session.request(Method::GET, &path).send().await.unwrap();
    let newest_first: Value = list(format!("/api/v2/tickets/{id}/comments?sort_order=desc"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(newest_first["comments"][0]["plain_body"], "Reference ho_1");
    let oldest_first: Value = list(format!("/api/v2/tickets/{id}/comments.json"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(oldest_first["comments"][0]["body"], "Summary");
    assert_eq!(zendesk.violations(), Vec::<String>::new());
    assert_eq!(
        list("/api/v2/tickets/1/comments".to_owned()).await.status(),
        StatusCode::NOT_FOUND
    );
    assert_violation(
        &zendesk,
        "comments are listed of a ticket that does not exist",
    );
}

#[tokio::test]
async fn limits_answer_429_with_the_time_to_wait() {
    let zendesk = start(|options| options.requests_per_minute = 1).await;
    let session = Session::open(&zendesk).await;
    assert_eq!(
        session.create("k", &ticket()).await.status(),
        StatusCode::CREATED
    );
    let limited = session.create("k", &ticket()).await;
    assert_eq!(
        (limited.status(), &limited.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"60".parse().unwrap())
    );

    let zendesk = start(|options| options.updates_per_ticket = 1).await;
    let session = Session::open(&zendesk).await;
    session.create("k", &ticket()).await;
    let id = zendesk.tickets()[0].id;
    assert_eq!(
        session
            .update(id, &json!({"status": "open"}))
            .await
            .status(),
        StatusCode::OK
    );
    assert_eq!(zendesk.violations(), Vec::<String>::new());
    assert_eq!(
        session
            .update(id, &json!({"status": "open"}))
            .await
            .status(),
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_violation(&zendesk, "more than 1 updates of one ticket in ten minutes");
}

#[tokio::test]
async fn planned_answers_come_once_and_do_nothing() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    zendesk.plan([
        SinkFault::once(FaultKind::TooManyRequests {
            retry_after: Some(7),
        })
        .on(Route::CreateTicket),
        SinkFault::once(FaultKind::ServerError).on(Route::CreateTicket),
        SinkFault::once(FaultKind::CutBefore).on(Route::CreateTicket),
    ]);
    let limited = session.create("k", &ticket()).await;
    assert_eq!(
        (limited.status().as_u16(), &limited.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert_eq!(session.create("k", &ticket()).await.status().as_u16(), 500);
    let cut = session
        .request(Method::POST, "/api/v2/tickets")
        .json(&json!({"ticket": ticket()}))
        .send()
        .await;
    assert!(cut.is_err());
    assert_eq!(zendesk.tickets().len(), 0);
    assert_eq!(
        session.create("k", &ticket()).await.status(),
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn a_lost_answer_leaves_the_ticket_and_the_key_finds_it_again() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    zendesk.plan([SinkFault::once(FaultKind::CutAfter).on(Route::CreateTicket)]);
    let body = json!({"ticket": ticket()});
    let request = || {
        session
            .request(Method::POST, "/api/v2/tickets")
            .header("Idempotency-Key", "k")
            .json(&body)
    };
    assert!(request().send().await.is_err());
    assert_eq!(zendesk.tickets().len(), 1);
    assert_eq!(
        request().send().await.unwrap().headers()["x-idempotency-lookup"],
        "hit"
    );
    assert_eq!(zendesk.tickets().len(), 1);
    let statuses: Vec<_> = zendesk
        .requests()
        .into_iter()
        .map(|line| (line.status, line.fault))
        .collect();
    assert_eq!(
        statuses,
        [
            (Some(200), None),
            (None, Some(FaultKind::CutAfter)),
            (Some(201), None)
        ]
    );
}

#[tokio::test]
async fn a_stall_answers_nothing_until_the_client_gives_up() {
    let zendesk = start(|_| {}).await;
    let session = Session::open(&zendesk).await;
    zendesk.plan([SinkFault::once(FaultKind::Stall).on(Route::CreateTicket)]);
    let request = session
        .request(Method::POST, "/api/v2/tickets")
        .json(&json!({"ticket": ticket()}));
    let error = request
        .timeout(Duration::from_millis(100))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(zendesk.tickets().len(), 0);
}
