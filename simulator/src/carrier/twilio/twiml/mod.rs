//! TwiML as Twilio reads it, with every rule it enforces or silently applies made a fault.
//!
//! Source: <https://www.twilio.com/docs/voice/twiml> and the pages of its verbs, read 2026-11-21.

mod dial;
mod document;
mod element;
mod read;
mod reader;
mod stream;

pub use document::{
    Callback, Dial, Document, Gather, LegEvent, Method, Number, Prompt, StatusCallback, Stream,
    TrackChoice, Verb,
};
pub use read::{Reading, read};
pub use reader::Base;

#[cfg(test)]
mod tests;
