//! One account at a carrier, whichever it is.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handoff_core::call::{Arrival, Effort, Inspection, NextStep, RewriteOutcome};
use handoff_core::id::{Carrier, CarrierCallId, StreamId};
use handoff_core::pii::{Pii, Secret};
use handoff_core::route::Acceptance;
use handoff_core::speech::Speaker;
use http::{Request, Response};

use super::plivo::PlivoAccount;
use super::step::Step;
use super::twilio::TwilioAccount;
use crate::base_url::BaseUrl;
use crate::carrier::argument::ArgumentError;
use crate::carrier::call_state::CallState;
use crate::carrier::creation::CreationError;
use crate::carrier::document::Document;
use crate::carrier::rewrite::RewriteError;
use crate::carrier::twilio::webhook::QueueWait;
use crate::carrier::{plivo, twilio};
use crate::egress::SendFailure;
use crate::session::briefing::Briefing;

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

    /// Moves the caller to the first target of a step, or to what is left to say.
    pub fn handoff(&self, arrival: &Arrival, step: &Step, briefing: &Briefing) -> Document {
        ask!(self, account => account.handoff(arrival, step, briefing))
    }

    /// Whether the human of a step is called apart from the caller, who waits for them.
    pub fn called_apart(&self, step: &Step) -> bool {
        ask!(self, account => account.script.called_apart(step))
    }

    /// When the target of a step has taken the call.
    pub fn acceptance(&self, step: &Step) -> Acceptance {
        ask!(self, account => account.script.acceptance(step))
    }

    /// What the caller hears after the target of a step.
    pub fn go_on(
        &self,
        arrival: &Arrival,
        step: &Step,
        next: &NextStep,
        briefing: &Briefing,
    ) -> Document {
        match next {
            NextStep::HangUp => self.goodbye(),
            NextStep::Reach(targets) => self.handoff(arrival, &step.with(targets), briefing),
            NextStep::LastResort => self.handoff(arrival, &step.with(&[]), briefing),
        }
    }

    /// What the caller hears while they wait for the target of a step.
    pub fn wait(&self, step: &Step, wait: &QueueWait) -> Document {
        ask!(self, account => account.wait(step, wait))
    }

    /// What the caller hears if it is not even known what was tried for them.
    pub fn apology(&self) -> Document {
        ask!(self, account => account.apology())
    }

    /// Ends the call.
    pub fn goodbye(&self) -> Document {
        ask!(self, account => account.goodbye())
    }

    /// Changes nothing about what the call does.
    pub fn nothing(&self) -> Document {
        ask!(self, account => account.nothing())
    }

    /// What the human hears before they have the caller.
    pub fn whisper(&self, step: &Step, briefing: &Briefing) -> Document {
        ask!(self, account => account.whisper(step, briefing))
    }

    /// What the human hears who was called to the caller's conference.
    pub fn brief_human(&self, step: &Step, briefing: &Briefing) -> Document {
        ask!(self, account => account.brief_human(step, briefing))
    }

    /// Brings the human who pressed the key to the caller.
    pub fn accepted(&self, step: &Step) -> Document {
        ask!(self, account => account.accepted(step))
    }

    /// Lets a human go who did not take the call.
    pub fn not_accepted(&self) -> Document {
        ask!(self, account => account.not_accepted())
    }

    /// Rings the default target without any URL of ours.
    pub fn dead_man(&self, arrival: &Arrival) -> Document {
        ask!(self, account => account.dead_man(arrival))
    }

    /// How long one request to the carrier may take.
    pub(in crate::session) fn timeout(&self) -> Duration {
        ask!(self, account => account.timeout)
    }

    /// How our server is reached.
    pub fn public_url(&self) -> &BaseUrl {
        ask!(self, account => &account.script.public_url)
    }

    /// Asks the carrier to move the caller to the first target of a step.
    pub(in crate::session) fn rewrite(
        &self,
        arrival: &Arrival,
        step: &Step,
        briefing: &Briefing,
    ) -> Request<Bytes> {
        ask!(self, account => account.rewrite(arrival, step, briefing))
    }

    /// Reads the answer to a rewrite.
    pub(in crate::session) fn judge(&self, answer: Result<Response<Bytes>, SendFailure>) -> Judged {
        let (interpret, success): (fn(_, &_, &[u8]) -> _, _) = match self {
            Self::Twilio(_) => (twilio::rest::interpret_rewrite, RewriteOutcome::Accepted),
            // Its 202 says that the document will be fetched.
            Self::Plivo(_) => (plivo::rest::interpret_transfer, RewriteOutcome::Taken),
        };
        let failure = match answer {
            Ok(answer) => interpret(answer.status(), answer.headers(), answer.body()).err(),
            Err(SendFailure::NotSent) => Some(RewriteError::NotSent),
            Err(SendFailure::Unknown) => Some(RewriteError::Unanswered),
        };
        Judged {
            outcome: failure.map_or(success, RewriteOutcome::from),
            failure,
        }
    }

    /// Asks the carrier to call the human of an effort, for whom the caller waits. `None` if that target
    /// is nobody whom we call.
    pub(in crate::session) fn call_human(
        &self,
        arrival: &Arrival,
        effort: &Effort,
    ) -> Option<Request<Bytes>> {
        ask!(self, account => account.call_human(arrival, &Step::of(effort)))
    }

    /// Reads the answer to that.
    ///
    /// # Errors
    /// The human was not called, or is not known to be.
    pub(in crate::session) fn called(
        &self,
        answer: Result<Response<Bytes>, SendFailure>,
    ) -> Result<CarrierCallId, CreationError> {
        let interpret = match self {
            Self::Twilio(_) => twilio::rest::interpret_created,
            Self::Plivo(_) => plivo::rest::interpret_created,
        };
        match answer {
            Ok(answer) => interpret(answer.status(), answer.headers(), answer.body()),
            Err(SendFailure::NotSent) => Err(CreationError::NotSent),
            Err(SendFailure::Unknown) => Err(CreationError::Unanswered),
        }
    }

    /// Asks the carrier to end the leg of a human.
    pub(in crate::session) fn hang_up(&self, leg: &CarrierCallId) -> Request<Bytes> {
        match self {
            Self::Twilio(account) => twilio::rest::end_call(&account.rest, leg),
            Self::Plivo(account) => plivo::rest::hang_up_call(&account.rest, leg),
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
