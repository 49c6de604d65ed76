//! The disk form of [`HandoffContext`].

use std::time::Duration;

use handoff_core::context::{HandoffContext, Line, Message};
use handoff_core::id::{CallId, CarrierCallId};
use handoff_core::pii::Pii;
use handoff_core::time::{MediaTime, WallTime};
use serde::{Deserialize, Serialize};

use super::envelope::{self, RecordError, malformed};
use super::parts::{
    DiskDisposition, DiskParameters, DiskParty, DiskSpeaker, DiskTrigger, duration_nanos, exposed,
    finite, personal,
};
use super::reached::{DiskMessage, DiskReached};

/// Writes a context.
pub(in crate::journal) fn encode_context(context: &HandoffContext) -> Result<String, RecordError> {
    envelope::encode(&Disk::HandoffContext(context.into()))
}

/// Reads a context.
pub(in crate::journal) fn decode_context(text: &str) -> Result<HandoffContext, RecordError> {
    let Disk::HandoffContext(context) = envelope::decode(text, &["handoff_context"])?;
    context.try_into()
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Disk {
    HandoffContext(DiskContext),
}

#[derive(Serialize, Deserialize)]
struct DiskContext {
    call: String,
    carrier_call: String,
    revision: u32,
    accepted_ms: u64,
    caller: DiskParty,
    called: DiskParty,
    trigger: DiskTrigger,
    summary: String,
    sentiment: Option<f32>,
    sentiment_trend: Option<f32>,
    digits: String,
    transcript: Vec<DiskLine>,
    parameters: DiskParameters,
    #[serde(default)]
    reached: DiskReached,
    #[serde(default)]
    call_back: bool,
    #[serde(default)]
    message: Option<DiskMessage>,
    #[serde(default)]
    cut_short_ns: Option<u64>,
    disposition: Option<DiskDisposition>,
}

#[derive(Serialize, Deserialize)]
struct DiskLine {
    speaker: DiskSpeaker,
    at_samples: u64,
    text: String,
    confidence: f32,
    approximate: bool,
    is_final: bool,
    decided: bool,
}

impl From<&HandoffContext> for DiskContext {
    fn from(context: &HandoffContext) -> Self {
        Self {
            call: context.call.as_str().to_owned(),
            carrier_call: context.carrier_call.0.clone(),
            revision: context.revision,
            accepted_ms: context.accepted.0,
            caller: (&context.caller).into(),
            called: (&context.called).into(),
            trigger: (&context.trigger).into(),
            summary: context.summary.expose().clone(),
            sentiment: context.sentiment.map(finite),
            sentiment_trend: context.sentiment_trend.map(finite),
            digits: context.digits.expose().clone(),
            transcript: context.transcript.iter().map(DiskLine::from).collect(),
            parameters: exposed(&context.parameters),
            reached: (&context.reached).into(),
            call_back: context.call_back,
            message: context.message.as_ref().map(DiskMessage::from),
            cut_short_ns: context.cut_short.map(duration_nanos),
            disposition: context.disposition.map(DiskDisposition::from),
        }
    }
}

impl TryFrom<DiskContext> for HandoffContext {
    type Error = RecordError;

    fn try_from(context: DiskContext) -> Result<Self, RecordError> {
        Ok(Self {
            call: CallId::parse(&context.call).ok_or_else(|| malformed("handoff_context"))?,
            carrier_call: CarrierCallId(context.carrier_call),
            revision: context.revision,
            accepted: WallTime(context.accepted_ms),
            caller: context.caller.into(),
            called: context.called.into(),
            trigger: context.trigger.try_into()?,
            summary: Pii::new(context.summary),
            sentiment: context.sentiment,
            sentiment_trend: context.sentiment_trend,
            digits: Pii::new(context.digits),
            transcript: context.transcript.into_iter().map(Line::from).collect(),
            parameters: personal(context.parameters),
            reached: context.reached.try_into()?,
            call_back: context.call_back,
            message: context.message.map(Message::from),
            cut_short: context.cut_short_ns.map(Duration::from_nanos),
            disposition: context.disposition.map(Into::into),
        })
    }
}

impl From<&Line> for DiskLine {
    fn from(line: &Line) -> Self {
        Self {
            speaker: line.speaker.into(),
            at_samples: line.at.0,
            text: line.text.expose().clone(),
            confidence: finite(line.confidence),
            approximate: line.approximate,
            is_final: line.is_final,
            decided: line.decided,
        }
    }
}

impl From<DiskLine> for Line {
    fn from(line: DiskLine) -> Self {
        Self {
            speaker: line.speaker.into(),
            at: MediaTime(line.at_samples),
            text: Pii::new(line.text),
            confidence: line.confidence,
            approximate: line.approximate,
            is_final: line.is_final,
            decided: line.decided,
        }
    }
}
