//! Opening the file: the lock, the two connections, the checks.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::schema;
use crate::journal::JournalError;

/// How long a statement waits for someone outside (a shell, a backup) to release the database.
/// Longer than a backup's step, shorter than the patience of a call's end.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// What the writing thread owns.
pub(super) struct Writing {
    pub(super) connection: Connection,
    /// Held for as long as the connection is.
    pub(super) _lock: File,
}

/// Locks the file, creates or updates its tables, and frees what a crashed predecessor had
/// claimed: nobody else can be at work on it while the lock is held.
pub(super) fn open_writing(path: &Path) -> Result<Writing, JournalError> {
    let lock = lock(path)?;
    create_private(path)?;
    let mut connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let version = checked_version(&connection, path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The writer checkpoints between groups, when nobody waits. This is the limit, 16 MiB, for
    // when somebody always does.
    connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    schema::migrate(&mut connection, version)?;
    free_leases(&connection)?;
    Ok(Writing {
        connection,
        _lock: lock,
    })
}

/// Leases that cannot be freed while the disk is full end by themselves: no reason not to start.
fn free_leases(connection: &Connection) -> Result<(), JournalError> {
    let freed = connection.execute(
        "UPDATE deliveries SET leased_until_ms = 0 WHERE state = 'waiting' AND leased_until_ms > 0",
        [],
    );
    match freed.map_err(JournalError::from) {
        Ok(_) => Ok(()),
        Err(error) if error.may_pass() => {
            tracing::warn!(%error, "deliveries of an earlier process wait for their leases to end");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Opens a connection that cannot write. The file must have been opened for writing before.
pub(super) fn open_reading(path: &Path) -> Result<Connection, JournalError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Each connection is used by one thread only.
const NO_MUTEX: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;

fn lock(path: &Path) -> Result<File, JournalError> {
    let mut lock_path = OsString::from(path);
    lock_path.push(".lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(PathBuf::from(lock_path))
        .map_err(|source| unopenable(path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(unopenable(path, source)),
    }
}

/// Creates the file so that only its owner reads what callers said; SQLite gives the same mode to
/// the files beside it.
fn create_private(path: &Path) -> Result<(), JournalError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|source| unopenable(path, source))
}

fn checked_version(connection: &Connection, path: &Path) -> Result<u32, JournalError> {
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if tables > 0 && application != schema::APPLICATION_ID {
        return Err(JournalError::Foreign {
            path: path.to_owned(),
        });
    }
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > schema::VERSION {
        return Err(JournalError::NewerSchema {
            path: path.to_owned(),
            found,
            known: schema::VERSION,
        });
    }
    Ok(found)
}

fn unopenable(path: &Path, source: std::io::Error) -> JournalError {
    JournalError::Unopenable {
        path: path.to_owned(),
        source: Arc::new(source),
    }
}
