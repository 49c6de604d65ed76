//! What every stored JSON text has around it, and what a stored fact has beside it.

use handoff_core::call::Fact;
use handoff_core::id::CallId;
use handoff_core::time::{CallTime, WallTime};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The version that is written.
pub const VERSION: u32 = 1;

/// One fact of one call as the journal keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Which call.
    pub call: CallId,
    /// Counts the records of the call, from 1, without gaps.
    pub sequence: u64,
    /// When, by the call's clock.
    pub at: CallTime,
    /// When, by the calendar.
    pub wall: WallTime,
    /// What happened.
    pub fact: Fact,
}

/// Why a stored text cannot be read, or a value cannot be stored. Never repeats what was stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It was written by a newer program.
    #[error("record has version {found}, this program knows {VERSION}")]
    UnknownVersion {
        /// The version it names.
        found: u32,
    },
    /// Its version is known, its kind is not.
    #[error("record of version {version} has unknown kind {kind:?}")]
    UnknownKind {
        /// The version it names.
        version: u32,
        /// The kind it names.
        kind: String,
    },
    /// It is not what its kind prescribes.
    #[error("record of kind {kind:?} is malformed")]
    Malformed {
        /// The kind it names, empty if not even that could be read.
        kind: String,
    },
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    v: u32,
    #[serde(flatten)]
    body: &'a T,
}

#[derive(Deserialize)]
struct Head {
    v: u32,
    kind: String,
}

/// Writes a body that names its own kind.
pub(super) fn encode<T: Serialize>(body: &T) -> Result<String, RecordError> {
    serde_json::to_string(&Envelope { v: VERSION, body }).map_err(|_| malformed(""))
}

/// Reads a body whose kind is one of `kinds`.
pub(super) fn decode<T: DeserializeOwned>(text: &str, kinds: &[&str]) -> Result<T, RecordError> {
    let Head { v, kind } = serde_json::from_str(text).map_err(|_| malformed(""))?;
    if v != VERSION {
        return Err(RecordError::UnknownVersion { found: v });
    }
    if !kinds.contains(&kind.as_str()) {
        return Err(RecordError::UnknownKind { version: v, kind });
    }
    serde_json::from_str(text).map_err(|_| malformed(&kind))
}

/// Stands in for the parser's message, which quotes the text.
pub(in crate::journal) fn malformed(kind: &str) -> RecordError {
    RecordError::Malformed {
        kind: kind.to_owned(),
    }
}
