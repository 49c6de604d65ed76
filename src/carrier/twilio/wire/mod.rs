//! Twilio's media socket: text frames of one JSON object each, both directions.
//!
//! [`parse`] reads what Twilio sends, [`StreamOut`] writes what a bidirectional stream accepts. The
//! vendor's spelling ends here. Reading a media message, decoding its payload into a reused buffer
//! and writing an outgoing one allocate nothing once buffers have grown; only a peer that escapes
//! `/` inside a payload costs a copy.
//!
//! Sources: <https://www.twilio.com/docs/voice/media-streams/websocket-messages> and
//! <https://www.twilio.com/docs/voice/media-streams>, read 2026-11-21.

mod audio;
mod message;
mod read;

pub use audio::{StreamOut, decode_payload};
pub use message::{Dtmf, MAX_TIMESTAMP_MS, Media, Message, Start, Track, WireError};
pub use read::parse;
