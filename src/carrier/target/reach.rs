//! How a human is reached.

use handoff_core::call::Party;

use super::names::{ClientIdentity, Keys, ParameterName, QueueName};
use super::sip::SipTarget;
use crate::carrier::number::E164;
use crate::carrier::template::Template;
use crate::carrier::twilio::sid::WorkflowSid;

/// How a human is reached. Which carrier has which is told by [`Reach::possible_at`].
#[derive(Clone, Debug)]
pub enum Reach {
    /// Their telephone rings.
    Number {
        /// Its number.
        number: E164,
        /// What is pressed once it was answered.
        extension: Option<Keys>,
    },
    /// A SIP address rings (Twilio `<Sip>`, Plivo `<User>`).
    Sip(SipTarget),
    /// The caller's own telephone system is asked to call the address instead, and leaves us. For calls
    /// that came over SIP.
    Refer(SipTarget),
    /// The caller waits in a queue of Twilio's until somebody takes them out.
    Queue(QueueName),
    /// Twilio's TaskRouter finds somebody.
    TaskRouter {
        /// By which workflow.
        workflow: WorkflowSid,
        /// Before which other tasks: a higher one goes first. Twilio's default is 0.
        priority: Option<u32>,
    },
    /// A softphone of Twilio's Voice SDK rings.
    Client {
        /// Whose.
        identity: ClientIdentity,
        /// What it is told.
        parameters: Vec<(ParameterName, Template)>,
    },
    /// An endpoint of Plivo's rings.
    User(SipTarget),
    /// The caller waits in a conference while the human, who is called, hears why.
    Conference {
        /// The human's number.
        number: E164,
    },
    /// The same in a multi-party call of Plivo's.
    MultiPartyCall {
        /// The human's number.
        number: E164,
    },
}

impl Reach {
    /// Whether a caller can be moved that way: a telephone network cannot be asked to call elsewhere, so
    /// a REFER is for callers who come from a SIP address.
    pub fn suits(&self, caller: &Party) -> bool {
        match self {
            Self::Refer(_) => match caller {
                Party::Known(address) => address.expose().starts_with("sip:"),
                Party::Withheld => false,
            },
            Self::Number { .. }
            | Self::Sip(_)
            | Self::Queue(_)
            | Self::TaskRouter { .. }
            | Self::Client { .. }
            | Self::User(_)
            | Self::Conference { .. }
            | Self::MultiPartyCall { .. } => true,
        }
    }

    /// What a carrier can ring with no word from us, for a document's dead-man tail: where the caller would
    /// wait for somebody that we call, that somebody. `None` if there is no such thing.
    pub fn without_us(&self) -> Option<Self> {
        match self {
            Self::Number { .. } | Self::Sip(_) | Self::Client { .. } | Self::User(_) => {
                Some(self.clone())
            }
            Self::Conference { number } | Self::MultiPartyCall { number } => Some(Self::Number {
                number: number.clone(),
                extension: None,
            }),
            Self::Refer(_) | Self::Queue(_) | Self::TaskRouter { .. } => None,
        }
    }
}
