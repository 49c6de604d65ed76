use std::time::Duration;

use super::*;

const BASE: Base<'_> = Base::Fetched("https://bridge.example.com/twilio/voice");

fn good(body: &str) -> Vec<Verb> {
    let reading = read(&format!("<Response>{body}</Response>"), BASE);
    assert_eq!(reading.faults, Vec::<String>::new());
    reading.document.unwrap().verbs
}

/// Checks that a document has exactly this one fault.
#[track_caller]
fn check_bad(body: &str, expected: &str) {
    check_text(&format!("<Response>{body}</Response>"), BASE, expected);
}

#[track_caller]
fn check_text(text: &str, base: Base<'_>, expected: &str) {
    let faults = read(text, base).faults;
    assert!(
        faults.len() == 1 && faults[0].contains(expected),
        "expected one fault with {expected:?}, got {faults:#?}"
    );
}

fn post(url: &str) -> Callback {
    Callback {
        url: url.into(),
        method: Method::Post,
    }
}

#[test]
fn the_handoff_document_of_the_reference_is_read() {
    let verbs = good(
        r#"<Say>One moment, I am connecting you to a colleague.</Say>
        <Dial timeout="25" callerId="+15550100009" action="https://bridge.example.com/twilio/after-dial?h=h1">
          <Number url="https://bridge.example.com/twilio/whisper?h=h1&amp;l=2"
                  statusCallback="https://bridge.example.com/twilio/leg?h=h1"
                  statusCallbackEvent="initiated ringing answered completed">+15550100042</Number>
        </Dial>"#,
    );
    let [Verb::Prompt(Prompt::Say(text)), Verb::Dial(dial)] = verbs.as_slice() else {
        panic!("{verbs:?}")
    };
    assert_eq!(text, "One moment, I am connecting you to a colleague.");
    assert_eq!(
        *dial,
        Dial {
            number: Number {
                number: "+15550100042".into(),
                whisper: Some(post("https://bridge.example.com/twilio/whisper?h=h1&l=2")),
                status_callback: Some(StatusCallback {
                    callback: post("https://bridge.example.com/twilio/leg?h=h1"),
                    events: vec![
                        LegEvent::Initiated,
                        LegEvent::Ringing,
                        LegEvent::Answered,
                        LegEvent::Completed
                    ],
                }),
            },
            timeout: Duration::from_secs(25),
            caller_id: Some("+15550100009".into()),
            action: Some(post("https://bridge.example.com/twilio/after-dial?h=h1")),
            time_limit: Duration::from_secs(14_400),
        }
    );
}

#[test]
fn a_listening_document_is_read() {
    let verbs = good(
        r#"<Start><Stream url="wss://bridge.example.com/twilio/media/t" track="both_tracks" name="n">
          <Parameter name="tok" value="a&amp;b"/></Stream></Start>
        <Redirect method="GET">/elsewhere?a=1</Redirect>"#,
    );
    let stream = Stream {
        url: "wss://bridge.example.com/twilio/media/t".into(),
        name: Some("n".into()),
        track: TrackChoice::Both,
        parameters: vec![("tok".into(), "a&b".into())],
        status_callback: None,
    };
    let elsewhere = Callback {
        url: "https://bridge.example.com/elsewhere?a=1".into(),
        method: Method::Get,
    };
    assert_eq!(verbs, [Verb::Start(stream), Verb::Redirect(elsewhere)]);
}

#[test]
fn the_small_verbs_are_read_with_their_defaults() {
    assert_eq!(
        good("<Pause/><Pause length=\"7\"/>"),
        [
            Verb::Pause(Duration::from_secs(1)),
            Verb::Pause(Duration::from_secs(7))
        ]
    );
    assert_eq!(good("<Reject reason=\"busy\"/>"), [Verb::Reject]);
    assert_eq!(
        good("<Say>&#72;i &lt;you&gt; <![CDATA[& me]]></Say>"),
        [Verb::Prompt(Prompt::Say("Hi <you> & me".into()))]
    );
    assert_eq!(good(""), []);
}

#[test]
fn text_that_is_no_document_cannot_be_executed() {
    for (text, expected) in [
        ("", "no root element"),
        ("<Response>", "not closed"),
        ("<Response></Reponse>", "not well-formed"),
        ("<Response/><Response/>", "more than one root"),
        ("<Response/>tail", "text outside"),
        ("<response/>", "not <Response>"),
        ("<Response><Say>&nbsp;</Say></Response>", "unknown entity"),
        ("<!DOCTYPE x><Response/>", "document type"),
        (
            "<Response><Say a=\"1\" a=\"2\">x</Say></Response>",
            "not well-formed",
        ),
    ] {
        check_text(text, BASE, expected);
        assert_eq!(read(text, BASE).document, None, "{text}");
    }
    check_text(
        &format!("<Response><!--{}--></Response>", "x".repeat(64 * 1024)),
        BASE,
        "11750",
    );
}

#[test]
fn what_twilio_would_ignore_or_refuse_is_a_fault() {
    check_bad("<Speak>hello</Speak>", "not a verb of Twilio");
    check_bad("<Record/>", "cannot play");
    check_bad("<Say tempo=\"fast\">hello</Say>", "no attribute tempo");
    check_bad("<Say/>", "no text");
    check_bad(
        &format!("<Say>{}</Say>", "x".repeat(4097)),
        "4097 characters",
    );
    check_bad("<Say>a<Break/></Say>", "cannot be inside <Say>");
    check_bad("hello", "may not have text");
    check_bad("<Pause length=\"long\"/>", "length of <Pause>");
    check_bad("<Reject reason=\"tired\"/>", "reason of <Reject>");
    check_bad("<Hangup/><Say>bye</Say>", "after <Hangup> can never run");
}

#[test]
fn streams_follow_the_carriers_rules() {
    let stream = |attributes: &str, inside: &str| {
        format!("<Start><Stream {attributes}>{inside}</Stream></Start>")
    };
    let url = r#"url="wss://bridge.example.com/m""#;
    check_bad(
        &stream(r#"url="https://bridge.example.com/m""#, ""),
        "31922",
    );
    check_bad(
        &stream(r#"url="wss://bridge.example.com/m?tenant=1""#, ""),
        "31920",
    );
    check_bad(&stream(r#"url="wss://:99999/m""#, ""), "31923");
    check_bad(&stream("name=\"n\"", ""), "has no url");
    check_bad(
        &stream(&format!("{url} track=\"both\""), ""),
        "track of <Stream>",
    );
    check_bad(
        &stream(&format!("{url} statusCallback=\"/leg\""), ""),
        "absolute URL",
    );
    check_bad(
        &stream(url, r#"<Parameter name="a"/>"#),
        "<Parameter> has no value",
    );
    let fits = format!(r#"<Parameter name="a" value="{}"/>"#, "x".repeat(498));
    let too_long = format!(r#"<Parameter name="a" value="{}"/>"#, "x".repeat(499));
    good(&stream(url, &fits));
    check_bad(&stream(url, &too_long), "under 500");
    check_bad(
        &format!("<Connect><Stream {url} track=\"both_tracks\"/></Connect>"),
        "31941",
    );
    check_bad(
        &format!("<Connect action=\"/a\"><Stream {url}/></Connect><Say>x</Say>"),
        "after <Connect action>",
    );
}

#[test]
fn dials_follow_the_carriers_rules() {
    let number = "<Number>+15550100042</Number>";
    check_bad(
        &format!("<Dial timeout=\"4\">{number}</Dial>"),
        "timeout of <Dial>",
    );
    check_bad(
        &format!("<Dial timeout=\"601\">{number}</Dial>"),
        "timeout of <Dial>",
    );
    check_bad(
        &format!("<Dial statusCallback=\"/leg\">{number}</Dial>"),
        "belongs on <Number>",
    );
    check_bad(
        &format!("<Dial colour=\"red\">{number}</Dial>"),
        "no attribute colour",
    );
    check_bad(
        &format!("<Dial method=\"POST\">{number}</Dial>"),
        "method but no action",
    );
    check_bad(
        &format!("<Dial action=\"/a\">{number}</Dial><Say>x</Say>"),
        "after <Dial action>",
    );
    check_bad("<Dial><Number>555-0100</Number></Dial>", "13224");
    check_bad(
        "<Dial><Number statusCallback=\"/leg\" statusCallbackEvent=\"ringing,completed\">+15550100042</Number></Dial>",
        "no event of a leg",
    );
    check_bad(
        "<Dial><Number statusCallbackEvent=\"ringing\">+15550100042</Number></Dial>",
        "no statusCallback",
    );
    check_bad(
        "<Dial><Queue>support</Queue></Dial>",
        "<Dial><Queue> cannot be played",
    );
}

#[test]
fn urls_of_an_inline_document_must_be_absolute() {
    let text = r#"<Response><Dial action="/after"><Number>+15550100042</Number></Dial></Response>"#;
    check_text(text, Base::Inline, "must be absolute");
    assert_eq!(read(text, BASE).faults, Vec::<String>::new());
}
