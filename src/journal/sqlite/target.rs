//! What was last told of targets, one row each.

use handoff_core::route::{Metrics, TargetName};
use handoff_core::time::WallTime;
use rusqlite::{Connection, params};

use super::read::{restored, stored};
use crate::journal::JournalError;
use crate::journal::record::malformed;
use crate::journal::target::TargetState;

pub(super) fn write(
    connection: &Connection,
    target: &TargetName,
    state: &TargetState,
) -> Result<(), JournalError> {
    let TargetState {
        available,
        metrics,
        told,
    } = state;
    connection
        .prepare_cached(
            "INSERT INTO targets (name, available, handle_seconds, csat, wait_seconds, told_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (name) DO UPDATE SET
                 available = excluded.available,
                 handle_seconds = excluded.handle_seconds,
                 csat = excluded.csat,
                 wait_seconds = excluded.wait_seconds,
                 told_ms = excluded.told_ms
             WHERE excluded.told_ms >= told_ms",
        )?
        .execute(params![
            target.as_str(),
            available,
            metrics.handle_seconds,
            metrics.csat,
            metrics.wait_seconds,
            stored(told.0),
        ])?;
    Ok(())
}

pub(super) fn read_all(
    connection: &Connection,
) -> Result<Vec<(TargetName, TargetState)>, JournalError> {
    let mut statement = connection.prepare_cached("SELECT * FROM targets ORDER BY name")?;
    let mut rows = statement.query([])?;
    let mut targets = Vec::new();
    while let Some(row) = rows.next()? {
        let name = TargetName::parse(&row.get::<_, String>("name")?)
            .map_err(|_| JournalError::Record(malformed("row")))?;
        let metrics = Metrics {
            handle_seconds: row.get("handle_seconds")?,
            csat: row.get("csat")?,
            wait_seconds: row.get("wait_seconds")?,
        };
        let state = TargetState {
            available: row.get("available")?,
            metrics,
            told: WallTime(restored(row.get("told_ms")?)),
        };
        targets.push((name, state));
    }
    Ok(targets)
}
