//! Elements that an operator wrote.

use crate::carrier::markup::{self, INLINE_LIMIT_BYTES, InlineVerbsError, Xml};

/// Elements that an operator wrote to go between `<Stream>` and the dead-man tail, without `<Response>`
/// around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineElements(String);

/// The elements that may stand directly in a `<Response>`, but for `<Stream>`: the one stream of the call is
/// ours.
const ELEMENTS: [&str; 14] = [
    "Conference",
    "DTMF",
    "Dial",
    "GetDigits",
    "GetInput",
    "Hangup",
    "Message",
    "MultiPartyCall",
    "Play",
    "PreAnswer",
    "Record",
    "Redirect",
    "Speak",
    "Wait",
];

/// Why an operator's elements are refused. Found by `check`, before any call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InlineElementsError {
    /// It is no text of elements that Plivo knows.
    #[error(transparent)]
    Markup(#[from] InlineVerbsError),
    /// A bot that streams itself cannot be listened to: we have to be its way in.
    #[error("<Stream> would be the call's second stream, and Plivo allows one: use converse mode")]
    SecondStream,
}

impl InlineElements {
    /// The longest text that is accepted.
    pub const LIMIT_BYTES: usize = INLINE_LIMIT_BYTES;

    /// Checks that a text is well-formed and made of elements. Attributes and what is inside of them are
    /// the operator's.
    ///
    /// # Errors
    ///
    /// [`InlineElementsError`] with the place.
    pub fn new(xml: &str) -> Result<Self, InlineElementsError> {
        match markup::checked(xml, &ELEMENTS) {
            Ok(checked) => Ok(Self(checked)),
            Err(InlineVerbsError::UnknownVerb(name)) if name == "Stream" => {
                Err(InlineElementsError::SecondStream)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn write(&self, xml: &mut Xml) {
        xml.verbatim(&self.0);
    }
}
