use expect_test::{Expect, expect, expect_file};
use handoff_core::pii::{Pii, Secret};
use quick_xml::events::Event;
use serde_json::Value;

use super::golden::{check, content};
use crate::carrier::argument::{RingSeconds, Spoken, Voice};
use crate::carrier::brief::Brief;
use crate::carrier::document::{Acceptance, HandoffUrls};
use crate::carrier::target::{
    ClientIdentity, Keys, ParameterName, QueueName, Reach, SipCredentials, SipTarget, UserToUser,
    UserToUserEncoding,
};
use crate::carrier::testing::{Parts, number, sip, template, url};
use crate::carrier::twilio::rest::{INLINE_LIMIT_CHARS, fits_inline};
use crate::carrier::twilio::sid::WorkflowSid;
use crate::carrier::twilio::twiml::{DeadManTail, Document, Handoff, dead_man, handoff_document};

fn reaching(reach: Reach) -> Parts {
    Parts::reaching("twilio", reach)
}

fn document(reach: Reach) -> Document {
    handoff_document(&reaching(reach).handoff())
}

fn extension() -> Reach {
    Reach::Number {
        number: number("+15550100042"),
        extension: Some(Keys::parse("wW4471#").expect("keys")),
    }
}

fn task_router() -> Reach {
    let sid = format!("WW{}", "0123456789abcdef".repeat(2));
    Reach::TaskRouter {
        workflow: WorkflowSid::parse(&sid).expect("a workflow"),
        priority: Some(5),
    }
}

fn client(parameters: &[(&str, &str)]) -> Reach {
    let parameters = parameters.iter().map(|(name, text)| {
        let name = ParameterName::parse(name).expect("a name");
        (name, template(text))
    });
    Reach::Client {
        identity: ClientIdentity::parse("ann<o'neill>@example.com").expect("an identity"),
        parameters: parameters.collect(),
    }
}

fn user_to_user(text: &str, encoding: UserToUserEncoding) -> SipTarget {
    SipTarget {
        user_to_user: Some(UserToUser {
            value: template(text),
            encoding,
        }),
        ..sip(&[])
    }
}

fn conference() -> Reach {
    Reach::Conference {
        number: number("+15550100042"),
    }
}

/// One of every way that Twilio has.
fn every_way() -> Vec<Reach> {
    let queue = QueueName::parse("support").expect("a name");
    let told = [("handoff-id", "{handoff}"), ("summary", "{summary}")];
    vec![
        extension(),
        Reach::Sip(sip(&told)),
        Reach::Refer(sip(&told)),
        Reach::Queue(queue),
        task_router(),
        client(&[("handoff_id", "{handoff}")]),
        conference(),
    ]
}

#[test]
fn a_number_may_have_an_extension() {
    check(
        &document(extension()),
        expect_file!["../golden/handoff_extension.xml"],
    );
}

#[test]
fn a_human_who_has_to_press_a_key_hears_a_whisper_and_one_who_has_not_may() {
    let with = |whisper, acceptance| {
        handoff_document(
            &Parts {
                whisper,
                acceptance,
                ..Parts::new("twilio")
            }
            .handoff(),
        )
    };
    let asked = with(true, Acceptance::Key);
    check(&asked, expect_file!["../golden/handoff_whisper.xml"]);
    assert_eq!(with(false, Acceptance::Key), asked);
    assert_eq!(with(true, Acceptance::Answer), asked);
    assert!(!with(false, Acceptance::Answer).as_str().contains("whisper"));
}

#[test]
fn a_sip_address_is_told_in_headers() {
    let target = SipTarget {
        credentials: SipCredentials::new("gate&way", Secret::new("s3cr\"t")).ok(),
        user_to_user: user_to_user("{handoff}", UserToUserEncoding::Hex).user_to_user,
        ..sip(&[
            ("x-Handoff-Id", "{handoff}"),
            ("reason", "{reason}; {rule} & 100% sure"),
            ("Remote-Party-ID", "<sip:{caller}@pbx.example.com>"),
            ("line", "a\r\nX-Evil: b\u{0}"),
        ])
    };
    let whispering = Parts {
        whisper: true,
        ..reaching(Reach::Sip(target))
    };
    check(
        &handoff_document(&whispering.handoff()),
        expect_file!["../golden/handoff_sip.xml"],
    );
}

#[test]
fn user_to_user_is_written_in_hex_or_base64() {
    let check = |encoding, expected: Expect| {
        let document = document(Reach::Sip(user_to_user("id={rule}?é", encoding)));
        expected.assert_eq(&content(&document, "Sip"));
    };
    check(
        UserToUserEncoding::Hex,
        expect![
            "sip:sales@pbx.example.com;transport=tls?User-to-User=69643d63616c6c65725f61736b735f666f725f68756d616e3fc3a9%3Bencoding%3Dhex"
        ],
    );
    check(
        UserToUserEncoding::Base64,
        expect![
            "sip:sales@pbx.example.com;transport=tls?User-to-User=aWQ9Y2FsbGVyX2Fza3NfZm9yX2h1bWFuP8Op%3Bencoding%3Dbase64"
        ],
    );
}

#[test]
fn headers_without_a_value_are_left_out() {
    let told = sip(&[
        ("caller", "{caller}"),
        ("a", " {link} "),
        ("line", "support"),
    ]);
    let mut parts = reaching(Reach::Sip(told));
    parts.brief = Brief::of(parts.brief.handoff);
    let document = handoff_document(&parts.handoff());
    assert_eq!(
        content(&document, "Sip"),
        "sip:sales@pbx.example.com;transport=tls?x-line=support"
    );
    let bare = reaching(Reach::Sip(sip(&[("caller", "{caller}")])));
    let bare = Parts {
        brief: Brief::of(parts.brief.handoff),
        ..bare
    };
    assert_eq!(
        content(&handoff_document(&bare.handoff()), "Sip"),
        "sip:sales@pbx.example.com;transport=tls"
    );
}

#[test]
fn the_longest_header_goes_where_there_is_no_room_for_all() {
    let written = |headers: &[(&str, &str)], summary: usize| {
        let mut parts = reaching(Reach::Sip(sip(headers)));
        parts.brief.summary = Some(Pii::new("s".repeat(summary)));
        content(&handoff_document(&parts.handoff()), "Sip")
    };
    let fixed = "f".repeat(900);
    let headers = [
        ("summary", "{summary}"),
        ("fixed", fixed.as_str()),
        ("rule", "{rule}"),
    ];
    // `?x-fixed=` and `&x-rule=caller_asks_for_human` take 909 and 29, `&x-summary=` 11.
    let room = 1_023 - 909 - 29 - 11;
    let query = |address: &str| {
        address
            .split_once('?')
            .map_or(0, |(_, query)| query.len() + 1)
    };
    let whole = written(&headers, room);
    assert!(
        whole.contains("x-summary=") && whole.contains("x-rule="),
        "{whole}"
    );
    assert_eq!(query(&whole), 1_023);
    let cut = written(&headers, room + 1);
    assert!(!cut.contains("x-summary="), "{cut}");
    assert!(cut.contains("x-fixed=") && cut.contains("x-rule="), "{cut}");
    let in_uui = Parts {
        brief: Brief {
            summary: Some(Pii::new("s".repeat(600))),
            ..reaching(extension()).brief
        },
        ..reaching(Reach::Sip(SipTarget {
            headers: sip(&[("id", "{handoff}")]).headers,
            ..user_to_user("{summary}", UserToUserEncoding::Hex)
        }))
    };
    let uui = content(&handoff_document(&in_uui.handoff()), "Sip");
    assert!(
        uui.ends_with("?x-id=ho_01KDVDNA000W3GE1R70W3GE100"),
        "{uui}"
    );
}

#[test]
fn a_referral_names_the_address_alone() {
    let target = SipTarget {
        user_to_user: user_to_user("{handoff}", UserToUserEncoding::Hex).user_to_user,
        ..sip(&[("handoff-id", "{handoff}")])
    };
    let document = document(Reach::Refer(target));
    check(&document, expect_file!["../golden/handoff_refer.xml"]);
    assert!(!document.as_str().contains("<Dial"));
}

#[test]
fn a_caller_waits_in_a_queue() {
    let queue = QueueName::parse("Billing & <more>").expect("a name");
    check(
        &document(Reach::Queue(queue)),
        expect_file!["../golden/handoff_queue.xml"],
    );
}

#[test]
fn a_task_carries_the_context() {
    check(
        &document(task_router()),
        expect_file!["../golden/handoff_task_router.xml"],
    );
    let mut parts = reaching(Reach::TaskRouter {
        workflow: WorkflowSid::parse(&format!("WW{}", "0".repeat(32))).expect("a workflow"),
        priority: None,
    });
    parts.brief = Brief::of(parts.brief.handoff);
    check(
        &handoff_document(&parts.handoff()),
        expect_file!["../golden/handoff_task_router_bare.xml"],
    );
}

#[test]
fn a_task_keeps_the_latest_lines_and_travels_inline() {
    let mut parts = reaching(task_router());
    let line = |n: usize| Pii::new(format!("caller: line {n} says \"this & that\""));
    parts.brief.transcript = (0..500).map(line).collect();
    let document = handoff_document(&parts.handoff());
    assert!(
        fits_inline(document.as_str()),
        "{} characters",
        document.as_str().len()
    );
    let attributes = content(&document, "Task");
    assert!(attributes.len() <= 4_096);
    let attributes: Value = serde_json::from_str(&attributes).expect("JSON");
    let lines = attributes["handoff_transcript"].as_array().expect("lines");
    assert!(lines.len() > 20, "{} lines", lines.len());
    assert_eq!(
        lines.last().and_then(Value::as_str),
        Some(line(499).expose().as_str())
    );
    let first = line(500 - lines.len());
    assert_eq!(
        lines.first().and_then(Value::as_str),
        Some(first.expose().as_str())
    );
    assert_eq!(
        attributes["handoff_link"],
        "https://bridge.example.com/h/3Jx"
    );
    assert_eq!(
        attributes["handoff_summary"],
        "Charged twice for order A-17 & angry."
    );
}

#[test]
fn a_task_of_a_document_that_is_fetched_anyway_is_cut_for_task_router_alone() {
    let mut parts = reaching(task_router());
    parts.announcement = Spoken::new(&"One moment please. ".repeat(200));
    parts.brief.transcript = vec![Pii::new("caller: again".to_owned()); 500];
    let document = handoff_document(&parts.handoff());
    assert!(!fits_inline(document.as_str()));
    let attributes = content(&document, "Task");
    assert!(
        (4_000..=4_096).contains(&attributes.len()),
        "{}",
        attributes.len()
    );
}

#[test]
fn a_task_leaves_out_what_no_task_has_room_for() {
    let mut parts = reaching(task_router());
    parts.brief.summary = Some(Pii::new("\"\u{1}é".repeat(5_000)));
    parts.brief.transcript = vec![Pii::new("x".repeat(5_000))];
    let attributes = content(&handoff_document(&parts.handoff()), "Task");
    assert!(attributes.len() <= 4_096);
    let attributes: Value = serde_json::from_str(&attributes).expect("JSON");
    assert!(attributes["handoff_summary"].is_null());
    assert!(attributes["handoff_transcript"].is_null());
    assert_eq!(attributes["handoff_reason"], "asked for a human");
}

#[test]
fn a_softphone_is_told_in_parameters() {
    let reach = client(&[
        ("handoff_id", "{handoff}"),
        ("summary", "{summary} \"<&>\""),
        ("unknown", "{link}"),
    ]);
    let mut parts = reaching(reach);
    parts.brief.link = None;
    check(
        &handoff_document(&parts.handoff()),
        expect_file!["../golden/handoff_client.xml"],
    );
    let mut long = reaching(client(&[("summary", "{summary}")]));
    long.brief.summary = Some(Pii::new("é".repeat(600)));
    let document = handoff_document(&long.handoff());
    assert_eq!(
        document.as_str().matches('é').count(),
        499 - "summary".len()
    );
}

#[test]
fn a_caller_waits_in_a_conference_for_a_human_who_is_called_apart() {
    let document = document(conference());
    check(&document, expect_file!["../golden/handoff_conference.xml"]);
    assert!(!document.as_str().contains("+15550100042"));
}

#[test]
fn a_caller_in_a_conference_hears_the_music_that_was_chosen() {
    let mut parts = Parts::reaching("twilio", conference());
    parts.urls.music = Some(url("https://music.example.com/a.mp3?x=1&y=2"));
    check(
        &handoff_document(&parts.handoff()),
        expect_file!["../golden/handoff_conference_music.xml"],
    );
}

#[test]
fn what_is_plivos_alone_does_not_leave_a_caller_alone() {
    let number = number("+15550100042");
    assert_eq!(
        document(Reach::MultiPartyCall { number }),
        document(conference())
    );
    assert_eq!(
        document(Reach::User(sip(&[]))),
        document(Reach::Sip(sip(&[])))
    );
}

#[test]
fn nothing_follows_what_moves_the_caller() {
    for reach in every_way() {
        let document = document(reach);
        let text = document.as_str();
        let ends = [
            "</Dial></Response>",
            "</Enqueue></Response>",
            "</Refer></Response>",
        ];
        assert!(ends.iter().any(|end| text.ends_with(end)), "{text}");
        assert_eq!(text.matches("action=").count(), 1, "{text}");
        assert!(text.contains("after-dial/h1/2"), "{text}");
        assert!(fits_inline(text), "{text}");
    }
}

#[test]
fn hostile_facts_stay_text_in_every_way() {
    let hostile = "</Sip></Task><Dial>+15550199999</Dial>&#10;\"'{}[],;?=%0d%0aX-A: b\r\n\u{0}\u{1b}\u{fffe}é";
    let shape = |document: &Document| {
        let mut elements = Vec::new();
        let mut reader = quick_xml::Reader::from_str(document.as_str());
        loop {
            match reader.read_event().expect("well-formed XML") {
                Event::Start(element) | Event::Empty(element) => {
                    let attributes: Vec<String> = (element.attributes())
                        .map(|it| format!("{:?}", it.expect("an attribute").key))
                        .collect();
                    elements.push(format!("{:?} {attributes:?}", element.name()));
                }
                Event::Eof => return elements,
                _ => {}
            }
        }
    };
    for reach in every_way() {
        let mut parts = reaching(reach);
        let usual = shape(&handoff_document(&parts.handoff()));
        let personal = Pii::new(hostile.to_owned());
        parts.brief = Brief {
            caller: Some(personal.clone()),
            called: Some(personal.clone()),
            rule: Some(hostile.to_owned()),
            reason: Some(personal.clone()),
            summary: Some(personal.clone()),
            transcript: vec![personal],
            link: Some(hostile.to_owned()),
            ..parts.brief
        };
        let document = handoff_document(&parts.handoff());
        assert_eq!(shape(&document), usual, "{}", document.as_str());
        assert!(!document.as_str().contains(char::is_control));
        if let Reach::TaskRouter { .. } = parts.reach {
            let attributes = content(&document, "Task");
            let attributes: Value = serde_json::from_str(&attributes).expect("JSON");
            let kept = attributes["handoff_summary"].as_str().expect("a text");
            assert_eq!(kept, hostile.replace('\u{fffe}', ""));
        }
    }
}

#[test]
fn long_addresses_of_ours_leave_room_for_a_usual_handoff() {
    let at = |path: &str| {
        url(&format!(
            "https://{}/{path}/ho_01KDVPWT0070W3GE1R70W3GE00/10",
            "a".repeat(60)
        ))
    };
    for reach in every_way() {
        let mut parts = Parts {
            whisper: true,
            announcement: Spoken::new(&"One moment please. ".repeat(10)),
            urls: HandoffUrls {
                after: at("twilio/after-dial"),
                leg: at("twilio/leg"),
                whisper: at("twilio/whisper"),
                wait: at("twilio/wait"),
                music: None,
            },
            ..reaching(reach)
        };
        parts.brief.summary = Some(Pii::new("Charged twice. ".repeat(20)));
        let length = handoff_document(&parts.handoff()).as_str().chars().count();
        assert!(length <= INLINE_LIMIT_CHARS, "{length}: {:?}", parts.reach);
    }
}

#[test]
fn a_tail_rings_what_rings_without_us_and_says_what_is_always_said() {
    let tail = |reach: Reach| {
        dead_man(&DeadManTail {
            reach,
            caller_id: Some(number("+15550100002")),
            ring: RingSeconds::new(25).expect("a ring time"),
            apology: Spoken::new("We are sorry. Goodbye."),
            voice: Voice::default(),
        })
    };
    check(
        &tail(extension()),
        expect_file!["../golden/tail_extension.xml"],
    );
    let told = sip(&[("handoff-id", "{handoff}"), ("line", "support")]);
    check(
        &tail(Reach::Sip(told)),
        expect_file!["../golden/tail_sip.xml"],
    );
    let told = client(&[("handoff_id", "{handoff}"), ("line", "support")]);
    check(&tail(told), expect_file!["../golden/tail_client.xml"]);
    let silent = tail(Reach::Refer(sip(&[])));
    check(&silent, expect_file!["../golden/tail_nobody.xml"]);
    for reach in every_way() {
        let rung = reach.without_us().map_or_else(|| silent.clone(), tail);
        assert!(!rung.as_str().contains("://"), "{}", rung.as_str());
        assert!(rung.as_str().ends_with("<Hangup/></Response>"));
    }
}

#[test]
fn nothing_of_a_handoff_is_shown() {
    let target = SipTarget {
        credentials: SipCredentials::new("gateway", Secret::new("s3cr3t")).ok(),
        ..sip(&[("caller", "{caller}")])
    };
    let parts = reaching(Reach::Sip(target));
    let handoff: Handoff<'_> = parts.handoff();
    let shown = format!("{handoff:?} {:?} {:?}", conference(), client(&[]));
    for secret in [
        "+1555", "s3cr3t", "sales@", "Charged", "3Jx", "Get me", "neill",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
