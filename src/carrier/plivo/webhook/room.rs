//! What happens in a room where a caller waits for a human.

use handoff_core::call::LegProgress;
use handoff_core::id::CarrierCallId;

use crate::carrier::form::{Form, WebhookError};
use crate::carrier::plivo::hangup::letters;

/// A report on a conference or a multi-party call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomReport {
    /// Whose call it is about, where it is about one.
    pub member: Option<CarrierCallId>,
    /// Whose side they are on. A conference does not say it: that the human came is known there from their
    /// key alone.
    pub role: Option<Role>,
    /// What happened.
    pub event: RoomEvent,
}

/// The roles that we give in a multi-party call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Plivo's `customer`.
    Caller,
    /// Plivo's `agent`.
    Human,
}

/// What happened in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomEvent {
    /// Somebody came.
    Entered,
    /// Somebody left.
    Left,
    /// Not known to this version, or nothing that matters here.
    Other,
}

impl RoomReport {
    /// Parses the callback of a conference or the status callback of a multi-party call.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: count it and answer 200, a report is not worth a retry.
    pub fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let form = Form(parameters);
        let event = ["ConferenceAction", "EventName", "Event"]
            .iter()
            .filter_map(|name| form.get(name))
            .map(event)
            .find(|event| *event != RoomEvent::Other)
            .unwrap_or(RoomEvent::Other);
        Ok(Self {
            member: match form.optional_call("ParticipantCallUUID")? {
                Some(member) => Some(member),
                None => form.optional_call("CallUUID")?,
            },
            role: match letters(form.get("ParticipantRole").unwrap_or_default()).as_str() {
                "customer" => Some(Role::Caller),
                "agent" => Some(Role::Human),
                _ => None,
            },
            event,
        })
    }

    /// How far the human's leg is, or `None` where it is not said to be theirs.
    pub fn progress(&self) -> Option<LegProgress> {
        match (self.event, self.role) {
            (RoomEvent::Entered, Some(Role::Human)) => Some(LegProgress::Accepted),
            (RoomEvent::Left, Some(Role::Human)) => Some(LegProgress::Completed),
            (RoomEvent::Entered | RoomEvent::Left, Some(Role::Caller) | None)
            | (RoomEvent::Other, _) => None,
        }
    }
}

fn event(word: &str) -> RoomEvent {
    let word = letters(word);
    let word = (word.strip_prefix("conference"))
        .or_else(|| word.strip_prefix("participant"))
        .unwrap_or(&word);
    match word {
        "enter" | "entered" | "join" | "joined" => RoomEvent::Entered,
        "exit" | "exited" | "leave" | "left" => RoomEvent::Left,
        _ => RoomEvent::Other,
    }
}
