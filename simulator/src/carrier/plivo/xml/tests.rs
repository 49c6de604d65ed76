//! Documents as Plivo reads them: the sample of its pages, and every rule broken once.

use std::time::Duration;

use super::{Codec, Element, Stream, TargetKind, Tracks, read};
use crate::carrier::callback::{Callback, Method};

#[test]
fn the_sample_of_the_pages_is_read() {
    let reading = read(
        r#"<?xml version="1.0" encoding="UTF-8"?>
        <Response>
          <Stream bidirectional="true" keepCallAlive="true" contentType="audio/x-mulaw;rate=8000" audioTrack="inbound"
                  statusCallbackUrl="https://bridge.example.com/plivo/stream-status">wss://bridge.example.com/plivo/media/9f2c</Stream>
          <Redirect>https://bridge.example.com/plivo/after-stream</Redirect>
        </Response>"#,
    );
    let post = |url: &str| Callback {
        url: url.to_owned(),
        method: Method::Post,
    };
    let stream = Stream {
        url: "wss://bridge.example.com/plivo/media/9f2c".to_owned(),
        bidirectional: true,
        tracks: Tracks::Inbound,
        codec: Codec::Mulaw,
        keep_call_alive: true,
        timeout: Duration::from_secs(86_400),
        status_callback: Some(post("https://bridge.example.com/plivo/stream-status")),
        extra_headers: Vec::new(),
    };
    let redirect = post("https://bridge.example.com/plivo/after-stream");
    assert_eq!(reading.faults, Vec::<String>::new());
    assert_eq!(
        reading.document.unwrap().elements,
        [Element::Stream(stream), Element::Redirect(redirect)]
    );
}

#[test]
fn the_sip_headers_of_a_dial_and_of_a_user_are_sent_with_plivos_prefix() {
    let reading = read(
        r#"<Response><Dial sipHeaders="handoffid=h1"><User sipHeaders="intent=billing">sip:desk@phone.plivo.com</User>
        <Number sendDigits="ww1234#">+15550100042</Number></Dial></Response>"#,
    );
    assert_eq!(reading.faults, Vec::<String>::new());
    let elements = reading.document.unwrap().elements;
    let [Element::Dial(dial)] = elements.as_slice() else {
        panic!("{elements:?}");
    };
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(dial.targets[0].kind, TargetKind::User);
    assert_eq!(
        dial.targets[0].sip_headers,
        [
            header("X-PH-handoffid", "h1"),
            header("X-PH-intent", "billing")
        ]
    );
    assert_eq!(dial.targets[1].address, "+15550100042");
    assert!(dial.redirect);
    assert_eq!(dial.confirm.timeout, Duration::from_secs(120));
}

/// Rules that end the call, each broken once.
#[test]
fn documents_that_plivo_refuses() {
    let long = format!("<Response><!--{}--></Response>", "x".repeat(100_000));
    for (document, part) in [
        ("<Response>", "not well-formed"),
        ("<Reply/>", "not <Response>"),
        (r#"<Response version="1"/>"#, "no attribute version"),
        (
            "<Response><Gather/></Response>",
            "<Gather> is not an element",
        ),
        (
            "<Response><Dial><Sip>sip:a@b.example</Sip></Dial></Response>",
            "<Sip> cannot be inside <Dial>",
        ),
        (
            "<Response><Wait seconds='1'/></Response>",
            "no attribute seconds",
        ),
        (
            "<Response><PreAnswer><Stream/></PreAnswer></Response>",
            "cannot be inside <PreAnswer>",
        ),
        (long.as_str(), "100 kB"),
    ] {
        let reading = read(document);
        assert_eq!(reading.document, None, "{document:.60}");
        let fault = &reading.faults[0];
        assert!(fault.contains(part) && fault.contains("8011"), "{fault}");
    }
}

/// Rules whose breach Plivo bears, each broken once.
#[test]
fn documents_that_plivo_misunderstands() {
    let stream = |attributes: &str, url: &str| format!("<Stream {attributes}>{url}</Stream>");
    let coded = |attributes: &str| {
        let attributes = format!(r#"contentType="audio/x-mulaw;rate=8000" {attributes}"#);
        stream(&attributes, "wss://bridge.example.com/media/1")
    };
    let dial = |attributes: &str, child: &str| format!("<Dial {attributes}>{child}</Dial>");
    let number = "<Number>15550100042</Number>";
    let user = |attributes: &str| format!("<User {attributes}>sip:desk@phone.plivo.com</User>");
    let long_headers = format!(r#"extraHeaders="k={}""#, "x".repeat(511));
    let long_url = format!("wss://bridge.example.com/{}", "x".repeat(2048));
    for (element, part) in [
        (stream("", "wss://bridge.example.com/m"), "no contentType"),
        (
            stream(r#"contentType="audio/x-l16""#, "wss://bridge.example.com/m"),
            "contentType of <Stream>",
        ),
        (
            stream(
                r#"contentType="audio/x-mulaw;rate=8000""#,
                "https://bridge.example.com/m",
            ),
            "must begin with wss://",
        ),
        (
            stream(r#"contentType="audio/x-mulaw;rate=8000""#, &long_url),
            "2048 characters",
        ),
        (
            coded(r#"bidirectional="true" keepCallAlive="true" audioTrack="both""#),
            "delivers the inbound track only",
        ),
        (coded(r#"bidirectional="true""#), "without keepCallAlive"),
        (coded(r#"bidirectional="yes""#), "bidirectional of <Stream>"),
        (coded(r#"streamTimeout="0""#), "streamTimeout of <Stream>"),
        (coded(r#"extraHeaders="a=1,b=2""#), "more than one pair"),
        (coded(r#"extraHeaders="a=x-y""#), "letters and digits"),
        (coded(r#"extraHeaders="a""#), "not name=value"),
        (coded(&long_headers), "Plivo takes 512"),
        (
            coded(r#"noiseCancellationLevel="10""#),
            "noiseCancellationLevel",
        ),
        (
            coded(r#"statusCallbackUrl="/status""#),
            "not an absolute URL",
        ),
        (
            coded(r#"statusCallbackMethod="POST""#),
            "but no statusCallbackUrl",
        ),
        (dial("", ""), "nobody to ring"),
        (dial("", "<Number>agent</Number>"), "not an E.164 number"),
        (dial("", "<User>desk</User>"), "not a SIP URI"),
        (dial(r#"confirmKey="12""#, number), "not one key"),
        (dial(r#"confirmKey="1""#, number), "no confirmSound"),
        (
            dial(
                r#"action="https://bridge.example.com/a" method="PUT""#,
                number,
            ),
            "method of <Dial>",
        ),
        (dial(r#"timeout="0""#, number), "timeout of <Dial>"),
        (dial(r#"dialMusic="ringtone""#, number), "dialMusic"),
        (
            dial(&format!(r#"callerName="{}""#, "x".repeat(51)), number),
            "50 characters",
        ),
        (dial("", &user(r#"sipHeaders="PHid=1""#)), ""),
        (
            dial("", &user(r#"sipHeaders="Plivoid=1""#)),
            "whose prefix Plivo drops",
        ),
        (
            dial("", &user(r#"sipHeaders="id=a b""#)),
            "letters and digits",
        ),
        (dial("", &user(r#"sipAuthPassword="short""#)), "8 to 128"),
        (
            dial("", r#"<Number sendDigits="call me">15550100042</Number>"#),
            "sendDigits",
        ),
        (
            format!(
                "{}<Hangup/>",
                dial(r#"action="https://bridge.example.com/a""#, number)
            ),
            "after <Dial action>",
        ),
        (
            "<Hangup/><Speak>Hello.</Speak>".to_owned(),
            "after <Hangup>",
        ),
        (
            r#"<Hangup reason="tired"/>"#.to_owned(),
            "reason of <Hangup>",
        ),
        (
            "<Redirect>/next</Redirect>".to_owned(),
            "not an absolute URL",
        ),
        ("<Speak/>".to_owned(), "no text"),
        (
            r#"<Speak voice="ROBOT">Hello.</Speak>"#.to_owned(),
            "voice of <Speak>",
        ),
        ("<Play>hello.mp3</Play>".to_owned(), "not an absolute URL"),
        (r#"<Wait length="long"/>"#.to_owned(), "length of <Wait>"),
        (r#"<GetInput inputType="dtmf"/>"#.to_owned(), "no action"),
        (
            r#"<GetInput action="https://bridge.example.com/a"/>"#.to_owned(),
            "no inputType",
        ),
        ("<GetDigits/>".to_owned(), "no action"),
        ("<Conference/>".to_owned(), "no name"),
        (
            r#"<Conference maxMembers="21">a</Conference>"#.to_owned(),
            "maxMembers",
        ),
        (r#"<Record fileFormat="ogg"/>"#.to_owned(), "fileFormat"),
        (
            "<MultiPartyCall>a</MultiPartyCall>".to_owned(),
            "cannot play",
        ),
        (
            "<PreAnswer><GetDigits/></PreAnswer>".to_owned(),
            "cannot play",
        ),
        ("Hello.".to_owned(), "may not have text"),
    ] {
        let reading = read(&format!("<Response>{element}</Response>"));
        assert!(reading.document.is_some(), "{element}");
        match (reading.faults.as_slice(), part) {
            ([], "") => {}
            ([fault], part) if !part.is_empty() => assert!(fault.contains(part), "{fault}"),
            (faults, _) => panic!("{element}: {faults:?}"),
        }
    }
}
