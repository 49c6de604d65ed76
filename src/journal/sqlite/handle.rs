//! The handle that everyone else holds.

use std::path::Path;
use std::time::Duration;

use handoff_core::call::Fact;
use handoff_core::id::{CallId, CarrierCallId, HandoffId};
use handoff_core::route::TargetName;
use handoff_core::time::{CallTime, WallTime};
use tokio::sync::watch;

use super::append::Appending;
use super::reader::Reader;
use super::writer::Writer;
use super::{claim, read, settle, target};
use crate::journal::{
    ClaimId, Claims, Delivery, JournalError, NewDelivery, OpenCall, Record, Settlement,
    TargetState, Undelivered,
};

/// The journal. Cheap to clone; the file closes with [`Journal::close`] or the last clone.
///
/// Every method that changes something returns when the change is on disk, as if by `fsync`, and
/// keeps its promise also if the returned future is dropped: a change that reached the queue is
/// made. Shown by `journal::conformance` and, over SIGKILL, by `journal::sqlite::tests`.
#[derive(Clone, Debug)]
pub struct Journal {
    pub(super) writer: Writer,
    reader: Reader,
    added: watch::Sender<u64>,
    settled: watch::Sender<u64>,
}

impl Journal {
    /// Opens the journal, creating it if there is none. Blocks for a few file operations.
    ///
    /// Deliveries that a crashed predecessor had claimed are free at once.
    ///
    /// # Errors
    ///
    /// All that concern the file as a whole: [`JournalError::InUse`], `Unopenable`, `NewerSchema`,
    /// `Foreign`, `Corrupt`, `Full`. Their messages say what to do.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self {
            writer: Writer::start(path)?,
            reader: Reader::start(path)?,
            added: watch::Sender::new(0),
            settled: watch::Sender::new(0),
        })
    }

    /// Finishes what is queued and closes the file, for all clones.
    pub async fn close(self) {
        self.writer.close().await;
    }

    /// Adds facts to a call's records, in the given order.
    ///
    /// # Errors
    ///
    /// Nothing was added. [`JournalError::may_pass`] says whether to append again.
    pub async fn append(
        &self,
        call: &CallId,
        facts: Vec<(CallTime, WallTime, Fact)>,
    ) -> Result<(), JournalError> {
        let appending = Appending::new(call, &facts, &[])?;
        self.writer
            .change(None, |connection| appending.write(connection))
            .await
    }

    /// Adds facts and the deliveries that follow from them, all or nothing. A delivery that was
    /// added before is left as it is.
    ///
    /// # Errors
    ///
    /// Nothing was added. [`JournalError::may_pass`] says whether to append again.
    pub async fn append_with_deliveries(
        &self,
        call: &CallId,
        facts: Vec<(CallTime, WallTime, Fact)>,
        deliveries: Vec<NewDelivery>,
    ) -> Result<(), JournalError> {
        let appending = Appending::new(call, &facts, &deliveries)?;
        self.writer
            .change(Some(&self.added), |connection| appending.write(connection))
            .await
    }

    /// Claims up to `limit` deliveries of a sink that are due, until `now + lease`.
    ///
    /// An update is claimed only when the opening delivery, and every earlier update, of its
    /// handoff at the sink is settled. A claim whose lease ends unsettled is given out again.
    ///
    /// # Errors
    ///
    /// Nothing was claimed.
    pub async fn claim(
        &self,
        sink: &str,
        now: WallTime,
        limit: u32,
        lease: Duration,
    ) -> Result<Claims, JournalError> {
        let sink = sink.to_owned();
        self.writer
            .change(None, move |connection| {
                claim::claim(connection, &sink, now, limit, lease)
            })
            .await
    }

    /// Stores what the sink wants to see at its next step.
    ///
    /// # Errors
    ///
    /// [`JournalError::LeaseLost`] if the claim is no longer held; stop working on it then.
    pub async fn save_progress(
        &self,
        id: ClaimId,
        now: WallTime,
        progress: Vec<u8>,
    ) -> Result<(), JournalError> {
        self.writer
            .change(None, move |connection| {
                settle::save_progress(connection, id, now, &progress)
            })
            .await
    }

    /// Ends a claim.
    ///
    /// # Errors
    ///
    /// [`JournalError::LeaseLost`] if the claim is no longer held.
    pub async fn settle(&self, id: ClaimId, settlement: Settlement) -> Result<(), JournalError> {
        self.writer
            .change(Some(&self.settled), move |connection| {
                settle::settle(connection, id, &settlement)
            })
            .await
    }

    /// Makes a dead delivery due again. `false` if there is no such dead delivery.
    ///
    /// # Errors
    ///
    /// Nothing was changed.
    pub async fn revive(&self, delivery: i64, now: WallTime) -> Result<bool, JournalError> {
        self.writer
            .change(Some(&self.added), move |connection| {
                settle::revive(connection, delivery, now)
            })
            .await
    }

    /// Writes down what was told of a target, in place of what was told earlier.
    ///
    /// # Errors
    ///
    /// Nothing was changed. [`JournalError::may_pass`] says whether to try again.
    pub async fn note_target(
        &self,
        name: &TargetName,
        state: TargetState,
    ) -> Result<(), JournalError> {
        let name = name.clone();
        self.writer
            .change(None, move |connection| {
                target::write(connection, &name, &state)
            })
            .await
    }

    /// Reads what was last told of each target, by name. Some may not be configured any more.
    ///
    /// # Errors
    ///
    /// Those of any read.
    pub async fn targets(&self) -> Result<Vec<(TargetName, TargetState)>, JournalError> {
        self.reader.ask(target::read_all).await
    }

    /// Counts up whenever deliveries may have become due by being added or revived.
    pub fn deliveries_added(&self) -> watch::Receiver<u64> {
        self.added.subscribe()
    }

    /// Counts up whenever a claim was settled.
    pub fn deliveries_settled(&self) -> watch::Receiver<u64> {
        self.settled.subscribe()
    }

    /// Why the journal cannot be written; `None` while it can be, as far as the last write showed.
    pub fn trouble(&self) -> Option<JournalError> {
        self.writer.trouble().borrow().clone()
    }

    /// Waits for a write to succeed after one that failed.
    pub async fn writable_again(&self) {
        let mut trouble = self.writer.trouble();
        loop {
            // Fails if the journal is closed, which the next write is told.
            if trouble.changed().await.is_err() || trouble.borrow_and_update().is_none() {
                return;
            }
        }
    }

    /// Reads the records of a call, in order.
    ///
    /// # Errors
    ///
    /// [`JournalError::Record`] if one of them was written by a newer program or is damaged.
    pub async fn records(&self, call: &CallId) -> Result<Vec<Record>, JournalError> {
        let call = call.clone();
        self.reader
            .ask(move |connection| read::records(connection, &call))
            .await
    }

    /// Lists the calls that were announced and have not ended, oldest first.
    ///
    /// # Errors
    ///
    /// Those of any read.
    pub async fn open_calls(&self) -> Result<Vec<OpenCall>, JournalError> {
        self.reader.ask(read::open_calls).await
    }

    /// Finds the call that was first announced under the carrier's name.
    ///
    /// # Errors
    ///
    /// Those of any read.
    pub async fn call_of_carrier(
        &self,
        carrier_call: &CarrierCallId,
    ) -> Result<Option<CallId>, JournalError> {
        let carrier_call = carrier_call.clone();
        self.reader
            .ask(move |connection| read::call_of_carrier(connection, &carrier_call))
            .await
    }

    /// Lists the deliveries of a handoff in the order in which they were added.
    ///
    /// # Errors
    ///
    /// Those of any read.
    pub async fn deliveries(&self, handoff: &HandoffId) -> Result<Vec<Delivery>, JournalError> {
        let handoff = handoff.clone();
        self.reader
            .ask(move |connection| read::deliveries(connection, &handoff))
            .await
    }

    /// Counts what is still to be delivered.
    ///
    /// # Errors
    ///
    /// Those of any read.
    pub async fn undelivered(&self) -> Result<Undelivered, JournalError> {
        self.reader.ask(read::undelivered).await
    }
}
