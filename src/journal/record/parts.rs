//! Disk forms that facts and contexts share.

use std::collections::BTreeMap;
use std::time::Duration;

use handoff_core::call::{
    DialEnd, Disposition, Evidence, GiveUpReason, LegProgress, Party, RewriteOutcome, StreamEnd,
    Trigger, TriggerSource,
};
use handoff_core::id::{Carrier, HandoffId};
use handoff_core::pii::Pii;
use handoff_core::route::TargetName;
use handoff_core::speech::Speaker;
use handoff_core::time::{CallTime, MediaTime};
use serde::{Deserialize, Serialize};

use super::envelope::{RecordError, malformed};

/// Mirrors an enum without data, variant by variant.
macro_rules! disk_enum {
    ($(#[$doc:meta])* $disk:ident = $core:ident { $($variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(super) enum $disk { $($variant),+ }

        impl From<$core> for $disk {
            fn from(value: $core) -> Self {
                match value { $($core::$variant => Self::$variant),+ }
            }
        }

        impl From<$disk> for $core {
            fn from(value: $disk) -> Self {
                match value { $($disk::$variant => Self::$variant),+ }
            }
        }
    };
}

disk_enum!(
    /// Disk form of [`Carrier`].
    DiskCarrier = Carrier { Twilio, Plivo }
);
disk_enum!(
    /// Disk form of [`Speaker`].
    DiskSpeaker = Speaker { Caller, VoiceAgent, Human }
);
disk_enum!(
    /// Disk form of [`StreamEnd`].
    DiskStreamEnd = StreamEnd { Stopped, Closed, Replaced, Refused, Released }
);
disk_enum!(
    /// Disk form of [`LegProgress`].
    DiskLegProgress = LegProgress { Initiated, Ringing, Answered, Accepted, Bridged, Completed }
);
disk_enum!(
    /// Disk form of [`GiveUpReason`].
    DiskGiveUpReason = GiveUpReason { Refused, AttemptsUsedUp, NeverFetched, Outdated }
);
/// All calls were Twilio's before records named their carrier.
pub(super) fn unnamed_carrier() -> DiskCarrier {
    DiskCarrier::Twilio
}

pub(super) use disk_enum;

/// Mirrors an enum in which some variants hold a carrier's code.
macro_rules! disk_enum_with_codes {
    ($(#[$doc:meta])* $disk:ident = $core:ident { $($variant:ident),+ ; $($coded:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(super) enum $disk { $($variant,)+ $($coded { code: Option<u32> }),+ }

        impl From<$core> for $disk {
            fn from(value: $core) -> Self {
                match value {
                    $($core::$variant => Self::$variant,)+
                    $($core::$coded { code } => Self::$coded { code }),+
                }
            }
        }

        impl From<$disk> for $core {
            fn from(value: $disk) -> Self {
                match value {
                    $($disk::$variant => Self::$variant,)+
                    $($disk::$coded { code } => Self::$coded { code }),+
                }
            }
        }
    };
}

disk_enum_with_codes!(
    /// Disk form of [`DialEnd`].
    DiskDialEnd = DialEnd {
        Bridged, AnsweredNotBridged, HungUpAtOnce, NoAnswer, Busy, Rejected, Canceled,
        NobodyAvailable; Failed,
    }
);
disk_enum_with_codes!(
    /// Disk form of [`Disposition`].
    DiskDisposition = Disposition {
        StayedWithVoiceAgent, Bridged, NoAnswer, Busy, Rejected, NotAccepted, NobodyAvailable,
        Voicemail, CallerHungUp, Unknown; CarrierRefused,
    }
);

/// Disk form of [`Party`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DiskParty {
    Known(String),
    Withheld,
}

impl From<&Party> for DiskParty {
    fn from(party: &Party) -> Self {
        match party {
            Party::Known(address) => Self::Known(address.expose().clone()),
            Party::Withheld => Self::Withheld,
        }
    }
}

impl From<DiskParty> for Party {
    fn from(party: DiskParty) -> Self {
        match party {
            DiskParty::Known(address) => Self::Known(Pii::new(address)),
            DiskParty::Withheld => Self::Withheld,
        }
    }
}

/// Disk form of [`RewriteOutcome`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DiskRewriteOutcome {
    Accepted,
    Taken,
    CallerGone,
    Refused { code: Option<u32>, status: u16 },
    NotSent,
    Unknown,
}

impl From<&RewriteOutcome> for DiskRewriteOutcome {
    fn from(outcome: &RewriteOutcome) -> Self {
        match outcome {
            RewriteOutcome::Accepted => Self::Accepted,
            RewriteOutcome::Taken => Self::Taken,
            RewriteOutcome::CallerGone => Self::CallerGone,
            &RewriteOutcome::Refused { code, status } => Self::Refused { code, status },
            RewriteOutcome::NotSent => Self::NotSent,
            RewriteOutcome::Unknown => Self::Unknown,
        }
    }
}

impl From<DiskRewriteOutcome> for RewriteOutcome {
    fn from(outcome: DiskRewriteOutcome) -> Self {
        match outcome {
            DiskRewriteOutcome::Accepted => Self::Accepted,
            DiskRewriteOutcome::Taken => Self::Taken,
            DiskRewriteOutcome::CallerGone => Self::CallerGone,
            DiskRewriteOutcome::Refused { code, status } => Self::Refused { code, status },
            DiskRewriteOutcome::NotSent => Self::NotSent,
            DiskRewriteOutcome::Unknown => Self::Unknown,
        }
    }
}

/// Disk form of [`Trigger`].
#[derive(Serialize, Deserialize)]
pub(super) struct DiskTrigger {
    handoff: String,
    source: DiskTriggerSource,
    at_ns: u64,
    media_at_samples: u64,
    evidence: Vec<DiskEvidence>,
    values: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DiskTriggerSource {
    Rule(String),
    Api { reason: String },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DiskEvidence {
    Words {
        speaker: DiskSpeaker,
        at_samples: u64,
        text: String,
        is_final: bool,
    },
    Digits {
        digits: String,
        at_samples: u64,
    },
}

impl From<&Trigger> for DiskTrigger {
    fn from(trigger: &Trigger) -> Self {
        Self {
            handoff: trigger.handoff.as_str().to_owned(),
            source: match &trigger.source {
                TriggerSource::Rule(name) => DiskTriggerSource::Rule(name.clone()),
                TriggerSource::Api { reason } => DiskTriggerSource::Api {
                    reason: reason.expose().clone(),
                },
            },
            at_ns: nanos(trigger.at),
            media_at_samples: trigger.media_at.0,
            evidence: trigger.evidence.iter().map(DiskEvidence::from).collect(),
            values: trigger.values.clone(),
        }
    }
}

impl TryFrom<DiskTrigger> for Trigger {
    type Error = RecordError;

    fn try_from(trigger: DiskTrigger) -> Result<Self, RecordError> {
        Ok(Self {
            handoff: handoff_id(&trigger.handoff)?,
            source: match trigger.source {
                DiskTriggerSource::Rule(name) => TriggerSource::Rule(name),
                DiskTriggerSource::Api { reason } => TriggerSource::Api {
                    reason: Pii::new(reason),
                },
            },
            at: call_time(trigger.at_ns),
            media_at: MediaTime(trigger.media_at_samples),
            evidence: trigger.evidence.into_iter().map(Evidence::from).collect(),
            values: trigger.values,
        })
    }
}

impl From<&Evidence> for DiskEvidence {
    fn from(evidence: &Evidence) -> Self {
        match evidence {
            Evidence::Words {
                speaker,
                at,
                text,
                is_final,
            } => Self::Words {
                speaker: (*speaker).into(),
                at_samples: at.0,
                text: text.expose().clone(),
                is_final: *is_final,
            },
            Evidence::Digits { digits, at } => Self::Digits {
                digits: digits.expose().clone(),
                at_samples: at.0,
            },
        }
    }
}

impl From<DiskEvidence> for Evidence {
    fn from(evidence: DiskEvidence) -> Self {
        match evidence {
            DiskEvidence::Words {
                speaker,
                at_samples,
                text,
                is_final,
            } => Self::Words {
                speaker: speaker.into(),
                at: MediaTime(at_samples),
                text: Pii::new(text),
                is_final,
            },
            DiskEvidence::Digits { digits, at_samples } => Self::Digits {
                digits: Pii::new(digits),
                at: MediaTime(at_samples),
            },
        }
    }
}

pub(super) type DiskParameters = BTreeMap<String, String>;

pub(super) fn exposed(parameters: &BTreeMap<String, Pii<String>>) -> DiskParameters {
    parameters
        .iter()
        .map(|(name, value)| (name.clone(), value.expose().clone()))
        .collect()
}

pub(super) fn personal(parameters: DiskParameters) -> BTreeMap<String, Pii<String>> {
    parameters
        .into_iter()
        .map(|(name, value)| (name, Pii::new(value)))
        .collect()
}

pub(super) fn handoff_id(text: &str) -> Result<HandoffId, RecordError> {
    HandoffId::parse(text).ok_or_else(|| malformed("handoff_id"))
}

pub(super) fn target_name(text: &str) -> Result<TargetName, RecordError> {
    TargetName::parse(text).map_err(|_| malformed("target"))
}

pub(super) fn duration_nanos(length: Duration) -> u64 {
    nanos(CallTime(length))
}

/// Nanoseconds hold 584 years of call.
pub(in crate::journal) fn nanos(at: CallTime) -> u64 {
    u64::try_from(at.0.as_nanos()).unwrap_or(u64::MAX)
}

pub(in crate::journal) fn call_time(nanos: u64) -> CallTime {
    CallTime(Duration::from_nanos(nanos))
}

/// JSON has no word for infinity and not-a-number, which no confidence or sentiment is; they are
/// stored as zero rather than making the record unreadable.
pub(super) fn finite(value: f32) -> f32 {
    if value.is_finite() { value } else { 0.0 }
}
