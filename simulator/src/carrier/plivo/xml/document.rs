//! The elements that are played. URLs are absolute here.

use std::time::Duration;

use crate::carrier::callback::Callback;

/// A document: elements that run top-down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The elements in their order.
    pub elements: Vec<Element>,
}

/// One element of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// `<Stream>`: audio to and from the server.
    Stream(Stream),
    /// `<Dial>`: rings humans.
    Dial(Dial),
    /// `<Speak>` or `<Play>`.
    Prompt(Prompt),
    /// `<GetInput>` or `<GetDigits>`.
    GetInput(GetInput),
    /// `<Wait>`.
    Wait(Duration),
    /// `<Record>`.
    Record(Record),
    /// `<Conference>`.
    Conference(Conference),
    /// `<MultiPartyCall>`.
    MultiPartyCall(MultiPartyCall),
    /// `<PreAnswer>`: heard before the call is answered.
    PreAnswer(Vec<Prompt>),
    /// `<Redirect>`: another document takes over.
    Redirect(Callback),
    /// `<Hangup>`.
    Hangup {
        /// `rejected` or `busy`, to refuse a call that was not answered.
        refuses: bool,
        /// Hangs up so much later, while the document goes on.
        after: Option<Duration>,
    },
}

/// `<Stream>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// `wss://…`, with its query.
    pub url: String,
    /// Whether the server may send; only the inbound track is delivered then.
    pub bidirectional: bool,
    /// Whose audio is sent.
    pub tracks: Tracks,
    /// How audio is coded in both directions.
    pub codec: Codec,
    /// Whether the rest of the document waits for the end of the stream.
    pub keep_call_alive: bool,
    /// How long the stream lasts at most.
    pub timeout: Duration,
    /// Asked when the stream starts, stops or fails.
    pub status_callback: Option<Callback>,
    /// `extraHeaders`, in order.
    pub extra_headers: Vec<(String, String)>,
}

/// The `audioTrack` of a `<Stream>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracks {
    /// The caller's audio.
    Inbound,
    /// What the caller hears.
    Outbound,
    /// Both, as two interleaved sequences.
    Both,
}

/// The `contentType` of a `<Stream>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// `audio/x-mulaw;rate=8000`.
    Mulaw,
    /// `audio/x-l16;rate=8000`.
    L16At8k,
    /// `audio/x-l16;rate=16000`.
    L16At16k,
}

/// `<Dial>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// Who is rung, all at once.
    pub targets: Vec<Target>,
    /// How long the phones ring; by default as long as the network lets them.
    pub timeout: Option<Duration>,
    /// The number their phones show; by default the caller's.
    pub caller_id: Option<String>,
    /// What is asked for when the leg ended.
    pub action: Option<Callback>,
    /// Whether the answer of the action takes the place of the rest of the document.
    pub redirect: bool,
    /// The longest time the two may talk.
    pub time_limit: Duration,
    /// What the human hears and presses before being joined.
    pub confirm: Confirm,
    /// Progress of the legs.
    pub callback: Option<Callback>,
    /// Keys of the human that are told to the callback.
    pub digits_match: Vec<String>,
}

/// What the human hears and presses before being joined to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// Asked for a document of `<Speak>`, `<Play>` and `<Wait>`.
    pub sound: Option<Callback>,
    /// The key that accepts the call.
    pub key: Option<char>,
    /// How long the key is waited for.
    pub timeout: Duration,
}

/// `<Number>` or `<User>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which of the two.
    pub kind: TargetKind,
    /// The number, or the SIP URI.
    pub address: String,
    /// `sipHeaders` as they are on the wire, `X-PH-` before each name.
    pub sip_headers: Vec<(String, String)>,
    /// Keys to press once it is answered, such as an extension.
    pub digits: Option<String>,
}

/// How a target is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// By telephone.
    Number,
    /// By SIP.
    User,
}

/// Something heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// `<Speak>`: a text.
    Speak(String),
    /// `<Play>`: the URL of a sound file.
    Play(String),
    /// `<Wait>` among prompts.
    Silence(Duration),
}

/// `<GetInput>` or `<GetDigits>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetInput {
    /// What is heard meanwhile.
    pub prompts: Vec<Prompt>,
    /// Where the keys go.
    pub action: Callback,
    /// Whether the answer of the action takes the place of the rest of the document.
    pub redirect: bool,
    /// How long to wait for a key after the prompts.
    pub timeout: Duration,
}

/// `<Record>`: a voicemail, or with `recordSession` the call beside what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What is asked for when the recording ended.
    pub action: Option<Callback>,
    /// Whether the answer of the action takes the place of the rest of the document.
    pub redirect: bool,
    /// Tells where the recording is.
    pub callback: Option<Callback>,
    /// How long the recording lasts at most.
    pub max_length: Duration,
    /// How much silence ends it.
    pub silence: Duration,
    /// The keys that end it; every one by default.
    pub finish_on_key: String,
    /// `mp3` or `wav`.
    pub file_format: &'static str,
    /// Records in the background.
    pub whole_session: bool,
}

/// `<Conference>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conference {
    /// Name of the room.
    pub room: String,
    /// The room starts when this member enters.
    pub starts_on_enter: bool,
    /// The room is over when this member leaves.
    pub ends_on_exit: bool,
    /// This member stays when everybody else has left.
    pub stays_alone: bool,
    /// How many the room takes.
    pub most_members: usize,
    /// Asked for a document of `<Speak>`, `<Play>` and `<Wait>` that is heard while nobody else is there.
    pub wait_sound: Option<Callback>,
    /// What is asked for when the caller left the room.
    pub action: Option<Callback>,
    /// Whether the answer of the action takes the place of the rest of the document.
    pub redirect: bool,
    /// Tells who entered and left.
    pub callback: Option<Callback>,
    /// How long the caller may stay.
    pub time_limit: Duration,
}

/// `<MultiPartyCall>`, or a participant that the REST API adds to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiPartyCall {
    /// Name of the call.
    pub room: String,
    /// What the member is in it.
    pub role: Role,
    /// The call starts when this member enters.
    pub starts_on_enter: bool,
    /// The call is over when this member leaves.
    pub ends_on_exit: bool,
    /// This member stays when everybody else has left.
    pub stays_alone: bool,
    /// How many the call takes.
    pub most_participants: usize,
    /// How long this member may stay.
    pub max_duration: Duration,
    /// Asked for a document of `<Speak>`, `<Play>` and `<Wait>` that is heard while nobody else is there.
    pub wait_music: Option<Callback>,
    /// What is asked for when this member left.
    pub on_exit: Option<Callback>,
    /// Tells what happens in the call.
    pub status_callback: Option<Callback>,
    /// Whether the callback is told that the call was made, started and ended.
    pub tells_of_call: bool,
    /// Whether the callback is told who came and left.
    pub tells_of_participants: bool,
}

/// What a member of a multi-party call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever serves; `agent` on the wire.
    Human,
    /// Whoever is served.
    Customer,
    /// Whoever listens to both.
    Supervisor,
}

impl Role {
    /// Plivo's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "agent",
            Self::Customer => "customer",
            Self::Supervisor => "supervisor",
        }
    }
}
