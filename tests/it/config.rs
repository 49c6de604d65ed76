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

/// One mistake each: the file, what the environment says otherwise (nothing: it is not set), the
/// path that is told, and words of what is told.
struct Mistake {
    file: &'static str,
    environment: &'static [(&'static str, &'static str)],
    path: &'static str,
    words: &'static str,
}

const fn in_file(file: &'static str, path: &'static str, words: &'static str) -> Mistake {
    Mistake {
        file,
        environment: &[],
        path,
        words,
    }
}

const fn in_environment(
    environment: &'static [(&'static str, &'static str)],
    path: &'static str,
    words: &'static str,
) -> Mistake {
    Mistake {
        file: "",
        environment,
        path,
        words,
    }
}

const SINGLE: &[Mistake] = &[
    in_file(
        "[server]\nlisten = \"0.0.0.0:99999\"",
        "server.listen",
        "no address",
    ),
    in_file(
        "[server]\nlisten = \"8080\"",
        "server.listen",
        "0.0.0.0:8080",
    ),
    in_file("[server]\nlisten = 8080", "server.listen", "text in quotes"),
    in_environment(
        &[("HANDOFF_LISTEN", "127.0.0.1")],
        "server.listen",
        "no address",
    ),
    in_file(
        "[server]\ndata_dir = \"handoff.toml\"",
        "server.data_dir",
        "is a file",
    ),
    in_file(
        "[server]\ndata_dir = \"handoff.toml/below/it\"",
        "server.data_dir",
        "is a file",
    ),
    in_file(
        "[server]\ndata_dir = \"\"",
        "server.data_dir",
        "give a directory",
    ),
    in_environment(
        &[("HANDOFF_PUBLIC_URL", "handoff.example.com")],
        "server.public_url",
        "https://",
    ),
    in_environment(
        &[("HANDOFF_PUBLIC_URL", "http://handoff.example.com")],
        "server.public_url",
        "only on this machine",
    ),
    in_environment(
        &[("HANDOFF_PUBLIC_URL", "https://u:p@h.example.com")],
        "server.public_url",
        "credentials",
    ),
    in_environment(
        &[("HANDOFF_PUBLIC_URL", "https://h.example.com/?a=b")],
        "server.public_url",
        "query",
    ),
    in_environment(
        &[("HANDOFF_PUBLIC_URL", "https://h.example.com:70000")],
        "server.public_url",
        "65535",
    ),
    in_environment(
        &[("TWILIO_ACCOUNT_SID", "AC1")],
        "TWILIO_ACCOUNT_SID",
        "AC and 32",
    ),
    in_environment(&[("TWILIO_API_KEY", "SK:1")], "TWILIO_API_KEY", "SK and 32"),
    in_environment(
        &[("TWILIO_API_KEY", "")],
        "TWILIO_API_KEY",
        "beside TWILIO_API_SECRET",
    ),
    in_environment(
        &[("TWILIO_API_SECRET", "")],
        "TWILIO_API_SECRET",
        "beside TWILIO_API_KEY",
    ),
    in_environment(
        &[("TWILIO_AUTH_TOKEN", "two words")],
        "TWILIO_AUTH_TOKEN",
        "space",
    ),
    in_file(
        "[twilio]\nbase_url = \"https://u:p@api.twilio.com\"",
        "twilio.base_url",
        "credentials",
    ),
    in_file("[twilio]\ntimeout = \"4\"", "twilio.timeout", "no duration"),
    in_environment(
        &[("VOICE_AGENT_URL", "https://u:p@bot.example.com")],
        "voice_agent.webhook_url",
        "credentials",
    ),
    in_environment(
        &[("VOICE_AGENT_URL", "http://bot.example.com")],
        "voice_agent.webhook_url",
        "https://",
    ),
    Mistake {
        file: "[voice_agent]\ndocument = \"<Dail>+15550100042</Dail>\"",
        environment: &[("VOICE_AGENT_URL", "")],
        path: "voice_agent.document",
        words: "<Dail> is not a verb",
    },
    in_file(
        "[voice_agent]\ndocument = \"<Hangup/>\"",
        "voice_agent.document",
        "beside webhook_url",
    ),
    in_file("[handoff]\nring = \"2s\"", "handoff.ring", "5s to 600s"),
    in_file("[handoff]\nring = \"2days\"", "handoff.ring", "5s to 600s"),
    in_file("[handoff]\nsay = \" \"", "handoff.say", "text to speak"),
    in_file(
        "[handoff]\ncaller_id = \"mine\"",
        "handoff.caller_id",
        "\"called\"",
    ),
    in_file("[handoff]\ntarget = \"sales\"", "handoff.target", "sales"),
    in_environment(
        &[("HANDOFF_TARGET", "0555 0100042")],
        "target[default].number",
        "country code",
    ),
    in_file(
        "[[target]]\nname = \"default\"\nnumber = \"+15550100043\"",
        "target[default].name",
        "another target",
    ),
    in_file(
        "[[target]]\nname = \"late\"\nnumber = \"+15550100043\"\nring = \"1h\"",
        "target[late].ring",
        "5s to 600s",
    ),
    in_file(
        "[[rule]]\nname = \"a\"\nwhen = \"true\"\n[[rule]]\nname = \"a\"\nwhen = \"false\"",
        "rule[a].name",
        "another rule",
    ),
    in_file(
        "[recognizer]\nkind = \"whisper\"",
        "recognizer.kind",
        "pocketsphinx",
    ),
    in_environment(
        &[("DEEPGRAM_API_KEY", ""), ("HANDOFF_RECOGNIZER", "deepgram")],
        "DEEPGRAM_API_KEY",
        "is not set",
    ),
    in_environment(
        &[("DEEPGRAM_BASE_URL", "api.deepgram.com")],
        "recognizer.deepgram.base_url",
        "https://",
    ),
    in_environment(
        &[("ZENDESK_BASE_URL", "")],
        "sink.zendesk.base_url",
        "ZENDESK_BASE_URL",
    ),
    in_environment(
        &[("ZENDESK_BASE_URL", "https://acme.zendesk.com:0")],
        "sink.zendesk.base_url",
        "65535",
    ),
    in_environment(
        &[("ZENDESK_CLIENT_ID", "")],
        "ZENDESK_CLIENT_ID",
        "beside ZENDESK_CLIENT_SECRET",
    ),
    in_environment(
        &[("ZENDESK_CLIENT_SECRET", "")],
        "ZENDESK_CLIENT_SECRET",
        "beside ZENDESK_CLIENT_ID",
    ),
    in_environment(
        &[("ZENDESK_EMAIL", "ann@example.com")],
        "ZENDESK_API_TOKEN",
        "beside ZENDESK_EMAIL",
    ),
    in_environment(
        &[("ZENDESK_API_TOKEN", "t")],
        "ZENDESK_EMAIL",
        "beside ZENDESK_API_TOKEN",
    ),
    in_environment(
        &[("ZENDESK_CLIENT_ID", ""), ("ZENDESK_CLIENT_SECRET", "")],
        "ZENDESK_CLIENT_ID",
        "beside ZENDESK_BASE_URL",
    ),
    in_environment(
        &[("SLACK_CHANNEL", "")],
        "sink.slack.channel",
        "SLACK_CHANNEL",
    ),
    in_environment(
        &[("SLACK_BOT_TOKEN", "")],
        "SLACK_BOT_TOKEN",
        "beside SLACK_CHANNEL",
    ),
    in_environment(
        &[
            ("SLACK_BOT_TOKEN", ""),
            ("SLACK_CHANNEL", ""),
            ("SLACK_WEBHOOK_URL", "hooks.slack.com/x"),
        ],
        "SLACK_WEBHOOK_URL",
        "https://",
    ),
    in_file(
        "[delivery]\ngive_up_after = 24",
        "delivery.give_up_after",
        "text in quotes",
    ),
    in_file("[server]\nmax_calls = 0", "server.max_calls", "1 to 32000"),
    in_file(
        "[server]\nmax_calls = 32001",
        "server.max_calls",
        "1 to 32000",
    ),
    in_file("[server]\ndrain = \"5h\"", "server.drain", "0s to 4h"),
    in_file(
        "[twilio]\ntimeout = \"0s\"",
        "twilio.timeout",
        "500ms to 10s",
    ),
    in_file(
        "[twilio]\ntimeout = \"1h\"",
        "twilio.timeout",
        "500ms to 10s",
    ),
    in_file(
        "[stream]\nstart_deadline = \"0s\"",
        "stream.start_deadline",
        "250ms to 1m",
    ),
    in_file(
        "[stream]\nstart_deadline = \"500000000000y\"",
        "stream.start_deadline",
        "250ms to 1m",
    ),
    in_file("[stream]\ngrace = \"0s\"", "stream.grace", "250ms to 2m"),
    in_file("[stream]\ngrace = \"1h\"", "stream.grace", "250ms to 2m"),
    in_file(
        "[recognizer.deepgram]\nendpointing = \"0s\"",
        "recognizer.deepgram.endpointing",
        "10ms to 5s",
    ),
    in_file(
        "[recognizer.deepgram]\nendpointing = \"1h\"",
        "recognizer.deepgram.endpointing",
        "10ms to 5s",
    ),
    in_file(
        "[recognizer.deepgram]\nutterance_end = \"999ms\"",
        "recognizer.deepgram.utterance_end",
        "1s to 5s",
    ),
    in_file(
        "[recognizer.deepgram]\nutterance_end = \"1h\"",
        "recognizer.deepgram.utterance_end",
        "1s to 5s",
    ),
    in_file(
        "[recognizer.deepgram]\npace = 0",
        "recognizer.deepgram.pace",
        "1 to 1000",
    ),
    in_file(
        "[recognizer.deepgram]\npace = 1001",
        "recognizer.deepgram.pace",
        "1 to 1000",
    ),
    in_file(
        "[recognizer.pocketsphinx]\nmax_streams = 0",
        "recognizer.pocketsphinx.max_streams",
        "1 to 1000",
    ),
    in_file(
        "[recognizer.pocketsphinx]\nmax_streams = 1001",
        "recognizer.pocketsphinx.max_streams",
        "1 to 1000",
    ),
    in_file(
        "[handoff]\ndigits_pause = \"0s\"",
        "handoff.digits_pause",
        "500ms to 10s",
    ),
    in_file(
        "[handoff]\ndigits_pause = \"1h\"",
        "handoff.digits_pause",
        "500ms to 10s",
    ),
    in_file(
        "[handoff]\njournal_deadline = \"0s\"",
        "handoff.journal_deadline",
        "50ms to 2s",
    ),
    in_file(
        "[handoff]\njournal_deadline = \"1h\"",
        "handoff.journal_deadline",
        "50ms to 2s",
    ),
    in_file("[handoff]\nattempts = 0", "handoff.attempts", "1 to 10"),
    in_file("[handoff]\nattempts = 11", "handoff.attempts", "1 to 10"),
    in_file("[handoff]\nretry = \"0s\"", "handoff.retry", "50ms to 2s"),
    in_file("[handoff]\nretry = \"1h\"", "handoff.retry", "50ms to 2s"),
    in_file(
        "[delivery]\ngive_up_after = \"0s\"",
        "delivery.give_up_after",
        "5m to 30days",
    ),
    in_file(
        "[delivery]\ngive_up_after = \"31days\"",
        "delivery.give_up_after",
        "5m to 30days",
    ),
    in_file(
        "[[rule]]\nname = \"caller_asks_for_human\"\ncool_down = \"0s\"",
        "rule[caller_asks_for_human].cool_down",
        "1s to 4h",
    ),
    in_file(
        "[[rule]]\nname = \"caller_asks_for_human\"\ncool_down = \"5h\"",
        "rule[caller_asks_for_human].cool_down",
        "1s to 4h",
    ),
    in_file("[stream]\ngrace = \"-1s\"", "stream.grace", "no duration"),
    in_file(
        "[twilio]\ntimeout = \"0s\"",
        "twilio.timeout",
        "the caller waits",
    ),
    in_environment(
        &[(
            "VOICE_AGENT_URL",
            "https://handoff.example.com/twilio/voice",
        )],
        "voice_agent.webhook_url",
        "for ever",
    ),
    in_environment(
        &[(
            "VOICE_AGENT_URL",
            "https://HANDOFF.example.com:443/twilio/status?a=b",
        )],
        "voice_agent.webhook_url",
        "for ever",
    ),
    Mistake {
        file: "[voice_agent]\ndocument = \"<Redirect>https://handoff.example.com/twilio/voice</Redirect>\"",
        environment: &[("VOICE_AGENT_URL", "")],
        path: "voice_agent.document",
        words: "for ever",
    },
    Mistake {
        file: "[voice_agent]\ndocument = \"<Redirect>/twilio/voice</Redirect>\"",
        environment: &[("VOICE_AGENT_URL", "")],
        path: "voice_agent.document",
        words: "for ever",
    },
    in_file(
        "[sink.zendesk]\nrequester_email = \"nope\"",
        "sink.zendesk.requester_email",
        "phone@example.com",
    ),
    in_file(
        "[sink.zendesk]\nrequester_name = \"\"\nrequester_email = \"phone@example.com\"",
        "sink.zendesk.requester_name",
        "beside requester_email",
    ),
    in_file(
        "[sink.zendesk]\ntags = [\"voice handoff\"]",
        "sink.zendesk.tags",
        "lower-case",
    ),
    in_file(
        "[sink.zendesk]\ntags = [\"Voice\"]",
        "sink.zendesk.tags",
        "lower-case",
    ),
    in_file(
        "[sink.zendesk]\ntags = [\"\"]",
        "sink.zendesk.tags",
        "lower-case",
    ),
    in_file(
        "[sink.zendesk]\ntags = [\"a,b\"]",
        "sink.zendesk.tags",
        "lower-case",
    ),
    in_environment(
        &[
            ("ZENDESK_CLIENT_ID", ""),
            ("ZENDESK_CLIENT_SECRET", ""),
            ("ZENDESK_EMAIL", "ann@example.com/token"),
            ("ZENDESK_API_TOKEN", "t"),
        ],
        "ZENDESK_EMAIL",
        "e-mail address",
    ),
    in_environment(
        &[("SLACK_CHANNEL", "#general")],
        "sink.slack.channel",
        "not its name",
    ),
    in_environment(
        &[("SLACK_CHANNEL", "general")],
        "sink.slack.channel",
        "not its name",
    ),
    in_environment(
        &[("SLACK_CHANNEL", "U0123456789")],
        "sink.slack.channel",
        "not its name",
    ),
    in_environment(
        &[("SLACK_CHANNEL", "C012345678x")],
        "sink.slack.channel",
        "not its name",
    ),
    in_file(
        "[recognizer.deepgram]\nmodel = \"\"",
        "recognizer.deepgram.model",
        "no name",
    ),
    in_file(
        "[recognizer.deepgram]\nlanguage = \"en US\"",
        "recognizer.deepgram.language",
        "no name",
    ),
    in_file("[delivry]\nx = 1", "delivry", "did you mean \"delivery\"?"),
];

#[tokio::test]
async fn check_refuses_what_serve_refuses_and_both_name_the_place() {
    for mistake in SINGLE {
        let Mistake {
            file,
            environment,
            path,
            words,
        } = mistake;
        let set = with(environment);
        for command in [&["check"][..], &["serve"]] {
            let told = run_with(command, file, &set).await;
            let about = format!("{file} {environment:?} {command:?}: {}", told.stderr);
            assert_eq!(told.code, UNUSABLE, "{about}");
            assert_eq!(
                told.stderr.lines().next(),
                Some("handoff: the configuration has 1 problem"),
                "{about}"
            );
            let place = format!("  {path}: ");
            let line = told.stderr.lines().find(|line| line.starts_with(&place));
            assert!(line.is_some_and(|line| line.contains(words)), "{about}");
        }
    }
}

#[tokio::test]
async fn a_sink_of_which_nothing_is_set_is_a_note() {
    let mut set = secrets();
    set.retain(|(name, _)| !name.starts_with("ZENDESK") && !name.starts_with("SLACK"));
    let told = run_with(&["check"], "", &set).await;
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    for note in ["no Zendesk ticket", "no Slack card"] {
        assert!(told.stdout.contains(note), "{}", told.stdout);
    }
}

/// Every setting that has bounds, at its least and at its most.
const AT_THE_BOUNDS: [(&str, &str, [&str; 2]); 18] = [
    ("[server]", "max_calls", ["1", "32000"]),
    ("[server]", "drain", ["\"0s\"", "\"4h\""]),
    ("[twilio]", "timeout", ["\"500ms\"", "\"10s\""]),
    ("[stream]", "start_deadline", ["\"250ms\"", "\"1m\""]),
    ("[stream]", "grace", ["\"250ms\"", "\"2m\""]),
    (
        "[recognizer.deepgram]",
        "endpointing",
        ["\"10ms\"", "\"5s\""],
    ),
    (
        "[recognizer.deepgram]",
        "utterance_end",
        ["\"1s\"", "\"5s\""],
    ),
    ("[recognizer.deepgram]", "pace", ["1", "1000"]),
    ("[recognizer.pocketsphinx]", "max_streams", ["1", "1000"]),
    ("[handoff]", "ring", ["\"5s\"", "\"600s\""]),
    ("[handoff]", "digits_pause", ["\"500ms\"", "\"10s\""]),
    ("[handoff]", "journal_deadline", ["\"50ms\"", "\"2s\""]),
    ("[handoff]", "attempts", ["1", "10"]),
    ("[handoff]", "retry", ["\"50ms\"", "\"2s\""]),
    ("[handoff]", "bridged_after", ["\"0s\"", "\"30s\""]),
    ("[handoff]", "voicemail_longest", ["\"5s\"", "\"30m\""]),
    ("[delivery]", "give_up_after", ["\"5m\"", "\"30days\""]),
    (
        "[[rule]]\nname = \"caller_asks_for_human\"",
        "cool_down",
        ["\"1s\"", "\"4h\""],
    ),
];

#[tokio::test]
async fn the_least_and_the_most_can_be_used() {
    for which in [0, 1] {
        let mut file = String::new();
        let mut last = "";
        for (section, key, values) in AT_THE_BOUNDS {
            if section != last {
                file.push_str(&format!("{section}\n"));
                last = section;
            }
            file.push_str(&format!("{key} = {}\n", values[which]));
        }
        let told = run_with(&["check"], &file, &secrets()).await;
        assert_eq!(told.code, Some(0), "{file}{}", told.stderr);
    }
}

#[tokio::test]
async fn what_is_set_and_not_used_is_a_note() {
    let webhook = ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/x");
    let token = [
        ("ZENDESK_EMAIL", "ann@example.com"),
        ("ZENDESK_API_TOKEN", "t"),
    ];
    let bot = ("VOICE_AGENT_URL", "https://handoff.example.com/bot");
    for (changed, note) in [
        (&[webhook][..], "the bot is used"),
        (
            &[webhook, ("SLACK_BOT_TOKEN", "")],
            "SLACK_CHANNEL is not used",
        ),
        (&token, "the client is used"),
        (&[bot], "only if a proxy"),
    ] {
        let told = run_with(&["check"], "", &with(changed)).await;
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        let notes = told.stdout.lines().filter(|line| line.starts_with("note "));
        assert_eq!(
            notes.filter(|line| line.contains(note)).count(),
            1,
            "{}",
            told.stdout
        );
    }
}

#[test]
fn fly_lets_more_connections_through_than_there_are_calls() {
    let number = |text: &str, key: &str| -> u32 {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let value = line.and_then(|rest| rest.strip_prefix(" = "));
        value
            .and_then(|value| value.parse().ok())
            .expect("a number")
    };
    let calls = number(handoff::config::DEFAULT, "max_calls");
    let fly = include_str!("../../fly.toml");
    assert!(number(fly, "soft_limit") > calls);
    assert!(number(fly, "hard_limit") > number(fly, "soft_limit"));
}

#[tokio::test]
async fn check_leaves_nothing_behind() {
    let folder = Scratch::new();
    let mut set = secrets();
    set.push(("HANDOFF_DATA_DIR".to_owned(), "not/yet/there".to_owned()));
    let told = run(&["check"], &folder.0, &set).await;
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    assert!(!folder.0.join("not").exists());
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

/// The same with other values; an empty one is not set.
fn with(changed: &[(&str, &str)]) -> Environment {
    let mut set = secrets();
    set.retain(|(name, _)| changed.iter().all(|(other, _)| other != name));
    let given = changed.iter().filter(|(_, value)| !value.is_empty());
    set.extend(given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    set
}

async fn run_with(command: &[&str], config: &str, environment: &Environment) -> Finished {
    let folder = Scratch::new();
    std::fs::write(folder.0.join("handoff.toml"), config).expect("the file can be written");
    let arguments = [command, &["--config", "handoff.toml"]].concat();
    run(&arguments, &folder.0, environment).await
}
