//! What carriers post, in no carrier's words.

use std::collections::BTreeMap;

use handoff_core::call::{DialEnd, LegProgress, Party};
use handoff_core::context::Message;
use handoff_core::id::{Carrier, CarrierCallId};
use handoff_core::pii::Pii;
use handoff_core::route::Acceptance;

use crate::carrier::form::WebhookError;
use crate::carrier::twilio::webhook::QueueWait;
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

/// The effort to reach a target is over, or what is told means nothing for it.
pub(super) struct DialNews {
    pub(super) call: Announcement,
    pub(super) ended: Ended,
    /// Whether it is over because the caller hung up on somebody or something that had answered.
    pub(super) hung_up_on: bool,
}

/// How an effort ended.
pub(super) enum Ended {
    /// The carrier told, or told nothing that matters.
    Told(Option<DialEnd>),
    /// What it told depends on what had to show that a human took the call.
    Dialled(plivo::webhook::DialOutcome),
}

impl Ended {
    pub(super) fn end(&self, acceptance: Acceptance) -> Option<DialEnd> {
        match self {
            Self::Told(end) => *end,
            Self::Dialled(outcome) => Some(outcome.end(acceptance)),
        }
    }
}

/// The human's leg moved on, if what is told is a move.
pub(super) struct LegNews(pub(super) Option<LegProgress>);

/// The leg of a human whom we had called.
pub(super) enum CalledNews {
    /// It moved on, if what is told is a move.
    Progressed {
        /// The carrier's name for it.
        leg: Option<CarrierCallId>,
        /// How far it is.
        progress: Option<LegProgress>,
    },
    /// It is over.
    Ended(DialEnd),
}

/// The leg of a human whom we had called, which asks what to do.
pub(super) struct CalledLeg(pub(super) Option<CarrierCallId>);

/// Whether the human pressed the key that takes the call.
pub(super) struct KeyNews {
    pub(super) accepts: bool,
}

/// How the caller's wait is going.
pub(super) struct WaitNews(pub(super) QueueWait);

/// The caller left a message, if there is one.
pub(super) struct MessageNews(pub(super) Option<Message>);

/// A request that says nothing but its path.
pub(super) struct Nothing;

/// The caller's own leg moved on.
pub(super) struct CallNews {
    pub(super) call: CarrierCallId,
    pub(super) is_over: bool,
    /// What an operator should look into, by the carrier's reason for the end.
    pub(super) trouble: Option<String>,
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
        let (ended, hung_up_on) = match carrier {
            Carrier::Twilio => (Ended::Told(twilio_end(parameters)?), hung_up_on(parameters)),
            // It does not say who hung up.
            Carrier::Plivo => (plivo_end(parameters)?, false),
        };
        Ok(Self {
            call: Announcement::parse(carrier, parameters)?,
            ended,
            hung_up_on,
        })
    }
}

/// Twilio asks what follows a `<Dial>` also when the caller is gone, and says so of the caller's call.
fn hung_up_on(parameters: &[(String, String)]) -> bool {
    let is = |wanted, values: &[&str]| {
        let mut told = parameters.iter().filter(|(name, _)| name == wanted);
        told.any(|(_, value)| values.contains(&value.as_str()))
    };
    is("CallStatus", &["completed"]) && is("DialCallStatus", &["completed", "answered"])
}

/// Each verb that brings a caller to a human has words of its own for its end.
fn twilio_end(parameters: &[(String, String)]) -> Result<Option<DialEnd>, WebhookError> {
    use twilio::webhook::{DialOutcome, QueueOutcome, ReferOutcome};
    let has = |wanted| parameters.iter().any(|(name, _)| name == wanted);
    Ok(if has("QueueResult") {
        QueueOutcome::parse(parameters)?.end()
    } else if has("ReferCallStatus") || has("ReferSipResponseCode") {
        Some(ReferOutcome::parse(parameters)?.end())
    } else {
        Some(DialOutcome::parse(parameters)?.end())
    })
}

/// Whether a human came to a room that ended is known from their leg.
fn plivo_end(parameters: &[(String, String)]) -> Result<Ended, WebhookError> {
    let dialled = parameters.iter().any(|(name, _)| name == "DialStatus");
    Ok(match dialled {
        true => Ended::Dialled(plivo::webhook::DialOutcome::parse(parameters)?),
        false => Ended::Told(Some(DialEnd::AnsweredNotBridged)),
    })
}

impl Posted for LegNews {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        Ok(Self(match carrier {
            Carrier::Twilio => twilio::webhook::LegStatus::parse(parameters)?.progress(),
            Carrier::Plivo => plivo::webhook::LegReport::parse(parameters)?.progress(),
        }))
    }
}

impl Posted for CalledNews {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let (end, progress) = match carrier {
            Carrier::Twilio => {
                let status = twilio::webhook::LegStatus::parse(parameters)?;
                (status.end(), status.progress())
            }
            Carrier::Plivo => {
                let report = plivo::webhook::LegReport::parse(parameters)?;
                (report.end(), report.progress())
            }
        };
        let CalledLeg(leg) = CalledLeg::parse(carrier, parameters)?;
        Ok(end.map_or(Self::Progressed { leg, progress }, Self::Ended))
    }
}

impl Posted for CalledLeg {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        // A human hears why their phone rang whether their leg is named or not.
        let named = Announcement::parse(carrier, parameters).ok();
        Ok(Self(named.map(|request| request.call)))
    }
}

impl Posted for KeyNews {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let accepts = match carrier {
            Carrier::Twilio => twilio::webhook::Keyed::parse(parameters)?.accepts(),
            Carrier::Plivo => plivo::webhook::Keyed::parse(parameters)?.accepts(),
        };
        Ok(Self { accepts })
    }
}

impl Posted for WaitNews {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        Ok(Self(match carrier {
            Carrier::Twilio => QueueWait::read(parameters),
            // Plivo says nothing about a wait.
            Carrier::Plivo => QueueWait::default(),
        }))
    }
}

impl Posted for MessageNews {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let left = match carrier {
            Carrier::Twilio => twilio::webhook::VoicemailLeft::parse(parameters)?
                .map(|left| (left.url, left.lasts)),
            Carrier::Plivo => {
                plivo::webhook::VoicemailLeft::parse(parameters)?.map(|left| (left.url, left.lasts))
            }
        };
        Ok(Self(left.map(|(url, lasts)| Message {
            url: Pii::new(url.expose().as_str().to_owned()),
            length: lasts.unwrap_or_default(),
        })))
    }
}

impl Posted for Nothing {
    fn parse(_: Carrier, _: &[(String, String)]) -> Result<Self, WebhookError> {
        Ok(Self)
    }
}

impl Posted for CallNews {
    fn parse(carrier: Carrier, parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        let (call, state, trouble) = match carrier {
            Carrier::Twilio => {
                let status = twilio::webhook::CallStatus::parse(parameters)?;
                (status.call, status.state, None)
            }
            Carrier::Plivo => {
                let status = plivo::webhook::CallStatus::parse(parameters)?;
                let trouble = status.reason().filter(|reason| reason.fault().is_some());
                (status.call, status.state, trouble)
            }
        };
        Ok(Self {
            call,
            is_over: state.is_over(),
            trouble: trouble.map(|reason| format!("{reason:?}")),
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
