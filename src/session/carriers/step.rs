//! Where a handoff stands at a carrier, as the paths of our URLs say it.

use handoff_core::call::{DialEnd, Effort, NextStep};
use handoff_core::id::{Carrier, HandoffId};
use handoff_core::route::TargetName;

use crate::carrier::document::RoomName;

/// Stands in a path for nobody. No target has this name.
const NOBODY: &str = "~";
/// Stands between the names of targets, which have none in them.
const BETWEEN: char = '.';

/// One rewrite of a handoff, and whom it has left to try.
///
/// All of it rides in the URLs that a carrier is given, so that a question about a call is answered
/// alike by a process that does not know the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The handoff.
    pub handoff: HandoffId,
    /// Which of its rewrites, from 1.
    pub attempt: u32,
    /// Whom to try, the target under way first. With nobody left the caller gets the last resort.
    pub targets: Vec<TargetName>,
}

/// A path that we have not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("path names no step of a handoff")]
pub struct NoStep;

impl Step {
    /// The form of [`Step::path`] in the table of routes.
    pub const ROUTE: &str = "{handoff}/{attempt}/{targets}";

    /// Reads the parts of a path.
    ///
    /// # Errors
    /// We have not written it.
    pub fn read(handoff: &str, attempt: &str, targets: &str) -> Result<Self, NoStep> {
        let names = match targets {
            NOBODY => Ok(Vec::new()),
            names => names.split(BETWEEN).map(TargetName::parse).collect(),
        };
        Ok(Self {
            handoff: HandoffId::parse(handoff).ok_or(NoStep)?,
            attempt: attempt.parse().map_err(|_| NoStep)?,
            targets: names.map_err(|_| NoStep)?,
        })
    }

    /// Where the carrier asks or tells something about this step.
    pub(super) fn path(&self, carrier: Carrier, what: &str) -> String {
        let Self {
            handoff, attempt, ..
        } = self;
        let names: Vec<_> = self.targets.iter().map(TargetName::as_str).collect();
        let names = match names.is_empty() {
            true => NOBODY.to_owned(),
            false => names.join(&BETWEEN.to_string()),
        };
        format!("/{}/{what}/{handoff}/{attempt}/{names}", carrier.as_str())
    }

    /// The effort to reach the target under way.
    pub fn effort(&self) -> Option<Effort> {
        Some(Effort {
            handoff: self.handoff.clone(),
            attempt: self.attempt,
            target: self.targets.first()?.clone(),
        })
    }

    /// What comes after the target under way, by the carrier's word alone.
    pub fn after(&self, end: DialEnd) -> NextStep {
        let left = self.targets.get(1..).unwrap_or_default();
        match (end, left) {
            (DialEnd::Bridged, _) => NextStep::HangUp,
            (_, []) => NextStep::LastResort,
            (_, left) => NextStep::Reach(left.to_vec()),
        }
    }

    /// Where the caller waits for a human who is called apart.
    pub(super) fn room(&self) -> RoomName {
        RoomName::of(&self.handoff, self.attempt)
    }

    /// The step that begins with an effort: its target and nobody after it.
    pub(in crate::session) fn of(effort: &Effort) -> Self {
        Self {
            handoff: effort.handoff.clone(),
            attempt: effort.attempt,
            targets: vec![effort.target.clone()],
        }
    }

    /// The same rewrite, with others left to try.
    pub(super) fn with(&self, targets: &[TargetName]) -> Self {
        Self {
            targets: targets.to_vec(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use handoff_core::id::CallId;
    use handoff_core::time::WallTime;

    use super::*;

    #[test]
    fn a_path_is_read_as_it_was_written() {
        let call = CallId::mint(WallTime(1_767_225_600_000), [7; 10]);
        let handoff = HandoffId::nth(&call, 0);
        for targets in [&["billing", "second-line"][..], &["a"], &[]] {
            let targets = targets.iter().map(|name| TargetName::parse(name).unwrap());
            let step = Step {
                handoff: handoff.clone(),
                attempt: 2,
                targets: targets.collect(),
            };
            let path = step.path(Carrier::Plivo, "after-dial");
            let parts: Vec<_> = path.split('/').collect();
            let ["", "plivo", "after-dial", handoff, attempt, targets] = parts[..] else {
                panic!("{path}");
            };
            assert_eq!(Step::read(handoff, attempt, targets), Ok(step));
        }
        let handoff = handoff.as_str();
        for (handoff, attempt, targets) in [
            ("ho_short", "1", "a"),
            (handoff, "x", "a"),
            (handoff, "1", ""),
            (handoff, "1", "a..b"),
            (handoff, "1", "A"),
        ] {
            assert_eq!(Step::read(handoff, attempt, targets), Err(NoStep));
        }
    }
}
