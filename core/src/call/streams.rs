//! Streams come and go; the call does not depend on them.

use super::Command;
use super::command::Anomaly;
use super::event::Inspection;
use super::fact::Fact;
use super::machine::Call;
use super::outcome::{DialEnd, Disposition, LegProgress, StreamEnd};
use super::state::{Phase, State};
use super::timer::Timer;
use crate::id::StreamId;
use crate::time::{CallTime, MediaTime};

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
        self.stream = Some(stream.clone());
        self.record(Fact::StreamStarted {
            stream,
            at,
            replacement,
        });
    }

    pub(super) fn on_stream_stopped(&mut self, stream: StreamId, end: StreamEnd, now: CallTime) {
        if self.stream.as_ref() != Some(&stream) && end != StreamEnd::Replaced {
            return self.note(Anomaly::UnknownStream);
        }
        if self.stream.as_ref() == Some(&stream) {
            self.stream = None;
        }
        if self.stream.is_none() && !matches!(self.state, State::Leaving(_)) {
            self.timers
                .set(Timer::StreamAbsent, now + self.policy.stream_grace);
        }
        self.settle_unfinished_words();
        self.record(Fact::StreamStopped { stream, end });
    }

    pub(super) fn on_inspected(&mut self, inspection: Inspection, now: CallTime) {
        match inspection {
            Inspection::Over => self.leave(now),
            Inspection::InProgress | Inspection::Unclear => {
                if let State::HandingOff(handing) = &self.state
                    && matches!(handing.phase, Phase::Inspecting)
                {
                    self.retry_rewrite(self.policy.rewrite_evidence, now);
                }
            }
        }
    }

    /// Puts off the look at a call of which something was just heard. A socket may stay open for
    /// ever after the call is over, so a stream alone is no news.
    pub(super) fn expect_news(&mut self, now: CallTime) {
        if matches!(self.state, State::Leaving(_)) {
            return;
        }
        self.timers
            .set(Timer::Inspect, now + self.policy.inspect_every);
    }

    /// The outcome if the call ended at this instant.
    pub(super) fn disposition_now(&self) -> Disposition {
        match &self.state {
            State::Listening if self.refused.is_some() => Disposition::CarrierRefused,
            State::Listening => Disposition::StayedWithVoiceAgent,
            State::HandingOff(handing) => match handing.phase {
                // Answered legs have left this state, so whoever hung up did it before that.
                Phase::Dialling {
                    progress: Some(LegProgress::Completed),
                } => Disposition::NoAnswer,
                Phase::Dialling { .. }
                | Phase::Recording
                | Phase::Rewriting
                | Phase::Waiting
                | Phase::Inspecting => Disposition::CallerHungUp,
            },
            State::Talking { .. } => Disposition::Bridged,
            State::Parting { end, .. } => match end {
                DialEnd::Bridged => Disposition::Bridged,
                DialEnd::Busy => Disposition::Busy,
                DialEnd::NoAnswer | DialEnd::AnsweredNotBridged => Disposition::NoAnswer,
                DialEnd::Canceled => Disposition::CallerHungUp,
                DialEnd::Failed => Disposition::CarrierRefused,
            },
            State::Leaving(disposition)
            | State::Ending(disposition)
            | State::Ended(disposition) => *disposition,
        }
    }

    /// Takes leave of a call that is over: what was said last may still be on its way.
    pub(super) fn leave(&mut self, now: CallTime) {
        if matches!(self.state, State::Leaving(_)) {
            return;
        }
        let disposition = self.disposition_now();
        if self.ear.heard_to == MediaTime::default() {
            return self.end(disposition);
        }
        self.timers.clear();
        self.timers
            .set(Timer::LastWords, now + self.policy.last_words);
        self.state = State::Leaving(disposition);
        self.commands.push_back(Command::FlushSpeech);
    }

    pub(super) fn end(&mut self, disposition: Disposition) {
        self.settle_unfinished_words();
        let context = self.trigger.is_some().then(|| {
            self.revision += 1;
            Box::new(self.context(Some(disposition)))
        });
        self.timers.clear();
        self.state = State::Ending(disposition);
        self.commands.push_back(Command::RecordEnd {
            fact: Fact::CallEnded { disposition },
            context,
        });
    }
}
