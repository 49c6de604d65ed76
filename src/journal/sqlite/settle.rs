//! What becomes of a claim.
//!
//! A claim is named by row and attempt, so a worker whose lease ran out cannot settle, or store
//! progress in, a row that has been claimed again since.

use handoff_core::time::WallTime;
use rusqlite::{Connection, params};

use super::read::stored;
use crate::journal::JournalError;
use crate::journal::outbox::{ClaimId, Settlement};
use crate::journal::record::encode_failure;

/// Stores what the sink wants to see at its next step.
pub(super) fn save_progress(
    connection: &Connection,
    id: ClaimId,
    now: WallTime,
    progress: &[u8],
) -> Result<(), JournalError> {
    let changed = connection
        .prepare_cached(
            "UPDATE deliveries
             SET progress = ?3, first_saved_ms = coalesce(first_saved_ms, ?4)
             WHERE id = ?1 AND attempts = ?2 AND state = 'waiting'",
        )?
        .execute(params![id.row, id.attempt, progress, stored(now.0)])?;
    held(changed)
}

/// Ends a claim.
pub(super) fn settle(
    connection: &Connection,
    id: ClaimId,
    settlement: &Settlement,
) -> Result<(), JournalError> {
    let changed = match settlement {
        Settlement::Delivered(receipt) => connection
            .prepare_cached(
                "UPDATE deliveries
                 SET state = 'delivered', failure = NULL, progress = NULL, settled_ms = ?3,
                     external_id = ?4, url = ?5, content_sha256 = ?6, exactly_once = ?7
                 WHERE id = ?1 AND attempts = ?2 AND state = 'waiting'",
            )?
            .execute(params![
                id.row,
                id.attempt,
                stored(receipt.at.0),
                receipt.external_id,
                receipt.url,
                receipt.content_sha256,
                receipt.exactly_once,
            ])?,
        Settlement::RetryAt { due, reason } => connection
            .prepare_cached(
                "UPDATE deliveries SET due_ms = ?3, leased_until_ms = 0, failure = ?4
                 WHERE id = ?1 AND attempts = ?2 AND state = 'waiting'",
            )?
            .execute(params![
                id.row,
                id.attempt,
                stored(due.0),
                encode_failure(reason)?
            ])?,
        Settlement::Dead {
            at,
            reason,
            excerpt,
        } => connection
            .prepare_cached(
                "UPDATE deliveries
                 SET state = 'dead', settled_ms = ?3, failure = ?4, excerpt = ?5
                 WHERE id = ?1 AND attempts = ?2 AND state = 'waiting'",
            )?
            .execute(params![
                id.row,
                id.attempt,
                stored(at.0),
                encode_failure(reason)?,
                excerpt.as_ref().map(|excerpt| excerpt.expose().to_owned()),
            ])?,
    };
    held(changed)
}

/// Makes a dead delivery due again, with a new schedule. `false` if it is not dead.
pub(super) fn revive(
    connection: &Connection,
    delivery: i64,
    now: WallTime,
) -> Result<bool, JournalError> {
    let changed = connection
        .prepare_cached(
            "UPDATE deliveries
             SET state = 'waiting', due_ms = ?2, leased_until_ms = 0, first_claimed_ms = NULL,
                 settled_ms = NULL, excerpt = NULL
             WHERE id = ?1 AND state = 'dead'",
        )?
        .execute(params![delivery, stored(now.0)])?;
    Ok(changed == 1)
}

const fn held(changed: usize) -> Result<(), JournalError> {
    if changed == 1 {
        Ok(())
    } else {
        Err(JournalError::LeaseLost)
    }
}
