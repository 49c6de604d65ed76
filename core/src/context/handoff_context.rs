//! The context of one handoff at one instant.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::call::{DialEnd, Disposition, Party, Trigger};
use crate::id::{CallId, CarrierCallId};
use crate::pii::Pii;
use crate::route::TargetName;
use crate::speech::Speaker;
use crate::time::{MediaTime, WallTime};

/// Everything a human needs to go on where the voice agent stopped.
///
/// Revision 0 is taken at the instant of the trigger; a later revision replaces it when more is
/// known, and carries the disposition once the call has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct HandoffContext {
    /// Which call.
    pub call: CallId,
    /// The carrier's name for the call, as it appears in the carrier's console.
    pub carrier_call: CarrierCallId,
    /// Counts the contexts of this handoff, from 0.
    pub revision: u32,
    /// When the call was accepted.
    pub accepted: WallTime,
    /// Who called.
    pub caller: Party,
    /// The number that was called.
    pub called: Party,
    /// What decided the handoff. Its id is the id of the handoff.
    pub trigger: Trigger,
    /// Two or three sentences for someone who has no time.
    pub summary: Pii<String>,
    /// The caller's smoothed sentiment, -1..=1, if any words were heard.
    pub sentiment: Option<f32>,
    /// How the sentiment moves, per minute.
    pub sentiment_trend: Option<f32>,
    /// Keys the caller pressed.
    pub digits: Pii<String>,
    /// What was said, in order of time.
    pub transcript: Vec<Line>,
    /// Parameters that came with the call.
    pub parameters: BTreeMap<String, Pii<String>>,
    /// How far the efforts to reach a human got.
    pub reached: Reached,
    /// Whether the caller was promised that somebody calls back.
    pub call_back: bool,
    /// The message that the caller left because nobody took the call.
    pub message: Option<Message>,
    /// How long caller and human had each other, if it was so short that the call may have been cut.
    pub cut_short: Option<Duration>,
    /// How the call ended, once it has.
    pub disposition: Option<Disposition>,
}

/// How far the efforts of a handoff got. Times count from the trigger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reached {
    /// The route that chose the targets, if one matched.
    pub route: Option<String>,
    /// When the carrier was first asked to rewrite the call.
    pub rewrite_sent: Option<Duration>,
    /// When it first took a rewrite.
    pub rewrite_taken: Option<Duration>,
    /// The targets that were tried, in order, the one under way last.
    pub targets: Vec<TargetTried>,
}

/// One target that was tried. Times count from the trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetTried {
    /// Which.
    pub target: TargetName,
    /// When the phone rang.
    pub ringing: Option<Duration>,
    /// When somebody or something answered.
    pub answered: Option<Duration>,
    /// When a human took the call, where that is asked for.
    pub accepted: Option<Duration>,
    /// When caller and human had been joined for long enough to be sure.
    pub bridged: Option<Duration>,
    /// How it ended, if that was told.
    pub end: Option<DialEnd>,
}

/// What a caller said to nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where the carrier keeps it.
    pub url: Pii<String>,
    /// How long it is.
    pub length: Duration,
}

/// One utterance of the transcript.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Who spoke.
    pub speaker: Speaker,
    /// When the words began, on the call's media clock.
    pub at: MediaTime,
    /// The words.
    pub text: Pii<String>,
    /// The recognizer's confidence, 0..=1.
    pub confidence: f32,
    /// Whether a phrase spotter heard it, which does not transcribe reliably.
    pub approximate: bool,
    /// Whether the recognizer may still change its mind about the words.
    pub is_final: bool,
    /// Whether these words decided the handoff.
    pub decided: bool,
}
