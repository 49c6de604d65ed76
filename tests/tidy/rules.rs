//! The rules, and the tables they go by.

use crate::source::{Finding, Source, words_of};

/// A module of `src/` and those that it may use beside itself and the engine.
///
/// `cli` is not here: it wires everything together, and only `main.rs` may use it.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("base_url", &[]),
    ("carrier", &["base_url"]),
    ("clock", &[]),
    // What is configured is parsed once, into the types that the carrier's codecs take.
    (
        "config",
        &[
            "base_url",
            "carrier",
            "email",
            "standard_webhooks",
            "time_zone",
        ],
    ),
    ("email", &[]),
    ("standard_webhooks", &[]),
    ("telemetry", &[]),
    ("time_zone", &[]),
    ("egress", &["telemetry"]),
    ("journal", &["telemetry"]),
    ("recognizer", &["egress", "telemetry"]),
    (
        "delivery",
        &[
            "base_url",
            "email",
            "journal",
            "egress",
            "clock",
            "telemetry",
        ],
    ),
    (
        "targets",
        &[
            "config",
            "egress",
            "journal",
            "standard_webhooks",
            "telemetry",
            "time_zone",
        ],
    ),
    (
        "session",
        &[
            "base_url",
            "carrier",
            "recognizer",
            "journal",
            "egress",
            "clock",
            "config",
            "targets",
            "telemetry",
        ],
    ),
    (
        "http",
        &[
            "session",
            "carrier",
            "journal",
            "clock",
            "targets",
            "telemetry",
        ],
    ),
];

/// Files that know a vendor or a schedule and do no input or output: bytes in, bytes out.
const NO_IO: [&str; 16] = [
    "src/base_url.rs",
    "src/carrier/",
    "src/delivery/schedule.rs",
    "src/delivery/outcome.rs",
    "src/delivery/sink/",
    "src/email.rs",
    "src/recognizer/deepgram/backlog.rs",
    "src/recognizer/deepgram/count.rs",
    "src/recognizer/deepgram/reading.rs",
    "src/recognizer/deepgram/request.rs",
    "src/recognizer/deepgram/segments.rs",
    "src/recognizer/deepgram/wire.rs",
    "src/recognizer/pocketsphinx/endpoint.rs",
    "src/recognizer/pocketsphinx/upsample.rs",
    "src/standard_webhooks.rs",
    "src/time_zone.rs",
];

/// What a file without input and output cannot name.
const IO: [&str; 16] = [
    "async fn",
    ".await",
    "tokio",
    "axum",
    "reqwest",
    "rusqlite",
    "tokio_tungstenite",
    "std::env",
    "std::fs",
    "std::io",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process",
    "std::thread",
    "Instant",
    "SystemTime",
];

/// What the engine cannot name on top of that: it shares nothing, waits for nothing, is never
/// serialized and logs for developers alone.
const IMPURE: [&str; 17] = [
    "Mutex",
    "RwLock",
    "RefCell",
    "Cell",
    "OnceLock",
    "LazyLock",
    "Atomic",
    "dyn",
    "std::net",
    "std::sync::mpsc",
    "serde",
    "rand",
    "HashMap",
    "HashSet",
    "info!",
    "warn!",
    "error!",
];

/// The crates that the engine may depend on.
const CORE_CRATES: [&str; 6] = [
    "aho-corasick",
    "cel",
    "earshot",
    "regex-lite",
    "thiserror",
    "tracing",
];

/// What opens sockets, files, databases and libraries, and where that may be.
const OPENED_IN: [(&[&str], &[&str]); 6] = [
    (&["reqwest"], &["src/egress.rs"]),
    (
        &["rusqlite"],
        &["src/journal/error.rs", "src/journal/sqlite/"],
    ),
    (
        &["libloading"],
        &["src/recognizer/pocketsphinx/error.rs", LIBRARY],
    ),
    (&["TcpListener"], &["src/cli/"]),
    (
        &["TcpStream", "connect_async", "client_async"],
        &["src/cli/entrance/connection.rs", "src/cli/entrance/door.rs"],
    ),
    (
        &[
            "std::fs",
            "tokio::fs",
            "std::process",
            "tokio::process",
            "std::env",
        ],
        &[
            "src/cli/",
            "src/config/data_dir.rs",
            "src/config/environment.rs",
            "src/config/load.rs",
            "src/journal/sqlite/open.rs",
            "src/main.rs",
            "src/recognizer/pocketsphinx/model.rs",
            "src/session/token.rs",
        ],
    ),
];

/// The file that may load a library.
pub const LIBRARY: &str = "src/recognizer/pocketsphinx/library.rs";

/// The files that may talk to C.
pub const UNSAFE_IN: [&str; 2] = [LIBRARY, "src/cli/receive_mark.rs"];

/// Lines of code a file may have, tests not counted: listed beyond the first, refused beyond the
/// second.
pub const LONG: usize = 400;
pub const TOO_LONG: usize = 700;

/// Names that say nothing about what is inside.
const EMPTY_FILE_NAMES: [&str; 8] = [
    "common.rs",
    "helper.rs",
    "helpers.rs",
    "prelude.rs",
    "traits.rs",
    "types.rs",
    "util.rs",
    "utils.rs",
];
const EMPTY_TYPE_NAMES: [&str; 8] = [
    "Manager",
    "Service",
    "Handler",
    "Processor",
    "Helper",
    "Util",
    "Utils",
    "Info",
];

/// What a path in a doc begins with.
const TREE: [&str; 8] = [
    "assets/",
    "benches/",
    "core/",
    "examples/",
    "fixtures/",
    "simulator/",
    "src/",
    "tests/",
];

/// The docs that name tests and files, and those of their paths that do not exist yet.
pub const DOCS: [&str; 2] = ["ARCHITECTURE.md", "README.md"];
const PLANNED: [&str; 2] = ["src/http/dashboard/", "src/journal/jetstream/"];

pub type Rule = fn(&Source, &mut Vec<Finding>);

pub const RULES: [Rule; 13] = [
    modules_keep_to_their_layer,
    core_is_pure,
    vendor_files_do_no_io,
    few_files_open_things,
    packages_stay_apart,
    http_only_reads_the_journal,
    contents_hold_no_logic,
    files_stay_short,
    unsafe_code_is_in_few_files,
    nothing_unwraps,
    the_bot_is_called_voice_agent,
    names_say_something,
    tests_wait_for_something,
];

/// `http` asks `session`, `session` never asks `http`; shells do not know each other.
pub fn modules_keep_to_their_layer(source: &Source, findings: &mut Vec<Finding>) {
    let Some(inside) = source.path.strip_prefix("src/") else {
        return;
    };
    let module = inside.split(['/', '.']).next().unwrap_or_default();
    let allowed = match module {
        "cli" | "lib" => return,
        "main" => &["cli"][..],
        _ => match MAY_USE.iter().find(|(name, _)| *name == module) {
            Some((_, allowed)) => allowed,
            None => {
                let detail = format!("`{module}` is in no layer; give it a row in MAY_USE");
                return findings.push(source.finding(1, "layers", detail));
            }
        },
    };
    for (line, used) in source.modules_used() {
        if used != module && !allowed.contains(&used.as_str()) {
            let detail = format!("`{module}` may not use `{used}`");
            findings.push(source.finding(line, "layers", detail));
        }
    }
}

pub fn core_is_pure(source: &Source, findings: &mut Vec<Finding>) {
    if source.path.starts_with("core/src/") {
        for banned in IO.iter().chain(&IMPURE) {
            source.ban(banned, "pure core", findings);
        }
    }
}

pub fn vendor_files_do_no_io(source: &Source, findings: &mut Vec<Finding>) {
    if source.is_in(&NO_IO) {
        for banned in IO {
            source.ban(banned, "no I/O", findings);
        }
    }
}

pub fn few_files_open_things(source: &Source, findings: &mut Vec<Finding>) {
    if source.path.starts_with("src/") {
        for (names, places) in OPENED_IN {
            for name in names.iter().filter(|_| !source.is_in(places)) {
                source.ban(name, "opened elsewhere", findings);
            }
        }
    }
}

/// The simulator shares no code, so that a misread fact is not misread twice.
pub fn packages_stay_apart(source: &Source, findings: &mut Vec<Finding>) {
    let strangers: &[&str] = if source.path.starts_with("simulator/src/") {
        &["handoff", "handoff_core"]
    } else if source.path.starts_with("src/") {
        &["handoff_simulator"]
    } else if source.path.starts_with("core/") {
        &["handoff", "handoff_simulator"]
    } else {
        &[]
    };
    for stranger in strangers {
        source.ban(&format!("{stranger}::"), "packages", findings);
    }
}

pub fn http_only_reads_the_journal(source: &Source, findings: &mut Vec<Finding>) {
    if source.path.starts_with("src/http/") {
        for banned in [
            ".append(",
            ".claim(",
            ".settle(",
            "NewDelivery",
            "Settlement",
        ] {
            source.ban(banned, "http reads", findings);
        }
    }
}

/// A `mod.rs` or `lib.rs` is a table of contents: docs, modules, re-exports, the public enum.
pub fn contents_hold_no_logic(source: &Source, findings: &mut Vec<Finding>) {
    let is_contents = source.path.ends_with("/mod.rs") || source.path.ends_with("src/lib.rs");
    if is_contents && !source.is_test {
        for banned in ["fn", "impl", "static", "macro_rules"] {
            source.ban(banned, "table of contents", findings);
        }
    }
}

pub fn files_stay_short(source: &Source, findings: &mut Vec<Finding>) {
    if source.length() > TOO_LONG {
        let detail = format!("{} lines, more than {TOO_LONG}", source.length());
        findings.push(source.finding(TOO_LONG, "length", detail));
    }
}

pub fn unsafe_code_is_in_few_files(source: &Source, findings: &mut Vec<Finding>) {
    let ships = !source.path.contains("tests/") && !source.path.starts_with("benches/");
    if ships && !UNSAFE_IN.contains(&source.path.as_str()) {
        source.ban("unsafe", "unsafe", findings);
    }
}

pub fn nothing_unwraps(source: &Source, findings: &mut Vec<Finding>) {
    if !source.is_test {
        source.ban(".unwrap()", "unwrap", findings);
    }
}

/// Half the field calls the bot an agent, the other half the human.
pub fn the_bot_is_called_voice_agent(source: &Source, findings: &mut Vec<Finding>) {
    for (line, identifier) in source.identifiers() {
        let words = words_of(identifier);
        let bare = words.iter().enumerate().any(|(at, word)| {
            let before = at.checked_sub(1).map(|at| words[at].as_str());
            matches!(word.as_str(), "agent" | "agents") && !matches!(before, Some("voice" | "user"))
        });
        if bare {
            let detail = format!("`{identifier}`: say `voice_agent` or `human`");
            findings.push(source.finding(line, "agent", detail));
        }
    }
}

pub fn names_say_something(source: &Source, findings: &mut Vec<Finding>) {
    let name = source.path.rsplit('/').next().unwrap_or_default();
    if EMPTY_FILE_NAMES.contains(&name) {
        let detail = "name the file after what is in it".to_owned();
        findings.push(source.finding(1, "file name", detail));
    }
    for (line, code) in source.lines() {
        let declared = ["struct ", "enum ", "trait ", "type "]
            .iter()
            .find_map(|keyword| {
                let (before, after) = code.split_once(keyword)?;
                let first = before.is_empty() || before.ends_with([' ', ')']);
                first.then(|| {
                    after
                        .split(|c: char| !c.is_alphanumeric())
                        .next()
                        .unwrap_or_default()
                })
            });
        if let Some(declared) = declared
            && EMPTY_TYPE_NAMES.iter().any(|name| declared.ends_with(name))
        {
            let detail = format!("`{declared}` does not say what it is");
            findings.push(source.finding(line, "type name", detail));
        }
    }
}

pub fn tests_wait_for_something(source: &Source, findings: &mut Vec<Finding>) {
    if source.path.starts_with("benches/") {
        return;
    }
    for (at, code) in source.all_code.lines().enumerate() {
        for banned in ["#[ignore", "#[should_panic"] {
            if code.contains(banned) {
                findings.push(source.finding(at + 1, "tests", format!("`{banned}`")));
            }
        }
        let test_line = source.is_test || source.code.lines().nth(at) != Some(code);
        if test_line && code.contains("sleep(") {
            let detail = "wait for what is to happen, under a deadline".to_owned();
            findings.push(source.finding(at + 1, "tests", detail));
        }
    }
}

pub fn core_depends_on_little(manifest: &str, findings: &mut Vec<Finding>) {
    let mut section = "";
    for (at, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        } else if section == "dependencies" && !line.is_empty() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if !CORE_CRATES.contains(&name) {
                findings.push(Finding {
                    path: "core/Cargo.toml".to_owned(),
                    line: at + 1,
                    rule: "pure core",
                    detail: format!("`{name}` is not among the crates of the engine"),
                });
            }
        }
    }
}

/// A doc that names a test or a file of the tree names one that exists.
pub fn docs_name_what_exists(
    path: &str,
    text: &str,
    exists: impl Fn(&str) -> bool,
    is_function: impl Fn(&str) -> bool,
    findings: &mut Vec<Finding>,
) {
    for (at, line) in text.lines().enumerate() {
        for named in line.split('`').skip(1).step_by(2) {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
            let is_path = TREE.iter().any(|folder| named.starts_with(folder));
            let is_test = named.matches('_').count() >= 4
                && named.chars().all(|c| c == '_' || c.is_ascii_lowercase());
            let missing = match (is_path, is_test) {
                (true, _) => {
                    named.chars().all(plain) && !PLANNED.contains(&named) && !exists(named)
                }
                (false, true) => !is_function(named),
                (false, false) => false,
            };
            if missing {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: at + 1,
                    rule: "docs",
                    detail: format!("there is no `{named}`"),
                });
            }
        }
    }
}

/// A path that exists on one machine only.
pub fn no_machine_is_named(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let folders = ["home", "Users", "root", "work"].map(|folder| format!("/{folder}/"));
    for (at, line) in text.lines().enumerate() {
        let named = folders.iter().find(|folder| {
            line.match_indices(folder.as_str()).any(|(place, _)| {
                // Behind a letter it is a part of a URL or of a longer path.
                !line[..place].ends_with(|c: char| c.is_alphanumeric() || "./-_>}".contains(c))
            })
        });
        if let Some(named) = named {
            findings.push(Finding {
                path: path.to_owned(),
                line: at + 1,
                rule: "machine",
                detail: format!("a path below {named} is of one machine"),
            });
        }
    }
}
