//! Plivo's media socket: text frames of one JSON object each, both directions.
//!
//! [`parse`] reads what Plivo sends, [`StreamOut`] writes what a bidirectional stream accepts. The
//! vendor's spelling ends here. Reading a media message, decoding its payload into a reused buffer and
//! writing an outgoing one allocate nothing once buffers have grown; only a peer that escapes `/` inside
//! a payload costs a copy.
//!
//! There is no `connected`: `start` comes first. The end is the end of the socket; `stop` is in no
//! protocol page, but in samples of the vendor, so it is read where it comes.
//!
//! Sources: <https://plivo.com/docs/voice-agents/audio-streaming/concepts/audio-streaming-reference>,
//! the vendor's `plivo-stream-sdk-java` 9f8cc37 and `agent-transport` 174f441, read 2026-11-21. Shapes in
//! `fixtures/wire/plivo/`, made from these, not recorded.

mod audio;
mod headers;
mod message;
mod read;

pub use audio::{MAX_MEDIA_BYTES, NotAKey, StreamOut, decode_payload};
pub use message::{Dtmf, EpochMs, Media, Message, Played, Start, Track, WireError};
pub use read::parse;
