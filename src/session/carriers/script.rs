//! What callers hear and who is rung, the same at every carrier.

use handoff_core::call::Arrival;
use handoff_core::id::HandoffId;

use crate::base_url::BaseUrl;
use crate::carrier::argument::{RingSeconds, Spoken, Voice, WebUrl};
use crate::carrier::document::{DeadManTail, Handoff};
use crate::carrier::number::{CallerIdPolicy, E164, caller_id};
use crate::config;

/// Everything in a document that depends neither on the call nor on the carrier.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) public_url: BaseUrl,
    target: E164,
    ring: RingSeconds,
    caller_id: CallerIdPolicy,
    say: Spoken,
    pub(super) nobody: Spoken,
    apology: Spoken,
    pub(super) voice: Voice,
}

impl Script {
    /// Takes what the documents are made of.
    pub fn new(public_url: &BaseUrl, handoff: &config::Handoff, target: &config::Target) -> Self {
        Self {
            public_url: public_url.clone(),
            target: target.number.clone(),
            ring: target.ring,
            caller_id: handoff.caller_id,
            say: handoff.say.clone(),
            nobody: handoff.nobody.clone(),
            apology: handoff.apology.clone(),
            voice: Voice::default(),
        }
    }

    /// What moves the call to the human. The callbacks name handoff and attempt, so that news of a dial
    /// that a later attempt interrupted can be told from news of that attempt.
    pub(super) fn handoff(
        &self,
        carrier: &str,
        arrival: &Arrival,
        handoff: &HandoffId,
        attempt: u32,
    ) -> Handoff {
        let about = |what: &str| self.url(&format!("/{carrier}/{what}/{handoff}/{attempt}"));
        Handoff {
            announcement: self.say.clone(),
            voice: self.voice.clone(),
            target: self.target.clone(),
            caller_id: caller_id(self.caller_id, &arrival.caller, &arrival.called),
            ring: self.ring,
            after_dial_url: about("after-dial"),
            leg_status_url: about("leg"),
        }
    }

    pub(super) fn tail(&self, arrival: &Arrival) -> DeadManTail {
        DeadManTail {
            target: self.target.clone(),
            caller_id: caller_id(self.caller_id, &arrival.caller, &arrival.called),
            ring: self.ring,
            apology: self.apology.clone(),
            voice: self.voice.clone(),
        }
    }

    pub(super) fn url(&self, path: &str) -> WebUrl {
        WebUrl::below(&self.public_url, path)
    }
}
