//! A file as the rules see it.

use std::fmt;

/// A breach of a rule.
#[derive(Debug)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub rule: &'static str,
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: [{}] {}",
            self.path, self.line, self.rule, self.detail
        )
    }
}

/// A Rust file. A line of a form stands where it stands in the file.
#[derive(Debug)]
pub struct Source {
    pub path: String,
    pub is_test: bool,
    /// Without comments and the insides of texts.
    pub all_code: String,
    /// The same without test code: nothing of a file that is all test.
    pub code: String,
}

impl Source {
    pub fn new(path: &str, text: &str, is_test: bool) -> Self {
        let all_code = blank_texts(text);
        let code = if is_test {
            String::new()
        } else {
            blank_tests(&all_code)
        };
        Self {
            path: path.to_owned(),
            is_test,
            all_code,
            code,
        }
    }

    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
    }

    /// The place of the last line that ships.
    pub fn length(&self) -> usize {
        self.lines()
            .filter(|(_, line)| !line.trim().is_empty())
            .last()
            .map_or(0, |(at, _)| at)
    }

    pub fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| {
            self.path == *place || place.ends_with('/') && self.path.starts_with(place)
        })
    }

    pub fn finding(&self, line: usize, rule: &'static str, detail: String) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            rule,
            detail,
        }
    }

    /// Reports every place of a name that stands by itself.
    pub fn ban(&self, banned: &str, rule: &'static str, findings: &mut Vec<Finding>) {
        for (line, code) in self.lines() {
            if contains_word(code, banned) {
                findings.push(self.finding(line, rule, format!("`{banned}`")));
            }
        }
    }

    pub fn identifiers(&self) -> impl Iterator<Item = (usize, &str)> {
        self.all_code.lines().enumerate().flat_map(|(at, line)| {
            line.split(|c: char| !is_word(c))
                .filter(|word| !word.is_empty())
                .map(move |word| (at + 1, word))
        })
    }

    /// The top modules of the package that `crate::` and `super::` paths lead to.
    pub fn modules_used(&self) -> Vec<(usize, String)> {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let depth = inside.trim_end_matches("/mod").split('/').count();
        let to_root = "super::".repeat(depth);
        let mut used = Vec::new();
        for root in ["crate::", to_root.as_str()] {
            for (place, _) in self.code.match_indices(root) {
                if self.code[..place].ends_with(|c: char| is_word(c) || c == ':') {
                    continue;
                }
                let line = self.code[..place].lines().count().max(1);
                let line = line + usize::from(self.code[..place].ends_with('\n') && place > 0);
                let rest = &self.code[place + root.len()..];
                used.extend(first_names(rest).into_iter().map(|name| (line, name)));
            }
        }
        used
    }
}

/// The names that a path goes on with: one, or those in the braces of a `use`.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| {
        text.trim()
            .chars()
            .take_while(|c| is_word(*c))
            .collect::<String>()
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `wanted` is in `code` and not merely a part of a longer name. `Atomic` finds its kind.
fn contains_word(code: &str, wanted: &str) -> bool {
    code.match_indices(wanted).any(|(place, _)| {
        let before = !wanted.starts_with(is_word) || !code[..place].ends_with(is_word);
        let open_ended = wanted == "Atomic" || wanted.starts_with("std::net::");
        let after = open_ended
            || !wanted.ends_with(is_word)
            || !code[place + wanted.len()..].starts_with(is_word);
        before && after
    })
}

/// `VoiceAgent`, `voice_agent` and `VOICE_AGENT` are the words "voice" and "agent".
pub fn words_of(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for c in identifier.chars() {
        if c == '_' || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Replaces comments and the insides of texts and characters by spaces.
fn blank_texts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word_before = out.ends_with(is_word);
        let (length, kept) = match c {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), 0),
            '/' if rest.starts_with("/*") => (length_of_comment(rest), 0),
            '"' => (length_of_text(rest, 1), 1),
            'r' | 'b' | 'c' if !word_before => match length_of_prefixed(rest) {
                Some(length) => (length, 1),
                None => (1, 1),
            },
            '\'' => (length_of_character(rest), 1),
            _ => (c.len_utf8(), c.len_utf8()),
        };
        let (taken, after) = rest.split_at(length);
        out.push_str(&taken[..kept]);
        out.extend(
            taken[kept..]
                .chars()
                .map(|c| if c == '\n' { '\n' } else { ' ' }),
        );
        rest = after;
    }
    out
}

fn length_of_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of a text whose insides begin at `start`.
fn length_of_text(rest: &str, start: usize) -> usize {
    let mut escaped = false;
    for (at, c) in rest[start..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return start + at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of `b"…"`, `r"…"`, `br#"…"#` and their like, if this is one.
fn length_of_prefixed(rest: &str) -> Option<usize> {
    let prefix = rest.find(|c: char| !matches!(c, 'r' | 'b' | 'c'))?;
    if prefix > 2 {
        return None;
    }
    let hashes = rest[prefix..].chars().take_while(|c| *c == '#').count();
    let start = prefix + hashes + 1;
    if !rest[prefix + hashes..].starts_with('"') {
        return None;
    }
    if !rest[..prefix].contains('r') {
        return (hashes == 0).then(|| length_of_text(rest, start));
    }
    let end = format!("\"{}", "#".repeat(hashes));
    Some(
        rest[start..]
            .find(&end)
            .map_or(rest.len(), |at| start + at + end.len()),
    )
}

/// The length of a character, or of the quote that begins a lifetime.
fn length_of_character(rest: &str) -> usize {
    let mut inside = rest.char_indices().skip(1);
    match (inside.next(), inside.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let from = at + escaped.len_utf8();
            rest[from..].find('\'').map_or(1, |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        (Some(_) | None, Some(_) | None) => 1,
    }
}

/// Blanks what `#[cfg(test)]` and `#[test]` stand before: the item to its semicolon or to the
/// brace below its first line.
fn blank_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut until: Option<String> = None;
    let mut at_item = false;
    for line in code.lines() {
        let trimmed = line.trim();
        let indent = &line[..line.len() - line.trim_start().len()];
        if until.is_none() && matches!(trimmed, "#[cfg(test)]" | "#[test]" | "#[tokio::test]") {
            until = Some(format!("{indent}}}"));
            at_item = true;
        } else if let Some(end) = &until {
            let over = if at_item && trimmed.ends_with(';') {
                true
            } else {
                line.trim_end() == end || at_item && trimmed.ends_with('}')
            };
            if !trimmed.starts_with("#[") {
                at_item = false;
            }
            if over {
                until = None;
            }
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

#[test]
fn texts_and_comments_are_blanked_and_lines_stay() {
    let code = "let a = \"x // y\"; // z\nlet b = 'x'; let c: &'a str = r#\"\"q\"\"#;\n/* a\n/* b */ */ let d = '\\'';";
    let blanked = blank_texts(code);
    assert_eq!(blanked.lines().count(), 4);
    for gone in ["x", "y", "z", "q", "b */"] {
        assert!(!blanked.contains(gone), "{gone} in {blanked}");
    }
    for kept in ["let a =", "let b =", "let c: &'a str =", "let d ="] {
        assert!(blanked.contains(kept), "{kept} in {blanked}");
    }
}
