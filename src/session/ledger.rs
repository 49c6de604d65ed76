//! What of a call is on its way into the journal: one write at a time, in the order in which it
//! happened.
//!
//! What happens during a write waits for its end and then goes as one transaction. While the journal
//! cannot be written (a full disk, a lock, a failing device) the same write is repeated until it
//! succeeds, so nothing overtakes what it followed and nothing is written twice. A call then keeps
//! at most [`LIMIT`] bytes of facts, with the default `max_calls` of 5000 at most 160 MiB in all.
//! Beyond that the oldest of the least important are dropped and counted; its announcement, its
//! decisions and its end never are.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use handoff_core::call::{Event, Fact};
use handoff_core::id::{CallId, HandoffId};
use handoff_core::time::{CallTime, WallTime};
use tracing::{debug, error, info, warn};

use crate::journal::{Journal, JournalError, NewDelivery};
use crate::telemetry::metrics;

/// Bytes of facts that a call keeps for a journal that is away: some hundred utterances, or ten
/// minutes of talk.
const LIMIT: usize = 32 * 1024;

/// Waits between attempts at one write, the last one repeated. Whoever succeeds ends the wait of
/// all. Without jitter: what comes at the same moment is one transaction.
const RETRY: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];

/// When something happened.
pub(super) type Stamp = (CallTime, WallTime);

/// Something to be written.
#[derive(Debug)]
pub(super) struct Entry {
    stamp: Stamp,
    fact: Fact,
    deliveries: Vec<NewDelivery>,
    awaited: Awaited,
}

/// What of the call waits for an entry to be on disk.
#[derive(Debug)]
enum Awaited {
    Nothing,
    Decision(HandoffId),
    End,
}

/// What a fact is worth while memory is short, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Importance {
    /// How the audio came.
    Technical,
    /// What was said and pressed.
    Said,
    /// How far the handoff is, from which a restart goes on.
    Course,
}

/// The entries of one call.
pub(super) struct Ledger {
    journal: Journal,
    call: CallId,
    writing: Option<Writing>,
    waiting: VecDeque<Entry>,
    waiting_bytes: usize,
    dropped: u64,
}

/// A write under way.
struct Writing {
    written: Pin<Box<dyn Future<Output = Vec<Event>> + Send>>,
    bytes: usize,
}

impl Entry {
    /// A fact that nobody waits for.
    pub(super) const fn fact(stamp: Stamp, fact: Fact) -> Self {
        Self {
            stamp,
            fact,
            deliveries: Vec::new(),
            awaited: Awaited::Nothing,
        }
    }

    /// The decision for a handoff, in one transaction with the deliveries it causes.
    pub(super) const fn decision(
        stamp: Stamp,
        fact: Fact,
        deliveries: Vec<NewDelivery>,
        handoff: HandoffId,
    ) -> Self {
        Self {
            stamp,
            fact,
            deliveries,
            awaited: Awaited::Decision(handoff),
        }
    }

    /// The end of the call, in one transaction with the last deliveries.
    pub(super) const fn end(stamp: Stamp, fact: Fact, deliveries: Vec<NewDelivery>) -> Self {
        Self {
            stamp,
            fact,
            deliveries,
            awaited: Awaited::End,
        }
    }

    /// `None` for what is never dropped.
    fn importance(&self) -> Option<Importance> {
        match self.awaited {
            Awaited::Nothing => {}
            Awaited::Decision(_) | Awaited::End => return None,
        }
        match &self.fact {
            // Without it a restart does not take up the call.
            Fact::CallAnnounced { .. } | Fact::Triggered(_) | Fact::CallEnded { .. } => None,
            Fact::StreamStarted { .. }
            | Fact::StreamStopped { .. }
            | Fact::RecognizerLost { .. }
            | Fact::RecognizerRestored { .. } => Some(Importance::Technical),
            Fact::UtteranceHeard(_) | Fact::DigitPressed { .. } | Fact::DigitsEntered { .. } => {
                Some(Importance::Said)
            }
            Fact::Routed { .. }
            | Fact::RewriteRequested { .. }
            | Fact::RewriteSettled { .. }
            | Fact::DocumentFetched { .. }
            | Fact::LegProgressed { .. }
            | Fact::HumanCalled { .. }
            | Fact::DialEnded { .. }
            | Fact::CallBackPromised { .. }
            | Fact::MessageLeft { .. }
            | Fact::CutShort { .. }
            | Fact::HandoffGivenUp { .. } => Some(Importance::Course),
        }
    }

    /// What counts toward [`LIMIT`]. What is never dropped does not: it is a handful a call.
    fn bytes(&self) -> usize {
        if self.importance().is_none() {
            return 0;
        }
        let said = match &self.fact {
            Fact::UtteranceHeard(utterance) => utterance.text.expose().len(),
            Fact::DigitsEntered { digits, .. } => digits.expose().len(),
            Fact::CallAnnounced { .. }
            | Fact::StreamStarted { .. }
            | Fact::StreamStopped { .. }
            | Fact::DigitPressed { .. }
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
            | Fact::HandoffGivenUp { .. }
            | Fact::CallEnded { .. } => 0,
        };
        size_of::<Self>() + said
    }
}

impl Awaited {
    fn into_event(self) -> Option<Event> {
        match self {
            Self::Nothing => None,
            Self::Decision(handoff) => Some(Event::DecisionRecorded { handoff }),
            Self::End => Some(Event::EndRecorded),
        }
    }
}

impl Ledger {
    pub(super) const fn new(journal: Journal, call: CallId) -> Self {
        Self {
            journal,
            call,
            writing: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            dropped: 0,
        }
    }

    /// Adds an entry behind all others.
    pub(super) fn push(&mut self, entry: Entry) {
        self.waiting_bytes += entry.bytes();
        self.waiting.push_back(entry);
        let under_way = self.writing.as_ref().map_or(0, |writing| writing.bytes);
        while under_way + self.waiting_bytes > LIMIT && self.drop_least_important() {}
    }

    /// Begins to write what waits, unless a write is under way. It has a place in the journal's
    /// queue at once, if there is one.
    pub(super) fn write(&mut self) {
        if self.writing.is_some() || self.waiting.is_empty() {
            return;
        }
        if self.dropped > 0 {
            info!(
                dropped = self.dropped,
                "the journal takes the call's facts again"
            );
            self.dropped = 0;
        }
        let batch = Vec::from(std::mem::take(&mut self.waiting));
        let bytes = std::mem::take(&mut self.waiting_bytes);
        let mut written = write(self.journal.clone(), self.call.clone(), batch).boxed();
        if let Some(events) = (&mut written).now_or_never() {
            written = std::future::ready(events).boxed();
        }
        self.writing = Some(Writing { written, bytes });
    }

    /// Whether anything is not on disk yet.
    pub(super) const fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// Waits for the end of the write under way and gives what the call waits for; forever if there
    /// is none. May be dropped and asked again.
    pub(super) async fn written(&mut self) -> Vec<Event> {
        let Some(writing) = &mut self.writing else {
            return std::future::pending().await;
        };
        let events = writing.written.as_mut().await;
        self.writing = None;
        events
    }

    /// `false` if there is nothing to drop.
    fn drop_least_important(&mut self) -> bool {
        let droppable = (self.waiting.iter().enumerate())
            .filter_map(|(nth, entry)| Some((entry.importance()?, nth)));
        let dropped = droppable
            .min()
            .and_then(|(_, nth)| self.waiting.remove(nth));
        let Some(entry) = dropped else {
            return false;
        };
        self.waiting_bytes -= entry.bytes();
        if self.dropped == 0 {
            warn!("the journal is away for long: facts of the call are dropped and counted");
        }
        self.dropped += 1;
        metrics::fact_dropped();
        true
    }
}

/// Writes entries, and gives what the call waits for.
async fn write(journal: Journal, call: CallId, batch: Vec<Entry>) -> Vec<Event> {
    let together = write_until_done(&journal, &call, &batch).await;
    if let Err(error) = together {
        if batch.len() > 1 && error.is_of_the_change() {
            // One of them cannot be written; that is no fault of the others.
            for entry in &batch {
                let alone = std::slice::from_ref(entry);
                if let Err(error) = write_until_done(&journal, &call, alone).await {
                    error!(%error, "a fact is lost: the journal does not take it");
                }
            }
        } else {
            let facts = batch.len();
            error!(%error, facts, "facts are lost: the journal does not take them");
        }
    }
    // What is lost is awaited in vain: the call must come to its end all the same.
    (batch.into_iter())
        .filter_map(|entry| entry.awaited.into_event())
        .collect()
}

/// Writes entries in one transaction, as often as it takes while that may help.
async fn write_until_done(
    journal: &Journal,
    call: &CallId,
    entries: &[Entry],
) -> Result<(), JournalError> {
    let mut pauses = RETRY.into_iter();
    loop {
        let facts = entries.iter().map(|entry| {
            let (at, wall) = entry.stamp;
            (at, wall, entry.fact.clone())
        });
        let deliveries: Vec<_> = (entries.iter())
            .flat_map(|entry| entry.deliveries.iter().cloned())
            .collect();
        let written = if deliveries.is_empty() {
            journal.append(call, facts.collect()).await
        } else {
            journal
                .append_with_deliveries(call, facts.collect(), deliveries)
                .await
        };
        let Err(error) = written else { return Ok(()) };
        metrics::journal_failed();
        if !error.may_pass() {
            return Err(error);
        }
        debug!(%error, "facts of the call wait for the journal");
        let pause = pauses.next().unwrap_or(RETRY[RETRY.len() - 1]);
        tokio::select! {
            () = journal.writable_again() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use handoff_core::pii::Pii;
    use handoff_core::speech::Speaker;
    use handoff_core::time::MediaTime;
    use tokio::time::timeout;

    use super::*;
    use crate::journal::testing::{
        SmallDisk, TestDir, announced, call_id, digit, ended, handoff_id, open, started, trigger,
        utterance,
    };

    const DEADLINE: Duration = Duration::from_secs(30);
    const NOW: Stamp = (CallTime(Duration::ZERO), WallTime(0));

    fn fresh() -> (TestDir, Journal) {
        let dir = TestDir::new();
        let journal = Journal::open(&dir.journal()).unwrap();
        (dir, journal)
    }

    fn said(nth: usize) -> Fact {
        let mut utterance = utterance();
        utterance.text = Pii::new(format!("{nth:0>1000}"));
        Fact::UtteranceHeard(utterance)
    }

    fn plain(fact: Fact) -> Entry {
        Entry::fact(NOW, fact)
    }

    fn decision() -> Entry {
        let decided = Fact::Triggered(trigger(1));
        Entry::decision(NOW, decided, vec![open(1, "crm")], handoff_id(1))
    }

    /// Writes all that waits, as the call's loop does.
    async fn settle(ledger: &mut Ledger) -> Vec<Event> {
        let mut events = Vec::new();
        ledger.write();
        while ledger.is_writing() {
            let written = timeout(DEADLINE, ledger.written()).await;
            events.extend(written.expect("the journal came back"));
            ledger.write();
        }
        events
    }

    async fn facts(journal: &Journal, call: &CallId) -> Vec<Fact> {
        let records = journal.records(call).await.unwrap();
        records.into_iter().map(|record| record.fact).collect()
    }

    #[tokio::test]
    async fn what_happens_while_the_journal_is_locked_is_written_once_and_in_order() {
        let (dir, journal) = fresh();
        let mut ledger = Ledger::new(journal.clone(), call_id(1));
        let lock = dir.lock_out();
        let happened = [announced("CA1"), started(), said(1), said(2)];
        for fact in happened.clone() {
            ledger.push(plain(fact));
            ledger.write();
        }
        ledger.push(decision());
        ledger.push(plain(digit('1')));
        ledger.push(Entry::end(NOW, ended(), Vec::new()));
        let waiting = timeout(Duration::from_millis(1_500), ledger.written()).await;
        assert!(
            waiting.is_err(),
            "nothing is written while the lock is held"
        );
        assert!(matches!(journal.trouble(), Some(JournalError::Busy(_))));
        drop(lock);
        let events = settle(&mut ledger).await;
        let handoff = handoff_id(1);
        assert_eq!(
            events,
            [Event::DecisionRecorded { handoff }, Event::EndRecorded]
        );
        let last = [Fact::Triggered(trigger(1)), digit('1'), ended()];
        assert_eq!(
            facts(&journal, &call_id(1)).await,
            [&happened[..], &last].concat()
        );
        assert_eq!(journal.deliveries(&handoff_id(1)).await.unwrap().len(), 1);
        assert!(journal.trouble().is_none());
    }

    #[tokio::test]
    async fn what_happens_while_the_disk_is_really_full_is_written_once_and_in_order() {
        let Some(disk) = SmallDisk::mount() else {
            return;
        };
        let journal = Journal::open(&disk.journal()).unwrap();
        let mut ledger = Ledger::new(journal.clone(), call_id(1));
        ledger.push(plain(announced("CA1")));
        settle(&mut ledger).await;
        disk.fill();
        for nth in 0..20 {
            ledger.push(plain(said(nth)));
            ledger.write();
        }
        ledger.push(decision());
        let waiting = timeout(Duration::from_secs(1), ledger.written()).await;
        assert!(
            waiting.is_err(),
            "nothing is written while the disk is full"
        );
        let trouble = journal.trouble();
        assert!(
            matches!(trouble, Some(JournalError::Full(_))),
            "{trouble:?}"
        );
        assert_eq!(facts(&journal, &call_id(1)).await, [announced("CA1")]);
        disk.make_room();
        settle(&mut ledger).await;
        let mut expected = vec![announced("CA1")];
        expected.extend((0..20).map(said));
        expected.push(Fact::Triggered(trigger(1)));
        assert_eq!(facts(&journal, &call_id(1)).await, expected);
        assert_eq!(journal.deliveries(&handoff_id(1)).await.unwrap().len(), 1);
        assert!(journal.trouble().is_none());
        journal.close().await;
    }

    #[tokio::test]
    async fn beyond_the_limit_the_oldest_of_the_least_important_goes() {
        let (dir, journal) = fresh();
        let mut ledger = Ledger::new(journal.clone(), call_id(1));
        let lock = dir.lock_out();
        // Under way when the journal turns out to be away, and so not dropped.
        ledger.push(plain(announced("CA1")));
        ledger.write();
        let lost = Fact::RecognizerLost {
            speaker: Speaker::Caller,
        };
        let requested = crate::journal::testing::requested(1);
        ledger.push(plain(requested.clone()));
        ledger.push(decision());
        ledger.push(plain(lost));
        for nth in 0..100 {
            ledger.push(plain(said(nth)));
        }
        ledger.push(Entry::end(NOW, ended(), Vec::new()));
        assert!(ledger.waiting_bytes <= LIMIT, "{}", ledger.waiting_bytes);
        let dropped = usize::try_from(ledger.dropped).unwrap();
        drop(lock);
        settle(&mut ledger).await;
        let kept = facts(&journal, &call_id(1)).await;
        let mut expected = vec![announced("CA1"), requested, Fact::Triggered(trigger(1))];
        // One of the dropped is not an utterance.
        expected.extend((dropped - 1..100).map(said));
        expected.push(ended());
        assert!((60..90).contains(&dropped), "{dropped}");
        assert_eq!(kept, expected);
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_no_fault_of_what_happened_with_it() {
        let (dir, journal) = fresh();
        dir.refuse_deliveries();
        let mut ledger = Ledger::new(journal.clone(), call_id(1));
        ledger.push(plain(announced("CA1")));
        ledger.push(decision());
        ledger.push(plain(digit('1')));
        let events = settle(&mut ledger).await;
        let handoff = handoff_id(1);
        assert_eq!(events, [Event::DecisionRecorded { handoff }]);
        assert_eq!(
            facts(&journal, &call_id(1)).await,
            [announced("CA1"), digit('1')]
        );
        assert!(journal.trouble().is_none(), "others can be written");
    }

    #[tokio::test]
    async fn a_thousand_calls_come_back_together() {
        let (dir, journal) = fresh();
        let lock = dir.lock_out();
        let calls: Vec<_> = (0..1_000_u64)
            .map(|number| CallId::mint(WallTime(number), [0; 10]))
            .collect();
        let mut ledgers: Vec<_> = (calls.iter())
            .map(|call| {
                let mut ledger = Ledger::new(journal.clone(), call.clone());
                for nth in 0..5 {
                    ledger.push(plain(said(nth)));
                    ledger.write();
                }
                ledger
            })
            .collect();
        drop(lock);
        join_all(ledgers.iter_mut().map(settle)).await;
        for call in &calls {
            assert_eq!(
                facts(&journal, call).await,
                (0..5).map(said).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn a_call_keeps_ten_minutes_of_talk() {
        let mut utterance = utterance();
        utterance.end = MediaTime(8_000);
        utterance.text = Pii::new("x".repeat(60));
        let bytes = plain(Fact::UtteranceHeard(utterance)).bytes();
        assert!(LIMIT / bytes >= 75, "{bytes} bytes an utterance");
    }
}
