//! A recorded call played through real processes: this server, and the simulator as carrier,
//! recognizer, ticket and chat system, all on loopback.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use handoff_core::id::CarrierCallId;
use http::{Request, header};
use serde_json::Value;
use tokio::process::Command;

use super::process::{Process, parse};
use crate::config;
use crate::egress::{Egress, EgressOptions};
use crate::journal::{Journal, Record};

/// What the server believes to be reached by; the stand-in carrier plays the proxy in front of it.
const PUBLIC_URL: &str = "https://handoff.example.com";
const AUTH_TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const PLIVO_AUTH_ID: &str = "MA0000000000000000000001";
const API_TOKEN: &str = "stage-api-token";
/// The stand-in human.
const TARGET: &str = "+15550100042";

/// What `max` stands for: as fast as stand-ins over sockets keep up with on a busy machine.
const FASTEST: &str = "8";

/// How long the caller stays while nothing happens, besides the carrier's own delays. Of real time, in
/// which a busy machine has to catch up with the call.
const LINGER_MS: u64 = 6_000;

/// After the carrier's part, the books may take this long to close.
const CLOSING: Duration = Duration::from_secs(30);
/// How often the server is asked whether everything is delivered.
const LOOK: Duration = Duration::from_millis(50);

/// Who turns the recorded speech into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Hearing {
    /// A stand-in for Deepgram that says what `hypotheses.jsonl` holds.
    Recorded,
    /// The embedded phrase spotter. It keeps up with a few times the speed of life.
    Pocketsphinx,
    /// Deepgram itself, with DEEPGRAM_API_KEY. Audio leaves this machine.
    Deepgram,
    /// Nobody.
    None,
}

/// Whose line the call comes in on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum CarrierChoice {
    /// A number at Twilio.
    #[default]
    Twilio,
    /// A number at Plivo.
    Plivo,
}

impl CarrierChoice {
    /// What the carrier's documents are written in.
    pub(super) fn language(self) -> &'static str {
        match self {
            Self::Twilio => "TwiML",
            Self::Plivo => "Plivo XML",
        }
    }

    /// The name under which the stand-in plays a recorded call.
    fn name_of(self, call_sid: &str) -> String {
        match self {
            Self::Twilio => call_sid.to_owned(),
            Self::Plivo => {
                let digits = call_sid.trim_start_matches("CA");
                let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
                let parts = parts.map(|part| digits.get(part).unwrap_or_default());
                parts.join("-")
            }
        }
    }
}

/// How long the carrier takes for what it does, in real time whatever the speed.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Delays {
    /// How long the carrier takes to answer a REST request, in real time.
    #[arg(long, default_value_t = Delays::default().rest_ms, value_name = "N")]
    pub rest_ms: u64,
    /// How long it takes the carrier from a Dial until the phone rings, in real time.
    #[arg(long, default_value_t = Delays::default().setup_ms, value_name = "N")]
    pub setup_ms: u64,
}

/// The carrier that the promise is made for: a human's phone rings within 3 s of the trigger.
impl Default for Delays {
    fn default() -> Self {
        Self {
            rest_ms: 300,
            setup_ms: 500,
        }
    }
}

/// How a call is played.
#[derive(Clone, Debug)]
pub(super) struct Play {
    /// Over whose line.
    pub carrier: CarrierChoice,
    /// The recorded call's folder.
    pub call: PathBuf,
    /// `1`, `2.5`, `max`.
    pub speed: String,
    /// Who hears.
    pub hearing: Hearing,
    /// How slow the carrier is.
    pub delays: Delays,
}

impl Play {
    fn pace(&self) -> &str {
        if self.speed == "max" {
            FASTEST
        } else {
            &self.speed
        }
    }
}

/// Everything that was seen of a played call.
#[derive(Debug)]
pub(super) struct Played {
    /// The server's journal of the call.
    pub records: Vec<Record>,
    /// The carrier's events.
    pub carrier: Vec<Value>,
    /// What the ticket and chat systems hold at the end, and what requests they had.
    pub sinks: Vec<Value>,
    /// What went wrong at the stand-ins, in their words.
    pub complaints: Vec<String>,
}

/// Plays a call; `seen` gets each event of the carrier as it happens.
pub(super) async fn play(play: &Play, mut seen: impl FnMut(&Value)) -> anyhow::Result<Played> {
    let script = read_call(&play.call)?;
    let call_id = play.carrier.name_of(&script.call_sid);
    let stage = Scratch::new()?;
    let simulator = simulator()?;
    let mut command = simulator_command(&simulator, "sinks");
    command.arg("--show");
    let mut sinks = Process::start("ticket and chat systems", command)?;
    let zendesk = sinks.listening().await?;
    let slack = sinks.listening().await?;
    let mut recognizer = match play.hearing {
        Hearing::Recorded => {
            let mut command = simulator_command(&simulator, "recognizer");
            command.arg("--call").arg(&play.call);
            command.args(["--call-id", &call_id]);
            Some(Process::start("recognizer", command)?)
        }
        Hearing::Pocketsphinx | Hearing::Deepgram | Hearing::None => None,
    };
    let deepgram = match &mut recognizer {
        Some(recognizer) => Some(recognizer.listening().await?),
        None => None,
    };
    let mut command = simulator_command(&simulator, "carrier");
    command.args(["--connect", "-", "--public-url", PUBLIC_URL]);
    match play.carrier {
        CarrierChoice::Twilio => command
            .args(["--call-status-path", "/twilio/status"])
            .args(["--account-sid", &script.account_sid])
            .args(["--auth-token", AUTH_TOKEN]),
        CarrierChoice::Plivo => command
            .args(["--carrier", "plivo", "--call-status-path", "/plivo/hangup"])
            .args(["--plivo-auth-id", PLIVO_AUTH_ID])
            .args(["--plivo-auth-token", AUTH_TOKEN]),
    };
    let Delays { rest_ms, setup_ms } = play.delays;
    let linger_ms = LINGER_MS.saturating_add(rest_ms).saturating_add(setup_ms);
    command
        .args(["--rest-delay-ms", &rest_ms.to_string()])
        .args(["--ring-delay-ms", &setup_ms.to_string()])
        .args(["--linger-ms", &linger_ms.to_string()])
        .args(["--speed", play.pace(), "--call"])
        .arg(&play.call);
    let mut carrier = Process::start("carrier", command)?;
    let listening = carrier.listening().await?;

    let config = write_config(&stage.path, play, &script)?;
    let bot = field(&listening, "bot_url")?;
    let mut command = Command::new(std::env::current_exe().context("where am I?")?);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(config)
        .env("HANDOFF_PUBLIC_URL", PUBLIC_URL)
        .env("HANDOFF_DATA_DIR", &stage.path)
        .env("HANDOFF_API_TOKEN", API_TOKEN)
        .env("HANDOFF_TARGET", TARGET)
        .env("VOICE_AGENT_URL", bot)
        .env("ZENDESK_BASE_URL", field(&zendesk, "url")?)
        .env("ZENDESK_CLIENT_ID", "handoff_test")
        .env("ZENDESK_CLIENT_SECRET", "zendesk-test-secret")
        .env("SLACK_BASE_URL", field(&slack, "url")?)
        .env("SLACK_BOT_TOKEN", "xoxb-slack-test-token")
        .env("SLACK_CHANNEL", "C0HANDOFF1")
        .stderr(std::fs::File::create(stage.path.join("server.log"))?);
    if let Some(deepgram) = &deepgram {
        let url = field(deepgram, "url")?.replacen("ws", "http", 1);
        command
            .env("DEEPGRAM_BASE_URL", url)
            .env("DEEPGRAM_API_KEY", "dg-test-key");
    }
    for other in [
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "TWILIO_AUTH_TOKEN_PREVIOUS",
        "TWILIO_API_KEY",
        "TWILIO_API_SECRET",
        "PLIVO_AUTH_ID",
        "PLIVO_AUTH_TOKEN",
        "PLIVO_AUTH_TOKEN_PREVIOUS",
        "ZENDESK_EMAIL",
        "ZENDESK_API_TOKEN",
        "SLACK_WEBHOOK_URL",
    ] {
        command.env_remove(other);
    }
    let base_url = field(&listening, "url")?;
    match play.carrier {
        CarrierChoice::Twilio => command
            .env("TWILIO_ACCOUNT_SID", &script.account_sid)
            .env("TWILIO_AUTH_TOKEN", AUTH_TOKEN)
            .env("TWILIO_BASE_URL", base_url),
        CarrierChoice::Plivo => command
            .env("PLIVO_AUTH_ID", PLIVO_AUTH_ID)
            .env("PLIVO_AUTH_TOKEN", AUTH_TOKEN)
            .env("PLIVO_BASE_URL", base_url),
    };
    let mut server = Process::start("server", command)?;
    let address = server.address().await.with_context(|| stage.server_log())?;

    carrier.tell(&format!("{address}\n")).await?;
    let mut told = Vec::new();
    while let Some(line) = carrier.lines.next_line().await? {
        let event = parse(&line)?;
        seen(&event);
        told.push(event);
    }
    let mut complaints = carrier.end().await?;
    settle(&address).await.with_context(|| stage.server_log())?;
    server.terminate()?;
    complaints.extend(server.end().await?);
    if let Some(recognizer) = recognizer {
        complaints.extend(recognizer.stop().await?.1);
    }
    let (kept, trouble) = sinks.stop().await?;
    complaints.extend(trouble);
    let records = read_journal(&stage.path, &call_id).await?;
    Ok(Played {
        records,
        carrier: told,
        sinks: kept,
        complaints,
    })
}

/// What of `call.json` the server has to be set up for.
struct Script {
    account_sid: String,
    call_sid: String,
    mode: String,
}

fn read_call(call: &Path) -> anyhow::Result<Script> {
    let path = call.join("call.json");
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!(
            "{} is no recorded call: cannot read {}",
            call.display(),
            path.display()
        )
    })?;
    let value: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    let text = |name: &str| {
        let found = value[name].as_str().map(str::to_owned);
        found.with_context(|| format!("{} has no \"{name}\"", path.display()))
    };
    Ok(Script {
        account_sid: text("account_sid")?,
        call_sid: text("call_sid")?,
        mode: text("mode")?,
    })
}

fn write_config(data: &Path, play: &Play, script: &Script) -> anyhow::Result<PathBuf> {
    let recognizer = match play.hearing {
        Hearing::Recorded | Hearing::Deepgram => "deepgram",
        Hearing::Pocketsphinx => "pocketsphinx",
        Hearing::None => "none",
    };
    let pace = play.pace().parse::<f64>().unwrap_or(1.0).ceil().max(1.0) as u32;
    let text = format!(
        "[handoff]\nbridged_after = \"{}ms\"\n[voice_agent]\nmode = \"{}\"\n[recognizer]\nkind = \"{recognizer}\"\n\
         [recognizer.deepgram]\npace = {pace}\n[stream]\ngrace = \"3s\"\n",
        2_000 / pace,
        script.mode
    );
    let path = data.join("handoff.toml");
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Waits until no call is live and nothing is undelivered.
async fn settle(address: &str) -> anyhow::Result<()> {
    let egress = Egress::new(EgressOptions::default()).context("cannot make the HTTP client")?;
    let settled = async {
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            let calls = api(&egress, address, "/api/calls").await?;
            let deliveries = api(&egress, address, "/api/deliveries").await?;
            if calls.as_array().is_some_and(Vec::is_empty) && deliveries["undelivered"] == 0 {
                return anyhow::Ok(());
            }
        }
    };
    match tokio::time::timeout(CLOSING, settled).await {
        Ok(settled) => settled,
        Err(_) => {
            bail!("the call did not end, or its context was not delivered, within {CLOSING:?}")
        }
    }
}

async fn api(egress: &Egress, address: &str, path: &str) -> anyhow::Result<Value> {
    let request = Request::get(format!("http://{address}{path}"))
        .header(header::AUTHORIZATION, format!("Bearer {API_TOKEN}"))
        .body(Bytes::new())?;
    match egress.send_within(Duration::from_secs(5), request).await {
        Ok(response) => {
            ensure!(
                response.status().is_success(),
                "{path} answered {}",
                response.status()
            );
            Ok(serde_json::from_slice(response.body())?)
        }
        Err(failure) => bail!("the server is gone ({failure:?})"),
    }
}

async fn read_journal(data: &Path, call_sid: &str) -> anyhow::Result<Vec<Record>> {
    let journal = Journal::open(&data.join("journal.sqlite")).context("cannot read the journal")?;
    let name = CarrierCallId(call_sid.to_owned());
    let call = journal
        .call_of_carrier(&name)
        .await?
        .context("the server knows nothing of the call")?;
    Ok(journal.records(&call).await?)
}

/// Finds the simulator: beside this program, where cargo puts both, or where `HANDOFF_SIMULATOR`
/// says.
fn simulator() -> anyhow::Result<PathBuf> {
    if let Some(path) = config::variable("HANDOFF_SIMULATOR") {
        return Ok(PathBuf::from(path));
    }
    let beside = std::env::current_exe()
        .context("where am I?")?
        .with_file_name("handoff-simulator");
    ensure!(
        beside.is_file(),
        "handoff-simulator is not beside this program: build both with `cargo build --workspace`, \
         or set HANDOFF_SIMULATOR to its path"
    );
    Ok(beside)
}

fn simulator_command(simulator: &Path, role: &str) -> Command {
    let mut command = Command::new(simulator);
    command.arg(role).arg("--json").stderr(Stdio::piped());
    command
}

/// A folder for one play, removed at the end.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("handoff-stage-{}", std::process::id()));
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path })
    }

    /// The server's last words, for an error message.
    fn server_log(&self) -> String {
        let log = std::fs::read_to_string(self.path.join("server.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(15)..].join("\n  ");
        format!("the server said:\n  {last}\n")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("handoff: cannot remove {}: {error}", self.path.display());
        }
    }
}

fn field<'a>(event: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    event[name]
        .as_str()
        .with_context(|| format!("a stand-in did not say its {name}"))
}
