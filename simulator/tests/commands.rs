//! The commands as a script uses them: the first lines, the last lines and the exit code.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handoff-simulator"));
        command
            .args(arguments)
            .arg("--json")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    async fn line(&mut self) -> Value {
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }

    async fn stop(mut self) -> (Value, Option<i32>) {
        drop(self.child.stdin.take());
        let mut last = Value::Null;
        while let Some(line) = self.lines.next_line().await.unwrap() {
            last = serde_json::from_str(&line).unwrap();
        }
        (last, self.child.wait().await.unwrap().code())
    }
}

#[tokio::test]
async fn a_recognizer_nobody_misused_exits_with_0() {
    let mut running = Running::start(&["recognizer"]);
    let listening = running.line().await;
    assert_eq!(
        (&listening["event"], &listening["service"]),
        (&json!("listening"), &json!("deepgram"))
    );
    assert_eq!(
        running.stop().await,
        (json!({"event": "stopped", "violations": []}), Some(0))
    );
}

#[tokio::test]
async fn a_misused_recognizer_names_the_violation_and_exits_with_1() {
    let mut running = Running::start(&["recognizer", "--api-key", "k"]);
    let url = running.line().await["url"].as_str().unwrap().to_owned();
    assert!(
        tokio_tungstenite::connect_async(format!("{url}/v1/listen"))
            .await
            .is_err()
    );
    assert_eq!(running.line().await["event"], "violation");
    let (stopped, code) = running.stop().await;
    let sentence = "connection 1: the Authorization header has no valid credentials";
    assert_eq!(
        (stopped, code),
        (
            json!({"event": "stopped", "violations": [sentence]}),
            Some(1)
        )
    );
}

#[tokio::test]
async fn sinks_tell_both_urls_and_every_request() {
    let mut running = Running::start(&["sinks", "--zendesk-fault", "token:429@7", "--show"]);
    let (zendesk, slack) = (running.line().await, running.line().await);
    assert_eq!(
        (&zendesk["service"], &slack["service"]),
        (&json!("zendesk"), &json!("slack"))
    );
    let url = format!("{}/oauth/tokens", zendesk["url"].as_str().unwrap());
    let limited = reqwest::Client::new().post(url).send().await.unwrap();
    assert_eq!(limited.headers()["retry-after"], "7");
    let request = running.line().await;
    assert_eq!(
        (&request["service"], &request["status"]),
        (&json!("zendesk"), &json!(429))
    );
    let webhook = slack["webhook_url"].as_str().unwrap();
    let posted = reqwest::Client::new()
        .post(webhook)
        .json(&json!({"text": "hello"}))
        .send()
        .await
        .unwrap();
    assert_eq!(posted.status(), 200);
    let (stopped, code) = running.stop().await;
    assert_eq!(
        (stopped, code),
        (json!({"event": "stopped", "violations": []}), Some(0))
    );
}

#[tokio::test]
async fn a_fault_that_cannot_be_read_is_a_usage_error_that_tells_the_grammar() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handoff-simulator"));
    let output = command
        .args(["sinks", "--slack-fault", "explode"])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("cut-after")
    );
}
