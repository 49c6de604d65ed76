use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_core::call::Party;
use handoff_core::id::{CallId, Carrier, HandoffId};
use handoff_core::pii::Pii;
use handoff_core::route::{Metrics, PassedOver, TargetName};
use handoff_core::time::WallTime;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use super::*;
use crate::config::{self, Environment, Figure};
use crate::egress::{Egress, EgressOptions};
use crate::journal::Journal;
use crate::journal::testing::{NEW_YEAR, TestDir, after, call_id, handoff_id};

const SECRET: &str = "whsec_YnJpZGdlLWhhbmRvZmYtdGVzdC1rZXktMzJieXRlcyE=";
const KEY: &[u8] = b"bridge-handoff-test-key-32bytes!";

/// Two offices of one company, and a queue that only Twilio has.
const OFFICES: &str = r#"
[[target]]
name = "london"
number = "+15550100042"
skills = ["billing"]
hours = "Mo-Fr 09:00-17:30; Su 01:00-02:00"
closed = ["2026-12-25"]
time_zone = "Europe/London"
handle_seconds = 240

[[target]]
name = "new-york"
number = "+15550100043"
skills = ["billing"]
hours = "Mo-Fr 09:00-17:30; Su 01:00-03:00"
time_zone = "America/New_York"

[[target]]
name = "line"
kind = "queue"
queue = "support"

[[route]]
name = "billing"
when = "'billing' in call.topics"
skills = ["billing"]
order = "lowest_handle_time"
"#;

async fn open(dir: &TestDir, file: &str) -> Targets {
    let path = dir.path().join("handoff.toml");
    std::fs::write(&path, file).unwrap();
    let variable = |name: &str| {
        let value = match name {
            "HANDOFF_PUBLIC_URL" => "https://handoff.example.com",
            "VOICE_AGENT_URL" => "https://bot.example.com",
            "TWILIO_ACCOUNT_SID" => "AC00000000000000000000000000000001",
            "TWILIO_AUTH_TOKEN" | "PLIVO_AUTH_TOKEN" => "token",
            "PLIVO_AUTH_ID" => "MA0000000000000000000001",
            "HANDOFF_ROUTE_SECRET" => SECRET,
            _ => return None,
        };
        Some(value.to_owned())
    };
    let loaded = config::load(Some(&path), &Environment(&variable)).unwrap();
    let journal = Journal::open(&dir.journal()).unwrap();
    let egress = Egress::new(EgressOptions::default()).unwrap();
    let config = loaded.config;
    Targets::open(&config.targets, config.routing, journal, egress)
        .await
        .unwrap()
}

fn name(text: &str) -> TargetName {
    TargetName::parse(text).unwrap()
}

fn at(utc: &str) -> WallTime {
    let at: jiff::Timestamp = utc.parse().unwrap();
    WallTime(u64::try_from(at.as_millisecond()).unwrap())
}

/// A Tuesday, 12:00 in London and 07:00 in New York.
fn noon() -> WallTime {
    at("2026-01-13T12:00:00Z")
}

fn live(available: bool, handle_seconds: Option<f64>) -> Live {
    let metrics = Metrics {
        handle_seconds,
        ..Metrics::default()
    };
    Live::new(available, metrics).unwrap()
}

fn open_at(targets: &Targets, now: WallTime) -> Vec<String> {
    let shown = targets.shown(now).into_iter();
    let open = shown.filter(|target| target.is_open);
    open.map(|target| target.name.to_string()).collect()
}

#[tokio::test]
async fn an_hour_that_is_skipped_is_no_hour_and_one_that_comes_twice_is_two() {
    let dir = TestDir::new();
    let targets = open(&dir, OFFICES).await;
    for (utc, open) in [
        // London's clock goes from 00:59 to 02:00.
        ("2026-03-29T00:59:59Z", &["line"][..]),
        ("2026-03-29T01:00:00Z", &["line"]),
        // It shows 01:00 to 02:00 twice.
        ("2026-10-24T23:59:59Z", &["line"]),
        ("2026-10-25T00:00:00Z", &["london", "line"]),
        ("2026-10-25T00:59:59Z", &["london", "line"]),
        ("2026-10-25T01:00:00Z", &["london", "line"]),
        ("2026-10-25T01:59:59Z", &["london", "line"]),
        ("2026-10-25T02:00:00Z", &["line"]),
        // New York's clock goes from 01:59 to 03:00, when it closes.
        ("2026-03-08T05:59:59Z", &["line"]),
        ("2026-03-08T06:00:00Z", &["new-york", "line"]),
        ("2026-03-08T06:59:59Z", &["new-york", "line"]),
        ("2026-03-08T07:00:00Z", &["line"]),
        // It shows 01:00 to 02:00 twice, so that two hours on it are three.
        ("2026-11-01T05:00:00Z", &["new-york", "line"]),
        ("2026-11-01T06:59:59Z", &["new-york", "line"]),
        ("2026-11-01T07:59:59Z", &["new-york", "line"]),
        ("2026-11-01T08:00:00Z", &["line"]),
        // The Monday after, London opens an hour earlier than the Friday before, by UTC.
        ("2026-03-27T08:59:59Z", &["line"]),
        ("2026-03-30T08:00:00Z", &["london", "line"]),
        // Christmas is a Friday, and New York is not closed.
        ("2026-12-25T15:00:00Z", &["new-york", "line"]),
    ] {
        assert_eq!(open_at(&targets, at(utc)), open, "{utc}");
    }
}

#[tokio::test]
async fn what_was_told_holds_also_after_a_restart() {
    let dir = TestDir::new();
    let told = NEW_YEAR;
    {
        let targets = open(&dir, OFFICES).await;
        assert_eq!(targets.shown(noon())[0].metrics.handle_seconds, Some(240.0));
        targets
            .set(&name("london"), live(true, Some(60.0)), told)
            .await
            .unwrap();
        targets
            .set(&name("line"), live(false, None), told)
            .await
            .unwrap();
        targets.journal().clone().close().await;
    }
    let targets = open(&dir, OFFICES).await;
    let shown = targets.shown(noon());
    assert_eq!(shown[0].metrics.handle_seconds, Some(60.0));
    assert_eq!(shown[0].told, Some(told));
    let available: Vec<bool> = shown.iter().map(|target| target.is_available).collect();
    assert_eq!(available, [true, true, false]);

    // A clock that was set back does not make what is told now the older.
    let earlier = WallTime(told.0 - 3_600_000);
    targets
        .set(&name("line"), live(true, None), earlier)
        .await
        .unwrap();
    targets.journal().clone().close().await;
    let targets = open(&dir, OFFICES).await;
    assert!(targets.shown(noon())[2].is_available);
}

#[tokio::test]
async fn what_cannot_be_written_down_does_not_hold() {
    let dir = TestDir::new();
    let targets = open(&dir, OFFICES).await;
    let nobody = targets.set(&name("sales"), live(false, None), noon()).await;
    assert!(matches!(nobody, Err(SetError::NoSuchTarget)), "{nobody:?}");

    dir.meddle(
        "CREATE TRIGGER refuse BEFORE INSERT ON targets BEGIN SELECT RAISE(ABORT, 'refused'); END",
    );
    let refused = targets
        .set(&name("london"), live(false, None), noon())
        .await;
    assert!(matches!(refused, Err(SetError::Journal(_))), "{refused:?}");
    assert!(targets.shown(noon())[0].is_available);
}

#[tokio::test]
async fn of_many_at_once_memory_and_journal_keep_the_same() {
    let dir = TestDir::new();
    let targets = Arc::new(open(&dir, OFFICES).await);
    let mut tellers = tokio::task::JoinSet::new();
    for seconds in 0..50_u8 {
        let targets = Arc::clone(&targets);
        tellers.spawn(async move {
            let told = live(true, Some(f64::from(seconds)));
            targets.set(&name("london"), told, NEW_YEAR).await
        });
    }
    while let Some(told) = tellers.join_next().await {
        told.unwrap().unwrap();
    }
    let held = targets.shown(noon())[0].metrics.handle_seconds;
    let written = targets.journal().targets().await.unwrap();
    assert_eq!(written[0].1.metrics.handle_seconds, held);
    assert_eq!(written[0].1.told, after(49));
}

#[test]
fn figures_that_cannot_be_are_refused() {
    let of = |handle_seconds, csat, wait_seconds| Metrics {
        handle_seconds,
        csat,
        wait_seconds,
    };
    for (metrics, figure) in [
        (of(Some(-1.0), None, None), Figure::HandleSeconds),
        (of(Some(86_401.0), None, None), Figure::HandleSeconds),
        (of(None, Some(f64::NAN), None), Figure::Csat),
        (of(None, Some(100.5), None), Figure::Csat),
        (of(None, None, Some(f64::INFINITY)), Figure::WaitSeconds),
    ] {
        let refused = Live::new(true, metrics).unwrap_err();
        assert_eq!(refused.0, figure);
    }
    assert!(Live::new(true, of(Some(0.0), Some(100.0), Some(86_400.0))).is_ok());
}

/// A call whose targets are to be chosen.
struct Asked {
    handoff: HandoffId,
    call: CallId,
    caller: Party,
    called: Party,
    signals: Vec<(String, String)>,
}

impl Asked {
    fn new() -> Self {
        let known = |number: &str| Party::Known(Pii::new(number.to_owned()));
        Self {
            handoff: handoff_id(1),
            call: call_id(1),
            caller: known("+15550100001"),
            called: known("+15550100002"),
            signals: vec![("call.topics".to_owned(), "billing".to_owned())],
        }
    }

    fn question<'a>(&'a self, carrier: Carrier, route: Option<&'a str>) -> Question<'a> {
        Question {
            handoff: &self.handoff,
            call: &self.call,
            carrier,
            caller: &self.caller,
            called: &self.called,
            route,
            signals: &self.signals,
            now: noon(),
        }
    }
}

#[tokio::test]
async fn a_route_that_asks_nobody_goes_by_hours_figures_and_carrier() {
    let dir = TestDir::new();
    let targets = open(&dir, OFFICES).await;
    let asked = Asked::new();
    let chosen = |carrier, route| {
        let (targets, question) = (&targets, asked.question(carrier, route));
        async move {
            let chosen = targets.choose(&question).await;
            assert_eq!(chosen.asked, None);
            chosen.plan
        }
    };
    let plan = chosen(Carrier::Twilio, Some("billing")).await;
    assert_eq!(plan.targets, [name("london")]);
    let plan = chosen(Carrier::Twilio, None).await;
    assert_eq!(plan.targets, [name("london"), name("line")]);
    assert_eq!(plan.passed_over, [(name("new-york"), PassedOver::Closed)]);
    let plan = chosen(Carrier::Plivo, None).await;
    assert_eq!(plan.targets, [name("london")]);
    let queue = (name("line"), PassedOver::Unavailable);
    assert!(plan.passed_over.contains(&queue), "{plan:?}");

    let evening = Question {
        now: at("2026-01-13T16:00:00Z"),
        ..asked.question(Carrier::Twilio, Some("billing"))
    };
    let quick = live(true, Some(30.0));
    targets.set(&name("new-york"), quick, noon()).await.unwrap();
    let plan = targets.choose(&evening).await.plan;
    assert_eq!(plan.targets, [name("new-york"), name("london")]);
}

/// What the stand-in was sent.
type Requests = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// Somebody who gives orders, at a path for each manner.
async fn adviser() -> (String, Requests) {
    let requests = Requests::default();
    let answer = |status: u16, body: &'static str| {
        let requests = Arc::clone(&requests);
        post(move |headers: HeaderMap, sent: Bytes| async move {
            requests.lock().unwrap().push((headers, sent));
            let status = StatusCode::from_u16(status).unwrap();
            (status, body)
        })
    };
    let elsewhere = || async {
        let answer = Response::builder().status(307);
        answer
            .header("location", "/good")
            .body(Body::empty())
            .unwrap()
    };
    let router = Router::new()
        .route(
            "/good",
            answer(
                200,
                r#"{"targets": ["line", "london", "line"], "why": "quiet"}"#,
            ),
        )
        .route(
            "/some",
            answer(200, r#"{"targets": ["+15550100099", "New York", "line"]}"#),
        )
        .route(
            "/unknown",
            answer(200, r#"{"targets": ["sales", "nobody"]}"#),
        )
        .route("/closed", answer(200, r#"{"targets": ["new-york"]}"#))
        .route("/none", answer(200, r#"{"targets": []}"#))
        .route("/broken", answer(500, r#"{"targets": ["line"]}"#))
        .route("/empty", answer(204, ""))
        .route("/html", answer(200, "<html>"))
        .route("/shape", answer(200, r#"{"targets": "line"}"#))
        .route("/numbers", answer(200, r#"{"targets": [1, 2]}"#))
        .route("/elsewhere", post(elsewhere))
        .route("/never", post(std::future::pending::<()>));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (base, requests)
}

fn asking(url: &str, more: &str) -> String {
    format!("{OFFICES}ask = \"{url}\"\n{more}")
}

#[tokio::test]
async fn an_order_that_was_given_is_followed_and_any_other_answer_costs_only_the_order() {
    let (base, requests) = adviser().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let asked = Asked::new();
    for (url, outcome, order) in [
        (format!("{base}/good"), Ok(()), &["line", "london"][..]),
        (format!("{base}/some"), Ok(()), &["line"]),
        (
            format!("{base}/unknown"),
            Err(NotFollowed::NobodyAvailable),
            &["london"],
        ),
        (
            format!("{base}/closed"),
            Err(NotFollowed::NobodyAvailable),
            &["london"],
        ),
        (
            format!("{base}/none"),
            Err(NotFollowed::NobodyAvailable),
            &["london"],
        ),
        (
            format!("{base}/broken"),
            Err(NotFollowed::Status(500)),
            &["london"],
        ),
        (
            format!("{base}/empty"),
            Err(NotFollowed::Status(204)),
            &["london"],
        ),
        (
            format!("{base}/elsewhere"),
            Err(NotFollowed::Status(307)),
            &["london"],
        ),
        (
            format!("{base}/html"),
            Err(NotFollowed::Unreadable),
            &["london"],
        ),
        (
            format!("{base}/shape"),
            Err(NotFollowed::Unreadable),
            &["london"],
        ),
        (
            format!("{base}/numbers"),
            Err(NotFollowed::Unreadable),
            &["london"],
        ),
        (
            format!("{base}/never"),
            Err(NotFollowed::TooLate),
            &["london"],
        ),
        (nobody, Err(NotFollowed::NotReached), &["london"]),
    ] {
        let dir = TestDir::new();
        let targets = open(&dir, &asking(&url, "")).await;
        let question = asked.question(Carrier::Twilio, Some("billing"));
        let chosen = targets.choose(&question).await;
        assert_eq!(chosen.asked, Some(outcome), "{url}");
        let names: Vec<&str> = chosen.plan.targets.iter().map(TargetName::as_str).collect();
        assert_eq!(names, order, "{url}");
        assert_eq!(chosen.plan.route.as_deref(), Some("billing"), "{url}");

        let before = requests.lock().unwrap().len();
        let other = targets.choose(&asked.question(Carrier::Twilio, None)).await;
        assert_eq!(
            other.asked, None,
            "asked for a call that is not the route's"
        );
        assert_eq!(requests.lock().unwrap().len(), before);
    }
}

#[tokio::test]
async fn a_question_is_signed_and_says_who_could_be_rung() {
    let (base, requests) = adviser().await;
    let dir = TestDir::new();
    let targets = open(&dir, &asking(&format!("{base}/good"), "")).await;
    let told = live(false, Some(12.5));
    targets
        .set(&name("new-york"), told, NEW_YEAR)
        .await
        .unwrap();
    let asked = Asked::new();
    let question = asked.question(Carrier::Twilio, Some("billing"));
    targets.choose(&question).await;

    let (headers, body) = requests.lock().unwrap().remove(0);
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (id, sent) = (text("webhook-id"), text("webhook-timestamp"));
    assert_eq!(id, asked.handoff.as_str());
    assert_eq!(sent, (noon().0 / 1_000).to_string());
    let signed = [format!("{id}.{sent}.").as_bytes(), &body[..]].concat();
    let signature = STANDARD.encode(hmac_by_hand(KEY, &signed));
    assert_eq!(text("webhook-signature"), format!("v1,{signature}"));
    assert_eq!(text("content-type"), "application/json");

    let told: Value = serde_json::from_slice(&body).unwrap();
    let expected = json!({
        "type": "handoff.route",
        "timestamp": "2026-01-13T12:00:00Z",
        "data": {
            "handoff": asked.handoff.as_str(),
            "call": asked.call.as_str(),
            "carrier": "twilio",
            "route": "billing",
            "order": "lowest_handle_time",
            "targets": [
                {
                    "name": "london", "kind": "number", "skills": ["billing"], "open": true,
                    "available": true, "handle_seconds": 240.0, "csat": null, "wait_seconds": null,
                },
                {
                    "name": "new-york", "kind": "number", "skills": ["billing"], "open": false,
                    "available": false, "handle_seconds": 12.5, "csat": null, "wait_seconds": null,
                },
            ],
            "signals": { "call.topics": "billing" },
        },
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn numbers_are_told_only_where_the_configuration_says_so() {
    let (base, requests) = adviser().await;
    let url = format!("{base}/good");
    for (more, caller) in [
        ("", Value::Null),
        ("ask_with_caller = false", Value::Null),
        ("ask_with_caller = true", json!("+15550100001")),
    ] {
        let dir = TestDir::new();
        let targets = open(&dir, &asking(&url, more)).await;
        let asked = Asked::new();
        let question = asked.question(Carrier::Twilio, Some("billing"));
        targets.choose(&question).await;
        let (_, body) = requests.lock().unwrap().remove(0);
        let told: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(told["data"]["caller"], caller, "{more}");
        let shows = String::from_utf8_lossy(&body).contains("+1555");
        assert_eq!(shows, !caller.is_null(), "{more}");

        // Who hides their number has none to tell.
        let hidden = Question {
            caller: &Party::Withheld,
            ..question
        };
        targets.choose(&hidden).await;
        let (_, body) = requests.lock().unwrap().remove(0);
        let told: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(told["data"]["caller"], Value::Null, "{more}");
    }
}

/// What is logged on this thread, until dropped.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_order_that_is_not_followed_is_counted_and_told_in_one_line() {
    let (base, _) = adviser().await;
    for (path, result, words) in [
        ("good", "followed", None),
        ("broken", "status", Some("answered with status 500")),
        ("html", "unreadable", Some("the answer is not")),
        ("never", "too_late", Some("no whole answer within 800ms")),
        ("closed", "nobody_available", Some("nobody that it names")),
        ("some", "followed", Some("unknown=2")),
    ] {
        let dir = TestDir::new();
        let targets = open(&dir, &asking(&format!("{base}/{path}"), "")).await;
        let asked = Asked::new();
        let question = asked.question(Carrier::Twilio, Some("billing"));
        let log = Log::default();
        let writer = log.clone();
        let told = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::WARN)
            .with_writer(move || writer.clone())
            .finish();
        let recorder = PrometheusBuilder::new().build_recorder();
        {
            let _log = tracing::subscriber::set_default(told);
            let _metrics = ::metrics::set_default_local_recorder(&recorder);
            targets.choose(&question).await;
        }
        let counted = recorder.handle().render();
        let line = format!("{}{{result=\"{result}\"}} 1", super::metrics::QUESTIONS);
        assert!(counted.contains(&line), "{path}: {counted}");
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(log.lines().count(), words.iter().count(), "{path}: {log}");
        assert!(
            words.is_none_or(|words| log.contains(words)),
            "{path}: {log}"
        );
        assert!(!log.contains("+1555") && !log.contains("New York"), "{log}");
    }
}

/// HMAC of RFC 2104, as it is written there.
fn hmac_by_hand(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |with: u8| -> Vec<u8> {
        let padded = key.iter().copied().chain(std::iter::repeat(0));
        padded.take(64).map(|byte| byte ^ with).collect()
    };
    let inner = Sha256::digest([&pad(0x36), message].concat());
    Sha256::digest([&pad(0x5c)[..], &inner].concat()).to_vec()
}
