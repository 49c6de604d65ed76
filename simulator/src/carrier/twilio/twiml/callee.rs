//! Whom a `<Dial>` reaches. URLs are absolute here.

use std::time::Duration;

use super::document::Wait;
use crate::carrier::callback::Callback;

/// `<Dial>` with one noun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// Who or what is reached.
    pub noun: Noun,
    /// How long their phone rings; Twilio adds about 5 s.
    pub timeout: Duration,
    /// The number their phone shows; by default the caller's.
    pub caller_id: Option<String>,
    /// What is asked for when the leg ended, in place of the rest of the document.
    pub action: Option<Callback>,
    /// The longest time the two may talk.
    pub time_limit: Duration,
}

/// Who or what a `<Dial>` reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noun {
    /// Somebody whose phone rings.
    Phone(Phone),
    /// A conference that the caller enters.
    Conference(Conference),
}

/// `<Number>`, `<Sip>` or `<Client>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// Who is called.
    pub address: Address,
    /// What they hear before being joined.
    pub whisper: Option<Callback>,
    /// Progress of the leg.
    pub status_callback: Option<StatusCallback<LegEvent>>,
}

/// Who is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A telephone number.
    Number {
        /// In E.164 form.
        number: String,
        /// Keys that are pressed when somebody picks up.
        digits: Option<String>,
    },
    /// A SIP telephone.
    Sip(SipAddress),
    /// A softphone of the Voice SDK.
    Client {
        /// The name it registered under.
        identity: String,
        /// `<Parameter>`s, in order.
        parameters: Vec<(String, String)>,
    },
}

impl Address {
    /// The address as callbacks write it: a number, a SIP URI without headers, or `client:identity`.
    #[must_use]
    pub fn as_written(&self) -> String {
        match self {
            Self::Number { number, .. } => number.clone(),
            Self::Sip(sip) => sip.uri.clone(),
            Self::Client { identity, .. } => format!("client:{identity}"),
        }
    }
}

/// A SIP URI and the headers that ride on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipAddress {
    /// Without headers.
    pub uri: String,
    /// Decoded, in order.
    pub headers: Vec<(String, String)>,
}

/// `<Conference>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conference {
    /// Unique within the account.
    pub name: String,
    /// Whether this party lets it start.
    pub starts_on_enter: bool,
    /// Whether it ends when this party leaves.
    pub ends_on_exit: bool,
    /// The party's name.
    pub label: Option<String>,
    /// What the party hears until it starts.
    pub wait: Wait,
    /// Progress of the conference.
    pub status_callback: Option<StatusCallback<ConferenceEvent>>,
}

/// `statusCallback` with its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCallback<E> {
    /// Where progress is posted.
    pub callback: Callback,
    /// Which progress.
    pub events: Vec<E>,
}

/// Progress of a leg that a status callback may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegEvent {
    /// Twilio started to call.
    Initiated,
    /// The phone rings.
    Ringing,
    /// Somebody picked up.
    Answered,
    /// The leg is over, however it ended.
    Completed,
}

impl LegEvent {
    /// The event of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "initiated" => Some(Self::Initiated),
            "ringing" => Some(Self::Ringing),
            "answered" => Some(Self::Answered),
            "completed" => Some(Self::Completed),
            _ => None,
        }
    }
}

/// Progress of a conference that a status callback may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConferenceEvent {
    /// Enough parties are in it.
    Start,
    /// It is over.
    End,
    /// A party entered.
    Join,
    /// A party left.
    Leave,
    /// Something that this stand-in does not do to a conference.
    Unplayed,
}

impl ConferenceEvent {
    /// The event of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "start" => Some(Self::Start),
            "end" => Some(Self::End),
            "join" => Some(Self::Join),
            "leave" => Some(Self::Leave),
            "mute" | "hold" | "modify" | "speaker" | "announcement" => Some(Self::Unplayed),
            _ => None,
        }
    }
}
