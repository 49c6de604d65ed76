//! The documents that tell Twilio what to do with a call. The shapes are in `golden/*.xml`, one file a
//! document.
//!
//! - [`VoiceAnswer`] and the *dead-man tail*: what a new call gets.
//! - [`handoff_document`]: what moves a live call to a human, by every way there is.
//! - [`whisper`] and its kin: what the human hears before they have the caller.
//! - [`queue_wait`]: what the caller hears in a queue.
//! - [`after_dial_nobody`], [`after_dial_bridged`], [`last_resort`]: how it ends.
//!
//! Sources: <https://www.twilio.com/docs/voice/twiml/dial>, …/number, …/sip, …/client, …/conference,
//! …/enqueue, …/refer, …/gather, …/record, …/stream, …/connect, read 2026-11-21.

mod answer;
mod ending;
mod handoff;
mod noun;
mod task;
mod verb;
mod wait;
mod whisper;

pub use crate::carrier::document::{DeadManTail, Document, Handoff, LastResort};
pub use answer::{Mode, Then, VoiceAnswer, bypass, dead_man, voice_answer};
pub use ending::{after_dial_bridged, after_dial_nobody, last_resort};
pub use handoff::handoff_document;
pub use wait::{Hold, QueueHold, Standing, StandingError, leave, queue_wait};
pub use whisper::{
    Whisper, accepted, conference_accepted, conference_whisper, not_accepted, whisper,
};
