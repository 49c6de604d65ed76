//! Reads the tree.

use std::fs;
use std::path::{Path, PathBuf};

use crate::source::Source;

/// The folders with Rust in them.
const CODE: [&str; 8] = [
    "benches",
    "core/src",
    "core/tests",
    "examples",
    "simulator/src",
    "simulator/tests",
    "src",
    "tests",
];

/// All Rust of the tree. Files of modules behind `#[cfg(test)]` are test code, as is all in a
/// `tests` or `benches` folder.
pub fn read_code() -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in CODE {
        walk(&root().join(folder), &mut |path| paths.push(path));
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    paths.sort();
    let texts: Vec<_> = paths
        .iter()
        .map(|path| {
            (
                path.clone(),
                fs::read_to_string(path).expect("a file of the tree"),
            )
        })
        .collect();
    let test_modules: Vec<PathBuf> = texts
        .iter()
        .flat_map(|(path, text)| {
            let folder = path.parent().expect("a file is in a folder").to_owned();
            test_modules(text)
                .into_iter()
                .map(move |name| folder.join(name))
        })
        .collect();
    texts
        .iter()
        .map(|(path, text)| {
            let inside = relative(path);
            let is_test = test_modules
                .iter()
                .any(|module| path.starts_with(module) || *path == module.with_extension("rs"))
                || ["benches/", "tests/", "core/tests/", "simulator/tests/"]
                    .iter()
                    .any(|folder| inside.starts_with(folder));
            Source::new(&inside, text, is_test)
        })
        .collect()
}

fn test_modules(text: &str) -> Vec<String> {
    let mut lines = text.lines().map(str::trim);
    let mut names = Vec::new();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]"
            && let Some(item) = lines.next()
            && let Some((_, name)) = item.split_once("mod ")
            && let Some(name) = name.strip_suffix(';')
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// All text of the tree, with its paths.
pub fn read_texts() -> Vec<(String, String)> {
    let mut texts = Vec::new();
    walk(root(), &mut |path| {
        // What is not UTF-8 is sound or an archive.
        if let Ok(text) = fs::read_to_string(&path) {
            texts.push((relative(&path), text));
        }
    });
    texts
}

fn walk(folder: &Path, found: &mut impl FnMut(PathBuf)) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("an entry of a folder").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            if !matches!(
                name,
                "target" | ".git" | "data" | "__pycache__" | "node_modules"
            ) {
                walk(&path, found);
            }
        } else if name != ".git" && name != ".env" {
            found(path);
        }
    }
}

pub fn exists(path: &str) -> bool {
    root().join(path).exists()
}

pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a file of the tree")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn relative(path: &Path) -> String {
    let inside = path.strip_prefix(root()).expect("below the root");
    inside.to_string_lossy().replace('\\', "/")
}
