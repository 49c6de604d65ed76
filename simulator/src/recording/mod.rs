//! A recorded call: the folder `fixtures/calls/<slug>/`, read and checked.

mod lines;
mod load;

pub use lines::{Line, LineKind, Track};
pub use load::{Mode, Recording, RecordingError, StandIn};

#[cfg(test)]
mod tests;
