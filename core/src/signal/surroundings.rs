//! What stands around a request and changes what it means.

use super::asks_human::{DENIED, POSSIBLE, UNLIKELY};
use super::utterance::{Person, PersonKind, Utterance, among};
use super::vocabulary::{BELIEFS, DENIAL_CARRIERS, NEARNESS, NEGATORS, TALKING};

impl Utterance<'_> {
    /// Lowers a confidence by what stands around the shape.
    pub(super) fn tempered(&self, base: f32, at: usize, person: &Person) -> f32 {
        if let Some(denied) = self.denied(at) {
            return denied;
        }
        let mut confidence = base;
        if self.asks_about_listener(at) {
            confidence = confidence.min(DENIED);
        }
        if self.tells_a_story(at) {
            confidence = confidence.min(UNLIKELY);
        }
        if person.theirs || self.near(person.end) {
            confidence = confidence.min(POSSIBLE);
        }
        if self.is(person.end, "who that which i we")
            && person.kind == PersonKind::Somebody
            && self.is(
                person.end + 1,
                "sent sold called gave made took bought paid i send sell",
            )
        {
            confidence = confidence.min(POSSIBLE);
        }
        confidence
    }

    pub(super) fn denied(&self, at: usize) -> Option<f32> {
        self.negation(at).map(|_| DENIED)
    }

    /// Finds a negation that governs the verb at `at`, and where it stands.
    pub(super) fn negation(&self, at: usize) -> Option<usize> {
        let mut index = at;
        let mut let_between = false;
        for _ in 0..8 {
            if index == 0
                || (self.0[index].opens_clause && index != at)
                || (index == at && self.0[at].opens_clause)
            {
                return None;
            }
            index -= 1;
            let word = self.word(index);
            if among(word, "instead rather") && self.word(index + 1) == "of" || word == "than" {
                return Some(index);
            }
            if among(word, NEGATORS) {
                let why = self.before(index, 1) == "why" || (self.before(index, 2) == "why");
                let plain_no = word == "no"
                    && !self.is(index + 1, "need reason point use more longer way interest");
                let lets = let_between || (word == "wont" && self.before(index, 1) == "you");
                let only = self.is(index + 1, "only");
                return (!why && !plain_no && !lets && !only).then_some(index);
            }
            let_between |= among(word, "let letting able");
            let carries = among(word, DENIAL_CARRIERS)
                || among(word, "let letting able a the")
                || (among(word, "i we") && among(self.before(index, 1), BELIEFS));
            let believed = among(word, BELIEFS) && among(self.before(index, 1), NEGATORS);
            if !(carries || believed) {
                return None;
            }
        }
        None
    }

    /// "Sick of", "stop", "hate", "tired of", "done with" before talking to a machine.
    pub(super) fn weariness(&self, at: usize) -> Option<usize> {
        (1..=4).find(|&back| {
            self.was(
                at,
                back,
                "sick tired hate stop done enough fed wasting waste hating refuse",
            )
        })
    }

    /// "Am I talking to", "are we speaking with", "if this is": a question of what listens.
    pub(super) fn asks_about_listener(&self, at: usize) -> bool {
        if !self.is(
            at,
            "talking speaking chatting dealing connected communicating interacting conversing",
        ) {
            return false;
        }
        let at = if self.was(at, 1, "really actually currently now even still just") {
            at - 1
        } else {
            at
        };
        match [self.before(at, 2), self.before(at, 1)] {
            ["am" | "are" | "was" | "were", "i" | "we"]
            | ["i", "am" | "was"]
            | ["we", "are" | "were"] => true,
            [before, "im"] => among(before, "if whether that sure like think know"),
            ["been", _] => false,
            _ => self.was(at, 1, "been was were"),
        }
    }

    /// "When I talk to", "after speaking with", "he told me to", "every time I reach".
    pub(super) fn tells_a_story(&self, at: usize) -> bool {
        let story = |word: &str| {
            among(
                word,
                "when whenever time after before while once if since by from",
            )
        };
        if story(self.before(at, 1)) {
            return true;
        }
        if self.was(at, 1, "a") && self.was(at, 2, "had having after") {
            return true;
        }
        let advice = match (self.was(at, 1, "to"), self.was(at, 2, "need")) {
            (true, true) => 3,
            _ if self.was(at, 1, "should") => 2,
            _ => 0,
        };
        let advice =
            advice + usize::from(self.was(at, advice, "really definitely probably guys just"));
        if advice >= 2 && self.was(at, advice, "you guys") {
            return true;
        }
        let obliged = matches!(
            [
                self.before(at, 4),
                self.before(at, 3),
                self.before(at, 2),
                self.before(at, 1)
            ],
            ["do", "i", "have" | "need", "to"] | ["did", "you", _, "to"]
        );
        if obliged && !self.was(at, 5, "what how who why long where") {
            return true;
        }
        let unsure = self.was(at, 1, "i") && self.was(at, 2, "should");
        let theirs = self.is(at, TALKING)
            && self.was(at, 1, "you they he she")
            && self.was(at, 2, "can could did do");
        if unsure || theirs {
            return true;
        }
        self.was(at, 1, "i we you they") && story(self.before(at, 2))
            || (self.was(at, 1, "to")
                && self.was(at, 2, "told used supposed")
                && story(self.before(at, 4)))
    }

    pub(super) fn near(&self, end: usize) -> bool {
        (end..(end + 3).min(self.0.len())).any(|at| self.is(at, NEARNESS))
    }
}
