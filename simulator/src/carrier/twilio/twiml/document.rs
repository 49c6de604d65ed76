//! The verbs that are played. URLs are absolute here.

use std::time::Duration;

use crate::carrier::callback::Callback;

/// A document: verbs that run top-down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The verbs in their order.
    pub verbs: Vec<Verb>,
}

/// One verb of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// `<Start><Stream>`: begins a fork and goes on at once.
    Start(Stream),
    /// `<Stop><Stream name>`: ends a fork.
    Stop {
        /// The stream's name.
        name: String,
    },
    /// `<Connect><Stream>`: the server is the other party until it closes the socket.
    Connect {
        /// The socket.
        stream: Stream,
        /// What is asked for when the socket closed, in place of the rest of the document.
        action: Option<Callback>,
    },
    /// `<Redirect>`: another document takes over.
    Redirect(Callback),
    /// `<Say>` or `<Play>`.
    Prompt(Prompt),
    /// `<Pause>`.
    Pause(Duration),
    /// `<Dial><Number>`.
    Dial(Dial),
    /// `<Gather>`.
    Gather(Gather),
    /// `<Hangup>`.
    Hangup,
    /// `<Reject>`.
    Reject,
}

/// Something heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// `<Say>`: a text.
    Say(String),
    /// `<Play>`: the URL of a sound file.
    Play(String),
    /// `<Pause>` inside a `<Gather>`.
    Silence(Duration),
}

/// `<Stream>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// `wss://…`.
    pub url: String,
    /// Unique within the call.
    pub name: Option<String>,
    /// Whose audio is sent.
    pub track: TrackChoice,
    /// `<Parameter>`s, in order.
    pub parameters: Vec<(String, String)>,
    /// Asked when the stream starts, stops or fails.
    pub status_callback: Option<Callback>,
}

/// The `track` of a `<Stream>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackChoice {
    /// The caller's audio.
    Inbound,
    /// What the caller hears.
    Outbound,
    /// Both, as two interleaved sequences.
    Both,
}

/// `<Dial>` with one `<Number>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// Who is called.
    pub number: Number,
    /// How long their phone rings; Twilio adds about 5 s.
    pub timeout: Duration,
    /// The number their phone shows; by default the caller's.
    pub caller_id: Option<String>,
    /// What is asked for when the leg ended, in place of the rest of the document.
    pub action: Option<Callback>,
    /// The longest time the two may talk.
    pub time_limit: Duration,
}

/// `<Number>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// In E.164 form.
    pub number: String,
    /// What the human hears before being joined.
    pub whisper: Option<Callback>,
    /// Progress of the leg.
    pub status_callback: Option<StatusCallback>,
}

/// `statusCallback` with its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCallback {
    /// Where progress is posted.
    pub callback: Callback,
    /// Which progress.
    pub events: Vec<LegEvent>,
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

/// `<Gather>` for keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gather {
    /// What is heard meanwhile.
    pub prompts: Vec<Prompt>,
    /// Where the keys go; by default the URL of the document itself.
    pub action: Option<Callback>,
    /// How long to wait for a key after the prompts.
    pub timeout: Duration,
    /// Whether the action is asked for even when no key came.
    pub action_on_empty_result: bool,
}
