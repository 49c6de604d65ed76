//! What the far end of a SIP leg answered, in no carrier's words.

use handoff_core::call::DialEnd;

/// Reads the status with which the far end refused (RFC 3261 §21, RFC 8197 and 8688), or `None` where it is
/// no refusal, or only says that the call was given up (487).
pub(super) fn refusal(status: u16) -> Option<DialEnd> {
    match status {
        486 | 600 => Some(DialEnd::Busy),
        603 | 607 | 608 => Some(DialEnd::Rejected),
        408 | 480 => Some(DialEnd::NoAnswer),
        487 => None,
        400..=699 => Some(DialEnd::Failed {
            code: Some(status.into()),
        }),
        _ => None,
    }
}
