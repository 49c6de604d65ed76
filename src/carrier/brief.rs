//! What is known of a handoff when one of its documents is written.

use std::fmt;

use handoff_core::id::{CallId, HandoffId};
use handoff_core::pii::Pii;

/// What a document may tell the human, or the human's telephone system, about the call.
///
/// Everything but the handoff may be missing: carriers ask for documents of calls whose process is gone.
#[derive(Clone, PartialEq, Eq)]
pub struct Brief {
    /// The handoff.
    pub handoff: HandoffId,
    /// The call.
    pub call: Option<CallId>,
    /// Who calls; `None` also if they hide their number.
    pub caller: Option<Pii<String>>,
    /// Who was called.
    pub called: Option<Pii<String>>,
    /// The name of the rule that moved the call.
    pub rule: Option<String>,
    /// Why the call is moved.
    pub reason: Option<Pii<String>>,
    /// What the call was about so far.
    pub summary: Option<Pii<String>>,
    /// What the voice agent said last, which is what it tried.
    pub tried: Option<Pii<String>>,
    /// Who said what, oldest first, in lines like `caller: I was charged twice`.
    pub transcript: Vec<Pii<String>>,
    /// Where a human can read all of it.
    pub link: Option<String>,
}

impl Brief {
    /// All that is known if the process that knew more is gone.
    pub fn of(handoff: HandoffId) -> Self {
        Self {
            handoff,
            call: None,
            caller: None,
            called: None,
            rule: None,
            reason: None,
            summary: None,
            tried: None,
            transcript: Vec::new(),
            link: None,
        }
    }
}

/// Who has the link can read the call, so it is not shown either.
impl fmt::Debug for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brief")
            .field("handoff", &self.handoff)
            .field("call", &self.call)
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}
