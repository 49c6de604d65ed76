//! What a stand-in saw, kept so that a test can wait for it without a race.
//!
//! Every peer of this package writes its whole history into one [`Observed`] value. A waiter first
//! subscribes to changes, then looks, then sleeps until the next change: nothing that happens in
//! between can be missed, and no test has to poll or sleep.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// State that one side changes and any number of others read or wait for; clones share the state.
pub struct Observed<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    state: Mutex<S>,
    version: watch::Sender<u64>,
}

/// Something awaited did not happen before its deadline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not seen within {within:?}: {what}")]
pub struct NotSeen {
    /// What the caller said it was waiting for.
    pub what: String,
    /// How long was waited.
    pub within: Duration,
}

impl<S> Observed<S> {
    /// Starts from `state`.
    pub fn new(state: S) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                version: watch::Sender::new(0),
            }),
        }
    }

    /// Changes the state and wakes every waiter.
    pub fn update<T>(&self, change: impl FnOnce(&mut S) -> T) -> T {
        let outcome = change(&mut self.lock());
        self.shared.version.send_modify(|version| *version += 1);
        outcome
    }

    /// Reads the state as it is.
    pub fn read<T>(&self, look: impl FnOnce(&S) -> T) -> T {
        look(&self.lock())
    }

    /// Waits until `look` finds what it wants, looking again after every change.
    ///
    /// # Errors
    /// [`NotSeen`] when the deadline passes first; `what` names the expectation for the reader.
    pub async fn wait_for<T>(
        &self,
        within: Duration,
        what: &str,
        look: impl FnMut(&S) -> Option<T>,
    ) -> Result<T, NotSeen> {
        let found = tokio::time::timeout(within, self.when(look)).await;
        found.map_err(|_| NotSeen {
            what: what.to_owned(),
            within,
        })
    }

    /// Waits for as long as it takes.
    pub async fn when<T>(&self, mut look: impl FnMut(&S) -> Option<T>) -> T {
        let mut versions = self.shared.version.subscribe();
        loop {
            versions.mark_unchanged();
            if let Some(found) = self.read(&mut look) {
                return found;
            }
            versions
                .changed()
                .await
                .expect("the sender lives as long as self");
        }
    }

    /// A panic in one connection must not hide what the others saw, so poisoning is ignored.
    fn lock(&self) -> MutexGuard<'_, S> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> std::fmt::Debug for Observed<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observed").finish_non_exhaustive()
    }
}

impl<S> Clone for Observed<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_made_before_waiting_is_seen() {
        let observed = Observed::new(0);
        observed.update(|count| *count = 3);
        let seen = observed
            .wait_for(Duration::from_secs(5), "three", |count| {
                (*count == 3).then_some(*count)
            })
            .await;
        assert_eq!(seen, Ok(3));
    }

    #[tokio::test]
    async fn a_change_made_while_waiting_is_seen() {
        let observed = Observed::new(0);
        let writer = observed.clone();
        let waiting = observed.wait_for(Duration::from_secs(5), "three", |count| {
            (*count == 3).then_some(())
        });
        let writing = async {
            for _ in 0..3 {
                writer.update(|count| *count += 1);
                tokio::task::yield_now().await;
            }
        };
        let (seen, ()) = tokio::join!(waiting, writing);
        assert_eq!(seen, Ok(()));
    }

    #[tokio::test]
    async fn what_never_happens_is_named() {
        let observed = Observed::new(0);
        let missed = observed
            .wait_for::<()>(Duration::from_millis(1), "a ticket", |_| None)
            .await;
        assert_eq!(
            missed.unwrap_err().to_string(),
            "not seen within 1ms: a ticket"
        );
    }
}
