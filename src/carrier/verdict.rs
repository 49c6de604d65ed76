//! What to do about a failed request to a carrier, and whose failure it is.

use std::time::Duration;

/// The judgement that every typed failure gives about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the request may be sent again.
    pub retry: Retry,
    /// Who has to mend it.
    pub fault: Fault,
}

/// Whether a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The request did nothing: it may be repeated, no earlier than the carrier asks for.
    Repeat {
        /// The carrier's wish, if it stated one.
        after: Option<Duration>,
    },
    /// The request may have acted: look at the call before repeating.
    AskFirst,
    /// Repeating cannot help.
    Never,
}

/// Who has to mend a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Our configuration, credentials, documents or pace.
    Ours,
    /// The carrier.
    Theirs,
    /// The caller hung up, which is their right.
    Caller,
    /// It cannot be told from here, as with a connection that broke.
    Unclear,
}
