//! Words of an utterance, as recognizers and keyboards write them.

use std::ops::Range;

/// Only the end of an endless utterance is read.
const MOST_TOKENS: usize = 400;

/// One word: lower case, without apostrophes (`don't` is `dont`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) word: String,
    /// Where it stands in the text, in bytes.
    pub(super) span: Range<usize>,
    /// Whether punctuation separates it from the word before.
    pub(super) opens_clause: bool,
}

/// Splits a text into its last 400 words.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut opens_clause = true;
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if !first.is_alphanumeric() {
            opens_clause |= ends_clause(first);
            continue;
        }
        let mut word: String = first.to_lowercase().collect();
        let mut end = start + first.len_utf8();
        while let Some(&(at, next)) = chars.peek() {
            if next.is_alphanumeric() {
                word.extend(next.to_lowercase());
            } else if !matches!(next, '\'' | '’' | '`') {
                break;
            }
            end = at + next.len_utf8();
            chars.next();
        }
        tokens.push(Token {
            word,
            span: start..end,
            opens_clause,
        });
        opens_clause = false;
    }
    if let Some(beyond) = tokens.len().checked_sub(MOST_TOKENS) {
        tokens.drain(..beyond);
    }
    tokens
}

fn ends_clause(mark: char) -> bool {
    matches!(
        mark,
        '.' | ',' | ';' | ':' | '!' | '?' | '(' | ')' | '…' | '–' | '—' | '\n'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_case_and_apostrophes_and_keep_their_place() {
        let text = "I DON’T know, é… ok";
        let found = tokens(text);
        let words: Vec<&str> = found.iter().map(|token| token.word.as_str()).collect();
        assert_eq!(words, ["i", "dont", "know", "é", "ok"]);
        assert_eq!(&text[found[1].span.clone()], "DON’T");
        let opening: Vec<bool> = found.iter().map(|token| token.opens_clause).collect();
        assert_eq!(opening, [true, false, false, true, true]);
    }

    #[test]
    fn endless_text_is_read_at_its_end() {
        let text = "blah ".repeat(100_000) + "end";
        let found = tokens(&text);
        assert_eq!(found.len(), MOST_TOKENS);
        assert_eq!(found.last().map(|token| token.word.as_str()), Some("end"));
    }
}
