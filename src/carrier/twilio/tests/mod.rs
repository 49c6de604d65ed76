//! Golden tests of every file here, both directions, with bad input.

mod golden;
mod handoff;
mod rest;
mod signature;
mod twiml;
mod webhook;
mod whisper;
mod wire;
