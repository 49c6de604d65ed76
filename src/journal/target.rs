//! What was last told of a target.

use handoff_core::route::Metrics;
use handoff_core::time::WallTime;

/// What somebody outside told of a target. It holds until they tell something else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetState {
    /// Whether it takes calls.
    pub available: bool,
    /// Its figures, as far as they were told.
    pub metrics: Metrics,
    /// When. Of two states of a target the later one stands, whichever is written last.
    pub told: WallTime,
}
