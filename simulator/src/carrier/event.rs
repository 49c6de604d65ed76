//! What a stand-in carrier saw and did.
//!
//! The numbers, texts and documents in these events are test data: they are shown in full.

use serde::Serialize;

/// One thing that a stand-in carrier saw or did, in the past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CarrierEvent {
    /// The REST API takes requests.
    Listening {
        /// The carrier's name.
        service: &'static str,
        /// Base URL of the REST API.
        url: String,
        /// Webhook of the voice agent that answered the line before handoff did.
        bot_url: String,
    },
    /// A caller dialled the number.
    CallPlaced {
        /// The caller's number.
        from: String,
        /// The number they dialled.
        to: String,
    },
    /// A webhook or callback was requested.
    WebhookPosted {
        /// What it was asked for.
        purpose: Purpose,
        /// The URL as the document or configuration wrote it.
        url: String,
        /// The form parameters, in the order in which they were sent.
        parameters: Vec<(String, String)>,
    },
    /// A webhook or callback was answered.
    WebhookAnswered {
        /// What was asked for.
        purpose: Purpose,
        /// The URL that answered.
        url: String,
        /// HTTP status.
        status: u16,
        /// How long the answer took.
        after_ms: u64,
        /// The body.
        document: String,
    },
    /// A document could not be had, and the number's fallback was taken instead.
    FallbackTaken {
        /// What it answered.
        document: String,
    },
    /// A webhook or callback could not be had: nobody listens, the connection broke, or time ran out.
    WebhookFailed {
        /// What was asked for.
        purpose: Purpose,
        /// The URL that did not answer.
        url: String,
        /// The carrier's error code.
        code: u32,
        /// Why.
        reason: String,
    },
    /// The voice agent's own webhook was asked for a document.
    BotVisited {
        /// The form parameters it was sent.
        parameters: Vec<(String, String)>,
    },
    /// A media socket was accepted.
    StreamOpened {
        /// The stream.
        stream_sid: String,
        /// URL of the socket.
        url: String,
        /// How the stream stands in the call.
        attachment: Attachment,
        /// Whether it takes the place of a socket of the same stream that was lost.
        replacement: bool,
    },
    /// A media socket could not be opened.
    StreamRefused {
        /// URL of the socket.
        url: String,
        /// HTTP status, when there was an answer.
        status: Option<u16>,
        /// The carrier's error code.
        code: u32,
        /// Why.
        reason: String,
    },
    /// A media socket ended.
    StreamClosed {
        /// The stream.
        stream_sid: String,
        /// Who ended it.
        by: ClosedBy,
        /// The server's WebSocket close code, when it sent one.
        code: Option<u16>,
        /// Messages of the carrier that were sent on the socket.
        messages_sent: u64,
        /// Media messages among them.
        frames_sent: u64,
        /// Messages of the server that were received.
        messages_received: u64,
    },
    /// Everything that the server had sent before a mark was played, or cleared.
    MarkEchoed {
        /// The stream.
        stream_sid: String,
        /// The mark's name.
        name: String,
    },
    /// The recorded conversation is at its end; the caller waits for what happens next.
    RecordingEnded,
    /// The REST API was called.
    RestRequested {
        /// HTTP method.
        method: String,
        /// Path below the base URL.
        path: String,
        /// The form parameters.
        parameters: Vec<(String, String)>,
        /// Whether the credentials were right.
        authorized: bool,
    },
    /// The REST API answered, or a fault kept the answer from arriving.
    RestAnswered {
        /// Path below the base URL.
        path: String,
        /// HTTP status that was or would have been sent.
        status: u16,
        /// The carrier's error code, when it refused.
        code: Option<u32>,
        /// The planned fault that this request met.
        fault: Option<String>,
    },
    /// The call follows another document because the REST API said so.
    CallRewritten {
        /// The inline document, or the URL it is fetched from.
        document: String,
        /// How many rewrites the call has had, this one included.
        rewrites: usize,
    },
    /// A human's phone is being called.
    LegInitiated {
        /// The child call.
        leg_sid: String,
        /// The human's number.
        to: String,
        /// The number their phone shows.
        caller_id: String,
        /// SIP headers of the carrier's INVITE, as they are on the wire.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        sip_headers: Vec<(String, String)>,
        /// Parameters that the human's softphone is given.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        parameters: Vec<(String, String)>,
        /// Keys that are pressed when somebody picks up.
        #[serde(skip_serializing_if = "Option::is_none")]
        digits: Option<String>,
    },
    /// A human's phone rings.
    LegRinging {
        /// The child call.
        leg_sid: String,
    },
    /// A human picked up.
    LegAnswered {
        /// The child call.
        leg_sid: String,
    },
    /// The human and the caller hear each other.
    LegBridged {
        /// The child call.
        leg_sid: String,
    },
    /// The leg to the human is over.
    LegCompleted {
        /// The child call.
        leg_sid: String,
        /// How it ended.
        status: LegStatus,
        /// Whether the human and the caller were joined.
        bridged: bool,
        /// Seconds of the carrier's time since the human picked up.
        seconds: u64,
    },
    /// The caller heard a sentence or a sound file.
    SpokenToCaller {
        /// The sentence, or the URL of the sound file.
        text: String,
    },
    /// The human heard a sentence or a sound file before being joined to the caller.
    SpokenToHuman {
        /// The sentence, or the URL of the sound file.
        text: String,
    },
    /// The caller hears music while they wait.
    HoldMusic {
        /// The URL of the sound file, or `default` for the carrier's own.
        source: String,
    },
    /// The caller waits and hears nothing.
    HoldSilence,
    /// The caller stands in a queue.
    QueueEntered {
        /// The queue's id.
        queue_sid: String,
        /// The queue's name, or the id of the workflow that chooses one.
        queue: String,
        /// Their place in it, from 1.
        position: usize,
        /// What a workflow is told of the caller, as JSON.
        #[serde(skip_serializing_if = "Option::is_none")]
        attributes: Option<String>,
    },
    /// The caller stands in the queue no longer.
    QueueLeft {
        /// The queue's id.
        queue_sid: String,
        /// Why, in the carrier's word.
        result: &'static str,
        /// Seconds of the carrier's time that they stood in it.
        seconds: u64,
    },
    /// A party of a call entered a conference.
    ConferenceEntered {
        /// The conference's id.
        conference_sid: String,
        /// Its name.
        conference: String,
        /// The name that the document gives the party.
        #[serde(skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    },
    /// A party of a call left a conference, or the conference ended.
    ConferenceLeft {
        /// The conference's id.
        conference_sid: String,
        /// Its name.
        conference: String,
    },
    /// The caller's own telephone was asked to call somebody else in place of the carrier.
    CallReferred {
        /// Whom.
        to: String,
        /// SIP headers for them.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        sip_headers: Vec<(String, String)>,
        /// What the telephone answered.
        sip_code: u16,
        /// What it reported of the new call, if it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        notified: Option<u16>,
    },
    /// A message of the caller was recorded.
    CallerRecorded {
        /// The recording's id.
        recording_sid: String,
        /// Seconds of the carrier's time.
        seconds: u64,
    },
    /// The call is over.
    CallEnded {
        /// Why.
        reason: EndReason,
    },
    /// The server broke a rule of the carrier.
    Violation {
        /// The rule, and how it was broken.
        sentence: String,
    },
}

/// What a webhook or callback is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The first document of a call.
    Voice,
    /// The document a live call was moved to over REST.
    Rewrite,
    /// The document a `<Redirect>` names.
    Redirect,
    /// What follows a `<Dial>`.
    DialAction,
    /// What follows a `<Connect>`.
    ConnectAction,
    /// What follows a `<Gather>`, a `<GetInput>` or a `<GetDigits>`.
    GatherAction,
    /// What follows a `<Record>`.
    RecordAction,
    /// What follows a `<Conference>`.
    ConferenceAction,
    /// What follows an `<Enqueue>`.
    EnqueueAction,
    /// What follows a `<Refer>`.
    ReferAction,
    /// What the caller hears while they wait in a queue or a conference.
    Wait,
    /// The first document of a call that the REST API created.
    Created,
    /// What the human hears first.
    Whisper,
    /// Progress of a leg to a human.
    LegStatus,
    /// A media stream began, ended or failed.
    StreamStatus,
    /// Where a recording is.
    RecordStatus,
    /// Somebody entered or left a conference.
    ConferenceStatus,
    /// The call is over.
    CallStatus,
}

impl Purpose {
    /// Whether the answer is a document to execute, and not an acknowledgement.
    #[must_use]
    pub fn wants_document(self) -> bool {
        match self {
            Self::Voice
            | Self::Rewrite
            | Self::Redirect
            | Self::DialAction
            | Self::ConnectAction
            | Self::GatherAction
            | Self::RecordAction
            | Self::ConferenceAction
            | Self::EnqueueAction
            | Self::ReferAction
            | Self::Wait
            | Self::Created
            | Self::Whisper => true,
            Self::LegStatus
            | Self::StreamStatus
            | Self::RecordStatus
            | Self::ConferenceStatus
            | Self::CallStatus => false,
        }
    }
}

/// How a media stream stands in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attachment {
    /// A fork beside the call: the carrier sends, the server only listens.
    Start,
    /// The call's other party: both send.
    Connect,
}

/// Who ended a media socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    /// The server closed it or the connection broke.
    Server,
    /// The carrier sent `stop` and closed it.
    Carrier,
    /// The recording says that the socket was lost here.
    Recording,
}

/// How a leg to a human ended, as carriers name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LegStatus {
    /// The human picked up.
    Completed,
    /// Nobody picked up in time.
    NoAnswer,
    /// The line was busy.
    Busy,
    /// The carrier could not call the number.
    Failed,
    /// Ringing was stopped.
    Canceled,
}

impl LegStatus {
    /// The carrier's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::NoAnswer => "no-answer",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// Why a call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The document had no further verb.
    DocumentRanOut,
    /// The document hung up.
    HungUp,
    /// The document refused the call.
    Rejected,
    /// The caller hung up.
    CallerHungUp,
    /// The REST API ended it.
    CompletedByRest,
    /// The call was moved to another document too often.
    LoopDetected,
    /// The carrier could not get or read a document; Twilio apologises to the caller, Plivo does not.
    ApplicationError,
}
