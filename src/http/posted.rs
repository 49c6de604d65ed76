//! What carriers post, in no carrier's words.

use std::collections::BTreeMap;

use handoff_core::call::{DialEnd, LegProgress, Party};
use handoff_core::id::{Carrier, CarrierCallId};
use handoff_core::pii::Pii;

use crate::carrier::form::WebhookError;
use crate::carrier::{plivo, twilio};

/// A message that comes as the parameters of a form.
pub(super) trait Posted: Sized {
    /// Reads it.
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError>;
}

/// A call comes in, or asks for a document.
pub(super) struct Announcement {
    pub(super) call: CarrierCallId,
    pub(super) from: Party,
    pub(super) to: Party,
    pub(super) parameters: BTreeMap<String, Pii<String>>,
    /// Whether it is the end of the call instead: Plivo tells it here where no hangup URL is set.
    pub(super) is_over: bool,
}

/// Dialling the human is over.
pub(super) struct DialNews {
    pub(super) call: CarrierCallId,
    pub(super) end: DialEnd,
}

/// The human's leg of a call moved on, if what is told is a move.
pub(super) struct LegNews {
    pub(super) call: CarrierCallId,
    pub(super) progress: Option<LegProgress>,
}

/// The caller's own leg moved on.
pub(super) struct CallNews {
    pub(super) call: CarrierCallId,
    pub(super) is_over: bool,
}

/// Something about a stream, by the carrier's own word for it.
pub(super) struct StreamNews {
    pub(super) event: String,
}

impl Posted for Announcement {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        Ok(match carrier {
            Carrier::Twilio => {
                let request = twilio::webhook::VoiceRequest::parse(parameters)?;
                Self {
                    call: request.call,
                    from: request.from,
                    to: request.to,
                    parameters: request.parameters,
                    is_over: false,
                }
            }
            Carrier::Plivo => {
                let request = plivo::webhook::AnswerRequest::parse(parameters)?;
                Self {
                    call: request.call,
                    from: request.from,
                    to: request.to,
                    is_over: request.event == plivo::webhook::AnswerEvent::Hangup,
                    parameters: request.parameters,
                }
            }
        })
    }
}

impl Posted for DialNews {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        Ok(match carrier {
            Carrier::Twilio => {
                let outcome = twilio::webhook::DialOutcome::parse(parameters)?;
                Self {
                    end: outcome.end(),
                    call: outcome.call,
                }
            }
            Carrier::Plivo => {
                let outcome = plivo::webhook::DialOutcome::parse(parameters)?;
                Self {
                    end: outcome.end(),
                    call: outcome.call,
                }
            }
        })
    }
}

impl Posted for LegNews {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        Ok(match carrier {
            Carrier::Twilio => {
                let status = twilio::webhook::LegStatus::parse(parameters)?;
                Self {
                    progress: status.progress(),
                    call: status.parent,
                }
            }
            Carrier::Plivo => {
                let status = plivo::webhook::LegStatus::parse(parameters)?;
                Self {
                    progress: status.progress(),
                    call: status.parent,
                }
            }
        })
    }
}

impl Posted for CallNews {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let (call, state) = match carrier {
            Carrier::Twilio => {
                let status = twilio::webhook::CallStatus::parse(parameters)?;
                (status.call, status.state)
            }
            Carrier::Plivo => {
                let status = plivo::webhook::CallStatus::parse(parameters)?;
                (status.call, status.state)
            }
        };
        Ok(Self {
            call,
            is_over: state.is_over(),
        })
    }
}

impl Posted for StreamNews {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let event = match carrier {
            Carrier::Twilio => {
                let status = twilio::webhook::StreamStatus::parse(parameters)?;
                format!("{:?}", status.event)
            }
            Carrier::Plivo => {
                let status = plivo::webhook::StreamStatus::parse(parameters)?;
                format!("{:?}", status.event)
            }
        };
        Ok(Self { event })
    }
}
