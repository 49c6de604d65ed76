//! From the trigger to a carrier that follows our document, one rewrite at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::command::{Anomaly, Command};
use super::fact::{Fact, GiveUpReason, Planned};
use super::machine::{Asking, Call};
use super::outcome::RewriteOutcome;
use super::policy::Mode;
use super::state::{Handoff, Stage, State};
use super::timer::Timer;
use crate::id::HandoffId;
use crate::route::{Acceptance, Joining, PassedOver, Plan, TargetName};
use crate::time::CallTime;

/// The caller is listening.
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// A caller who waits for nobody is taken elsewhere as soon as the carrier lets us, without a flood of
/// requests.
const STRANDED_RETRY: Duration = Duration::from_secs(5);

/// Plivo takes a call for a loop after 70 transfers, and ends it.
const MOST_REWRITES: u32 = 60;

/// A carrier that took a rewrite and does not act on it is asked this often.
const FETCHES_AWAITED: u32 = 2;

impl Call {
    pub(super) fn on_decision_recorded(&mut self, handoff: &HandoffId) {
        // If the deadline passed first, the rewrite is already on its way.
        if self.is_decided() && self.is_latest(handoff) {
            self.timers.stop(Timer::JournalDeadline);
            self.proceed();
        }
    }

    pub(super) fn on_journal_deadline(&mut self) {
        if self.is_decided() {
            self.note(Anomaly::JournalLate);
            self.proceed();
        }
    }

    pub(super) fn on_targets_chosen(&mut self, handoff: &HandoffId, plan: Plan) {
        let awaited = (self.handoff.as_ref()).is_some_and(|latest| latest.plan.is_none());
        if self.state != State::Open || !self.is_latest(handoff) || !awaited {
            return self.note(Anomaly::StaleHandoff);
        }
        self.route(plan);
        self.proceed();
    }

    pub(super) fn on_route_deadline(&mut self) {
        if self.is_decided() {
            self.note(Anomaly::RouteLate);
            self.route_as_listed();
            self.proceed();
        }
    }

    /// Everybody, as listed, without a look at who is there.
    pub(super) fn route_as_listed(&mut self) {
        let awaited = (self.handoff.as_ref()).is_some_and(|latest| latest.plan.is_none());
        if awaited {
            let plan = self.policy.routes.plan(None, &BTreeMap::new());
            self.route(plan);
        }
    }

    fn route(&mut self, plan: Plan) {
        self.timers.stop(Timer::RouteDeadline);
        let Some(latest) = &self.handoff else {
            return;
        };
        let carrier = self.arrival.carrier;
        let cannot = |name: &TargetName| self.policy.unreachable.contains(&(carrier, name.clone()));
        let (passed_over, targets): (Vec<_>, Vec<_>) = plan.targets.into_iter().partition(cannot);
        let passed_over = (passed_over.into_iter()).map(|name| (name, PassedOver::Unavailable));
        let fact = Fact::Routed {
            handoff: latest.trigger.handoff.clone(),
            route: plan.route,
            targets: targets.into_iter().map(|name| self.planned(name)).collect(),
            passed_over: plan.passed_over.into_iter().chain(passed_over).collect(),
        };
        self.record(fact);
    }

    /// A target that the policy does not know needs a key: that is safe whatever it is.
    fn planned(&self, name: TargetName) -> Planned {
        let known = self.policy.routes.target(&name);
        Planned {
            acceptance: known.map_or(Acceptance::Key, |target| target.acceptance),
            joining: known.map_or(Joining::Dial, |target| target.joining),
            name,
        }
    }

    /// Asks for the rewrite once the decision is on disk, or late, and it is known whom to try.
    fn proceed(&mut self) {
        let routed = (self.handoff.as_ref()).is_some_and(|latest| latest.plan.is_some());
        if self.is_decided() && routed && !self.timers.is_set(Timer::JournalDeadline) {
            self.request_rewrite();
        }
    }

    pub(super) fn on_rewrite_retry(&mut self) {
        let Some(handoff) = &self.handoff else {
            return;
        };
        let asked = handoff.attempts - handoff.settled_attempts;
        let (most, reason) = match (&handoff.stage, self.policy.mode) {
            // Nobody but us has the caller, so that there is no giving up.
            (Stage::NotSent | Stage::Unknown | Stage::Taken | Stage::Refused, _)
                if handoff.was_placed() =>
            {
                return self.request_rewrite();
            }
            (Stage::NotSent | Stage::Unknown, _) => {
                (self.policy.rewrite_attempts, GiveUpReason::AttemptsUsedUp)
            }
            (Stage::Taken, Mode::Listen) => (FETCHES_AWAITED, GiveUpReason::NeverFetched),
            // The caller was let go, so the carrier's own document has brought them on. A repeat would
            // take them from whom it reached.
            (Stage::Taken, Mode::Converse) => (0, GiveUpReason::NeverFetched),
            (
                Stage::Decided
                | Stage::Rewriting
                | Stage::Refused
                | Stage::Dialling(_)
                | Stage::Talking(_)
                | Stage::Parting(..)
                | Stage::GivenUp,
                _,
            ) => return,
        };
        if asked < most.min(self.policy.rewrite_attempts) {
            self.request_rewrite();
        } else {
            self.give_up(reason);
        }
    }

    pub(super) fn on_rewrite_settled(
        &mut self,
        handoff: &HandoffId,
        attempt: u32,
        outcome: RewriteOutcome,
        now: CallTime,
    ) {
        let asked = std::mem::replace(&mut self.asking, Asking::Nothing);
        if self.state != State::Open || !self.is_latest(handoff) || self.is_listening() {
            return self.note(Anomaly::StaleHandoff);
        }
        let latest = self.handoff.as_ref();
        let is_current = latest.is_some_and(|latest| latest.attempts == attempt);
        let awaited = latest.is_some_and(|latest| matches!(latest.stage, Stage::Rewriting));
        let followed = latest.is_some_and(|latest| latest.leg().is_some());
        self.record(Fact::RewriteSettled {
            handoff: handoff.clone(),
            attempt,
            outcome: outcome.clone(),
        });
        // What was taken begins only when the stream that holds the caller ends, though the document
        // may have been fetched before.
        let taken =
            outcome == RewriteOutcome::Taken || outcome == RewriteOutcome::Unknown && followed;
        if is_current && taken && self.policy.mode == Mode::Converse {
            self.commands.push_back(Command::ReleaseCaller);
        }
        if asked == Asking::RewriteTwice {
            return self.request_rewrite();
        }
        if !(awaited && is_current) {
            // A leg was heard of before the answer came; that was proof enough.
            return;
        }
        match outcome {
            RewriteOutcome::Accepted => self.on_placed(now),
            RewriteOutcome::Taken => self
                .timers
                .set(Timer::RewriteRetry, now + self.policy.fetch_within),
            RewriteOutcome::NotSent => {
                let doubled = 2u32.saturating_pow(attempt.saturating_sub(1));
                let wait = self.policy.rewrite_retry.saturating_mul(doubled);
                self.timers
                    .set(Timer::RewriteRetry, now + wait.min(LONGEST_RETRY));
            }
            RewriteOutcome::Unknown | RewriteOutcome::CallerGone => {
                self.commands.push_back(Command::InspectCall);
            }
            RewriteOutcome::Refused { .. } => self.give_up(GiveUpReason::Refused),
        }
    }

    pub(super) fn on_document_fetched(&mut self, handoff: &HandoffId, attempt: u32, now: CallTime) {
        if self.state != State::Open || !self.is_current(handoff, attempt) {
            return self.note(Anomaly::StaleHandoff);
        }
        self.adopt(attempt);
        let placed = (self.handoff.as_ref()).is_some_and(|latest| latest.leg().is_some());
        if placed {
            // Asked for twice, as carriers do.
            return;
        }
        let unanswered =
            (self.handoff.as_ref()).is_some_and(|latest| matches!(latest.stage, Stage::Unknown));
        if unanswered && self.policy.mode == Mode::Converse {
            self.commands.push_back(Command::ReleaseCaller);
        }
        self.timers.stop(Timer::RewriteRetry);
        self.record(Fact::DocumentFetched {
            handoff: handoff.clone(),
            attempt,
        });
        self.on_placed(now);
    }

    /// The caller is still there although a rewrite of unknown outcome may have acted: the human's
    /// leg gets its time to be heard of.
    pub(super) fn await_evidence(&mut self, now: CallTime) {
        let unknown =
            (self.handoff.as_ref()).is_some_and(|handoff| matches!(handoff.stage, Stage::Unknown));
        if unknown && !self.timers.is_set(Timer::RewriteRetry) {
            self.timers
                .set(Timer::RewriteRetry, now + self.policy.rewrite_evidence);
        }
    }

    /// Makes no further attempt. A voice agent beside us still has the caller; where we are the
    /// voice agent's line, nobody has, and the carrier's own document goes on. A caller who waits in a
    /// document of ours has neither, and is not given up.
    pub(super) fn give_up(&mut self, reason: GiveUpReason) {
        let Some(latest) = &self.handoff else {
            return;
        };
        if latest.was_placed() {
            self.timers
                .set(Timer::RewriteRetry, self.now + STRANDED_RETRY);
            return self.note(Anomaly::CallerStranded);
        }
        self.record(Fact::HandoffGivenUp {
            handoff: latest.trigger.handoff.clone(),
            reason,
        });
        match self.policy.mode {
            Mode::Listen => {}
            Mode::Converse => self.commands.push_back(Command::ReleaseCaller),
        }
    }

    /// Whether a callback speaks of the latest handoff and of its latest rewrite. The dial of an
    /// earlier rewrite was interrupted by the later one, and the carrier reports that as an end.
    ///
    /// A rewrite that we do not know of is one whose fact did not reach the disk before a crash.
    pub(super) fn is_current(&self, handoff: &HandoffId, attempt: u32) -> bool {
        let most = self.policy.rewrite_attempts;
        let speaks_of = |latest: &Handoff| {
            let asked =
                latest.attempts.max(1)..=latest.attempts.max(latest.settled_attempts + most);
            latest.trigger.handoff == *handoff && asked.contains(&attempt)
        };
        self.handoff.as_ref().is_some_and(speaks_of)
    }

    /// Writes down the request that a callback proves.
    pub(super) fn adopt(&mut self, attempt: u32) {
        let latest = self.handoff.as_ref();
        if let Some(latest) = latest.filter(|latest| attempt > latest.attempts) {
            self.timers.stop(Timer::JournalDeadline);
            let handoff = latest.trigger.handoff.clone();
            self.route_as_listed();
            self.record(Fact::RewriteRequested { handoff, attempt });
        }
    }

    pub(super) fn request_rewrite(&mut self) {
        match self.asking {
            Asking::Nothing => self.asking = Asking::Rewrite,
            Asking::Rewrite | Asking::RewriteTwice => return self.asking = Asking::RewriteTwice,
        }
        let Some(latest) = &self.handoff else {
            return;
        };
        let (handoff, attempt) = (latest.trigger.handoff.clone(), latest.attempts + 1);
        if attempt > MOST_REWRITES {
            self.asking = Asking::Nothing;
            return self.note(Anomaly::CallerStranded);
        }
        let targets = latest.remaining();
        self.record(Fact::RewriteRequested {
            handoff: handoff.clone(),
            attempt,
        });
        self.commands.push_back(Command::RewriteCall {
            handoff,
            attempt,
            targets,
        });
    }

    fn is_decided(&self) -> bool {
        self.state == State::Open
            && (self.handoff.as_ref()).is_some_and(|latest| matches!(latest.stage, Stage::Decided))
    }

    fn is_latest(&self, handoff: &HandoffId) -> bool {
        (self.handoff.as_ref()).is_some_and(|latest| latest.trigger.handoff == *handoff)
    }
}
