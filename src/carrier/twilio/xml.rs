//! Checking of TwiML that an operator wrote.

use crate::carrier::markup::{self, INLINE_LIMIT_BYTES};

pub use crate::carrier::markup::InlineVerbsError;

/// Verbs that an operator wrote to go between `<Start>` and the dead-man tail, without `<Response>`
/// around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineVerbs(String);

/// The verbs of <https://www.twilio.com/docs/voice/twiml> that may stand directly in a `<Response>`.
const VERBS: [&str; 20] = [
    "Connect", "Dial", "Echo", "Enqueue", "Gather", "Hangup", "Leave", "Pause", "Pay", "Play",
    "Prompt", "Queue", "Record", "Redirect", "Refer", "Reject", "Say", "Sms", "Start", "Stop",
];

impl InlineVerbs {
    /// The longest text that is accepted.
    pub const LIMIT_BYTES: usize = INLINE_LIMIT_BYTES;

    /// Checks that a text is well-formed and made of verbs. Attributes and nouns are the operator's.
    ///
    /// # Errors
    ///
    /// [`InlineVerbsError`] with the place.
    pub fn new(xml: &str) -> Result<Self, InlineVerbsError> {
        markup::checked(xml, &VERBS).map(Self)
    }

    /// Gives the verbs to the document.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}
