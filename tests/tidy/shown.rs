//! Each rule shown to fail on a small file, and to let the like of it pass.

use crate::rules::*;
use crate::source::Source;

/// Runs one rule over a small file and gives the lines of its findings.
fn breaches(rule: Rule, path: &str, text: &str) -> Vec<usize> {
    let is_test = path.contains("tests/");
    let mut findings = Vec::new();
    rule(&Source::new(path, text, is_test), &mut findings);
    findings.iter().map(|finding| finding.line).collect()
}

#[test]
fn layers_are_seen_in_every_way_to_write_a_path() {
    let check = |path, text| breaches(modules_keep_to_their_layer, path, text);
    assert_eq!(
        check("src/session/perform.rs", "use crate::http::Front;\n"),
        [1]
    );
    assert_eq!(
        check("src/session/perform.rs", "\n\nuse crate::cli;\n"),
        [3]
    );
    assert_eq!(
        check(
            "src/carrier/number.rs",
            "fn f() {\n    crate::egress::send();\n}\n"
        ),
        [2]
    );
    assert_eq!(
        check(
            "src/carrier/twilio/rest.rs",
            "use super::super::super::clock;\n"
        ),
        [1]
    );
    assert_eq!(
        check("src/delivery/mod.rs", "use super::session::Registry;\n"),
        [1]
    );
    let group = "use crate::{\n    carrier::{number, verdict},\n    delivery::Worker,\n};\n";
    assert_eq!(check("src/http/api.rs", group), [1]);
    assert_eq!(
        check("src/journal/read.rs", "use crate::config::Config;\n"),
        [1]
    );
    assert_eq!(
        check("src/config/load.rs", "use crate::journal::Journal;\n"),
        [1]
    );
    assert_eq!(
        check("src/http/api.rs", "use crate::recognizer::Feed;\n"),
        [1]
    );
    assert_eq!(check("src/egress.rs", "use crate::cli::serve;\n"), [1]);
    assert_eq!(check("src/newcomer/mod.rs", ""), [1]);
    assert!(check("src/http/api.rs", "use crate::session::Registry;\n").is_empty());
    assert!(check("src/cli/serve.rs", "use crate::http::Front;\n").is_empty());
    assert!(check("src/carrier/number.rs", "// crate::egress is far away\n").is_empty());
    let test = "#[cfg(test)]\nmod tests {\n    use crate::egress::Egress;\n}\n";
    assert!(check("src/carrier/number.rs", test).is_empty());
}

#[test]
fn core_may_not_reach_out() {
    let check = |text| breaches(core_is_pure, "core/src/call/machine.rs", text);
    for impure in [
        "async fn wait() {}",
        "use std::sync::Mutex;",
        "use std::sync::RwLock;",
        "x: RefCell<u8>,",
        "x: Cell<u8>,",
        "x: &dyn Rule,",
        "use std::fs;",
        "use std::net::IpAddr;",
        "std::env::var(x)",
        "use std::time::Instant;",
        "SystemTime::now()",
        "tokio::select!",
        "use serde::Serialize;",
        "use std::sync::atomic::AtomicBool;",
        "x: HashMap<u8, u8>,",
        "info!(\"heard\");",
    ] {
        assert!(!check(impure).is_empty(), "{impure}");
    }
    for pure in [
        "use std::sync::Arc;",
        "/// Not an `Instant`.",
        "let x = \"std::fs\";",
        "struct Cells;",
        "use std::collections::BTreeMap;",
    ] {
        assert!(check(pure).is_empty(), "{pure}");
    }
}

#[test]
fn vendor_knowledge_opens_nothing() {
    for path in [
        "src/carrier/twilio/rest.rs",
        "src/delivery/schedule.rs",
        "src/delivery/sink/mod.rs",
        "src/recognizer/deepgram/wire.rs",
    ] {
        assert_eq!(
            breaches(vendor_files_do_no_io, path, "use tokio::time;\n"),
            [1],
            "{path}"
        );
        assert_eq!(
            breaches(vendor_files_do_no_io, path, "x.send().await;\n"),
            [1],
            "{path}"
        );
        assert!(breaches(vendor_files_do_no_io, path, "use http::Request;\n").is_empty());
    }
    assert!(breaches(vendor_files_do_no_io, "src/egress.rs", "use tokio::time;\n").is_empty());
}

#[test]
fn sockets_and_files_are_opened_in_few_places() {
    let check = |path, text| breaches(few_files_open_things, path, text);
    assert_eq!(
        check("src/session/driver.rs", "use reqwest::Client;\n"),
        [1]
    );
    assert_eq!(check("src/http/api.rs", "use rusqlite::Connection;\n"), [1]);
    assert_eq!(check("src/http/api.rs", "std::fs::read(path)\n"), [1]);
    assert_eq!(check("src/session/line.rs", "TcpStream::connect(x)\n"), [1]);
    assert_eq!(
        check("src/recognizer/any.rs", "libloading::Library::new(x)\n"),
        [1]
    );
    assert!(check("src/egress.rs", "use reqwest::Client;\n").is_empty());
    assert!(check("src/journal/sqlite/open.rs", "use rusqlite::Connection;\n").is_empty());
}

#[test]
fn the_simulator_shares_no_code() {
    let check = |path, text| breaches(packages_stay_apart, path, text);
    assert_eq!(
        check("simulator/src/http1.rs", "use handoff_core::id::CallId;\n"),
        [1]
    );
    assert_eq!(
        check("simulator/src/http1.rs", "use handoff::carrier;\n"),
        [1]
    );
    assert_eq!(
        check("src/cli/demo.rs", "use handoff_simulator::command;\n"),
        [1]
    );
    assert!(check("simulator/src/main.rs", "use handoff_simulator::cli;\n").is_empty());
}

#[test]
fn http_may_look_and_not_write() {
    let check = |text| breaches(http_only_reads_the_journal, "src/http/api.rs", text);
    assert_eq!(check("journal.append(rows).await?;\n"), [1]);
    assert!(check("journal.records(&call).await?;\n").is_empty());
}

#[test]
fn a_table_of_contents_has_no_functions() {
    let check = |path, text| breaches(contents_hold_no_logic, path, text);
    assert_eq!(
        check("src/journal/mod.rs", "mod read;\n\npub fn open() {}\n"),
        [3]
    );
    assert_eq!(check("src/journal/mod.rs", "impl Journal {}\n"), [1]);
    assert!(check("src/journal/read.rs", "pub fn open() {}\n").is_empty());
    assert!(
        check(
            "src/journal/mod.rs",
            "pub use read::Reader;\n/// A fn.\npub enum E { A }\n"
        )
        .is_empty()
    );
}

#[test]
fn tests_do_not_count_as_length() {
    let long = "fn f() {}\n".repeat(TOO_LONG + 1);
    assert_eq!(breaches(files_stay_short, "src/a.rs", &long), [TOO_LONG]);
    let tested = format!(
        "fn f() {{}}\n\n#[cfg(test)]\nmod tests {{\n{}}}\n",
        "    fn f() {}\n".repeat(TOO_LONG)
    );
    assert!(breaches(files_stay_short, "src/a.rs", &tested).is_empty());
    assert!(breaches(files_stay_short, "simulator/tests/a.rs", &long).is_empty());
}

#[test]
fn unsafe_code_and_unwraps_are_seen() {
    let text = "fn f() {\n    unsafe { g() }\n}\n";
    assert_eq!(
        breaches(unsafe_code_is_in_few_files, "src/egress.rs", text),
        [2]
    );
    assert!(breaches(unsafe_code_is_in_few_files, UNSAFE_IN[0], text).is_empty());
    let denied = "#![deny(unsafe_code)]\n";
    assert!(breaches(unsafe_code_is_in_few_files, "src/lib.rs", denied).is_empty());

    assert_eq!(
        breaches(nothing_unwraps, "src/egress.rs", "x.unwrap();\n"),
        [1]
    );
    assert!(
        breaches(
            nothing_unwraps,
            "src/egress.rs",
            "x.unwrap_or(0); // .unwrap()\n"
        )
        .is_empty()
    );
    let test = "#[test]\nfn f() {\n    x.unwrap();\n}\n\nfn g() {\n    y.unwrap();\n}\n";
    assert_eq!(breaches(nothing_unwraps, "src/egress.rs", test), [7]);
}

#[test]
fn a_bare_word_for_the_bot_is_seen() {
    let check = |text| breaches(the_bot_is_called_voice_agent, "src/session/driver.rs", text);
    for bare in [
        "let agent = 1;",
        "struct AgentLeg;",
        "fn ring_agent() {}",
        "const AGENTS: u8 = 1;",
    ] {
        assert_eq!(check(bare), [1], "{bare}");
    }
    for good in [
        "let voice_agent = 1;",
        "struct VoiceAgent;",
        "header::USER_AGENT",
        "say(\"an agent\")",
        "// agent",
        "let reagent = 1;",
    ] {
        assert!(check(good).is_empty(), "{good}");
    }
}

#[test]
fn empty_names_are_seen() {
    assert_eq!(
        breaches(names_say_something, "src/session/utils.rs", ""),
        [1]
    );
    assert_eq!(
        breaches(names_say_something, "src/a.rs", "pub struct CallManager;\n"),
        [1]
    );
    assert_eq!(
        breaches(
            names_say_something,
            "src/a.rs",
            "pub(super) enum CallInfo {}\n"
        ),
        [1]
    );
    assert!(breaches(names_say_something, "src/a.rs", "pub struct Registry;\n").is_empty());
}

#[test]
fn sleeping_and_skipped_tests_are_seen() {
    let check = |text| breaches(tests_wait_for_something, "src/a.rs", text);
    assert_eq!(check("#[test]\n#[ignore]\nfn f() {}\n"), [2]);
    assert_eq!(
        check("#[cfg(test)]\nmod tests {\n    fn f() {\n        sleep(SECOND);\n    }\n}\n"),
        [4]
    );
    assert!(check("fn pace() {\n    sleep(SLOT);\n}\n").is_empty());
    assert_eq!(
        breaches(
            tests_wait_for_something,
            "tests/it/a.rs",
            "sleep(SECOND).await;\n"
        ),
        [1]
    );
}

#[test]
fn the_engine_gains_no_crate_unseen() {
    let mut findings = Vec::new();
    let manifest = "[dependencies]\nthiserror.workspace = true\ntokio = \"1\"\n\n[dev-dependencies]\nserde = \"1\"\n";
    core_depends_on_little(manifest, &mut findings);
    assert_eq!(
        findings
            .iter()
            .map(|finding| finding.line)
            .collect::<Vec<_>>(),
        [3]
    );
}

#[test]
fn paths_of_one_machine_are_seen() {
    let check = |line: &str| {
        let mut findings = Vec::new();
        no_machine_is_named("README.md", line, &mut findings);
        findings.len()
    };
    for folder in ["home", "Users", "root", "work"] {
        assert_eq!(check(&format!("cd /{folder}/somebody")), 1, "{folder}");
    }
    assert_eq!(check("https://example.com/home/page"), 0);
    assert_eq!(check("/usr/share/pocketsphinx"), 0);
}

#[test]
fn docs_that_name_what_is_gone_are_seen() {
    let check = |line: &str| {
        let mut findings = Vec::new();
        let exists = |path: &str| path == "src/egress.rs";
        let is_function = |name: &str| name == "a_test_that_shows_it";
        docs_name_what_exists("README.md", line, exists, is_function, &mut findings);
        findings.len()
    };
    assert_eq!(check("see `src/egress.rs` and `a_test_that_shows_it`"), 0);
    assert_eq!(check("see `src/ingress.rs`"), 1);
    assert_eq!(check("see `a_test_that_was_renamed_since`"), 1);
    assert_eq!(
        check("`src/http/dashboard/`, `src/<vendor>`, `journal_deadline`"),
        0
    );
}
