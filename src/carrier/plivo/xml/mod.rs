//! The documents that tell Plivo what to do with a call. The shapes are in `golden/*.xml`, one file a
//! document.
//!
//! - [`VoiceAnswer`] and the *dead-man tail*: what a new call gets. The tail is a `<Dial>` of a human, then an
//!   apology and the end, with no URL of ours in it: whatever dies on our side, the carrier itself still
//!   rings somebody.
//! - [`handoff_document`]: what moves a live call to a human, by every way there is.
//! - [`whisper`] and its kin: what the human hears before they have the caller.
//! - [`wait`]: what the caller hears in a [`Room`].
//! - [`after_dial_nobody`], [`after_dial_bridged`], [`last_resort`]: how it ends.
//!
//! An element or attribute that Plivo does not know ends the call (hangup code 8011), so there is none
//! here that its pages do not name. Its Python library names all but the two of a SIP address's credentials.
//!
//! Sources: <https://www.plivo.com/docs/voice/xml/>, …/routing, …/conferencing, …/input, …/record, the
//! streaming reference and guide named in [`super::wire`], and `plivo` 4.63.0 for Python, read 2026-11-21.

mod answer;
mod dial;
mod element;
mod ending;
mod handoff;
mod inline;
mod room;
mod wait;
mod whisper;

pub use crate::carrier::document::{DeadManTail, Document, Handoff, LastResort};
pub use crate::carrier::markup::InlineVerbsError;
pub use answer::{Mode, Then, VoiceAnswer, bypass, dead_man, voice_answer};
pub use element::LIMIT_BYTES;
pub use ending::{after_dial_bridged, after_dial_nobody, last_resort};
pub use handoff::handoff_document;
pub use inline::{InlineElements, InlineElementsError};
pub use room::{Room, RoomKind};
pub use wait::{Hold, wait};
pub use whisper::{Whisper, not_accepted, room_accepted, room_whisper, whisper};
