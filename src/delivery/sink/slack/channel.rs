//! The Slack sink: which transport a job goes to.

use bytes::Bytes;
use http::Response;

use super::posting::Bot;
use super::{SlackOptions, SlackTransport, webhook};
use crate::delivery::outcome::{Job, SendFailure, Step, Verdict};

/// Cards in one Slack channel.
#[derive(Clone, Debug)]
pub struct Slack {
    options: SlackOptions,
}

impl Slack {
    /// Takes the operator's choices.
    pub fn new(options: SlackOptions) -> Self {
        Self { options }
    }

    pub(in crate::delivery::sink) fn step(&self, job: &Job<'_>, progress: Option<&[u8]>) -> Step {
        let limits = self.options.limits;
        match &self.options.transport {
            SlackTransport::Bot {
                base,
                token,
                channel,
            } => Bot {
                base,
                token,
                channel,
                limits,
            }
            .step(job, progress),
            SlackTransport::Webhook { url } => webhook::step(url, limits, job, progress),
        }
    }

    pub(in crate::delivery::sink) fn interpret(
        &self,
        job: &Job<'_>,
        progress: Option<&[u8]>,
        answer: Result<Response<Bytes>, SendFailure>,
    ) -> Verdict {
        let limits = self.options.limits;
        match &self.options.transport {
            SlackTransport::Bot {
                base,
                token,
                channel,
            } => Bot {
                base,
                token,
                channel,
                limits,
            }
            .interpret(job, progress, answer),
            SlackTransport::Webhook { url: _ } => webhook::interpret(job, progress, answer),
        }
    }
}
