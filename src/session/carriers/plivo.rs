//! Plivo: the configuration and the carrier's codec put together.

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
use crate::carrier::plivo::rest::{self, Account, AccountKind};
use crate::carrier::plivo::wire::{self, Track, WireError};
use crate::carrier::plivo::xml::{self, Mode, VoiceAnswer};

/// An account at Plivo.
#[derive(Debug)]
pub struct PlivoAccount {
    /// How requests are authenticated.
    pub rest: Account,
    /// How long one request may take.
    pub timeout: Duration,
    /// How we stand in its calls.
    pub mode: Mode,
    /// What its callers hear and who is rung.
    pub script: Script,
}

impl PlivoAccount {
    pub(super) fn answer(
        &self,
        arrival: &Arrival,
        token: &Secret,
    ) -> Result<Document, ArgumentError> {
        let token = StreamToken::new(token.clone())?;
        let media = format!("/plivo/media/{}", token.expose());
        Ok(xml::voice_answer(&VoiceAnswer {
            mode: self.mode.clone(),
            media_url: StreamUrl::below(&self.script.public_url, &media),
            token,
            stream_status_url: Some(self.script.url("/plivo/stream-status")),
            tail: self.script.tail(arrival),
        }))
    }

    pub(super) fn bypass(&self, arrival: &Arrival) -> Document {
        xml::bypass(&self.mode, &self.script.tail(arrival))
    }

    pub(super) fn handoff(&self, arrival: &Arrival, handoff: &HandoffId, attempt: u32) -> Document {
        let handoff = self.script.handoff("plivo", arrival, handoff, attempt);
        xml::handoff_document(&handoff)
    }

    pub(super) fn dead_man(&self, arrival: &Arrival) -> Document {
        xml::dead_man(&self.script.tail(arrival))
    }

    pub(super) fn after_dial(&self, end: DialEnd) -> Document {
        match end {
            DialEnd::Bridged => xml::after_dial_bridged(),
            DialEnd::AnsweredNotBridged
            | DialEnd::NoAnswer
            | DialEnd::Busy
            | DialEnd::Failed
            | DialEnd::Canceled => xml::after_dial_nobody(&self.script.nobody, &self.script.voice),
        }
    }

    /// Plivo takes no document in a request: it fetches the one of this URL, signed.
    pub(super) fn rewrite(
        &self,
        arrival: &Arrival,
        handoff: &HandoffId,
        attempt: u32,
    ) -> Request<Bytes> {
        let url = (self.script).url(&format!("/plivo/handoff/{handoff}/{attempt}"));
        rest::transfer_call(&self.rest, &arrival.carrier_call, &url)
    }

    pub(super) fn rescue(&self, arrival: &Arrival) -> Request<Bytes> {
        let url = self.script.url("/plivo/dead-man");
        rest::transfer_call(&self.rest, &arrival.carrier_call, &url)
    }

    /// The name that a `start` gives of the account of a sub-account's call is UNCONFIRMED, so any is
    /// taken for one.
    pub(super) fn is_ours(&self, account: &str) -> bool {
        let auth_id = self.rest.auth_id();
        auth_id.as_str() == account || auth_id.kind() == AccountKind::Sub
    }

    pub(super) fn read(text: &str) -> Result<Said<'_>, WireError> {
        Ok(match wire::parse(text)? {
            wire::Message::Media(media) => Said::Audio {
                speaker: match media.track {
                    Track::Inbound => Speaker::Caller,
                    Track::Outbound => Speaker::VoiceAgent,
                },
                at: AudioTime::Epoch(media.timestamp.0),
                payload: media.payload,
            },
            wire::Message::Dtmf(dtmf) => Said::Key(*dtmf.digit.expose()),
            wire::Message::Stop => Said::Stopped,
            wire::Message::Start(mut start) => Said::Introduced(Introduction {
                account: start.account_id,
                call: start.call,
                stream: start.stream,
                token: start.parameters.remove(StreamToken::PARAMETER),
            }),
            wire::Message::Played(_)
            | wire::Message::Cleared
            | wire::Message::PlayFailed
            | wire::Message::Failed
            | wire::Message::Unknown => Said::Nothing,
        })
    }
}
