//! The journal in one SQLite file.
//!
//! One thread owns the connection that writes. Everything that waits in its queue is committed as
//! one transaction and acknowledged afterwards, so the cost of reaching the disk is shared by all
//! calls of the machine. A second thread reads on a connection of its own, which in WAL mode
//! neither waits for the writer nor holds it up. A lock file keeps other processes out and is
//! released by the system when the process dies.

mod append;
mod claim;
mod handle;
mod open;
mod read;
mod reader;
mod schema;
mod settle;
mod target;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod writer;

pub use handle::Journal;
