//! Signals: what the words of a call say about it.

mod asks_human;
mod surroundings;
mod token;
mod utterance;
mod vocabulary;

pub use asks_human::{Asking, AsksHuman};
