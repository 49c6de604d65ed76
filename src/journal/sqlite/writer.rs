//! The thread that writes, and the queue before it.

use std::error::Error;
use std::path::Path;
use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::open::{self, Writing};
use crate::journal::JournalError;
use crate::telemetry::metrics;

/// Changes that wait before the senders do. A change is a few kilobytes.
const QUEUE_CAPACITY: usize = 1_024;

/// Changes committed together at most, so that the first of a group does not wait for thousands.
const GROUP_LIMIT: usize = 256;

/// Changes after which an idle writer moves the WAL into the database. About 1 MiB of records.
const CHECKPOINT_AFTER: usize = 256;

/// Makes a change in the open transaction, or is told that there is none.
type Change = Box<dyn FnOnce(Result<&Connection, JournalError>) -> Made + Send>;

/// A change that was made, or not, before the commit.
struct Made {
    /// What kept it from being made, if that lies in the file.
    trouble: Option<JournalError>,
    /// To be called once the outcome of the commit is known.
    acknowledge: Box<dyn FnOnce(Result<(), JournalError>) + Send>,
}

enum Order {
    Change(Change),
    /// Finish what came before, close the file, then answer.
    Close(oneshot::Sender<()>),
}

/// The sending side of the queue.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Order>,
    trouble: watch::Sender<Option<JournalError>>,
}

impl Writer {
    /// Opens the file and starts the thread. The thread ends when the last clone is dropped.
    pub(super) fn start(path: &Path) -> Result<Self, JournalError> {
        let writing = open::open_writing(path)?;
        let (queue, orders) = mpsc::channel(QUEUE_CAPACITY);
        let trouble = watch::Sender::new(None);
        let told = trouble.clone();
        metrics::journal_writable(true);
        thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || run(writing, orders, &told))
            .map_err(|source| JournalError::Unopenable {
                path: path.to_owned(),
                source: source.into(),
            })?;
        Ok(Self { queue, trouble })
    }

    /// Makes a change that stands or falls by itself and waits until it is on disk. `announce` is
    /// counted up then, also if nobody waits any longer: the change stands all the same.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        announce: Option<&watch::Sender<u64>>,
        change: impl FnOnce(&Connection) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (answer, answered) = oneshot::channel();
        let announce = announce.cloned();
        let order = Order::Change(Box::new(move |connection| {
            let changed = connection.and_then(|connection| alone(connection, change));
            let trouble = changed.as_ref().err();
            let trouble = trouble.filter(|error| error.is_of_the_file()).cloned();
            let acknowledge = Box::new(move |committed: Result<(), JournalError>| {
                let outcome = changed.and_then(|value| committed.map(|()| value));
                if let (Ok(_), Some(announce)) = (&outcome, announce) {
                    announce.send_modify(|changes| *changes += 1);
                }
                // An error means that the asker has stopped waiting, which is its right.
                let _ = answer.send(outcome);
            });
            Made {
                trouble,
                acknowledge,
            }
        }));
        self.queue
            .send(order)
            .await
            .map_err(|_| JournalError::Closed)?;
        answered.await.map_err(|_| JournalError::Closed)?
    }

    /// What kept the last change from the file; `None` if it is there.
    pub(super) fn trouble(&self) -> watch::Receiver<Option<JournalError>> {
        self.trouble.subscribe()
    }

    /// Finishes what is queued and closes the file.
    pub(super) async fn close(&self) {
        let (answer, closed) = oneshot::channel();
        if self.queue.send(Order::Close(answer)).await.is_ok() {
            // An error means that the thread ended before it read the order: closed all the same.
            let _ = closed.await;
        }
    }
}

fn run(
    writing: Writing,
    mut orders: mpsc::Receiver<Order>,
    trouble: &watch::Sender<Option<JournalError>>,
) {
    let connection = &writing.connection;
    let mut since_checkpoint = 0;
    while let Some(first) = orders.blocking_recv() {
        let mut group = Vec::new();
        let mut closing = None;
        let mut next = Some(first);
        while let Some(order) = next {
            match order {
                Order::Change(change) => group.push(change),
                Order::Close(answer) => closing = Some(answer),
            }
            let full = closing.is_some() || group.len() == GROUP_LIMIT;
            next = if full { None } else { orders.try_recv().ok() };
        }
        since_checkpoint += group.len();
        commit(connection, group, trouble);
        if let Some(answer) = closing {
            drop(writing);
            // An error means that nobody waits for the close.
            let _ = answer.send(());
            return;
        }
        if since_checkpoint >= CHECKPOINT_AFTER && orders.is_empty() {
            since_checkpoint = 0;
            checkpoint(connection);
        }
    }
}

/// Commits a group as one transaction, then acknowledges each of its changes.
fn commit(
    connection: &Connection,
    group: Vec<Change>,
    trouble: &watch::Sender<Option<JournalError>>,
) {
    if group.is_empty() {
        return;
    }
    let changes_before = connection.total_changes();
    let mut failure = None;
    let mut transaction = connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(JournalError::from);
    let mut acknowledgements = Vec::with_capacity(group.len());
    for change in group {
        let open = transaction
            .as_ref()
            .map(|()| connection)
            .map_err(Clone::clone);
        let made = change(open);
        failure = failure.or(made.trouble);
        acknowledgements.push(made.acknowledge);
        // SQLite ends the transaction by itself on some errors, a full disk among them.
        if transaction.is_ok() && connection.is_autocommit() {
            transaction = Err(JournalError::RolledBack);
        }
    }
    if transaction.is_ok() {
        transaction = connection
            .execute_batch("COMMIT")
            .map_err(JournalError::from);
    }
    if transaction.is_err()
        && !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::error!(
            error = &error as &dyn Error,
            "journal transaction could not be rolled back"
        );
    }
    let committed = transaction.as_ref().err();
    let failure = failure.or_else(|| committed.filter(|error| error.is_of_the_file()).cloned());
    // A transaction that changes nothing succeeds on a full disk as well.
    let written = transaction.is_ok() && connection.total_changes() != changes_before;
    if failure.is_some() || written {
        tell(trouble, failure);
    }
    for acknowledge in acknowledgements {
        acknowledge(transaction.clone());
    }
}

/// Tells once that the file cannot be written, and once that it can be again.
fn tell(trouble: &watch::Sender<Option<JournalError>>, failure: Option<JournalError>) {
    if let Some(error) = &failure
        && trouble.borrow().is_none()
    {
        tracing::error!(
            error = error as &dyn Error,
            "journal cannot be written: what happens in calls is kept in memory"
        );
    }
    trouble.send_if_modified(|known| {
        let changed = known.is_some() != failure.is_some();
        if changed {
            metrics::journal_writable(failure.is_none());
            if failure.is_none() {
                tracing::info!("journal can be written again");
            }
        }
        *known = failure;
        changed
    });
}

/// Makes one change of a group so that its failure undoes itself and nothing else.
fn alone<T>(
    connection: &Connection,
    change: impl FnOnce(&Connection) -> Result<T, JournalError>,
) -> Result<T, JournalError> {
    connection.prepare_cached("SAVEPOINT change")?.execute([])?;
    let changed = change(connection);
    if changed.is_err() && !connection.is_autocommit() {
        connection
            .prepare_cached("ROLLBACK TO change")?
            .execute([])?;
    }
    if !connection.is_autocommit() {
        connection.prepare_cached("RELEASE change")?.execute([])?;
    }
    changed
}

fn checkpoint(connection: &Connection) {
    // Passive: moves what it can without waiting for readers.
    let done = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = done {
        tracing::warn!(
            error = &error as &dyn Error,
            "journal checkpoint failed, the next will catch up"
        );
    }
}
