//! What Deepgram's results mean for one speaker: hypotheses, and where utterances end.
//!
//! An utterance is all finals up to a `speech_final`, or up to an `UtteranceEnd` if none came. So
//! an `UtteranceEnd` after a `speech_final` says nothing new (page
//! `understanding-end-of-speech-detection`, read 2026-11-21). The end can come without words: a
//! `speech_final` with an empty transcript ends the finals before it.

use handoff_core::speech::{Hypothesis, Speaker};
use handoff_core::time::MediaTime;

use super::segments::{ConnectionTime, Segments};
use super::wire::Results;
use crate::recognizer::Heard;

/// The state of one speaker's utterances; it outlives connections.
#[derive(Debug)]
pub(super) struct Reading {
    speaker: Speaker,
    utterance: Utterance,
}

#[derive(Debug)]
enum Utterance {
    /// No final words since the last end.
    Ended,
    /// Final words up to `until`, no end yet.
    Open { until: MediaTime },
}

impl Reading {
    pub(super) fn new(speaker: Speaker) -> Self {
        Self {
            speaker,
            utterance: Utterance::Ended,
        }
    }

    /// Takes a result and gives what is to be said of it.
    pub(super) fn on_results(&mut self, results: Results, segments: &Segments) -> Option<Heard> {
        let end = segments.end(results.end);
        if results.transcript.expose().is_empty() {
            return if results.speech_final {
                self.finish()
            } else {
                None
            };
        }
        self.utterance = match (results.is_final, results.speech_final) {
            (_, true) => Utterance::Ended,
            (true, false) => Utterance::Open { until: end },
            (false, false) => return Some(self.hypothesis(results, segments)),
        };
        Some(self.hypothesis(results, segments))
    }

    /// Takes an `UtteranceEnd`.
    pub(super) fn on_utterance_end(
        &mut self,
        last_word_end: Option<ConnectionTime>,
        segments: &Segments,
    ) -> Option<Heard> {
        if let (Utterance::Open { until }, Some(end)) = (&mut self.utterance, last_word_end) {
            *until = segments.end(end).min(*until);
        }
        self.finish()
    }

    fn finish(&mut self) -> Option<Heard> {
        match std::mem::replace(&mut self.utterance, Utterance::Ended) {
            Utterance::Ended => None,
            Utterance::Open { until } => Some(Heard::UtteranceEnded {
                speaker: self.speaker,
                at: until,
            }),
        }
    }

    fn hypothesis(&self, results: Results, segments: &Segments) -> Heard {
        Heard::Hypothesis(Box::new(Hypothesis {
            speaker: self.speaker,
            start: segments.beginning(results.start),
            end: segments.end(results.end),
            text: results.transcript,
            confidence: results.confidence,
            is_final: results.is_final,
            ends_utterance: results.speech_final,
            approximate: false,
        }))
    }
}

#[cfg(test)]
mod tests {
    use handoff_core::pii::Pii;

    use super::*;

    fn results(text: &str, is_final: bool, speech_final: bool) -> Results {
        Results {
            start: ConnectionTime(8_000),
            end: ConnectionTime(16_000),
            transcript: Pii::new(text.to_owned()),
            confidence: 0.9,
            is_final,
            speech_final,
        }
    }

    fn segments() -> Segments {
        let mut segments = Segments::default();
        segments.on_sent(MediaTime::from_millis(10_000), 80_000);
        segments
    }

    fn ended_at(heard: Option<Heard>) -> Option<MediaTime> {
        match heard {
            Some(Heard::UtteranceEnded { at, .. }) => Some(at),
            _ => None,
        }
    }

    #[test]
    fn a_result_becomes_a_hypothesis_on_the_calls_clock() {
        let heard = Reading::new(Speaker::Human).on_results(results("hi", true, true), &segments());
        let Some(Heard::Hypothesis(hypothesis)) = heard else {
            panic!("{heard:?}")
        };
        assert_eq!(
            *hypothesis,
            Hypothesis {
                speaker: Speaker::Human,
                text: Pii::new("hi".to_owned()),
                start: MediaTime::from_millis(11_000),
                end: MediaTime::from_millis(12_000),
                confidence: 0.9,
                is_final: true,
                ends_utterance: true,
                approximate: false,
            }
        );
    }

    #[test]
    fn utterance_end_counts_only_after_finals_without_an_endpoint() {
        let mut reading = Reading::new(Speaker::Caller);
        let end = Some(ConnectionTime(15_000));
        let ends = |reading: &mut Reading| ended_at(reading.on_utterance_end(end, &segments()));
        assert_eq!(ends(&mut reading), None);
        reading.on_results(results("hm", false, false), &segments());
        assert_eq!(ends(&mut reading), None, "after an interim only");
        reading.on_results(results("i want", true, false), &segments());
        assert_eq!(ends(&mut reading), Some(MediaTime::from_millis(11_875)));
        assert_eq!(ends(&mut reading), None, "a second time");
        reading.on_results(results("a refund", true, true), &segments());
        assert_eq!(ends(&mut reading), None, "after speech_final");
    }

    #[test]
    fn utterance_end_without_a_time_ends_at_the_last_final() {
        let mut reading = Reading::new(Speaker::Caller);
        reading.on_results(results("i want", true, false), &segments());
        let heard = reading.on_utterance_end(None, &segments());
        assert_eq!(ended_at(heard), Some(MediaTime::from_millis(12_000)));
    }

    #[test]
    fn an_endpoint_without_words_ends_the_utterance() {
        let mut reading = Reading::new(Speaker::Caller);
        assert!(
            reading
                .on_results(results("", true, true), &segments())
                .is_none()
        );
        reading.on_results(results("i want", true, false), &segments());
        assert!(
            reading
                .on_results(results("", true, false), &segments())
                .is_none()
        );
        let heard = reading.on_results(results("", true, true), &segments());
        assert_eq!(ended_at(heard), Some(MediaTime::from_millis(12_000)));
    }
}
