//! `handoff-simulator carrier`: one recorded call through a stand-in Twilio or Plivo.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use handoff_simulator::carrier::{
    AfterRecording, CarrierEvent, DuplicateCall, EndReason, EventLog, Human, Logged, PlacedCall,
    Speed, plivo, twilio,
};
use handoff_simulator::recording::Recording;

/// Plays Twilio or Plivo: places one recorded call and checks everything that the server answers.
///
/// It signs and posts the voice webhook, executes the document it gets, opens the media socket and
/// plays the recording into it, takes live-call updates on its REST API, rings the human and posts the
/// callbacks. Requests are signed over the public URL and sent to the connect address in plain HTTP,
/// as behind a proxy that terminates TLS.
///
/// The first line printed tells where the REST API listens: give it to the server as the carrier's
/// base URL. Then one line follows for each event. Exit code 0: the call reached its end and no rule of the
/// carrier was broken. 1: a violation, an application error, or no end before the deadline. 2: it
/// could not start.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  handoff-simulator carrier --public-url https://handoff.example.com --connect 127.0.0.1:8080 \\
      --call fixtures/calls/asks-for-human --speed 4

  With --connect -, the server can be started after the stand-in, on a port of its own choice:
      read the first line, start the server with the printed url, then write HOST:PORT and a newline
      to the standard input.")]
pub struct CarrierCommand {
    /// Which carrier to play
    #[arg(long, default_value = "twilio")]
    carrier: CarrierChoice,
    /// URL at which the server believes it is reached
    #[arg(long, value_name = "URL")]
    public_url: String,
    /// Where the server really listens, or `-` to read HOST:PORT from standard input
    #[arg(long, value_name = "HOST:PORT|-")]
    connect: String,
    /// Twilio: account of the number that is called
    #[arg(long, env = "TWILIO_ACCOUNT_SID", value_name = "AC…")]
    account_sid: Option<String>,
    /// Twilio: the account's token, which signs webhooks and opens the REST API
    #[arg(
        long,
        env = "TWILIO_AUTH_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    auth_token: Option<String>,
    /// Plivo: account of the number that is called
    #[arg(long, env = "PLIVO_AUTH_ID", value_name = "MA…")]
    plivo_auth_id: Option<String>,
    /// Plivo: the account's token, which signs webhooks and opens the REST API
    #[arg(
        long,
        env = "PLIVO_AUTH_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    plivo_auth_token: Option<String>,
    /// Twilio: API key that opens the REST API as well
    #[arg(
        long,
        env = "TWILIO_API_KEY",
        value_name = "SK…",
        requires = "api_secret"
    )]
    api_key: Option<String>,
    /// Twilio: secret of the API key
    #[arg(
        long,
        env = "TWILIO_API_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    api_secret: Option<String>,
    /// Folder of the recorded call
    #[arg(long, value_name = "DIR")]
    call: PathBuf,
    /// Path of the voice webhook: /twilio/voice or /plivo/answer unless given
    #[arg(long, value_name = "PATH")]
    voice_path: Option<String>,
    /// Path of the number's status callback or hangup webhook, if it has one
    #[arg(long, value_name = "PATH")]
    call_status_path: Option<String>,
    /// How many times as fast as life, or `max`
    #[arg(long, default_value = "1", value_name = "N|max")]
    speed: Speed,
    /// Where the REST API listens
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    listen: SocketAddr,
    /// What the human does, in place of what the recording says
    #[arg(long)]
    human: Option<HumanChoice>,
    /// Twilio: what the human at one address does; may be given several times. An address is a number,
    /// a SIP URI without headers, client:IDENTITY, queue:NAME or workflow:SID
    #[arg(long, value_name = "ADDRESS=HUMAN", value_parser = human_at)]
    human_at: Vec<(String, HumanChoice)>,
    /// Twilio: who calls, in place of the recording's number, such as a sip: URI
    #[arg(long, value_name = "NUMBER|URI")]
    caller: Option<String>,
    /// Twilio: post every callback and ask for every action twice
    #[arg(long)]
    duplicate_callbacks: bool,
    /// Twilio: post the ringing of a leg after what follows it
    #[arg(long)]
    shuffle_leg_callbacks: bool,
    /// Twilio: number of the account besides the one that is called; may be given several times
    #[arg(long, value_name = "NUMBER")]
    owned_number: Vec<String>,
    /// How long each REST request takes
    #[arg(long, default_value_t = 0, value_name = "N")]
    rest_delay_ms: u64,
    /// How long it takes from a Dial until the phone rings
    #[arg(long, default_value_t = 0, value_name = "N")]
    ring_delay_ms: u64,
    /// How long the caller stays after the recording while nothing happens; 0 hangs up at once
    #[arg(long, default_value_t = 2000, value_name = "N")]
    linger_ms: u64,
    /// How long the whole call may take
    #[arg(long, default_value_t = 120, value_name = "N")]
    deadline_seconds: u64,
    /// Print events as JSON, one object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CarrierChoice {
    /// Twilio, with TwiML
    Twilio,
    /// Plivo, with Plivo XML
    Plivo,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum HumanChoice {
    /// They pick up after a second and talk for three
    Answers,
    /// They pick up, hear the whisper and hang up
    HangsUpInWhisper,
    /// The phone rings until the carrier gives up
    NoAnswer,
    /// The line is busy
    Busy,
    /// They decline the call
    Rejects,
    /// A machine picks up after a second, presses nothing and stays for ten
    Voicemail,
    /// The carrier cannot reach the phone
    Unreachable,
}

impl CarrierCommand {
    /// Plays the call to its end.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let recording = Recording::load(&self.call).context("cannot play the call")?;
        let waits_for_address = self.connect == "-";
        let connect = if waits_for_address {
            SocketAddr::from(([127, 0, 0, 1], 0))
        } else {
            address(&self.connect).await?
        };
        let carrier = self.start(connect).await?;
        let mut printed = self.print_from(&carrier, 0)?;
        if waits_for_address {
            let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await?;
            let line = line
                .context("standard input ended before HOST:PORT")?
                .context("cannot read standard input")?;
            carrier.set_connect(address(line.trim()).await?);
        }
        let call = carrier.place_call(&recording)?;
        let deadline = Duration::from_secs(self.deadline_seconds);
        let mut ended = std::pin::pin!(call.ended(deadline));
        let ended = loop {
            tokio::select! {
                biased;
                () = carrier.log().grown_beyond(printed) => printed = self.print_from(&carrier, printed)?,
                ended = &mut ended => break ended,
            }
        };
        self.print_from(&carrier, printed)?;
        let bridged = call
            .events()
            .iter()
            .any(|event| matches!(event, CarrierEvent::LegBridged { .. }));
        let reason = match ended {
            Ok(reason) => reason,
            Err(_) => {
                eprintln!(
                    "handoff-simulator: the call had not ended after {} s",
                    self.deadline_seconds
                );
                return Ok(ExitCode::FAILURE);
            }
        };
        let violations = carrier.log().violations();
        for violation in &violations {
            eprintln!("handoff-simulator: violation: {violation}");
        }
        let caller_was_lost = reason == EndReason::ApplicationError && !bridged;
        if caller_was_lost {
            eprintln!(
                "handoff-simulator: the call ended with an application error, and no human had answered"
            );
        }
        Ok(if violations.is_empty() && !caller_was_lost {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    async fn start(&self, connect: SocketAddr) -> anyhow::Result<Running> {
        let cannot_start = "cannot start the stand-in carrier";
        Ok(match self.carrier {
            CarrierChoice::Twilio => {
                let options = self.twilio(connect)?;
                Running::Twilio(
                    twilio::Carrier::start(options)
                        .await
                        .context(cannot_start)?,
                )
            }
            CarrierChoice::Plivo => {
                let options = self.plivo(connect)?;
                Running::Plivo(plivo::Carrier::start(options).await.context(cannot_start)?)
            }
        })
    }

    fn twilio(&self, connect: SocketAddr) -> anyhow::Result<twilio::CarrierOptions> {
        let account_sid = given(&self.account_sid, "--account-sid or TWILIO_ACCOUNT_SID")?;
        let auth_token = given(&self.auth_token, "--auth-token or TWILIO_AUTH_TOKEN")?;
        let mut options =
            twilio::CarrierOptions::new(account_sid, auth_token, &self.public_url, connect);
        options.api_key = self.api_key.clone().zip(self.api_secret.clone());
        if let Some(path) = &self.voice_path {
            options.voice_path.clone_from(path);
        }
        options.call_status_path.clone_from(&self.call_status_path);
        options.listen = self.listen;
        options.speed = self.speed;
        options.human = self.human.map(Human::from);
        let humans = self.human_at.iter().cloned();
        options.humans = humans
            .map(|(address, human)| (address, human.into()))
            .collect();
        options.caller.clone_from(&self.caller);
        options.duplicate_callbacks = self.duplicate_callbacks;
        options.shuffle_leg_callbacks = self.shuffle_leg_callbacks;
        options.owned_numbers.clone_from(&self.owned_number);
        options.rest_delay = Duration::from_millis(self.rest_delay_ms);
        options.ring_delay = Duration::from_millis(self.ring_delay_ms);
        options.after_recording = self.after_recording();
        Ok(options)
    }

    fn plivo(&self, connect: SocketAddr) -> anyhow::Result<plivo::CarrierOptions> {
        let auth_id = given(&self.plivo_auth_id, "--plivo-auth-id or PLIVO_AUTH_ID")?;
        let auth_token = given(
            &self.plivo_auth_token,
            "--plivo-auth-token or PLIVO_AUTH_TOKEN",
        )?;
        let mut options =
            plivo::CarrierOptions::new(auth_id, auth_token, &self.public_url, connect);
        if let Some(path) = &self.voice_path {
            options.voice_path.clone_from(path);
        }
        options.call_status_path.clone_from(&self.call_status_path);
        options.listen = self.listen;
        options.speed = self.speed;
        options.human = self.human.map(Human::from);
        options.rest_delay = Duration::from_millis(self.rest_delay_ms);
        options.ring_delay = Duration::from_millis(self.ring_delay_ms);
        options.after_recording = self.after_recording();
        Ok(options)
    }

    fn after_recording(&self) -> AfterRecording {
        match self.linger_ms {
            0 => AfterRecording::HangUp,
            linger => AfterRecording::WaitForHandoff {
                grace: Duration::from_millis(linger),
            },
        }
    }

    fn print_from(&self, carrier: &Running, printed: usize) -> anyhow::Result<usize> {
        let fresh = carrier.log().since(printed);
        let mut out = std::io::stdout().lock();
        for logged in &fresh {
            if self.json {
                writeln!(out, "{}", serde_json::to_string(logged)?)?;
            } else {
                writeln!(out, "{}", plain(logged)?)?;
            }
        }
        out.flush()?;
        Ok(printed + fresh.len())
    }
}

fn given<'v>(value: &'v Option<String>, names: &str) -> anyhow::Result<&'v String> {
    value.as_ref().with_context(|| format!("{names} is needed"))
}

/// The carrier that is played.
enum Running {
    Twilio(twilio::Carrier),
    Plivo(plivo::Carrier),
}

impl Running {
    fn log(&self) -> &EventLog {
        match self {
            Self::Twilio(carrier) => carrier.log(),
            Self::Plivo(carrier) => carrier.log(),
        }
    }

    fn set_connect(&self, address: SocketAddr) {
        match self {
            Self::Twilio(carrier) => carrier.set_connect(address),
            Self::Plivo(carrier) => carrier.set_connect(address),
        }
    }

    fn place_call(&self, recording: &Recording) -> Result<PlacedCall, DuplicateCall> {
        match self {
            Self::Twilio(carrier) => carrier.place_call(recording),
            Self::Plivo(carrier) => carrier.place_call(recording),
        }
    }
}

/// One event as a line for people: time, name, and the fields as `name=value`.
fn plain(logged: &Logged) -> anyhow::Result<String> {
    let serde_json::Value::Object(mut fields) = serde_json::to_value(&logged.event)? else {
        anyhow::bail!("an event is not an object");
    };
    let name = fields
        .remove("event")
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default();
    let mut line = format!(
        "+{:03}.{:03}  {name:<17}",
        logged.at_ms / 1000,
        logged.at_ms % 1000
    );
    for (field, value) in &fields {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), |text| text.replace('\n', " "));
        line.push_str(&format!(" {field}={value}"));
    }
    Ok(line)
}

async fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let mut found = tokio::net::lookup_host(text)
        .await
        .with_context(|| format!("{text:?} is not HOST:PORT"))?;
    found
        .next()
        .with_context(|| format!("{text:?} has no address"))
}

/// Reads `ADDRESS=HUMAN`. A SIP URI may have equals signs of its own.
fn human_at(text: &str) -> Result<(String, HumanChoice), String> {
    let (address, choice) = text
        .rsplit_once('=')
        .ok_or("expected ADDRESS=HUMAN, such as +15550100042=busy")?;
    Ok((address.to_owned(), HumanChoice::from_str(choice, false)?))
}

impl From<HumanChoice> for Human {
    fn from(choice: HumanChoice) -> Self {
        match choice {
            HumanChoice::Answers => Self::answers(),
            HumanChoice::HangsUpInWhisper => Self::HangsUpInWhisper {
                after: Duration::from_secs(1),
            },
            HumanChoice::NoAnswer => Self::NoAnswer,
            HumanChoice::Busy => Self::Busy,
            HumanChoice::Rejects => Self::Rejects,
            HumanChoice::Voicemail => Self::Voicemail {
                after: Duration::from_secs(1),
                speaks_for: Duration::from_secs(10),
            },
            HumanChoice::Unreachable => Self::Unreachable,
        }
    }
}
