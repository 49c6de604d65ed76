//! Twilio: the configuration and the carrier's codec put together.

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
use crate::carrier::document::{DeadManTail, Document};
use crate::carrier::twilio::rest::{self, Account};
use crate::carrier::twilio::twiml::{self, Hold, Mode, QueueHold, Standing, VoiceAnswer, Whisper};
use crate::carrier::twilio::webhook::QueueWait;
use crate::carrier::twilio::wire::{self, Track, WireError};
use crate::session::briefing::Briefing;

/// What callers in a queue hear twice a minute.
const STANDING: &str = "You are number {position} in line.";

/// Nobody says how long a recording lasts, so it is played once and then asked for again.
const MUSIC_LASTS: Duration = Duration::from_secs(30);

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
            tail: self.tail(arrival),
        }))
    }

    pub(super) fn bypass(&self, arrival: &Arrival) -> Document {
        twiml::bypass(&self.mode, &self.tail(arrival))
    }

    pub(super) fn handoff(&self, arrival: &Arrival, step: &Step, briefing: &Briefing) -> Document {
        let script = &self.script;
        match script.handoff(Carrier::Twilio, arrival, step, briefing) {
            Some(handoff) => twiml::handoff_document(&handoff),
            None => {
                let last = script.last_resort(Carrier::Twilio, step);
                twiml::last_resort(&last, &script.voice)
            }
        }
    }

    pub(super) fn dead_man(&self, arrival: &Arrival) -> Document {
        twiml::dead_man(&self.tail(arrival))
    }

    pub(super) fn apology(&self) -> Document {
        twiml::after_dial_nobody(self.script.nobody(), &self.script.voice)
    }

    pub(super) fn goodbye(&self) -> Document {
        twiml::after_dial_bridged()
    }

    pub(super) fn nothing(&self) -> Document {
        twiml::accepted()
    }

    pub(super) fn wait(&self, step: &Step, wait: &QueueWait) -> Document {
        let Some(longest) = self.script.ring(step) else {
            return twiml::leave();
        };
        let music = self.script.hold_music().map(|url| Hold::Music {
            url: url.clone(),
            lasts: MUSIC_LASTS,
        });
        let standing = Standing::parse(STANDING).ok();
        let hold = QueueHold {
            standing: standing.as_ref(),
            hold: &music.unwrap_or_else(|| Hold::Words(Spoken::new(HOLD))),
            voice: &self.script.voice,
            longest,
        };
        twiml::queue_wait(wait, &hold)
    }

    pub(super) fn whisper(&self, step: &Step, briefing: &Briefing) -> Document {
        let (text, keyed_url) = self.spoken(step, briefing);
        twiml::whisper(&self.whispered(step, &text, &keyed_url))
    }

    pub(super) fn brief_human(&self, step: &Step, briefing: &Briefing) -> Document {
        let (text, keyed_url) = self.spoken(step, briefing);
        twiml::conference_whisper(&self.whispered(step, &text, &keyed_url), &step.room())
    }

    pub(super) fn accepted(&self, step: &Step) -> Document {
        match self.script.called_apart(step) {
            true => twiml::conference_accepted(&step.room()),
            false => twiml::accepted(),
        }
    }

    pub(super) fn not_accepted(&self) -> Document {
        twiml::not_accepted()
    }

    pub(super) fn rewrite(
        &self,
        arrival: &Arrival,
        step: &Step,
        briefing: &Briefing,
    ) -> Request<Bytes> {
        let document = self.handoff(arrival, step, briefing);
        // Where the carrier fetches a document that is too long to be sent along.
        let url = self.script.url(&step.path(Carrier::Twilio, "handoff"));
        rest::rewrite_call(&self.rest, &arrival.carrier_call, document.as_str(), &url)
    }

    pub(super) fn call_human(&self, arrival: &Arrival, step: &Step) -> Option<Request<Bytes>> {
        let human = self.script.human_to_call(Carrier::Twilio, arrival, step)?;
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
        let document = self.dead_man(arrival);
        let url = self.script.url("/twilio/voice");
        rest::rewrite_call(&self.rest, &arrival.carrier_call, document.as_str(), &url)
    }

    fn tail(&self, arrival: &Arrival) -> DeadManTail {
        self.script.tail(Carrier::Twilio, arrival)
    }

    fn spoken(&self, step: &Step, briefing: &Briefing) -> (Spoken, WebUrl) {
        let text = self.script.whisper(&briefing.brief);
        (text, self.script.url(&step.path(Carrier::Twilio, "accept")))
    }

    fn whispered<'a>(
        &'a self,
        step: &Step,
        text: &'a Spoken,
        keyed_url: &'a WebUrl,
    ) -> Whisper<'a> {
        Whisper {
            text,
            prompt: self.script.press(),
            voice: &self.script.voice,
            acceptance: self.script.acceptance(step),
            keyed_url,
        }
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
