//! The verbs that are played. URLs are absolute here.

use std::time::Duration;

use super::callee::{Dial, SipAddress};
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
    /// `<Dial>`.
    Dial(Dial),
    /// `<Enqueue>`.
    Enqueue(Enqueue),
    /// `<Leave>`: the caller leaves the queue.
    Leave,
    /// `<Refer><Sip>`.
    Refer(Refer),
    /// `<Record>`.
    Record(Record),
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

/// `<Gather>` for keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gather {
    /// What is heard meanwhile.
    pub prompts: Vec<Prompt>,
    /// Where the keys go; by default the URL of the document itself.
    pub action: Option<Callback>,
    /// How long to wait for a key after the prompts, and for one more after a key.
    pub timeout: Duration,
    /// After how many keys the action is asked for at once.
    pub num_digits: Option<u64>,
    /// Whether keys are taken at all, and not speech alone.
    pub takes_keys: bool,
    /// Whether the action is asked for even when no key came.
    pub action_on_empty_result: bool,
}

/// `<Enqueue>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueue {
    /// Where the caller waits.
    pub line: WaitingLine,
    /// What is asked for when they wait no longer, in place of the rest of the document.
    pub action: Option<Callback>,
    /// What they hear meanwhile.
    pub wait: Wait,
}

/// Where an `<Enqueue>` puts the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitingLine {
    /// A queue of this name.
    Queue(String),
    /// Whatever queue a TaskRouter workflow chooses.
    Workflow {
        /// `WW…`.
        sid: String,
        /// The task's attributes, as JSON.
        attributes: String,
    },
}

/// What somebody who waits is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// Twilio's own music.
    Default,
    /// Nothing.
    Silence,
    /// A document, asked for again when it is at its end.
    Document(Callback),
}

/// `<Refer><Sip>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refer {
    /// Whom the caller's telephone shall call.
    pub to: SipAddress,
    /// What is asked for when it did or did not, in place of the rest of the document.
    pub action: Option<Callback>,
}

/// `<Record>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What is asked for when the recording is over; by default the URL of the document itself.
    pub action: Option<Callback>,
    /// Asked when the recording can be had.
    pub status_callback: Option<Callback>,
    /// The longest recording.
    pub max_length: Duration,
    /// How much silence ends it.
    pub timeout: Duration,
    /// Which keys end it.
    pub finish_on_key: String,
}
