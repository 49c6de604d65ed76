//! Adding records, what follows from them, and outbox rows.

use handoff_core::call::Fact;
use handoff_core::id::CallId;
use handoff_core::time::{CallTime, WallTime};
use rusqlite::{Connection, params};

use super::read::{kind_text, stored};
use crate::journal::JournalError;
use crate::journal::outbox::NewDelivery;
use crate::journal::record::{encode_context, encode_fact, nanos};

/// Records and deliveries in the form in which they are stored. Made on the task that appends, so
/// that the writing thread only writes.
pub(super) struct Appending {
    call: String,
    records: Vec<Row>,
    deliveries: Vec<DeliveryRow>,
}

struct Row {
    at_ns: i64,
    wall_ms: i64,
    fact: String,
    projection: Projection,
}

/// What a fact changes besides being added.
enum Projection {
    None,
    Announced { carrier_call: String },
    Ended,
}

struct DeliveryRow {
    handoff: String,
    sink: String,
    kind: &'static str,
    revision: u32,
    context: String,
    created_ms: i64,
}

impl Appending {
    pub(super) fn new(
        call: &CallId,
        facts: &[(CallTime, WallTime, Fact)],
        deliveries: &[NewDelivery],
    ) -> Result<Self, JournalError> {
        Ok(Self {
            call: call.as_str().to_owned(),
            records: facts.iter().map(Row::new).collect::<Result<_, _>>()?,
            deliveries: deliveries
                .iter()
                .map(DeliveryRow::new)
                .collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn write(self, connection: &Connection) -> Result<(), JournalError> {
        let mut sequence: i64 = connection
            .prepare_cached("SELECT coalesce(max(sequence), 0) FROM records WHERE call = ?1")?
            .query_row([&self.call], |row| row.get(0))?;
        for record in &self.records {
            sequence += 1;
            connection
                .prepare_cached(
                    "INSERT INTO records (call, sequence, at_ns, wall_ms, fact)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    self.call,
                    sequence,
                    record.at_ns,
                    record.wall_ms,
                    record.fact
                ])?;
            record.project(&self.call, connection)?;
        }
        for delivery in &self.deliveries {
            delivery.write(&self.call, connection)?;
        }
        Ok(())
    }
}

impl Row {
    fn new((at, wall, fact): &(CallTime, WallTime, Fact)) -> Result<Self, JournalError> {
        Ok(Self {
            at_ns: stored(nanos(*at)),
            wall_ms: stored(wall.0),
            fact: encode_fact(fact)?,
            projection: Projection::of(fact),
        })
    }

    fn project(&self, call: &str, connection: &Connection) -> Result<(), JournalError> {
        match &self.projection {
            Projection::None => {}
            Projection::Announced { carrier_call } => {
                connection
                    .prepare_cached(
                        "INSERT INTO calls (call, carrier_call, announced_ms) VALUES (?1, ?2, ?3)
                         ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![call, carrier_call, self.wall_ms])?;
            }
            Projection::Ended => {
                connection
                    .prepare_cached("UPDATE calls SET ended_ms = ?2 WHERE call = ?1")?
                    .execute(params![call, self.wall_ms])?;
            }
        }
        Ok(())
    }
}

impl Projection {
    fn of(fact: &Fact) -> Self {
        match fact {
            Fact::CallAnnounced { carrier_call, .. } => Self::Announced {
                carrier_call: carrier_call.0.clone(),
            },
            Fact::CallEnded { .. } => Self::Ended,
            Fact::StreamStarted { .. }
            | Fact::StreamStopped { .. }
            | Fact::UtteranceHeard(_)
            | Fact::DigitPressed { .. }
            | Fact::DigitsEntered { .. }
            | Fact::RecognizerLost { .. }
            | Fact::RecognizerRestored { .. }
            | Fact::Triggered(_)
            | Fact::Routed { .. }
            | Fact::RewriteRequested { .. }
            | Fact::RewriteSettled { .. }
            | Fact::DocumentFetched { .. }
            | Fact::LegProgressed { .. }
            | Fact::HumanCalled { .. }
            | Fact::DialEnded { .. }
            | Fact::CallBackPromised { .. }
            | Fact::MessageLeft { .. }
            | Fact::CutShort { .. }
            | Fact::HandoffGivenUp { .. } => Self::None,
        }
    }
}

impl DeliveryRow {
    fn new(delivery: &NewDelivery) -> Result<Self, JournalError> {
        Ok(Self {
            handoff: delivery.handoff().as_str().to_owned(),
            sink: delivery.sink.clone(),
            kind: kind_text(delivery.kind),
            revision: delivery.context.revision,
            context: encode_context(&delivery.context)?,
            created_ms: stored(delivery.created.0),
        })
    }

    fn write(&self, call: &str, connection: &Connection) -> Result<(), JournalError> {
        connection
            .prepare_cached(
                "INSERT INTO deliveries
                     (call, handoff, sink, kind, revision, context, created_ms, due_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
                 ON CONFLICT (handoff, sink, kind, revision) DO NOTHING",
            )?
            .execute(params![
                call,
                self.handoff,
                self.sink,
                self.kind,
                self.revision,
                self.context,
                self.created_ms
            ])?;
        Ok(())
    }
}
