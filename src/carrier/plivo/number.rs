//! Numbers as Plivo writes them.

use crate::carrier::number::E164;

/// Without `+`, in the pages' examples as in what Plivo posts.
pub(super) fn digits(number: &E164) -> &str {
    number.expose().trim_start_matches('+')
}
