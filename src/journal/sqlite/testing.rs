//! What happens to a journal's file from outside.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::Command;

use rusqlite::Connection;

use crate::journal::testing::TestDir;

/// Someone else's open transaction, until dropped.
pub(crate) struct Lock(#[expect(dead_code, reason = "it is what is held")] Connection);

impl TestDir {
    /// Changes the file behind the journal's back.
    pub(crate) fn meddle(&self, sql: &str) {
        let outside = Connection::open(self.journal()).unwrap();
        outside.execute_batch(sql).unwrap();
    }

    /// Keeps the journal from writing, as a shell with an open transaction does.
    pub(crate) fn lock_out(&self) -> Lock {
        let outside = Connection::open(self.journal()).unwrap();
        outside.execute_batch("BEGIN IMMEDIATE").unwrap();
        Lock(outside)
    }

    /// Has every outbox row fail, which no later attempt mends.
    pub(crate) fn refuse_deliveries(&self) {
        self.meddle(
            "CREATE TRIGGER refuse BEFORE INSERT ON deliveries
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        );
    }
}

/// A directory on a disk of its own, of one MiB.
pub(crate) struct SmallDisk(TestDir);

impl SmallDisk {
    /// Mounts it, or says that this is not allowed here.
    pub(crate) fn mount() -> Option<Self> {
        let dir = TestDir::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "none"])
            .arg(dir.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(dir));
        }
        // Past the capture of the test harness, which shows nothing of a test that passes.
        writeln!(
            std::io::stderr(),
            "NOT RUN: a disk that is really full: mounting one is not allowed"
        )
        .unwrap();
        None
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.0.journal()
    }

    /// Takes all room that there is.
    pub(crate) fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        let full = loop {
            if let Err(error) = ballast.write_all(&[0; 512]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }

    /// Gives the room back.
    pub(crate) fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because a test that fails leaves the journal open.
        let unmounted = Command::new("umount")
            .arg("--lazy")
            .arg(self.0.path())
            .status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.0.path().display());
        }
    }
}
