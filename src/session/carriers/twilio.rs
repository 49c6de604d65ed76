//! Twilio: the configuration and the carrier's codec put together.

use std::time::Duration;

use bytes::Bytes;
use handoff_core::call::{Arrival, DialEnd, Inspection, RewriteOutcome};
use handoff_core::id::{CarrierCallId, HandoffId};
use handoff_core::pii::Secret;
use handoff_core::speech::Speaker;
use http::{Request, Response};

use super::account::{Introduction, Judged, Said};

use crate::base_url::BaseUrl;
use crate::carrier::number::{CallerIdPolicy, E164, caller_id};
use crate::carrier::twilio::argument::{
    ArgumentError, RingSeconds, Spoken, StreamToken, StreamUrl, Voice, WebUrl,
};
use crate::carrier::twilio::call_state::CallState;
use crate::carrier::twilio::rest::{self, Account, RewriteError};
use crate::carrier::twilio::twiml::{self, DeadManTail, Document, Handoff, Mode, VoiceAnswer};
use crate::carrier::twilio::wire::{self, Track, WireError};
use crate::config;
use crate::egress::SendFailure;

/// An account at Twilio.
#[derive(Debug)]
pub struct TwilioAccount {
    /// How requests are authenticated.
    pub rest: Account,
    /// How long one request may take.
    pub timeout: Duration,
    /// What calls are told to do.
    pub documents: Documents,
}

impl TwilioAccount {
    pub(super) fn rewrite(
        &self,
        arrival: &Arrival,
        handoff: &HandoffId,
        attempt: u32,
    ) -> Request<Bytes> {
        let document = self.documents.handoff(arrival, handoff, attempt);
        // Where the carrier fetches a document that is too long to be sent along.
        let url = (self.documents).url(&format!("/twilio/handoff/{handoff}/{attempt}"));
        rest::rewrite_call(&self.rest, &arrival.carrier_call, document.as_str(), &url)
    }

    pub(super) fn rescue(&self, arrival: &Arrival) -> Request<Bytes> {
        let document = self.documents.dead_man(arrival);
        let url = self.documents.url("/twilio/voice");
        rest::rewrite_call(&self.rest, &arrival.carrier_call, document.as_str(), &url)
    }

    pub(super) fn judge(answer: Result<Response<Bytes>, SendFailure>) -> Judged {
        let failure = match answer {
            Ok(response) => {
                let (head, body) = response.into_parts();
                rest::interpret_rewrite(head.status, &head.headers, &body).err()
            }
            Err(SendFailure::NotSent) => Some(RewriteError::NotSent),
            Err(SendFailure::Unknown) => Some(RewriteError::Unanswered),
        };
        match failure {
            None => Judged {
                outcome: RewriteOutcome::Accepted,
                failure: None,
            },
            Some(failure) => Judged {
                failure: Some((failure.to_string(), failure.verdict())),
                outcome: RewriteOutcome::from(failure),
            },
        }
    }

    pub(super) fn inspect(&self, call: &CarrierCallId) -> Request<Bytes> {
        rest::fetch_call(&self.rest, call)
    }

    pub(super) fn inspected(answer: &Response<Bytes>) -> Inspection {
        match rest::interpret_call(answer.status(), answer.body()) {
            CallState::Queued | CallState::Ringing | CallState::InProgress => {
                Inspection::InProgress
            }
            CallState::Ended(_) => Inspection::Over,
            CallState::Initiated | CallState::Unknown => Inspection::Unclear,
        }
    }

    pub(super) fn read(text: &str) -> Result<Said<'_>, WireError> {
        Ok(match wire::parse(text)? {
            wire::Message::Media(media) => Said::Audio {
                speaker: match media.track {
                    Track::Inbound => Speaker::Caller,
                    Track::Outbound => Speaker::VoiceAgent,
                },
                timestamp_ms: media.timestamp_ms,
                payload: media.payload,
            },
            wire::Message::Dtmf(dtmf) => Said::Key(*dtmf.digit.expose()),
            wire::Message::Stop => Said::Stopped,
            wire::Message::Start(mut start) => Said::Introduced(Introduction {
                account: start.account_sid,
                call: start.call,
                stream: start.stream,
                token: start.parameters.remove(StreamToken::PARAMETER),
            }),
            wire::Message::Connected | wire::Message::Mark | wire::Message::Unknown => {
                Said::Nothing
            }
        })
    }
}

/// Everything in a document that does not depend on the call.
#[derive(Debug)]
pub struct Documents {
    public_url: BaseUrl,
    mode: Mode,
    target: E164,
    ring: RingSeconds,
    caller_id: CallerIdPolicy,
    say: Spoken,
    nobody: Spoken,
    apology: Spoken,
    voice: Voice,
}

impl Documents {
    /// Takes what the documents are made of.
    pub fn new(
        public_url: &BaseUrl,
        mode: &Mode,
        handoff: &config::Handoff,
        target: &config::Target,
    ) -> Self {
        Self {
            public_url: public_url.clone(),
            mode: mode.clone(),
            target: target.number.clone(),
            ring: target.ring,
            caller_id: handoff.caller_id,
            say: handoff.say.clone(),
            nobody: handoff.nobody.clone(),
            apology: handoff.apology.clone(),
            voice: Voice::default(),
        }
    }

    /// Answers the voice webhook.
    ///
    /// # Errors
    /// The token does not fit a URL, which would be a mistake in [`Tokens`](super::Tokens).
    pub fn answer(&self, arrival: &Arrival, token: &Secret) -> Result<Document, ArgumentError> {
        let token = StreamToken::new(token.clone())?;
        let media = format!("/twilio/media/{}", token.expose());
        Ok(twiml::voice_answer(&VoiceAnswer {
            mode: self.mode.clone(),
            media_url: StreamUrl::below(&self.public_url, &media),
            token,
            stream_name: matches!(self.mode, Mode::Listen { .. }).then(|| "handoff".to_owned()),
            stream_status_url: Some(self.url("/twilio/stream-status")),
            tail: self.tail(arrival),
        }))
    }

    /// Lets a call go on to its voice agent without us, because we cannot take it.
    pub fn bypass(&self, arrival: &Arrival) -> Document {
        twiml::bypass(&self.mode, &self.tail(arrival))
    }

    /// Moves the call to the human. The callbacks name handoff and attempt, so that news of a dial
    /// that a later attempt interrupted can be told from news of that attempt.
    pub fn handoff(&self, arrival: &Arrival, handoff: &HandoffId, attempt: u32) -> Document {
        let about = |what: &str| self.url(&format!("/twilio/{what}/{handoff}/{attempt}"));
        twiml::handoff_document(&Handoff {
            announcement: self.say.clone(),
            voice: self.voice.clone(),
            target: self.target.clone(),
            caller_id: caller_id(self.caller_id, &arrival.caller, &arrival.called),
            ring: self.ring,
            after_dial_url: about("after-dial"),
            leg_status_url: about("leg"),
        })
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
            | DialEnd::Canceled => twiml::after_dial_nobody(&self.nobody, &self.voice),
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

    fn url(&self, path: &str) -> WebUrl {
        WebUrl::below(&self.public_url, path)
    }
}
