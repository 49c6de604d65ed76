//! `handoff check`: is the configuration usable, and what will be used?

use std::process::ExitCode;

use handoff_core::call::Mode;
use handoff_core::rule::DECLARED;
use serde::Serialize;

use super::standing::Standing;
use super::wiring;
use crate::carrier::twilio::rest::Credentials;
use crate::carrier::twilio::twiml;
use crate::clock;
use crate::config::{Config, ConfigError, Loaded, RecognizerChoice, SlackAccess, ZendeskAccess};

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    problems: Vec<Problem>,
    notes: &'a [String],
    #[serde(flatten)]
    standing: Option<Standing<'a>>,
}

#[derive(Serialize)]
struct Problem {
    path: String,
    message: String,
}

/// Exit code for a configuration that cannot be used.
const UNUSABLE: u8 = 2;

/// Prints the verdict. The exit code is 2 where the server would refuse the configuration; whether
/// its port is free and its journal whole shows at the start alone.
pub(super) fn run(loaded: Result<Loaded, ConfigError>, json: bool) -> ExitCode {
    let loaded = &loaded.and_then(with_recognizer);
    let problems = problems(loaded);
    let ok = problems.is_empty();
    if json {
        let notes = loaded.as_ref().map_or(&[][..], |loaded| &loaded.notes);
        let config = loaded.as_ref().ok().map(|loaded| &loaded.config);
        match serde_json::to_string(&Report {
            ok,
            problems,
            notes,
            standing: config.map(|config| Standing::of(config, clock::wall())),
        }) {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("handoff: {error}"),
        }
    } else {
        match loaded {
            Err(error) => print_problems(error),
            Ok(loaded) => print_use(loaded),
        }
    }
    if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(UNUSABLE)
    }
}

/// Says why another command does not begin.
pub(super) fn refuse(error: &ConfigError) -> ExitCode {
    print_problems(error);
    ExitCode::from(UNUSABLE)
}

/// Loads a recognizer that is asked for by name, as the server would, and beside its data.
fn with_recognizer(loaded: Loaded) -> Result<Loaded, ConfigError> {
    if let RecognizerChoice::PocketSphinx(sphinx) = loaded.config.recognizer {
        let scratch = std::env::temp_dir().join(format!("handoff-check-{}", std::process::id()));
        let made = wiring::pocketsphinx(sphinx, &scratch);
        // One that could not be loaded may have written nothing.
        let _ = std::fs::remove_dir_all(&scratch);
        made?;
    }
    Ok(loaded)
}

/// Prints the signals that rules may name.
pub(super) fn print_signals() {
    for signal in DECLARED {
        let unit = if signal.unit.is_empty() {
            String::new()
        } else {
            format!(" {}", signal.unit)
        };
        println!(
            "{:<26} {:<16} {}{unit}",
            signal.name,
            signal.kind(),
            signal.range
        );
        println!("{:<26} {}", "", signal.meaning);
    }
}

fn print_problems(error: &ConfigError) {
    match error {
        ConfigError::Unusable(problems) => {
            eprintln!("handoff: {error}");
            for problem in problems {
                eprintln!("  {}: {}", problem.path, problem.message);
            }
        }
        ConfigError::Unreadable { source, .. } => eprintln!("handoff: {error}: {source}"),
        ConfigError::NotToml { .. } => eprintln!("handoff: {error}"),
    }
}

fn problems(loaded: &Result<Loaded, ConfigError>) -> Vec<Problem> {
    let problem = |path: &str, message: String| Problem {
        path: path.to_owned(),
        message,
    };
    match loaded {
        Ok(_) => Vec::new(),
        Err(ConfigError::Unusable(problems)) => (problems.iter())
            .map(|found| problem(&found.path, found.message.clone()))
            .collect(),
        Err(error @ (ConfigError::Unreadable { .. } | ConfigError::NotToml { .. })) => {
            vec![problem("HANDOFF_CONFIG", error.to_string())]
        }
    }
}

fn print_use(loaded: &Loaded) {
    let Config {
        server,
        twilio,
        plivo,
        voice_agent,
        handoff,
        rules,
        ..
    } = &loaded.config;
    println!(
        "server       {} as {}",
        server.listen,
        server.public_url.at("")
    );
    println!("data         {}", server.data_dir.display());
    if let Some(twilio) = twilio {
        let rest = match &twilio.credentials {
            Credentials::AuthToken(_) => "auth token",
            Credentials::ApiKey { .. } => "API key",
        };
        println!(
            "twilio       {} at {} with {rest}",
            twilio.account_sid.as_str(),
            twilio.base_url.at("")
        );
    }
    if let Some(plivo) = plivo {
        println!(
            "plivo        {} at {}",
            plivo.auth_id.as_str(),
            plivo.base_url.at("")
        );
    }
    let stands = match (voice_agent.mode, &voice_agent.twilio, &voice_agent.plivo) {
        (
            Mode::Listen,
            Some(twiml::Mode::Listen {
                then: twiml::Then::Redirect(url),
            }),
            _,
        ) => format!("listen, then {}", url.as_str()),
        (Mode::Listen, Some(_), None) => "listen, then voice_agent.document".to_owned(),
        (Mode::Listen, None, _) => "listen, then voice_agent.plivo_document".to_owned(),
        (Mode::Listen, Some(_), Some(_)) => "listen, then the documents of each carrier".to_owned(),
        (Mode::Converse, ..) => {
            "converse (only listens so far: no voice agent is connected)".to_owned()
        }
    };
    println!("voice agent  {stands}");
    println!("recognizer   {}", recognizer(&loaded.config.recognizer));
    let standing = Standing::of(&loaded.config, clock::wall());
    for line in standing.lines() {
        println!("{line}");
    }
    for rule in &rules.rules {
        println!("rule         {}: {}", rule.name, rule.when.source());
    }
    println!(
        "handoff      {} attempts, the journal has {:?}",
        handoff.attempts, handoff.journal_deadline
    );
    if let Some(zendesk) = &loaded.config.zendesk {
        let access = match &zendesk.access {
            ZendeskAccess::Client { .. } => "OAuth client",
            ZendeskAccess::Token { .. } => "API token",
        };
        println!(
            "sink         zendesk at {} with {access}",
            zendesk.base_url.at("")
        );
    }
    if let Some(slack) = &loaded.config.slack {
        let access = match &slack.access {
            SlackAccess::Bot { channel, .. } => format!("bot in {channel}"),
            SlackAccess::Webhook { .. } => "incoming webhook (no thread, no update)".to_owned(),
        };
        println!("sink         slack as {access}");
    }
    for note in &loaded.notes {
        println!("note         {note}");
    }
}

fn recognizer(choice: &RecognizerChoice) -> String {
    match choice {
        RecognizerChoice::Deepgram(deepgram) => {
            format!(
                "deepgram {} at {}",
                deepgram.model,
                deepgram.base_url.at("")
            )
        }
        RecognizerChoice::PocketSphinx(_) => "pocketsphinx (approximate)".to_owned(),
        RecognizerChoice::PocketSphinxIfInstalled(_) => {
            "pocketsphinx if it is installed (approximate), else none".to_owned()
        }
        RecognizerChoice::None => "none: keys, silence and the API still work".to_owned(),
    }
}
