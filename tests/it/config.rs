//! What `check` and `serve` say of a configuration, and with which exit code.

use serde_json::Value;

use super::process::{Environment, Finished, run};
use super::stage::{ACCOUNT, Scratch, Setup, Stage};

const UNUSABLE: Option<i32> = Some(2);

const FIVE_MISTAKES: &str = r#"
[server]
max_calls = 0
drain = "soon"

[voice_agent]
mod = "listen"

[[target]]
name = "support"
number = "0555 0100042"

[[rule]]
name = "too_silent"
when = "caller.silence > 8"
"#;

const MISTAKES: [(&str, &str); 5] = [
    ("server.max_calls", "whole number"),
    ("server.drain", "no duration"),
    ("voice_agent.mod", "did you mean \"mode\"?"),
    ("target[support].number", "country code"),
    ("rule[too_silent].when", "caller.silence"),
];

#[tokio::test]
async fn all_five_mistakes_are_told_with_their_paths() {
    for command in [&["check"][..], &["serve"]] {
        let told = run_with(command, FIVE_MISTAKES, &secrets()).await;
        assert_eq!(told.code, UNUSABLE, "{command:?}: {}", told.stderr);
        for (path, words) in MISTAKES {
            let line = told.stderr.lines().find(|line| line.contains(path));
            let line = line.unwrap_or_else(|| panic!("{path} is not in {}", told.stderr));
            assert!(line.contains(words), "{line}");
        }
        assert!(told.stderr.contains("5 problems"), "{}", told.stderr);
    }
}

#[tokio::test]
async fn the_mistakes_come_as_one_json_object_too() {
    let told = run_with(&["check", "--json"], FIVE_MISTAKES, &secrets()).await;
    assert_eq!(told.code, UNUSABLE);
    let report: Value = serde_json::from_str(&told.stdout).expect("one JSON object");
    assert_eq!(report["ok"], false);
    let problems = report["problems"].as_array().expect("a list");
    assert_eq!(problems.len(), MISTAKES.len(), "{report:#}");
    for (path, words) in MISTAKES {
        let found = problems.iter().any(|problem| {
            problem["path"]
                .as_str()
                .is_some_and(|text| text.contains(path))
                && problem["message"]
                    .as_str()
                    .is_some_and(|text| text.contains(words))
        });
        assert!(found, "{path} is not in {report:#}");
    }
}

#[tokio::test]
async fn missing_secrets_are_named() {
    for command in [&["check"][..], &["serve"], &["doctor"]] {
        let told = run_with(command, "", &Environment::new()).await;
        assert_eq!(told.code, UNUSABLE, "{command:?}");
        for name in [
            "TWILIO_ACCOUNT_SID",
            "TWILIO_AUTH_TOKEN",
            "HANDOFF_PUBLIC_URL",
            "HANDOFF_TARGET",
            "VOICE_AGENT_URL",
        ] {
            assert!(
                told.stderr.contains(name),
                "{name} is not in {}",
                told.stderr
            );
        }
    }
    let mut environment = secrets();
    environment.push(("HANDOFF_RECOGNIZER".to_owned(), "deepgram".to_owned()));
    environment.retain(|(name, _)| name != "DEEPGRAM_API_KEY");
    let told = run_with(&["check"], "", &environment).await;
    assert_eq!(told.code, UNUSABLE);
    assert!(told.stderr.contains("DEEPGRAM_API_KEY"), "{}", told.stderr);
}

#[tokio::test]
async fn a_usable_configuration_is_shown_without_its_secrets() {
    for command in [&["check"][..], &["check", "--json"]] {
        let told = run_with(command, "", &secrets()).await;
        assert_eq!(told.code, Some(0), "{}{}", told.stdout, told.stderr);
        for (name, secret) in SECRETS {
            let shown = told.stdout.contains(secret) || told.stderr.contains(secret);
            assert!(!shown, "{name} is shown by {command:?}: {}", told.stdout);
        }
    }
    let told = run_with(&["check"], "", &secrets()).await;
    for used in [
        ACCOUNT,
        "caller_asks_for_human",
        "zendesk",
        "slack",
        "deepgram",
        "default",
    ] {
        assert!(
            told.stdout.contains(used),
            "{used} is not in {}",
            told.stdout
        );
    }
}

#[tokio::test]
async fn a_file_that_is_missing_or_no_toml_is_named() {
    let told = run_with(&["check"], "[server\n", &secrets()).await;
    assert_eq!(told.code, UNUSABLE);
    assert!(
        told.stderr.contains("handoff.toml is not valid TOML"),
        "{}",
        told.stderr
    );
    let folder = Scratch::new();
    let told = run(
        &["check", "--config", "nowhere.toml"],
        &folder.0,
        &secrets(),
    )
    .await;
    assert_eq!(told.code, UNUSABLE);
    assert!(told.stderr.contains("nowhere.toml"), "{}", told.stderr);
}

#[tokio::test]
async fn a_log_filter_that_cannot_be_used_is_told_and_the_log_goes_on() {
    let mut setup = Setup::empty();
    setup.env("HANDOFF_LOG", "inof");
    let books = Stage::set(setup).await.finish().await;
    let told = |words: &str| books.log.iter().any(|line| line.contains(words));
    assert!(told("HANDOFF_LOG is not used"), "{:#?}", books.log);
    assert!(told("INFO listening"), "{:#?}", books.log);
}

const SECRETS: [(&str, &str); 8] = [
    ("TWILIO_AUTH_TOKEN", "check-secret-auth-token"),
    ("TWILIO_AUTH_TOKEN_PREVIOUS", "check-secret-previous"),
    ("TWILIO_API_SECRET", "check-secret-api"),
    ("DEEPGRAM_API_KEY", "check-secret-deepgram"),
    ("ZENDESK_CLIENT_SECRET", "check-secret-zendesk"),
    ("SLACK_BOT_TOKEN", "xoxb-check-secret-slack"),
    ("HANDOFF_API_TOKEN", "check-secret-api-token"),
    // A person's telephone, and as such nobody's business.
    ("HANDOFF_TARGET", "+15550100042"),
];

/// An environment with which the server would start.
fn secrets() -> Environment {
    let more = [
        ("HANDOFF_PUBLIC_URL", "https://handoff.example.com"),
        ("VOICE_AGENT_URL", "https://bot.example.com/voice"),
        ("TWILIO_ACCOUNT_SID", ACCOUNT),
        ("TWILIO_API_KEY", "SK00000000000000000000000000000001"),
        ("ZENDESK_BASE_URL", "https://example.zendesk.com"),
        ("ZENDESK_CLIENT_ID", "handoff_test"),
        ("SLACK_CHANNEL", "C0HANDOFF1"),
    ];
    let all = SECRETS.iter().chain(&more);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

async fn run_with(command: &[&str], config: &str, environment: &Environment) -> Finished {
    let folder = Scratch::new();
    std::fs::write(folder.0.join("handoff.toml"), config).expect("the file can be written");
    let arguments = [command, &["--config", "handoff.toml"]].concat();
    run(&arguments, &folder.0, environment).await
}
