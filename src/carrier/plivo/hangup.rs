//! Why Plivo ended a leg.

use handoff_core::call::DialEnd;

use crate::carrier::call_state::CallEnd;
use crate::carrier::verdict::Fault;

/// What a `HangupCauseCode` says, as far as it tells an operator where to look. Ordinary endings have codes
/// as well and are [`HangupReason::Other`].
///
/// Source: <https://www.plivo.com/docs/voice/api/>, read 2026-11-21.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangupReason {
    /// The document had nothing more to do (4010): where a caller hears this, a tail was missing, or the
    /// stream was stopped before the transfer was sent.
    EndOfDocument,
    /// The answer URL did not answer, or not with a document (7011, 8011).
    AnswerUrl,
    /// The same of an action URL (7012, 8012).
    ActionUrl,
    /// The same of the URL of a transfer (7013, 8013): the handoff's document did not arrive.
    TransferUrl,
    /// The same of a redirect, which in listen mode is the existing bot's webhook (7014, 8014).
    RedirectUrl,
    /// A SIP address refused our credentials (4240, 4250).
    SipCredentials,
    /// More calls at once than the account may have (5030).
    Concurrency,
    /// No audio arrived for too long (6020).
    MediaTimeout,
    /// Media of a call in India that may not leave it (2070).
    MediaAnchoring,
    /// Any other.
    Other(u32),
}

impl HangupReason {
    /// Reads a code.
    pub fn of(code: u32) -> Self {
        match code {
            4010 => Self::EndOfDocument,
            7011 | 8011 => Self::AnswerUrl,
            7012 | 8012 => Self::ActionUrl,
            7013 | 8013 => Self::TransferUrl,
            7014 | 8014 => Self::RedirectUrl,
            4240 | 4250 => Self::SipCredentials,
            5030 => Self::Concurrency,
            6020 => Self::MediaTimeout,
            2070 => Self::MediaAnchoring,
            other => Self::Other(other),
        }
    }

    /// Who has to mend it, or `None` if it is not known to be a failure.
    pub fn fault(self) -> Option<Fault> {
        match self {
            Self::EndOfDocument
            | Self::AnswerUrl
            | Self::ActionUrl
            | Self::TransferUrl
            | Self::RedirectUrl
            | Self::SipCredentials
            | Self::Concurrency
            | Self::MediaAnchoring => Some(Fault::Ours),
            Self::MediaTimeout => Some(Fault::Unclear),
            Self::Other(_) => None,
        }
    }
}

/// A `HangupCause` or `DialHangupCause` that says something of how a leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangupCause {
    /// One side hung up after an answer, or the document was at its end.
    Completed,
    /// The line was busy.
    Busy,
    /// The human turned the call down.
    Rejected,
    /// Nobody picked up.
    NoAnswer,
    /// It was given up before an answer.
    Canceled,
    /// The SIP address did not take our credentials, or did not answer to them.
    SipCredentials {
        /// The code that goes with it.
        code: u32,
    },
}

impl HangupCause {
    /// Reads a cause. The names are those of the switch behind it (`NO_ANSWER`) or of the vendor's own list
    /// (`No Answer`); no page promises either, so spelling does not matter.
    pub(super) fn parse(cause: &str) -> Option<Self> {
        match letters(cause).as_str() {
            "normalclearing" | "normalhangup" | "endofxmlinstructions" => Some(Self::Completed),
            "userbusy" | "busyline" | "busy" => Some(Self::Busy),
            "callrejected" | "rejected" => Some(Self::Rejected),
            "noanswer" | "nouserresponse" | "ringtimeoutreached" => Some(Self::NoAnswer),
            "originatorcancel" | "cancelled" | "canceled" | "loserace" => Some(Self::Canceled),
            "sipauthfailed" => Some(Self::SipCredentials { code: 4240 }),
            "sipauthtimeout" => Some(Self::SipCredentials { code: 4250 }),
            _ => None,
        }
    }

    /// How a call ended that ended so.
    pub(super) fn call_end(self) -> CallEnd {
        match self {
            Self::Completed => CallEnd::Completed,
            Self::Busy | Self::Rejected => CallEnd::Busy,
            Self::NoAnswer => CallEnd::NoAnswer,
            Self::Canceled => CallEnd::Canceled,
            Self::SipCredentials { .. } => CallEnd::Failed,
        }
    }

    /// What it says of the attempt to reach a human, or `None` if only that a leg was over.
    pub(super) fn dial_end(self) -> Option<DialEnd> {
        match self {
            Self::Completed => None,
            Self::Busy => Some(DialEnd::Busy),
            Self::Rejected => Some(DialEnd::Rejected),
            Self::NoAnswer => Some(DialEnd::NoAnswer),
            Self::Canceled => Some(DialEnd::Canceled),
            Self::SipCredentials { code } => Some(DialEnd::Failed { code: Some(code) }),
        }
    }
}

/// A word of the vendor without case and punctuation, in which its pages differ.
pub(super) fn letters(word: &str) -> String {
    word.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}
