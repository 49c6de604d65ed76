//! Slack over real HTTP: messages, threads, metadata, files, the webhook and faults.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use handoff_simulator::sinks::slack::{Route, SlackOptions};
use handoff_simulator::sinks::{FaultKind, SinkFault, Slack};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

const CHANNEL: &str = "C0HANDOFF1";

async fn start() -> Slack {
    Slack::start(SlackOptions::default()).await.unwrap()
}

fn method(slack: &Slack, name: &str) -> RequestBuilder {
    Client::new()
        .post(format!("{}/api/{name}", slack.url()))
        .bearer_auth("xoxb-slack-test-token")
}

async fn call(slack: &Slack, name: &str, body: Value) -> Value {
    let response = method(slack, name).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn post(slack: &Slack, body: Value) -> String {
    let answer = call(slack, "chat.postMessage", body).await;
    assert_eq!(answer["ok"], true, "{answer}");
    answer["ts"].as_str().unwrap().to_owned()
}

fn card() -> Value {
    json!({"channel": CHANNEL, "text": "Caller needs a human",
    "metadata": {"event_type": "call_handoff", "event_payload": {"handoff_id": "ho_1"}},
    "blocks": [
        {"type": "header", "text": {"type": "plain_text", "text": "Caller needs a human"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*Summary*\nA &lt;!channel&gt; refund"}},
        {"type": "actions", "elements": [
            {"type": "button", "action_id": "take", "text": {"type": "plain_text", "text": "Take it"}, "value": "ho_1"}]},
    ]})
}

fn with(name: &str, value: Value) -> Value {
    let mut card = card();
    card[name] = value;
    card
}

fn assert_violation(slack: &Slack, beginning: &str) {
    let violations = slack.violations();
    assert!(
        violations
            .iter()
            .any(|sentence| sentence.starts_with(&format!("slack: {beginning}"))),
        "{beginning}: {violations:?}"
    );
}

#[tokio::test]
async fn a_card_is_posted_answered_in_its_thread_and_updated() {
    let slack = start().await;
    let root = post(&slack, card()).await;
    post(
        &slack,
        json!({"channel": "#handoffs", "text": "Transcript", "thread_ts": root}),
    )
    .await;
    let updated = call(
        &slack,
        "chat.update",
        json!({"channel": CHANNEL, "ts": root, "text": "Taken", "blocks": []}),
    )
    .await;
    assert_eq!(updated["ok"], true);

    let thread = slack
        .wait_for(Duration::from_secs(5), "the thread", |state| {
            let thread = state.thread(&root);
            (!thread.is_empty()).then(|| thread.into_iter().cloned().collect::<Vec<_>>())
        })
        .await
        .unwrap();
    assert_eq!((thread.len(), thread[0].text.as_str()), (1, "Transcript"));
    let messages = slack.messages();
    assert_eq!(
        (messages[0].text.as_str(), messages[0].updates),
        ("Taken", 1)
    );
    assert_eq!(slack.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn history_finds_the_metadata_of_what_was_posted() {
    let slack = start().await;
    let root = post(&slack, card()).await;
    post(
        &slack,
        json!({"channel": CHANNEL, "text": "reply", "thread_ts": root}),
    )
    .await;
    let url = format!("{}/api/conversations.history", slack.url());
    let ask = async |query: &str| -> Value {
        let request = Client::new()
            .get(format!("{url}?channel={CHANNEL}{query}"))
            .bearer_auth("xoxb-slack-test-token");
        request.send().await.unwrap().json().await.unwrap()
    };
    let all = ask("&include_all_metadata=true&limit=10&oldest=1").await;
    assert_eq!(all["messages"].as_array().unwrap().len(), 1);
    assert_eq!(
        all["messages"][0]["metadata"]["event_payload"]["handoff_id"],
        "ho_1"
    );
    assert!(ask("").await["messages"][0].get("metadata").is_none());
    assert_eq!(ask(&format!("&latest={}", 1)).await["messages"], json!([]));
    let replies = call(
        &slack,
        "conversations.replies",
        json!({"channel": CHANNEL, "ts": root}),
    )
    .await;
    assert_eq!(
        (
            &replies["messages"][0]["ts"],
            &replies["messages"][1]["text"]
        ),
        (&json!(root), &json!("reply"))
    );
    assert_eq!(slack.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn history_comes_in_pages_and_its_border_is_inclusive_only_on_request() {
    let slack = start().await;
    let mut posted = Vec::new();
    for text in ["first", "second", "third"] {
        posted.push(post(&slack, json!({"channel": CHANNEL, "text": text})).await);
    }
    let ask = async |more: Value| {
        let mut body = json!({"channel": CHANNEL, "limit": 2});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        call(&slack, "conversations.history", body).await
    };
    let page = ask(json!({})).await;
    assert_eq!(
        (&page["messages"][0]["text"], &page["has_more"]),
        (&json!("third"), &json!(true))
    );
    let rest = ask(json!({"cursor": page["response_metadata"]["next_cursor"]})).await;
    assert_eq!(
        (&rest["messages"][0]["text"], &rest["has_more"]),
        (&json!("first"), &json!(false))
    );
    assert_eq!(rest["response_metadata"]["next_cursor"], "");
    for (inclusive, count) in [(false, 1), (true, 2)] {
        let since = ask(json!({"oldest": posted[1], "inclusive": inclusive})).await;
        assert_eq!(since["messages"].as_array().unwrap().len(), count);
    }
    assert_eq!(slack.violations(), Vec::<String>::new());
    assert_eq!(
        ask(json!({"cursor": "made-up"})).await["error"],
        "invalid_cursor"
    );
    assert_violation(&slack, "a cursor was not given out");
}

#[tokio::test]
async fn failures_are_status_200_with_an_error() {
    let cases = [
        (
            "chat.postMessage",
            with("channel", json!("C9")),
            "channel_not_found",
            "a message is posted to a channel",
        ),
        (
            "chat.postMessage",
            with("thread_ts", json!("1.000001")),
            "thread_not_found",
            "thread_ts is not a message",
        ),
        (
            "chat.postMessage",
            json!({"channel": CHANNEL}),
            "no_text",
            "a message has neither text nor blocks",
        ),
        (
            "chat.postMessage",
            with("metadata", json!({"event_type": "x"})),
            "invalid_metadata_schema",
            "metadata has no event_type",
        ),
        (
            "chat.postMessage",
            with("blocks", json!([{"type": "section"}])),
            "invalid_blocks",
            "blocks[0].text and fields",
        ),
        (
            "chat.update",
            json!({"channel": CHANNEL, "ts": "1.000001", "text": "x"}),
            "message_not_found",
            "an update names a message",
        ),
        (
            "chat.update",
            json!({"channel": "#handoffs", "ts": "1.000001", "text": "x"}),
            "channel_not_found",
            "a message is updated in a channel",
        ),
        (
            "conversations.history",
            json!({"channel": "C9"}),
            "channel_not_found",
            "messages are read from a channel",
        ),
        (
            "conversations.replies",
            json!({"channel": CHANNEL, "ts": "1.000001"}),
            "thread_not_found",
            "ts is not a message",
        ),
        (
            "chat.remove",
            json!({}),
            "unknown_method",
            "there is no POST /api/chat.remove",
        ),
    ];
    for (name, body, error, sentence) in cases {
        let slack = start().await;
        let answer = call(&slack, name, body).await;
        assert_eq!(
            (&answer["ok"], &answer["error"]),
            (&json!(false), &json!(error)),
            "{name}"
        );
        assert_violation(&slack, sentence);
        assert_eq!(slack.messages(), []);
    }
}

#[tokio::test]
async fn blocks_that_are_too_long_together_are_refused_by_their_own_error() {
    let section =
        |length| json!({"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(length)}});
    let slack = start().await;
    post(&slack, with("blocks", json!(vec![section(2640); 5]))).await;
    assert_eq!(slack.violations(), Vec::<String>::new());
    let answer = call(
        &slack,
        "chat.postMessage",
        with("blocks", json!(vec![section(2641); 5])),
    )
    .await;
    assert_eq!(answer["error"], "msg_blocks_too_long");
    assert_violation(&slack, "the blocks come to 13205 characters");
}

#[tokio::test]
async fn a_fallback_text_is_needed_and_may_not_be_cut() {
    let slack = start().await;
    post(
        &slack,
        json!({"channel": CHANNEL, "text": "x".repeat(40_000)}),
    )
    .await;
    assert_eq!(slack.violations(), Vec::<String>::new());
    post(
        &slack,
        json!({"channel": CHANNEL, "text": "x".repeat(40_001)}),
    )
    .await;
    assert_violation(&slack, "a message's text is longer than 40000");
    post(&slack, with("text", json!(""))).await;
    assert_violation(&slack, "a message with blocks has no text");
}

#[tokio::test]
async fn markup_from_a_caller_must_be_escaped() {
    for text in ["a <!channel> b", "see <https://evil.example|refund>"] {
        let slack = start().await;
        post(&slack, json!({"channel": CHANNEL, "text": text})).await;
        assert_violation(&slack, "markup text contains <");
        let slack = start().await;
        let section = json!([{"type": "section", "text": {"type": "mrkdwn", "text": text}}]);
        post(&slack, with("blocks", section)).await;
        assert_violation(&slack, "markup text contains <");
        let slack = start().await;
        let plain = json!([{"type": "section", "text": {"type": "plain_text", "text": text}}]);
        post(&slack, with("blocks", plain)).await;
        assert_eq!(slack.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_token_is_checked() {
    let slack = start().await;
    let url = format!("{}/api/auth.test", slack.url());
    let ok: Value = method(&slack, "auth.test")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!((&ok["ok"], slack.violations().len()), (&json!(true), 0));
    let none: Value = Client::new()
        .post(&url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(none["error"], "not_authed");
    assert_violation(&slack, "the request has no Bearer token");
    let wrong: Value = Client::new()
        .post(&url)
        .bearer_auth("xoxb-x")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(wrong["error"], "invalid_auth");
    assert_violation(&slack, "the Bearer token is not the bot's");
}

/// Announces a file of five bytes and returns its id and upload URL.
async fn announce(slack: &Slack) -> (String, String) {
    let form = [("filename", "transcript.txt"), ("length", "5")];
    let answer: Value = method(slack, "files.getUploadURLExternal")
        .form(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    (
        answer["file_id"].as_str().unwrap().to_owned(),
        answer["upload_url"].as_str().unwrap().to_owned(),
    )
}

async fn complete(slack: &Slack, id: &str, more: &[(&str, &str)]) -> Value {
    let files = json!([{"id": id, "title": "transcript.txt"}]).to_string();
    let mut form = vec![("files", files.as_str())];
    form.extend(more);
    method(slack, "files.completeUploadExternal")
        .form(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_file_goes_through_its_three_steps_into_a_thread() {
    let slack = start().await;
    let root = post(&slack, card()).await;
    let (id, url) = announce(&slack).await;
    assert_eq!(
        Client::new()
            .post(&url)
            .body("hello")
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let answer = complete(
        &slack,
        &id,
        &[("channel_id", CHANNEL), ("thread_ts", &root)],
    )
    .await;
    assert_eq!(answer["ok"], true, "{answer}");
    let file = &slack.files()[0];
    assert_eq!(
        (file.bytes.as_deref(), file.channel.as_deref()),
        (Some(b"hello".as_slice()), Some(CHANNEL))
    );
    assert_eq!(file.thread_ts.as_deref(), Some(root.as_str()));
    let replies = call(
        &slack,
        "conversations.replies",
        json!({"channel": CHANNEL, "ts": root}),
    )
    .await;
    assert_eq!(replies["messages"][1]["files"], json!([{"id": id}]));
    assert_eq!(slack.violations(), Vec::<String>::new());

    let again = complete(&slack, &id, &[("channel_id", CHANNEL)]).await;
    assert_eq!(again["error"], "file_not_found");
}

#[tokio::test]
async fn a_file_that_breaks_a_step_is_refused() {
    let slack = start().await;
    let bad = method(&slack, "files.getUploadURLExternal")
        .form(&[("filename", "a.txt")])
        .send()
        .await
        .unwrap();
    assert_eq!(
        bad.json::<Value>().await.unwrap()["error"],
        "invalid_arguments"
    );
    assert_violation(&slack, "an upload is announced without filename or length");

    let (id, url) = announce(&slack).await;
    assert_eq!(
        complete(&slack, &id, &[("channel_id", CHANNEL)]).await["error"],
        "file_not_found"
    );
    assert_violation(&slack, "an upload is completed whose bytes were not sent");
    assert_eq!(
        Client::new()
            .post(&url)
            .body("four")
            .send()
            .await
            .unwrap()
            .status(),
        400
    );
    assert_violation(&slack, "a file is not as long as it was announced");
    assert_eq!(
        Client::new()
            .post(format!("{url}9"))
            .body("hello")
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
    assert_violation(
        &slack,
        "a file is sent to an upload URL that was not given out",
    );
    Client::new().post(&url).body("hello").send().await.unwrap();
    assert_eq!(complete(&slack, &id, &[]).await["ok"], false);
    assert_violation(&slack, "an upload is completed without channel_id");
    let lost = complete(
        &slack,
        &id,
        &[("channel_id", CHANNEL), ("thread_ts", "1.000001")],
    )
    .await;
    assert_eq!(lost["error"], "thread_not_found");
}

#[tokio::test]
async fn the_webhook_answers_ok_and_refuses_what_it_does_not_know() {
    let slack = start().await;
    let http = Client::new();
    let hook = |url: String, body: Value| http.post(url).json(&body).send();
    let ok = hook(slack.webhook_url(), json!({"text": "hello"}))
        .await
        .unwrap();
    assert_eq!(
        (ok.status().as_u16(), ok.text().await.unwrap().as_str()),
        (200, "ok")
    );
    assert!(slack.messages()[0].by_webhook);
    assert_eq!(slack.violations(), Vec::<String>::new());

    let unknown = hook(
        format!("{}/services/T/B/X", slack.url()),
        json!({"text": "hello"}),
    )
    .await
    .unwrap();
    assert_eq!(
        (
            unknown.status().as_u16(),
            unknown.text().await.unwrap().as_str()
        ),
        (404, "no_service")
    );
    assert_violation(&slack, "the webhook URL is not the one");
    assert!(
        slack
            .requests()
            .iter()
            .all(|line| !line.path.contains("secret"))
    );
    let empty = hook(slack.webhook_url(), json!({})).await.unwrap();
    assert_eq!(
        (
            empty.status().as_u16(),
            empty.text().await.unwrap().as_str()
        ),
        (400, "invalid_payload")
    );
    hook(
        slack.webhook_url(),
        json!({"text": "x", "thread_ts": "1.000001"}),
    )
    .await
    .unwrap();
    assert_violation(&slack, "the webhook is given thread_ts");
    let broken = http
        .post(slack.webhook_url())
        .body("{")
        .send()
        .await
        .unwrap();
    assert_eq!(broken.status().as_u16(), 400);
    assert_violation(&slack, "the webhook's body is not a JSON object");
}

#[tokio::test]
async fn faults_happen_by_plan_and_once() {
    let slack = start().await;
    slack.plan([
        SinkFault::once(FaultKind::TooManyRequests {
            retry_after: Some(3),
        })
        .on(Route::PostMessage),
        SinkFault::once(FaultKind::ServerError).on(Route::PostMessage),
        SinkFault::once(FaultKind::Expired).on(Route::PostMessage),
        SinkFault::once(FaultKind::CutBefore).on(Route::PostMessage),
        SinkFault::once(FaultKind::Stall).on(Route::PostMessage),
    ]);
    let send = || {
        method(&slack, "chat.postMessage")
            .json(&card())
            .timeout(Duration::from_millis(200))
            .send()
    };
    let limited = send().await.unwrap();
    assert_eq!(
        (limited.status().as_u16(), &limited.headers()["retry-after"]),
        (429, &"3".parse().unwrap())
    );
    assert_eq!(send().await.unwrap().status().as_u16(), 500);
    assert_eq!(
        send().await.unwrap().json::<Value>().await.unwrap()["error"],
        "token_expired"
    );
    assert!(!send().await.unwrap_err().is_timeout());
    assert!(send().await.unwrap_err().is_timeout());
    assert_eq!(slack.messages(), []);
    assert_eq!(send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_message_to_be_found_in_the_history() {
    let slack = start().await;
    slack.plan([SinkFault::once(FaultKind::CutAfter).on(Route::PostMessage)]);
    assert!(
        method(&slack, "chat.postMessage")
            .json(&card())
            .send()
            .await
            .is_err()
    );
    let found = call(
        &slack,
        "conversations.history",
        json!({"channel": CHANNEL, "include_all_metadata": true}),
    )
    .await;
    assert_eq!(
        found["messages"][0]["metadata"]["event_payload"]["handoff_id"],
        "ho_1"
    );
}
