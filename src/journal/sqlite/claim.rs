//! Claiming what is due.

use std::error::Error;
use std::time::Duration;

use handoff_core::id::HandoffId;
use handoff_core::time::WallTime;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::read::{receipt, restored, stored};
use crate::journal::JournalError;
use crate::journal::outbox::{Claim, ClaimId, Claimed, Claims, Progress};
use crate::journal::record::{RecordError, decode_context, malformed};

/// How long a row that cannot be read is left alone. It stays in the outbox, where the age of the
/// oldest undelivered row shows it; a newer program may be able to read it.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(3_600);

/// A waiting row with no earlier waiting row of its handoff at its sink.
macro_rules! heads {
    () => {
        "FROM deliveries AS d
         WHERE d.state = 'waiting' AND d.sink = :sink
           AND NOT EXISTS (
               SELECT 1 FROM deliveries AS earlier
               WHERE earlier.handoff = d.handoff AND earlier.sink = d.sink
                 AND earlier.state = 'waiting' AND earlier.id < d.id)"
    };
}

/// Claims up to `limit` due deliveries of one sink until `now + lease`.
pub(super) fn claim(
    connection: &Connection,
    sink: &str,
    now: WallTime,
    limit: u32,
    lease: Duration,
) -> Result<Claims, JournalError> {
    let mut ready = Vec::new();
    let due: Vec<i64> = connection
        .prepare_cached(concat!(
            "SELECT d.id ",
            heads!(),
            " AND d.due_ms <= :now AND d.leased_until_ms <= :now
              ORDER BY d.due_ms, d.id LIMIT :limit"
        ))?
        .query_map(
            named_params! { ":sink": sink, ":now": stored(now.0), ":limit": limit },
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    for id in due {
        connection
            .prepare_cached(
                "UPDATE deliveries
                 SET leased_until_ms = ?2, attempts = attempts + 1,
                     first_claimed_ms = coalesce(first_claimed_ms, ?3)
                 WHERE id = ?1",
            )?
            .execute(params![id, stored(later(now, lease).0), stored(now.0)])?;
        match claimed(connection, id) {
            Ok(claim) => ready.push(claim),
            Err(JournalError::Record(error)) => {
                tracing::error!(
                    delivery.id = id,
                    error = &error as &dyn Error,
                    "delivery cannot be read"
                );
                connection
                    .prepare_cached("UPDATE deliveries SET due_ms = ?2 WHERE id = ?1")?
                    .execute(params![id, stored(later(now, UNREADABLE_PAUSE).0)])?;
            }
            Err(error) => return Err(error),
        }
    }
    let next_due: Option<i64> = connection
        .prepare_cached(concat!(
            "SELECT min(max(d.due_ms, d.leased_until_ms)) ",
            heads!()
        ))?
        .query_row(named_params! { ":sink": sink }, |row| row.get(0))?;
    Ok(Claims {
        ready,
        next_due: next_due.map(|due| WallTime(restored(due))),
    })
}

fn claimed(connection: &Connection, id: i64) -> Result<Claim, JournalError> {
    let mut statement = connection.prepare_cached(
        "SELECT handoff, sink, kind, context, attempts, first_claimed_ms, progress, first_saved_ms
         FROM deliveries WHERE id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(JournalError::LeaseLost)?;
    let handoff: String = row.get("handoff")?;
    let sink: String = row.get("sink")?;
    let kind: String = row.get("kind")?;
    let attempt: u32 = row.get("attempts")?;
    Ok(Claim {
        id: ClaimId { row: id, attempt },
        kind: match kind.as_str() {
            "open" => Claimed::Open,
            "update" => opened(connection, &handoff, &sink)?,
            _ => return Err(unnamed().into()),
        },
        handoff: HandoffId::parse(&handoff).ok_or_else(unnamed)?,
        sink,
        context: decode_context(row.get_ref("context")?.as_str().map_err(|_| unnamed())?)?,
        attempt,
        first_claimed: WallTime(restored(row.get("first_claimed_ms")?)),
        progress: progress(row)?,
    })
}

fn progress(row: &Row<'_>) -> rusqlite::Result<Option<Progress>> {
    let bytes: Option<Vec<u8>> = row.get("progress")?;
    let first_saved: Option<i64> = row.get("first_saved_ms")?;
    Ok(bytes.zip(first_saved).map(|(bytes, first_saved)| Progress {
        bytes,
        first_saved: WallTime(restored(first_saved)),
    }))
}

fn opened(connection: &Connection, handoff: &str, sink: &str) -> Result<Claimed, JournalError> {
    let receipt = connection
        .prepare_cached(
            "SELECT external_id, url, content_sha256, exactly_once, settled_ms FROM deliveries
             WHERE handoff = ?1 AND sink = ?2 AND kind = 'open' AND state = 'delivered'
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row([handoff, sink], receipt)
        .optional()?;
    Ok(receipt.map_or(Claimed::NeverOpened, |opened| Claimed::Update { opened }))
}

fn unnamed() -> RecordError {
    malformed("delivery")
}

fn later(now: WallTime, by: Duration) -> WallTime {
    let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    WallTime(now.0.saturating_add(millis))
}
