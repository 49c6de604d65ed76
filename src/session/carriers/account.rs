//! One account at a carrier, whichever it is.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handoff_core::call::{Arrival, DialEnd, Inspection, RewriteOutcome};
use handoff_core::id::{Carrier, CarrierCallId, HandoffId, StreamId};
use handoff_core::pii::{Pii, Secret};
use handoff_core::speech::Speaker;
use http::{Request, Response};

use super::plivo::PlivoAccount;
use super::twilio::TwilioAccount;
use crate::carrier::argument::ArgumentError;
use crate::carrier::call_state::CallState;
use crate::carrier::document::Document;
use crate::carrier::rewrite::RewriteError;
use crate::carrier::{plivo, twilio};
use crate::egress::SendFailure;

/// The accounts of this process, at most one a carrier.
#[derive(Debug, Default)]
pub struct Carriers {
    /// The account at Twilio.
    pub twilio: Option<Arc<TwilioAccount>>,
    /// The account at Plivo.
    pub plivo: Option<Arc<PlivoAccount>>,
}

impl Carriers {
    /// The account of a call, if the configuration still has it.
    pub fn of(&self, carrier: Carrier) -> Option<CarrierAccount> {
        match carrier {
            Carrier::Twilio => self.twilio.clone().map(CarrierAccount::Twilio),
            Carrier::Plivo => self.plivo.clone().map(CarrierAccount::Plivo),
        }
    }
}

/// An account at a carrier: what its calls are told to do, how it is asked, what it says.
#[derive(Clone, Debug)]
pub enum CarrierAccount {
    /// At Twilio.
    Twilio(Arc<TwilioAccount>),
    /// At Plivo.
    Plivo(Arc<PlivoAccount>),
}

/// What a media socket said.
pub(in crate::session) enum Said<'a> {
    /// The stream introduced itself.
    Introduced(Introduction),
    /// Audio of one speaker, in base64, and when it was.
    Audio {
        speaker: Speaker,
        at: AudioTime,
        payload: Pii<Cow<'a, str>>,
    },
    /// The caller pressed a key.
    Key(char),
    /// The stream is over, which says nothing about the call.
    Stopped,
    /// Nothing that matters here.
    Nothing,
}

/// When audio was, in milliseconds.
#[derive(Clone, Copy)]
pub(in crate::session) enum AudioTime {
    /// Since the stream began.
    OfStream(u64),
    /// Since 1970. The first of a stream is its beginning.
    Epoch(u64),
}

/// A message of a media socket that breaks its carrier's protocol.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(in crate::session) enum Unreadable {
    Twilio(#[from] twilio::wire::WireError),
    Plivo(#[from] plivo::wire::WireError),
}

/// What a stream says of itself. To be checked before it is believed.
#[derive(Debug)]
pub(in crate::session) struct Introduction {
    /// The account, where it is named.
    pub(in crate::session) account: Option<String>,
    pub(in crate::session) call: CarrierCallId,
    pub(in crate::session) stream: StreamId,
    /// The token that our document gave it.
    pub(in crate::session) token: Option<Pii<String>>,
}

/// What came of a rewrite, and of its failure what is to be done about it.
pub(in crate::session) struct Judged {
    pub(in crate::session) outcome: RewriteOutcome,
    pub(in crate::session) failure: Option<RewriteError>,
}

/// Asks the account of whichever carrier the same.
macro_rules! ask {
    ($self:ident, $account:ident => $answer:expr) => {
        match $self {
            CarrierAccount::Twilio($account) => $answer,
            CarrierAccount::Plivo($account) => $answer,
        }
    };
}

impl CarrierAccount {
    /// Whose account it is.
    pub fn carrier(&self) -> Carrier {
        match self {
            Self::Twilio(_) => Carrier::Twilio,
            Self::Plivo(_) => Carrier::Plivo,
        }
    }

    /// Answers the webhook of a call.
    ///
    /// # Errors
    /// The token does not fit a URL, which would be a mistake in [`Tokens`](crate::session::Tokens).
    pub fn answer(&self, arrival: &Arrival, token: &Secret) -> Result<Document, ArgumentError> {
        ask!(self, account => account.answer(arrival, token))
    }

    /// Lets a call go on to its voice agent without us, because we cannot take it.
    pub fn bypass(&self, arrival: &Arrival) -> Document {
        ask!(self, account => account.bypass(arrival))
    }

    /// Moves the call to the human.
    pub fn handoff(&self, arrival: &Arrival, handoff: &HandoffId, attempt: u32) -> Document {
        ask!(self, account => account.handoff(arrival, handoff, attempt))
    }

    /// What the caller hears after the human's leg.
    pub fn after_dial(&self, end: DialEnd) -> Document {
        ask!(self, account => account.after_dial(end))
    }

    /// Rings the default target without any URL of ours.
    pub fn dead_man(&self, arrival: &Arrival) -> Document {
        ask!(self, account => account.dead_man(arrival))
    }

    /// How long one request to the carrier may take.
    pub(in crate::session) fn timeout(&self) -> Duration {
        ask!(self, account => account.timeout)
    }

    /// Asks the carrier to move the call to the human.
    pub(in crate::session) fn rewrite(
        &self,
        arrival: &Arrival,
        handoff: &HandoffId,
        attempt: u32,
    ) -> Request<Bytes> {
        ask!(self, account => account.rewrite(arrival, handoff, attempt))
    }

    /// Reads the answer to a rewrite.
    pub(in crate::session) fn judge(&self, answer: Result<Response<Bytes>, SendFailure>) -> Judged {
        let interpret = match self {
            Self::Twilio(_) => twilio::rest::interpret_rewrite,
            Self::Plivo(_) => plivo::rest::interpret_transfer,
        };
        let failure = match answer {
            Ok(answer) => interpret(answer.status(), answer.headers(), answer.body()).err(),
            Err(SendFailure::NotSent) => Some(RewriteError::NotSent),
            Err(SendFailure::Unknown) => Some(RewriteError::Unanswered),
        };
        Judged {
            outcome: failure.map_or(RewriteOutcome::Accepted, RewriteOutcome::from),
            failure,
        }
    }

    /// Asks whether the caller is still there.
    pub(in crate::session) fn inspect(&self, call: &CarrierCallId) -> Request<Bytes> {
        match self {
            Self::Twilio(account) => twilio::rest::fetch_call(&account.rest, call),
            Self::Plivo(account) => plivo::rest::fetch_call(&account.rest, call),
        }
    }

    /// Reads the answer to that.
    pub(in crate::session) fn inspected(&self, answer: &Response<Bytes>) -> Inspection {
        let interpret = match self {
            Self::Twilio(_) => twilio::rest::interpret_call,
            Self::Plivo(_) => plivo::rest::interpret_call,
        };
        match interpret(answer.status(), answer.body()) {
            CallState::Queued | CallState::Ringing | CallState::InProgress => {
                Inspection::InProgress
            }
            CallState::Ended(_) => Inspection::Over,
            CallState::Initiated | CallState::Unknown => Inspection::Unclear,
        }
    }

    /// Asks the carrier to ring the default target without any URL of ours, for a call whose task
    /// died.
    pub(in crate::session) fn rescue(&self, arrival: &Arrival) -> Request<Bytes> {
        ask!(self, account => account.rescue(arrival))
    }

    /// Whether a stream of that account is ours.
    pub(in crate::session) fn is_ours(&self, account: &str) -> bool {
        match self {
            Self::Twilio(twilio) => twilio.rest.account_sid().as_str() == account,
            Self::Plivo(plivo) => plivo.is_ours(account),
        }
    }

    /// Whether a stream always repeats the token of its path in its introduction. UNCONFIRMED which
    /// extra headers Plivo gives back, so that there the token in the path may be all there is.
    pub(in crate::session) fn repeats_token(&self) -> bool {
        match self {
            Self::Twilio(_) => true,
            Self::Plivo(_) => false,
        }
    }

    /// Reads a message of the media socket.
    ///
    /// # Errors
    /// The message breaks the carrier's protocol.
    pub(in crate::session) fn read<'a>(&self, text: &'a str) -> Result<Said<'a>, Unreadable> {
        Ok(match self {
            Self::Twilio(_) => TwilioAccount::read(text)?,
            Self::Plivo(_) => PlivoAccount::read(text)?,
        })
    }
}
