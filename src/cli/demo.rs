//! `handoff demo`: one recorded call, told from the first webhook to the card in the channel.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use handoff_core::call::{Disposition, Fact};
use serde_json::Value;

use super::replay;
use super::stage::{self, CarrierChoice, Delays, Hearing, Play, Played};
use crate::config;
use crate::recognizer::pocketsphinx::ACOUSTIC_MODEL;

#[derive(clap::Args)]
pub(super) struct Demo {
    /// The recorded call.
    #[arg(
        long,
        default_value = "fixtures/calls/asks-for-human",
        value_name = "DIR"
    )]
    call: PathBuf,
    /// Over whose line the call comes in.
    #[arg(long, default_value = "twilio")]
    carrier: CarrierChoice,
    /// Plays faster than life and needs no key press.
    #[arg(long)]
    headless: bool,
    /// Who turns speech into words. Without it: Deepgram if DEEPGRAM_API_KEY is set, else the
    /// embedded recognizer if it is installed, else what was written down beforehand.
    #[arg(long)]
    recognizer: Option<Hearing>,
}

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let hearing = self.recognizer.unwrap_or_else(default_hearing);
        let speed = match (self.headless, hearing) {
            (false, _) | (true, Hearing::Deepgram) => "1",
            (true, Hearing::Pocketsphinx) => "2",
            (true, Hearing::Recorded | Hearing::None) => "8",
        };
        let play = Play {
            carrier: self.carrier,
            call: self.call,
            speed: speed.to_owned(),
            hearing,
            delays: Delays::default(),
        };
        title("A recorded call, played through the real server");
        println!("call         {} (synthetic voices)", play.call.display());
        println!("words from   {}", by(hearing));
        println!("speed        {speed} times life\n");
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        let played = runtime.block_on(stage::play(&play, |event| {
            if let Some(line) = live(event) {
                println!("  {line}");
            }
        }))?;
        tell(&played, self.carrier)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn default_hearing() -> Hearing {
    if config::variable("DEEPGRAM_API_KEY").is_some_and(|key| !key.is_empty()) {
        Hearing::Deepgram
    } else if PathBuf::from(ACOUSTIC_MODEL).is_dir() {
        Hearing::Pocketsphinx
    } else {
        Hearing::Recorded
    }
}

fn by(hearing: Hearing) -> &'static str {
    match hearing {
        Hearing::Recorded => "hypotheses written down beforehand, told by a stand-in for Deepgram",
        Hearing::Pocketsphinx => "the embedded PocketSphinx: approximate, it spots phrases",
        Hearing::Deepgram => "Deepgram",
        Hearing::None => "nobody",
    }
}

/// What the carrier sees, while it happens.
fn live(event: &Value) -> Option<String> {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    Some(match event["event"].as_str()? {
        "call_placed" => format!("carrier: {} calls {}", text("from"), text("to")),
        "stream_opened" => "carrier: audio flows to handoff".to_owned(),
        "bot_visited" => "carrier: the voice agent answers the caller".to_owned(),
        "call_rewritten" => "carrier: the live call was rewritten".to_owned(),
        "spoken_to_caller" => format!("carrier: the caller hears \"{}\"", text("text")),
        "leg_ringing" => "carrier: the human's phone rings".to_owned(),
        "leg_answered" => "carrier: the human picks up".to_owned(),
        "leg_bridged" => "carrier: caller and human talk".to_owned(),
        "call_ended" => format!("carrier: the call is over ({})", text("reason")),
        "violation" => format!("carrier: VIOLATION {}", text("sentence")),
        _ => return None,
    })
}

/// Tells the story, and fails if a part of it did not happen.
fn tell(played: &Played, carrier: CarrierChoice) -> anyhow::Result<()> {
    title("Timeline (from the journal)");
    for line in replay::timeline(&played.records) {
        println!("{}", replay::print(&line));
    }
    let language = carrier.language();
    let answer = document(played, "webhook_answered", "voice")
        .context("the webhook of the call was not answered")?;
    title(&format!(
        "What the carrier was told when the call came in ({language})"
    ));
    println!("{answer}");
    // Plivo takes no document in a request: it fetched the one that the transfer named.
    let rewrite = document(played, "webhook_answered", "rewrite")
        .or_else(|| document(played, "call_rewritten", ""))
        .context("the live call was not rewritten")?;
    title(&format!(
        "What the live call was rewritten with ({language})"
    ));
    println!("{rewrite}");
    let ticket = kept(played, "ticket").context("there is no ticket")?;
    title("The ticket at Zendesk (stand-in)");
    println!("{}", serde_json::to_string_pretty(ticket)?);
    let messages: Vec<_> = (played.sinks.iter())
        .filter(|event| event["event"] == "message")
        .map(|event| &event["message"])
        .collect();
    ensure!(!messages.is_empty(), "there is no card");
    title("The card and its thread at Slack (stand-in)");
    for message in messages {
        println!("{}", serde_json::to_string_pretty(message)?);
    }
    let has = |wanted: fn(&Fact) -> bool| played.records.iter().any(|record| wanted(&record.fact));
    ensure!(
        has(|fact| matches!(fact, Fact::Triggered(_))),
        "no rule fired"
    );
    ensure!(
        has(|fact| matches!(
            fact,
            Fact::CallEnded {
                disposition: Disposition::Bridged
            }
        )),
        "the call did not end with a human"
    );
    for complaint in &played.complaints {
        eprintln!("{complaint}");
    }
    ensure!(played.complaints.is_empty(), "a stand-in complained");
    title("The whole story happened");
    println!("The caller asked, a human answered, and got everything the caller had said.");
    Ok(())
}

/// The first document of such an event; `purpose` says what it was asked for, where events say so.
fn document(played: &Played, event: &str, purpose: &str) -> Option<String> {
    let mut seen = (played.carrier.iter()).filter(|seen| {
        seen["event"] == event && seen["purpose"].as_str().unwrap_or_default() == purpose
    });
    let document = seen.find_map(|seen| seen["document"].as_str())?;
    Some(document.replace("><", ">\n<"))
}

fn kept<'a>(played: &'a Played, what: &str) -> Option<&'a Value> {
    played
        .sinks
        .iter()
        .find(|event| event["event"] == what)
        .map(|event| &event[what])
}

fn title(text: &str) {
    println!("\n== {text}\n");
}
