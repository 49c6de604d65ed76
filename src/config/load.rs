//! From default, file and environment to a checked [`Config`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use handoff_core::call::Mode;
use handoff_core::id::Carrier;
use handoff_core::pii::Secret;
use handoff_core::rule::RuleSet;
use toml::{Table, Value};

use super::calls::{Handoff, StreamTimes, Surroundings, VoiceAgent, read_rule};
use super::connections::{Plivo, RecognizerChoice, Twilio};
use super::environment::Environment;
use super::reader::{Problem, Problems, Section};
use super::routes::Routing;
use super::server::Server;
use super::sinks::{Delivery, Slack, Zendesk};
use super::targets::{Around, Target};
use crate::base_url::BaseUrl;

/// The complete default configuration, which is also its reference.
pub const DEFAULT: &str = include_str!("default.toml");

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// `[server]`.
    pub server: Server,
    /// `[twilio]`, if there is an account.
    pub twilio: Option<Twilio>,
    /// `[plivo]`, if there is an account. There is one of the two.
    pub plivo: Option<Plivo>,
    /// `[voice_agent]`.
    pub voice_agent: VoiceAgent,
    /// `[stream]`.
    pub stream: StreamTimes,
    /// `[recognizer]`.
    pub recognizer: RecognizerChoice,
    /// `[handoff]`.
    pub handoff: Handoff,
    /// `[[target]]`: never empty, the default first.
    pub targets: Vec<Target>,
    /// `[[route]]`, over all targets.
    pub routing: Routing,
    /// `[[rule]]`.
    pub rules: RuleSet,
    /// `[delivery]`.
    pub delivery: Delivery,
    /// `[sink.zendesk]`, if its secrets are set.
    pub zendesk: Option<Zendesk>,
    /// `[sink.slack]`, if its secrets are set.
    pub slack: Option<Slack>,
    /// `HANDOFF_API_TOKEN`: without it the API refuses everyone.
    pub api_token: Option<Secret>,
}

/// A configuration that can be used, and what an operator may want to know about it.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What is missing but not needed.
    pub notes: Vec<String>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{path} is not valid TOML: {message}")]
    NotToml {
        /// Which file.
        path: PathBuf,
        /// Where and why, as the parser says it.
        message: String,
    },
    /// What is set cannot be used.
    #[error("the configuration has {} problem{}", .0.len(), if .0.len() == 1 { "" } else { "s" })]
    Unusable(Vec<Problem>),
}

/// Characters of speech in a second.
const SPOKEN_PER_SECOND: usize = 12;
/// With more of them a human's phone does not ring within three seconds of the caller's wish.
const LONGEST_ANNOUNCEMENT: usize = 2 * SPOKEN_PER_SECOND;

/// Settings that the environment may give, and the keys they stand for.
const OVERRIDES: [(&str, &[&str]); 11] = [
    ("HANDOFF_LISTEN", &["server", "listen"]),
    ("HANDOFF_PUBLIC_URL", &["server", "public_url"]),
    ("HANDOFF_DATA_DIR", &["server", "data_dir"]),
    ("TWILIO_BASE_URL", &["twilio", "base_url"]),
    ("PLIVO_BASE_URL", &["plivo", "base_url"]),
    ("VOICE_AGENT_URL", &["voice_agent", "webhook_url"]),
    ("DEEPGRAM_BASE_URL", &["recognizer", "deepgram", "base_url"]),
    ("HANDOFF_RECOGNIZER", &["recognizer", "kind"]),
    ("ZENDESK_BASE_URL", &["sink", "zendesk", "base_url"]),
    ("SLACK_BASE_URL", &["sink", "slack", "base_url"]),
    ("SLACK_CHANNEL", &["sink", "slack", "channel"]),
];

/// Loads the configuration: the defaults, then `file` (or the one that `HANDOFF_CONFIG` names),
/// then the environment.
///
/// # Errors
/// All problems at once, each with its path.
pub fn load(file: Option<&Path>, env: &Environment<'_>) -> Result<Loaded, ConfigError> {
    let mut problems = Problems::default();
    let mut table: Table = DEFAULT.parse().expect("the embedded default is valid TOML");
    let file = file
        .map(Path::to_owned)
        .or_else(|| env.get("HANDOFF_CONFIG").map(PathBuf::from));
    if let Some(path) = file {
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable {
            path: path.clone(),
            source,
        })?;
        let given: Table = text
            .parse()
            .map_err(|error: toml::de::Error| ConfigError::NotToml {
                path,
                message: error.to_string(),
            })?;
        refuse_rules_of_one_name(&given, &mut problems);
        merge(&mut table, given);
    }
    for (name, keys) in OVERRIDES {
        if let Some(value) = env.get(name) {
            set(&mut table, keys, value);
        }
    }
    if let Some(number) = env.get("HANDOFF_TARGET") {
        add_target(&mut table, number);
    }
    read(&table, env, problems)
}

fn read(
    table: &Table,
    env: &Environment<'_>,
    mut problems: Problems,
) -> Result<Loaded, ConfigError> {
    let mut notes = Vec::new();
    let mut root = Section::new("", table);
    // The embedded default has every section, so one is missing only where a file made it
    // something else, which has been reported.
    let empty = Table::new();
    let mut section = |key: &'static str, problems: &mut Problems| {
        root.section(key, problems)
            .unwrap_or_else(|| Section::new(key, &empty))
    };
    let server = Server::read(section("server", &mut problems), &mut problems);
    let twilio = Twilio::read(section("twilio", &mut problems), env, &mut problems);
    let plivo = Plivo::read(section("plivo", &mut problems), env, &mut problems);
    let surroundings = Surroundings {
        twilio: twilio.is_some(),
        plivo: plivo.is_some(),
        public_url: public_url(table),
    };
    let voice_agent = VoiceAgent::read(
        section("voice_agent", &mut problems),
        &surroundings,
        &mut problems,
        &mut notes,
    );
    let stream = StreamTimes::read(section("stream", &mut problems), &mut problems);
    let recognizer = section("recognizer", &mut problems);
    let recognizer = RecognizerChoice::read(recognizer, env, &mut problems, &mut notes);
    let mut handoff_section = section("handoff", &mut problems);
    let handoff = Handoff::read(&mut handoff_section, &mut problems);
    let delivery = Delivery::read(section("delivery", &mut problems), &mut problems);
    let mut sinks = section("sink", &mut problems);
    let carriers: Vec<Carrier> = (twilio.iter().map(|_| Carrier::Twilio))
        .chain(plivo.iter().map(|_| Carrier::Plivo))
        .collect();
    let targets = Target::read_all(
        root.sections("target", &mut problems),
        &mut handoff_section,
        &Around {
            env,
            carriers: &carriers,
        },
        &mut problems,
        &mut notes,
    );
    let routing = Routing::read_all(
        root.sections("route", &mut problems),
        &targets,
        env,
        &mut problems,
        &mut notes,
    );
    handoff_section.finish(&mut problems);
    let rules = (root.sections("rule", &mut problems).into_iter())
        .filter_map(|section| read_rule(section, &mut problems))
        .collect();
    let zendesk = (sinks.section("zendesk", &mut problems))
        .and_then(|section| Zendesk::read(section, env, &mut problems, &mut notes));
    let slack = (sinks.section("slack", &mut problems))
        .and_then(|section| Slack::read(section, env, &mut problems, &mut notes));
    sinks.finish(&mut problems);
    root.finish(&mut problems);
    let api_token = env.secret("HANDOFF_API_TOKEN", &mut problems);
    if api_token.is_none() {
        notes.push("no API: set HANDOFF_API_TOKEN to let other systems hand calls over".to_owned());
    }
    let announcement = (handoff.as_ref()).map_or(0, |how| how.say.expose().chars().count());
    if announcement > LONGEST_ANNOUNCEMENT {
        let seconds = announcement / SPOKEN_PER_SECOND;
        notes.push(format!(
            "handoff.say takes about {seconds} s to speak, and no phone rings before that"
        ));
    }
    if plivo.is_some() && (voice_agent.as_ref()).is_some_and(|how| how.mode == Mode::Listen) {
        notes.push(
            "Plivo allows one stream a call: beside a voice agent that streams itself, only \
             voice_agent.mode = \"converse\" works"
                .to_owned(),
        );
    }
    let (Some(server), Some(voice_agent), Some(handoff), Some(routing), true) =
        (server, voice_agent, handoff, routing, problems.0.is_empty())
    else {
        return Err(ConfigError::Unusable(problems.0));
    };
    let rules = RuleSet { rules };
    let config = Config {
        server,
        twilio,
        plivo,
        voice_agent,
        stream,
        recognizer,
        handoff,
        targets: targets.targets,
        routing,
        rules,
        delivery,
        zendesk,
        slack,
        api_token,
    };
    Ok(Loaded { config, notes })
}

/// How the carrier reaches us, also where the rest of `[server]` cannot be used.
fn public_url(table: &Table) -> Option<BaseUrl> {
    let url = table.get("server")?.get("public_url")?.as_str()?;
    BaseUrl::parse(url.trim()).ok()
}

/// Two rules of one name in a file would become one, part of each.
fn refuse_rules_of_one_name(given: &Table, problems: &mut Problems) {
    let rules = given.get("rule").and_then(Value::as_array);
    let names = (rules.into_iter().flatten()).filter_map(|rule| rule.get("name")?.as_str());
    let mut seen = BTreeSet::new();
    for name in names.filter(|name| !seen.insert(*name)) {
        problems.add(
            format!("rule[{name}].name"),
            "is the name of another rule in this file too",
        );
    }
}

/// Lays `given` over `base`: tables key by key, rules by their names, everything else whole.
fn merge(base: &mut Table, given: Table) {
    for (key, value) in given {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (Some(Value::Array(old)), Value::Array(new)) if key == "rule" => merge_rules(old, new),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn merge_rules(old: &mut Vec<Value>, new: Vec<Value>) {
    let name = |rule: &Value| rule.get("name").and_then(Value::as_str).map(str::to_owned);
    for rule in new {
        let place =
            name(&rule).and_then(|wanted| old.iter().position(|r| name(r) == Some(wanted.clone())));
        match (place.map(|place| &mut old[place]), rule) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (_, rule) => old.push(rule),
        }
    }
}

fn set(table: &mut Table, keys: &[&str], value: String) {
    let [parents @ .., last] = keys else { return };
    let mut table = table;
    for key in parents {
        let Some(Value::Table(next)) = table.get_mut(*key) else {
            return;
        };
        table = next;
    }
    table.insert((*last).to_owned(), Value::String(value));
}

/// A target named "default", in front of the ones from the file.
fn add_target(table: &mut Table, number: String) {
    let target = Table::from_iter([
        ("name".to_owned(), Value::String("default".to_owned())),
        ("number".to_owned(), Value::String(number)),
    ]);
    let targets = table
        .entry("target")
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(targets) = targets {
        targets.insert(0, Value::Table(target));
    }
}
