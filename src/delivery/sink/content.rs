//! What a receipt's hash stands for, and what was said since that receipt.
//!
//! The hash is over the transcript's lines as [`wording::transcript`] writes them, for every sink
//! alike: it says which words a place received, and whether two places received the same.

use handoff_core::context::HandoffContext;
use sha2::{Digest, Sha256};

use super::wording;

/// How the transcript compares with one that was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// It is the same.
    None,
    /// Lines were added after the first so many.
    After(usize),
    /// Delivered lines have changed too, as a line does that was still being recognized.
    Rewritten,
}

/// Hashes the transcript.
pub(super) fn sha256(context: &HandoffContext) -> [u8; 32] {
    let mut hash = Sha256::new();
    for line in &context.transcript {
        hash.update(wording::transcript_line(line));
    }
    hash.finalize().into()
}

/// Compares the transcript with the one whose hash was delivered.
pub(super) fn growth(context: &HandoffContext, delivered: &[u8; 32]) -> Growth {
    let mut hash = Sha256::new();
    let mut same = None;
    for (index, line) in context.transcript.iter().enumerate() {
        if hash.clone().finalize().as_slice() == delivered {
            same = Some(index);
        }
        hash.update(wording::transcript_line(line));
    }
    if hash.finalize().as_slice() == delivered {
        return Growth::None;
    }
    same.map_or(Growth::Rewritten, Growth::After)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::sink::testing::{context, said};
    use handoff_core::speech::Speaker;

    #[test]
    fn growth_tells_added_from_changed_lines() {
        let before = context();
        let delivered = sha256(&before);
        assert_eq!(growth(&before, &delivered), Growth::None);

        let mut after = before.clone();
        after
            .transcript
            .push(said(Speaker::Human, 20_000, "How can I help?"));
        after.revision = 1;
        assert_eq!(growth(&after, &delivered), Growth::After(3));

        after.transcript[2].text = "Get me a human now.".to_owned().into();
        assert_eq!(growth(&after, &delivered), Growth::Rewritten);
    }
}
