//! Plivo: the configuration and the carrier's codec put together.

use std::time::Duration;

use bytes::Bytes;
use handoff_core::call::Arrival;
use handoff_core::id::Carrier;
use handoff_core::pii::Secret;
use handoff_core::speech::Speaker;
use http::Request;

use super::account::{AudioTime, Introduction, Said};
use super::script::{HOLD, Script};
use super::step::Step;
use crate::carrier::argument::{ArgumentError, Spoken, StreamToken, StreamUrl, WebUrl};
use crate::carrier::document::{DeadManTail, Document, RoomName};
use crate::carrier::plivo::rest::{self, Account, AccountKind};
use crate::carrier::plivo::wire::{self, Track, WireError};
use crate::carrier::plivo::xml::{self, Hold, Mode, Room, RoomKind, VoiceAnswer, Whisper};
use crate::carrier::target::Reach;
use crate::carrier::twilio::webhook::QueueWait;
use crate::session::briefing::Briefing;

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
            tail: self.tail(arrival),
        }))
    }

    pub(super) fn bypass(&self, arrival: &Arrival) -> Document {
        xml::bypass(&self.mode, &self.tail(arrival))
    }

    pub(super) fn handoff(&self, arrival: &Arrival, step: &Step, briefing: &Briefing) -> Document {
        let script = &self.script;
        match script.handoff(Carrier::Plivo, arrival, step, briefing) {
            Some(handoff) => xml::handoff_document(&handoff),
            None => {
                let last = script.last_resort(Carrier::Plivo, step);
                xml::last_resort(&last, &script.voice)
            }
        }
    }

    pub(super) fn dead_man(&self, arrival: &Arrival) -> Document {
        xml::dead_man(&self.tail(arrival))
    }

    pub(super) fn apology(&self) -> Document {
        xml::after_dial_nobody(self.script.nobody(), &self.script.voice)
    }

    pub(super) fn goodbye(&self) -> Document {
        xml::after_dial_bridged()
    }

    /// Plivo has no document without effect; this one is of a call that goes elsewhere.
    pub(super) fn nothing(&self) -> Document {
        xml::after_dial_bridged()
    }

    pub(super) fn wait(&self, _: &Step, _: &QueueWait) -> Document {
        let hold = match self.script.hold_music() {
            Some(url) => Hold::Music(url.clone()),
            None => Hold::Words(Spoken::new(HOLD)),
        };
        xml::wait(&hold, &self.script.voice)
    }

    pub(super) fn whisper(&self, step: &Step, briefing: &Briefing) -> Document {
        let text = self.script.whisper(&briefing.brief);
        xml::whisper(&self.whispered(step, &text))
    }

    pub(super) fn brief_human(&self, step: &Step, briefing: &Briefing) -> Document {
        let text = self.script.whisper(&briefing.brief);
        let url = |what: &str| self.script.url(&step.path(Carrier::Plivo, what));
        let (keyed_url, leg_url) = (url("accept"), url("leg"));
        let whisper = self.whispered(step, &text);
        xml::room_whisper(
            &whisper,
            &keyed_url,
            &self.room(step, &step.room(), &leg_url),
        )
    }

    pub(super) fn accepted(&self, step: &Step) -> Document {
        let leg_url = self.script.url(&step.path(Carrier::Plivo, "leg"));
        xml::room_accepted(&self.room(step, &step.room(), &leg_url))
    }

    pub(super) fn not_accepted(&self) -> Document {
        xml::not_accepted()
    }

    /// Plivo takes no document in a request: it fetches the one of this URL, signed.
    pub(super) fn rewrite(&self, arrival: &Arrival, step: &Step, _: &Briefing) -> Request<Bytes> {
        let url = self.script.url(&step.path(Carrier::Plivo, "handoff"));
        rest::transfer_call(&self.rest, &arrival.carrier_call, &url)
    }

    pub(super) fn call_human(&self, arrival: &Arrival, step: &Step) -> Option<Request<Bytes>> {
        let human = self.script.human_to_call(Carrier::Plivo, arrival, step)?;
        let call = rest::NewCall {
            to: human.number,
            from: &human.caller_id,
            ring: human.ring,
            document_url: &human.document_url,
            status_url: &human.status_url,
        };
        Some(rest::create_call(&self.rest, &call))
    }

    pub(super) fn rescue(&self, arrival: &Arrival) -> Request<Bytes> {
        let url = self.script.url("/plivo/dead-man");
        rest::transfer_call(&self.rest, &arrival.carrier_call, &url)
    }

    fn room<'a>(&self, step: &Step, name: &'a RoomName, leg_url: &'a WebUrl) -> Room<'a> {
        let kind = match self.script.reach(step) {
            Some(Reach::MultiPartyCall { .. }) => RoomKind::MultiPartyCall,
            Some(_) | None => RoomKind::Conference,
        };
        Room {
            name,
            kind,
            leg_url,
        }
    }

    fn whispered<'a>(&'a self, step: &Step, text: &'a Spoken) -> Whisper<'a> {
        Whisper {
            text,
            prompt: self.script.press(),
            voice: &self.script.voice,
            acceptance: self.script.acceptance(step),
        }
    }

    fn tail(&self, arrival: &Arrival) -> DeadManTail {
        self.script.tail(Carrier::Plivo, arrival)
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
