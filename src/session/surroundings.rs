//! What every call's task works with. Immutable after the start.

use std::sync::Arc;
use std::time::Duration;

use handoff_core::call::Policy;

use super::carriers::Carriers;
use crate::egress::Egress;
use crate::journal::Journal;
use crate::recognizer::Recognizers;
use crate::targets::Targets;

/// The world of a call's task.
#[derive(Debug)]
pub struct Surroundings {
    /// The decisions of the configuration.
    pub policy: Arc<Policy>,
    /// Where facts and deliveries are written.
    pub journal: Journal,
    /// The way out to the carriers.
    pub egress: Egress,
    /// The accounts at carriers.
    pub carriers: Carriers,
    /// The targets as they are at this moment.
    pub targets: Arc<Targets>,
    /// Who turns speech into words.
    pub recognizers: Recognizers,
    /// The sinks that get the context, by name.
    pub sinks: Vec<String>,
    /// How long a media socket may take to introduce itself.
    pub start_deadline: Duration,
}
