//! The disk form of [`Fact`].

use std::time::Duration;

use handoff_core::call::{Fact, Planned, Utterance};
use handoff_core::id::{CarrierCallId, StreamId};
use handoff_core::pii::Pii;
use handoff_core::time::MediaTime;
use serde::{Deserialize, Serialize};

use super::envelope::{self, RecordError};
use super::parts::{
    DiskCarrier, DiskDialEnd, DiskDisposition, DiskGiveUpReason, DiskLegProgress, DiskParameters,
    DiskParty, DiskRewriteOutcome, DiskSpeaker, DiskStreamEnd, DiskTrigger, duration_nanos,
    exposed, finite, handoff_id, personal, target_name, unnamed_carrier,
};
use super::plan::{DiskPassedOver, DiskPlanned};

/// Writes a fact.
pub(in crate::journal) fn encode_fact(fact: &Fact) -> Result<String, RecordError> {
    envelope::encode(&DiskFact::from(fact))
}

/// Reads a fact.
pub(in crate::journal) fn decode_fact(text: &str) -> Result<Fact, RecordError> {
    envelope::decode::<DiskFact>(text, KINDS)?.try_into()
}

/// The kinds of version 1.
const KINDS: &[&str] = &[
    "call_announced",
    "stream_started",
    "stream_stopped",
    "utterance_heard",
    "digit_pressed",
    "digits_entered",
    "recognizer_lost",
    "recognizer_restored",
    "triggered",
    "routed",
    "rewrite_requested",
    "rewrite_settled",
    "document_fetched",
    "leg_progressed",
    "human_called",
    "dial_ended",
    "call_back_promised",
    "message_left",
    "cut_short",
    "handoff_given_up",
    "call_ended",
];

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum DiskFact {
    CallAnnounced {
        #[serde(default = "unnamed_carrier")]
        carrier: DiskCarrier,
        carrier_call: String,
        caller: DiskParty,
        called: DiskParty,
        parameters: DiskParameters,
    },
    StreamStarted {
        stream: String,
        at_samples: u64,
        replacement: bool,
    },
    StreamStopped {
        stream: String,
        end: DiskStreamEnd,
    },
    UtteranceHeard(DiskUtterance),
    DigitPressed {
        digit: char,
        at_samples: u64,
    },
    DigitsEntered {
        digits: String,
        at_samples: u64,
    },
    RecognizerLost {
        speaker: DiskSpeaker,
    },
    RecognizerRestored {
        speaker: DiskSpeaker,
    },
    Triggered(DiskTrigger),
    RewriteRequested {
        handoff: String,
        attempt: u32,
    },
    RewriteSettled {
        handoff: String,
        attempt: u32,
        outcome: DiskRewriteOutcome,
    },
    Routed {
        handoff: String,
        route: Option<String>,
        targets: Vec<DiskPlanned>,
        passed_over: Vec<(String, DiskPassedOver)>,
    },
    DocumentFetched {
        handoff: String,
        attempt: u32,
    },
    LegProgressed {
        handoff: String,
        target: String,
        progress: DiskLegProgress,
    },
    HumanCalled {
        handoff: String,
        target: String,
        leg: String,
    },
    DialEnded {
        handoff: String,
        target: String,
        end: DiskDialEnd,
    },
    CallBackPromised {
        handoff: String,
    },
    MessageLeft {
        handoff: String,
        url: String,
        length_ns: u64,
    },
    CutShort {
        handoff: String,
        talked_ns: u64,
    },
    HandoffGivenUp {
        handoff: String,
        reason: DiskGiveUpReason,
    },
    CallEnded {
        disposition: DiskDisposition,
    },
}

#[derive(Serialize, Deserialize)]
struct DiskUtterance {
    speaker: DiskSpeaker,
    start_samples: u64,
    end_samples: u64,
    text: String,
    confidence: f32,
    approximate: bool,
    sentiment: Option<f32>,
}

impl From<&Fact> for DiskFact {
    fn from(fact: &Fact) -> Self {
        match fact {
            Fact::CallAnnounced {
                carrier,
                carrier_call,
                caller,
                called,
                parameters,
            } => Self::CallAnnounced {
                carrier: (*carrier).into(),
                carrier_call: carrier_call.0.clone(),
                caller: caller.into(),
                called: called.into(),
                parameters: exposed(parameters),
            },
            Fact::StreamStarted {
                stream,
                at,
                replacement,
            } => Self::StreamStarted {
                stream: stream.0.clone(),
                at_samples: at.0,
                replacement: *replacement,
            },
            Fact::StreamStopped { stream, end } => Self::StreamStopped {
                stream: stream.0.clone(),
                end: (*end).into(),
            },
            Fact::UtteranceHeard(utterance) => Self::UtteranceHeard(utterance.into()),
            Fact::DigitPressed { digit, at } => Self::DigitPressed {
                digit: *digit,
                at_samples: at.0,
            },
            Fact::DigitsEntered { digits, at } => Self::DigitsEntered {
                digits: digits.expose().clone(),
                at_samples: at.0,
            },
            Fact::RecognizerLost { speaker } => Self::RecognizerLost {
                speaker: (*speaker).into(),
            },
            Fact::RecognizerRestored { speaker } => Self::RecognizerRestored {
                speaker: (*speaker).into(),
            },
            Fact::Triggered(trigger) => Self::Triggered(trigger.into()),
            Fact::RewriteRequested { handoff, attempt } => Self::RewriteRequested {
                handoff: handoff.as_str().to_owned(),
                attempt: *attempt,
            },
            Fact::RewriteSettled {
                handoff,
                attempt,
                outcome,
            } => Self::RewriteSettled {
                handoff: handoff.as_str().to_owned(),
                attempt: *attempt,
                outcome: outcome.into(),
            },
            Fact::Routed {
                handoff,
                route,
                targets,
                passed_over,
            } => Self::Routed {
                handoff: handoff.as_str().to_owned(),
                route: route.clone(),
                targets: targets.iter().map(DiskPlanned::from).collect(),
                passed_over: (passed_over.iter())
                    .map(|(target, why)| (target.as_str().to_owned(), why.into()))
                    .collect(),
            },
            Fact::DocumentFetched { handoff, attempt } => Self::DocumentFetched {
                handoff: handoff.as_str().to_owned(),
                attempt: *attempt,
            },
            Fact::LegProgressed {
                handoff,
                target,
                progress,
            } => Self::LegProgressed {
                handoff: handoff.as_str().to_owned(),
                target: target.as_str().to_owned(),
                progress: (*progress).into(),
            },
            Fact::HumanCalled {
                handoff,
                target,
                leg,
            } => Self::HumanCalled {
                handoff: handoff.as_str().to_owned(),
                target: target.as_str().to_owned(),
                leg: leg.0.clone(),
            },
            Fact::DialEnded {
                handoff,
                target,
                end,
            } => Self::DialEnded {
                handoff: handoff.as_str().to_owned(),
                target: target.as_str().to_owned(),
                end: (*end).into(),
            },
            Fact::CallBackPromised { handoff } => Self::CallBackPromised {
                handoff: handoff.as_str().to_owned(),
            },
            Fact::MessageLeft {
                handoff,
                url,
                length,
            } => Self::MessageLeft {
                handoff: handoff.as_str().to_owned(),
                url: url.expose().clone(),
                length_ns: duration_nanos(*length),
            },
            Fact::CutShort { handoff, talked } => Self::CutShort {
                handoff: handoff.as_str().to_owned(),
                talked_ns: duration_nanos(*talked),
            },
            Fact::HandoffGivenUp { handoff, reason } => Self::HandoffGivenUp {
                handoff: handoff.as_str().to_owned(),
                reason: (*reason).into(),
            },
            Fact::CallEnded { disposition } => Self::CallEnded {
                disposition: (*disposition).into(),
            },
        }
    }
}

impl TryFrom<DiskFact> for Fact {
    type Error = RecordError;

    fn try_from(fact: DiskFact) -> Result<Self, RecordError> {
        Ok(match fact {
            DiskFact::CallAnnounced {
                carrier,
                carrier_call,
                caller,
                called,
                parameters,
            } => Self::CallAnnounced {
                carrier: carrier.into(),
                carrier_call: CarrierCallId(carrier_call),
                caller: caller.into(),
                called: called.into(),
                parameters: personal(parameters),
            },
            DiskFact::StreamStarted {
                stream,
                at_samples,
                replacement,
            } => Self::StreamStarted {
                stream: StreamId(stream),
                at: MediaTime(at_samples),
                replacement,
            },
            DiskFact::StreamStopped { stream, end } => Self::StreamStopped {
                stream: StreamId(stream),
                end: end.into(),
            },
            DiskFact::UtteranceHeard(utterance) => Self::UtteranceHeard(utterance.into()),
            DiskFact::DigitPressed { digit, at_samples } => Self::DigitPressed {
                digit,
                at: MediaTime(at_samples),
            },
            DiskFact::DigitsEntered { digits, at_samples } => Self::DigitsEntered {
                digits: Pii::new(digits),
                at: MediaTime(at_samples),
            },
            DiskFact::RecognizerLost { speaker } => Self::RecognizerLost {
                speaker: speaker.into(),
            },
            DiskFact::RecognizerRestored { speaker } => Self::RecognizerRestored {
                speaker: speaker.into(),
            },
            DiskFact::Triggered(trigger) => Self::Triggered(trigger.try_into()?),
            DiskFact::RewriteRequested { handoff, attempt } => Self::RewriteRequested {
                handoff: handoff_id(&handoff)?,
                attempt,
            },
            DiskFact::RewriteSettled {
                handoff,
                attempt,
                outcome,
            } => Self::RewriteSettled {
                handoff: handoff_id(&handoff)?,
                attempt,
                outcome: outcome.into(),
            },
            DiskFact::Routed {
                handoff,
                route,
                targets,
                passed_over,
            } => Self::Routed {
                handoff: handoff_id(&handoff)?,
                route,
                targets: (targets.into_iter().map(Planned::try_from)).collect::<Result<_, _>>()?,
                passed_over: passed_over
                    .into_iter()
                    .map(|(target, why)| Ok((target_name(&target)?, why.into())))
                    .collect::<Result<_, _>>()?,
            },
            DiskFact::DocumentFetched { handoff, attempt } => Self::DocumentFetched {
                handoff: handoff_id(&handoff)?,
                attempt,
            },
            DiskFact::LegProgressed {
                handoff,
                target,
                progress,
            } => Self::LegProgressed {
                handoff: handoff_id(&handoff)?,
                target: target_name(&target)?,
                progress: progress.into(),
            },
            DiskFact::HumanCalled {
                handoff,
                target,
                leg,
            } => Self::HumanCalled {
                handoff: handoff_id(&handoff)?,
                target: target_name(&target)?,
                leg: CarrierCallId(leg),
            },
            DiskFact::DialEnded {
                handoff,
                target,
                end,
            } => Self::DialEnded {
                handoff: handoff_id(&handoff)?,
                target: target_name(&target)?,
                end: end.into(),
            },
            DiskFact::CallBackPromised { handoff } => Self::CallBackPromised {
                handoff: handoff_id(&handoff)?,
            },
            DiskFact::MessageLeft {
                handoff,
                url,
                length_ns,
            } => Self::MessageLeft {
                handoff: handoff_id(&handoff)?,
                url: Pii::new(url),
                length: Duration::from_nanos(length_ns),
            },
            DiskFact::CutShort { handoff, talked_ns } => Self::CutShort {
                handoff: handoff_id(&handoff)?,
                talked: Duration::from_nanos(talked_ns),
            },
            DiskFact::HandoffGivenUp { handoff, reason } => Self::HandoffGivenUp {
                handoff: handoff_id(&handoff)?,
                reason: reason.into(),
            },
            DiskFact::CallEnded { disposition } => Self::CallEnded {
                disposition: disposition.into(),
            },
        })
    }
}

impl From<&Utterance> for DiskUtterance {
    fn from(utterance: &Utterance) -> Self {
        Self {
            speaker: utterance.speaker.into(),
            start_samples: utterance.start.0,
            end_samples: utterance.end.0,
            text: utterance.text.expose().clone(),
            confidence: finite(utterance.confidence),
            approximate: utterance.approximate,
            sentiment: utterance.sentiment.map(finite),
        }
    }
}

impl From<DiskUtterance> for Utterance {
    fn from(utterance: DiskUtterance) -> Self {
        Self {
            speaker: utterance.speaker.into(),
            start: MediaTime(utterance.start_samples),
            end: MediaTime(utterance.end_samples),
            text: Pii::new(utterance.text),
            confidence: utterance.confidence,
            approximate: utterance.approximate,
            sentiment: utterance.sentiment,
        }
    }
}
