//! The parameters that Twilio posts to us, parsed once.
//!
//! Signatures cover every parameter, so these functions take the list that [`parse_form`] gives and
//! that was verified. Status callbacks arrive late, twice and out of order: none of them acts unless our
//! own state expects it. An interrupted `<Dial>` reports `completed`
//! to its action URL just as one that ended by itself.
//!
//! - [`VoiceRequest`]: a call that asks for its instructions.
//! - [`DialOutcome`], [`QueueOutcome`], [`ReferOutcome`]: what became of the way to a human.
//! - [`LegStatus`], [`CallStatus`], [`StreamStatus`]: how something is.
//! - [`Keyed`], [`QueueWait`], [`VoicemailLeft`]: what a human or a caller did, or waits for.
//!
//! Sources: <https://www.twilio.com/docs/voice/twiml>, …/twiml/dial, …/twiml/number, …/twiml/sip,
//! …/twiml/enqueue, …/twiml/refer, …/twiml/gather, …/twiml/record, …/twiml/stream, read 2026-11-21.

mod dial;
mod keyed;
mod leg;
mod queue;
mod refer;
mod stream;
mod voice;
mod voicemail;

pub use crate::carrier::form::{WebhookError, parse_form};
pub use dial::{DialCallStatus, DialOutcome};
pub use keyed::Keyed;
pub use leg::{CallStatus, LegStatus};
pub use queue::{QueueEnd, QueueOutcome, QueueWait};
pub use refer::ReferOutcome;
pub use stream::{StreamEvent, StreamStatus};
pub use voice::VoiceRequest;
pub use voicemail::VoicemailLeft;
