//! Documents as Plivo reads them: the sample of its pages, and every rule broken once.

use std::time::Duration;

use super::{Codec, Element, MultiPartyCall, Role, Stream, TargetKind, Tracks, read};
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
    assert_eq!(dial.targets[1].digits.as_deref(), Some("ww1234#"));
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
            "<Response><MultiPartyCall role='agent' startOnEnter='true'>a</MultiPartyCall></Response>",
            "no attribute startOnEnter",
        ),
        (
            "<Response><Conference><Speak>a</Speak></Conference></Response>",
            "<Speak> cannot be inside <Conference>",
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
    let room = |attributes: &str| format!("<Conference {attributes}>desk</Conference>");
    let member = |attributes: &str| format!("<MultiPartyCall {attributes}>desk</MultiPartyCall>");
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
        (
            dial(
                "",
                &user(r#"sipAuthUsername="desk" sipAuthPassword="short""#),
            ),
            "8 to 128",
        ),
        (
            dial("", &user(r#"sipAuthPassword="long enough""#)),
            "without the other",
        ),
        (
            dial("", r#"<Number sendOnPreanswer="true">15550100042</Number>"#),
            "but no sendDigits",
        ),
        (
            dial(
                r#"digitsMatchBLeg="1," callbackUrl="https://bridge.example.com/legs""#,
                number,
            ),
            "not keys of a telephone",
        ),
        (dial(r#"digitsMatch="1""#, number), "but no callbackUrl"),
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
        ("<DTMF>12</DTMF>".to_owned(), "cannot play"),
        (
            room(r#"waitSound="music.mp3""#),
            "waitSound of <Conference>",
        ),
        (
            room(r#"startConferenceOnEnter="yes""#),
            "startConferenceOnEnter of <Conference>",
        ),
        (
            room(r#"endConferenceOnExit="1""#),
            "endConferenceOnExit of <Conference>",
        ),
        (room(r#"stayAlone="no""#), "stayAlone of <Conference>"),
        (room(r#"enterSound="beep:3""#), "enterSound of <Conference>"),
        (room(r#"digitsMatch="1""#), "but no callbackUrl"),
        (
            format!(
                "{}<Hangup/>",
                room(r#"action="https://bridge.example.com/a""#)
            ),
            "after <Conference action>",
        ),
        ("<MultiPartyCall role=\"agent\"/>".to_owned(), "no name"),
        (member(""), "no role"),
        (
            member(r#"role="customer" maxDuration="299""#),
            "a number from 300 to 28800",
        ),
        (
            member(r#"role="customer" maxParticipants="11""#),
            "a number from 2 to 10",
        ),
        (
            member(r#"role="customer" waitMusicUrl="/music""#),
            "waitMusicUrl of <MultiPartyCall>",
        ),
        (
            member(r#"role="customer" waitMusicMethod="PUT""#),
            "waitMusicMethod of <MultiPartyCall>",
        ),
        (
            member(r#"role="customer" stayAlone="no""#),
            "stayAlone of <MultiPartyCall>",
        ),
        (
            member(r#"role="customer" statusCallbackEvents="all""#),
            "some of mpc-state-changes",
        ),
        (
            member(r#"role="customer" exitSound="gong""#),
            "exitSound of <MultiPartyCall>",
        ),
        (member(r#"role="customer" hold="true""#), "off hold"),
        (
            format!(
                "{}<Hangup/>",
                member(r#"role="customer" onExitActionUrl="https://bridge.example.com/a""#)
            ),
            "after <MultiPartyCall onExitActionUrl>",
        ),
        (
            r#"<Record finishOnKey="any"/>"#.to_owned(),
            "finishOnKey of <Record>",
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

#[test]
fn the_terms_of_a_multi_party_call_are_read_and_have_defaults() {
    let reading = read(
        r#"<Response><MultiPartyCall role="customer" waitMusicUrl="https://bridge.example.com/music"
        startMpcOnEnter="false" endMpcOnExit="true" maxDuration="600" maxParticipants="3"
        statusCallbackUrl="https://bridge.example.com/room" statusCallbackEvents="participant-state-changes"
        onExitActionUrl="https://bridge.example.com/left" coachMode="false" relayDTMFInputs="true"
        enterSound="none" recordFileFormat="wav" waitTime="5">desk</MultiPartyCall></Response>"#,
    );
    let to = |path: &str, method| {
        Some(Callback {
            url: format!("https://bridge.example.com/{path}"),
            method,
        })
    };
    let member = MultiPartyCall {
        room: "desk".to_owned(),
        role: Role::Customer,
        starts_on_enter: false,
        ends_on_exit: true,
        stays_alone: false,
        most_participants: 3,
        max_duration: Duration::from_secs(600),
        wait_music: to("music", Method::Get),
        on_exit: to("left", Method::Post),
        status_callback: to("room", Method::Post),
        tells_of_call: false,
        tells_of_participants: true,
    };
    assert_eq!(reading.faults, Vec::<String>::new());
    assert_eq!(
        reading.document.unwrap().elements,
        [Element::MultiPartyCall(member)]
    );
}
