//! What a call asks its shell to do.

use super::event::Effort;
use super::fact::Fact;
use crate::context::HandoffContext;
use crate::id::{CarrierCallId, HandoffId};
use crate::route::TargetName;

/// An order. Whatever comes of it returns as an [`Event`](super::Event).
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Write a fact down. Nobody waits for it.
    Record(Fact),
    /// Write the trigger down together with the deliveries it causes, in one transaction, and
    /// answer with [`DecisionRecorded`](super::Event::DecisionRecorded).
    RecordDecision(Box<HandoffContext>),
    /// Write the end of the call down together with the last deliveries, in one transaction, and
    /// answer with [`EndRecorded`](super::Event::EndRecorded).
    RecordEnd {
        /// The fact [`Fact::CallEnded`].
        fact: Fact,
        /// The final context, if there was a handoff.
        context: Option<Box<HandoffContext>>,
    },
    /// Ask the recognizers for the words they still hold back.
    FlushSpeech,
    /// Find out whom to try, and answer with [`TargetsChosen`](super::Event::TargetsChosen).
    ChooseTargets {
        /// For which handoff.
        handoff: HandoffId,
        /// By which route, if one matches.
        route: Option<String>,
    },
    /// Ask the carrier to put the handoff document in place of what the call is doing.
    RewriteCall {
        /// The handoff; every repeat carries the same id.
        handoff: HandoffId,
        /// Counts the requests, from 1.
        attempt: u32,
        /// Whom to try, in this order. Without any, the caller gets the last resort.
        targets: Vec<TargetName>,
    },
    /// Call the human, for whom the caller waits in a conference, and answer with
    /// [`HumanCalled`](super::Event::HumanCalled).
    CallHuman(Effort),
    /// Hang up the leg of a human whom nobody waits for.
    HangUpHuman(CarrierCallId),
    /// Close the media stream, so that the carrier goes on with the document it was given last: the
    /// one of a rewrite that waits for this, or the one that began the call.
    ReleaseCaller,
    /// Ask the carrier whether the caller is still on the line.
    InspectCall,
    /// Something came that makes no sense now. Count it.
    Note(Anomaly),
}

/// An event that the call had no use for, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anomaly {
    /// A rule fired, or a handoff was requested, while a handoff was under way or over.
    TriggerDuringHandoff,
    /// The decision was not in the journal in time; the rewrite went ahead.
    JournalLate,
    /// A route's condition could not be evaluated.
    RouteFailed,
    /// It was not known in time whom to try; everybody is tried, as listed.
    RouteLate,
    /// A caller waits for nobody, and the carrier does not let us take them elsewhere.
    CallerStranded,
    /// The call has had as many handoffs as it may have.
    TooManyHandoffs,
    /// An answer or callback belongs to no handoff under way.
    StaleHandoff,
    /// A leg went back to an earlier stage.
    LegOutOfOrder,
    /// Something other than the end being recorded came after the end.
    EventAfterEnd,
    /// A rule's expression could not be evaluated.
    RuleFailed,
    /// A stream ended that was not the one of the call.
    UnknownStream,
    /// The carrier was never able to say how the call ended.
    EndNeverReported,
}

impl Anomaly {
    /// The word for the anomaly in metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TriggerDuringHandoff => "trigger_during_handoff",
            Self::JournalLate => "journal_late",
            Self::RouteFailed => "route_failed",
            Self::RouteLate => "route_late",
            Self::CallerStranded => "caller_stranded",
            Self::TooManyHandoffs => "too_many_handoffs",
            Self::StaleHandoff => "stale_handoff",
            Self::LegOutOfOrder => "leg_out_of_order",
            Self::EventAfterEnd => "event_after_end",
            Self::RuleFailed => "rule_failed",
            Self::UnknownStream => "unknown_stream",
            Self::EndNeverReported => "end_never_reported",
        }
    }
}
