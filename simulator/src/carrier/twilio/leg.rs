//! A human's phone, from the first ring to the end, and what callbacks are told of it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::call::{CallStatus, Direction};
use super::flow::owned;
use super::poster::Poster;
use super::stage::Stage;
use super::twiml::{Address, LegEvent, StatusCallback};
use crate::carrier::clock::Utc;
use crate::carrier::event::{CarrierEvent, LegStatus, Purpose};
use crate::carrier::human::Human;

/// Twilio lets a phone ring about this much longer than `timeout` says.
pub(super) const RING_SLACK: Duration = Duration::from_secs(5);

/// A human's phone.
#[derive(Debug)]
pub(super) struct Leg<'a> {
    stage: &'a Stage,
    pub(super) sid: String,
    address: &'a Address,
    to: String,
    caller_id: String,
    pub(super) human: Human,
    progress: Option<(Poster, &'a [LegEvent])>,
    posted: u32,
    pub(super) answered: Option<Instant>,
    pub(super) bridged: bool,
}

impl<'a> Leg<'a> {
    /// A phone that does not ring yet. In a call that the REST API created it is the call itself, else
    /// a child of the call.
    pub(super) fn new(
        stage: &'a Stage,
        address: &'a Address,
        caller_id: String,
        status_callback: Option<&'a StatusCallback<LegEvent>>,
    ) -> Self {
        let sid = match stage.call.direction {
            Direction::Inbound => stage.account.new_sid("CA", &stage.call.sid),
            Direction::OutboundApi => stage.call.sid.to_string(),
        };
        let progress = status_callback.map(|wanted| {
            let callback = wanted.callback.clone();
            let (poster, work) = Poster::new(stage.clone(), Purpose::LegStatus, callback);
            stage.in_background(work);
            (poster, wanted.events.as_slice())
        });
        let to = address.as_written();
        Self {
            stage,
            sid,
            address,
            human: stage.human_at(&to),
            to,
            caller_id,
            progress,
            posted: 0,
            answered: None,
            bridged: false,
        }
    }

    /// Rings until somebody or something picks up.
    ///
    /// # Errors
    ///
    /// How the leg ended when nobody did.
    pub(super) async fn ring(&mut self, timeout: Duration) -> Result<(), LegStatus> {
        let (sip_headers, parameters, digits) = match self.address {
            Address::Number { digits, .. } => (Vec::new(), Vec::new(), digits.clone()),
            Address::Sip(sip) => (sip.headers.clone(), Vec::new(), None),
            Address::Client { parameters, .. } => (Vec::new(), parameters.clone(), None),
        };
        self.stage.record(CarrierEvent::LegInitiated {
            leg_sid: self.sid.clone(),
            to: self.to.clone(),
            caller_id: self.caller_id.clone(),
            sip_headers,
            parameters,
            digits,
        });
        self.report(LegEvent::Initiated, "initiated");
        sleep(self.stage.account.options.ring_delay).await;
        match self.human {
            Human::Busy => return Err(LegStatus::Busy),
            Human::Unreachable => return Err(LegStatus::Failed),
            Human::Answers { .. }
            | Human::HangsUpInWhisper { .. }
            | Human::Voicemail { .. }
            | Human::NoAnswer
            | Human::Rejects => {}
        }
        if self.stage.call.direction == Direction::OutboundApi {
            self.stage.call.set_status(CallStatus::Ringing);
        }
        self.stage.record(CarrierEvent::LegRinging {
            leg_sid: self.sid.clone(),
        });
        self.report(LegEvent::Ringing, "ringing");
        if self.human == Human::Rejects {
            return Err(LegStatus::Busy);
        }
        let patience = timeout + RING_SLACK;
        let picks_up = self.human.picks_up_after();
        let Some(after) = picks_up.filter(|after| *after <= patience) else {
            sleep(self.stage.wall(patience)).await;
            return Err(LegStatus::NoAnswer);
        };
        sleep(self.stage.wall(after)).await;
        self.answered = Some(Instant::now());
        self.stage.record(CarrierEvent::LegAnswered {
            leg_sid: self.sid.clone(),
        });
        if self.stage.call.direction == Direction::OutboundApi {
            self.stage.call.set_status(CallStatus::InProgress);
        }
        self.report(LegEvent::Answered, "in-progress");
        Ok(())
    }

    /// Joins the human to the caller.
    pub(super) fn bridge(&mut self) {
        self.bridged = true;
        self.stage.record(CarrierEvent::LegBridged {
            leg_sid: self.sid.clone(),
        });
    }

    pub(super) fn complete(&mut self, status: LegStatus) {
        let (leg_sid, bridged, seconds) = (self.sid.clone(), self.bridged, self.seconds());
        self.stage.record(CarrierEvent::LegCompleted {
            leg_sid,
            status,
            bridged,
            seconds,
        });
        self.report(LegEvent::Completed, status.as_str());
        self.progress = None;
    }

    fn report(&mut self, event: LegEvent, status: &str) {
        let wanted = self.progress.as_ref();
        let Some((poster, _)) = wanted.filter(|(_, events)| events.contains(&event)) else {
            return;
        };
        let mut parameters = self.parameters(status);
        parameters.extend(owned([
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", &self.posted.to_string()),
            ("Timestamp", &Utc::now().rfc2822()),
        ]));
        if event == LegEvent::Completed {
            parameters.push(("CallDuration".to_owned(), self.seconds().to_string()));
        }
        let held_back =
            event == LegEvent::Ringing && self.stage.account.options.shuffle_leg_callbacks;
        poster.post(parameters, held_back);
        self.posted += 1;
    }

    /// The parameters of every request about the human's leg. UNCONFIRMED whether the request for a
    /// whisper has `ParentCallSid`; the status callbacks of a child do.
    pub(super) fn parameters(&self, status: &str) -> Vec<(String, String)> {
        let (direction, parent) = match self.stage.call.direction {
            Direction::Inbound => ("outbound-dial", Some(self.stage.call.sid.to_string())),
            Direction::OutboundApi => ("outbound-api", None),
        };
        let mut parameters = owned([
            ("AccountSid", &self.stage.account.options.account_sid),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", &self.sid),
            ("CallStatus", status),
            ("Called", &self.to),
            ("Caller", &self.caller_id),
            ("Direction", direction),
            ("From", &self.caller_id),
            ("To", &self.to),
        ]);
        parameters.extend(parent.map(|parent| ("ParentCallSid".to_owned(), parent)));
        parameters
    }

    /// What the action of a `<Dial>` is told of the leg.
    pub(super) fn action_parameters(&self, status: LegStatus) -> Vec<(String, String)> {
        let mut parameters = owned([
            ("DialBridged", &self.bridged.to_string()),
            ("DialCallSid", &self.sid),
            ("DialCallStatus", status.as_str()),
        ]);
        if self.answered.is_some() {
            parameters.push(("DialCallDuration".to_owned(), self.seconds().to_string()));
        }
        if let Address::Sip(_) = self.address {
            parameters.extend(owned([
                ("DialSipCallId", &format!("{}@sip", self.sid)),
                (
                    "DialSipResponseCode",
                    &sip_response(self.human, status).to_string(),
                ),
            ]));
        }
        parameters
    }

    fn seconds(&self) -> u64 {
        self.answered
            .map_or(0, |answered| self.stage.seconds_since(answered))
    }
}

/// What a SIP telephone answers. UNCONFIRMED but for the names: 486 and 603 are SIP's own for busy and
/// declined (RFC 3261, section 21), 487 is what a phone says when ringing is stopped.
pub(super) fn sip_response(human: Human, status: LegStatus) -> u16 {
    match status {
        LegStatus::Completed => 200,
        LegStatus::Busy if human == Human::Rejects => 603,
        LegStatus::Busy => 486,
        LegStatus::NoAnswer | LegStatus::Canceled => 487,
        LegStatus::Failed => 404,
    }
}
