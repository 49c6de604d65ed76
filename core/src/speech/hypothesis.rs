//! One guess of a recognizer about a stretch of one speaker's audio.

use crate::pii::Pii;
use crate::time::MediaTime;

/// Who is heard on a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Speaker {
    /// The person who called.
    Caller,
    /// The bot that answers the line.
    VoiceAgent,
    /// The person the call was handed to.
    Human,
}

impl Speaker {
    /// The word for the speaker in timelines, tickets and metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::VoiceAgent => "voice_agent",
            Self::Human => "human",
        }
    }
}

/// Recognizer output for `[start, end)` of one speaker's audio.
///
/// An *interim* hypothesis may be replaced by a later one with the same `start`; a *final* one
/// will not change.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// Whose words they are.
    pub speaker: Speaker,
    /// The words, as written by the recognizer. Never empty.
    pub text: Pii<String>,
    /// Where the stretch begins, on the call's media clock.
    pub start: MediaTime,
    /// Where the stretch ends, on the call's media clock.
    pub end: MediaTime,
    /// The recognizer's own confidence, 0..=1.
    pub confidence: f32,
    /// Whether the text for this stretch is settled.
    pub is_final: bool,
    /// Whether the speaker was heard to stop here (an endpoint); only on finals.
    pub ends_utterance: bool,
    /// Whether the words come from a recognizer that spots phrases and does not transcribe.
    pub approximate: bool,
}
