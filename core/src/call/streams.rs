//! Streams come and go; the call does not depend on them.

use std::time::Duration;

use super::Command;
use super::command::Anomaly;
use super::event::Inspection;
use super::fact::Fact;
use super::machine::Call;
use super::outcome::{Disposition, LastResort, StreamEnd};
use super::policy::Mode;
use super::state::{Stage, State};
use super::timer::Timer;
use crate::id::StreamId;
use crate::time::{CallTime, MediaTime};

/// Carriers tell of a recording within seconds of its end.
const MESSAGE_NEWS: Duration = Duration::from_secs(5);

impl Call {
    pub(super) fn on_stream_started(
        &mut self,
        stream: StreamId,
        at: MediaTime,
        replacement: bool,
        now: CallTime,
    ) {
        self.timers.stop(Timer::StreamAbsent);
        self.expect_news(now);
        self.record(Fact::StreamStarted {
            stream,
            at,
            replacement,
        });
        // A handoff was given up while no stream held the caller: now one does, in silence.
        let given_up =
            (self.handoff.as_ref()).is_some_and(|latest| matches!(latest.stage, Stage::GivenUp));
        if given_up && self.policy.mode == Mode::Converse {
            self.commands.push_back(Command::ReleaseCaller);
        }
    }

    pub(super) fn on_stream_stopped(&mut self, stream: StreamId, end: StreamEnd, now: CallTime) {
        if self.stream.as_ref() != Some(&stream) && end != StreamEnd::Replaced {
            return self.note(Anomaly::UnknownStream);
        }
        self.settle_unfinished_words();
        self.record(Fact::StreamStopped { stream, end });
        if self.stream.is_none() && self.state == State::Open {
            self.timers
                .set(Timer::StreamAbsent, now + self.policy.stream_grace);
        }
    }

    pub(super) fn on_inspected(&mut self, inspection: Inspection, now: CallTime) {
        match inspection {
            Inspection::Over => self.leave(now),
            Inspection::InProgress | Inspection::Unclear => self.await_evidence(now),
        }
    }

    /// Puts off the look at a call of which something was just heard. A socket may stay open for
    /// ever after the call is over, so a stream alone is no news.
    pub(super) fn expect_news(&mut self, now: CallTime) {
        if self.state != State::Open {
            return;
        }
        self.timers
            .set(Timer::Inspect, now + self.policy.inspect_every);
    }

    /// The outcome if the call ended at this instant.
    pub fn outlook(&self) -> Disposition {
        if let State::Ending(disposition) | State::Ended(disposition) = self.state {
            return disposition;
        }
        let Some(handoff) = &self.handoff else {
            return Disposition::StayedWithVoiceAgent;
        };
        let outlook = handoff.outlook();
        match self.message.is_some() && outlook != Disposition::Bridged {
            true => Disposition::Voicemail,
            false => outlook,
        }
    }

    /// Takes leave of a call that is over: what was said last may still be on its way.
    pub(super) fn leave(&mut self, now: CallTime) {
        if self.state != State::Open {
            return;
        }
        self.stop_ringing();
        self.watch_for_cut(now);
        let news = self.news_outstanding();
        if news.is_zero() {
            return self.end(self.outlook());
        }
        self.timers.clear();
        self.timers.set(Timer::LastWords, now + news);
        self.state = State::Leaving;
        self.commands.push_back(Command::FlushSpeech);
    }

    /// How long to wait for what is told only after the end: the recognizers' last words, and the
    /// message of a caller who hung up after it.
    fn news_outstanding(&self) -> Duration {
        let words = match self.ear.heard_to == MediaTime::default() {
            true => Duration::ZERO,
            false => self.policy.last_words,
        };
        let unhelped = (self.handoff.as_ref()).is_some_and(|latest| {
            matches!(latest.stage, Stage::Parting(..)) && !latest.has_human()
        });
        let voicemail = self.policy.last_resort == LastResort::Voicemail;
        match unhelped && voicemail && self.message.is_none() {
            true => words.max(MESSAGE_NEWS),
            false => words,
        }
    }

    pub(super) fn end(&mut self, disposition: Disposition) {
        self.settle_unfinished_words();
        let trigger = self.trigger().cloned();
        let context = trigger.map(|trigger| Box::new(self.context(trigger, Some(disposition))));
        self.timers.clear();
        let fact = Fact::CallEnded { disposition };
        self.apply(&fact);
        self.commands
            .push_back(Command::RecordEnd { fact, context });
    }
}
