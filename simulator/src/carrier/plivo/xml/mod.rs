//! Plivo XML as Plivo reads it, with every rule it enforces or silently applies made a fault.
//!
//! Source: <https://www.plivo.com/docs/voice/xml/> and the elements of PyPI `plivo` 4.63.0, read
//! 2026-11-21.

mod conference;
mod dial;
mod document;
mod input;
mod multi_party;
mod read;
mod reader;
mod stream;

pub(super) use conference::is_sound;
pub(super) use dial::{are_keys, is_number, is_reserved, is_sip_uri};
pub use document::{
    Codec, Conference, Confirm, Dial, Document, Element, GetInput, MultiPartyCall, Prompt, Record,
    Role, Stream, Target, TargetKind, Tracks,
};
pub(super) use multi_party::TERMS;
pub use read::{Reading, read};
pub(super) use reader::is_absolute_url;
pub(super) use stream::is_pair;

#[cfg(test)]
mod tests;
