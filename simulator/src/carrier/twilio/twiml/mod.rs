//! TwiML as Twilio reads it, with every rule it enforces or silently applies made a fault.
//!
//! Source: <https://www.twilio.com/docs/voice/twiml> and the pages of its verbs, read 2026-11-21.

mod address;
mod away;
mod callee;
mod conference;
mod dial;
mod document;
mod nouns;
mod read;
mod reader;
mod stream;

pub use crate::carrier::callback::{Callback, Method};
pub(in crate::carrier::twilio) use address::read_address;
pub use callee::{
    Address, Conference, ConferenceEvent, Dial, LegEvent, Noun, Phone, SipAddress, StatusCallback,
};
pub use document::{
    Document, Enqueue, Gather, Prompt, Record, Refer, Stream, TrackChoice, Verb, Wait, WaitingLine,
};
pub use read::{Reading, read};
pub use reader::Base;

#[cfg(test)]
mod tests;
