//! The whole stage: the real server process between the stand-ins of everybody it talks to.
//!
//! A test sets the stage, plays calls on it and ends with [`Stage::finish`], which lets the books
//! close and then insists: no call is live, nothing is undelivered, no peer saw a rule broken, the
//! server logged no ERROR and stopped by itself. A stage that is dropped without that fails the
//! test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use handoff::journal::{Journal, Record};
use handoff_core::call::{Disposition, Fact};
use handoff_core::id::CarrierCallId;
use handoff_simulator::carrier::plivo;
use handoff_simulator::carrier::twilio::{AfterRecording, Carrier, CarrierOptions, PlacedCall};
use handoff_simulator::carrier::{CarrierEvent, EventLog, Speed};
use handoff_simulator::recognizer::{CallResults, Recognizer, RecognizerOptions};
use handoff_simulator::recording::{Mode, Recording};
use handoff_simulator::sinks::slack::SlackOptions;
use handoff_simulator::sinks::zendesk::ZendeskOptions;
use handoff_simulator::sinks::{Slack, Zendesk};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::process::{Environment, Server};

/// What the server believes to be reached by; the stand-in carrier plays the proxy in front of it.
pub const PUBLIC_URL: &str = "https://handoff.example.com";
pub const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub const AUTH_TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
pub const PLIVO_ACCOUNT: &str = "MA0000000000000000000001";
pub const PLIVO_TOKEN: &str = "plivo-test-token";
pub const API_TOKEN: &str = "stage-api-token";
/// The stand-in human.
pub const TARGET: &str = "+15550100042";

/// Humans talk for three seconds of the carrier's time, which runs twenty times as fast.
const BRIDGED_AFTER: &str = "50ms";

/// One deadline for all that a test waits for.
const DEADLINE: Duration = Duration::from_secs(90);
/// Stages at a time. Each is a process and five listeners.
static PLACES: Semaphore = Semaphore::const_new(6);

/// How the stage is set.
pub struct Setup {
    pub recordings: Vec<Recording>,
    pub results: Vec<CallResults>,
    pub carrier: CarrierOptions,
    /// The other carrier, if there is an account.
    pub plivo: Option<plivo::CarrierOptions>,
    pub recognizer: RecognizerOptions,
    pub zendesk: ZendeskOptions,
    pub slack: SlackOptions,
    /// Whether there is a recognizer at all.
    pub hears: bool,
    /// `listen` or `converse`.
    pub mode: &'static str,
    /// How long caller and human must have been joined to count as such.
    pub bridged_after: &'static str,
    /// More of the server's configuration file.
    pub config: String,
    /// More of the server's environment; what is here wins.
    pub environment: Environment,
}

impl Setup {
    /// A stage on which everything works, for the given recorded call.
    pub fn of(slug: &str) -> Self {
        let directory = fixture(slug);
        let recording = Recording::load(&directory).expect("a recorded call");
        let mut setup = Self::empty();
        setup.mode = match recording.mode {
            Mode::Listen => "listen",
            Mode::Converse => "converse",
        };
        setup.recordings.push(recording);
        let results = CallResults::read(&directory).expect("what a recognizer says of the call");
        setup.results.push(results);
        setup
    }

    /// A stage on which everything works and nobody calls.
    pub fn empty() -> Self {
        let nowhere = ([127, 0, 0, 1], 9).into();
        let mut carrier = CarrierOptions::new(ACCOUNT, AUTH_TOKEN, PUBLIC_URL, nowhere);
        carrier.call_status_path = Some("/twilio/status".to_owned());
        carrier.speed = Speed::Times(20.0);
        // Of real time, in which a busy machine has to catch up with the call.
        carrier.after_recording = AfterRecording::WaitForHandoff {
            grace: Duration::from_secs(8),
        };
        Self {
            recordings: Vec::new(),
            results: Vec::new(),
            carrier,
            plivo: None,
            recognizer: RecognizerOptions::default(),
            zendesk: ZendeskOptions::default(),
            slack: SlackOptions::default(),
            hears: true,
            mode: "listen",
            bridged_after: BRIDGED_AFTER,
            config: String::new(),
            environment: Environment::new(),
        }
    }

    /// A stage on which everything works, for the given recorded call over a line at Plivo.
    pub fn at_plivo(slug: &str) -> Self {
        let mut setup = Self::of(slug);
        let nowhere = ([127, 0, 0, 1], 9).into();
        let mut carrier =
            plivo::CarrierOptions::new(PLIVO_ACCOUNT, PLIVO_TOKEN, PUBLIC_URL, nowhere);
        carrier.call_status_path = Some("/plivo/hangup".to_owned());
        carrier.speed = Speed::Times(20.0);
        carrier.after_recording = setup.carrier.after_recording;
        for results in &mut setup.results {
            results.call_sid = plivo_uuid(&results.call_sid);
        }
        setup.plivo = Some(carrier);
        setup
    }

    pub fn env(&mut self, name: &str, value: impl Into<String>) {
        self.environment.push((name.to_owned(), value.into()));
    }
}

/// Everything that was left when the stage was cleared.
pub struct Books {
    /// The server's log, of all its processes.
    pub log: Vec<String>,
    journal: Journal,
    _data: Scratch,
}

/// A set stage.
pub struct Stage {
    pub carrier: Carrier,
    pub plivo: Option<plivo::Carrier>,
    pub recognizer: Recognizer,
    pub zendesk: Zendesk,
    pub slack: Slack,
    pub client: Client,
    recordings: Vec<Recording>,
    environment: Environment,
    server: Option<Server>,
    log: Vec<String>,
    expected_errors: Vec<&'static str>,
    expected_violations: Vec<&'static str>,
    data: Option<Scratch>,
    until: Instant,
    finished: bool,
    _place: SemaphorePermit<'static>,
}

/// Adds what the pace asks for to the section that a test may have itself.
fn with_pace(config: &str, bridged_after: &str) -> String {
    const SECTION: &str = "[handoff]\n";
    let pace = format!("{SECTION}bridged_after = \"{bridged_after}\"\n");
    match config.contains(SECTION) {
        true => config.replacen(SECTION, &pace, 1),
        false => format!("{config}\n{pace}"),
    }
}

impl Stage {
    pub async fn set(setup: Setup) -> Self {
        let place = PLACES.acquire().await.expect("never closed");
        let until = Instant::now() + DEADLINE;
        let data = Scratch::new();
        let carrier = Carrier::start(setup.carrier).await.expect("a carrier");
        let plivo = match setup.plivo {
            Some(options) => Some(plivo::Carrier::start(options).await.expect("a carrier")),
            None => None,
        };
        let mut recognizer = setup.recognizer;
        recognizer.results.extend(setup.results);
        let recognizer = Recognizer::start(recognizer).await.expect("a recognizer");
        let zendesk = Zendesk::start(setup.zendesk)
            .await
            .expect("a ticket system");
        let slack = Slack::start(setup.slack).await.expect("a chat system");
        let kind = if setup.hears { "deepgram" } else { "none" };
        let config = format!(
            "[voice_agent]\nmode = \"{}\"\n[recognizer]\nkind = \"{kind}\"\n\
             [recognizer.deepgram]\npace = 20\n{}",
            setup.mode,
            with_pace(&setup.config, setup.bridged_after)
        );
        let config_path = data.0.join("handoff.toml");
        std::fs::write(&config_path, config).expect("the configuration can be written");
        let given = [
            ("HANDOFF_CONFIG", config_path.display().to_string()),
            ("HANDOFF_LISTEN", "127.0.0.1:0".to_owned()),
            ("HANDOFF_PUBLIC_URL", PUBLIC_URL.to_owned()),
            (
                "HANDOFF_DATA_DIR",
                data.0.join("data").display().to_string(),
            ),
            ("HANDOFF_API_TOKEN", API_TOKEN.to_owned()),
            ("HANDOFF_TARGET", TARGET.to_owned()),
            ("HANDOFF_LOG", "info".to_owned()),
            ("VOICE_AGENT_URL", carrier.bot_url()),
            ("TWILIO_ACCOUNT_SID", ACCOUNT.to_owned()),
            ("TWILIO_AUTH_TOKEN", AUTH_TOKEN.to_owned()),
            ("TWILIO_BASE_URL", carrier.base_url()),
            (
                "DEEPGRAM_BASE_URL",
                recognizer.url().replacen("ws", "http", 1),
            ),
            ("DEEPGRAM_API_KEY", "dg-test-key".to_owned()),
            ("ZENDESK_BASE_URL", zendesk.url()),
            ("ZENDESK_CLIENT_ID", "handoff_test".to_owned()),
            ("ZENDESK_CLIENT_SECRET", "zendesk-test-secret".to_owned()),
            ("SLACK_BASE_URL", slack.url()),
            ("SLACK_BOT_TOKEN", "xoxb-slack-test-token".to_owned()),
            ("SLACK_CHANNEL", "C0HANDOFF1".to_owned()),
        ];
        let mut environment: Environment =
            given.map(|(name, value)| (name.to_owned(), value)).into();
        if let Some(plivo) = &plivo {
            environment.extend(
                [
                    ("PLIVO_AUTH_ID", PLIVO_ACCOUNT.to_owned()),
                    ("PLIVO_AUTH_TOKEN", PLIVO_TOKEN.to_owned()),
                    ("PLIVO_BASE_URL", plivo.base_url()),
                    ("VOICE_AGENT_URL", plivo.bot_url()),
                ]
                .map(|(name, value)| (name.to_owned(), value)),
            );
        }
        environment.extend(setup.environment);
        let client = Client::builder()
            .no_proxy()
            .build()
            .expect("an HTTP client");
        let mut stage = Self {
            carrier,
            plivo,
            recognizer,
            zendesk,
            slack,
            client,
            recordings: setup.recordings,
            environment,
            server: None,
            log: Vec::new(),
            expected_errors: Vec::new(),
            expected_violations: Vec::new(),
            data: Some(data),
            until,
            finished: false,
            _place: place,
        };
        stage.start().await;
        stage
    }

    /// Starts the server, the first time or again on the same data.
    pub async fn start(&mut self) {
        let server = Server::start(&self.data().0, &self.environment, self.left()).await;
        self.carrier.set_connect(server.address);
        if let Some(plivo) = &self.plivo {
            plivo.set_connect(server.address);
        }
        self.server = Some(server);
    }

    /// Starts the server again with another setting.
    pub async fn start_with(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
        self.start().await;
    }

    /// Kills the server without a warning.
    pub async fn kill(&mut self) {
        let server = self.server.take().expect("a server is running");
        let log = server.kill().await;
        self.log.extend(log);
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("a server is running")
    }

    /// Waits for the process to end that was told to.
    pub async fn exited(&mut self) {
        let server = self.server.take().expect("a server is running");
        let (status, log) = server.exited(self.left()).await;
        self.log.extend(log);
        assert!(status.success(), "the server ended with {status}");
    }

    /// What is left of the time.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    pub fn recording(&self) -> &Recording {
        &self.recordings[0]
    }

    /// Lets the caller of the recording dial.
    pub fn place(&self) -> PlacedCall {
        self.carrier
            .place_call(self.recording())
            .expect("each call is placed once")
    }

    /// The same over the line at Plivo.
    pub fn place_at_plivo(&self) -> PlacedCall {
        let plivo = self.plivo.as_ref().expect("an account at Plivo");
        plivo
            .place_call(self.recording())
            .expect("each call is placed once")
    }

    /// Lets the caller dial the line at Plivo if there is one, else the one at Twilio.
    pub fn dial(&self) -> PlacedCall {
        match self.plivo {
            Some(_) => self.place_at_plivo(),
            None => self.place(),
        }
    }

    /// What the carrier of [`Stage::dial`] saw, of callers and of humans who were called.
    pub fn carrier_log(&self) -> &EventLog {
        self.plivo
            .as_ref()
            .map_or(self.carrier.log(), plivo::Carrier::log)
    }

    /// All events of [`Stage::carrier_log`].
    pub fn seen(&self) -> Vec<CarrierEvent> {
        let log = self.carrier_log().since(0).into_iter();
        log.map(|logged| logged.event).collect()
    }

    /// Waits for an event of any call.
    pub async fn see_anywhere(&self, mut wanted: impl FnMut(&CarrierEvent) -> bool) {
        let seen = self.carrier_log();
        let found = seen.wait_for(|logged| wanted(&logged.event), self.left());
        if let Err(error) = found.await {
            panic!("{error}\nthe server said:\n{}", self.server_log());
        }
    }

    /// What the API tells of a call, as lines of its kind and detail.
    pub async fn told(&self, id: &str) -> Vec<(String, String)> {
        let (status, facts) = self.api(Method::GET, &format!("/api/calls/{id}"), "").await;
        assert_eq!(status, StatusCode::OK, "{facts}");
        let facts = facts.as_array().expect("a list").iter();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        facts
            .map(|fact| (text(&fact["kind"]), text(&fact["detail"])))
            .collect()
    }

    pub async fn see(&self, call: &PlacedCall, wanted: impl FnMut(&CarrierEvent) -> bool) -> u64 {
        match call.wait_for(wanted, self.left()).await {
            Ok(logged) => logged.at_ms,
            Err(error) => panic!("{error}\nthe server said:\n{}", self.server_log()),
        }
    }

    /// Waits until the carrier is done with the call.
    pub async fn ended(&self, call: &PlacedCall) {
        if let Err(error) = call.ended(self.left()).await {
            panic!("{error}\nthe server said:\n{}", self.server_log());
        }
    }

    /// Says that the server has to complain in its log, in these words among others.
    pub fn expect_error(&mut self, words: &'static str) {
        self.expected_errors.push(words);
    }

    /// Says that a peer has to see a rule broken, in these words among others.
    pub fn expect_violation(&mut self, words: &'static str) {
        self.expected_violations.push(words);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server().address)
    }

    pub async fn get(&self, path: &str) -> (StatusCode, String) {
        let answer = self.client.get(self.url(path)).send().await;
        let answer = answer.expect("the server answers");
        (answer.status(), answer.text().await.expect("a text"))
    }

    /// Asks the API with the token.
    pub async fn api(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let asked = self.client.request(method, self.url(path));
        let answer = asked
            .bearer_auth(API_TOKEN)
            .body(body.to_owned())
            .send()
            .await;
        let answer = answer.expect("the server answers");
        let status = answer.status();
        let text = answer.text().await.expect("a text");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// The value of a metric, as `name{labels}`; 0 while it does not exist.
    pub async fn metric(&self, wanted: &str) -> f64 {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, StatusCode::OK);
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(wanted)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// Waits until a question to the server has the answer that is waited for.
    pub async fn until<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let asking = async {
            let mut look = tokio::time::interval(Duration::from_millis(20));
            loop {
                look.tick().await;
                if let Some(answer) = ask().await {
                    return answer;
                }
            }
        };
        match tokio::time::timeout(self.left(), asking).await {
            Ok(answer) => answer,
            Err(_) => panic!(
                "{what} did not happen; the server said:\n{}",
                self.server_log()
            ),
        }
    }

    /// Waits until no call is live.
    pub async fn idle(&self) {
        self.until("the end of all calls", async || {
            let (_, calls) = self.api(Method::GET, "/api/calls", "").await;
            calls.as_array().is_some_and(Vec::is_empty).then_some(())
        })
        .await;
    }

    /// Waits until so many deliveries are undelivered.
    pub async fn undelivered(&self, count: u64) {
        self.until(&format!("{count} undelivered"), async || {
            let (_, answer) = self.api(Method::GET, "/api/deliveries", "").await;
            (answer["undelivered"] == count).then_some(())
        })
        .await;
    }

    /// The id of the one live call.
    pub async fn live_call(&self) -> String {
        self.until("a live call", async || {
            let (_, calls) = self.api(Method::GET, "/api/calls", "").await;
            Some(calls[0]["id"].as_str()?.to_owned())
        })
        .await
    }

    /// The id of the live call that is not this one.
    pub async fn live_call_beside(&self, id: &str) -> String {
        let (_, calls) = self.api(Method::GET, "/api/calls", "").await;
        let ids = calls
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|call| call["id"].as_str());
        let mut others = ids.filter(|other| *other != id);
        others.next().expect("another live call").to_owned()
    }

    /// Lets the books close, stops the server and insists that all is well.
    pub async fn finish(mut self) -> Books {
        self.idle().await;
        self.undelivered(0).await;
        self.server().terminate();
        self.exited().await;
        self.finished = true;
        let violations = [
            self.carrier.violations(),
            (self.plivo.as_ref()).map_or_else(Vec::new, plivo::Carrier::violations),
            self.recognizer.violations(),
            self.zendesk.violations(),
            self.slack.violations(),
        ]
        .concat();
        check_expected("violations", &violations, &self.expected_violations);
        let is_error = |line: &&String| line.split_whitespace().nth(1) == Some("ERROR");
        let errors: Vec<String> = self.log.iter().filter(is_error).cloned().collect();
        check_expected("errors", &errors, &self.expected_errors);
        assert!(
            !self.log.iter().any(|line| line.contains("panicked at")),
            "the server panicked:\n{}",
            self.log.join("\n")
        );
        let data = self.data.take().expect("a stage has its data until now");
        let journal = Journal::open(&data.0.join("data/journal.sqlite")).expect("the journal");
        let undelivered = journal.undelivered().await.expect("the journal").count;
        assert_eq!(undelivered, 0, "the outbox is empty on disk");
        let open = journal.open_calls().await.expect("the journal").len();
        assert_eq!(open, 0, "every call has its end on disk");
        Books {
            log: std::mem::take(&mut self.log),
            journal,
            _data: data,
        }
    }

    fn data(&self) -> &Scratch {
        self.data
            .as_ref()
            .expect("a stage has its data until the end")
    }

    fn server_log(&self) -> String {
        let running = self.server.as_ref().map(Server::log).unwrap_or_default();
        [self.log.clone(), running].concat().join("\n")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server said:\n{}", self.server_log());
        } else {
            assert!(
                self.finished,
                "a stage must be finished, so that its books are checked"
            );
        }
    }
}

impl Books {
    /// All facts of a call, in order.
    pub async fn records(&self, call_sid: &str) -> Vec<Record> {
        let name = CarrierCallId(call_sid.to_owned());
        let call = self
            .journal
            .call_of_carrier(&name)
            .await
            .expect("the journal");
        let call = call.unwrap_or_else(|| panic!("nothing is known of {call_sid}"));
        self.journal.records(&call).await.expect("the journal")
    }

    /// Whether anything was ever written down of a call.
    pub async fn knows(&self, call_sid: &str) -> bool {
        let name = CarrierCallId(call_sid.to_owned());
        let call = self.journal.call_of_carrier(&name).await;
        call.expect("the journal").is_some()
    }

    /// The one outcome of a call.
    pub async fn disposition(&self, call_sid: &str) -> Disposition {
        let records = self.records(call_sid).await;
        let mut ends = records.iter().filter_map(|record| match &record.fact {
            Fact::CallEnded { disposition } => Some(*disposition),
            _ => None,
        });
        match (ends.next(), ends.next()) {
            (Some(disposition), None) => disposition,
            _ => panic!("a call ends once: {records:?}"),
        }
    }

    /// How often the call was decided to need a human.
    pub async fn triggers(&self, call_sid: &str) -> usize {
        let records = self.records(call_sid).await;
        let triggers = |record: &&Record| matches!(record.fact, Fact::Triggered(_));
        records.iter().filter(triggers).count()
    }
}

/// The folder of a recorded call.
pub fn fixture(slug: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/calls")
        .join(slug)
}

/// Events of the carrier, by what a test asks about them.
pub fn rings(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::LegRinging { .. })
}

pub fn bridged(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::LegBridged { .. })
}

pub fn rewritten(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::CallRewritten { .. })
}

pub fn streams(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::StreamOpened { .. })
}

/// Counts events of a call.
pub fn count(call: &PlacedCall, wanted: impl Fn(&CarrierEvent) -> bool) -> usize {
    call.events().iter().filter(|event| wanted(event)).count()
}

fn check_expected(what: &str, seen: &[String], expected: &[&str]) {
    for words in expected {
        let found = seen.iter().any(|sentence| sentence.contains(words));
        assert!(found, "no {what} with {words:?} among {seen:#?}");
    }
    let is_unexpected = |sentence: &&String| !expected.iter().any(|words| sentence.contains(words));
    let unexpected: Vec<_> = seen.iter().filter(is_unexpected).collect();
    assert!(unexpected.is_empty(), "unexpected {what}: {unexpected:#?}");
}

/// A folder of one test, removed at its end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("handoff-it-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a scratch folder");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}

/// The stand-in Plivo's name for a recorded call.
fn plivo_uuid(call_sid: &str) -> String {
    let digits = call_sid.trim_start_matches("CA");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    parts.join("-")
}
