//! Faults of a carrier's REST API, planned by the test.

use std::collections::VecDeque;
use std::time::Duration;

/// A fault that the next live-call updates meet, or the next call creations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestFault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// For how many requests, one after the other.
    pub times: u32,
}

/// What goes wrong with a live-call update or a call creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// It is refused with 429, and nothing happens to the call.
    TooManyRequests {
        /// Seconds of the `Retry-After` header, when there is one.
        retry_after: Option<u32>,
    },
    /// It fails with this 5xx status, and nothing happens to the call.
    ServerError(u16),
    /// It is carried out and answered, but later.
    Delay(Duration),
    /// It is carried out and the answer never comes.
    HangAfterActing,
    /// It is answered as if it were carried out, and nothing happens to the call.
    AcceptWithoutActing,
    /// The connection is cut before anything happens to the call.
    CutBeforeActing,
    /// It is carried out and the connection is cut in place of the answer.
    CutAfterActing,
}

/// The planned faults that have not happened yet.
#[derive(Debug)]
pub(in crate::carrier) struct FaultPlan {
    left: VecDeque<RestFault>,
}

impl FaultPlan {
    pub(in crate::carrier) fn new(faults: Vec<RestFault>) -> Self {
        Self {
            left: faults.into(),
        }
    }

    pub(in crate::carrier) fn add(&mut self, fault: RestFault) {
        self.left.push_back(fault);
    }

    pub(in crate::carrier) fn next(&mut self) -> Option<FaultKind> {
        while let Some(first) = self.left.front_mut() {
            if first.times > 0 {
                first.times -= 1;
                return Some(first.kind.clone());
            }
            self.left.pop_front();
        }
        None
    }
}
