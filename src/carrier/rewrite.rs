//! Why a live call was not rewritten, and what to do about it: the same judgement for every carrier.

use std::time::Duration;

use handoff_core::call::RewriteOutcome;
use http::HeaderMap;
use http::header::RETRY_AFTER;

use super::verdict::{Fault, Retry, Verdict};

/// Why a call was not rewritten, or is not known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// The call is over (Twilio's error 21220, Plivo's 404).
    #[error("rewrite: the call is not in progress")]
    CallerGone,
    /// The carrier refused for a reason that repeating does not mend.
    #[error("rewrite: refused with status {status}")]
    Refused {
        /// The carrier's error code, if the answer held one.
        code: Option<u32>,
        /// The HTTP status.
        status: u16,
    },
    /// Too many requests at once; this one was not processed (status 429, Twilio's error 20429).
    #[error("rewrite: too many requests")]
    Throttled {
        /// How long the carrier asks us to wait, if it said so.
        after: Option<Duration>,
    },
    /// The carrier failed. The request may have acted.
    #[error("rewrite: the carrier failed with status {status}")]
    ServerFailed {
        /// The HTTP status.
        status: u16,
    },
    /// The shell reports that the request never left: no connection, no TLS.
    #[error("rewrite: not sent")]
    NotSent,
    /// The shell reports that the request left and no whole answer came. It may have acted.
    #[error("rewrite: sent, but not answered")]
    Unanswered,
}

impl RewriteError {
    /// Judges the failure.
    pub fn verdict(&self) -> Verdict {
        let (retry, fault) = match *self {
            Self::CallerGone => (Retry::Never, Fault::Caller),
            Self::Refused { .. } => (Retry::Never, Fault::Ours),
            Self::Throttled { after } => (Retry::Repeat { after }, Fault::Ours),
            Self::ServerFailed { .. } => (Retry::AskFirst, Fault::Theirs),
            Self::NotSent => (Retry::Repeat { after: None }, Fault::Unclear),
            Self::Unanswered => (Retry::AskFirst, Fault::Unclear),
        };
        Verdict { retry, fault }
    }
}

/// What the failure means for the call once it is not repeated any more.
impl From<RewriteError> for RewriteOutcome {
    fn from(error: RewriteError) -> Self {
        match error {
            RewriteError::CallerGone => Self::CallerGone,
            RewriteError::Refused { code, status } => Self::Refused { code, status },
            RewriteError::Throttled { .. } | RewriteError::NotSent => Self::NotSent,
            RewriteError::ServerFailed { .. } | RewriteError::Unanswered => Self::Unknown,
        }
    }
}

/// Only the form in seconds: the other one is a date, and there is no calendar here.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse();
    seconds.ok().map(Duration::from_secs)
}
