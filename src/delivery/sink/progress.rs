//! How far a delivery got, as bytes that the journal keeps and only the sink understands.
//!
//! The bytes may hold what callers said and what uploads are reached by, so that no state has a
//! `Debug` that could end in a log.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What the journal gave back.
pub(super) enum Restored<T> {
    /// Nothing was saved: nothing was sent.
    Fresh,
    /// A state of this version.
    Known(T),
    /// Bytes of another version. Whether anything was delivered is unknown.
    Unreadable,
}

/// Writes a state for the journal.
pub(super) fn saved<T: Serialize>(state: &T) -> Vec<u8> {
    serde_json::to_vec(state)
        .expect("progress is strings, numbers and lists, which always serialize")
}

/// Reads what [`saved`] wrote.
pub(super) fn restored<T: DeserializeOwned>(progress: Option<&[u8]>) -> Restored<T> {
    match progress.map(serde_json::from_slice) {
        None => Restored::Fresh,
        Some(Ok(state)) => Restored::Known(state),
        Some(Err(_)) => Restored::Unreadable,
    }
}
