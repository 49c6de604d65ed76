//! The thread that reads.

use std::path::Path;
use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::open;
use crate::journal::JournalError;

/// Questions that wait before the askers do.
const QUEUE_CAPACITY: usize = 64;

type Question = Box<dyn FnOnce(&Connection) + Send>;

/// The sending side of the queue.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    queue: mpsc::Sender<Question>,
}

impl Reader {
    /// Opens a connection and starts the thread. The thread ends when the last clone is dropped.
    pub(super) fn start(path: &Path) -> Result<Self, JournalError> {
        let connection = open::open_reading(path)?;
        let (queue, mut questions) = mpsc::channel::<Question>(QUEUE_CAPACITY);
        thread::Builder::new()
            .name("journal-reader".to_owned())
            .spawn(move || {
                while let Some(question) = questions.blocking_recv() {
                    question(&connection);
                }
            })
            .map_err(|source| JournalError::Unopenable {
                path: path.to_owned(),
                source: source.into(),
            })?;
        Ok(Self { queue })
    }

    /// Answers a question from what has been committed.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |connection| {
            // An error means that the asker has stopped waiting.
            let _ = answer.send(question(connection));
        });
        self.queue
            .send(question)
            .await
            .map_err(|_| JournalError::Closed)?;
        answered.await.map_err(|_| JournalError::Closed)?
    }
}
