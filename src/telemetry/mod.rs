//! What operators see of the whole: every metric by name, in one place.

pub mod metrics;
