//! Joins hypotheses to utterances, and tells which interim words can be relied on.

use super::hypothesis::{Hypothesis, Speaker};
use crate::call::Utterance;
use crate::pii::Pii;
use crate::time::MediaTime;

/// One speaker's words since they last stopped.
///
/// Finals are appended as they come; the interim words behind them are replaced by each new
/// hypothesis. Interim words count as *stable* once two hypotheses in a row agree on them, less
/// the newest word of all, which recognizers change most.
#[derive(Debug)]
pub(crate) struct Spoken {
    speaker: Speaker,
    finals: String,
    start: MediaTime,
    end: MediaTime,
    confidence: f32,
    approximate: bool,
    interim: String,
    stable_interim: String,
}

impl Spoken {
    pub(crate) fn new(speaker: Speaker) -> Self {
        Self {
            speaker,
            finals: String::new(),
            start: MediaTime::default(),
            end: MediaTime::default(),
            confidence: 1.0,
            approximate: false,
            interim: String::new(),
            stable_interim: String::new(),
        }
    }

    /// Takes a hypothesis in; a final that ends the utterance gives it back whole.
    pub(crate) fn on_hypothesis(&mut self, hypothesis: &Hypothesis) -> Option<Utterance> {
        let text = hypothesis.text.expose().trim();
        if self.is_empty() {
            self.start = hypothesis.start;
        }
        self.end = self.end.max(hypothesis.end);
        self.approximate |= hypothesis.approximate;
        if !hypothesis.is_final {
            let agreed = common_words(&self.interim, text);
            self.stable_interim.clear();
            self.stable_interim.push_str(agreed);
            self.interim.clear();
            self.interim.push_str(text);
            return None;
        }
        self.confidence = self.confidence.min(hypothesis.confidence);
        self.interim.clear();
        self.stable_interim.clear();
        push_words(&mut self.finals, text);
        if hypothesis.ends_utterance {
            self.take_final()
        } else {
            None
        }
    }

    /// Ends the utterance with the finals so far, if there are any.
    pub(crate) fn take_final(&mut self) -> Option<Utterance> {
        if self.finals.is_empty() {
            return None;
        }
        let done = std::mem::replace(self, Self::new(self.speaker));
        Some(Utterance {
            speaker: done.speaker,
            start: done.start,
            end: done.end,
            text: Pii::new(done.finals),
            confidence: done.confidence,
            approximate: done.approximate,
            sentiment: None,
        })
    }

    /// The words that can be relied on so far.
    pub(crate) fn reliable(&self) -> String {
        let mut words = self.finals.clone();
        push_words(&mut words, &self.stable_interim);
        words
    }

    /// All words so far, as an utterance that may still change.
    pub(crate) fn unfinished(&self) -> Option<Utterance> {
        if self.is_empty() {
            return None;
        }
        let mut words = self.finals.clone();
        push_words(&mut words, &self.interim);
        Some(Utterance {
            speaker: self.speaker,
            start: self.start,
            end: self.end,
            text: Pii::new(words),
            confidence: self.confidence,
            approximate: self.approximate,
            sentiment: None,
        })
    }

    fn is_empty(&self) -> bool {
        self.finals.is_empty() && self.interim.is_empty()
    }
}

fn push_words(to: &mut String, words: &str) {
    if words.is_empty() {
        return;
    }
    if !to.is_empty() {
        to.push(' ');
    }
    to.push_str(words);
}

/// The leading words of `newer` that `older` has too, letter case and punctuation aside, without
/// the last word of `newer`.
fn common_words<'a>(older: &str, newer: &'a str) -> &'a str {
    let bare = |word: &str| {
        word.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    let total = newer.split_whitespace().count();
    let agreed = older
        .split_whitespace()
        .zip(newer.split_whitespace())
        .take(total.saturating_sub(1))
        .take_while(|(a, b)| bare(a) == bare(b))
        .count();
    match newer.split_whitespace().nth(agreed) {
        // Both are slices of `newer`, so their distance is where the agreed words end.
        Some(next) => newer[..next.as_ptr() as usize - newer.as_ptr() as usize].trim_end(),
        None => newer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, is_final: bool, ends_utterance: bool) -> Hypothesis {
        Hypothesis {
            speaker: Speaker::Caller,
            text: Pii::new(text.to_owned()),
            start: MediaTime::from_millis(1_000),
            end: MediaTime::from_millis(2_000),
            confidence: 0.9,
            is_final,
            ends_utterance,
            approximate: false,
        }
    }

    #[test]
    fn finals_join_until_the_endpoint() {
        let mut spoken = Spoken::new(Speaker::Caller);
        assert_eq!(spoken.on_hypothesis(&said("I need", true, false)), None);
        let utterance = spoken
            .on_hypothesis(&said("a refund.", true, true))
            .unwrap();
        assert_eq!(utterance.text.expose(), "I need a refund.");
        assert_eq!(spoken.take_final(), None);
    }

    #[test]
    fn interim_words_are_reliable_once_repeated_but_never_the_newest() {
        let mut spoken = Spoken::new(Speaker::Caller);
        spoken.on_hypothesis(&said("I want a", false, false));
        assert_eq!(spoken.reliable(), "");
        spoken.on_hypothesis(&said("i want a human", false, false));
        assert_eq!(spoken.reliable(), "i want a");
        spoken.on_hypothesis(&said("I want a human.", false, false));
        assert_eq!(spoken.reliable(), "I want a");
        spoken.on_hypothesis(&said("I want a human now", false, false));
        assert_eq!(spoken.reliable(), "I want a human");
    }

    #[test]
    fn a_final_replaces_the_interim_words_it_covers() {
        let mut spoken = Spoken::new(Speaker::Caller);
        spoken.on_hypothesis(&said("I want a humour", false, false));
        spoken.on_hypothesis(&said("I want a human", true, false));
        assert_eq!(spoken.reliable(), "I want a human");
        spoken.on_hypothesis(&said("please", false, false));
        let whole = spoken.unfinished().unwrap();
        assert_eq!(whole.text.expose(), "I want a human please");
    }
}
