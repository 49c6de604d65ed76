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
            noun: Noun::Phone(Phone {
                address: Address::Number {
                    number: "+15550100042".into(),
                    digits: None,
                },
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
            }),
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
    check_bad("<Pay/>", "cannot play");
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

fn phone(noun: &str) -> Phone {
    let verbs = good(&format!("<Dial>{noun}</Dial>"));
    let [
        Verb::Dial(Dial {
            noun: Noun::Phone(phone),
            ..
        }),
    ] = verbs.as_slice()
    else {
        panic!("{verbs:?}")
    };
    phone.clone()
}

#[test]
fn every_kind_of_phone_is_read() {
    let number = phone(r#"<Number sendDigits="ww1234#">+15550100042</Number>"#);
    assert_eq!(
        number.address,
        Address::Number {
            number: "+15550100042".into(),
            digits: Some("ww1234#".into())
        }
    );
    let sip = phone(
        r#"<Sip username="u" password="p" url="/w" statusCallback="/leg">sip:q@pbx.example.com;transport=tls?x-handoff-id=h%201&amp;User-to-User=7b%3Bencoding%3Dhex</Sip>"#,
    );
    let headers = [("x-handoff-id", "h 1"), ("User-to-User", "7b;encoding=hex")];
    assert_eq!(
        sip.address,
        Address::Sip(SipAddress {
            uri: "sip:q@pbx.example.com;transport=tls".into(),
            headers: headers
                .map(|(name, value)| (name.into(), value.into()))
                .to_vec(),
        })
    );
    assert_eq!(sip.whisper, Some(post("https://bridge.example.com/w")));
    assert_eq!(sip.status_callback.unwrap().events, [LegEvent::Completed]);
    let client = |inside: &str| phone(&format!("<Client>{inside}</Client>")).address;
    let alice = |parameters| Address::Client {
        identity: "alice".into(),
        parameters,
    };
    assert_eq!(client("alice"), alice(Vec::new()));
    assert_eq!(
        client(r#"<Identity>alice</Identity><Parameter name="n" value="v"/>"#),
        alice(vec![("n".into(), "v".into())])
    );
}

#[test]
fn phones_follow_the_carriers_rules() {
    let sip = |uri: &str| format!("<Dial><Sip>{uri}</Sip></Dial>");
    let with_header = |header: &str| sip(&format!("sip:q@pbx.example.com?{header}"));
    let of_length = |length: usize| {
        let uri = "sip:@pbx.example.com";
        sip(&uri.replace('@', &format!("{}@", "q".repeat(length - uri.len()))))
    };
    let value = |length: usize| with_header(&format!("X-a={}", "v".repeat(length - 4)));
    good(&of_length(254));
    check_bad(&of_length(255), "under 255");
    good(&value(1023));
    check_bad(&value(1024), "under 1024");
    for bad in [
        "pbx.example.com",
        "sip:pbx.example.com",
        "tel:+15550100042",
        "sip:@x",
    ] {
        check_bad(&sip(bad), "not a SIP URI");
    }
    check_bad(&sip("sip:q@pbx;transport=sctp"), "transport of a SIP URI");
    for (header, expected) in [
        ("Subject=x", "does not pass on"),
        ("X-=x", "does not pass on"),
        ("X-a=b c", "not URL-encoded"),
        ("X-a=b;c", "not URL-encoded"),
        ("X-a=%0D%0AVia", "not URL-encoded"),
        ("X-a=%zz", "not URL-encoded"),
        ("X-a", "not URL-encoded"),
    ] {
        check_bad(&with_header(header), expected);
    }
    for good_header in ["x-a=b", "P-Called-Party-ID=b", "remote-party-id=b%3Cc%3E"] {
        good(&with_header(good_header));
    }
    check_bad(
        r#"<Dial><Sip username="u">sip:q@pbx</Sip></Dial>"#,
        "both username and password",
    );
    check_bad(
        r#"<Dial><Number sendDigits="1,2">+15550100042</Number></Dial>"#,
        "not a key or a pause",
    );
    check_bad(
        r#"<Dial><Number username="u">+15550100042</Number></Dial>"#,
        "no attribute username",
    );
    check_bad(
        r#"<Dial><Number machineDetectionTimeout="2">+15550100042</Number></Dial>"#,
        "machineDetectionTimeout",
    );
    let client = |inside: &str| format!("<Dial><Client>{inside}</Client></Dial>");
    good(&client(&"a".repeat(256)));
    check_bad(&client(&"a".repeat(257)), "257 characters");
    check_bad(&client(""), "identity once");
    check_bad(&client("bob<Identity>alice</Identity>"), "identity once");
    check_bad(&client("alice<Header/>"), "cannot be inside a <Client>");
    check_bad(&client(r#"alice<Parameter name="n"/>"#), "has no value");
    check_bad(
        r#"<Dial><Client machineDetection="Enable">alice</Client></Dial>"#,
        "no attribute machineDetection",
    );
    check_bad(
        "<Dial><Number>+15550100042</Number><Number>+15550100043</Number></Dial>",
        "several nouns",
    );
}

#[test]
fn conferences_follow_the_carriers_rules() {
    let conference =
        |attributes: &str| format!("<Dial><Conference {attributes}>h1</Conference></Dial>");
    let verbs = good(&conference(
        r#"startConferenceOnEnter="false" endConferenceOnExit="true" participantLabel="caller" waitUrl="/wait" waitMethod="GET" beep="onExit" statusCallback="/room" statusCallbackEvent="join mute""#,
    ));
    let [
        Verb::Dial(Dial {
            noun: Noun::Conference(read),
            ..
        }),
    ] = verbs.as_slice()
    else {
        panic!("{verbs:?}")
    };
    let wait = Callback {
        url: "https://bridge.example.com/wait".into(),
        method: Method::Get,
    };
    assert_eq!(
        *read,
        Conference {
            name: "h1".into(),
            starts_on_enter: false,
            ends_on_exit: true,
            label: Some("caller".into()),
            wait: Wait::Document(wait),
            status_callback: Some(StatusCallback {
                callback: post("https://bridge.example.com/room"),
                events: vec![ConferenceEvent::Join, ConferenceEvent::Unplayed],
            }),
        }
    );
    for (attributes, expected) in [
        (r#"beep="loud""#, "beep of <Conference>"),
        (r#"muted="yes""#, "muted of <Conference>"),
        (r#"startConferenceOnEnter="1""#, "startConferenceOnEnter"),
        (r#"endConferenceOnExit="no""#, "endConferenceOnExit"),
        (r#"maxParticipants="1""#, "maxParticipants"),
        (r#"jitterBufferSize="huge""#, "jitterBufferSize"),
        (r#"participantLabel="""#, "participantLabel"),
        (r#"waitMethod="GET""#, "waitMethod but no waitUrl"),
        (r#"hold="true""#, "no attribute hold"),
        (r#"statusCallbackEvent="join""#, "no statusCallback"),
        (
            r#"statusCallback="/room" statusCallbackEvent="ringing""#,
            "no event of a conference",
        ),
    ] {
        check_bad(&conference(attributes), expected);
    }
    check_bad("<Dial><Conference/></Dial>", "name of a <Conference>");
}

#[test]
fn queues_and_workflows_follow_the_carriers_rules() {
    let sid = "WW0123456789abcdef0123456789abcdef";
    let workflow =
        |sid: &str, inside: &str| format!(r#"<Enqueue workflowSid="{sid}">{inside}</Enqueue>"#);
    let task = |text: &str| format!("<Task>{text}</Task>");
    let sized = |bytes: usize| task(&format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8)));
    assert_eq!(
        good(r#"<Enqueue waitUrl="">support</Enqueue>"#),
        [Verb::Enqueue(Enqueue {
            line: WaitingLine::Queue("support".into()),
            action: None,
            wait: Wait::Silence,
        })]
    );
    good(&format!("<Enqueue>{}</Enqueue>", "q".repeat(64)));
    check_bad(&format!("<Enqueue>{}</Enqueue>", "q".repeat(65)), "1 to 64");
    check_bad("<Enqueue/>", "1 to 64");
    check_bad("<Enqueue>q<Task/></Enqueue>", "cannot be inside <Enqueue>");
    check_bad(
        r#"<Enqueue method="GET">q</Enqueue>"#,
        "method but no action",
    );
    check_bad(r#"<Enqueue loop="2">q</Enqueue>"#, "no attribute loop");
    check_bad(
        r#"<Enqueue action="/a">q</Enqueue><Hangup/>"#,
        "after <Enqueue action>",
    );
    good(&workflow(sid, &sized(4096)));
    check_bad(&workflow(sid, &sized(4097)), "4097 bytes");
    for bad in [
        "WW01",
        &sid.to_uppercase(),
        "QU0123456789abcdef0123456789abcdef",
    ] {
        check_bad(&workflow(bad, &task("{}")), "not WW and 32");
    }
    for (inside, expected) in [
        (task("[]"), "not a JSON object"),
        (task("{"), "not a JSON object"),
        (String::new(), "exactly one <Task>"),
        (format!("{0}{0}", task("{}")), "exactly one <Task>"),
        ("<Say>x</Say>".into(), "cannot be inside <Enqueue>"),
        (format!("support{}", task("{}")), "may not have text"),
        (
            r#"<Task priority="high">{}</Task>"#.into(),
            "priority of <Task>",
        ),
        (r#"<Task timeout="0">{}</Task>"#.into(), "timeout of <Task>"),
        (r#"<Task skill="x">{}</Task>"#.into(), "no attribute skill"),
    ] {
        check_bad(&workflow(sid, &inside), expected);
    }
}

#[test]
fn refers_and_recordings_follow_the_carriers_rules() {
    good("<Refer><Sip>sip:q@pbx?X-a=b</Sip></Refer>");
    check_bad("<Refer/>", "exactly one <Sip>");
    check_bad(
        "<Refer><Number>+15550100042</Number></Refer>",
        "cannot be inside <Refer>",
    );
    check_bad(
        r#"<Refer><Sip username="u">sip:q@pbx</Sip></Refer>"#,
        "no attribute username",
    );
    check_bad("<Refer><Sip>q@pbx</Sip></Refer>", "not a SIP URI");
    check_bad(
        r#"<Refer timeout="9"><Sip>sip:q@pbx</Sip></Refer>"#,
        "no attribute timeout",
    );
    check_bad(
        r#"<Refer action="/a"><Sip>sip:q@pbx</Sip></Refer><Hangup/>"#,
        "after <Refer action>",
    );
    good(r#"<Record maxLength="120" timeout="4" finishOnKey="" trim="do-not-trim"/>"#);
    for (attributes, expected) in [
        (r#"maxLength="0""#, "maxLength of <Record>"),
        (r#"timeout="x""#, "timeout of <Record>"),
        (r##"finishOnKey="#1a""##, "not a key"),
        (r#"playBeep="no""#, "playBeep of <Record>"),
        (r#"trim="yes""#, "trim of <Record>"),
        (r#"beep="true""#, "no attribute beep"),
        (
            r#"recordingStatusCallbackEvent="done""#,
            "no event of a recording",
        ),
        (
            r#"recordingStatusCallbackMethod="GET""#,
            "but no recordingStatusCallback",
        ),
    ] {
        check_bad(&format!("<Record {attributes}/>"), expected);
    }
    check_bad(r#"<Gather input="voice"/>"#, "input of <Gather>");
    check_bad(r#"<Gather finishOnKey="x"/>"#, "not a key");
}
