//! The embedded recognizer: speech without any account, approximate by nature.
//!
//! PocketSphinx with a language model of our own (`assets/pocketsphinx`) listens for what callers
//! say on support lines. On real calls it gets most words wrong that its model does not expect and
//! it turns some words into ones it knows, so its text is **never a transcript of record**: every
//! [`Hypothesis`] is marked `approximate`. Digits are for the keypad. Deepgram transcribes.
//!
//! The C library is Debian's `libpocketsphinx3`, looked for at run time; without it everything else
//! works and [`PocketSphinx::load`] says what to install. `library` is the only file of the
//! repository with unsafe code. `endpoint` finds where speech begins and ends, `upsample` brings
//! it to the 16 kHz of the acoustic model, `listener` is the thread of one speaker.
//!
//! [`Hypothesis`]: handoff_core::speech::Hypothesis

mod endpoint;
mod error;
mod library;
mod listener;
mod model;
mod recognizer;
#[cfg(test)]
mod tests;
mod upsample;

pub use error::PocketSphinxError;
pub use model::ACOUSTIC_MODEL;
pub use recognizer::{PocketSphinx, PocketSphinxOptions};
