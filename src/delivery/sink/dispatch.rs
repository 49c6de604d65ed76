//! The port of the worker: one call for every vendor.

use bytes::Bytes;
use http::{Request, Response};

use super::{Refusal, Sink};
use crate::delivery::outcome::{Authorization, Job, SendFailure, Step, Verdict};

impl Sink {
    /// The sink's name in configuration, journal rows, logs and metric labels.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Zendesk(_) => "zendesk",
            Self::Slack(_) => "slack",
        }
    }

    /// Names what is to be done next, given the progress saved last (`None` if none was).
    ///
    /// Being asked again with progress under which a request was sent means that its answer is not
    /// known. Where a plain repeat would show at the vendor, the step is then a look-up.
    pub fn step(&self, job: &Job<'_>, progress: Option<&[u8]>) -> Step {
        match self {
            Self::Zendesk(zendesk) => zendesk.step(job, progress),
            Self::Slack(slack) => slack.step(job, progress),
        }
    }

    /// Judges the answer to the step's request. `progress` is the one under which it was sent: that
    /// of [`Step::SaveThenSend`], else the one given to [`Sink::step`].
    pub fn interpret(
        &self,
        job: &Job<'_>,
        progress: Option<&[u8]>,
        answer: Result<Response<Bytes>, SendFailure>,
    ) -> Verdict {
        match self {
            Self::Zendesk(zendesk) => zendesk.interpret(job, progress, answer),
            Self::Slack(slack) => slack.interpret(job, progress, answer),
        }
    }

    /// The request for a token, or `None` if the sink needs none.
    pub fn authorize(&self) -> Option<Request<Bytes>> {
        match self {
            Self::Zendesk(zendesk) => zendesk.authorize(),
            Self::Slack(_) => None,
        }
    }

    /// Reads the answer to [`Sink::authorize`].
    ///
    /// # Errors
    /// [`Refusal`] says whether asking again can help.
    pub fn interpret_authorization(
        &self,
        answer: Result<Response<Bytes>, SendFailure>,
    ) -> Result<Authorization, Refusal> {
        match self {
            Self::Zendesk(zendesk) => zendesk.interpret_authorization(answer),
            Self::Slack(_) => Err(Refusal::Final(
                crate::delivery::outcome::FailureReason::Unauthorized,
            )),
        }
    }
}
