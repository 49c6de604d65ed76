//! What a call is told.

use super::outcome::{DialEnd, LegProgress, RewriteOutcome, StreamEnd};
use crate::id::{HandoffId, StreamId};
use crate::pii::Pii;
use crate::speech::{Hypothesis, Speaker};
use crate::time::MediaTime;

/// Something that happened outside, or came of a [`Command`](super::Command).
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A stream was bound to the call.
    StreamStarted {
        /// The carrier's name for the stream.
        stream: StreamId,
        /// Where it begins on the call's media clock.
        at: MediaTime,
        /// Whether it continues a stream that stopped.
        replacement: bool,
    },
    /// A stream ended, which says nothing about the call.
    StreamStopped {
        /// The carrier's name for the stream.
        stream: StreamId,
        /// How it ended.
        end: StreamEnd,
    },
    /// The caller's audio has been heard up to here. Sent about once a second.
    AudioAdvanced {
        /// Position on the call's media clock.
        to: MediaTime,
    },
    /// Voice activity began.
    SpeechStarted {
        /// Whose.
        speaker: Speaker,
        /// Where it began.
        at: MediaTime,
    },
    /// Voice activity ended.
    SpeechEnded {
        /// Whose.
        speaker: Speaker,
        /// Where it ended.
        at: MediaTime,
    },
    /// A recognizer's guess.
    HypothesisHeard(Hypothesis),
    /// A recognizer says that the speaker stopped.
    UtteranceEnded {
        /// Whose utterance.
        speaker: Speaker,
    },
    /// A recognizer gives no more words.
    RecognizerLost {
        /// Whose words.
        speaker: Speaker,
    },
    /// A recognizer gives words again.
    RecognizerRestored {
        /// Whose words.
        speaker: Speaker,
    },
    /// The caller pressed a key.
    DigitPressed {
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digit: char,
        /// When, on the call's media clock.
        at: MediaTime,
    },
    /// Someone outside wants the call handed to a human.
    HandoffRequested {
        /// Their words.
        reason: Pii<String>,
    },
    /// The decision and its deliveries are in the journal.
    DecisionRecorded {
        /// Of which handoff.
        handoff: HandoffId,
    },
    /// The carrier's answer to a rewrite.
    RewriteSettled {
        /// Of which handoff.
        handoff: HandoffId,
        /// Which request.
        attempt: u32,
        /// What came of it.
        outcome: RewriteOutcome,
    },
    /// The human's leg moved on.
    LegProgressed {
        /// Of which handoff.
        handoff: HandoffId,
        /// By which of its rewrites.
        attempt: u32,
        /// How far it is.
        progress: LegProgress,
    },
    /// The carrier reports that dialling the human is over.
    DialEnded {
        /// Of which handoff.
        handoff: HandoffId,
        /// By which of its rewrites.
        attempt: u32,
        /// How it ended.
        end: DialEnd,
    },
    /// The answer to a look at the call.
    CallInspected(Inspection),
    /// The carrier says that the call is over.
    CallCompleted,
    /// The end of the call and its last deliveries are in the journal.
    EndRecorded,
}

/// What a look at the call at the carrier showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// The caller is on the line.
    InProgress,
    /// The call is over, or the carrier does not know it.
    Over,
    /// The carrier could not be asked.
    Unclear,
}
