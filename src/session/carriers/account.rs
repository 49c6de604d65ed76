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

use super::twilio::TwilioAccount;
use crate::carrier::twilio::argument::ArgumentError;
use crate::carrier::twilio::wire::WireError;
use crate::carrier::verdict::Verdict;
use crate::egress::SendFailure;

/// The accounts of this process, at most one a carrier.
#[derive(Debug, Default)]
pub struct Carriers {
    /// The account at Twilio.
    pub twilio: Option<Arc<TwilioAccount>>,
}

impl Carriers {
    /// The account of a call, if the configuration still has it.
    pub fn of(&self, carrier: Carrier) -> Option<CarrierAccount> {
        match carrier {
            Carrier::Twilio => self.twilio.clone().map(CarrierAccount::Twilio),
            Carrier::Plivo => None,
        }
    }
}

/// An account at a carrier: what its calls are told to do, how it is asked, what it says.
#[derive(Clone, Debug)]
pub enum CarrierAccount {
    /// At Twilio.
    Twilio(Arc<TwilioAccount>),
}

/// What a media socket said.
pub(in crate::session) enum Said<'a> {
    /// The stream introduced itself.
    Introduced(Introduction),
    /// Audio of one speaker, in base64, and when it was, on the stream's own clock.
    Audio {
        speaker: Speaker,
        timestamp_ms: u64,
        payload: Pii<Cow<'a, str>>,
    },
    /// The caller pressed a key.
    Key(char),
    /// The stream is over, which says nothing about the call.
    Stopped,
    /// Nothing that matters here.
    Nothing,
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
    pub(in crate::session) failure: Option<(String, Verdict)>,
}

impl CarrierAccount {
    /// Whose account it is.
    pub fn carrier(&self) -> Carrier {
        match self {
            Self::Twilio(_) => Carrier::Twilio,
        }
    }

    /// Answers the webhook of a call.
    ///
    /// # Errors
    /// The token does not fit a URL, which would be a mistake in [`Tokens`](crate::session::Tokens).
    pub fn answer(&self, arrival: &Arrival, token: &Secret) -> Result<String, ArgumentError> {
        match self {
            Self::Twilio(twilio) => {
                let document = twilio.documents.answer(arrival, token)?;
                Ok(document.into_string())
            }
        }
    }

    /// Lets a call go on to its voice agent without us, because we cannot take it.
    pub fn bypass(&self, arrival: &Arrival) -> String {
        match self {
            Self::Twilio(twilio) => twilio.documents.bypass(arrival).into_string(),
        }
    }

    /// Moves the call to the human.
    pub fn handoff(&self, arrival: &Arrival, handoff: &HandoffId, attempt: u32) -> String {
        match self {
            Self::Twilio(twilio) => {
                let document = twilio.documents.handoff(arrival, handoff, attempt);
                document.into_string()
            }
        }
    }

    /// What the caller hears after the human's leg.
    pub fn after_dial(&self, end: DialEnd) -> String {
        match self {
            Self::Twilio(twilio) => twilio.documents.after_dial(end).into_string(),
        }
    }

    /// Rings the default target without any URL of ours.
    pub fn dead_man(&self, arrival: &Arrival) -> String {
        match self {
            Self::Twilio(twilio) => twilio.documents.dead_man(arrival).into_string(),
        }
    }

    /// How long one request to the carrier may take.
    pub(in crate::session) fn timeout(&self) -> Duration {
        match self {
            Self::Twilio(twilio) => twilio.timeout,
        }
    }

    /// Asks the carrier to move the call to the human.
    pub(in crate::session) fn rewrite(
        &self,
        arrival: &Arrival,
        handoff: &HandoffId,
        attempt: u32,
    ) -> Request<Bytes> {
        match self {
            Self::Twilio(twilio) => twilio.rewrite(arrival, handoff, attempt),
        }
    }

    /// Reads the answer to a rewrite.
    pub(in crate::session) fn judge(&self, answer: Result<Response<Bytes>, SendFailure>) -> Judged {
        match self {
            Self::Twilio(_) => TwilioAccount::judge(answer),
        }
    }

    /// Asks whether the caller is still there.
    pub(in crate::session) fn inspect(&self, call: &CarrierCallId) -> Request<Bytes> {
        match self {
            Self::Twilio(twilio) => twilio.inspect(call),
        }
    }

    /// Reads the answer to that.
    pub(in crate::session) fn inspected(&self, answer: &Response<Bytes>) -> Inspection {
        match self {
            Self::Twilio(_) => TwilioAccount::inspected(answer),
        }
    }

    /// Asks the carrier to ring the default target without any URL of ours, for a call whose task
    /// died.
    pub(in crate::session) fn rescue(&self, arrival: &Arrival) -> Request<Bytes> {
        match self {
            Self::Twilio(twilio) => twilio.rescue(arrival),
        }
    }

    /// Whether a stream of that account is ours.
    pub(in crate::session) fn is_ours(&self, account: &str) -> bool {
        match self {
            Self::Twilio(twilio) => twilio.rest.account_sid().as_str() == account,
        }
    }

    /// Reads a message of the media socket.
    ///
    /// # Errors
    /// The message breaks the carrier's protocol.
    pub(in crate::session) fn read<'a>(&self, text: &'a str) -> Result<Said<'a>, WireError> {
        match self {
            Self::Twilio(_) => TwilioAccount::read(text),
        }
    }
}
