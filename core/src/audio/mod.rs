//! Hearing, the media plane: G.711, level, voice activity and windows of one speaker.

mod activity;
mod ear;
pub mod mulaw;
#[cfg(test)]
mod tests;
mod window;

pub use ear::{Ear, Sound};
pub use window::WINDOW_SAMPLES;
