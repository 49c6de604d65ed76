use std::time::Duration;

use expect_test::{Expect, expect};
use handoff_core::call::{
    DialEnd, Disposition, Fact, GiveUpReason, LegProgress, Planned, RewriteOutcome, StreamEnd,
    Trigger, TriggerSource, Utterance,
};
use handoff_core::id::{Carrier, CarrierCallId, StreamId};
use handoff_core::pii::Pii;
use handoff_core::route::{Acceptance, Joining, PassedOver, TargetName};
use handoff_core::speech::Speaker;
use handoff_core::time::MediaTime;

use super::*;
use crate::journal::FailureReason;
use crate::journal::testing::{
    announced, context, digit, ended, handoff_id, requested, started, trigger, utterance,
};

/// Every fact, and every value of every enum in one.
fn facts() -> Vec<Fact> {
    let mut facts = vec![
        announced("CA1"),
        started(),
        Fact::UtteranceHeard(utterance()),
        Fact::UtteranceHeard(Utterance {
            sentiment: None,
            ..utterance()
        }),
        digit('#'),
        Fact::Triggered(trigger(1)),
        Fact::Triggered(Trigger {
            source: TriggerSource::Api {
                reason: Pii::new("VIP".to_owned()),
            },
            evidence: Vec::new(),
            ..trigger(1)
        }),
        requested(1),
        Fact::DigitsEntered {
            digits: Pii::new("4471056".to_owned()),
            at: MediaTime(123),
        },
    ];
    let target = TargetName::parse("second-line").unwrap();
    let planned = |acceptance, joining| Planned {
        name: target.clone(),
        acceptance,
        joining,
    };
    facts.extend([
        Fact::Routed {
            handoff: handoff_id(1),
            route: Some("billing".to_owned()),
            targets: vec![
                planned(Acceptance::Key, Joining::Dial),
                planned(Acceptance::Answer, Joining::Queue),
                planned(Acceptance::Answer, Joining::Refer),
                planned(Acceptance::Key, Joining::Conference),
            ],
            passed_over: vec![
                (target.clone(), PassedOver::MissingSkill("de".to_owned())),
                (target.clone(), PassedOver::Closed),
                (target.clone(), PassedOver::Unavailable),
                (target.clone(), PassedOver::PlanFull),
            ],
        },
        Fact::DocumentFetched {
            handoff: handoff_id(1),
            attempt: 2,
        },
        Fact::HumanCalled {
            handoff: handoff_id(1),
            target: target.clone(),
            leg: CarrierCallId("CA2".to_owned()),
        },
        Fact::CallBackPromised {
            handoff: handoff_id(1),
        },
        Fact::MessageLeft {
            handoff: handoff_id(1),
            url: Pii::new("https://carrier.example.com/recording".to_owned()),
            length: Duration::from_millis(12_345),
        },
        Fact::CutShort {
            handoff: handoff_id(1),
            talked: Duration::from_secs(61),
        },
    ]);
    for speaker in [Speaker::Caller, Speaker::VoiceAgent, Speaker::Human] {
        facts.push(Fact::RecognizerLost { speaker });
        facts.push(Fact::RecognizerRestored { speaker });
    }
    for end in [
        StreamEnd::Stopped,
        StreamEnd::Closed,
        StreamEnd::Replaced,
        StreamEnd::Refused,
        StreamEnd::Released,
    ] {
        facts.push(Fact::StreamStopped {
            stream: StreamId(String::new()),
            end,
        });
    }
    for outcome in [
        RewriteOutcome::Accepted,
        RewriteOutcome::Taken,
        RewriteOutcome::CallerGone,
        RewriteOutcome::Refused {
            code: Some(21_220),
            status: 400,
        },
        RewriteOutcome::Refused {
            code: None,
            status: 404,
        },
        RewriteOutcome::NotSent,
        RewriteOutcome::Unknown,
    ] {
        facts.push(Fact::RewriteSettled {
            handoff: handoff_id(1),
            attempt: u32::MAX,
            outcome,
        });
    }
    for progress in [
        LegProgress::Initiated,
        LegProgress::Ringing,
        LegProgress::Answered,
        LegProgress::Accepted,
        LegProgress::Bridged,
        LegProgress::Completed,
    ] {
        facts.push(Fact::LegProgressed {
            handoff: handoff_id(1),
            target: target.clone(),
            progress,
        });
    }
    for end in [
        DialEnd::Bridged,
        DialEnd::AnsweredNotBridged,
        DialEnd::NoAnswer,
        DialEnd::HungUpAtOnce,
        DialEnd::Busy,
        DialEnd::Rejected,
        DialEnd::Failed { code: None },
        DialEnd::Failed { code: Some(603) },
        DialEnd::Canceled,
        DialEnd::NobodyAvailable,
    ] {
        facts.push(Fact::DialEnded {
            handoff: handoff_id(1),
            target: target.clone(),
            end,
        });
    }
    for reason in [
        GiveUpReason::Refused,
        GiveUpReason::AttemptsUsedUp,
        GiveUpReason::NeverFetched,
        GiveUpReason::Outdated,
    ] {
        facts.push(Fact::HandoffGivenUp {
            handoff: handoff_id(1),
            reason,
        });
    }
    for disposition in [
        Disposition::StayedWithVoiceAgent,
        Disposition::Bridged,
        Disposition::NoAnswer,
        Disposition::Busy,
        Disposition::Rejected,
        Disposition::NotAccepted,
        Disposition::NobodyAvailable,
        Disposition::Voicemail,
        Disposition::CarrierRefused { code: None },
        Disposition::CarrierRefused { code: Some(21_220) },
        Disposition::CallerHungUp,
        Disposition::Unknown,
    ] {
        facts.push(Fact::CallEnded { disposition });
    }
    facts
}

#[test]
fn every_fact_reads_back_as_it_was() {
    for fact in facts() {
        let text = encode_fact(&fact).unwrap();
        assert_eq!(decode_fact(&text), Ok(fact), "{text}");
    }
}

#[test]
fn contexts_read_back_as_they_were() {
    for revision in [0, 1] {
        let context = context(1, revision);
        let text = encode_context(&context).unwrap();
        assert_eq!(decode_context(&text), Ok(context), "{text}");
    }
}

#[test]
fn failures_read_back_as_they_were() {
    for reason in [
        FailureReason::Unreachable,
        FailureReason::Throttled,
        FailureReason::Broken { status: 503 },
        FailureReason::Unreadable,
        FailureReason::Unauthorized,
        FailureReason::Rejected {
            status: 422,
            code: Some("RecordInvalid".to_owned()),
        },
        FailureReason::Rejected {
            status: 400,
            code: None,
        },
        FailureReason::Gone,
        FailureReason::NeverOpened,
    ] {
        let text = encode_failure(&reason).unwrap();
        assert_eq!(decode_failure(&text), Ok(reason), "{text}");
    }
}

/// Every confidence that a recognizer may give to seven digits, which is more than any gives.
#[test]
fn confidences_read_back_bit_for_bit() {
    let fact = |confidence| {
        Fact::UtteranceHeard(Utterance {
            confidence,
            ..utterance()
        })
    };
    for step in 0..=5_000_u16 {
        let confidence = f32::from(step) / 4_999.7;
        let text = encode_fact(&fact(confidence)).unwrap();
        assert_eq!(decode_fact(&text), Ok(fact(confidence)));
    }
    let text = encode_fact(&fact(f32::NAN)).unwrap();
    assert_eq!(decode_fact(&text), Ok(fact(0.0)));
}

/// Files on disk hold these bytes. If this fails, old journals have become unreadable.
#[test]
fn the_disk_form_is_this() {
    let check = |fact: &Fact, expected: Expect| {
        expected.assert_eq(&encode_fact(fact).unwrap());
    };
    check(
        &announced("CA1"),
        expect![[
            r#"{"v":1,"kind":"call_announced","carrier":"twilio","carrier_call":"CA1","caller":{"known":"+15550100001"},"called":"withheld","parameters":{"CallerCity":"Zürich \"😀\"\n"}}"#
        ]],
    );
    check(
        &digit('0'),
        expect![[r#"{"v":1,"kind":"digit_pressed","digit":"0","at_samples":8001}"#]],
    );
    check(
        &Fact::UtteranceHeard(utterance()),
        expect![[
            r#"{"v":1,"kind":"utterance_heard","speaker":"caller","start_samples":1,"end_samples":18446744073709551615,"text":"get me a human","confidence":0.3,"approximate":true,"sentiment":-0.33333334}"#
        ]],
    );
    check(
        &Fact::Triggered(trigger(1)),
        expect![[
            r#"{"v":1,"kind":"triggered","handoff":"ho_01KDVDNA00040G2081040G2081","source":{"rule":"caller_asks_for_human"},"at_ns":3123456789,"media_at_samples":24987,"evidence":[{"words":{"speaker":"caller","at_samples":22000,"text":"a human","is_final":false}},{"digits":{"digits":"0*#","at_samples":24000}}],"values":[["caller.sentiment","-0.62"]]}"#
        ]],
    );
    check(
        &requested(1),
        expect![[
            r#"{"v":1,"kind":"rewrite_requested","handoff":"ho_01KDVDNA00040G2081040G2081","attempt":1}"#
        ]],
    );
    check(
        &Fact::DigitsEntered {
            digits: Pii::new("0".to_owned()),
            at: MediaTime(8_001),
        },
        expect![[r#"{"v":1,"kind":"digits_entered","digits":"0","at_samples":8001}"#]],
    );
    check(
        &Fact::HandoffGivenUp {
            handoff: handoff_id(1),
            reason: GiveUpReason::AttemptsUsedUp,
        },
        expect![[
            r#"{"v":1,"kind":"handoff_given_up","handoff":"ho_01KDVDNA00040G2081040G2081","reason":"attempts_used_up"}"#
        ]],
    );
    check(
        &ended(),
        expect![[r#"{"v":1,"kind":"call_ended","disposition":"bridged"}"#]],
    );
    expect![[r#"{"v":1,"kind":"handoff_context","call":"call_01KDVDNA00040G2081040G2081","carrier_call":"CA00000000000000000000000000000001","revision":1,"accepted_ms":1767225600000,"caller":{"known":"+15550100001"},"called":"withheld","trigger":{"handoff":"ho_01KDVDNA00040G2081040G2081","source":{"rule":"caller_asks_for_human"},"at_ns":3123456789,"media_at_samples":24987,"evidence":[{"words":{"speaker":"caller","at_samples":22000,"text":"a human","is_final":false}},{"digits":{"digits":"0*#","at_samples":24000}}],"values":[["caller.sentiment","-0.62"]]},"summary":"The caller wants a human.","sentiment":-0.62,"sentiment_trend":1.1754944e-38,"digits":"0","transcript":[{"speaker":"voice_agent","at_samples":160,"text":"How can I help?","confidence":0.97,"approximate":false,"is_final":true,"decided":false}],"parameters":{"Digits":""},"reached":{"route":"billing","rewrite_sent_ns":1000000,"rewrite_taken_ns":250000000,"targets":[{"target":"support","ringing_ns":800000000,"answered_ns":5000000000,"accepted_ns":9000000000,"bridged_ns":null,"end":{"failed":{"code":404}}}]},"call_back":true,"message":{"url":"https://carrier.example.com/recording","length_ns":12000000000},"cut_short_ns":1500000000,"disposition":"bridged"}"#]].assert_eq(&encode_context(&context(1, 1)).unwrap());
}

#[test]
fn what_cannot_be_read_says_why_without_quoting_it() {
    let check = |text: &str, expected: Expect| {
        expected.assert_eq(&decode_fact(text).unwrap_err().to_string());
    };
    check(
        r#"{"v":2,"kind":"digit_pressed"}"#,
        expect!["record has version 2, this program knows 1"],
    );
    check(
        r#"{"v":1,"kind":"caller_sneezed"}"#,
        expect![[r#"record of version 1 has unknown kind "caller_sneezed""#]],
    );
    check(
        r#"{"v":1,"kind":"digit_pressed","digit":"+15550100001","at_samples":1}"#,
        expect![[r#"record of kind "digit_pressed" is malformed"#]],
    );
    check(
        r#"{"v":1,"kind":"rewrite_requested","handoff":"+15550100001","attempt":1}"#,
        expect![[r#"record of kind "handoff_id" is malformed"#]],
    );
    check(
        r#"{"v":1,"kind":"#,
        expect![[r#"record of kind "" is malformed"#]],
    );
    check(
        r#"["+15550100001"]"#,
        expect![[r#"record of kind "" is malformed"#]],
    );
    check("", expect![[r#"record of kind "" is malformed"#]]);
}

#[test]
fn unknown_fields_are_ignored() {
    let text = r#"{"v":1,"kind":"digit_pressed","digit":"0","at_samples":8001,"finger":"thumb"}"#;
    assert_eq!(decode_fact(text), Ok(digit('0')));
}

#[test]
fn a_call_without_a_carrier_is_twilios() {
    let old = r#"{"v":1,"kind":"call_announced","carrier_call":"CA1","caller":"withheld","called":"withheld","parameters":{}}"#;
    let Fact::CallAnnounced { carrier, .. } = decode_fact(old).unwrap() else {
        panic!("another fact");
    };
    assert_eq!(carrier, Carrier::Twilio);
}
