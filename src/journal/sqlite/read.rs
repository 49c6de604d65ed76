//! Reading back.

use handoff_core::id::{CallId, CarrierCallId, HandoffId};
use handoff_core::time::WallTime;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::journal::JournalError;
use crate::journal::outbox::{
    Delivery, DeliveryKind, DeliveryState, Excerpt, FailureReason, OpenCall, Receipt, Undelivered,
};
use crate::journal::record::{Record, call_time, decode_fact, decode_failure, malformed};

pub(super) fn records(connection: &Connection, call: &CallId) -> Result<Vec<Record>, JournalError> {
    let mut statement = connection.prepare_cached(
        "SELECT sequence, at_ns, wall_ms, fact FROM records WHERE call = ?1 ORDER BY sequence",
    )?;
    let mut rows = statement.query([call.as_str()])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(Record {
            call: call.clone(),
            sequence: restored(row.get("sequence")?),
            at: call_time(restored(row.get("at_ns")?)),
            wall: WallTime(restored(row.get("wall_ms")?)),
            fact: decode_fact(&row.get::<_, String>("fact")?)?,
        });
    }
    Ok(records)
}

pub(super) fn open_calls(connection: &Connection) -> Result<Vec<OpenCall>, JournalError> {
    let mut statement = connection.prepare_cached(
        "SELECT call, carrier_call, announced_ms FROM calls
         WHERE ended_ms IS NULL ORDER BY announced_ms, call",
    )?;
    let mut rows = statement.query([])?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        calls.push(OpenCall {
            call: call_id(&row.get::<_, String>("call")?)?,
            carrier_call: CarrierCallId(row.get("carrier_call")?),
            announced: WallTime(restored(row.get("announced_ms")?)),
        });
    }
    Ok(calls)
}

pub(super) fn call_of_carrier(
    connection: &Connection,
    carrier_call: &CarrierCallId,
) -> Result<Option<CallId>, JournalError> {
    let call: Option<String> = connection
        .prepare_cached(
            "SELECT call FROM calls WHERE carrier_call = ?1 ORDER BY announced_ms, call LIMIT 1",
        )?
        .query_row([&carrier_call.0], |row| row.get(0))
        .optional()?;
    call.map(|call| call_id(&call)).transpose()
}

pub(super) fn deliveries(
    connection: &Connection,
    handoff: &HandoffId,
) -> Result<Vec<Delivery>, JournalError> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM deliveries WHERE handoff = ?1 ORDER BY id")?;
    let mut rows = statement.query([handoff.as_str()])?;
    let mut deliveries = Vec::new();
    while let Some(row) = rows.next()? {
        deliveries.push(delivery(row)?);
    }
    Ok(deliveries)
}

pub(super) fn undelivered(connection: &Connection) -> Result<Undelivered, JournalError> {
    let undelivered = connection
        .prepare_cached("SELECT count(*), min(created_ms) FROM deliveries WHERE state = 'waiting'")?
        .query_row([], |row| {
            let oldest: Option<i64> = row.get(1)?;
            Ok(Undelivered {
                count: restored(row.get(0)?),
                oldest: oldest.map(|oldest| WallTime(restored(oldest))),
            })
        })?;
    Ok(undelivered)
}

fn delivery(row: &Row<'_>) -> Result<Delivery, JournalError> {
    let kind: String = row.get("kind")?;
    let state: String = row.get("state")?;
    Ok(Delivery {
        id: row.get("id")?,
        sink: row.get("sink")?,
        kind: match kind.as_str() {
            "open" => DeliveryKind::Open,
            "update" => DeliveryKind::Update,
            _ => return Err(misshapen()),
        },
        revision: row.get("revision")?,
        created: WallTime(restored(row.get("created_ms")?)),
        attempts: row.get("attempts")?,
        state: match state.as_str() {
            "waiting" => DeliveryState::Waiting {
                due: WallTime(restored(row.get("due_ms")?)),
                last_failure: failure(row)?,
            },
            "delivered" => DeliveryState::Delivered(receipt(row)?),
            "dead" => DeliveryState::Dead {
                at: WallTime(restored(row.get("settled_ms")?)),
                reason: failure(row)?.ok_or_else(misshapen)?,
                excerpt: row
                    .get::<_, Option<String>>("excerpt")?
                    .map(|excerpt| Excerpt::of(excerpt.as_bytes())),
            },
            _ => return Err(misshapen()),
        },
    })
}

fn failure(row: &Row<'_>) -> Result<Option<FailureReason>, JournalError> {
    let failure: Option<String> = row.get("failure")?;
    Ok(failure
        .map(|failure| decode_failure(&failure))
        .transpose()?)
}

pub(super) fn receipt(row: &Row<'_>) -> rusqlite::Result<Receipt> {
    Ok(Receipt {
        external_id: row.get("external_id")?,
        url: row.get("url")?,
        content_sha256: row.get("content_sha256")?,
        exactly_once: row.get("exactly_once")?,
        at: WallTime(restored(row.get("settled_ms")?)),
    })
}

pub(super) const fn kind_text(kind: DeliveryKind) -> &'static str {
    match kind {
        DeliveryKind::Open => "open",
        DeliveryKind::Update => "update",
    }
}

/// SQLite's integers are signed. What does not fit is beyond any clock of ours.
pub(super) fn stored(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn restored(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn call_id(text: &str) -> Result<CallId, JournalError> {
    CallId::parse(text).ok_or_else(misshapen)
}

fn misshapen() -> JournalError {
    JournalError::Record(malformed("row"))
}
