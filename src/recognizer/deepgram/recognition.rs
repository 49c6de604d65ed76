//! One speaker's recognition across its connections: the feed, the kept audio, the utterances
//! and whether the call counts on words.

use std::future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{Instant, sleep_until, timeout};

use super::backlog::Backlog;
use super::count::Counted;
use super::options::{DeepgramOptions, Leg};
use super::policy::{Failure, Retry};
use super::reading::Reading;
use crate::recognizer::{Feedings, Heard};

/// How long a call may take to accept a final hypothesis. Its task awaits nothing but its inputs,
/// so one that takes longer is gone.
const ACCEPT_DEADLINE: Duration = Duration::from_secs(10);

/// What outlives a connection.
#[derive(Debug)]
pub(super) struct Recognition {
    pub(super) options: Arc<DeepgramOptions>,
    pub(super) leg: Leg,
    pub(super) backlog: Backlog,
    pub(super) reading: Reading,
    input: Input,
    health: Health,
    heard: mpsc::Sender<Heard>,
}

#[derive(Debug)]
enum Input {
    Open(Feedings),
    /// The feed was dropped; only the last words matter.
    Ended {
        finish_by: Instant,
    },
}

#[derive(Debug)]
enum Health {
    /// Words can be expected, after `failures` in a row since the last answer.
    Hearing { failures: u32 },
    /// The call was told that no words can be expected.
    Lost { failures: u32 },
}

/// The call does not listen any more.
#[derive(Debug)]
pub(super) struct CallGone;

/// What to do after a failure.
#[derive(Debug)]
pub(super) enum Next {
    /// Connect again after so many failures in a row.
    Retry { failures: u32 },
    /// Nothing more can come.
    GiveUp,
}

impl Recognition {
    pub(super) fn new(
        options: Arc<DeepgramOptions>,
        leg: Leg,
        feed: Feedings,
        heard: mpsc::Sender<Heard>,
    ) -> Self {
        Self {
            backlog: Backlog::new(options.replay),
            reading: Reading::new(leg.speaker),
            input: Input::Open(feed),
            health: Health::Hearing { failures: 0 },
            options,
            leg,
            heard,
        }
    }

    /// Waits for something from the feed and keeps it. Never returns once the feed has ended.
    /// Nothing is lost if the future is dropped.
    pub(super) async fn absorb(&mut self) {
        match &mut self.input {
            Input::Open(feed) => match feed.recv().await {
                Some(feeding) => {
                    let dropped = self.backlog.push(feeding);
                    if dropped > 0 {
                        Counted::WindowsDropped(dropped).count();
                    }
                }
                None => {
                    let finish_by = Instant::now() + self.options.finish_deadline;
                    self.input = Input::Ended { finish_by };
                }
            },
            Input::Ended { .. } => future::pending().await,
        }
    }

    /// Drives `future` while the feed is absorbed. `None` if the last words are given up first.
    pub(super) async fn meanwhile<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        loop {
            let finish_by = self.finish_by();
            tokio::select! {
                output = &mut future => return Some(output),
                () = self.absorb() => {}
                () = until(finish_by) => return None,
            }
        }
    }

    /// Until when the last words are waited for, once the feed has ended.
    pub(super) fn finish_by(&self) -> Option<Instant> {
        match self.input {
            Input::Open(_) => None,
            Input::Ended { finish_by } => Some(finish_by),
        }
    }

    /// Tells the call. A full channel costs an interim hypothesis, which the next one replaces, but
    /// delays everything else.
    pub(super) async fn tell(&self, heard: Heard) -> Result<(), CallGone> {
        let heard = match self.heard.try_send(heard) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(CallGone),
            Err(TrySendError::Full(heard)) => heard,
        };
        if matches!(&heard, Heard::Hypothesis(hypothesis) if !hypothesis.is_final) {
            Counted::InterimDropped.count();
            return Ok(());
        }
        match timeout(ACCEPT_DEADLINE, self.heard.send(heard)).await {
            Ok(sent) => sent.map_err(|_| CallGone),
            Err(_) => Err(CallGone),
        }
    }

    /// Notes that the server answered to audio.
    pub(super) async fn on_proven(&mut self) -> Result<(), CallGone> {
        let hearing = Health::Hearing { failures: 0 };
        match std::mem::replace(&mut self.health, hearing) {
            Health::Hearing { .. } => Ok(()),
            Health::Lost { failures } => {
                let speaker = self.leg.speaker;
                tracing::info!(speaker = speaker.as_str(), failures, "recognizer is back");
                self.tell(Heard::Restored { speaker }).await
            }
        }
    }

    /// Notes that a connection was not made or broke, and tells the call if that means that no
    /// words can be expected.
    pub(super) async fn on_failure(&mut self, failure: &Failure) -> Result<Next, CallGone> {
        Counted::Failed(failure).count();
        self.backlog.on_broken();
        let (speaker, verdict) = (self.leg.speaker, failure.verdict());
        let failures = match self.health {
            Health::Hearing { failures } | Health::Lost { failures } => failures + 1,
        };
        tracing::debug!(speaker = speaker.as_str(), failures, %failure, "recognizer failed");

        let enough = match verdict.retry {
            Retry::Later => failures >= self.options.reconnect.lost_after,
            Retry::Never => true,
        };
        match &mut self.health {
            Health::Lost { failures: counted } => *counted = failures,
            Health::Hearing { failures: counted } if !enough => *counted = failures,
            Health::Hearing { .. } => {
                self.health = Health::Lost { failures };
                tracing::warn!(speaker = speaker.as_str(), failures, %failure, "recognizer lost");
                self.tell(Heard::Lost {
                    speaker,
                    reason: verdict.lost,
                })
                .await?;
            }
        }
        Ok(match verdict.retry {
            Retry::Later => Next::Retry { failures },
            Retry::Never => Next::GiveUp,
        })
    }
}

/// Sleeps until then, or for ever.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => future::pending().await,
    }
}
