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
//! Sources: <https://www.plivo.com/docs/voice/xml/> and <https://www.plivo.com/docs/voice/api/>, read
//! 2026-11-21. That numbers come without `+`, and the values of a dial's callbacks, are from what users
//! of the carrier have published.

use std::collections::BTreeMap;

use handoff_core::call::{DialEnd, LegProgress, Party};
use handoff_core::id::{CarrierCallId, StreamId};
use handoff_core::pii::Pii;

use super::hangup::{HangupReason, end_by_cause, letters};
use crate::carrier::call_state::{CallEnd, CallState};
use crate::carrier::form::Form;
use crate::carrier::lenient::is_identifier;
use crate::carrier::number::{E164, party};

pub use crate::carrier::form::{WebhookError, parse_form};

/// A call that asks for its instructions: at the answer URL, and at the URL of a transfer, whose fetch
/// is the only proof that the transfer was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerRequest {
    /// The call, on the socket its `callId`.
    pub call: CarrierCallId,
    /// Who calls. A number has its `+`, whether it came with one or not.
    pub from: Party,
    /// Who is called, likewise.
    pub to: Party,
    /// Who began it.
    pub direction: Direction,
    /// What made Plivo ask.
    pub event: AnswerEvent,
    /// Every other parameter, by the vendor's names.
    pub parameters: BTreeMap<String, Pii<String>>,
}

/// Who began a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Somebody called us.
    Inbound,
    /// Our REST request, or a `<Dial>`.
    Outbound,
    /// Not said, or not known to this version.
    Other,
}

/// What made Plivo ask for instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerEvent {
    /// The call begins. The one documented value.
    Started,
    /// The call is over: not a question. Told here if the application has no hangup URL of its own.
    Hangup,
    /// Not said, or not known to this version. To be answered like a beginning: a caller must not be
    /// lost over a word.
    Other,
}

/// Progress of the caller's call, from the hangup URL or wherever a call's status is told. With the REST
/// API the only word on whether a call is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallStatus {
    /// The call.
    pub call: CarrierCallId,
    /// How far it is.
    pub state: CallState,
    /// Why Plivo ended it, once it is over.
    pub reason: Option<HangupReason>,
}

/// The end of a `<Dial>`, as its action URL learns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialOutcome {
    /// The caller's call.
    pub call: CarrierCallId,
    /// How the dialled leg ended.
    pub status: DialStatus,
    /// The dialled leg, if one was placed.
    pub leg: Option<CarrierCallId>,
    /// Whether the leg rang, where the carrier says so in a word that is known.
    pub rang: Option<bool>,
    /// What the cause of the leg's end says about it, if it is one of the known ones.
    pub cause: Option<CallEnd>,
}

/// How a dialled leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialStatus {
    /// It was answered and is over.
    Completed,
    /// The line was busy.
    Busy,
    /// It could not be placed.
    Failed,
    /// It was given up before an answer.
    Canceled,
    /// It rang as long as the document allows.
    TimedOut,
    /// Nobody picked up.
    NoAnswer,
    /// Not known to this version.
    Other,
}

impl DialOutcome {
    /// Judges the end of a dial without `confirmKey`, whose answer joins the two at once: Plivo has no
    /// word for "bridged". An answer without a leg is not taken for a human: a caller who hears one
    /// sentence too many beats a caller cut off.
    pub fn end(&self) -> DialEnd {
        match self.status {
            DialStatus::Completed if self.leg.is_some() => DialEnd::Bridged,
            DialStatus::Completed => DialEnd::AnsweredNotBridged,
            DialStatus::Busy => DialEnd::Busy,
            DialStatus::Canceled => DialEnd::Canceled,
            DialStatus::TimedOut | DialStatus::NoAnswer => DialEnd::NoAnswer,
            DialStatus::Failed | DialStatus::Other => match self.cause {
                Some(CallEnd::Busy) => DialEnd::Busy,
                Some(CallEnd::NoAnswer) => DialEnd::NoAnswer,
                Some(CallEnd::Canceled) => DialEnd::Canceled,
                Some(CallEnd::Completed | CallEnd::Failed) | None => DialEnd::Failed,
            },
        }
    }
}

/// Progress of the leg that rings the human, from the callback URL of a `<Dial>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegStatus {
    /// The human's leg, where it is named: a report on keys may leave it out.
    pub leg: Option<CarrierCallId>,
    /// The caller's call.
    pub parent: CarrierCallId,
    /// What happened.
    pub event: LegEvent,
    /// What the cause of its end says about it, once it is over.
    pub cause: Option<CallEnd>,
    /// Why Plivo ended it, once it is over.
    pub reason: Option<HangupReason>,
}

/// What happened to a dialled leg. Published callbacks name answer, connection, keys and hangup; the two
/// before an answer are in no source, and read should they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegEvent {
    /// It is being set up.
    Initiated,
    /// The phone rings.
    Ringing,
    /// Somebody or something answered.
    Answered,
    /// The two are joined.
    Connected,
    /// A key that the document waits for was pressed.
    Digits,
    /// It is over.
    Hangup,
    /// Not known to this version.
    Other,
}

impl LegStatus {
    /// How far the leg is, or `None` for an event that does not say.
    pub fn progress(&self) -> Option<LegProgress> {
        match self.event {
            LegEvent::Initiated => Some(LegProgress::Initiated),
            LegEvent::Ringing => Some(LegProgress::Ringing),
            LegEvent::Answered | LegEvent::Connected => Some(LegProgress::Answered),
            LegEvent::Hangup => Some(LegProgress::Completed),
            LegEvent::Digits | LegEvent::Other => None,
        }
    }
}

/// A report on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamStatus {
    /// The call.
    pub call: CarrierCallId,
    /// The stream, where it is named.
    pub stream: Option<StreamId>,
    /// What happened.
    pub event: StreamEvent,
}

/// What happened to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// Plivo reached us.
    Started,
    /// It is over.
    Stopped,
    /// Plivo gave it up, after two more attempts to reach us.
    Dropped,
    /// What we sent to be played piles up.
    Degraded,
    /// A checkpoint was reached, which the socket tells as well.
    Played,
    /// The playback queue is empty, which the socket tells as well.
    Cleared,
    /// Not known to this version.
    Other,
}

impl AnswerRequest {
    /// Parses the parameters of an answer URL or of the URL of a transfer.
    ///
    /// # Errors
    ///
    /// [`WebhookError`] if the call is not named. Everything else has a meaning when it is missing: a
    /// caller must not be lost over a parameter.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        const READ: [&str; 5] = ["CallUUID", "From", "To", "Direction", "Event"];
        let form = Form(parameters);
        Ok(Self {
            call: form.call("CallUUID")?,
            from: caller(form.get("From").unwrap_or_default()),
            to: caller(form.get("To").unwrap_or_default()),
            direction: match form.get("Direction") {
                Some("inbound") => Direction::Inbound,
                Some("outbound") => Direction::Outbound,
                Some(_) | None => Direction::Other,
            },
            event: match letters(form.get("Event").unwrap_or_default()).as_str() {
                "startapp" => AnswerEvent::Started,
                "hangup" => AnswerEvent::Hangup,
                _ => AnswerEvent::Other,
            },
            parameters: parameters
                .iter()
                .filter(|(name, _)| !READ.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), Pii::new(value.clone())))
                .collect(),
        })
    }
}

/// Reads a `From` or `To` value as [`party`] does, and gives a bare number its `+`.
fn caller(text: &str) -> Party {
    match party(text) {
        Party::Known(address) => match E164::parse(&format!("+{}", address.expose())) {
            Ok(number) => Party::Known(Pii::new(number.expose().to_owned())),
            Err(_) => Party::Known(address),
        },
        Party::Withheld => Party::Withheld,
    }
}

impl CallStatus {
    /// Parses the parameters of the hangup URL.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: count it and answer 200, a report is not worth a retry.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        let told = CallState::parse(&form.get("CallStatus").unwrap_or_default().to_lowercase());
        let cause = form.get("HangupCause").unwrap_or_default();
        let hung_up = letters(form.get("Event").unwrap_or_default()) == "hangup"
            || (told == CallState::Unknown && !cause.is_empty());
        let state = if hung_up && !told.is_over() {
            CallState::Ended(end_by_cause(cause).unwrap_or(CallEnd::Failed))
        } else {
            told
        };
        Ok(Self {
            call: form.call("CallUUID")?,
            state,
            reason: reason(form, "HangupCauseCode").filter(|_| state.is_over()),
        })
    }
}

impl DialOutcome {
    /// Parses the parameters of a `<Dial>`'s action URL.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: answer with the document for a dial that reached nobody.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        let status = letters(form.required("DialStatus")?);
        Ok(Self {
            call: caller_leg(form)?,
            status: match status.as_str() {
                "completed" => DialStatus::Completed,
                "busy" => DialStatus::Busy,
                "failed" => DialStatus::Failed,
                "cancel" | "canceled" | "cancelled" => DialStatus::Canceled,
                "timeout" => DialStatus::TimedOut,
                "noanswer" => DialStatus::NoAnswer,
                _ => DialStatus::Other,
            },
            leg: form.optional_call("DialBLegUUID")?,
            rang: match form.get("DialRingStatus") {
                Some("true") => Some(true),
                Some("false") => Some(false),
                Some(_) | None => None,
            },
            cause: form.get("DialHangupCause").and_then(end_by_cause),
        })
    }
}

impl LegStatus {
    /// Parses the callback of a `<Dial>`.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: count it and answer 200, a report is not worth a retry.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        // The same is told up to three times, and which of them a page leaves out differs.
        let event = ["Event", "DialAction", "DialBLegStatus"]
            .iter()
            .filter_map(|name| form.get(name))
            .map(leg_event)
            .find(|event| *event != LegEvent::Other)
            .unwrap_or(LegEvent::Other);
        let cause = ["DialBLegHangupCause", "DialBLegHangupCauseName"]
            .iter()
            .filter_map(|name| form.get(name))
            .find_map(end_by_cause);
        Ok(Self {
            leg: form.optional_call("DialBLegUUID")?,
            parent: caller_leg(form)?,
            event,
            cause,
            reason: reason(form, "DialBLegHangupCauseCode"),
        })
    }
}

fn leg_event(word: &str) -> LegEvent {
    let word = letters(word);
    match word.strip_prefix("dial").unwrap_or(&word) {
        "initiated" | "start" | "started" => LegEvent::Initiated,
        "ring" | "ringing" => LegEvent::Ringing,
        "answer" | "answered" => LegEvent::Answered,
        "connect" | "connected" => LegEvent::Connected,
        "digits" | "digitsmatch" => LegEvent::Digits,
        "hangup" | "completed" => LegEvent::Hangup,
        _ => LegEvent::Other,
    }
}

impl StreamStatus {
    /// Parses the status callback of a stream.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: count it and answer 200, a report is not worth a retry.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        let stream = (form.get("StreamID"))
            .or(form.get("StreamId"))
            .filter(|id| !id.is_empty());
        if stream.is_some_and(|id| !is_identifier(id)) {
            return Err(WebhookError::Identifier("StreamID"));
        }
        Ok(Self {
            call: form.call("CallUUID")?,
            stream: stream.map(|id| StreamId(id.to_owned())),
            event: match letters(form.required("Event")?).as_str() {
                "startstream" | "streamstarted" | "started" | "start" => StreamEvent::Started,
                "stopstream" | "streamstopped" | "stopped" | "stop" => StreamEvent::Stopped,
                "droppedstream" | "streamdropped" | "dropped" | "streamfailed" | "failed" => {
                    StreamEvent::Dropped
                }
                "degradedstream" | "streamdegraded" | "degraded" => StreamEvent::Degraded,
                "playedstream" | "played" => StreamEvent::Played,
                "clearedaudio" | "cleared" => StreamEvent::Cleared,
                _ => StreamEvent::Other,
            },
        })
    }
}

/// The caller's leg is the call that asks; a callback about the other leg may name it as that leg's A.
fn caller_leg(form: Form<'_>) -> Result<CarrierCallId, WebhookError> {
    match form.optional_call("DialALegUUID")? {
        Some(call) => Ok(call),
        None => form.call("CallUUID"),
    }
}

/// A code that is none says nothing, and the report is worth having without it.
fn reason(form: Form<'_>, name: &str) -> Option<HangupReason> {
    let code = form.get(name)?.parse().ok()?;
    Some(HangupReason::parse(code))
}
