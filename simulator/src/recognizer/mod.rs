//! A stand-in for Deepgram's live transcription (`GET /v1/listen`) that checks what it is sent.
//!
//! Written from Deepgram's public documentation (developers.deepgram.com and the AsyncAPI file of
//! deepgram/deepgram-api-specs, read 2026-11-21). It plays recorded results by media time: a line is
//! sent when as much audio has arrived as the line says, never by the clock. What breaks a documented
//! rule is answered as the service would, and recorded as a violation.

mod cli;
mod connection;
mod options;
mod playback;
mod query;
mod server;
mod upgrade;

pub use cli::{Args, run};
pub use options::{
    CallResults, Fault, FaultKind, Line, Pace, ParseFaultError, RecognizerOptions, ResultsError,
    Speaker,
};
pub use query::{Listen, Refusal, check_query, keyterm_tokens};
pub use server::{Connection, Ending, Event, Recognizer, Stamped, State};
