//! Which recorded lines are due: a pure cursor over one speaker's results.
//!
//! Times in a line are call time. A connection that begins later in the call (a reconnect) starts its
//! own clock at zero, as the service does, so everything it says is moved back by its origin.

use serde_json::{Value, json};

use super::options::Line;
use super::query::Listen;

/// Audio after the last final below which a `Finalize` may go unanswered.
///
/// "Usually follows, not guaranteed when little audio is buffered" (`finalize.mdx` of
/// deepgram/deepgram-docs, read 2026-11-21; the amount is UNCONFIRMED).
const WORTH_FLUSHING_MS: u64 = 1000;

/// One connection's results, in order of leaving.
#[derive(Debug)]
pub(super) struct Playback {
    lines: Vec<Line>,
    origin_ms: u64,
    settled_ms: u64,
}

impl Playback {
    /// Keeps what this connection asked for and has still to hear; `origin_ms` is where in the call
    /// its first byte lies.
    pub(super) fn new(mut lines: Vec<Line>, listen: &Listen, origin_ms: u64) -> Self {
        lines.retain(|line| {
            is_wanted(&line.message, listen) && (origin_ms == 0 || line.at_ms > origin_ms)
        });
        lines.sort_by_key(|line| line.at_ms);
        Self {
            lines,
            origin_ms,
            settled_ms: origin_ms,
        }
    }

    /// Takes the messages that leave once `received_ms` of this connection's audio have arrived.
    pub(super) fn due(&mut self, received_ms: u64) -> Vec<Value> {
        let heard_ms = self.origin_ms + received_ms;
        let count = self.lines.partition_point(|line| line.at_ms <= heard_ms);
        let due: Vec<Line> = self.lines.drain(..count).collect();
        due.into_iter()
            .map(|line| self.leave(line.message))
            .collect()
    }

    /// Answers `Finalize`: the next final whose audio has begun leaves early, once.
    pub(super) fn finalize(&mut self, received_ms: u64) -> Option<Value> {
        let heard_ms = self.origin_ms + received_ms;
        let next_final = self.lines.iter().position(|line| is_final(&line.message));
        let begun = next_final.filter(|index| start_ms(&self.lines[*index].message) < heard_ms);
        if let Some(index) = begun {
            let mut message = self.lines.remove(index).message;
            let superseded = self
                .lines
                .drain(..index)
                .filter(|line| !is_results(&line.message));
            let kept: Vec<Line> = superseded.collect();
            self.lines.splice(..0, kept);
            message["from_finalize"] = json!(true);
            return Some(self.leave(message));
        }
        if heard_ms < self.settled_ms + WORTH_FLUSHING_MS {
            return None;
        }
        let (start, duration) = (
            seconds(self.settled_ms),
            seconds(heard_ms - self.settled_ms),
        );
        Some(self.leave(json!({
            "type": "Results", "channel_index": [0, 1], "start": start, "duration": duration,
            "is_final": true, "speech_final": false, "from_finalize": true,
            "channel": {"alternatives": [{"transcript": "", "confidence": 0.0, "words": []}]},
            "metadata": {"request_id": "", "model_uuid": "",
                "model_info": {"name": "general-nova-3", "version": "stand-in", "arch": "nova-3"}},
        })))
    }

    fn leave(&mut self, mut message: Value) -> Value {
        if is_final(&message) {
            self.settled_ms = self.settled_ms.max(end_ms(&message));
        }
        if self.origin_ms > 0 {
            shift(&mut message, seconds(self.origin_ms));
        }
        message
    }
}

fn is_wanted(message: &Value, listen: &Listen) -> bool {
    match message["type"].as_str() {
        Some("Results") => listen.interim_results || is_final(message),
        Some("SpeechStarted") => listen.vad_events,
        Some("UtteranceEnd") => listen.utterance_end,
        _ => true,
    }
}

pub(super) fn is_results(message: &Value) -> bool {
    message["type"] == "Results"
}

pub(super) fn is_final(message: &Value) -> bool {
    is_results(message) && message["is_final"] == true
}

/// Where a message's audio begins, in milliseconds.
fn start_ms(message: &Value) -> u64 {
    milliseconds(message["start"].as_f64().unwrap_or_default())
}

fn end_ms(message: &Value) -> u64 {
    start_ms(message) + milliseconds(message["duration"].as_f64().unwrap_or_default())
}

fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// Moves every time of a message back; words that were over before the origin are left out.
fn shift(message: &mut Value, by: f64) {
    for name in ["last_word_end", "timestamp"] {
        move_back(&mut message[name], by);
    }
    if let Some(start) = message["start"].as_f64() {
        let end = start + message["duration"].as_f64().unwrap_or_default();
        let moved = (start - by).max(0.0);
        message["start"] = json!(moved);
        message["duration"] = json!((end - by - moved).max(0.0));
    }
    // Other messages have a list of numbers as their channel, or none.
    let alternatives = message.pointer_mut("/channel/alternatives");
    let Some(alternatives) = alternatives.and_then(Value::as_array_mut) else {
        return;
    };
    for alternative in alternatives {
        let Some(words) = alternative["words"].as_array_mut() else {
            continue;
        };
        let before = words.len();
        words.retain(|word| word["end"].as_f64().is_none_or(|end| end > by));
        for word in words.iter_mut() {
            move_back(&mut word["start"], by);
            move_back(&mut word["end"], by);
        }
        if words.len() < before {
            let spoken = words
                .iter()
                .filter_map(|word| word["punctuated_word"].as_str().or(word["word"].as_str()));
            let transcript = spoken.collect::<Vec<_>>().join(" ");
            alternative["transcript"] = json!(transcript);
        }
    }
}

fn move_back(time: &mut Value, by: f64) {
    if let Some(at) = time.as_f64() {
        *time = json!((at - by).max(0.0));
    }
}

/// Where in `heard` a reconnected client's first bytes lie: it may play again what it had buffered.
///
/// Takes the longest overlap, then the latest. Returns the end of `heard` when the bytes are new, or all
/// alike (silence tells nothing); audio that repeats itself, a tone say, can be misplaced by whole periods.
pub(super) fn find_origin(heard: &[u8], head: &[u8]) -> usize {
    /// 50 ms of mu-law: shorter overlaps could be chance.
    const LEAST_OVERLAP: usize = 400;
    /// A client that obeys the documentation replays seconds, not minutes.
    const FURTHEST: usize = 30 * 8000;

    let candidates =
        heard.len().saturating_sub(FURTHEST)..(heard.len() + 1).saturating_sub(LEAST_OVERLAP);
    let overlap_at = |from: usize| head.len().min(heard.len() - from);
    let fits = |from: &usize| {
        let overlap = overlap_at(*from);
        overlap >= LEAST_OVERLAP
            && heard[*from..][..overlap] == head[..overlap]
            && varies(&head[..overlap])
    };
    candidates
        .filter(fits)
        .max_by_key(|from| (overlap_at(*from), *from))
        .unwrap_or(heard.len())
}

/// Whether audio is more than one repeated byte.
pub(super) fn varies(audio: &[u8]) -> bool {
    audio.iter().any(|byte| Some(byte) != audio.first())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recognizer::{Speaker, check_query};

    fn listen() -> Listen {
        let pairs = [
            ("encoding", "mulaw"),
            ("sample_rate", "8000"),
            ("interim_results", "true"),
            ("utterance_end_ms", "1000"),
        ];
        check_query(&pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap()
    }

    fn line(at_ms: u64, message: Value) -> Line {
        Line {
            speaker: Speaker::Caller,
            at_ms,
            message,
        }
    }

    fn words(is_final: bool, start: f64, text: &str) -> Value {
        let words: Vec<Value> = (text.split(' ').enumerate())
            .map(|(index, word)| json!({"word": word, "start": start + index as f64 * 0.5, "end": start + index as f64 * 0.5 + 0.5}))
            .collect();
        json!({"type": "Results", "start": start, "duration": words.len() as f64 * 0.5, "is_final": is_final,
            "from_finalize": false, "channel": {"alternatives": [{"transcript": text, "words": words}]}})
    }

    fn transcripts(messages: &[Value]) -> Vec<&str> {
        messages
            .iter()
            .filter_map(|message| message["channel"]["alternatives"][0]["transcript"].as_str())
            .collect()
    }

    fn playback(origin_ms: u64) -> Playback {
        let lines = vec![
            line(1000, words(false, 0.5, "get")),
            line(2000, words(true, 0.5, "get me a")),
            line(2500, json!({"type": "UtteranceEnd", "last_word_end": 2.0})),
            line(3000, words(false, 2.5, "human")),
            line(4000, words(true, 2.5, "human please")),
        ];
        Playback::new(lines, &listen(), origin_ms)
    }

    #[test]
    fn lines_leave_when_their_audio_has_arrived() {
        let mut playback = playback(0);
        assert!(playback.due(999).is_empty());
        assert_eq!(transcripts(&playback.due(1000)), ["get"]);
        assert_eq!(transcripts(&playback.due(2000)), ["get me a"]);
        assert_eq!(playback.due(9000).len(), 3);
        assert!(playback.due(99_000).is_empty());
    }

    #[test]
    fn finalize_sends_the_begun_final_once() {
        let mut playback = playback(0);
        playback.due(1000);
        let flushed = playback.finalize(1200).unwrap();
        assert_eq!(
            (
                transcripts(std::slice::from_ref(&flushed)),
                &flushed["from_finalize"]
            ),
            (vec!["get me a"], &json!(true))
        );
        assert_eq!(transcripts(&playback.due(9000)), ["human", "human please"]);
    }

    #[test]
    fn finalize_drops_the_interims_it_overtakes() {
        let mut playback = playback(0);
        assert_eq!(
            transcripts(&[playback.finalize(600).unwrap()]),
            ["get me a"]
        );
        let later = playback.due(2500);
        assert_eq!(
            (later.len(), later[0]["type"].as_str()),
            (1, Some("UtteranceEnd"))
        );
    }

    #[test]
    fn finalize_before_the_next_words_flushes_nothing_or_an_empty_final() {
        let mut playback = playback(0);
        playback.due(2500);
        assert_eq!(playback.finalize(2500), None);
        let mut quiet = Playback::new(vec![], &listen(), 0);
        let empty = quiet.finalize(1500).unwrap();
        assert_eq!(
            (
                transcripts(std::slice::from_ref(&empty)),
                &empty["duration"]
            ),
            (vec![""], &json!(1.5))
        );
    }

    #[test]
    fn a_later_connection_counts_from_its_own_start() {
        let mut playback = playback(3000);
        let due = playback.due(1000);
        assert_eq!(transcripts(&due), ["please"]);
        assert_eq!(
            (&due[0]["start"], &due[0]["duration"]),
            (&json!(0.0), &json!(0.5))
        );
        assert_eq!(
            due[0]["channel"]["alternatives"][0]["words"][0]["start"],
            json!(0.0)
        );
    }

    #[test]
    fn unwanted_kinds_are_left_out() {
        let asked = Listen {
            interim_results: false,
            utterance_end: false,
            ..listen()
        };
        let mut playback = Playback::new(playback(0).lines, &asked, 0);
        assert_eq!(
            transcripts(&playback.due(9000)),
            ["get me a", "human please"]
        );
    }

    #[test]
    fn replayed_audio_is_found_and_new_audio_is_not() {
        let heard: Vec<u8> = (0..16_000u32)
            .map(|sample| (sample.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        assert_eq!(find_origin(&heard, &heard[8000..9600]), 8000);
        let mut replay = heard[15_200..].to_vec();
        replay.extend([7; 800]);
        assert_eq!(find_origin(&heard, &replay), 15_200);
        assert_eq!(find_origin(&heard, &[9; 1600]), 16_000);
        assert_eq!(find_origin(&[0xFF; 16_000], &[0xFF; 1600]), 16_000);
    }
}
