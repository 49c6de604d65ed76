//! Plivo XML as Plivo reads it, with every rule it enforces or silently applies made a fault.
//!
//! Source: <https://www.plivo.com/docs/voice/xml/> and the elements of PyPI `plivo` 4.63.0, read
//! 2026-11-21.

mod dial;
mod document;
mod input;
mod read;
mod reader;
mod stream;

pub use document::{
    Codec, Conference, Confirm, Dial, Document, Element, GetInput, Prompt, Record, Stream, Target,
    TargetKind, Tracks,
};
pub use read::{Reading, read};

#[cfg(test)]
mod tests;
