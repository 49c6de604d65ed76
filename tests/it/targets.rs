//! Targets and routes: what a configuration may say of them, what `check` shows, what the API takes.

use handoff::config::{self, ConfigError, Environment, Loaded, Problem};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::process::run;
use super::stage::{ACCOUNT, PLIVO_ACCOUNT, PLIVO_TOKEN, Scratch, Setup, Stage, TARGET};

/// Which carriers are configured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Twilio,
    Plivo,
    Both,
}

const SECRET: &str = "whsec_YnJpZGdlLWhhbmRvZmYtdGVzdC1rZXktMzJieXRlcyE=";

fn environment(at: At, more: &[(&str, &str)]) -> super::process::Environment {
    let twilio = [("TWILIO_ACCOUNT_SID", ACCOUNT), ("TWILIO_AUTH_TOKEN", "t")];
    let plivo = [
        ("PLIVO_AUTH_ID", PLIVO_ACCOUNT),
        ("PLIVO_AUTH_TOKEN", PLIVO_TOKEN),
    ];
    let mut set = vec![
        ("HANDOFF_PUBLIC_URL", "https://handoff.example.com"),
        ("VOICE_AGENT_URL", "https://bot.example.com/voice"),
        ("HANDOFF_TARGET", TARGET),
    ];
    set.extend(twilio.iter().filter(|_| at != At::Plivo));
    set.extend(plivo.iter().filter(|_| at != At::Twilio));
    set.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    set.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    let owned = set.into_iter();
    owned
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn load(at: At, file: &str, more: &[(&str, &str)]) -> Result<Loaded, Vec<Problem>> {
    let folder = Scratch::new();
    let path = folder.0.join("handoff.toml");
    std::fs::write(&path, file).expect("the file can be written");
    let set = environment(at, more);
    let variable = |name: &str| {
        let found = set.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    config::load(Some(&path), &Environment(&variable)).map_err(|error| match error {
        ConfigError::Unusable(problems) => problems,
        other => panic!("{other}: {file}"),
    })
}

/// One mistake in a target named "t": its other settings, the setting that is told, and words of it.
const TARGET_MISTAKES: &[(&str, &str, &str)] = &[
    ("", "number", "country code"),
    ("kind = \"number\"", "number", "country code"),
    (
        "kind = 1\nnumber = \"+15550100043\"",
        "kind",
        "text in quotes",
    ),
    ("kind = \"phone\"", "kind", "is no kind of target"),
    ("kind = \"que\"", "kind", "did you mean \"queue\"?"),
    (
        "kind = \"number\"\nnumber = \"5550100\"",
        "number",
        "country code",
    ),
    (
        "number = \"+15550100043\"\nextension = \"12,3\"",
        "extension",
        "0-9 * # A-D",
    ),
    (
        "number = \"+15550100043\"\nextension = \"\"",
        "extension",
        "0-9 * # A-D",
    ),
    (
        "number = \"+15550100043\"\nuri = \"sip:a@b\"",
        "uri",
        "\"sip\", \"refer\" or \"user\"",
    ),
    (
        "number = \"+15550100043\"\nqueue = \"q\"",
        "queue",
        "belongs to kind \"queue\"",
    ),
    (
        "number = \"+15550100043\"\nidentity = \"a\"",
        "identity",
        "belongs to kind \"client\"",
    ),
    (
        "number = \"+15550100043\"\nworkflow = \"WW\"",
        "workflow",
        "\"task_router\"",
    ),
    (
        "number = \"+15550100043\"\nprioritee = 1",
        "prioritee",
        "unknown key",
    ),
    (
        "number = \"+15550100043\"\nextention = \"1\"",
        "extention",
        "did you mean \"extension\"?",
    ),
    (
        "number = \"+15550100043\"\nwisper = false",
        "wisper",
        "did you mean \"whisper\"?",
    ),
    (
        "number = \"+15550100043\"\npassword = \"x\"",
        "password",
        "in the environment",
    ),
    (
        "kind = \"conference\"\nnumber = \"+15550100043\"\nextension = \"1\"",
        "extension",
        "\"number\"",
    ),
    ("kind = \"conference\"", "number", "country code"),
    ("kind = \"sip\"", "uri", "must be an address like"),
    (
        "kind = \"sip\"\nuri = \"a@b\"",
        "uri",
        "must be an address like",
    ),
    ("kind = \"sip\"\nuri = \"sips:a@b\"", "uri", "transport=tls"),
    (
        "kind = \"sip\"\nuri = \"sip:a@b?x=y\"",
        "uri",
        "settings of their own",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nnumber = \"+15550100043\"",
        "number",
        "\"number\", \"conference\"",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nheaders = \"x\"",
        "headers",
        "texts by name",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nheaders = { a = 1 }",
        "headers.a",
        "text in quotes",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nheaders = { \"a b\" = \"c\" }",
        "headers.a b",
        "letters, digits",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nheaders = { User-to-User = \"c\" }",
        "headers.User-to-User",
        "its encoding",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nheaders = { a = \"{sumary}\" }",
        "headers.a",
        "did you mean {summary}?",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nheaders = { a = \"{\" }",
        "headers.a",
        "brace",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nheaders = { a = \"1\", x-a = \"2\" }",
        "kind",
        "twice",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nuser_to_user = \"{x}\"",
        "user_to_user",
        "did you mean",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nuser_to_user = \"x\"\nuser_to_user_encoding = \"utf\"",
        "user_to_user_encoding",
        "\"hex\" or \"base64\"",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nuser_to_user_encoding = \"hex\"",
        "user_to_user_encoding",
        "without user_to_user",
    ),
    (
        "kind = \"sip\"\nuri = \"sip:a@b\"\nusername = \"a\"",
        "username",
        "HANDOFF_TARGET_T_PASSWORD",
    ),
    (
        "kind = \"refer\"\nuri = \"sip:a@b\"\nusername = \"a\"",
        "username",
        "\"sip\" or \"user\"",
    ),
    (
        "kind = \"refer\"\nuri = \"sip:a@b\"\naccept = \"key\"",
        "accept",
        "leaves that to others",
    ),
    ("kind = \"queue\"", "queue", "1 to 64 characters"),
    (
        "kind = \"queue\"\nqueue = \"q\"\naccept = \"key\"",
        "accept",
        "leaves that to others",
    ),
    (
        "kind = \"queue\"\nqueue = \"q\"\nwhisper = true",
        "whisper",
        "leave it out",
    ),
    (
        "kind = \"task_router\"\nworkflow = \"W1\"",
        "workflow",
        "WW and 32",
    ),
    (
        "kind = \"task_router\"\nworkflow = \"WW00000000000000000000000000000000\"\npriority = -1",
        "priority",
        "0 to 2147483647",
    ),
    (
        "kind = \"task_router\"\nworkflow = \"WW00000000000000000000000000000000\"\naccept = \"key\"",
        "accept",
        "leaves that to others",
    ),
    (
        "kind = \"client\"\nidentity = \"a b\"",
        "identity",
        "no space",
    ),
    (
        "kind = \"client\"\nidentity = \"a\"\nparameters = { \"a b\" = \"c\" }",
        "parameters.a b",
        "parameter's name",
    ),
    (
        "kind = \"client\"\nidentity = \"a\"\nparameters = { a = \"{}\" }",
        "parameters.a",
        "stands for nothing",
    ),
    (
        "number = \"+15550100043\"\naccept = \"press\"",
        "accept",
        "\"key\" or \"answer\"",
    ),
    (
        "number = \"+15550100043\"\nwhisper = \"no\"",
        "whisper",
        "true or false",
    ),
    (
        "number = \"+15550100043\"\nwhisper = false",
        "whisper",
        "accept = \"answer\"",
    ),
    (
        "number = \"+15550100043\"\nring = \"4s\"",
        "ring",
        "5s to 600s",
    ),
    (
        "number = \"+15550100043\"\nskills = \"billing\"",
        "skills",
        "list of texts",
    ),
    (
        "number = \"+15550100043\"\nskills = [\" \"]",
        "skills",
        "must be words",
    ),
    (
        "number = \"+15550100043\"\nhours = \"9-5\"\ntime_zone = \"UTC\"",
        "hours",
        "is no time",
    ),
    (
        "number = \"+15550100043\"\nhours = \"Mo-Fr\"\ntime_zone = \"UTC\"",
        "hours",
        "has no times",
    ),
    (
        "number = \"+15550100043\"\nhours = \"24/7\"",
        "time_zone",
        "beside hours",
    ),
    (
        "number = \"+15550100043\"\nhours = \"24/7\"\ntime_zone = \"Europe/Londn\"",
        "time_zone",
        "Europe/London",
    ),
    (
        "number = \"+15550100043\"\ntime_zone = \"UTC\"",
        "time_zone",
        "without hours",
    ),
    (
        "number = \"+15550100043\"\nclosed = [\"2026-12-25\"]",
        "closed",
        "24/7",
    ),
    (
        "number = \"+15550100043\"\nhours = \"24/7\"\ntime_zone = \"UTC\"\nclosed = \"2026-12-25\"",
        "closed",
        "list of dates",
    ),
    (
        "number = \"+15550100043\"\nhours = \"24/7\"\ntime_zone = \"UTC\"\nclosed = [\"25.12.\"]",
        "closed",
        "2026-12-25",
    ),
    (
        "number = \"+15550100043\"\nhours = \"24/7\"\ntime_zone = \"UTC\"\nclosed = [\"2026-02-29\"]",
        "closed",
        "no such day",
    ),
    (
        "number = \"+15550100043\"\nhandle_seconds = -1",
        "handle_seconds",
        "0 to 86400",
    ),
    (
        "number = \"+15550100043\"\nhandle_seconds = \"4m\"",
        "handle_seconds",
        "0 to 86400",
    ),
    (
        "number = \"+15550100043\"\ncsat = 101.5",
        "csat",
        "0 to 100",
    ),
    (
        "number = \"+15550100043\"\nwait_seconds = nan",
        "wait_seconds",
        "0 to 86400",
    ),
];

#[test]
fn a_mistake_in_a_target_is_told_where_it_is() {
    for (settings, key, words) in TARGET_MISTAKES {
        let file = format!("[[target]]\nname = \"t\"\n{settings}\n");
        check(At::Twilio, &file, &[], &format!("target[t].{key}"), words);
    }
    let user = "[[target]]\nname = \"t\"\nkind = \"user\"\nuri = \"sip:a@b\"\n";
    for (setting, path, words) in [
        (
            "user_to_user = \"x\"",
            "target[t].user_to_user",
            "\"sip\" or \"refer\"",
        ),
        (
            "headers = { \"a-b\" = \"c\" }",
            "target[t].kind",
            "24 letters and digits",
        ),
        (
            "headers = { PHx = \"c\", \"SipAuthy\" = \"c\" }",
            "target[t].kind",
            "SipAuth",
        ),
    ] {
        check(At::Plivo, &format!("{user}{setting}\n"), &[], path, words);
    }
    let password = [("HANDOFF_TARGET_T_PASSWORD", "short")];
    let known = format!("{user}username = \"ann\"\n");
    check(At::Plivo, &known, &password, "target[t].kind", "8 to 128");
}

/// The problem that a configuration has, and no other.
fn check(at: At, file: &str, more: &[(&str, &str)], path: &str, words: &str) {
    let problems = load(at, file, more).expect_err(file);
    let [problem] = problems.as_slice() else {
        panic!("{file}: {problems:#?}");
    };
    assert_eq!(problem.path, path, "{file}: {}", problem.message);
    assert!(
        problem.message.contains(words),
        "{file}: {}",
        problem.message
    );
}

#[test]
fn a_mistake_in_names_routes_and_the_default_is_told_where_it_is() {
    let queue = "[[target]]\nname = \"line\"\nkind = \"queue\"\nqueue = \"q\"\n";
    let route = |settings: &str| format!("{queue}[[route]]\nname = \"r\"\n{settings}\n");
    let nobody = [("HANDOFF_TARGET", "")];
    let secret = [("HANDOFF_ROUTE_SECRET", SECRET)];
    let ask = "when = \"true\"\nask = \"https://a.example.com\"";
    for (file, more, path, words) in [
        (
            "[[target]]\nname = \"Front Desk\"\nnumber = \"+15550100043\"".to_owned(),
            &[][..],
            "target[Front Desk].name",
            "a-z, 0-9",
        ),
        (
            "[[target]]\nnumber = \"+15550100043\"".to_owned(),
            &[],
            "target[1].name",
            "is not set",
        ),
        (
            queue.to_owned(),
            &nobody,
            "target[line].kind",
            "handoff.target",
        ),
        (
            format!("{queue}[handoff]\ntarget = \"line\""),
            &[],
            "target[line].kind",
            "by itself",
        ),
        (
            route("when = \"caller.mood < 0\""),
            &[],
            "route[r].when",
            "caller.mood",
        ),
        (route(""), &[], "route[r].when", ""),
        (route("when = \"caller.digits\""), &[], "route[r].when", ""),
        (
            route("when = \"true\"\ntargets = [\"sales\"]"),
            &[],
            "route[r].targets",
            "sales",
        ),
        (
            route("when = \"true\"\ntargets = [\"A b\"]"),
            &[],
            "route[r].targets",
            "a-z, 0-9",
        ),
        (
            route("when = \"true\"\nskills = [\"law\"]"),
            &[],
            "route[r].skills",
            "none of its targets",
        ),
        (
            route("when = \"true\"\norder = \"random\""),
            &[],
            "route[r].order",
            "highest_csat",
        ),
        (
            route("when = \"true\"\nordr = \"listed\""),
            &[],
            "route[r].ordr",
            "\"order\"",
        ),
        (
            route("when = \"true\"\nask_with_caller = true"),
            &[],
            "route[r].ask_with_caller",
            "without ask",
        ),
        (
            route("when = \"true\"\nask = \"http://a.example.com\""),
            &secret,
            "route[r].ask",
            "https://",
        ),
        (
            route("when = \"true\"\nask = \"\""),
            &secret,
            "route[r].ask",
            "https://",
        ),
        (route(ask), &[], "HANDOFF_ROUTE_SECRET", "openssl rand"),
        (
            route(ask),
            &[("HANDOFF_ROUTE_SECRET", "short")],
            "HANDOFF_ROUTE_SECRET",
            "24 to 64",
        ),
        (
            "[[route]]\nname = \"A\"\nwhen = \"true\"".to_owned(),
            &[],
            "route[A].name",
            "lower case",
        ),
        (
            "[[route]]\nwhen = \"true\"".to_owned(),
            &[],
            "route[0].name",
            "lower case",
        ),
        (
            format!(
                "{}[[route]]\nname = \"r\"\nwhen = \"false\"",
                route("when = \"true\"")
            ),
            &[],
            "route[r].name",
            "two routes",
        ),
        (
            "[route]\nname = \"r\"".to_owned(),
            &[],
            "route",
            "[[route]]",
        ),
    ] {
        check(At::Twilio, &file, more, path, words);
    }
}

#[test]
fn a_mistake_in_what_is_said_around_a_handoff_is_told_where_it_is() {
    for (setting, key, words) in [
        ("whisper = \"{who} calls\"", "whisper", "stands for nothing"),
        ("whisper = \"\"", "whisper", "1 to 500"),
        ("last_resort = \"hang_up\"", "last_resort", "\"voicemail\""),
        ("voicemail = \"\"", "voicemail", "text to speak"),
        (
            "voicemail_longest = \"4s\"",
            "voicemail_longest",
            "5s to 30m",
        ),
        (
            "voicemail_longest = \"31m\"",
            "voicemail_longest",
            "5s to 30m",
        ),
        ("bridged_after = \"31s\"", "bridged_after", "0s to 30s"),
        ("hold_music = \"music.mp3\"", "hold_music", "https://"),
    ] {
        let file = format!("[handoff]\n{setting}\n");
        check(At::Twilio, &file, &[], &format!("handoff.{key}"), words);
    }
    let long = format!("[handoff]\nwhisper = \"{}\"", "a".repeat(501));
    check(At::Twilio, &long, &[], "handoff.whisper", "1 to 500");
}

/// Every kind, with what it needs; whether Twilio has it, and Plivo; whether it may be the default there.
const KINDS: [(&str, &str, [bool; 2], bool); 9] = [
    ("number", "number = \"+15550100043\"", [true, true], true),
    ("sip", "uri = \"sip:a@b\"", [true, true], true),
    ("refer", "uri = \"sip:a@b\"", [true, false], false),
    ("queue", "queue = \"q\"", [true, false], false),
    (
        "task_router",
        "workflow = \"WW00000000000000000000000000000000\"",
        [true, false],
        false,
    ),
    ("client", "identity = \"a\"", [true, false], true),
    ("user", "uri = \"sip:a@b\"", [false, true], true),
    (
        "conference",
        "number = \"+15550100043\"",
        [true, true],
        true,
    ),
    (
        "multi_party_call",
        "number = \"+15550100043\"",
        [false, true],
        true,
    ),
];

#[test]
fn a_kind_that_no_carrier_has_is_refused_and_one_that_some_lack_is_noted() {
    for (kind, settings, [twilio, plivo], _) in KINDS {
        let file = format!("[[target]]\nname = \"t\"\nkind = \"{kind}\"\n{settings}\n");
        for (at, possible) in [(At::Twilio, twilio), (At::Plivo, plivo)] {
            match possible {
                true => assert!(load(at, &file, &[]).is_ok(), "{kind} {at:?}"),
                false => check(at, &file, &[], "target[t].kind", "; use kind = "),
            }
        }
        let loaded = load(At::Both, &file, &[]).expect(kind);
        let noted: Vec<_> = loaded
            .notes
            .iter()
            .filter(|n| n.contains("passed over"))
            .collect();
        let lacking = match (twilio, plivo) {
            (true, true) => {
                assert_eq!(noted, Vec::<&String>::new(), "{kind}");
                continue;
            }
            (true, false) => "target \"t\" is passed over for calls at Plivo",
            (false, _) => "target \"t\" is passed over for calls at Twilio",
        };
        assert!(
            matches!(noted.as_slice(), [note] if note.starts_with(lacking)),
            "{noted:?}"
        );
    }
}

#[test]
fn the_default_target_rings_without_us_on_every_carrier() {
    let nobody = [("HANDOFF_TARGET", "")];
    for (kind, settings, [twilio, plivo], alone) in KINDS {
        let file = format!("[[target]]\nname = \"t\"\nkind = \"{kind}\"\n{settings}\n");
        for (at, possible) in [
            (At::Twilio, twilio && alone),
            // A conference's human has a number, which Twilio rings as well.
            (At::Plivo, plivo && alone),
        ] {
            assert_eq!(load(at, &file, &nobody).is_ok(), possible, "{kind} {at:?}");
        }
        let everywhere = load(At::Both, &file, &nobody);
        let expected = alone && (twilio && plivo || kind == "multi_party_call");
        assert_eq!(everywhere.is_ok(), expected, "{kind}: {everywhere:?}");
        if let Err(problems) = everywhere {
            assert!(
                problems[0].message.contains("handoff.target"),
                "{problems:?}"
            );
        }
    }
}

#[test]
fn what_is_read_is_what_is_written() {
    use handoff::carrier::target::Reach;
    use handoff_core::route::{Acceptance, Joining};
    let mut file = String::new();
    for (kind, settings, ..) in KINDS {
        file.push_str(&format!(
            "[[target]]\nname = \"{kind}\"\nkind = \"{kind}\"\n{settings}\n"
        ));
    }
    let config = load(At::Both, &file, &[]).expect("a configuration").config;
    let read: Vec<_> = (config.targets.iter().skip(1))
        .map(|target| {
            (
                target.name.as_str(),
                target.acceptance,
                target.joining(),
                target.whisper,
            )
        })
        .collect();
    let (key, answer) = (Acceptance::Key, Acceptance::Answer);
    let expected = [
        ("number", key, Joining::Dial, true),
        ("sip", answer, Joining::Dial, true),
        ("refer", answer, Joining::Refer, false),
        ("queue", answer, Joining::Queue, false),
        ("task_router", answer, Joining::Queue, false),
        ("client", answer, Joining::Dial, true),
        ("user", key, Joining::Dial, true),
        ("conference", key, Joining::Conference, true),
        ("multi_party_call", key, Joining::Conference, true),
    ];
    assert_eq!(read, expected);

    let sip = "[[target]]\nname = \"front-desk\"\nkind = \"sip\"\nuri = \"sip:a@b\"\n\
               username = \"a\"\naccept = \"key\"\nskills = [\"b\", \"a\"]\nring = \"30s\"\n\
               hours = \"24/7\"\ntime_zone = \"europe/london\"\nclosed = [2026-12-25, \"2026-12-26\"]\n\
               handle_seconds = 240\ncsat = 4.5\n";
    let password = [("HANDOFF_TARGET_FRONT_DESK_PASSWORD", "s3cr3t-s3cr3t")];
    let config = load(At::Twilio, sip, &password)
        .expect("a configuration")
        .config;
    assert!(!format!("{config:?}").contains("s3cr3t"));
    let target = &config.targets[1];
    let Reach::Sip(reach) = &target.reach else {
        panic!("{target:?}");
    };
    let credentials = reach.credentials.as_ref().expect("a password");
    assert_eq!(credentials.password().expose(), "s3cr3t-s3cr3t");
    assert_eq!((target.ring.get(), target.acceptance), (30, key));
    assert_eq!(target.metrics.handle_seconds, Some(240.0));
    let opening = target.opening.as_ref().expect("hours");
    assert_eq!(
        (opening.zone.name(), opening.hours.closed.len()),
        ("Europe/London", 2)
    );
}

/// The examples of the reference, as if somebody took the comment signs away.
fn examples() -> String {
    let mut example = false;
    let mut file = String::new();
    for line in config::DEFAULT.lines() {
        let Some(line) = line.strip_prefix("# ") else {
            example &= !line.is_empty();
            continue;
        };
        example |= line.starts_with("[[target]]") || line.starts_with("[[route]]");
        let name = line.split([' ', '=']).next().unwrap_or_default();
        let is_setting = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && line[name.len()..].trim_start().starts_with('=');
        if example && (is_setting || line.starts_with("[[")) {
            file.push_str(line);
            file.push('\n');
        }
    }
    file
}

#[test]
fn the_examples_of_the_reference_can_be_used() {
    let secrets = [
        ("HANDOFF_TARGET", ""),
        ("HANDOFF_ROUTE_SECRET", SECRET),
        ("HANDOFF_TARGET_PBX_PASSWORD", "long-enough"),
    ];
    let loaded = load(At::Both, &examples(), &secrets[..]).expect("a configuration");
    assert_eq!(loaded.config.targets.len(), 8);
    let routing = loaded.config.routing;
    assert_eq!(routing.routes.routes().len(), 1);
    assert!(routing.asking.is_some());
}

#[test]
fn a_secret_that_no_route_uses_is_noted() {
    let loaded = load(At::Twilio, "", &[("HANDOFF_ROUTE_SECRET", SECRET)]).expect("usable");
    let noted = |note: &&String| note.contains("HANDOFF_ROUTE_SECRET is not used");
    assert_eq!(loaded.notes.iter().filter(noted).count(), 1);
}

/// Closed and open on every day there is, and asked for.
const SHOWN: &str = r#"
[[target]]
name = "night"
number = "+15550100043"
hours = "off"
time_zone = "Asia/Tokyo"

[[target]]
name = "day"
kind = "sip"
uri = "sip:secret-person@b"
skills = ["billing", "german"]
hours = "24/7"
time_zone = "America/New_York"

[[route]]
name = "billing"
when = "'billing' in call.topics"
targets = ["night", "day"]
order = "shortest_wait"
ask = "https://a.example.com/route?key=secret-key"
"#;

#[tokio::test]
async fn check_shows_targets_and_routes_and_who_is_open() {
    let folder = Scratch::new();
    std::fs::write(folder.0.join("handoff.toml"), SHOWN).expect("the file can be written");
    let set = environment(At::Twilio, &[("HANDOFF_ROUTE_SECRET", SECRET)]);
    let told = run(&["check", "--config", "handoff.toml"], &folder.0, &set).await;
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    for words in [
        "target       default (number) rings 25 s, taken by key, the default\n",
        "target       night (number) rings 25 s, taken by key, closed now (",
        " in Asia/Tokyo)",
        "target       day (sip) rings 25 s, taken by answer, skills billing german, open now (",
        "route        billing: 'billing' in call.topics (shortest_wait, asks \
         https://a.example.com/route), now day\n             not night: closed\n",
        "route        all other calls (listed), now default, day\n",
    ] {
        assert!(told.stdout.contains(words), "{words}\n{}", told.stdout);
    }
    let json = run(
        &["check", "--json", "--config", "handoff.toml"],
        &folder.0,
        &set,
    )
    .await;
    let report: Value = serde_json::from_str(&json.stdout).expect("one JSON object");
    assert_eq!(report["targets"][1]["open"], false);
    assert_eq!(report["targets"][2]["skills"], json!(["billing", "german"]));
    assert_eq!(report["routes"][0]["now"], json!(["day"]));
    assert_eq!(
        report["routes"][0]["passed_over"],
        json!({ "night": "closed" })
    );
    assert_eq!(report["routes"][1]["name"], Value::Null);
    for secret in [
        "secret-person",
        "secret-key",
        TARGET,
        "+15550100043",
        SECRET,
    ] {
        let shown = told.stdout.contains(secret) || json.stdout.contains(secret);
        assert!(!shown, "{secret} is shown");
    }
}

#[tokio::test]
async fn what_is_told_of_a_target_holds_over_a_restart() {
    let mut setup = Setup::empty();
    setup.config = SHOWN.to_owned();
    setup.env("HANDOFF_ROUTE_SECRET", SECRET);
    let mut stage = Stage::set(setup).await;
    let (status, targets) = stage.api(Method::GET, "/api/targets", "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        targets[1],
        json!({
            "name": "night", "kind": "number", "open": false, "available": true,
            "handle_seconds": null, "csat": null, "wait_seconds": null, "told_ms": null,
        })
    );

    let told = r#"{"available": false, "handle_seconds": 240, "csat": 4.5, "wait_seconds": 0}"#;
    for (path, body, expected, error) in [
        ("/api/targets/day", told, StatusCode::NO_CONTENT, ""),
        (
            "/api/targets/sales",
            told,
            StatusCode::NOT_FOUND,
            "no_such_target",
        ),
        (
            "/api/targets/A%20b",
            told,
            StatusCode::NOT_FOUND,
            "no_such_target",
        ),
        (
            "/api/targets/%ff",
            told,
            StatusCode::NOT_FOUND,
            "no_such_target",
        ),
        ("/api/targets/day", "", StatusCode::BAD_REQUEST, "malformed"),
        (
            "/api/targets/day",
            "{}",
            StatusCode::BAD_REQUEST,
            "malformed",
        ),
        (
            "/api/targets/day",
            r#"{"available": "no"}"#,
            StatusCode::BAD_REQUEST,
            "malformed",
        ),
        (
            "/api/targets/day",
            r#"{"available": true, "csta": 1}"#,
            StatusCode::BAD_REQUEST,
            "malformed",
        ),
        (
            "/api/targets/day",
            r#"{"available": true, "csat": 101}"#,
            StatusCode::BAD_REQUEST,
            "malformed",
        ),
        (
            "/api/targets/day",
            r#"{"available": true, "wait_seconds": -1}"#,
            StatusCode::BAD_REQUEST,
            "malformed",
        ),
    ] {
        let (status, answer) = stage.api(Method::PUT, path, body).await;
        assert_eq!(status, expected, "{path} {body}");
        assert_eq!(
            answer["error"].as_str().unwrap_or_default(),
            error,
            "{path} {body}"
        );
    }
    for (method, path) in [
        (Method::GET, "/api/targets"),
        (Method::PUT, "/api/targets/day"),
    ] {
        let request = stage.client.request(method, stage.url(path)).body(told);
        let answer = request.send().await.expect("the server answers");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    // The target that was told of is as it was told.
    let holds = |targets: &Value| {
        let day = &targets[2];
        assert_eq!(day["available"], false, "{day}");
        assert_eq!(day["handle_seconds"], 240.0, "{day}");
        assert_eq!(day["csat"], 4.5, "{day}");
        assert_eq!(day["wait_seconds"], 0.0, "{day}");
        assert!(day["told_ms"].is_u64(), "{day}");
    };
    holds(&stage.api(Method::GET, "/api/targets", "").await.1);
    stage.kill().await;
    stage.start().await;
    holds(&stage.api(Method::GET, "/api/targets", "").await.1);
    stage.finish().await;
}
