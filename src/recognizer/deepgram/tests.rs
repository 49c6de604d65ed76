use std::time::Duration;

use handoff_core::id::CarrierCallId;
use handoff_core::pii::Secret;
use handoff_core::speech::Speaker;

use super::{DeepgramOptions, Leg, Reconnect, Replay};

pub(super) fn options(base_url: &str) -> DeepgramOptions {
    DeepgramOptions {
        base_url: base_url.to_owned(),
        api_key: Secret::new("test-key"),
        model: "nova-3".to_owned(),
        language: "en-US".to_owned(),
        endpointing_ms: 300,
        utterance_end_ms: 1_000,
        keyterms: Vec::new(),
        mip_opt_out: true,
        connect_deadline: Duration::from_secs(5),
        keep_alive: Duration::from_secs(4),
        answer_deadline: Duration::from_secs(10),
        finish_deadline: Duration::from_secs(5),
        reconnect: Reconnect {
            first: Duration::from_millis(1),
            max: Duration::from_millis(5),
            lost_after: 4,
        },
        replay: Replay {
            cap: Duration::from_secs(5),
            rewind: Duration::from_secs(1),
            rate: 1.25,
        },
    }
}

pub(super) fn caller_leg() -> Leg {
    Leg {
        speaker: Speaker::Caller,
        carrier_call: CarrierCallId("CA02".to_owned()),
    }
}
