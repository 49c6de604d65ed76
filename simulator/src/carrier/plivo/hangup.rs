//! How a call is over, in Plivo's words.

use super::call::CallStatus;
use super::phone::Unanswered;
use super::stage::{Stage, owned};
use crate::carrier::event::EndReason;
use crate::carrier::lock::lock;

impl Stage {
    /// Ends the stream and sets the last status.
    pub(super) fn over(&self, status: CallStatus) {
        let mut state = lock(&self.call.state);
        state.status = status;
        state.stream = None;
    }

    /// Waits for what the call has still to do in the background.
    pub(super) async fn settle(&self) {
        if !self.call.settle().await {
            self.violation(
                "a media socket was still open, or a callback unanswered, 5 s after the call ended",
            );
        }
    }

    /// The parameters of the hangup webhook.
    pub(super) fn hangup_parameters(&self, reason: EndReason) -> Vec<(String, String)> {
        let fault_code = lock(&self.call.state).fault_code;
        let (cause, code) = hangup_cause(reason, fault_code);
        let mut parameters = self.parameters();
        let seconds = self.seconds().to_string();
        parameters.extend(owned(&[
            ("BillDuration", &seconds),
            ("Duration", &seconds),
            ("Event", "Hangup"),
            ("HangupCause", cause),
            ("HangupCauseCode", &code.to_string()),
        ]));
        parameters
    }

    /// The parameters of the hangup webhook of a call that nobody answered. UNCONFIRMED: the codes of
    /// its causes, so it has none.
    pub(super) fn unanswered_parameters(&self, why: Unanswered) -> Vec<(String, String)> {
        let mut parameters = self.parameters();
        parameters.extend(owned(&[
            ("BillDuration", "0"),
            ("Duration", "0"),
            ("Event", "Hangup"),
            ("HangupCause", why.hangup_cause()),
        ]));
        parameters
    }

    /// How long the call lasted, in the carrier's time.
    fn seconds(&self) -> u64 {
        let lasted = self.call.placed.elapsed();
        self.account.options.speed.carrier(lasted).as_secs()
    }
}

/// Plivo's words for the end of a call. UNCONFIRMED: the parameter that has the code, and the codes of
/// hanging up; those of documents are in Plivo's list.
fn hangup_cause(reason: EndReason, fault_code: Option<u32>) -> (&'static str, u32) {
    match reason {
        EndReason::DocumentRanOut => ("End Of XML Instructions", 4010),
        EndReason::HungUp | EndReason::CallerHungUp => ("NORMAL_CLEARING", 4000),
        EndReason::CompletedByRest => ("API Request", 4020),
        EndReason::Rejected => ("CALL_REJECTED", 3010),
        EndReason::LoopDetected => ("Loop detected", 3040),
        EndReason::ApplicationError => ("Error", fault_code.unwrap_or_default()),
    }
}
