//! Whether an utterance asks for a human, by its words.
//!
//! A request has a shape: somebody is to be *reached* ("talk to", "put me through to", "get me"),
//! and it is a *person* ("a real person", "somebody in billing"). Each shape found gives a
//! confidence; what stands before and after it changes that: a negation ("don't transfer me"), a
//! question about the listener ("am I talking to a person?"), a story ("when I spoke to an agent").
//! The best of all shapes is the answer, with the words that gave it.
//!
//! Acted on from 0.6, measured 2026-11-21 on public data (NLU++ banking folds 0-11, Bitext customer
//! support train and dev, hard negatives out of banking77, CLINC150 and NatCS): recall 35 of 38 and
//! 256 of 264, false alarms 0 of 1,206, 0 of 6,767 and 0 of 504. The rules were written with these
//! rows in view: expect less on other callers. Bitext is templates and typos, and says little.

use std::ops::Range;

use super::token::tokens;
use super::utterance::{PersonKind, Utterance, correct};
use super::vocabulary::{
    AFTERWARDS, ARTICLES, CURSES, FILLERS, MOVES, ONWARD, POLITENESS, REALNESS, TELLING, WANTS,
};

/// A request for a human, as far as the words show one.
#[derive(Clone, Debug, PartialEq)]
pub struct Asking {
    /// How sure it is, 0..=1. The shipped rule acts from 0.6 on.
    pub confidence: f32,
    /// The words that show it, in bytes of the text.
    pub span: Range<usize>,
}

/// The scorer. Holds no state between utterances.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsksHuman(());

impl AsksHuman {
    /// Makes the scorer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Scores one utterance; `None` if nothing in it is about reaching a person.
    pub fn score(&self, text: &str) -> Option<Asking> {
        let mut words = tokens(text);
        for token in &mut words {
            correct(&mut token.word);
        }
        let utterance = Utterance(&words);
        let best = utterance.requests().reduce(|best, next| {
            if next.confidence > best.confidence {
                next
            } else {
                best
            }
        })?;
        let found = &words[best.words];
        Some(Asking {
            confidence: best.confidence,
            span: found.first()?.span.start..found.last()?.span.end,
        })
    }
}

/// A shape found at some words.
#[derive(Clone, Debug)]
struct Request {
    confidence: f32,
    words: Range<usize>,
}

pub(super) const CERTAIN: f32 = 0.95;
pub(super) const LIKELY: f32 = 0.85;
pub(super) const PROBABLE: f32 = 0.7;
pub(super) const POSSIBLE: f32 = 0.45;
pub(super) const UNLIKELY: f32 = 0.25;
pub(super) const DENIED: f32 = 0.1;

impl Utterance<'_> {
    fn requests(&self) -> impl Iterator<Item = Request> {
        let whole = self.bare();
        let shapes = (0..self.0.len()).flat_map(|at| {
            [
                self.reaching(at),
                self.moving_me(at),
                self.giving_me(at),
                self.wanting(at),
                self.asking_presence(at),
                self.tired_of_machines(at),
                self.bringing(at),
            ]
        });
        whole.into_iter().chain(shapes.flatten())
    }

    /// "Agent." "Representative, please!" Nothing but a person and politeness.
    fn bare(&self) -> Option<Request> {
        let polite = |at: usize, named: bool| {
            self.is(at, POLITENESS)
                || (named && self.is(at, AFTERWARDS))
                || self.is(at, FILLERS)
                || self.is(at, ARTICLES)
                || self.is(at, CURSES)
        };
        let mut at = 0;
        let mut found: Option<(PersonKind, Range<usize>)> = None;
        while at < self.0.len() {
            if let Some(person) = self.person(at).filter(|person| !person.theirs) {
                let start = found.map_or(at, |(_, words)| words.start);
                found = Some((person.kind, start..person.end));
                at = person.end;
            } else if polite(at, found.is_some()) {
                at += 1;
            } else {
                return None;
            }
        }
        let (kind, words) = found?;
        let real = words.clone().any(|at| self.is(at, REALNESS));
        let confidence = match kind {
            PersonKind::Plain => CERTAIN,
            PersonKind::Department => LIKELY,
            PersonKind::Somebody
                if real || (words.len() == 1 && self.is(words.start, "person")) =>
            {
                LIKELY
            }
            PersonKind::Somebody => POSSIBLE,
            PersonKind::Guessed | PersonKind::Machine => return None,
        };
        Some(Request { confidence, words })
    }

    /// "Talk to a person", "get in touch with your billing department".
    fn reaching(&self, at: usize) -> Option<Request> {
        let after = self.reach_verb(at)?;
        if self.is(after, "you u ya") {
            let end = after + 1;
            let done = self.ends(end) || self.is(end, "anymore any again i im");
            let denied = self.negation(at).is_some() || self.weariness(at).is_some();
            return (done && denied && self.is(after - 1, "to with")).then_some(Request {
                confidence: PROBABLE,
                words: at..end,
            });
        }
        if self.ends(after) {
            return None;
        }
        let person = self.person(after)?;
        let words = self.wish_start(at)..person.end;
        if person.kind == PersonKind::Machine {
            let denied = self.negation(at).is_some() || self.weariness(at).is_some();
            return denied.then_some(Request {
                confidence: PROBABLE,
                words,
            });
        }
        let contact = self.is(at, "contact contacting reach reaching");
        let base = match person.kind {
            PersonKind::Plain | PersonKind::Department => CERTAIN,
            PersonKind::Somebody
                if after + 1 == person.end && self.is(after, "people everyone") =>
            {
                POSSIBLE
            }
            PersonKind::Somebody => LIKELY,
            PersonKind::Guessed if contact => POSSIBLE,
            PersonKind::Guessed | PersonKind::Machine => PROBABLE,
        };
        let base = self.tempered(base, at, &person);
        Some(Request {
            confidence: base,
            words,
        })
    }

    /// "Transfer me", "put me through to somebody".
    fn moving_me(&self, at: usize) -> Option<Request> {
        if !self.is(at, MOVES) {
            return None;
        }
        let object = self.skip(at + 1, "to");
        let escalating = self.is(at, "escalate");
        let me = self.is(object, "me us")
            || (self.is(object, "this my") && (escalating || self.word(object + 1) == "call"))
            || (self.word(object) == "the" && self.word(object + 1) == "call");
        if !me {
            return None;
        }
        let after = object + 1 + usize::from(self.word(object + 1) == "call");
        let onward = self.skip(after, ONWARD);
        let onward = self.skip(onward, FILLERS);
        if let Some(person) = self
            .person(onward)
            .filter(|person| person.kind != PersonKind::Machine)
        {
            let base = match person.kind {
                PersonKind::Guessed if onward == after => return None,
                PersonKind::Guessed => PROBABLE,
                PersonKind::Plain
                | PersonKind::Somebody
                | PersonKind::Department
                | PersonKind::Machine => CERTAIN,
            };
            return Some(Request {
                confidence: self.tempered(base, at, &person),
                words: self.wish_start(at)..person.end,
            });
        }
        let through = self.is(after, "through thru");
        let plain = self.is(at, "transfer connect escalate redirect patch transferring");
        let closes = self.ends(onward)
            || self.is(onward, "now then and because so already again i somewhere");
        let unobjected =
            onward == after || through || self.is(onward.saturating_sub(1), "over up please on");
        if !(through || plain) || !closes || !unobjected {
            return None;
        }
        Some(Request {
            confidence: self.denied(at).unwrap_or(0.8),
            words: self.wish_start(at)..onward.max(object + 1),
        })
    }

    /// "Get me a human", "give me your supervisor".
    fn giving_me(&self, at: usize) -> Option<Request> {
        if !self.is(at, "get give bring find hand offer") || !self.is(at + 1, "me us") {
            return None;
        }
        let after = self.skip(at + 2, "to through over in with a hold of on");
        let after = self.skip(after, FILLERS);
        let person = self.person(after)?;
        let base = match person.kind {
            PersonKind::Plain => CERTAIN,
            PersonKind::Department => PROBABLE,
            PersonKind::Somebody if self.is(at, "find") => UNLIKELY,
            PersonKind::Somebody => LIKELY,
            PersonKind::Guessed | PersonKind::Machine => return None,
        };
        let base = if self.is(at, "find") {
            base.min(POSSIBLE)
        } else {
            base
        };
        Some(Request {
            confidence: self.tempered(base, at, &person),
            words: self.wish_start(at)..person.end,
        })
    }

    /// "I want a real person", "can I have an operator", "I need your manager".
    fn wanting(&self, at: usize) -> Option<Request> {
        if !self.is(at, WANTS) {
            return None;
        }
        let asked = match self.word(at) {
            "have" | "get" => {
                self.is(at.wrapping_sub(2), "can could may") && self.is(at.wrapping_sub(1), "i we")
                    || self.is(at.wrapping_sub(1), "id to wanna rather")
            }
            "like" => self.is(at.wrapping_sub(1), "would id wed"),
            _ => true,
        };
        if !asked {
            return None;
        }
        let after = self.skip(at + 1, "to have get");
        let person = self.person(after)?;
        let real = (after..person.end).any(|word| self.is(word, REALNESS));
        let goes_on = !self.ends(person.end);
        let base = match person.kind {
            PersonKind::Plain if !goes_on || real => CERTAIN,
            PersonKind::Plain if self.is(person.end, "to who that for in as from with") => POSSIBLE,
            PersonKind::Plain => PROBABLE,
            PersonKind::Somebody if real => LIKELY,
            PersonKind::Somebody if !goes_on => PROBABLE,
            PersonKind::Somebody if self.on_the_line(person.end) => LIKELY,
            PersonKind::Department if !goes_on && person.end > after + 1 => PROBABLE,
            PersonKind::Somebody
            | PersonKind::Department
            | PersonKind::Guessed
            | PersonKind::Machine => return None,
        };
        Some(Request {
            confidence: self.tempered(base, at, &person),
            words: self.wish_start(at)..person.end,
        })
    }

    /// "Is there a human there", "do you have a manager", "somebody I can talk to".
    fn asking_presence(&self, at: usize) -> Option<Request> {
        let person = self
            .person(at)
            .filter(|person| person.kind != PersonKind::Machine)?;
        let mut end = self.skip(person.end, "that who whom else there available around real");
        let subject = self.is(end, "i we");
        end = self.skip(end, "i we can could may to should able actually just");
        let talks = self.is(end, "talk speak chat") && self.is(end + 1, "to with");
        if talks && end > person.end && (subject || self.word(end - 1) == "to") {
            let advice = self.was(at, 1, "need") && self.was(at, 2, "you");
            let meant = at == 0
                || (self.was(at, 1, "is there any a the find have want need get me") && !advice);
            return Some(Request {
                confidence: if meant { LIKELY } else { POSSIBLE },
                words: self.wish_start(at)..end + 2,
            });
        }
        let opener = [self.before(at, 2), self.before(at, 1)];
        let exists = matches!(opener, ["is", "there"] | ["you", "have"] | ["theres", "no"]);
        let here =
            self.ends(person.end) || self.is(person.end, "there here available around on in at");
        let ours = matches!(person.kind, PersonKind::Plain);
        let real = (at..person.end).any(|word| self.is(word, REALNESS));
        if !(exists && here) || self.near(person.end) {
            return None;
        }
        let confidence = match (ours, real, self.ends(person.end)) {
            (_, true, _) => LIKELY,
            (true, false, _) => PROBABLE,
            (false, false, _) => POSSIBLE,
        };
        Some(Request {
            confidence,
            words: at - 2..person.end,
        })
    }

    /// "Can you get someone else on the line", "bring somebody in to help me".
    fn bringing(&self, at: usize) -> Option<Request> {
        if !self.is(at, "get put bring have let") {
            return None;
        }
        let person = self.person(at + 1)?;
        if !matches!(
            person.kind,
            PersonKind::Plain | PersonKind::Somebody | PersonKind::Department
        ) {
            return None;
        }
        let end = self.skip(person.end, "else");
        let talks = self.word(end) == "to"
            && self.is(end + 1, "help talk speak assist")
            && self.is(self.skip(end + 2, "to with"), "me us")
            && self.word(at) == "get";
        if !talks && !self.on_the_line(end) {
            return None;
        }
        Some(Request {
            confidence: self.tempered(
                LIKELY.min(if talks { PROBABLE } else { LIKELY }),
                at,
                &person,
            ),
            words: self.wish_start(at)..end + if talks { 3 } else { 2 },
        })
    }

    fn on_the_line(&self, at: usize) -> bool {
        let at = self.skip(at, "else real");
        self.is(at, "on to") && self.is(self.skip(at + 1, "the this"), "line phone call")
    }

    /// "Sick of talking to a robot" is found by its verb; this finds "with a machine" after others.
    fn tired_of_machines(&self, at: usize) -> Option<Request> {
        if !self.is(at, TELLING) {
            return None;
        }
        let last = (at + 8).min(self.0.len());
        let machine = (at + 1..last).find_map(|to| {
            if !self.is(to, "with to on") {
                return None;
            }
            self.person(to + 1)
                .filter(|person| person.kind == PersonKind::Machine)
        })?;
        let unwilling = self.is(at, "wasting waste")
            || (1..=6).any(|back| {
                self.was(
                    at,
                    back,
                    "dont not wont never refuse uncomfortable hate rather",
                )
            });
        unwilling.then_some(Request {
            confidence: PROBABLE,
            words: at..machine.end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shipped rule acts on it.
    const ACTED_ON: f32 = 0.6;

    fn confidence(text: &str) -> f32 {
        AsksHuman::new()
            .score(text)
            .map_or(0.0, |asking| asking.confidence)
    }

    #[test]
    fn requests_are_acted_on() {
        let requests = [
            // Plain, polite, hesitant.
            "I want to talk to a human",
            "Could I speak with a representative, please?",
            "can you put me through to somebody",
            "uh hi um can i please just uh speak to an actual person",
            "I'd really like to speak to someone in your billing department",
            "please transfer me to an operator",
            "let me talk to your supervisor",
            "may I talk with a member of your staff",
            "Is it possible to speak with one of your colleagues?",
            "I would prefer to discuss this with a person",
            "connect me with customer service",
            "I need to speak to somebody about my bill",
            "get me in touch with an advisor",
            "how do I get through to a real human being here",
            "can i have a live agent",
            "just give me a person",
            "I need a manager",
            "do you have a supervisor I can talk to",
            "is there a human there?",
            "is there anybody I can speak to",
            "Transfer me.",
            "put me through please",
            "can you transfer my call to the claims team",
            "Could you get someone else on the phone?",
            // One word and few.
            "agent!",
            "Representative.",
            "operator please",
            "human, human, human",
            "speak to a person",
            "customer service",
            "supervisor now",
            "real person",
            // Angry.
            "get me a damn human right now",
            "this is useless, I want your manager!",
            "For God's sake let me speak to somebody who understands English",
            "I am sick of talking to a machine",
            "stop, I don't want to talk to a robot",
            "I don't want to talk to you",
            "I'm not discussing my health with a computer",
            "why won't you let me talk to a person",
            "why can't I speak to anyone",
            // Typed badly.
            "i wnat to speek with a represenative",
            "can i talk to a huamn",
            "speak to an agnet",
            "i need hlep tallking to somone",
            // Later in what they say, after something else.
            "My parcel never came. I've been waiting two weeks. Can I talk to somebody?",
            "no that is not my address i want to speak to a person",
            "I don't know what that means, can I speak with an advisor",
            "I don't want to talk to a bot I want to talk to a human",
            "are you a robot? then get me a human",
        ];
        let missed = requests.map(|text| (confidence(text), text));
        let missed: Vec<_> = missed
            .iter()
            .filter(|(found, _)| *found < ACTED_ON)
            .collect();
        assert!(missed.is_empty(), "missed: {missed:#?}");
    }

    #[test]
    fn everything_else_is_not() {
        let others = [
            // Denied.
            "don't transfer me",
            "please don't put me through to anyone",
            "I don't want to talk to a person, just tell me my balance",
            "you don't need to connect me with an agent",
            "no need to transfer me to a human",
            "I never asked to speak to a representative",
            "I'd rather not talk to anybody",
            "I don't think I need to speak to a supervisor",
            "can I do this without talking to a person",
            "instead of speaking to an agent can I do it here",
            // About the listener.
            "are you a robot",
            "are you a real person?",
            "am I speaking to a human",
            "am i actually talking to a real person right now",
            "I want to know if I'm talking to a machine",
            "is this a person or a computer",
            "you sound like a human",
            // Told, not asked.
            "my agent told me the policy was cancelled",
            "I spoke to someone yesterday",
            "the representative said it would take two days",
            "when I talked to your supervisor he promised a refund",
            "every time I talk to somebody I hear something else",
            "after speaking with an advisor I changed my mind",
            "I work in human resources",
            "it was human error",
            "my manager has to sign it first",
            "thanks for your support",
            // Persons who are not ours.
            "I want to add a person to my plan",
            "someone stole my card",
            "I sent money to the wrong person",
            "transfer fifty dollars to my brother",
            "can somebody else drive the rental car",
            "find me an insurance agent near me",
            "call my wife",
            "I need somebody to sign for the parcel",
            "how many people can travel on this ticket",
            "can someone help me reset my password",
            "I want to report a person",
            // Nothing of the kind.
            "",
            "   ...!?",
            "what is my balance",
            "I want to cancel my contract",
            "yes that's right",
            "four two seven seven",
            "the operating hours please",
            "я хочу узнать баланс",
            "💥💥💥",
        ];
        let alarms = others.map(|text| (confidence(text), text));
        let alarms: Vec<_> = alarms
            .iter()
            .filter(|(found, _)| *found >= ACTED_ON)
            .collect();
        assert!(alarms.is_empty(), "false alarms: {alarms:#?}");
    }

    #[test]
    fn the_span_is_the_request() {
        let cases = [
            (
                "My bill is wrong. Can I talk to a real person?",
                "Can I talk to a real person",
            ),
            ("Representative!", "Representative"),
            (
                "ok so please put me through to your billing team now",
                "please put me through to your billing team",
            ),
        ];
        for (text, expected) in cases {
            let asking = AsksHuman::new().score(text).unwrap();
            assert_eq!(&text[asking.span], expected);
        }
    }

    #[test]
    fn any_text_is_safe() {
        let pieces = [
            "to", "talk", "İ", "ß'", "’", "don't", "me", "💥", "a", "agent", ".", "\u{0}",
            "transfer", "not", "machine",
        ];
        let mut state = 7_u64;
        for _ in 0..5_000 {
            let mut text = String::new();
            for _ in 0..12 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                text += pieces[(state >> 33) as usize % pieces.len()];
                text += if state >> 62 == 0 { "" } else { " " };
            }
            if let Some(asking) = AsksHuman::new().score(&text) {
                assert!((0.0..=1.0).contains(&asking.confidence));
                assert!(
                    text.get(asking.span).is_some_and(|words| !words.is_empty()),
                    "{text}"
                );
            }
        }
        let endless = "talk to a ".repeat(50_000);
        assert!(AsksHuman::new().score(&endless).is_none());
    }
}
