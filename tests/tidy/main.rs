//! What the compiler does not check: who may import whom, what is banned, how long a file may be.
//!
//! A plain scan of the text, without a parser: it relies on rustfmt's form. `rules` holds the rules
//! and their tables, which `ARCHITECTURE.md` explains; `source` is a file with its comments, texts
//! and tests blanked out, so that a rule sees the code that ships; `shown` shows each rule fail.

mod rules;
mod shown;
mod source;
mod tree;

use rules::{
    DOCS, LONG, RULES, core_depends_on_little, docs_name_what_exists, no_machine_is_named,
};
use source::Finding;
use tree::{exists, read, read_code, read_texts};

#[test]
fn the_tree_is_tidy() {
    let sources = read_code();
    assert!(
        sources.len() > 100,
        "the scan found {} files",
        sources.len()
    );
    let mut findings = Vec::new();
    for source in &sources {
        for rule in RULES {
            rule(source, &mut findings);
        }
    }
    core_depends_on_little(&read("core/Cargo.toml"), &mut findings);
    let is_function = |name: &str| {
        let declared = format!("fn {name}(");
        sources
            .iter()
            .any(|source| source.all_code.contains(&declared))
    };
    for doc in DOCS {
        docs_name_what_exists(doc, &read(doc), exists, is_function, &mut findings);
    }
    for (path, text) in read_texts() {
        no_machine_is_named(&path, &text, &mut findings);
    }
    let mut long: Vec<_> = sources
        .iter()
        .filter(|source| source.length() > LONG)
        .collect();
    long.sort_by_key(|source| std::cmp::Reverse(source.length()));
    for source in long {
        println!(
            "{}: {} lines, more than {LONG}",
            source.path,
            source.length()
        );
    }
    let list: Vec<_> = findings.iter().map(Finding::to_string).collect();
    assert!(
        list.is_empty(),
        "{} breaches:\n{}",
        list.len(),
        list.join("\n")
    );
}
