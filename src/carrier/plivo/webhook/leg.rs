//! How far a dialled leg is.

use handoff_core::call::LegProgress;
use handoff_core::id::CarrierCallId;

use super::dial::caller_leg;
use crate::carrier::document::ACCEPT_KEY;
use crate::carrier::form::{Form, WebhookError};
use crate::carrier::plivo::hangup::{HangupCause, HangupReason, letters};

/// Progress of the leg that rings the human, from the callback URL of a `<Dial>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegStatus {
    /// The human's leg, where it is named: a report on keys may leave it out.
    pub leg: Option<CarrierCallId>,
    /// The caller's call.
    pub parent: CarrierCallId,
    /// What happened.
    pub event: LegEvent,
    /// Why it ended, once it is over and if the cause is one of the known ones.
    pub cause: Option<HangupCause>,
    /// Plivo's code for why it ended, once it is over.
    pub code: Option<u32>,
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
    /// The two are joined. That this comes after `confirmKey` and not before is UNCONFIRMED: the pages have
    /// two words, and one of them has to be that.
    Connected,
    /// The human pressed the key that takes the call.
    AcceptKey,
    /// Another key that the document waits for was pressed, or the caller pressed one.
    Digits,
    /// It is over.
    Hangup,
    /// Not known to this version.
    Other,
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
            .map(event)
            .find(|event| *event != LegEvent::Other)
            .unwrap_or(LegEvent::Other);
        let cause = ["DialBLegHangupCause", "DialBLegHangupCauseName"]
            .iter()
            .filter_map(|name| form.get(name))
            .find_map(HangupCause::parse);
        Ok(Self {
            leg: form.optional_call("DialBLegUUID")?,
            parent: caller_leg(form)?,
            event: if event == LegEvent::Digits && is_accept_key(form) {
                LegEvent::AcceptKey
            } else {
                event
            },
            cause,
            code: form.number("DialBLegHangupCauseCode"),
        })
    }

    /// How far the leg is, or `None` for an event that does not say.
    pub fn progress(&self) -> Option<LegProgress> {
        match self.event {
            LegEvent::Initiated => Some(LegProgress::Initiated),
            LegEvent::Ringing => Some(LegProgress::Ringing),
            LegEvent::Answered => Some(LegProgress::Answered),
            LegEvent::Connected | LegEvent::AcceptKey => Some(LegProgress::Accepted),
            LegEvent::Hangup => Some(LegProgress::Completed),
            LegEvent::Digits | LegEvent::Other => None,
        }
    }

    /// Where an operator should look for why it ended.
    pub fn reason(&self) -> Option<HangupReason> {
        self.code.map(HangupReason::of)
    }
}

fn event(word: &str) -> LegEvent {
    let word = letters(word);
    match word.strip_prefix("dial").unwrap_or(&word) {
        "initiated" | "start" | "started" => LegEvent::Initiated,
        "ring" | "ringing" => LegEvent::Ringing,
        "answer" | "answered" => LegEvent::Answered,
        "connect" | "connected" => LegEvent::Connected,
        "digits" | "digitsmatch" | "digit" | "digitmatch" => LegEvent::Digits,
        "hangup" | "completed" => LegEvent::Hangup,
        _ => LegEvent::Other,
    }
}

fn is_accept_key(form: Form<'_>) -> bool {
    let keys = form.get("DialDigitsMatch").unwrap_or_default();
    let whose = letters(form.get("DialDigitsPressedBy").unwrap_or_default());
    keys.chars().eq([ACCEPT_KEY]) && whose != "aleg"
}
