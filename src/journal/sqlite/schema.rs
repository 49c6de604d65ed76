//! Tables, and how older files are brought up to date.

use rusqlite::{Connection, Transaction};

/// Marks the file as a journal (`PRAGMA application_id`): "HOFF".
pub(super) const APPLICATION_ID: i32 = 0x484f_4646;

/// The newest schema version, the number of [`MIGRATIONS`].
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Brings a file from version *n* to *n* + 1.
type Migration = fn(&Transaction<'_>) -> rusqlite::Result<()>;

/// The migration at index *n* starts from version *n*. Only ever appended to.
const MIGRATIONS: &[Migration] = &[create, drop_rewrites, add_targets];

/// Applies what is missing since `from`, all of it or nothing. Writes nothing if nothing is: a
/// start on a full disk may succeed.
pub(super) fn migrate(connection: &mut Connection, from: u32) -> rusqlite::Result<()> {
    if from == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for migration in MIGRATIONS.iter().skip(from as usize) {
        migration(&transaction)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()
}

/// `calls` is a projection of `records`, kept in the same transaction so that the questions asked
/// at start need not read every record. `rewrites` was one until version 2. There are no foreign keys: a call whose
/// announcement was lost while the disk was full still gets its records and deliveries.
fn create(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "
        CREATE TABLE records (
            call     TEXT    NOT NULL,
            sequence INTEGER NOT NULL,
            at_ns    INTEGER NOT NULL,
            wall_ms  INTEGER NOT NULL,
            fact     TEXT    NOT NULL,
            PRIMARY KEY (call, sequence)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE calls (
            call         TEXT    NOT NULL PRIMARY KEY,
            carrier_call TEXT    NOT NULL,
            announced_ms INTEGER NOT NULL,
            ended_ms     INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX calls_by_carrier ON calls (carrier_call);
        CREATE INDEX calls_open ON calls (announced_ms) WHERE ended_ms IS NULL;

        CREATE TABLE rewrites (
            handoff      TEXT    NOT NULL,
            attempt      INTEGER NOT NULL,
            call         TEXT    NOT NULL,
            requested_ms INTEGER NOT NULL,
            settled      INTEGER NOT NULL,
            PRIMARY KEY (handoff, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX rewrites_unsettled ON rewrites (requested_ms) WHERE settled = 0;

        CREATE TABLE deliveries (
            id               INTEGER PRIMARY KEY,
            call             TEXT    NOT NULL,
            handoff          TEXT    NOT NULL,
            sink             TEXT    NOT NULL,
            kind             TEXT    NOT NULL CHECK (kind IN ('open', 'update')),
            revision         INTEGER NOT NULL,
            context          TEXT    NOT NULL,
            created_ms       INTEGER NOT NULL,
            state            TEXT    NOT NULL DEFAULT 'waiting'
                             CHECK (state IN ('waiting', 'delivered', 'dead')),
            due_ms           INTEGER NOT NULL,
            leased_until_ms  INTEGER NOT NULL DEFAULT 0,
            attempts         INTEGER NOT NULL DEFAULT 0,
            first_claimed_ms INTEGER,
            progress         BLOB,
            first_saved_ms   INTEGER,
            failure          TEXT,
            excerpt          TEXT,
            settled_ms       INTEGER,
            external_id      TEXT,
            url              TEXT,
            content_sha256   BLOB,
            exactly_once     INTEGER,
            UNIQUE (handoff, sink, kind, revision)
        ) STRICT;
        CREATE INDEX deliveries_waiting ON deliveries (sink, due_ms) WHERE state = 'waiting';
        ",
    )
}

/// A restart finds the rewrites of its open calls in their records, so nobody asked this table.
fn drop_rewrites(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch("DROP TABLE rewrites")
}

/// What was last told of each target. No call has part in it.
fn add_targets(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "
        CREATE TABLE targets (
            name           TEXT    NOT NULL PRIMARY KEY,
            available      INTEGER NOT NULL,
            handle_seconds REAL,
            csat           REAL,
            wait_seconds   REAL,
            told_ms        INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        ",
    )
}
