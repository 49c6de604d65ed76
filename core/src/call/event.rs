//! What a call is told.

use std::time::Duration;

use super::outcome::{DialEnd, LegProgress, RewriteOutcome, StreamEnd};
use crate::id::{CarrierCallId, HandoffId, StreamId};
use crate::pii::Pii;
use crate::route::{Plan, TargetName};
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
    /// It is known whom to try, in this order.
    TargetsChosen {
        /// For which handoff.
        handoff: HandoffId,
        /// Whom, and why nobody else.
        plan: Plan,
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
    /// The carrier fetched the document of a rewrite, so it follows it.
    DocumentFetched {
        /// Of which handoff.
        handoff: HandoffId,
        /// Which request.
        attempt: u32,
    },
    /// The human's leg moved on.
    LegProgressed {
        /// Which one.
        effort: Effort,
        /// How far it is.
        progress: LegProgress,
    },
    /// The carrier reports that the caller waits for this target no more, and asks what comes next
    /// ([`Call::next_step`](super::Call::next_step)).
    DialEnded {
        /// Which one.
        effort: Effort,
        /// How it ended.
        end: DialEnd,
    },
    /// The human's phone is called while the caller waits in a conference, or could not be.
    HumanCalled {
        /// For which one.
        effort: Effort,
        /// The human's leg.
        leg: Result<CarrierCallId, DialEnd>,
    },
    /// Nobody knows whether the human's phone is called while the caller waits in a conference: the
    /// carrier did not answer, or failed.
    HumanMaybeCalled {
        /// For which one.
        effort: Effort,
    },
    /// The human's leg to a conference is over.
    HumanLeft {
        /// Which one.
        effort: Effort,
        /// How it ended, if the human never came to the caller.
        end: DialEnd,
    },
    /// The caller left a message after the last target.
    MessageLeft {
        /// After which handoff.
        handoff: HandoffId,
        /// Where the carrier keeps it.
        url: Pii<String>,
        /// How long it is.
        length: Duration,
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

/// One effort to reach a human, as the URLs that the carrier was given name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effort {
    /// For which handoff.
    pub handoff: HandoffId,
    /// By which of its rewrites.
    pub attempt: u32,
    /// Whom.
    pub target: TargetName,
}
