//! Contexts that the sinks' tests render.

use std::collections::BTreeMap;

use handoff_core::call::{Evidence, Party, Trigger, TriggerSource};
use handoff_core::context::{HandoffContext, Line, Reached};
use handoff_core::id::{CallId, CarrierCallId, HandoffId};
use handoff_core::pii::Pii;
use handoff_core::speech::Speaker;
use handoff_core::time::{CallTime, MediaTime, WallTime};

/// 2026-01-01 00:00:00 UTC, when every call of these tests is accepted.
pub(crate) const ACCEPTED: WallTime = WallTime(1_767_225_600_000);

/// A caller whose refund never came asks for a human.
pub(crate) fn context() -> HandoffContext {
    HandoffContext {
        call: CallId::mint(ACCEPTED, [0, 1, 2, 4, 8, 16, 32, 64, 129, 1]),
        carrier_call: CarrierCallId("CA00000000000000000000000000000002".to_owned()),
        revision: 0,
        accepted: ACCEPTED,
        caller: Party::Known(Pii::new("+15005550006".to_owned())),
        called: Party::Known(Pii::new("+15005550001".to_owned())),
        trigger: Trigger {
            handoff: HandoffId::mint(ACCEPTED, [0xff; 10]),
            source: TriggerSource::Rule("caller_asks_for_human".to_owned()),
            at: CallTime::from_millis(10_400),
            media_at: MediaTime::from_millis(10_200),
            evidence: vec![Evidence::Words {
                speaker: Speaker::Caller,
                at: MediaTime::from_millis(9_000),
                text: "Get me a human.".to_owned().into(),
                is_final: true,
            }],
            values: vec![("caller.asks_for_human".to_owned(), "0.97".to_owned())],
        },
        summary: "The caller's refund never came. They asked for a human."
            .to_owned()
            .into(),
        sentiment: Some(-0.62),
        sentiment_trend: Some(-0.3),
        digits: String::new().into(),
        transcript: vec![
            said(
                Speaker::VoiceAgent,
                1_000,
                "Thanks for calling, how can I help?",
            ),
            said(Speaker::Caller, 4_000, "My refund never came."),
            Line {
                decided: true,
                ..said(Speaker::Caller, 9_000, "Get me a human.")
            },
        ],
        parameters: BTreeMap::new(),
        reached: Reached::default(),
        call_back: false,
        message: None,
        cut_short: None,
        disposition: None,
    }
}

/// A caller, a rule and a request that try to break out of every markup in use.
pub(crate) fn hostile_context() -> HandoffContext {
    const HOSTILE: &str = "<script>alert(1)</script> <!channel> <https://evil.example|ok> & \"q\" 'a' {{ticket.id}} *b* _i_ `c` ~s~\r\n\u{202E}gnp\u{200B}\0 > quote";
    let mut context = context();
    context.trigger.source = TriggerSource::Api {
        reason: HOSTILE.to_owned().into(),
    };
    context.trigger.evidence = vec![
        Evidence::Words {
            speaker: Speaker::Caller,
            at: MediaTime::from_millis(9_000),
            text: HOSTILE.to_owned().into(),
            is_final: false,
        },
        Evidence::Digits {
            digits: "*0#`".to_owned().into(),
            at: MediaTime::from_millis(9_500),
        },
    ];
    context.caller = Party::Known(HOSTILE.to_owned().into());
    context.called = Party::Withheld;
    context.summary = HOSTILE.to_owned().into();
    context.digits = "*0#`".to_owned().into();
    context.parameters = BTreeMap::from([
        ("name".to_owned(), HOSTILE.to_owned().into()),
        ("email".to_owned(), "not an address".to_owned().into()),
    ]);
    context.transcript = vec![
        Line {
            approximate: true,
            ..said(Speaker::Caller, 1_000, HOSTILE)
        },
        Line {
            decided: true,
            is_final: false,
            ..said(Speaker::Caller, 9_000, HOSTILE)
        },
    ];
    context
}

/// A transcript of 10,000 long lines, every other text as long as the vendors' limits or longer.
pub(crate) fn monster_context() -> HandoffContext {
    let mut context = hostile_context();
    let long = "Ein sehr langer Satz & <mehr> ".repeat(3_000);
    context.summary = long.clone().into();
    context.caller = Party::Known(long.clone().into());
    context.digits = "0123456789*#".repeat(1_000).into();
    context.trigger.evidence = vec![
        Evidence::Words {
            speaker: Speaker::Caller,
            at: MediaTime::from_millis(9_000),
            text: long.clone().into(),
            is_final: true,
        };
        40
    ];
    context.transcript = (0..10_000)
        .map(|index| {
            said(
                Speaker::Caller,
                index * 1_000,
                &format!("{index} <I & you> said it again: refund"),
            )
        })
        .collect();
    context
        .transcript
        .push(said(Speaker::Caller, 10_000_000, &long));
    context
}

/// A final utterance.
pub(crate) fn said(speaker: Speaker, at_ms: u64, text: &str) -> Line {
    Line {
        speaker,
        at: MediaTime::from_millis(at_ms),
        text: text.to_owned().into(),
        confidence: 0.97,
        approximate: false,
        is_final: true,
        decided: false,
    }
}
