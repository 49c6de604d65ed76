use expect_test::{expect, expect_file};
use handoff_core::pii::Secret;

use super::golden::check;
use crate::carrier::document::HandoffUrls;
use crate::carrier::target::Reach;
use crate::carrier::testing::{Parts, number, url};
use crate::carrier::twilio::argument::{
    ArgumentError, RingSeconds, Spoken, StreamToken, StreamUrl, Voice, WebUrl,
};
use crate::carrier::twilio::twiml::{
    DeadManTail, Mode, Then, VoiceAnswer, after_dial_bridged, after_dial_nobody, handoff_document,
    voice_answer,
};
use crate::carrier::twilio::xml::InlineVerbs;

const HOSTILE: &str = "</Say><Dial>+15550199999</Dial> & \"quotes\" 'n' ]]> \u{1f600} é\u{0}\u{8}\u{1b}[31m\u{fffe}\u{ffff}\ttab\nline";

fn voice() -> Voice {
    Voice {
        name: Some("Polly.Joanna-Neural".into()),
        language: Some("en-US".into()),
    }
}

fn answer(mode: Mode) -> VoiceAnswer {
    VoiceAnswer {
        mode,
        media_url: StreamUrl::new("wss://bridge.example.com/twilio/media/9f2c").expect("a URL"),
        token: StreamToken::new(Secret::new("9f2c")).expect("a token"),
        stream_name: Some("handoff-9f2c".into()),
        stream_status_url: Some(url("https://bridge.example.com/twilio/stream?c=1&n=2")),
        tail: DeadManTail {
            reach: Reach::Number {
                number: number("+15550100042"),
                extension: None,
            },
            caller_id: Some(number("+15550100002")),
            ring: RingSeconds::new(25).expect("a ring time"),
            apology: Spoken::new("We are sorry, nobody can take your call right now. Goodbye."),
            voice: voice(),
        },
    }
}

fn handoff(announcement: &str) -> Parts {
    let parts = Parts::new("twilio");
    Parts {
        announcement: Spoken::new(announcement),
        urls: HandoffUrls {
            after: url("https://bridge.example.com/twilio/after-dial?h=h1&n=2"),
            leg: url("https://bridge.example.com/twilio/leg?h=h1#rc=2"),
            ..parts.urls
        },
        ..parts
    }
}

#[test]
fn listening_goes_on_to_the_existing_bot() {
    let then = Then::Redirect(url("https://bot.example.com/voice?a=1&b=2"));
    let document = voice_answer(&answer(Mode::Listen { then }));
    check(
        &document,
        expect_file!["../golden/voice_listen_redirect.xml"],
    );
}

#[test]
fn listening_goes_on_to_an_operators_verbs() {
    let verbs = InlineVerbs::new(
        r#"<Say>Hi &amp; welcome</Say><Connect><Stream url="wss://bot.example.com/ws"/></Connect>"#,
    );
    let then = Then::Document(verbs.expect("verbs"));
    let document = voice_answer(&answer(Mode::Listen { then }));
    check(
        &document,
        expect_file!["../golden/voice_listen_document.xml"],
    );
}

#[test]
fn conversing_connects_the_stream() {
    let document = voice_answer(&answer(Mode::Converse));
    check(&document, expect_file!["../golden/voice_converse.xml"]);
    assert!(!document.as_str().contains("track="));
}

#[test]
fn optional_attributes_are_left_out() {
    let mut answer = answer(Mode::Converse);
    answer.stream_name = None;
    answer.stream_status_url = None;
    answer.tail.caller_id = None;
    answer.tail.voice = Voice::default();
    let document = voice_answer(&answer);
    check(&document, expect_file!["../golden/voice_converse_bare.xml"]);
}

#[test]
fn the_dead_man_tail_needs_nobody_of_ours() {
    let verbs = InlineVerbs::new(r#"<Pause length="60"/>"#).expect("a verb");
    for mode in [
        Mode::Converse,
        Mode::Listen {
            then: Then::Document(verbs),
        },
        Mode::Listen {
            then: Then::Redirect(url("https://bot.example.com/voice")),
        },
    ] {
        let document = voice_answer(&answer(mode)).into_string();
        let tail = document.find("<Dial").expect("a tail");
        assert!(!document[tail..].contains("://"), "{document}");
        assert!(document.ends_with("<Hangup/></Response>"), "{document}");
        assert!(document[tail..].contains(">+15550100042</Number></Dial><Say"));
    }
}

#[test]
fn the_same_answer_gives_the_same_document() {
    let one = voice_answer(&answer(Mode::Converse));
    assert_eq!(one, voice_answer(&answer(Mode::Converse)));
}

#[test]
fn a_handoff_rings_the_human_and_nothing_follows() {
    let document =
        handoff_document(&handoff("One moment, I am connecting you to a colleague.").handoff());
    check(&document, expect_file!["../golden/handoff.xml"]);
    assert!(document.as_str().ends_with("</Dial></Response>"));
}

#[test]
fn a_handoff_without_words_says_nothing() {
    let mut silent = handoff(" \u{0} ");
    silent.caller_id = None;
    let document = handoff_document(&silent.handoff());
    check(&document, expect_file!["../golden/handoff_silent.xml"]);
}

#[test]
fn hostile_text_stays_text() {
    let document = handoff_document(&handoff(HOSTILE).handoff());
    check(&document, expect_file!["../golden/handoff_hostile.xml"]);
    assert_eq!(document.as_str().matches("<Dial").count(), 1);
    let allowed = |c: char| !c.is_control() || matches!(c, '\t' | '\n');
    assert!(document.as_str().chars().all(allowed));
}

#[test]
fn hostile_attributes_stay_attributes() {
    let voice = Voice {
        name: Some("x\" onload=\"<y>&\u{0}\n".into()),
        language: None,
    };
    let document = after_dial_nobody(&Spoken::new("Goodbye."), &voice);
    check(
        &document,
        expect_file!["../golden/after_dial_nobody_hostile_voice.xml"],
    );
}

#[test]
fn after_the_dial() {
    let message = Spoken::new("I could not reach a colleague.");
    check(
        &after_dial_nobody(&message, &voice()),
        expect_file!["../golden/after_dial_nobody.xml"],
    );
    check(
        &after_dial_bridged(),
        expect_file!["../golden/after_dial_bridged.xml"],
    );
}

#[test]
fn debug_output_shows_no_numbers_and_no_tokens() {
    let answer = answer(Mode::Converse);
    let shown = format!(
        "{answer:?} {:?} {:?}",
        handoff("Hi Ann").handoff(),
        voice_answer(&answer)
    );
    for hidden in ["+1555", "9f2c/", "media/9f2c", "Hi Ann", "We are sorry"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

#[test]
fn spoken_text_is_cut_at_a_word() {
    let fits = "é".repeat(Spoken::LIMIT_CHARS);
    assert_eq!(Spoken::new(&fits).expose(), fits);

    let sentence = "twelve chars ".repeat(400);
    let cut = Spoken::new(&sentence);
    let cut = cut.expose();
    assert!(cut.chars().count() <= Spoken::LIMIT_CHARS);
    assert!(cut.ends_with("twelve…") || cut.ends_with("chars…"), "{cut}");
    assert!(sentence.starts_with(cut.trim_end_matches('…')));
    assert!(cut.chars().count() > Spoken::LIMIT_CHARS - 10);

    let exact = format!("{} tail", "a".repeat(Spoken::LIMIT_CHARS - 1));
    assert_eq!(
        Spoken::new(&exact).expose(),
        format!("{}…", "a".repeat(Spoken::LIMIT_CHARS - 1))
    );

    let one_word = "\u{1f600}".repeat(Spoken::LIMIT_CHARS + 1);
    let cut = Spoken::new(&one_word);
    assert_eq!(cut.expose().chars().count(), Spoken::LIMIT_CHARS);
}

#[test]
fn stream_urls_are_absolute_and_secure_and_bare() {
    for good in [
        "wss://bridge.example.com/twilio/media/abc",
        "wss://bridge.example.com:8443/m",
        "ws://127.0.0.1:9000/m",
        "ws://localhost/m",
        "ws://[::1]:9000/m",
    ] {
        assert!(StreamUrl::new(good).is_ok(), "{good}");
    }
    for (bad, reason) in [
        ("/twilio/media", ArgumentError::NotAbsolute),
        ("bridge.example.com", ArgumentError::NotAbsolute),
        ("", ArgumentError::NotAbsolute),
        ("wss://", ArgumentError::NotAbsolute),
        ("wss://bridge example.com/", ArgumentError::NotAbsolute),
        ("ws://bridge.example.com/m", ArgumentError::Scheme),
        ("ws://127.0.0.1.example.com/m", ArgumentError::Scheme),
        ("https://bridge.example.com/m", ArgumentError::Scheme),
        ("wss://bridge.example.com/m?token=x", ArgumentError::Query),
        ("wss://bridge.example.com/m#x", ArgumentError::Query),
        ("wss://u:p@bridge.example.com/m", ArgumentError::Credentials),
    ] {
        assert_eq!(StreamUrl::new(bad).map(|_| ()), Err(reason), "{bad}");
    }
}

#[test]
fn web_urls_tokens_and_ring_times_are_checked() {
    assert!(WebUrl::new("https://bot.example.com/voice?a=1#rc=2").is_ok());
    for bad in [
        "/voice",
        "ftp://x/y",
        "http://bot.example.com/voice",
        "javascript:alert(1)",
        "https://u@x/",
        "wss://x/",
    ] {
        assert!(WebUrl::new(bad).is_err(), "{bad}");
    }
    for (token, good) in [
        ("a-Z_09", true),
        ("", false),
        ("a/b", false),
        ("a\"b", false),
        (&*"t".repeat(256), true),
        (&*"t".repeat(257), false),
    ] {
        assert_eq!(
            StreamToken::new(Secret::new(token)).is_ok(),
            good,
            "{token}"
        );
    }
    for (seconds, good) in [(4, false), (5, true), (600, true), (601, false)] {
        assert_eq!(RingSeconds::new(seconds).is_ok(), good, "{seconds}");
    }
}

#[test]
fn an_operators_verbs_are_checked() {
    for good in [
        "<Hangup/>",
        "  <Say>Hi</Say>\n<!-- then --><Pause length=\"2\"/>  ",
        "<Say>a &lt; b &#38; c <![CDATA[<d>]]></Say>",
        r#"<Gather input="speech dtmf"><Say voice="a&amp;b">x</Say></Gather>"#,
    ] {
        assert!(InlineVerbs::new(good).is_ok(), "{good}");
    }
    let refused = [
        "",
        "<!-- nothing -->",
        "hello",
        "<Say>hi",
        "<Say>hi</Play>",
        "</Say>",
        "<Say>a & b</Say>",
        "<Say>&nbsp;</Say>",
        "<Say>&#0;</Say>",
        "<Say>\u{0}</Say>",
        "<Say a=b>x</Say>",
        "<Say a=\"1\" a=\"2\">x</Say>",
        "<Say a=\"<\">x</Say>",
        "<Say a=\"&nbsp;\">x</Say>",
        "<Say>x</Say>stray",
        "<Say>x</Say>&amp;",
        "<Response><Say>x</Say></Response>",
        "<?xml version=\"1.0\"?><Say>x</Say>",
        "<!DOCTYPE x><Say>x</Say>",
        "<say>x</say>",
        "<Dail>x</Dail>",
    ]
    .map(|xml| {
        let error = InlineVerbs::new(xml).expect_err(xml);
        format!("{xml:?}: {error}\n")
    })
    .concat();
    expect![[r#"
        "": no verb
        "<!-- nothing -->": no verb
        "hello": text outside of a verb, before byte 5
        "<Say>hi": not well-formed XML at byte 7
        "<Say>hi</Play>": not well-formed XML at byte 7
        "</Say>": not well-formed XML at byte 0
        "<Say>a & b</Say>": not well-formed XML at byte 7
        "<Say>&nbsp;</Say>": not well-formed XML at byte 11
        "<Say>&#0;</Say>": not well-formed XML at byte 9
        "<Say>\0</Say>": not well-formed XML at byte 5
        "<Say a=b>x</Say>": not well-formed XML at byte 9
        "<Say a=\"1\" a=\"2\">x</Say>": not well-formed XML at byte 17
        "<Say a=\"<\">x</Say>": not well-formed XML at byte 11
        "<Say a=\"&nbsp;\">x</Say>": not well-formed XML at byte 16
        "<Say>x</Say>stray": text outside of a verb, before byte 17
        "<Say>x</Say>&amp;": text outside of a verb, before byte 17
        "<Response><Say>x</Say></Response>": <Response> is not a verb
        "<?xml version=\"1.0\"?><Say>x</Say>": declaration, document type or processing instruction at byte 21
        "<!DOCTYPE x><Say>x</Say>": declaration, document type or processing instruction at byte 12
        "<say>x</say>": <say> is not a verb
        "<Dail>x</Dail>": <Dail> is not a verb
    "#]].assert_eq(&refused);
    let long = format!("<Say>{}</Say>", "x".repeat(InlineVerbs::LIMIT_BYTES));
    assert!(InlineVerbs::new(&long).is_err());
}
