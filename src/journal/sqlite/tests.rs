use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use handoff_core::call::Fact;
use rusqlite::Connection;

use super::Journal;
use super::open::open_writing;
use crate::journal::conformance::conformance;
use crate::journal::testing::{
    NEW_YEAR, TestDir, announced, call_id, digit, handoff_id, observed, open, receipt, trigger,
    update,
};
use crate::journal::{JournalError, Settlement};

conformance!(fresh());

fn fresh() -> (TestDir, Journal) {
    let dir = TestDir::new();
    let journal = Journal::open(&dir.journal()).unwrap();
    (dir, journal)
}

#[tokio::test]
async fn a_decision_whose_outbox_rows_fail_is_not_there_either() {
    let (dir, journal) = fresh();
    dir.meddle(
        "CREATE TRIGGER refuse BEFORE INSERT ON deliveries WHEN NEW.sink = 'chat'
         BEGIN SELECT RAISE(ABORT, 'refused'); END",
    );
    let (call, other) = (call_id(1), call_id(2));
    let decide = || {
        let decision = vec![observed(3, Fact::Triggered(trigger(1)))];
        let deliveries = vec![open(1, "crm"), open(1, "chat")];
        journal.append_with_deliveries(&call, decision, deliveries)
    };
    // Another call's record is in the same group, and is not harmed.
    let (failed, appended) = tokio::join!(
        decide(),
        journal.append(&other, vec![observed(0, digit('1'))])
    );
    assert!(
        matches!(failed, Err(JournalError::Database(_))),
        "{failed:?}"
    );
    appended.unwrap();
    assert_eq!(journal.records(&call_id(1)).await.unwrap(), []);
    assert_eq!(journal.deliveries(&handoff_id(1)).await.unwrap(), []);
    assert_eq!(journal.records(&call_id(2)).await.unwrap().len(), 1);

    dir.meddle("DROP TRIGGER refuse");
    decide().await.unwrap();
    assert_eq!(journal.records(&call_id(1)).await.unwrap().len(), 1);
    assert_eq!(journal.deliveries(&handoff_id(1)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_full_disk_is_told_and_over_when_there_is_room() {
    let (_dir, journal) = fresh();
    // The limit belongs to the connection, so it has to be set from within.
    let limit = |pages: u32| {
        journal.writer.change(None, move |connection| {
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
            Ok(())
        })
    };
    limit(1).await.unwrap();
    let mut outcome = Ok(());
    for _ in 0..100 {
        let facts = (0..100).map(|_| observed(0, announced("CA1"))).collect();
        outcome = journal.append(&call_id(1), facts).await;
        if outcome.is_err() {
            break;
        }
    }
    let error = outcome.unwrap_err();
    assert!(
        matches!(error, JournalError::Full(_)) && error.may_pass(),
        "{error:?}"
    );
    let kept = journal.records(&call_id(1)).await.unwrap().len();
    assert_eq!(kept % 100, 0, "half an append was kept");

    limit(1_000_000).await.unwrap();
    journal
        .append(&call_id(1), vec![observed(0, digit('1'))])
        .await
        .unwrap();
    assert_eq!(journal.records(&call_id(1)).await.unwrap().len(), kept + 1);
}

#[tokio::test]
async fn a_lock_held_outside_is_told_and_passes() {
    let (dir, journal) = fresh();
    let outside = Connection::open(dir.journal()).unwrap();
    outside.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = journal
        .append(&call_id(1), vec![observed(0, digit('1'))])
        .await
        .unwrap_err();
    assert!(
        matches!(error, JournalError::Busy(_)) && error.may_pass(),
        "{error:?}"
    );
    outside.execute_batch("ROLLBACK").unwrap();
    journal
        .append(&call_id(1), vec![observed(0, digit('1'))])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_second_open_is_refused_until_the_first_is_closed() {
    let (dir, journal) = fresh();
    let error = Journal::open(&dir.journal()).unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }), "{error:?}");
    assert!(
        error.to_string().contains("stop the other process"),
        "{error}"
    );

    let clone = journal.clone();
    journal.close().await;
    let closed = clone.append(&call_id(1), Vec::new()).await;
    assert!(matches!(closed, Err(JournalError::Closed)), "{closed:?}");
    Journal::open(&dir.journal()).unwrap();
}

#[tokio::test]
async fn files_that_are_not_this_programs_journal_are_refused_with_advice() {
    let check = |prepare: fn(&TestDir), advice: &str| {
        let dir = TestDir::new();
        prepare(&dir);
        let message = Journal::open(&dir.journal()).unwrap_err().to_string();
        assert!(message.contains(advice), "{message}");
    };
    check(
        |dir| std::fs::write(dir.journal(), [7; 8_192]).unwrap(),
        ".recover",
    );
    check(
        |dir| dir.meddle("CREATE TABLE songs (title TEXT)"),
        "not a journal",
    );
    check(
        |dir| {
            drop(open_writing(&dir.journal()).unwrap());
            dir.meddle("PRAGMA user_version = 4711");
        },
        "schema 4711, this program knows 3: run the newer program",
    );
    check(
        |dir| std::fs::create_dir(dir.journal()).unwrap(),
        "writable",
    );
    let nowhere = TestDir::new();
    let path = nowhere.path().join("missing").join("journal.sqlite");
    assert!(matches!(
        Journal::open(&path),
        Err(JournalError::Unopenable { .. })
    ));
}

#[tokio::test]
async fn a_file_from_before_there_were_targets_is_brought_up_to_date() {
    let (dir, journal) = fresh();
    let facts = vec![observed(0, digit('1'))];
    journal.append(&call_id(1), facts).await.unwrap();
    journal.close().await;
    dir.meddle("DROP TABLE targets; PRAGMA user_version = 2");

    let journal = Journal::open(&dir.journal()).unwrap();
    assert_eq!(journal.targets().await.unwrap(), []);
    assert_eq!(journal.records(&call_id(1)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_record_of_a_newer_program_is_told_and_others_are_not_harmed() {
    let (dir, journal) = fresh();
    journal
        .append(&call_id(1), vec![observed(0, digit('1'))])
        .await
        .unwrap();
    let deliveries = vec![open(1, "crm"), open(2, "crm")];
    journal
        .append_with_deliveries(&call_id(1), Vec::new(), deliveries)
        .await
        .unwrap();
    dir.meddle(
        "UPDATE records SET fact = '{\"v\":9,\"kind\":\"thought_read\"}';
         UPDATE deliveries SET context = '{\"v\":9,\"kind\":\"handoff_context\"}' WHERE id = 1",
    );
    let error = journal.records(&call_id(1)).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "record has version 9, this program knows 1");

    let claims = journal
        .claim("crm", NEW_YEAR, 9, Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!(claims.ready.len(), 1);
    assert_eq!(claims.ready[0].handoff, handoff_id(2));
    assert_eq!(journal.undelivered().await.unwrap().count, 2);
}

#[tokio::test]
async fn what_was_decided_and_claimed_survives_a_restart() {
    let (dir, journal) = fresh();
    let lease = Duration::from_secs(3_600);
    let deliveries = vec![open(1, "crm"), update(1, "crm", 1)];
    journal
        .append_with_deliveries(&call_id(1), Vec::new(), deliveries)
        .await
        .unwrap();
    let claim = journal
        .claim("crm", NEW_YEAR, 9, lease)
        .await
        .unwrap()
        .ready
        .remove(0);
    journal
        .save_progress(claim.id, NEW_YEAR, vec![4, 2])
        .await
        .unwrap();
    journal.close().await;

    // The lease has an hour to go, but nobody can hold it.
    let journal = Journal::open(&dir.journal()).unwrap();
    let claim = journal
        .claim("crm", NEW_YEAR, 9, lease)
        .await
        .unwrap()
        .ready
        .remove(0);
    assert_eq!(claim.progress.unwrap().bytes, [4, 2]);
    journal
        .settle(claim.id, Settlement::Delivered(receipt("1")))
        .await
        .unwrap();
}

#[tokio::test]
async fn every_commit_is_synced_to_a_write_ahead_log() {
    let (_dir, journal) = fresh();
    let pragmas = journal.writer.change(None, |connection| {
        let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        let synchronous: u8 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
        Ok((mode, synchronous))
    });
    // 2 is FULL.
    assert_eq!(pragmas.await.unwrap(), ("wal".to_owned(), 2));
}

#[tokio::test]
async fn the_log_is_moved_into_the_database_as_it_grows() {
    let (dir, journal) = fresh();
    for round in 0..20 {
        let appends = (0..100).map(|_| {
            let journal = journal.clone();
            async move {
                journal
                    .append(&call_id(1), vec![observed(round, announced("CA1"))])
                    .await
            }
        });
        for appended in futures_util::future::join_all(appends).await {
            appended.unwrap();
        }
    }
    let size = |file| std::fs::metadata(dir.path().join(file)).unwrap().len();
    let (database, log) = (size("journal.sqlite"), size("journal.sqlite-wal"));
    assert!(database > 300_000, "{database} bytes");
    assert!(log < 4_000_000, "{log} bytes");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, journal) = fresh();
    journal
        .append(&call_id(1), vec![observed(0, digit('1'))])
        .await
        .unwrap();
    for file in ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"] {
        let mode = std::fs::metadata(dir.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{file} has mode {mode:o}");
    }
}

const CHILD_JOURNAL: &str = "HANDOFF_TEST_CHILD_JOURNAL";
const CHILD_CALLS: u8 = 4;

/// Kills a process that appends with SIGKILL, several times at random points, and finds every
/// record that it said was acknowledged.
#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let dir = TestDir::new();
    let mut acknowledged = BTreeMap::new();
    for _ in 0..5 {
        append_until_killed(&dir, &mut acknowledged);

        let journal = Journal::open(&dir.journal()).unwrap();
        for call in 0..CHILD_CALLS {
            let records = journal.records(&call_id(call)).await.unwrap();
            let sequences: Vec<u64> = records.iter().map(|record| record.sequence).collect();
            assert_eq!(sequences, (1..=records.len() as u64).collect::<Vec<_>>());
            let promised = acknowledged.get(&call).copied().unwrap_or(0);
            assert!(
                records.len() as u64 >= promised,
                "{} of {promised}",
                records.len()
            );

            // Each decision came with a delivery of its own.
            let decisions = records
                .iter()
                .filter(|record| matches!(record.fact, Fact::Triggered(_)))
                .count();
            let deliveries = journal.deliveries(&handoff_id(call)).await.unwrap();
            assert_eq!(decisions, deliveries.len());
            acknowledged.insert(call, records.len() as u64);
        }
        journal.close().await;
    }
    assert!(acknowledged.values().sum::<u64>() > 0);
}

/// Starts this test binary again as the process to be killed, and notes what it acknowledges.
fn append_until_killed(dir: &TestDir, acknowledged: &mut BTreeMap<u8, u64>) {
    let mut random = [0; 1];
    getrandom::fill(&mut random).unwrap();
    let kill_after = 1 + usize::from(random[0]);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "journal::sqlite::tests::child_appends_until_killed",
            "--nocapture",
        ])
        .env(CHILD_JOURNAL, dir.journal())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((_, told)) = line.split_once("acknowledged ") else {
            continue;
        };
        let (call, sequence) = told.split_once(' ').unwrap();
        acknowledged.insert(call.parse().unwrap(), sequence.parse().unwrap());
        seen += 1;
        if seen == kill_after {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(
        seen >= kill_after,
        "the child ended by itself after {seen} records"
    );
}

/// Does nothing unless it is the child of the test above.
#[tokio::test]
async fn child_appends_until_killed() {
    let Some(path) = std::env::var_os(CHILD_JOURNAL) else {
        return;
    };
    let journal = Journal::open(path.as_ref()).unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for call in 0..CHILD_CALLS {
        let journal = journal.clone();
        calls.spawn(async move {
            let known = journal.records(&call_id(call)).await.unwrap().len() as u64;
            // More than are seen before the kill; ends by itself if the parent is gone.
            for sequence in known + 1..known + 10_000 {
                let told = if sequence % 3 == 0 {
                    let revision = u32::try_from(sequence).unwrap();
                    let decision = vec![observed(sequence, Fact::Triggered(trigger(call)))];
                    let delivery = vec![update(call, "crm", revision)];
                    journal
                        .append_with_deliveries(&call_id(call), decision, delivery)
                        .await
                } else {
                    journal
                        .append(&call_id(call), vec![observed(sequence, digit('1'))])
                        .await
                };
                told.unwrap();
                let mut out = std::io::stdout().lock();
                writeln!(out, "acknowledged {call} {sequence}").unwrap();
                out.flush().unwrap();
            }
        });
    }
    calls.join_all().await;
}
