//! Disk form of whom a handoff tries, and of why it does not try others.

use handoff_core::call::Planned;
use handoff_core::route::{Acceptance, Joining, PassedOver};
use serde::{Deserialize, Serialize};

use super::envelope::RecordError;
use super::parts::{disk_enum, target_name};

disk_enum!(
    /// Disk form of [`Acceptance`].
    DiskAcceptance = Acceptance { Key, Answer }
);
disk_enum!(
    /// Disk form of [`Joining`].
    DiskJoining = Joining { Dial, Queue, Refer, Conference }
);

/// Disk form of [`PassedOver`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DiskPassedOver {
    MissingSkill(String),
    Closed,
    Unavailable,
    PlanFull,
}

impl From<&PassedOver> for DiskPassedOver {
    fn from(why: &PassedOver) -> Self {
        match why {
            PassedOver::MissingSkill(skill) => Self::MissingSkill(skill.clone()),
            PassedOver::Closed => Self::Closed,
            PassedOver::Unavailable => Self::Unavailable,
            PassedOver::PlanFull => Self::PlanFull,
        }
    }
}

impl From<DiskPassedOver> for PassedOver {
    fn from(why: DiskPassedOver) -> Self {
        match why {
            DiskPassedOver::MissingSkill(skill) => Self::MissingSkill(skill),
            DiskPassedOver::Closed => Self::Closed,
            DiskPassedOver::Unavailable => Self::Unavailable,
            DiskPassedOver::PlanFull => Self::PlanFull,
        }
    }
}

/// Disk form of [`Planned`].
#[derive(Serialize, Deserialize)]
pub(super) struct DiskPlanned {
    name: String,
    acceptance: DiskAcceptance,
    joining: DiskJoining,
}

impl From<&Planned> for DiskPlanned {
    fn from(planned: &Planned) -> Self {
        Self {
            name: planned.name.as_str().to_owned(),
            acceptance: planned.acceptance.into(),
            joining: planned.joining.into(),
        }
    }
}

impl TryFrom<DiskPlanned> for Planned {
    type Error = RecordError;

    fn try_from(planned: DiskPlanned) -> Result<Self, RecordError> {
        Ok(Self {
            name: target_name(&planned.name)?,
            acceptance: planned.acceptance.into(),
            joining: planned.joining.into(),
        })
    }
}
