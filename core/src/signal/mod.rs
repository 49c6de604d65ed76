//! Signals: what the words of a call say about it.

mod asks_human;
mod lexicon;
mod sentiment;
mod smoothed;
mod surroundings;
mod token;
mod utterance;
mod vocabulary;

pub use asks_human::{Asking, AsksHuman};
pub use sentiment::Sentiment;
pub use smoothed::Smoothed;
