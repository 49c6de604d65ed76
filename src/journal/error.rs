//! What can go wrong with the journal, and whether to try again.

use std::path::PathBuf;
use std::sync::Arc;

use super::record::RecordError;

/// Why the journal did not do what it was asked.
///
/// Cloneable, because one failed commit answers everyone whose change was in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process (or another [`super::Journal`] of this one) has the file.
    #[error(
        "journal {} is in use: stop the other process, or give this one its own data directory",
        path.display()
    )]
    InUse {
        /// The journal's file.
        path: PathBuf,
    },
    /// The file or its lock could not be opened or created.
    #[error("journal {} cannot be opened: check that its directory exists and is writable", path.display())]
    Unopenable {
        /// The journal's file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The file was written by a newer program.
    #[error(
        "journal {} has schema {found}, this program knows {known}: run the newer program, or \
         restore the copy made before the upgrade",
        path.display()
    )]
    NewerSchema {
        /// The journal's file.
        path: PathBuf,
        /// The file's schema version.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// The file is an SQLite database of something else.
    #[error("{} is a database, but not a journal: choose another path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error(
        "journal is damaged: move it aside and restore a copy, or save what is left with \
         `sqlite3 FILE .recover`"
    )]
    Corrupt(#[source] Arc<rusqlite::Error>),
    /// The disk is full.
    #[error("journal cannot grow: the disk is full")]
    Full(#[source] Arc<rusqlite::Error>),
    /// Someone else holds the database's lock, for example a shell with an open transaction.
    #[error("journal is locked by someone else")]
    Busy(#[source] Arc<rusqlite::Error>),
    /// The disk fails or is mounted read-only, or the file may not grow as far.
    #[error("journal cannot be written: the disk fails, is read-only or limited")]
    Unwritable(#[source] Arc<rusqlite::Error>),
    /// Anything else that SQLite reports.
    #[error("journal database failed")]
    Database(#[source] Arc<rusqlite::Error>),
    /// The transaction that this change shared with others was rolled back.
    #[error("journal transaction was rolled back")]
    RolledBack,
    /// A record could not be written or read back.
    #[error("journal record is unusable")]
    Record(#[from] RecordError),
    /// The claim is no longer held: its lease ran out and the row went to someone else, or it is
    /// settled.
    #[error("delivery is no longer claimed")]
    LeaseLost,
    /// The journal was closed.
    #[error("journal is closed")]
    Closed,
}

impl JournalError {
    /// Whether the same change may succeed later without anything being mended by hand.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Full(_) | Self::Busy(_) | Self::Unwritable(_) | Self::RolledBack => true,
            Self::InUse { .. }
            | Self::Unopenable { .. }
            | Self::NewerSchema { .. }
            | Self::Foreign { .. }
            | Self::Corrupt(_)
            | Self::Database(_)
            | Self::Record(_)
            | Self::LeaseLost
            | Self::Closed => false,
        }
    }

    /// Whether any other change would have failed as well: what [`super::Journal::trouble`] tells.
    pub const fn is_of_the_file(&self) -> bool {
        match self {
            Self::Corrupt(_) | Self::Full(_) | Self::Busy(_) | Self::Unwritable(_) => true,
            Self::InUse { .. }
            | Self::Unopenable { .. }
            | Self::NewerSchema { .. }
            | Self::Foreign { .. }
            | Self::Database(_)
            | Self::RolledBack
            | Self::Record(_)
            | Self::LeaseLost
            | Self::Closed => false,
        }
    }

    /// Whether it is this change that cannot be made, and another may well be.
    pub const fn is_of_the_change(&self) -> bool {
        match self {
            Self::Database(_) | Self::Record(_) | Self::LeaseLost => true,
            Self::InUse { .. }
            | Self::Unopenable { .. }
            | Self::NewerSchema { .. }
            | Self::Foreign { .. }
            | Self::Corrupt(_)
            | Self::Full(_)
            | Self::Busy(_)
            | Self::Unwritable(_)
            | Self::RolledBack
            | Self::Closed => false,
        }
    }
}

impl From<rusqlite::Error> for JournalError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let code = error.sqlite_error_code();
        let error = Arc::new(error);
        match code {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error),
            Some(ErrorCode::DiskFull) => Self::Full(error),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(error),
            // A write past a limit of the process (EFBIG) or to a disk mounted read-only meanwhile
            // comes as a failure of the device.
            Some(ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
                Self::Unwritable(error)
            }
            // `ErrorCode` is SQLite's list, not ours, and grows with it.
            Some(_) | None => Self::Database(error),
        }
    }
}
