//! Configuration sections become what the shells are made of. Shells never see the whole `Config`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use handoff_core::call::{LastResort, Policy};
use handoff_core::id::Carrier;
use handoff_core::route::{Joining, TargetName};
use handoff_core::rule::RuleSet;
use handoff_core::signal::{AsksHuman, Sentiment};
use tracing::warn;

use crate::carrier::twilio::rest::Account;
use crate::carrier::twilio::signature::SigningKeys;
use crate::carrier::{plivo, twilio};
use crate::config::{
    self, Config, ConfigError, Problem, RecognizerChoice, SlackAccess, ZendeskAccess,
};
use crate::delivery::sink::{
    Priority, PriorityRule, PriorityStep, PriorityWhen, Requester, Sink, Slack, SlackLimits,
    SlackOptions, SlackTransport, Zendesk, ZendeskCredentials, ZendeskLimits, ZendeskOptions,
};
use crate::egress::Egress;
use crate::http::{PlivoDoor, TwilioDoor};
use crate::recognizer::Recognizers;
use crate::recognizer::deepgram::{Deepgram, DeepgramOptions, Reconnect, Replay};
use crate::recognizer::pocketsphinx::{ACOUSTIC_MODEL, PocketSphinx, PocketSphinxOptions};
use crate::session::{Carriers, PlivoAccount, Script, TwilioAccount};

/// A call that lasts longer than this is not one: Twilio ends calls after four hours.
const MAXIMUM_AGE: Duration = Duration::from_secs(4 * 3600 + 600);
/// A carrier that acted speaks our announcement and then reports the human's leg, within this.
const FIRST_LEG_NEWS: Duration = Duration::from_secs(3);
/// Slow speech, a character.
const SPOKEN_CHARACTER: Duration = Duration::from_millis(80);
/// An outside URL that gives the order of targets has 800 ms.
const ROUTE_DEADLINE: Duration = Duration::from_secs(1);
/// A carrier fetches what it took at once, or when a stream has ended.
const FETCH_WITHIN: Duration = Duration::from_secs(3);
/// Longer than the longest whisper, said twice, and the key that follows it.
const WHISPERED: Duration = Duration::from_secs(4 * 60);
/// Handoffs of one call, so that a carrier that refuses them all does not fill the ticket system.
const HANDOFFS: u32 = 3;
/// Recognizers answer a flush within about a second.
const LAST_WORDS: Duration = Duration::from_millis(1_500);
/// How often the carrier is asked about a call of which nothing is heard.
const INSPECT_EVERY: Duration = Duration::from_secs(60);
/// Words of callers who ask for a human, which a rule that reads this signal has to hear.
const ASKING_SIGNAL: &str = "caller.asks_for_human";
const ASKING_WORDS: [&str; 8] = [
    "human",
    "real person",
    "representative",
    "operator",
    "supervisor",
    "manager",
    "customer service",
    "speak to someone",
];

/// The accounts at carriers.
pub(super) fn carriers(config: &Config) -> Carriers {
    let script = Script::new(&config.server.public_url, &config.handoff, &config.targets);
    let twilio = config
        .twilio
        .as_ref()
        .zip(config.voice_agent.twilio.as_ref());
    let twilio = twilio.map(|(twilio, mode)| TwilioAccount {
        rest: account(twilio),
        timeout: twilio.timeout,
        mode: mode.clone(),
        script: script.clone(),
    });
    let plivo = config.plivo.as_ref().zip(config.voice_agent.plivo.as_ref());
    let plivo = plivo.map(|(plivo, mode)| PlivoAccount {
        rest: plivo_account(plivo),
        timeout: plivo.timeout,
        mode: mode.clone(),
        script,
    });
    Carriers {
        twilio: twilio.map(Arc::new),
        plivo: plivo.map(Arc::new),
    }
}

/// Where the carriers come in.
pub(super) fn doors(
    config: &Config,
    carriers: &Carriers,
) -> anyhow::Result<(Option<TwilioDoor>, Option<PlivoDoor>)> {
    let mut twilio = None;
    if let (Some(configured), Some(account)) = (&config.twilio, &carriers.twilio) {
        let keys = SigningKeys::AuthTokens(configured.auth_tokens.clone());
        let verifier = twilio::signature::Verifier::new(&config.server.public_url.at(""), keys)
            .context("signatures cannot be checked with this public URL")?;
        twilio = Some(TwilioDoor {
            verifier: Arc::new(verifier),
            account: Arc::clone(account),
        });
    }
    let mut plivo = None;
    if let (Some(configured), Some(account)) = (&config.plivo, &carriers.plivo) {
        let tokens = configured.auth_tokens.clone();
        let verifier = plivo::signature::Verifier::new(&config.server.public_url, tokens)
            .context("signatures cannot be checked without a token")?;
        plivo = Some(PlivoDoor {
            verifier: Arc::new(verifier),
            account: Arc::clone(account),
        });
    }
    Ok((twilio, plivo))
}

/// Takes the rules out of the configuration, because expressions are compiled once.
pub(super) fn policy(config: &mut Config) -> Policy {
    Policy {
        rules: std::mem::take(&mut config.rules),
        asks_human: AsksHuman::new(),
        sentiment: Sentiment::new(),
        routes: Arc::clone(&config.routing.routes),
        unreachable: unreachable(&config.targets),
        last_resort: match config.handoff.last_resort {
            config::LastResort::CallBack => LastResort::CallBack,
            config::LastResort::Voicemail { .. } => LastResort::Voicemail,
        },
        mode: config.voice_agent.mode,
        digits_pause: config.handoff.digits_pause,
        journal_deadline: config.handoff.journal_deadline,
        rewrite_attempts: config.handoff.attempts,
        rewrite_retry: config.handoff.retry,
        route_deadline: ROUTE_DEADLINE,
        rewrite_evidence: evidence_after(config.handoff.say.expose()),
        fetch_within: FETCH_WITHIN,
        bridged_after: config.handoff.bridged_after,
        human_deadline: human_deadline(&config.targets),
        handoffs: HANDOFFS,
        last_words: LAST_WORDS,
        stream_grace: config.stream.grace,
        inspect_every: INSPECT_EVERY,
        maximum_age: MAXIMUM_AGE,
    }
}

/// How long a caller waits in a conference for a human of whom nothing is heard: until the longest ring of
/// those who are called to one is over.
fn human_deadline(targets: &[config::Target]) -> Duration {
    let called = (targets.iter()).filter(|target| target.joining() == Joining::Conference);
    let longest = called.map(|target| target.ring.get()).max();
    Duration::from_secs(longest.unwrap_or_default().into()) + WHISPERED
}

fn unreachable(targets: &[config::Target]) -> BTreeSet<(Carrier, TargetName)> {
    let carriers = [Carrier::Twilio, Carrier::Plivo];
    let cannot = |carrier: Carrier| {
        let cannot = (targets.iter()).filter(move |at| at.reach.possible_at(carrier).is_err());
        cannot.map(move |target| (carrier, target.name.clone()))
    };
    carriers.into_iter().flat_map(cannot).collect()
}

fn evidence_after(announcement: &str) -> Duration {
    let characters = u32::try_from(announcement.chars().count()).unwrap_or(u32::MAX);
    FIRST_LEG_NEWS + SPOKEN_CHARACTER.saturating_mul(characters)
}

pub(super) fn account(twilio: &config::Twilio) -> Account {
    Account::new(&twilio.account_sid, &twilio.credentials, &twilio.base_url)
}

pub(super) fn plivo_account(plivo: &config::Plivo) -> plivo::rest::Account {
    plivo::rest::Account::new(&plivo.auth_id, &plivo.auth_tokens[0], &plivo.base_url)
}

/// Makes the recognizers. What they write goes below `data`.
///
/// # Errors
/// The one that was asked for by name is not installed.
pub(super) fn recognizers(
    config: &Config,
    data: &Path,
    egress: &Egress,
) -> Result<Recognizers, ConfigError> {
    match &config.recognizer {
        RecognizerChoice::Deepgram(deepgram) => {
            let options = deepgram_options(deepgram, &config.rules);
            let deepgram = Deepgram::new(options, egress.clone());
            Ok(Recognizers::Deepgram(Arc::new(deepgram)))
        }
        RecognizerChoice::PocketSphinx(sphinx) => pocketsphinx(*sphinx, data),
        RecognizerChoice::PocketSphinxIfInstalled(sphinx) => {
            match PocketSphinx::load(sphinx_options(*sphinx, data)) {
                Ok(loaded) => Ok(Recognizers::PocketSphinx(loaded)),
                Err(error) => {
                    warn!(%error, "no recognizer: only keys, silence and the API trigger handoffs");
                    Ok(Recognizers::None)
                }
            }
        }
        RecognizerChoice::None => Ok(Recognizers::None),
    }
}

/// Loads the embedded recognizer, which was asked for by name. What it writes goes below `data`.
///
/// # Errors
/// It is not installed.
pub(super) fn pocketsphinx(
    sphinx: config::PocketSphinx,
    data: &Path,
) -> Result<Recognizers, ConfigError> {
    match PocketSphinx::load(sphinx_options(sphinx, data)) {
        Ok(loaded) => Ok(Recognizers::PocketSphinx(loaded)),
        Err(error) => Err(ConfigError::Unusable(vec![Problem {
            path: "recognizer.kind".to_owned(),
            message: format!("is \"pocketsphinx\", but {:#}", anyhow::Error::from(error)),
        }])),
    }
}

fn deepgram_options(deepgram: &config::Deepgram, rules: &RuleSet) -> DeepgramOptions {
    let millis = |span: Duration| u32::try_from(span.as_millis()).unwrap_or(u32::MAX);
    let keyterms = deepgram.keyterms.iter().cloned();
    let asking = words_of(rules).iter().map(|word| (*word).to_owned());
    DeepgramOptions {
        base_url: deepgram.base_url.at(""),
        api_key: deepgram.api_key.clone(),
        model: deepgram.model.clone(),
        language: deepgram.language.clone(),
        endpointing_ms: millis(deepgram.endpointing),
        utterance_end_ms: millis(deepgram.utterance_end),
        // What does not fit is left out from the end: never the words that ask for a human.
        keyterms: asking.chain(keyterms).collect(),
        mip_opt_out: true,
        connect_deadline: Duration::from_secs(5),
        keep_alive: Duration::from_secs(4),
        answer_deadline: Duration::from_secs(10),
        finish_deadline: Duration::from_secs(5),
        reconnect: Reconnect {
            first: Duration::from_millis(250),
            max: Duration::from_secs(4),
            lost_after: 4,
        },
        replay: Replay {
            cap: Duration::from_secs(5).saturating_mul(deepgram.pace),
            rewind: Duration::from_millis(800),
            rate: 1.25 * f64::from(deepgram.pace),
        },
    }
}

/// What the rules need the recognizer to hear.
fn words_of(rules: &RuleSet) -> &'static [&'static str] {
    let asks = (rules.rules.iter()).any(|rule| {
        let signals = rule.when.signals();
        signals.iter().any(|signal| signal.name == ASKING_SIGNAL)
    });
    if asks { &ASKING_WORDS } else { &[] }
}

fn sphinx_options(sphinx: config::PocketSphinx, data: &Path) -> PocketSphinxOptions {
    PocketSphinxOptions {
        acoustic_model: PathBuf::from(ACOUSTIC_MODEL),
        scratch: data.join("pocketsphinx"),
        max_decoders: sphinx.max_streams,
    }
}

/// The sinks whose secrets are set.
pub(super) fn sinks(config: &Config) -> Vec<Sink> {
    let zendesk = config.zendesk.as_ref().map(zendesk_options);
    let slack = config.slack.as_ref().map(slack_options);
    let zendesk = zendesk.map(|options| Sink::Zendesk(Zendesk::new(options)));
    let slack = slack.map(|options| Sink::Slack(Slack::new(options)));
    zendesk.into_iter().chain(slack).collect()
}

fn zendesk_options(zendesk: &config::Zendesk) -> ZendeskOptions {
    let credentials = match &zendesk.access {
        ZendeskAccess::Client { id, secret } => ZendeskCredentials::OAuth {
            client_id: id.clone(),
            client_secret: secret.clone(),
            scope: "read write".to_owned(),
        },
        ZendeskAccess::Token { email, token } => ZendeskCredentials::ApiToken {
            email: email.clone(),
            token: token.clone(),
        },
    };
    let requester = match &zendesk.requester_email {
        Some(email) => Requester::Fixed {
            name: zendesk.requester_name.clone(),
            email: email.clone(),
        },
        None => Requester::Caller {
            name_parameter: None,
            email_parameter: None,
        },
    };
    let upset = PriorityStep {
        when: PriorityWhen::SentimentBelow(-0.5),
        priority: Priority::High,
    };
    ZendeskOptions {
        base: zendesk.base_url.clone(),
        credentials,
        requester,
        priority: PriorityRule {
            steps: vec![upset],
            otherwise: Priority::Normal,
        },
        tags: zendesk.tags.clone(),
        custom_fields: Vec::new(),
        limits: ZendeskLimits::VENDOR,
    }
}

fn slack_options(slack: &config::Slack) -> SlackOptions {
    let transport = match &slack.access {
        SlackAccess::Bot { token, channel } => SlackTransport::Bot {
            base: slack.base_url.below("/api"),
            token: token.clone(),
            channel: channel.clone(),
        },
        SlackAccess::Webhook { url } => SlackTransport::Webhook { url: url.clone() },
    };
    SlackOptions {
        transport,
        limits: SlackLimits::VENDOR,
    }
}
