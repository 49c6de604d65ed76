//! The words of an utterance as phrases: persons, verbs of reaching, words of wishing.

use super::token::Token;
use super::vocabulary::{
    ARTICLES, CURSES, DEPARTMENTS, DISTRACTING, FILLERS, LEFT_ALONE, MACHINES, MENDED,
    PLAIN_PERSONS, REACH_PREPOSITIONS, REALNESS, SOMEBODIES, TALKING, THEIRS, TRADES, WISHES,
};

/// The corrected words of an utterance.
pub(super) struct Utterance<'t>(pub(super) &'t [Token]);

/// A person named from some word on.
pub(super) struct Person {
    pub(super) end: usize,
    pub(super) kind: PersonKind,
    pub(super) theirs: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PersonKind {
    /// Nobody else can be meant: a human, a representative, a supervisor.
    Plain,
    /// Somebody, anyone, a person: a person, but not always ours.
    Somebody,
    /// Customer service, the billing department.
    Department,
    /// An unknown kind of person: "one of your loan people".
    Guessed,
    /// A bot, or the listener.
    Machine,
}

/// Whether a word is one of a list, which is written with spaces between.
pub(super) fn among(word: &str, list: &str) -> bool {
    list.split_ascii_whitespace().any(|listed| listed == word)
}

impl<'t> Utterance<'t> {
    pub(super) fn word(&self, at: usize) -> &'t str {
        self.0.get(at).map_or("", |token| &token.word)
    }

    pub(super) fn before(&self, at: usize, back: usize) -> &'t str {
        at.checked_sub(back).map_or("", |index| self.word(index))
    }

    pub(super) fn is(&self, at: usize, words: &str) -> bool {
        among(self.word(at), words)
    }

    pub(super) fn was(&self, at: usize, back: usize, words: &str) -> bool {
        among(self.before(at, back), words)
    }

    pub(super) fn ends(&self, at: usize) -> bool {
        at >= self.0.len() || self.0[at].opens_clause
    }

    pub(super) fn skip(&self, mut at: usize, words: &str) -> usize {
        while self.is(at, words) {
            at += 1;
        }
        at
    }

    /// Reads a person from `at` on, with articles and adjectives.
    pub(super) fn person(&self, at: usize) -> Option<Person> {
        let mut index = at;
        let mut theirs = false;
        let mut articled = false;
        let mut machine = false;
        let mut guesses = 0;
        let mut found: Option<(usize, PersonKind)> = None;
        while index < self.0.len() && index < at + 8 {
            if index > at && self.0[index].opens_clause {
                break;
            }
            if found.is_none() && self.is(index, THEIRS) {
                theirs = true;
            } else if found.is_none() && self.is(index, ARTICLES) {
                articled = true;
            } else if self.is(index, MACHINES) {
                machine = true;
                found = Some((index + 1, PersonKind::Machine));
            } else if self.is(index, PLAIN_PERSONS) {
                found = Some((index + 1, PersonKind::Plain));
            } else if self.is(index, SOMEBODIES) {
                let human = matches!(found, Some((_, PersonKind::Plain)));
                let kind = if human {
                    PersonKind::Plain
                } else {
                    PersonKind::Somebody
                };
                found = Some((index + 1, kind));
            } else if self.is(index, DEPARTMENTS) || self.service(index) {
                let kind = match found {
                    Some((_, PersonKind::Plain)) => break,
                    Some(_) | None => PersonKind::Department,
                };
                found = Some((index + 1, kind));
            } else if self.is(index, TRADES) || self.is(index, REALNESS) {
                if found.is_some_and(|(_, kind)| kind != PersonKind::Department) {
                    break;
                }
            } else if self.is(index, CURSES) || self.is(index, FILLERS) {
                if found.is_some() && !self.is(index, "else") {
                    break;
                }
                if self.is(index, "else") {
                    found = found.map(|(_, kind)| (index + 1, kind));
                }
            } else if found.is_none() && articled && guesses == 0 {
                guesses += 1;
            } else {
                break;
            }
            index += 1;
        }
        let (end, kind) = found?;
        let kind = match kind {
            _ if machine => PersonKind::Machine,
            PersonKind::Plain | PersonKind::Somebody | PersonKind::Department if guesses > 0 => {
                PersonKind::Guessed
            }
            PersonKind::Plain
            | PersonKind::Somebody
            | PersonKind::Department
            | PersonKind::Guessed
            | PersonKind::Machine => kind,
        };
        if self.is(end, DISTRACTING) && !self.0[end].opens_clause {
            return None;
        }
        Some(Person { end, kind, theirs })
    }

    /// "Customer service" and "customer care" end in words that alone mean little.
    pub(super) fn service(&self, at: usize) -> bool {
        self.is(at, "service services relations") && self.was(at, 1, "customer client guest member")
    }

    /// The end of a verb for reaching somebody, with its preposition.
    pub(super) fn reach_verb(&self, at: usize) -> Option<usize> {
        if self.is(at, TALKING) {
            let mut after = self.skip(at + 1, FILLERS);
            after = self.skip(after, "this it that directly over up through about");
            if self.is(after, REACH_PREPOSITIONS) {
                let after = self.skip(after, REACH_PREPOSITIONS);
                return Some(self.skip(after, FILLERS));
            }
            let bare = self.is(at, "talk talking speak speaking chat chatting");
            return (bare && after == at + 1).then_some(after);
        }
        if self.is(at, "contact contacting reach reaching") {
            return Some(self.skip(at + 1, "out to with"));
        }
        if !self.is(at, "get getting put hear") {
            return None;
        }
        let rest = self.skip(at + 1, "me us");
        match [self.word(rest), self.word(rest + 1), self.word(rest + 2)] {
            ["in", "touch" | "contact", "with"] => Some(rest + 3),
            ["ahold" | "hold", "of", _] | ["through", "to", _] => Some(rest + 2),
            ["from", _, _] if self.is(at, "hear") => Some(rest + 1),
            _ => None,
        }
    }

    /// Goes back over the words of wishing that belong to a shape.
    pub(super) fn wish_start(&self, at: usize) -> usize {
        let mut start = at;
        while start > 0
            && at - start < 8
            && !self.0[start].opens_clause
            && self.is(start - 1, WISHES)
        {
            start -= 1;
        }
        start
    }
}

/// Mends one wrong, missing, doubled or swapped letter in the words that matter most.
pub(super) fn correct(word: &mut String) {
    if word.len() < 5 || !word.is_ascii() || among(word, MENDED) || among(word, LEFT_ALONE) {
        return;
    }
    let one_off = |right: &&str| is_one_edit_away(word.as_bytes(), right.as_bytes());
    if let Some(right) = MENDED.split_ascii_whitespace().find(one_off) {
        *word = right.to_owned();
    }
}

fn is_one_edit_away(left: &[u8], right: &[u8]) -> bool {
    if left.len().abs_diff(right.len()) > 1 {
        return false;
    }
    let head = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    let (left, right) = (&left[head..], &right[head..]);
    match left.len().cmp(&right.len()) {
        std::cmp::Ordering::Less => left == &right[1..],
        std::cmp::Ordering::Greater => &left[1..] == right,
        std::cmp::Ordering::Equal => {
            left.is_empty()
                || left[1..] == right[1..]
                || (left.len() > 1
                    && left[0] == right[1]
                    && left[1] == right[0]
                    && left[2..] == right[2..])
        }
    }
}
