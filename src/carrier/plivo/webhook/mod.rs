//! The parameters that Plivo posts to us, parsed once.
//!
//! Signatures cover every parameter, so these functions take the list that [`parse_form`] gives and
//! that was verified. Callbacks arrive late, twice and out of order, and carry no counter to sort them
//! by: let none of them act unless our own state expects it. That an interrupted `<Dial>` reports
//! `completed`, as Twilio's does, has to be reckoned with.
//!
//! What the vendor's pages spell in several ways, or not at all, is read without regard to case and
//! punctuation, and everything unknown has a variant of its own.
//!
//! - [`AnswerRequest`]: a call that asks for its instructions.
//! - [`DialOutcome`]: what became of the way to a human.
//! - [`LegReport`] of a [`LegStatus`], [`CallStatus`] or [`RoomReport`]: how a human's leg is.
//! - [`CallStatus`], [`StreamStatus`]: how the caller's call and its stream are.
//! - [`Keyed`], [`VoicemailLeft`]: what a human or a caller did.
//!
//! Sources: <https://www.plivo.com/docs/voice/xml/>, …/routing, …/conferencing, …/input, …/record and
//! <https://www.plivo.com/docs/voice/api/>, read 2026-11-21. That numbers come without `+`, and the values
//! of a dial's callbacks, are from what users of the carrier have published.

mod answer;
mod call;
mod dial;
mod keyed;
mod leg;
mod report;
mod room;
mod stream;
mod voicemail;

pub use crate::carrier::form::{WebhookError, parse_form};
pub use answer::{AnswerEvent, AnswerRequest};
pub use call::CallStatus;
pub use dial::{DialOutcome, DialStatus};
pub use keyed::Keyed;
pub use leg::{LegEvent, LegStatus};
pub use report::LegReport;
pub use room::{Role, RoomEvent, RoomReport};
pub use stream::{StreamEvent, StreamStatus};
pub use voicemail::VoicemailLeft;
