//! Twilio: the configuration and the carrier's codec put together.

use std::time::Duration;

use bytes::Bytes;
use handoff_core::call::{Arrival, DialEnd};
use handoff_core::id::HandoffId;
use handoff_core::pii::Secret;
use handoff_core::speech::Speaker;
use http::Request;

use super::account::{AudioTime, Introduction, Said};
use super::script::Script;
use crate::carrier::argument::{ArgumentError, StreamToken, StreamUrl};
use crate::carrier::document::Document;
use crate::carrier::twilio::rest::{self, Account};
use crate::carrier::twilio::twiml::{self, Mode, VoiceAnswer};
use crate::carrier::twilio::wire::{self, Track, WireError};

/// An account at Twilio.
#[derive(Debug)]
pub struct TwilioAccount {
    /// How requests are authenticated.
    pub rest: Account,
    /// How long one request may take.
    pub timeout: Duration,
    /// How we stand in its calls.
    pub mode: Mode,
    /// What its callers hear and who is rung.
    pub script: Script,
}

impl TwilioAccount {
    pub(super) fn answer(
        &self,
        arrival: &Arrival,
        token: &Secret,
    ) -> Result<Document, ArgumentError> {
        let token = StreamToken::new(token.clone())?;
        let media = format!("/twilio/media/{}", token.expose());
        Ok(twiml::voice_answer(&VoiceAnswer {
            mode: self.mode.clone(),
            media_url: StreamUrl::below(&self.script.public_url, &media),
            token,
            stream_name: matches!(self.mode, Mode::Listen { .. }).then(|| "handoff".to_owned()),
            stream_status_url: Some(self.script.url("/twilio/stream-status")),
            tail: self.script.tail(arrival),
        }))
    }

    pub(super) fn bypass(&self, arrival: &Arrival) -> Document {
        twiml::bypass(&self.mode, &self.script.tail(arrival))
    }

    pub(super) fn handoff(&self, arrival: &Arrival, handoff: &HandoffId, attempt: u32) -> Document {
        let handoff = self.script.handoff("twilio", arrival, handoff, attempt);
        twiml::handoff_document(&handoff)
    }

    pub(super) fn dead_man(&self, arrival: &Arrival) -> Document {
        twiml::dead_man(&self.script.tail(arrival))
    }

    pub(super) fn after_dial(&self, end: DialEnd) -> Document {
        match end {
            DialEnd::Bridged => twiml::after_dial_bridged(),
            DialEnd::AnsweredNotBridged
            | DialEnd::NoAnswer
            | DialEnd::Busy
            | DialEnd::Failed
            | DialEnd::Canceled => {
                twiml::after_dial_nobody(&self.script.nobody, &self.script.voice)
            }
        }
    }

    pub(super) fn rewrite(
        &self,
        arrival: &Arrival,
        handoff: &HandoffId,
        attempt: u32,
    ) -> Request<Bytes> {
        let document = self.handoff(arrival, handoff, attempt);
        // Where the carrier fetches a document that is too long to be sent along.
        let url = (self.script).url(&format!("/twilio/handoff/{handoff}/{attempt}"));
        rest::rewrite_call(&self.rest, &arrival.carrier_call, document.as_str(), &url)
    }

    pub(super) fn rescue(&self, arrival: &Arrival) -> Request<Bytes> {
        let document = self.dead_man(arrival);
        let url = self.script.url("/twilio/voice");
        rest::rewrite_call(&self.rest, &arrival.carrier_call, document.as_str(), &url)
    }

    pub(super) fn read(text: &str) -> Result<Said<'_>, WireError> {
        Ok(match wire::parse(text)? {
            wire::Message::Media(media) => Said::Audio {
                speaker: match media.track {
                    Track::Inbound => Speaker::Caller,
                    Track::Outbound => Speaker::VoiceAgent,
                },
                at: AudioTime::OfStream(media.timestamp_ms),
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
