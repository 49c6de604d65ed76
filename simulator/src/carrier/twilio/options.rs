//! How a stand-in Twilio is set up.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::carrier::caller::AfterRecording;
use crate::carrier::fault::RestFault;
use crate::carrier::human::Human;
use crate::carrier::speed::Speed;
use crate::recording::StandIn;

/// How the stand-in Twilio is set up.
#[derive(Debug, Clone)]
pub struct CarrierOptions {
    /// `AC…`. Webhooks, streams and the REST path carry this one, whatever the recording says.
    pub account_sid: String,
    /// The account's primary token: signs webhooks and opens the REST API.
    pub auth_token: String,
    /// `SK…` and its secret, which open the REST API too.
    pub api_key: Option<(String, String)>,
    /// The URL at which the server believes it is reached, such as `https://handoff.example.com`.
    pub public_url: String,
    /// Where the server really listens.
    pub connect: SocketAddr,
    /// Path of the voice webhook.
    pub voice_path: String,
    /// Asks the voice webhook twice, as Twilio does when it doubts that the first request arrived.
    /// Different answers are a violation; the second is executed.
    pub voice_webhook_twice: bool,
    /// Path of the number's status callback, asked once when a call is over.
    pub call_status_path: Option<String>,
    /// Where the REST API and the bot webhook listen.
    pub listen: SocketAddr,
    /// How fast recordings are played and the carrier's time passes.
    pub speed: Speed,
    /// What the human does; by default what the recording says.
    pub human: Option<Human>,
    /// What the humans at these addresses do, in place of `human`: a number, a SIP URI without headers,
    /// `client:identity`, or `queue:name` and `workflow:WW…` for whoever takes callers from there, after
    /// as long as their phone would ring.
    pub humans: BTreeMap<String, Human>,
    /// Who calls, in place of the recording's number; a `sip:` URI for a call from a SIP telephone.
    pub caller: Option<String>,
    /// The key that the caller presses in every `<Gather>`, and to end a `<Record>`.
    pub caller_presses: Option<char>,
    /// How long the caller speaks into a `<Record>`.
    pub caller_speaks_for: Duration,
    /// What the caller's SIP telephone answers to a REFER.
    pub refer_response: u16,
    /// Whether every queue is full.
    pub queue_full: bool,
    /// Numbers of the account besides the one that was called: allowed as caller id.
    pub owned_numbers: Vec<String>,
    /// What the bot webhook answers.
    pub bot_document: String,
    /// What the number's fallback URL answers, which is somebody else's (a TwiML Bin, say): taken once
    /// in a call, when a document cannot be had. Without one such a call ends with an error.
    pub fallback_document: Option<String>,
    /// What the caller does when the recording is at its end.
    pub after_recording: AfterRecording,
    /// Faults of live-call updates, in order.
    pub rest_faults: Vec<RestFault>,
    /// Faults of call creations, in order.
    pub create_faults: Vec<RestFault>,
    /// Posts every status callback and asks for every action twice. Different answers of an action are
    /// a violation; the second is executed.
    pub duplicate_callbacks: bool,
    /// Posts the ringing of a leg after what comes next.
    pub shuffle_leg_callbacks: bool,
    /// How long each REST request takes, in wall time.
    pub rest_delay: Duration,
    /// How long from a `<Dial>` until the phone rings, in wall time.
    pub ring_delay: Duration,
    /// How long a webhook may take; Twilio allows 15 s.
    pub webhook_deadline: Duration,
}

impl CarrierOptions {
    /// Options for a server at `connect` that believes to be reached at `public_url`, with the rest as
    /// most tests want it: real time, the recording's human, no faults, no delays.
    #[must_use]
    pub fn new(
        account_sid: impl Into<String>,
        auth_token: impl Into<String>,
        public_url: impl Into<String>,
        connect: SocketAddr,
    ) -> Self {
        Self {
            account_sid: account_sid.into(),
            auth_token: auth_token.into(),
            api_key: None,
            public_url: public_url.into(),
            connect,
            voice_path: "/twilio/voice".into(),
            voice_webhook_twice: false,
            call_status_path: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            speed: Speed::Times(1.0),
            human: None,
            humans: BTreeMap::new(),
            caller: None,
            caller_presses: None,
            caller_speaks_for: Duration::from_secs(3),
            refer_response: 202,
            queue_full: false,
            owned_numbers: Vec::new(),
            bot_document: r#"<Response><Pause length="3600"/></Response>"#.into(),
            fallback_document: None,
            after_recording: AfterRecording::WaitForHandoff {
                grace: Duration::from_secs(2),
            },
            rest_faults: Vec::new(),
            create_faults: Vec::new(),
            duplicate_callbacks: false,
            shuffle_leg_callbacks: false,
            rest_delay: Duration::ZERO,
            ring_delay: Duration::ZERO,
            webhook_deadline: Duration::from_secs(15),
        }
    }
}

impl CarrierOptions {
    /// What the human at this address does.
    pub(super) fn human_at(&self, address: &str, recorded: StandIn) -> Human {
        let anybody = || self.human.unwrap_or_else(|| recorded.into());
        self.humans.get(address).copied().unwrap_or_else(anybody)
    }
}
