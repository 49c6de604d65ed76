use expect_test::{Expect, expect, expect_file};
use handoff_core::id::Carrier;
use handoff_core::pii::{Pii, Secret};

use super::known::{HOSTILE, check, voice};
use crate::carrier::argument::{RingSeconds, Spoken};
use crate::carrier::brief::Brief;
use crate::carrier::document::Acceptance;
use crate::carrier::plivo::xml::{DeadManTail, LIMIT_BYTES, dead_man, handoff_document};
use crate::carrier::target::{
    ClientIdentity, Keys, QueueName, Reach, SipCredentials, SipTarget, SipUri,
};
use crate::carrier::testing::{Parts, brief, number, sip};
use crate::carrier::twilio::sid::WorkflowSid;

fn reaching(reach: Reach) -> Parts {
    Parts::reaching("plivo", reach)
}

fn extension(keys: &str) -> Reach {
    Reach::Number {
        number: number("+15550100042"),
        extension: Some(Keys::parse(keys).expect("keys")),
    }
}

fn of_twilio() -> [Reach; 4] {
    [
        Reach::Refer(sip(&[])),
        Reach::Queue(QueueName::parse("support").expect("a name")),
        Reach::TaskRouter {
            workflow: WorkflowSid::parse(&format!("WW{}", "0".repeat(32))).expect("a workflow"),
            priority: None,
        },
        Reach::Client {
            identity: ClientIdentity::parse("ann").expect("an identity"),
            parameters: Vec::new(),
        },
    ]
}

fn sip_headers(headers: &[(&str, &str)], brief: &Brief) -> String {
    let parts = Parts {
        brief: brief.clone(),
        ..reaching(Reach::Sip(sip(headers)))
    };
    let document = handoff_document(&parts.handoff()).into_string();
    match document.split_once("sipHeaders=\"") {
        Some((_, rest)) => rest.split('"').next().unwrap_or_default().to_owned(),
        None => "none".to_owned(),
    }
}

#[test]
fn an_extension_is_pressed_with_the_waits_that_plivo_knows() {
    let parts = reaching(extension("W1w2#"));
    check(
        &handoff_document(&parts.handoff()),
        expect_file!["../../golden/reach_number_extension.xml"],
    );
}

#[test]
fn a_key_takes_the_call_where_one_is_asked_for() {
    let parts = Parts {
        acceptance: Acceptance::Key,
        ..Parts::new("plivo")
    };
    check(
        &handoff_document(&parts.handoff()),
        expect_file!["../../golden/reach_number_key.xml"],
    );
}

#[test]
fn a_whisper_without_a_key_is_heard_and_asks_for_nothing() {
    let parts = Parts {
        whisper: true,
        ..Parts::new("plivo")
    };
    check(
        &handoff_document(&parts.handoff()),
        expect_file!["../../golden/reach_number_whisper.xml"],
    );
}

#[test]
fn a_sip_address_rings_with_its_headers_and_credentials() {
    let target = sip(&[("handoffid", "{handoff}"), ("rule", "{rule}")]);
    check(
        &handoff_document(&reaching(Reach::Sip(target.clone())).handoff()),
        expect_file!["../../golden/reach_sip.xml"],
    );
    let known = SipTarget {
        credentials: SipCredentials::new("ann", Secret::new("s3cr3t-s3cr3t")).ok(),
        ..target
    };
    let parts = reaching(Reach::Sip(known));
    check(
        &handoff_document(&parts.handoff()),
        expect_file!["../../golden/reach_sip_credentials.xml"],
    );
    assert!(!format!("{:?}", parts.handoff()).contains("s3cr3t"));
}

#[test]
fn an_endpoint_of_plivos_rings() {
    let target = SipTarget {
        uri: SipUri::parse("sip:ann12345@phone.plivo.com").expect("an address"),
        ..sip(&[])
    };
    let parts = Parts {
        acceptance: Acceptance::Key,
        ..reaching(Reach::User(target))
    };
    check(
        &handoff_document(&parts.handoff()),
        expect_file!["../../golden/reach_user.xml"],
    );
}

#[test]
fn the_caller_waits_in_a_conference() {
    let reach = Reach::Conference {
        number: number("+15550100042"),
    };
    let document = handoff_document(&reaching(reach).handoff());
    check(&document, expect_file!["../../golden/reach_conference.xml"]);
    assert!(!document.as_str().contains("15550100042"));
}

#[test]
fn the_caller_waits_in_a_multi_party_call() {
    let reach = Reach::MultiPartyCall {
        number: number("+15550100042"),
    };
    check(
        &handoff_document(&reaching(reach).handoff()),
        expect_file!["../../golden/reach_multi_party_call.xml"],
    );
}

#[test]
fn by_a_way_that_plivo_does_not_have_the_caller_goes_on() {
    for reach in of_twilio() {
        assert!(reach.possible_at(Carrier::Plivo).is_err());
        check(
            &handoff_document(&reaching(reach).handoff()),
            expect_file!["../../golden/reach_impossible.xml"],
        );
    }
}

#[test]
fn headers_have_letters_and_digits_alone() {
    let check = |headers: &[(&str, &str)], expected: Expect| {
        expected.assert_eq(&sip_headers(headers, &brief()));
    };
    check(
        &[("handoffid", "{handoff}"), ("caller", "{caller}")],
        expect!["handoffid=ho01KDVDNA000W3GE1R70W3GE100,caller=15550100001"],
    );
    check(
        &[("a", HOSTILE)],
        expect!["a=SpeakDial15550199999Dialquotesn31mtabline"],
    );
    check(&[("a", "é – %")], expect!["none"]);
    for kept in [
        "PH-a",
        "plivoId",
        "FSx",
        "fs-x",
        "SipAuthX",
        "ZT-x",
        "TwilioX",
        "ClientRegion",
        "handoff-id",
        "P-Called-Party-ID",
        "abcdefghijklmnopqrstuvwxy",
    ] {
        let sent = sip_headers(&[(kept, "1"), ("b", "2")], &brief());
        let expected = if kept == "FSx" { "FSx=1,b=2" } else { "b=2" };
        assert_eq!(sent, expected, "{kept}");
    }
}

#[test]
fn headers_that_are_not_known_are_left_out() {
    let bare = Brief::of(brief().handoff);
    assert_eq!(sip_headers(&[("caller", "{caller}")], &bare), "none");
    let long = Brief {
        summary: Some(Pii::new("x".repeat(100_000))),
        ..brief()
    };
    let cut = format!("a={},b=1", "x".repeat(120));
    assert_eq!(sip_headers(&[("a", "{summary}"), ("b", "1")], &long), cut);
}

fn tail(reach: Reach) -> DeadManTail {
    DeadManTail {
        reach,
        caller_id: Some(number("+15550100002")),
        ring: RingSeconds::new(25).expect("a ring time"),
        apology: Spoken::new("We are sorry, nobody can take your call right now. Goodbye."),
        voice: voice(),
    }
}

#[test]
fn the_tail_rings_whoever_plivo_can_ring_without_us() {
    check(
        &dead_man(&tail(extension("ww12"))),
        expect_file!["../../golden/dead_man_extension.xml"],
    );
    check(
        &dead_man(&tail(Reach::Sip(sip(&[
            ("handoffid", "{handoff}"),
            ("line", "support"),
        ])))),
        expect_file!["../../golden/dead_man_sip.xml"],
    );
    let called = number("+15550100042");
    for reach in [
        Reach::Conference {
            number: called.clone(),
        },
        Reach::MultiPartyCall { number: called },
    ] {
        check(
            &dead_man(&tail(reach)),
            expect_file!["../../golden/dead_man.xml"],
        );
    }
}

#[test]
fn a_tail_with_nobody_to_ring_is_the_apology() {
    for reach in of_twilio() {
        check(
            &dead_man(&tail(reach)),
            expect_file!["../../golden/dead_man_nobody.xml"],
        );
    }
}

#[test]
fn no_tail_names_a_url_of_ours() {
    let headers = [("link", "{link}"), ("summary", "{summary}")];
    let document = dead_man(&tail(Reach::User(sip(&headers)))).into_string();
    assert!(!document.contains("://"), "{document}");
}

#[test]
fn the_longest_handoff_is_taken() {
    let headers: Vec<(String, &str)> = (0..100)
        .map(|n| (format!("header{n}"), "{summary}"))
        .collect();
    let headers: Vec<(&str, &str)> = (headers.iter())
        .map(|(name, text)| (name.as_str(), *text))
        .collect();
    let parts = Parts {
        announcement: Spoken::new(&"\"".repeat(Spoken::LIMIT_CHARS)),
        acceptance: Acceptance::Key,
        brief: Brief {
            summary: Some(Pii::new("x".repeat(100_000))),
            ..brief()
        },
        ..reaching(Reach::Sip(sip(&headers)))
    };
    assert!(handoff_document(&parts.handoff()).as_str().len() < LIMIT_BYTES);
}
