//! What tests of the journal and of delivery start from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use handoff_core::call::{
    DialEnd, Disposition, Evidence, Fact, Party, Trigger, TriggerSource, Utterance,
};
use handoff_core::context::{HandoffContext, Line, Message, Reached, TargetTried};
use handoff_core::id::{CallId, Carrier, CarrierCallId, HandoffId, StreamId};
use handoff_core::pii::Pii;
use handoff_core::route::TargetName;
use handoff_core::speech::Speaker;
use handoff_core::time::{CallTime, MediaTime, WallTime};

pub(crate) use super::sqlite::testing::SmallDisk;
use super::{DeliveryKind, NewDelivery, Receipt};

/// 2026-01-01 00:00 UTC.
pub(crate) const NEW_YEAR: WallTime = WallTime(1_767_225_600_000);

/// A directory of one test, removed with it.
pub(crate) struct TestDir(PathBuf);

impl TestDir {
    pub(crate) fn new() -> Self {
        let mut random = [0; 8];
        getrandom::fill(&mut random).unwrap();
        let name = format!("handoff-test-{:016x}", u64::from_be_bytes(random));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.0.join("journal.sqlite")
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} is left behind: {error}", self.0.display());
        }
    }
}

pub(crate) fn call_id(number: u8) -> CallId {
    CallId::mint(NEW_YEAR, [number; 10])
}

pub(crate) fn handoff_id(number: u8) -> HandoffId {
    HandoffId::mint(NEW_YEAR, [number; 10])
}

pub(crate) fn after(millis: u64) -> WallTime {
    WallTime(NEW_YEAR.0 + millis)
}

/// A fact with its times, `millis` after the call was accepted.
pub(crate) fn observed(millis: u64, fact: Fact) -> (CallTime, WallTime, Fact) {
    (CallTime::from_millis(millis), after(millis), fact)
}

pub(crate) fn announced(carrier_call: &str) -> Fact {
    Fact::CallAnnounced {
        carrier: Carrier::Twilio,
        carrier_call: CarrierCallId(carrier_call.to_owned()),
        caller: Party::Known(Pii::new("+15550100001".to_owned())),
        called: Party::Withheld,
        parameters: [(
            "CallerCity".to_owned(),
            Pii::new("Zürich \"\u{1f600}\"\n".to_owned()),
        )]
        .into(),
    }
}

pub(crate) fn digit(digit: char) -> Fact {
    Fact::DigitPressed {
        digit,
        at: MediaTime(8_001),
    }
}

pub(crate) fn ended() -> Fact {
    Fact::CallEnded {
        disposition: Disposition::Bridged,
    }
}

pub(crate) fn requested(number: u8) -> Fact {
    Fact::RewriteRequested {
        handoff: handoff_id(number),
        attempt: 1,
    }
}

pub(crate) fn started() -> Fact {
    Fact::StreamStarted {
        stream: StreamId("MZ1".to_owned()),
        at: MediaTime(0),
        replacement: false,
    }
}

pub(crate) fn utterance() -> Utterance {
    Utterance {
        speaker: Speaker::Caller,
        start: MediaTime(1),
        end: MediaTime(u64::MAX),
        text: Pii::new("get me a human".to_owned()),
        confidence: 0.1 + 0.2,
        approximate: true,
        sentiment: Some(-1.0 / 3.0),
    }
}

pub(crate) fn trigger(number: u8) -> Trigger {
    Trigger {
        handoff: handoff_id(number),
        source: TriggerSource::Rule("caller_asks_for_human".to_owned()),
        at: CallTime(Duration::new(3, 123_456_789)),
        media_at: MediaTime(24_987),
        evidence: vec![
            Evidence::Words {
                speaker: Speaker::Caller,
                at: MediaTime(22_000),
                text: Pii::new("a human".to_owned()),
                is_final: false,
            },
            Evidence::Digits {
                digits: Pii::new("0*#".to_owned()),
                at: MediaTime(24_000),
            },
        ],
        values: vec![("caller.sentiment".to_owned(), "-0.62".to_owned())],
    }
}

pub(crate) fn context(number: u8, revision: u32) -> HandoffContext {
    HandoffContext {
        call: call_id(number),
        carrier_call: CarrierCallId(format!("CA{number:032}")),
        revision,
        accepted: NEW_YEAR,
        caller: Party::Known(Pii::new("+15550100001".to_owned())),
        called: Party::Withheld,
        trigger: trigger(number),
        summary: Pii::new("The caller wants a human.".to_owned()),
        sentiment: Some(-0.62),
        sentiment_trend: Some(f32::MIN_POSITIVE),
        digits: Pii::new("0".to_owned()),
        transcript: vec![Line {
            speaker: Speaker::VoiceAgent,
            at: MediaTime(160),
            text: Pii::new("How can I help?".to_owned()),
            confidence: 0.97,
            approximate: false,
            is_final: true,
            decided: false,
        }],
        parameters: [("Digits".to_owned(), Pii::new(String::new()))].into(),
        reached: match revision {
            0 => Reached::default(),
            _ => reached(),
        },
        call_back: revision > 0,
        message: (revision > 0).then(|| Message {
            url: Pii::new("https://carrier.example.com/recording".to_owned()),
            length: Duration::from_secs(12),
        }),
        cut_short: (revision > 0).then_some(Duration::from_millis(1_500)),
        disposition: (revision > 0).then_some(Disposition::Bridged),
    }
}

fn reached() -> Reached {
    let at = Duration::from_millis;
    Reached {
        route: Some("billing".to_owned()),
        rewrite_sent: Some(at(1)),
        rewrite_taken: Some(at(250)),
        targets: vec![TargetTried {
            target: TargetName::parse("support").unwrap(),
            ringing: Some(at(800)),
            answered: Some(at(5_000)),
            accepted: Some(at(9_000)),
            bridged: None,
            end: Some(DialEnd::Failed { code: Some(404) }),
        }],
    }
}

pub(crate) fn open(number: u8, sink: &str) -> NewDelivery {
    NewDelivery {
        sink: sink.to_owned(),
        kind: DeliveryKind::Open,
        context: context(number, 0),
        created: NEW_YEAR,
    }
}

pub(crate) fn update(number: u8, sink: &str, revision: u32) -> NewDelivery {
    NewDelivery {
        sink: sink.to_owned(),
        kind: DeliveryKind::Update,
        context: context(number, revision),
        created: NEW_YEAR,
    }
}

pub(crate) fn receipt(external_id: &str) -> Receipt {
    Receipt {
        external_id: external_id.to_owned(),
        url: Some("https://example.com/1".to_owned()),
        content_sha256: [7; 32],
        exactly_once: true,
        at: after(99),
    }
}
