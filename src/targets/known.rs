//! Every target with its clock and what was last told of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use handoff_core::call::Party;
use handoff_core::id::Carrier;
use handoff_core::route::{Condition, Metrics, Routes, TargetName};
use handoff_core::time::WallTime;

use crate::config::{Asking, Figure, Kind, OutOfBounds, Routing, Target};
use crate::egress::Egress;
use crate::journal::{Journal, JournalError, TargetState};
use crate::time_zone::TimeZone;

/// All targets, as they are at this moment. Shared by all calls.
#[derive(Debug)]
pub struct Targets {
    pub(super) routing: Routing,
    /// Every target of the routes.
    pub(super) fixed: BTreeMap<TargetName, Fixed>,
    told: Mutex<Told>,
    journal: Journal,
    pub(super) egress: Egress,
}

/// What does not change about a target.
#[derive(Debug)]
pub(super) struct Fixed {
    /// As it was configured.
    pub(super) target: Target,
    zone: TimeZone,
    /// The carriers that can reach it.
    possible_at: Vec<Carrier>,
}

/// What was told of targets. The lock is held for look-ups alone, never across an `.await`.
#[derive(Debug)]
struct Told {
    states: BTreeMap<TargetName, TargetState>,
    /// When the last one was told. Each gets an instant of its own, so that memory and journal agree on
    /// which of two is the later.
    last: WallTime,
}

/// What somebody outside tells of a target, in place of all that was told before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Live {
    available: bool,
    metrics: Metrics,
}

/// Why what was told of a target was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// There is no such target.
    #[error("no target has this name")]
    NoSuchTarget,
    /// It could not be written down, and holds not.
    #[error("what was told of a target could not be written down")]
    Journal(#[from] JournalError),
}

/// A target as it is shown to operators.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Its name.
    pub name: TargetName,
    /// Which kind it is.
    pub kind: Kind,
    /// Whether it is within its opening hours.
    pub is_open: bool,
    /// Whether it takes calls, as far as anyone has said.
    pub is_available: bool,
    /// Its figures: the ones told, else the configured ones.
    pub metrics: Metrics,
    /// When something was last told of it.
    pub told: Option<WallTime>,
}

impl Live {
    /// Takes what was told. A figure that was not is the configured one.
    ///
    /// # Errors
    ///
    /// The first figure that cannot be, and what it may be.
    pub fn new(available: bool, metrics: Metrics) -> Result<Self, (Figure, OutOfBounds)> {
        for (figure, value) in [
            (Figure::HandleSeconds, metrics.handle_seconds),
            (Figure::Csat, metrics.csat),
            (Figure::WaitSeconds, metrics.wait_seconds),
        ] {
            if let Some(value) = value {
                figure.check(value).map_err(|error| (figure, error))?;
            }
        }
        Ok(Self { available, metrics })
    }
}

impl Targets {
    /// Takes the configuration, and from the journal what was told before the last restart. What was
    /// told of a target that is not configured any more stays there.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub async fn open(
        targets: &[Target],
        routing: Routing,
        journal: Journal,
        egress: Egress,
    ) -> Result<Self, JournalError> {
        let states: BTreeMap<_, _> = journal.targets().await?.into_iter().collect();
        let told = Told {
            last: (states.values().map(|state| state.told).max()).unwrap_or(WallTime(0)),
            states,
        };
        let fixed = targets.iter().map(|target| {
            let possible = |carrier: &Carrier| target.reach.possible_at(*carrier).is_ok();
            let fixed = Fixed {
                target: target.clone(),
                zone: (target.opening.as_ref())
                    .map_or_else(TimeZone::utc, |opening| opening.zone.clone()),
                possible_at: [Carrier::Twilio, Carrier::Plivo]
                    .into_iter()
                    .filter(possible)
                    .collect(),
            };
            (target.name.clone(), fixed)
        });
        Ok(Self {
            fixed: fixed.collect(),
            routing,
            told: Mutex::new(told),
            journal,
            egress,
        })
    }

    /// The routes and targets that decisions are made by.
    pub fn routes(&self) -> &Routes {
        &self.routing.routes
    }

    pub(super) fn asking(&self) -> Option<&Asking> {
        self.routing.asking.as_ref()
    }

    /// How every target is at that instant, for calls of any carrier.
    pub fn conditions(&self, now: WallTime) -> BTreeMap<TargetName, Condition> {
        let told = self.told();
        let conditions = self.fixed.iter().map(|(name, fixed)| {
            let state = told.states.get(name);
            let condition = Condition {
                available: state.is_none_or(|state| state.available),
                local: fixed.zone.local(now),
                metrics: state.map(|state| state.metrics).unwrap_or_default(),
            };
            (name.clone(), condition)
        });
        conditions.collect()
    }

    /// How every target is at that instant for a call of that carrier from that caller: one that it
    /// cannot reach, or to which the caller cannot be moved, is not available.
    pub fn conditions_for(
        &self,
        carrier: Carrier,
        caller: &Party,
        now: WallTime,
    ) -> BTreeMap<TargetName, Condition> {
        let mut conditions = self.conditions(now);
        for (name, fixed) in &self.fixed {
            let reaches = fixed.possible_at.contains(&carrier) && fixed.target.reach.suits(caller);
            if let Some(condition) = conditions.get_mut(name)
                && !reaches
            {
                condition.available = false;
            }
        }
        conditions
    }

    /// Takes what was told of a target. It is in the journal when this returns, and holds from then on.
    /// Of two at once, one stands as a whole, here and in the journal the same. If the future is dropped,
    /// it holds not at all, or from the next start on.
    ///
    /// # Errors
    ///
    /// [`SetError`]; what was told before holds.
    pub async fn set(&self, name: &TargetName, live: Live, now: WallTime) -> Result<(), SetError> {
        if !self.fixed.contains_key(name) {
            return Err(SetError::NoSuchTarget);
        }
        let state = TargetState {
            available: live.available,
            metrics: live.metrics,
            told: self.told().next(now),
        };
        self.journal.note_target(name, state).await?;
        self.told().take(name, state);
        Ok(())
    }

    /// Every target, the default first.
    pub fn shown(&self, now: WallTime) -> Vec<Shown> {
        let conditions = self.conditions(now);
        let told = self.told();
        let shown = self.routes().targets().filter_map(|target| {
            let condition = conditions.get(&target.name)?;
            let hours = target.hours.as_ref();
            Some(Shown {
                name: target.name.clone(),
                kind: self.fixed.get(&target.name)?.target.kind,
                is_open: hours.is_none_or(|hours| hours.is_open(condition.local)),
                is_available: condition.available,
                metrics: target.metrics.overridden_by(condition.metrics),
                told: told.states.get(&target.name).map(|state| state.told),
            })
        });
        shown.collect()
    }

    #[cfg(test)]
    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// A panic while the lock is held leaves nothing half done.
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    /// An instant after all others, and now if the clock allows it.
    fn next(&mut self, now: WallTime) -> WallTime {
        self.last = WallTime(now.0.max(self.last.0.saturating_add(1)));
        self.last
    }

    /// Takes a state, unless a later one is there already.
    fn take(&mut self, name: &TargetName, state: TargetState) {
        let known = self.states.entry(name.clone()).or_insert(state);
        if known.told < state.told {
            *known = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_later_stands_whichever_is_written_last() {
        let mut told = Told {
            states: BTreeMap::new(),
            last: WallTime(1_000),
        };
        let name = TargetName::parse("sales").unwrap();
        let mut state = |available, now| TargetState {
            available,
            metrics: Metrics::default(),
            told: told.next(WallTime(now)),
        };
        let (first, second, third) = (state(true, 5_000), state(false, 5_000), state(true, 9));
        let times = [first, second, third].map(|state| state.told.0);
        assert_eq!(times, [5_000, 5_001, 5_002]);
        for (taken, stands) in [(&second, &second), (&first, &second), (&third, &third)] {
            told.take(&name, *taken);
            assert_eq!(told.states[&name], *stands);
        }
    }
}
