use expect_test::{expect, expect_file};
use handoff_core::pii::Secret;

use super::known::{HOSTILE, check, voice};
use crate::carrier::argument::{RingSeconds, Spoken, StreamToken, StreamUrl, Voice};
use crate::carrier::document::HandoffUrls;
use crate::carrier::plivo::xml::{
    DeadManTail, InlineElements, LIMIT_BYTES, Mode, Then, VoiceAnswer, after_dial_bridged,
    after_dial_nobody, bypass, dead_man, handoff_document, voice_answer,
};
use crate::carrier::target::Reach;
use crate::carrier::testing::{Parts, number, url};

fn answer(mode: Mode) -> VoiceAnswer {
    VoiceAnswer {
        mode,
        media_url: StreamUrl::new("wss://bridge.example.com/plivo/media/9f2c").expect("a URL"),
        token: StreamToken::new(Secret::new("9f2c")).expect("a token"),
        stream_status_url: Some(url("https://bridge.example.com/plivo/stream?c=1&n=2")),
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
    let parts = Parts::new("plivo");
    Parts {
        announcement: Spoken::new(announcement),
        urls: HandoffUrls {
            after: url("https://bridge.example.com/plivo/after-dial/h1/2?a=1&b=2"),
            leg: url("https://bridge.example.com/plivo/leg/h1/2#rt=5000"),
            ..parts.urls
        },
        ..parts
    }
}

fn listen_to_bot() -> Mode {
    Mode::Listen {
        then: Then::Redirect(url("https://bot.example.com/voice?a=1&b=2")),
    }
}

fn listen_to_elements(xml: &str) -> Mode {
    Mode::Listen {
        then: Then::Document(InlineElements::new(xml).expect("elements")),
    }
}

#[test]
fn listening_goes_on_to_the_existing_bot() {
    let document = voice_answer(&answer(listen_to_bot()));
    check(
        &document,
        expect_file!["../../golden/voice_listen_redirect.xml"],
    );
}

#[test]
fn listening_goes_on_to_an_operators_elements() {
    let mode = listen_to_elements(r#"<Speak>Hi &amp; welcome</Speak><Hangup schedule="60"/>"#);
    let document = voice_answer(&answer(mode));
    check(
        &document,
        expect_file!["../../golden/voice_listen_document.xml"],
    );
}

#[test]
fn conversing_holds_the_call_while_the_stream_lasts() {
    let document = voice_answer(&answer(Mode::Converse));
    check(&document, expect_file!["../../golden/voice_converse.xml"]);
}

#[test]
fn optional_attributes_are_left_out() {
    let mut answer = answer(Mode::Converse);
    answer.stream_status_url = None;
    answer.tail.caller_id = None;
    answer.tail.voice = Voice::default();
    let document = voice_answer(&answer);
    check(
        &document,
        expect_file!["../../golden/voice_converse_bare.xml"],
    );
}

#[test]
fn the_dead_man_tail_needs_nobody_of_ours() {
    for mode in [
        Mode::Converse,
        listen_to_elements(r#"<Wait length="60"/>"#),
        listen_to_bot(),
    ] {
        let document = voice_answer(&answer(mode)).into_string();
        let tail = document.find("<Dial").expect("a tail");
        assert!(!document[tail..].contains("://"), "{document}");
        assert!(document.ends_with("<Hangup/></Response>"), "{document}");
        assert!(document[tail..].contains(">15550100042</Number></Dial><Speak"));
        assert_eq!(document.matches("<Stream").count(), 1);
    }
}

#[test]
fn without_us_the_call_goes_on_to_its_voice_agent_or_a_human() {
    let answer = answer(listen_to_bot());
    let document = bypass(&answer.mode, &answer.tail);
    check(&document, expect_file!["../../golden/bypass_listen.xml"]);
    let document = bypass(&Mode::Converse, &answer.tail);
    check(&document, expect_file!["../../golden/dead_man.xml"]);
    assert_eq!(document, dead_man(&answer.tail));
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
    check(&document, expect_file!["../../golden/handoff.xml"]);
    assert!(document.as_str().ends_with("</Dial></Response>"));
}

#[test]
fn a_handoff_without_words_says_nothing() {
    let mut silent = handoff(" \u{0} ");
    silent.caller_id = None;
    let document = handoff_document(&silent.handoff());
    check(&document, expect_file!["../../golden/handoff_silent.xml"]);
}

#[test]
fn hostile_text_stays_text() {
    let document = handoff_document(&handoff(HOSTILE).handoff());
    check(&document, expect_file!["../../golden/handoff_hostile.xml"]);
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
        expect_file!["../../golden/after_dial_nobody_hostile_voice.xml"],
    );
}

#[test]
fn after_the_dial() {
    let message = Spoken::new("I could not reach a colleague.");
    check(
        &after_dial_nobody(&message, &voice()),
        expect_file!["../../golden/after_dial_nobody.xml"],
    );
    check(
        &after_dial_bridged(),
        expect_file!["../../golden/after_dial_bridged.xml"],
    );
}

#[test]
fn the_longest_documents_are_taken() {
    let longest = Spoken::new(&"\"".repeat(Spoken::LIMIT_CHARS));
    let filler = "x".repeat(InlineElements::LIMIT_BYTES - "<Speak></Speak>".len());
    let mode = listen_to_elements(&format!("<Speak>{filler}</Speak>"));
    let mut answer = answer(mode);
    answer.tail.apology = longest.clone();
    answer.token = StreamToken::new(Secret::new("t".repeat(256))).expect("a token");
    let document = voice_answer(&answer);
    assert!(document.as_str().len() < LIMIT_BYTES);
    let mut handoff = handoff("");
    handoff.announcement = longest;
    assert!(handoff_document(&handoff.handoff()).as_str().len() < LIMIT_BYTES);
}

#[test]
fn the_token_stays_within_what_extra_headers_hold() {
    let longest = StreamToken::new(Secret::new("t".repeat(256))).expect("a token");
    assert!(StreamToken::PARAMETER.len() + 1 + longest.expose().len() <= 512);
}

#[test]
fn debug_output_shows_no_numbers_and_no_tokens() {
    let answer = answer(Mode::Converse);
    let shown = format!(
        "{answer:?} {:?} {:?}",
        handoff("Hi Ann").handoff(),
        voice_answer(&answer)
    );
    for hidden in ["1555", "9f2c", "Hi Ann", "We are sorry"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

#[test]
fn an_operators_elements_are_checked() {
    for good in [
        "<Hangup/>",
        "  <Speak>Hi</Speak>\n<!-- then --><Wait length=\"2\"/>  ",
        r#"<GetInput action="https://bot.example.com/in"><Speak>x</Speak></GetInput>"#,
        "<Dial><User>sip:bot@bot.example.com</User></Dial>",
    ] {
        assert!(InlineElements::new(good).is_ok(), "{good}");
    }
    let refused = [
        "",
        "hello",
        "<Speak>hi",
        "<Say>hi</Say>",
        "<Pause/>",
        "<Gather/>",
        "<Number>15550100042</Number>",
        "<Stream>wss://bot.example.com/ws</Stream>",
        "<Response><Speak>x</Speak></Response>",
    ]
    .map(|xml| {
        let error = InlineElements::new(xml).expect_err(xml);
        format!("{xml:?}: {error}\n")
    })
    .concat();
    expect![[r#"
        "": no verb
        "hello": text outside of a verb, before byte 5
        "<Speak>hi": not well-formed XML at byte 9
        "<Say>hi</Say>": <Say> is not a verb
        "<Pause/>": <Pause> is not a verb
        "<Gather/>": <Gather> is not a verb
        "<Number>15550100042</Number>": <Number> is not a verb
        "<Stream>wss://bot.example.com/ws</Stream>": <Stream> would be the call's second stream, and Plivo allows one: use converse mode
        "<Response><Speak>x</Speak></Response>": <Response> is not a verb
    "#]]
    .assert_eq(&refused);
    let long = format!("<Speak>{}</Speak>", "x".repeat(InlineElements::LIMIT_BYTES));
    assert!(InlineElements::new(&long).is_err());
}
