//! Which document a call gets: the configuration and the carrier's codec put together.

use bytes::Bytes;
use handoff_core::call::{Arrival, DialEnd};
use handoff_core::id::HandoffId;
use handoff_core::pii::Secret;
use http::Request;

use crate::carrier::number::{CallerIdPolicy, E164, NotE164, caller_id};
use crate::carrier::twilio::argument::{
    ArgumentError, RingSeconds, Spoken, StreamToken, StreamUrl, Voice, WebUrl,
};
use crate::carrier::twilio::rest::{self, Account};
use crate::carrier::twilio::twiml::{
    self, DeadManTail, Document, Handoff, Mode, Then, VoiceAnswer,
};
use crate::carrier::twilio::xml::{InlineVerbs, InlineVerbsError};
use crate::config;

/// Everything in a document that does not depend on the call.
#[derive(Debug)]
pub struct Documents {
    public_url: String,
    voice_url: WebUrl,
    mode: Mode,
    target: E164,
    ring: RingSeconds,
    caller_id: CallerIdPolicy,
    say: Spoken,
    nobody: Spoken,
    apology: Spoken,
    voice: Voice,
}

/// Why no documents can be made of a configuration.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// The target's number.
    #[error("the target's number cannot be dialled")]
    Target(#[from] NotE164),
    /// A URL or the ring time.
    #[error("the documents cannot be built")]
    Argument(#[from] ArgumentError),
    /// `voice_agent.document`.
    #[error("voice_agent.document is no usable TwiML")]
    Verbs(#[from] InlineVerbsError),
}

impl Documents {
    /// Checks what the documents are made of.
    ///
    /// # Errors
    /// What of the configuration the carrier would not take.
    pub fn new(
        server: &config::Server,
        voice_agent: &config::VoiceAgent,
        handoff: &config::Handoff,
        target: &config::Target,
    ) -> Result<Self, DocumentsError> {
        let mode = match voice_agent {
            config::VoiceAgent::ListenThenRedirect { webhook_url } => Mode::Listen {
                then: Then::Redirect(WebUrl::new(webhook_url)?),
            },
            config::VoiceAgent::ListenThenDocument { document } => Mode::Listen {
                then: Then::Document(InlineVerbs::new(document)?),
            },
            config::VoiceAgent::Converse => Mode::Converse,
        };
        let ring = u16::try_from(target.ring.as_secs()).unwrap_or(u16::MAX);
        let documents = Self {
            public_url: server.public_url.clone(),
            voice_url: WebUrl::new(&format!("{}/twilio/voice", server.public_url))?,
            mode,
            target: E164::parse(target.number.expose())?,
            ring: RingSeconds::new(ring)?,
            caller_id: match handoff.caller_id {
                config::CallerIdPolicy::Called => CallerIdPolicy::BusinessNumber,
                config::CallerIdPolicy::Caller => CallerIdPolicy::Caller,
            },
            say: Spoken::new(&handoff.say),
            nobody: Spoken::new(&handoff.nobody),
            apology: Spoken::new(&handoff.apology),
            voice: Voice::default(),
        };
        // The public URL is in every document: one that cannot be used shows here, at the start.
        documents.media_url("probe")?;
        Ok(documents)
    }

    /// Answers the voice webhook.
    ///
    /// # Errors
    /// The token does not fit a URL, which would be a mistake in [`Tokens`](super::Tokens).
    pub fn answer(&self, arrival: &Arrival, token: &Secret) -> Result<Document, ArgumentError> {
        Ok(twiml::voice_answer(&VoiceAnswer {
            mode: self.mode.clone(),
            media_url: self.media_url(token.expose())?,
            token: StreamToken::new(token.clone())?,
            stream_name: matches!(self.mode, Mode::Listen { .. }).then(|| "handoff".to_owned()),
            stream_status_url: Some(WebUrl::new(&self.url("/twilio/stream-status"))?),
            tail: self.tail(arrival),
        }))
    }

    /// Lets a call go on to its voice agent without us, because we cannot take it.
    pub fn bypass(&self, arrival: &Arrival) -> Document {
        twiml::bypass(&self.mode, &self.tail(arrival))
    }

    /// Moves the call to the human. The callbacks name handoff and attempt, so that news of a dial
    /// that a later attempt interrupted can be told from news of that attempt.
    ///
    /// # Errors
    /// A URL cannot be built, which [`Documents::new`] has excluded.
    pub fn handoff(
        &self,
        arrival: &Arrival,
        handoff: &HandoffId,
        attempt: u32,
    ) -> Result<Document, ArgumentError> {
        let about = |what: &str| self.url(&format!("/twilio/{what}/{handoff}/{attempt}"));
        Ok(twiml::handoff_document(&Handoff {
            announcement: self.say.clone(),
            voice: self.voice.clone(),
            target: self.target.clone(),
            caller_id: caller_id(self.caller_id, &arrival.caller, &arrival.called),
            ring: self.ring,
            after_dial_url: WebUrl::new(&about("after-dial"))?,
            leg_status_url: WebUrl::new(&about("leg"))?,
        }))
    }

    /// Asks the carrier to move the call to the human.
    ///
    /// # Errors
    /// A URL cannot be built, which [`Documents::new`] has excluded.
    pub fn rewrite(
        &self,
        account: &Account,
        arrival: &Arrival,
        handoff: &HandoffId,
        attempt: u32,
    ) -> Result<Request<Bytes>, ArgumentError> {
        let document = self.handoff(arrival, handoff, attempt)?;
        // Where the carrier fetches a document that is too long to be sent along.
        let url = WebUrl::new(&self.url(&format!("/twilio/handoff/{handoff}/{attempt}")))?;
        Ok(rest::rewrite_call(
            account,
            &arrival.carrier_call,
            document.as_str(),
            &url,
        ))
    }

    /// Asks the carrier to ring the default target without any URL of ours, for a call whose task
    /// died.
    pub fn rescue(&self, account: &Account, arrival: &Arrival) -> Request<Bytes> {
        let document = self.dead_man(arrival);
        rest::rewrite_call(
            account,
            &arrival.carrier_call,
            document.as_str(),
            &self.voice_url,
        )
    }

    /// Rings the default target without any URL of ours.
    pub fn dead_man(&self, arrival: &Arrival) -> Document {
        twiml::dead_man(&self.tail(arrival))
    }

    /// What the caller hears after the human's leg.
    pub fn after_dial(&self, end: DialEnd) -> Document {
        match end {
            DialEnd::Bridged => twiml::after_dial_bridged(),
            DialEnd::AnsweredNotBridged
            | DialEnd::NoAnswer
            | DialEnd::Busy
            | DialEnd::Failed
            | DialEnd::Canceled => {
                twiml::after_dial_nobody(&self.nobody, &self.voice, &twiml::AfterDial::Hangup)
            }
        }
    }

    fn tail(&self, arrival: &Arrival) -> DeadManTail {
        DeadManTail {
            target: self.target.clone(),
            caller_id: caller_id(self.caller_id, &arrival.caller, &arrival.called),
            ring: self.ring,
            apology: self.apology.clone(),
            voice: self.voice.clone(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    fn media_url(&self, token: &str) -> Result<StreamUrl, ArgumentError> {
        // "http" becomes "ws" and "https" becomes "wss".
        let socket = self.public_url.replacen("http", "ws", 1);
        StreamUrl::new(&format!("{socket}/twilio/media/{token}"))
    }
}
