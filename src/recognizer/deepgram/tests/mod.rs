//! The recognizer against a peer that speaks Deepgram's side over loopback.

mod endings;
mod failures;
mod peer;
mod words;

pub(super) use peer::{caller_leg, options};
