//! The worker: claims what is due at each sink and sees it through.
//!
//! Every sink has a loop of its own, so a vendor that stalls holds up nobody else. A loop sleeps
//! until a delivery is added, falls due or ends; it does not poll. Deliveries of one handoff at one
//! sink are made in order, one at a time, because the journal claims them so.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use handoff_core::time::WallTime;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::attempt::{Attempts, LEASE, SinkState};
use super::metrics;
use super::schedule::Schedule;
use super::sink::Sink;
use super::token::TokenCell;
use crate::clock;
use crate::egress::Egress;
use crate::journal::{Journal, JournalError};

/// Deliveries under way at one sink. Vendors limit the rate of one integration user, and a handoff
/// is two or three requests.
const CONCURRENT: usize = 4;

/// The pause after the journal could not claim.
const CLAIM_PAUSE: Duration = Duration::from_secs(5);

/// The longest sleep, so that a calendar that is set back or forth is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// How often the age of the oldest undelivered row is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// What delivers.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Where deliveries come from and their outcomes go.
    pub journal: Journal,
    /// What requests go out by.
    pub egress: Egress,
    /// When failures are repeated.
    pub schedule: Schedule,
    /// How long deliveries under way may go on after shutdown is asked for. What is cut off then
    /// goes on from its saved progress when the journal is opened next.
    pub drain: Duration,
}

impl Worker {
    /// Delivers until `shutdown` completes and what is under way has ended or been cut off.
    pub async fn run(self, sinks: Vec<Sink>, shutdown: impl Future<Output = ()>) {
        let closing = watch::Sender::new(false);
        let mut loops = JoinSet::new();
        loops.spawn(measure(self.journal.clone(), closing.subscribe()));
        for sink in sinks {
            let attempts = Arc::new(Attempts {
                journal: self.journal.clone(),
                egress: self.egress.clone(),
                schedule: self.schedule,
                sink,
                token: TokenCell::default(),
            });
            loops.spawn(deliver(attempts, self.drain, closing.subscribe()));
        }
        shutdown.await;
        closing.send_replace(true);
        while let Some(ended) = loops.join_next().await {
            if let Err(error) = ended {
                tracing::error!(error = &error as &dyn Error, "delivery loop failed");
            }
        }
    }
}

/// Delivers to one sink.
async fn deliver(attempts: Arc<Attempts>, drain: Duration, mut closing: watch::Receiver<bool>) {
    let mut added = attempts.journal.deliveries_added();
    let mut under_way = JoinSet::new();
    let mut trouble_told = false;
    loop {
        added.mark_unchanged();
        let mut wake = LONGEST_SLEEP;
        let free = CONCURRENT - under_way.len();
        if free > 0 {
            match claim(&attempts, free, &mut under_way).await {
                Ok(next_due) => {
                    trouble_told = false;
                    wake = next_due.map_or(wake, |due| wake.min(until(due)));
                }
                Err(JournalError::Closed) => break,
                Err(error) => {
                    if !std::mem::replace(&mut trouble_told, true) {
                        tracing::error!(
                            sink = attempts.sink.name(),
                            error = &error as &dyn Error,
                            "deliveries cannot be claimed until the journal can be written"
                        );
                    }
                    wake = CLAIM_PAUSE;
                }
            }
        }
        let room = under_way.len() < CONCURRENT;
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => break,
            Some(ended) = under_way.join_next() => {
                if sink_state(ended) == SinkState::Gone {
                    tracing::error!(
                        sink = attempts.sink.name(),
                        "sink no longer exists: its deliveries wait until it is set up again and \
                         the program restarted"
                    );
                    break;
                }
            }
            _ = added.changed(), if room => {}
            () = sleep(wake), if room => {}
        }
    }
    let ended = timeout(drain, async {
        while under_way.join_next().await.is_some() {}
    })
    .await;
    if ended.is_err() {
        tracing::warn!(
            sink = attempts.sink.name(),
            cut_off = under_way.len(),
            "deliveries were cut off and go on after the next start"
        );
    }
}

/// Claims and starts what is due; gives the time of what is due next.
async fn claim(
    attempts: &Arc<Attempts>,
    free: usize,
    under_way: &mut JoinSet<SinkState>,
) -> Result<Option<WallTime>, JournalError> {
    let limit = u32::try_from(free).unwrap_or(u32::MAX);
    let sink = attempts.sink.name();
    let claims = attempts
        .journal
        .claim(sink, clock::wall(), limit, LEASE)
        .await?;
    for claim in claims.ready {
        under_way.spawn(Arc::clone(attempts).make(claim));
    }
    Ok(claims.next_due)
}

fn sink_state(ended: Result<SinkState, JoinError>) -> SinkState {
    ended.unwrap_or_else(|error| {
        // The row comes back when its lease ends.
        tracing::error!(error = &error as &dyn Error, "delivery attempt failed");
        SinkState::Usable
    })
}

fn until(due: WallTime) -> Duration {
    Duration::from_millis(due.0.saturating_sub(clock::wall().0))
}

/// Keeps the gauges of what is undelivered.
async fn measure(journal: Journal, mut closing: watch::Receiver<bool>) {
    let (mut added, mut settled) = (journal.deliveries_added(), journal.deliveries_settled());
    loop {
        added.mark_unchanged();
        settled.mark_unchanged();
        match journal.undelivered().await {
            Ok(undelivered) => metrics::undelivered(undelivered, clock::wall()),
            Err(error) => tracing::warn!(
                error = &error as &dyn Error,
                "undelivered rows cannot be counted"
            ),
        }
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            _ = added.changed() => {}
            _ = settled.changed() => {}
            () = sleep(MEASURE_EVERY) => {}
        }
    }
}
