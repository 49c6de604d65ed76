//! How the stand-in Plivo is set up.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::carrier::caller::AfterRecording;
use crate::carrier::fault::RestFault;
use crate::carrier::human::Human;
use crate::carrier::speed::Speed;

/// How the stand-in Plivo is set up.
#[derive(Debug, Clone)]
pub struct CarrierOptions {
    /// `MA…`. Webhooks, streams and the REST path carry this one.
    pub auth_id: String,
    /// The main account's token: signs webhooks and opens the REST API.
    pub auth_token: String,
    /// The token of the sub-account that owns the number. It signs V3 in place of the main account's,
    /// which signs Ma-V3 always.
    pub sub_account_token: Option<String>,
    /// A token that is being replaced: its signature comes first in each header, and after a comma the
    /// valid one.
    pub outgoing_token: Option<String>,
    /// The URL at which the server believes it is reached, such as `https://handoff.example.com`.
    pub public_url: String,
    /// Where the server really listens.
    pub connect: SocketAddr,
    /// Path of the answer webhook.
    pub voice_path: String,
    /// Asks the answer webhook twice, as a carrier does when it doubts that the first request arrived.
    /// Different answers are a violation; the second is executed.
    pub voice_webhook_twice: bool,
    /// Path of the answer webhook's fallback, asked when the webhook cannot be had.
    pub fallback_path: Option<String>,
    /// How often a document is asked for again when nobody answers. UNCONFIRMED: three by one page, one
    /// by another.
    pub webhook_retries: u32,
    /// Path of the number's hangup webhook, asked once when a call is over.
    pub call_status_path: Option<String>,
    /// Where the REST API and the bot webhook listen.
    pub listen: SocketAddr,
    /// How fast recordings are played and the carrier's time passes.
    pub speed: Speed,
    /// What the human does; by default what the recording says, for a call over REST that of the call
    /// placed last.
    pub human: Option<Human>,
    /// What the humans at these addresses do, whatever `human` says. The key is a number without `+`,
    /// or the SIP URI of a `<User>`.
    pub humans: BTreeMap<String, Human>,
    /// What the bot webhook answers.
    pub bot_document: String,
    /// What the caller does when the recording is at its end.
    pub after_recording: AfterRecording,
    /// Faults of transfers and hangups over REST, in order.
    pub rest_faults: Vec<RestFault>,
    /// Faults of calls and participants that are made over REST, in order.
    pub create_faults: Vec<RestFault>,
    /// How long each REST request takes, in wall time.
    pub rest_delay: Duration,
    /// How long from a `<Dial>` until the phone rings, in wall time.
    pub ring_delay: Duration,
    /// How long a webhook may take; Plivo advises to answer within 15 s.
    pub webhook_deadline: Duration,
    /// When the document of a transfer is fetched while a stream keeps the call alive.
    pub transfer_fetch: TransferFetch,
    /// How `extra_headers` is written in the stream's messages.
    pub extra_headers: ExtraHeadersForm,
    /// How stream status callbacks name their events.
    pub stream_event_names: StreamEventNames,
    /// The key that the caller presses in every `<GetInput>` and `<GetDigits>`, and to end a `<Record>`.
    pub caller_presses: Option<char>,
    /// How long the caller speaks into a `<Record>`.
    pub caller_speaks_for: Duration,
    /// What `DialStatus` says of a human who picked up and was not joined to the caller.
    pub unconfirmed_dial_status: UnconfirmedDialStatus,
    /// How the callbacks of a `<Dial>` name their events.
    pub leg_event_names: LegEventNames,
    /// Posts every callback and every action twice. Different documents for one action are a violation;
    /// the second is executed.
    pub duplicate_callbacks: bool,
    /// Posts the callbacks of a leg out of order: each second one comes before the first.
    pub shuffle_leg_callbacks: bool,
    /// Whether a `stop` message is sent before the carrier closes the socket. UNCONFIRMED: the protocol
    /// page has none, the Java library knows one.
    pub sends_stop: bool,
    /// Whether `clearAudio` is answered with a `playedStream` for each checkpoint that waited.
    /// UNCONFIRMED; Twilio does so.
    pub clear_echoes_checkpoints: bool,
}

/// When the document of a transfer is fetched while a stream with `keepCallAlive` runs. It is executed
/// when the stream ends in either case. UNCONFIRMED which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferFetch {
    /// After the answer to the request.
    AtOnce,
    /// When the server has closed the socket.
    WhenStreamEnds,
}

/// The forms in which `extra_headers` was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtraHeadersForm {
    /// `k=v;k2=v2`.
    Semicolons,
    /// `k=v,k2=v2`.
    Commas,
    /// `{"k":"v","k2":"v2"}`, in a string.
    Json,
}

/// The names that Plivo's pages have for the events of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEventNames {
    /// `StartStream`, `StopStream`, `DroppedStream`.
    Reference,
    /// `started`, `stopped`, `failed`.
    Guide,
}

/// What `DialStatus` says of a human who picked up and did not confirm. UNCONFIRMED: Plivo's list has
/// no word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnconfirmedDialStatus {
    /// `completed`, as of a call that took place.
    Completed,
    /// `no-answer`.
    NoAnswer,
}

/// The names of the events of a `<Dial>`'s legs. UNCONFIRMED which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegEventNames {
    /// `DialAction` with `answer`, `connected`, `digits` or `hangup`.
    DialAction,
    /// `Event` with `DialAnswer`, `DialConnected`, `DialDigits` or `DialHangup`.
    Event,
}

impl CarrierOptions {
    /// Options for a server at `connect` that believes to be reached at `public_url`, with the rest as
    /// most tests want it: real time, the recording's human, no faults, no delays.
    #[must_use]
    pub fn new(
        auth_id: impl Into<String>,
        auth_token: impl Into<String>,
        public_url: impl Into<String>,
        connect: SocketAddr,
    ) -> Self {
        Self {
            auth_id: auth_id.into(),
            auth_token: auth_token.into(),
            sub_account_token: None,
            outgoing_token: None,
            public_url: public_url.into(),
            connect,
            voice_path: "/plivo/answer".into(),
            voice_webhook_twice: false,
            fallback_path: None,
            webhook_retries: 3,
            call_status_path: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            speed: Speed::Times(1.0),
            human: None,
            humans: BTreeMap::new(),
            bot_document: r#"<Response><Wait length="3600"/></Response>"#.into(),
            after_recording: AfterRecording::WaitForHandoff {
                grace: Duration::from_secs(2),
            },
            rest_faults: Vec::new(),
            create_faults: Vec::new(),
            rest_delay: Duration::ZERO,
            ring_delay: Duration::ZERO,
            webhook_deadline: Duration::from_secs(15),
            transfer_fetch: TransferFetch::AtOnce,
            extra_headers: ExtraHeadersForm::Semicolons,
            stream_event_names: StreamEventNames::Reference,
            caller_presses: None,
            caller_speaks_for: Duration::from_secs(3),
            unconfirmed_dial_status: UnconfirmedDialStatus::Completed,
            leg_event_names: LegEventNames::DialAction,
            duplicate_callbacks: false,
            shuffle_leg_callbacks: false,
            sends_stop: false,
            clear_echoes_checkpoints: false,
        }
    }
}
