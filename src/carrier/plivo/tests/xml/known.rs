//! What a document has to be made of.

use expect_test::ExpectFile;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::carrier::argument::Voice;
use crate::carrier::plivo::xml::{Document, LIMIT_BYTES};

pub(super) const HOSTILE: &str = "</Speak><Dial>15550199999</Dial> & \"quotes\" 'n' ]]> \u{1f600} é\u{0}\u{8}\u{1b}[31m\u{fffe}\u{ffff}\ttab\nline";

/// What Plivo's Python library 4.63.0 lets its builders write, of the elements that we write.
const KNOWN: [(&str, &[&str]); 14] = [
    ("Response", &[]),
    (
        "Stream",
        &[
            "bidirectional",
            "audioTrack",
            "streamTimeout",
            "statusCallbackUrl",
            "statusCallbackMethod",
            "contentType",
            "extraHeaders",
            "keepCallAlive",
        ],
    ),
    ("Redirect", &["method"]),
    (
        "Dial",
        &[
            "action",
            "method",
            "redirect",
            "timeout",
            "callerId",
            "confirmSound",
            "confirmKey",
            "confirmTimeout",
            "callbackUrl",
            "callbackMethod",
        ],
    ),
    ("Number", &["sendDigits", "sendOnPreanswer"]),
    // The credentials are on the pages alone.
    (
        "User",
        &[
            "sendDigits",
            "sendOnPreanswer",
            "sipHeaders",
            "sipAuthUsername",
            "sipAuthPassword",
        ],
    ),
    (
        "Conference",
        &[
            "startConferenceOnEnter",
            "endConferenceOnExit",
            "waitSound",
            "action",
            "method",
            "redirect",
            "callbackUrl",
            "callbackMethod",
        ],
    ),
    (
        "MultiPartyCall",
        &[
            "role",
            "startMpcOnEnter",
            "endMpcOnExit",
            "waitMusicUrl",
            "waitMusicMethod",
            "customerHoldMusicUrl",
            "customerHoldMusicMethod",
            "enterSound",
            "exitSound",
            "onExitActionUrl",
            "onExitActionMethod",
            "statusCallbackUrl",
            "statusCallbackMethod",
            "statusCallbackEvents",
        ],
    ),
    (
        "GetInput",
        &[
            "action",
            "method",
            "redirect",
            "inputType",
            "numDigits",
            "executionTimeout",
        ],
    ),
    (
        "Record",
        &[
            "action",
            "method",
            "redirect",
            "callbackUrl",
            "callbackMethod",
            "maxLength",
            "timeout",
            "finishOnKey",
            "playBeep",
        ],
    ),
    ("Speak", &["voice", "language", "loop"]),
    ("Play", &["loop"]),
    ("Wait", &["length", "silence", "minSilence", "beep"]),
    ("Hangup", &["reason", "schedule"]),
];

pub(super) fn check(document: &Document, expected: ExpectFile) {
    let mut reader = Reader::from_str(document.as_str());
    let mut depth = 0;
    loop {
        let event = reader.read_event().expect("well-formed XML");
        match &event {
            Event::Start(element) | Event::Empty(element) => {
                let name = element.name();
                let name: &str = name.as_ref();
                let (_, known) = KNOWN
                    .iter()
                    .find(|(known, _)| *known == name)
                    .unwrap_or_else(|| panic!("Plivo knows no <{name}>"));
                for attribute in element.attributes() {
                    let attribute = attribute.expect("well-formed");
                    let attribute: &str = attribute.key.as_ref();
                    assert!(known.contains(&attribute), "<{name} {attribute}>");
                }
                depth += i32::from(matches!(event, Event::Start(_)));
            }
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    assert!(document.as_str().len() < LIMIT_BYTES);
    expected.assert_eq(&format!("{}\n", document.as_str()));
}

pub(super) fn voice() -> Voice {
    Voice {
        name: Some("Polly.Joanna".into()),
        language: Some("en-US".into()),
    }
}
