//! Whom a call goes to: routes, skills, hours, what was told of targets, and a URL that is asked.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_core::call::{Disposition, Fact};
use handoff_simulator::carrier::twilio::PlacedCall;
use handoff_simulator::carrier::{CarrierEvent, Human};
use hmac::{Hmac, Mac as _};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

use super::stage::{Books, Setup, Stage, TARGET, bridged, count, rings};
use super::story::only_ticket;

const ANN: &str = "+15550100071";
const BOB: &str = "+15550100072";
const SECRET: &str = "YnJpZGdlLWhhbmRvZmYtdGVzdC1rZXktMzJieXRlcyE=";

/// Three telephones: `default`, `ann` and `bob`.
fn three(mut setup: Setup, ann: &str, bob: &str, routes: &str) -> Setup {
    setup.config = format!(
        "[[target]]\nname = \"ann\"\nnumber = \"{ANN}\"\n{ann}\n\
         [[target]]\nname = \"bob\"\nnumber = \"{BOB}\"\n{bob}\n{routes}"
    );
    setup
}

fn route(name: &str, settings: &str) -> String {
    format!("[[route]]\nname = \"{name}\"\n{settings}\n")
}

/// A call that was played to its end.
struct Played {
    call: PlacedCall,
    /// What the API tells of it.
    told: Vec<(String, String)>,
    /// The last note of its ticket.
    note: String,
    books: Books,
}

impl Played {
    async fn on(stage: Stage) -> Self {
        let call = stage.dial();
        let id = stage.live_call().await;
        stage.ended(&call).await;
        stage.idle().await;
        stage.undelivered(0).await;
        let told = stage.told(&id).await;
        let note = only_ticket(&stage)
            .comments
            .last()
            .expect("a note")
            .body
            .as_str()
            .to_owned();
        Self {
            call,
            told,
            note,
            books: stage.finish().await,
        }
    }

    /// The one line about the choice.
    fn route(&self) -> &str {
        let lines: Vec<_> = (self.told.iter())
            .filter(|(kind, _)| kind == "route")
            .map(|(_, detail)| detail.as_str())
            .collect();
        let [line] = lines.as_slice() else {
            panic!("{:#?}", self.told);
        };
        line
    }

    /// Whose phones were called, in order.
    fn called(&self) -> Vec<String> {
        let called = self
            .call
            .events()
            .into_iter()
            .filter_map(|event| match event {
                CarrierEvent::LegInitiated { to, .. } => {
                    Some(format!("+{}", to.trim_start_matches('+')))
                }
                _ => None,
            });
        called.collect()
    }

    async fn disposition(&self) -> Disposition {
        self.books.disposition(self.call.call_sid()).await
    }
}

#[tokio::test]
async fn the_first_route_that_is_meant_for_a_call_picks_its_targets() {
    let routes = [
        route(
            "angry",
            "when = \"caller.sentiment <= -0.9\"\ntargets = [\"ann\"]",
        ),
        route(
            "asked",
            "when = \"caller.asks_for_human >= 0.6\"\ntargets = [\"bob\"]",
        ),
        route("rest", "when = \"true\"\ntargets = [\"ann\"]"),
    ]
    .concat();
    let setup = three(Setup::of("asks-for-human"), "", "", &routes);
    let played = Played::on(Stage::set(setup).await).await;
    assert_eq!(played.route(), "asked: bob");
    assert_eq!(played.called(), [BOB]);
    assert_eq!(played.disposition().await, Disposition::Bridged);
    assert!(played.note.contains("Route: asked"), "{}", played.note);
}

#[tokio::test]
async fn a_call_that_no_route_is_meant_for_goes_to_the_default_first() {
    let routes = route("never", "when = \"false\"\ntargets = [\"ann\"]");
    let setup = three(Setup::at_plivo("asks-for-human"), "", "", &routes);
    let played = Played::on(Stage::set(setup).await).await;
    assert_eq!(played.route(), "default, then ann, then bob");
    assert_eq!(played.called(), [TARGET]);
}

#[tokio::test]
async fn a_route_asks_for_skills() {
    let routes = route("billing", "when = \"true\"\nskills = [\"billing\"]");
    let setup = three(
        Setup::of("asks-for-human"),
        "skills = [\"sales\"]",
        "skills = [\"sales\", \"billing\"]",
        &routes,
    );
    let played = Played::on(Stage::set(setup).await).await;
    let expected =
        "billing: bob; not default, lacks the skill billing; not ann, lacks the skill billing";
    assert_eq!(played.route(), expected);
    assert_eq!(played.called(), [BOB]);
}

/// Every order, by figures that are told while the server runs and say the opposite of the configuration.
#[tokio::test]
async fn what_is_told_of_targets_gives_the_order() {
    for (order, figure, ann, bob) in [
        ("lowest_handle_time", "handle_seconds", 300, 100),
        ("highest_csat", "csat", 2, 5),
        ("shortest_wait", "wait_seconds", 60, 0),
    ] {
        let routes = route(
            "all",
            &format!("when = \"true\"\ntargets = [\"ann\", \"bob\"]\norder = \"{order}\""),
        );
        let setup = three(
            Setup::of("asks-for-human"),
            &format!("{figure} = {bob}"),
            &format!("{figure} = {ann}"),
            &routes,
        );
        let stage = Stage::set(setup).await;
        tell(&stage, "ann", json!({"available": true, figure: ann})).await;
        tell(&stage, "bob", json!({"available": true, figure: bob})).await;
        let played = Played::on(stage).await;
        assert_eq!(played.route(), "all: bob, then ann", "{order}");
        assert_eq!(played.called(), [BOB], "{order}");
    }
}

async fn tell(stage: &Stage, target: &str, how: Value) {
    let path = format!("/api/targets/{target}");
    let (status, answer) = stage.api(Method::PUT, &path, &how.to_string()).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
}

#[tokio::test]
async fn a_target_that_is_closed_or_unavailable_is_passed_over() {
    let hours = "hours = \"off\"\ntime_zone = \"Europe/London\"";
    let routes = route(
        "all",
        "when = \"true\"\ntargets = [\"ann\", \"bob\", \"default\"]",
    );
    for setup in [
        Setup::of("asks-for-human"),
        Setup::at_plivo("asks-for-human"),
    ] {
        let stage = Stage::set(three(setup, hours, "", &routes)).await;
        tell(&stage, "bob", json!({"available": false})).await;
        let played = Played::on(stage).await;
        assert_eq!(
            played.route(),
            "all: default; not ann, closed; not bob, unavailable"
        );
        assert_eq!(played.called(), [TARGET]);
        assert_eq!(played.disposition().await, Disposition::Bridged);
    }
}

#[tokio::test]
async fn where_nobody_is_there_the_caller_is_promised_a_call() {
    let off = "hours = \"off\"\ntime_zone = \"UTC\"";
    let routes = route("all", "when = \"true\"\ntargets = [\"ann\", \"bob\"]");
    for setup in [
        Setup::of("asks-for-human"),
        Setup::at_plivo("asks-for-human"),
    ] {
        let played = Played::on(Stage::set(three(setup, off, off, &routes)).await).await;
        let expected = "all: nobody to try; not ann, closed; not bob, closed";
        assert_eq!(played.route(), expected);
        assert_eq!(played.called(), Vec::<String>::new());
        assert_eq!(played.disposition().await, Disposition::NobodyAvailable);
        let promised = "The caller was told that somebody calls back.";
        assert!(played.note.contains(promised), "{}", played.note);
    }
}

/// The times of a ticket count from the decision, in seconds.
#[tokio::test]
async fn the_ticket_says_who_was_tried_and_when() {
    let routes = route("all", "when = \"true\"\ntargets = [\"ann\", \"bob\"]");
    for mut setup in [
        Setup::of("asks-for-human"),
        Setup::at_plivo("asks-for-human"),
    ] {
        setup.carrier.humans.insert(ANN.to_owned(), Human::Busy);
        if let Some(plivo) = &mut setup.plivo {
            plivo.humans.insert(ANN[1..].to_owned(), Human::Busy);
        }
        let at_plivo = setup.plivo.is_some();
        let stage = Stage::set(three(setup, "", "", &routes)).await;
        let played = Played::on(stage).await;
        assert_eq!(played.called(), [ANN, BOB]);
        assert_eq!(count(&played.call, bridged), 1);
        let note = &played.note;
        assert!(note.contains("Who was tried"), "{note}");
        assert!(note.contains("ann: busy"), "{note}");
        let (_, bob) = note.split_once("bob: ").expect("the second");
        let (bob, _) = bob.split_once('<').expect("the end of a line");
        let stages: Vec<_> = bob.split(", ").collect();
        // Plivo tells of no ringing.
        let rang = (!at_plivo).then_some("rang after");
        let told = ["answered after", "taken after"];
        for (stage, wanted) in stages.iter().zip(rang.into_iter().chain(told)) {
            let seconds = stage
                .strip_prefix(wanted)
                .and_then(|rest| rest.strip_suffix(" s"));
            let seconds = seconds.unwrap_or_else(|| panic!("{wanted}: {bob}"));
            assert!(seconds.trim().parse::<f64>().is_ok(), "{bob}");
        }
        assert_eq!(stages.last(), Some(&"caller and human talked"), "{bob}");
    }
}

/// Somebody outside who is asked whom a call goes to.
struct Outside {
    url: String,
    asked: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

#[derive(Clone)]
struct Asked {
    asked: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    /// `None` is an answer that never comes.
    answer: Option<&'static str>,
}

impl Outside {
    async fn start(answer: Option<&'static str>) -> Self {
        let asked = Arc::default();
        let state = Asked {
            asked: Arc::clone(&asked),
            answer,
        };
        let router = Router::new()
            .route("/route", post(asked_for))
            .with_state(state);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url: format!("http://{address}/route"),
            asked,
        }
    }

    fn setup(&self, setup: Setup, more: &str) -> Setup {
        let settings = format!(
            "when = \"true\"\ntargets = [\"ann\", \"bob\"]\nask = \"{}\"\n{more}",
            self.url
        );
        let mut setup = three(setup, "", "", &route("all", &settings));
        setup.env("HANDOFF_ROUTE_SECRET", format!("whsec_{SECRET}"));
        setup
    }

    /// The one question, once its signature was checked.
    fn question(&self) -> Value {
        let asked = self.asked.lock().expect("no test failed with it");
        let [(headers, body)] = asked.as_slice() else {
            panic!("{asked:#?}");
        };
        let header = |name: &str| headers[name].to_str().expect("a text").to_owned();
        let key = STANDARD.decode(SECRET).expect("Base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
        mac.update(body);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(header("webhook-signature"), format!("v1,{signature}"));
        let question: Value = serde_json::from_slice(body).expect("JSON");
        assert_eq!(question["data"]["handoff"], header("webhook-id"));
        question
    }
}

async fn asked_for(State(state): State<Asked>, headers: HeaderMap, body: Bytes) -> &'static str {
    state
        .asked
        .lock()
        .expect("no test failed with it")
        .push((headers, body));
    match state.answer {
        Some(answer) => answer,
        None => pending().await,
    }
}

#[tokio::test]
async fn a_url_that_is_asked_gives_the_order() {
    let outside = Outside::start(Some(r#"{"targets": ["nobody", "bob", "ann"]}"#)).await;
    for (setup, carrier) in [
        (Setup::of("asks-for-human"), "twilio"),
        (Setup::at_plivo("asks-for-human"), "plivo"),
    ] {
        outside
            .asked
            .lock()
            .expect("no test failed with it")
            .clear();
        let played = Played::on(Stage::set(outside.setup(setup, "")).await).await;
        assert_eq!(played.route(), "all: bob, then ann");
        assert_eq!(played.called(), [BOB]);
        let question = outside.question();
        assert_eq!(question["type"], "handoff.route");
        let data = &question["data"];
        assert_eq!(
            (&data["carrier"], &data["route"]),
            (&json!(carrier), &json!("all"))
        );
        assert_eq!(data["targets"][0]["name"], "ann");
        let asked = data["signals"]["caller.asks_for_human"].as_str();
        assert!(asked.is_some(), "{data}");
        assert!(
            data.get("caller").is_none(),
            "nobody said that it may know: {data}"
        );
    }
}

#[tokio::test]
async fn a_url_is_told_who_calls_where_that_is_allowed() {
    let outside = Outside::start(Some(r#"{"targets": ["bob"]}"#)).await;
    let setup = outside.setup(Setup::of("asks-for-human"), "ask_with_caller = true");
    let played = Played::on(Stage::set(setup).await).await;
    assert_eq!(played.called(), [BOB]);
    assert_eq!(outside.question()["data"]["caller"], "+15550100011");
}

/// The caller waits for no answer longer than 800 ms: the route's own order stands.
#[tokio::test]
async fn a_url_that_stalls_is_not_waited_for() {
    for setup in [
        Setup::of("asks-for-human"),
        Setup::at_plivo("asks-for-human"),
    ] {
        let outside = Outside::start(None).await;
        let stage = Stage::set(outside.setup(setup, "")).await;
        let call = stage.dial();
        let id = stage.live_call().await;
        stage.see(&call, rings).await;
        let late = stage
            .metric("handoff_route_questions_total{result=\"too_late\"}")
            .await;
        assert!((late - 1.0).abs() < f64::EPSILON, "{late}");
        stage.ended(&call).await;
        stage.idle().await;
        let told = stage.told(&id).await;
        let chosen =
            |(kind, detail): &&(String, String)| kind == "route" && detail == "all: ann, then bob";
        assert_eq!(told.iter().filter(chosen).count(), 1, "{told:#?}");
        outside.question();
        let books = stage.finish().await;
        assert_eq!(
            books.disposition(call.call_sid()).await,
            Disposition::Bridged
        );
        let waited = decided_in(&books, &call).await;
        assert!(waited >= Duration::from_millis(700), "{waited:?}");
        assert!(waited < Duration::from_secs(3), "{waited:?}");
    }
}

#[tokio::test]
async fn a_url_that_answers_nonsense_costs_its_order_alone() {
    for answer in [
        "",
        "[]",
        r#"{"targets": "bob"}"#,
        r#"{"targets": ["eve", "../x"]}"#,
    ] {
        let outside = Outside::start(Some(answer)).await;
        let setup = outside.setup(Setup::of("asks-for-human"), "");
        let played = Played::on(Stage::set(setup).await).await;
        assert_eq!(played.route(), "all: ann, then bob", "{answer}");
        assert_eq!(played.called(), [ANN], "{answer}");
    }
}

/// How long it took from the trigger until it was known whom to try.
async fn decided_in(books: &Books, call: &PlacedCall) -> Duration {
    let records = books.records(call.call_sid()).await;
    let at = |wanted: fn(&Fact) -> bool| {
        let found = records.iter().find(|record| wanted(&record.fact));
        Duration::from_millis(found.expect("it happened").at.as_millis())
    };
    let triggered = at(|fact| matches!(fact, Fact::Triggered(_)));
    at(|fact| matches!(fact, Fact::Routed { .. })) - triggered
}
