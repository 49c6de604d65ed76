//! What happened in a call and is worth writing down.

use std::collections::BTreeMap;
use std::time::Duration;

use super::outcome::{DialEnd, Disposition, LegProgress, RewriteOutcome, StreamEnd};
use crate::id::{Carrier, CarrierCallId, HandoffId, StreamId};
use crate::pii::Pii;
use crate::route::{Acceptance, Joining, PassedOver, TargetName};
use crate::speech::Speaker;
use crate::time::{CallTime, MediaTime};

/// One end of a call, as the carrier presents it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// A number, client or SIP address.
    Known(Pii<String>),
    /// The caller hides who they are.
    Withheld,
}

/// A thing that happened in a call. Facts are only ever added.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The carrier told us of the call and was answered.
    CallAnnounced {
        /// Who carries it.
        carrier: Carrier,
        /// The carrier's name for the call.
        carrier_call: CarrierCallId,
        /// Who calls.
        caller: Party,
        /// The number that was called.
        called: Party,
        /// What else the carrier told us, by the carrier's names.
        parameters: BTreeMap<String, Pii<String>>,
    },
    /// The call's audio arrives.
    StreamStarted {
        /// The carrier's name for the stream.
        stream: StreamId,
        /// Where it begins on the call's media clock.
        at: MediaTime,
        /// Whether it continues a stream that stopped.
        replacement: bool,
    },
    /// A stream ended. The call goes on unless another fact says otherwise.
    StreamStopped {
        /// The carrier's name for the stream.
        stream: StreamId,
        /// How it ended.
        end: StreamEnd,
    },
    /// Someone said something.
    UtteranceHeard(Utterance),
    /// The caller pressed a key.
    DigitPressed {
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digit: char,
        /// When, on the call's media clock.
        at: MediaTime,
    },
    /// An entry of keys is complete: the caller paused, or ended it with `#` or `*`.
    DigitsEntered {
        /// The keys, without the one that ended them; alone, it is the entry.
        digits: Pii<String>,
        /// When the last was pressed, on the call's media clock.
        at: MediaTime,
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
    /// It was decided that a human is needed.
    Triggered(Trigger),
    /// It was decided whom to try.
    Routed {
        /// For which handoff.
        handoff: HandoffId,
        /// By which route, if one matched.
        route: Option<String>,
        /// Whom, in this order.
        targets: Vec<Planned>,
        /// Who else there is, and why they are not tried.
        passed_over: Vec<(TargetName, PassedOver)>,
    },
    /// The carrier was asked to rewrite the call.
    RewriteRequested {
        /// For which handoff.
        handoff: HandoffId,
        /// Counts the requests of this handoff, from 1.
        attempt: u32,
    },
    /// The carrier's answer to a rewrite is known, or known to be unknowable.
    RewriteSettled {
        /// For which handoff.
        handoff: HandoffId,
        /// Which request.
        attempt: u32,
        /// What came of it.
        outcome: RewriteOutcome,
    },
    /// The carrier fetched the document of a rewrite.
    DocumentFetched {
        /// For which handoff.
        handoff: HandoffId,
        /// Which request.
        attempt: u32,
    },
    /// The human's leg moved on.
    LegProgressed {
        /// For which handoff.
        handoff: HandoffId,
        /// Whose leg.
        target: TargetName,
        /// How far it is.
        progress: LegProgress,
    },
    /// The phone of a human is called for whom the caller waits in a conference.
    HumanCalled {
        /// For which handoff.
        handoff: HandoffId,
        /// Whose.
        target: TargetName,
        /// The carrier's name for the leg.
        leg: CarrierCallId,
    },
    /// The effort to reach a target is over.
    DialEnded {
        /// For which handoff.
        handoff: HandoffId,
        /// Which target.
        target: TargetName,
        /// How it ended.
        end: DialEnd,
    },
    /// After the last target the caller was promised a call back.
    CallBackPromised {
        /// For which handoff.
        handoff: HandoffId,
    },
    /// After the last target the caller left a message.
    MessageLeft {
        /// For which handoff.
        handoff: HandoffId,
        /// Where the carrier keeps it.
        url: Pii<String>,
        /// How long it is.
        length: Duration,
    },
    /// Caller and human were parted so soon that the call may have been cut.
    CutShort {
        /// In which handoff.
        handoff: HandoffId,
        /// How long they had each other.
        talked: Duration,
    },
    /// No further rewrite is asked for. Should the last one turn out to have acted, the handoff is
    /// under way again.
    HandoffGivenUp {
        /// Which handoff.
        handoff: HandoffId,
        /// Why.
        reason: GiveUpReason,
    },
    /// The call is over.
    CallEnded {
        /// Its one final outcome.
        disposition: Disposition,
    },
}

/// A target of a handoff, with what has to be known of it to tell how far its leg is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Which.
    pub name: TargetName,
    /// When it counts as having taken the call.
    pub acceptance: Acceptance,
    /// How the caller comes to it.
    pub joining: Joining,
}

/// Why a handoff is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUpReason {
    /// The carrier refused for a reason that repeating does not mend.
    Refused,
    /// The rewrite was asked for as often as it may be.
    AttemptsUsedUp,
    /// The carrier took the rewrite and did not act on it.
    NeverFetched,
    /// A process died over it, and the decision is too old to be acted on.
    Outdated,
}

/// Consecutive final words of one speaker, up to where they stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    /// Who spoke.
    pub speaker: Speaker,
    /// Where the words begin, on the call's media clock.
    pub start: MediaTime,
    /// Where they end.
    pub end: MediaTime,
    /// The words.
    pub text: Pii<String>,
    /// The recognizer's confidence, 0..=1.
    pub confidence: f32,
    /// Whether a phrase spotter heard it, which does not transcribe reliably.
    pub approximate: bool,
    /// Sentiment of these words alone, -1..=1; only for the caller.
    pub sentiment: Option<f32>,
}

/// The fact that a rule, or someone outside, decided for a human.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// The handoff that it begins.
    pub handoff: HandoffId,
    /// Who decided.
    pub source: TriggerSource,
    /// When, by the call's clock.
    pub at: CallTime,
    /// Where in the call's audio the evidence ends; how far it had been heard, if there is none.
    pub media_at: MediaTime,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// Signals at that instant, by name.
    pub values: Vec<(String, String)>,
}

/// Who decided for a human.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerSource {
    /// A rule of the configuration, by name.
    Rule(String),
    /// A request to the API; the reason is what was given there.
    Api {
        /// Free text from the request.
        reason: Pii<String>,
    },
}

/// Something a decision rests on.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// Words.
    Words {
        /// Who said them.
        speaker: Speaker,
        /// When they began, on the call's media clock.
        at: MediaTime,
        /// The words.
        text: Pii<String>,
        /// Whether the recognizer had settled on them.
        is_final: bool,
    },
    /// Keys.
    Digits {
        /// All keys so far.
        digits: Pii<String>,
        /// When the last was pressed, on the call's media clock.
        at: MediaTime,
    },
}
