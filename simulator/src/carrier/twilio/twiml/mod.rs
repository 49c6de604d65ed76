//! TwiML as Twilio reads it, with every rule it enforces or silently applies made a fault.
//!
//! Source: <https://www.twilio.com/docs/voice/twiml> and the pages of its verbs, read 2026-11-21.

mod dial;
mod document;
mod read;
mod reader;
mod stream;

pub use crate::carrier::callback::{Callback, Method};
pub use document::{
    Dial, Document, Gather, LegEvent, Number, Prompt, StatusCallback, Stream, TrackChoice, Verb,
};
pub use read::{Reading, read};
pub use reader::Base;

#[cfg(test)]
mod tests;
