//! What happens to a journal's file from outside.

use rusqlite::Connection;

use crate::journal::testing::TestDir;

/// Someone else's open transaction, until dropped.
pub(crate) struct Lock(#[expect(dead_code, reason = "it is what is held")] Connection);

impl TestDir {
    /// Changes the file behind the journal's back.
    pub(crate) fn meddle(&self, sql: &str) {
        let outside = Connection::open(self.journal()).unwrap();
        outside.execute_batch(sql).unwrap();
    }

    /// Keeps the journal from writing, as a shell with an open transaction does.
    pub(crate) fn lock_out(&self) -> Lock {
        let outside = Connection::open(self.journal()).unwrap();
        outside.execute_batch("BEGIN IMMEDIATE").unwrap();
        Lock(outside)
    }

    /// Has every outbox row fail, which no later attempt mends.
    pub(crate) fn refuse_deliveries(&self) {
        self.meddle(
            "CREATE TRIGGER refuse BEFORE INSERT ON deliveries
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        );
    }
}
