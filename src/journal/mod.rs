//! The journal: what happened in every call, and what is still to be delivered.
//!
//! Records are only ever added, numbered per call. A decision and the outbox rows that follow from
//! it are one transaction, so after a crash either both are there or neither. What
//! [`Journal::append`] has acknowledged is on disk.
//!
//! Beside them it keeps what was last told of each target.
//!
//! The disk form of everything is in [`record`], apart from the types of the core, so that the
//! core can change without the files of yesterday becoming unreadable.

mod error;
mod outbox;
pub mod record;
mod sqlite;
mod target;

#[cfg(test)]
mod conformance;
#[cfg(test)]
pub(crate) mod testing;

pub use error::JournalError;
pub use outbox::{
    Claim, ClaimId, Claimed, Claims, Delivery, DeliveryKind, DeliveryState, Excerpt, FailureReason,
    NewDelivery, OpenCall, Progress, Receipt, Settlement, Undelivered,
};
pub use record::Record;
pub use sqlite::Journal;
pub use target::TargetState;
