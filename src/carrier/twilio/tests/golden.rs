//! What the tests of documents share.

use expect_test::ExpectFile;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::carrier::twilio::twiml::Document;

/// Compares a document with its golden file, and parses it.
pub(super) fn check(document: &Document, expected: ExpectFile) {
    let mut reader = Reader::from_str(document.as_str());
    let mut depth = 0;
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(element) => {
                element
                    .attributes()
                    .for_each(|attribute| drop(attribute.expect("well-formed")));
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    expected.assert_eq(&format!("{}\n", document.as_str()));
}

/// The content of the document's only element of a name, unescaped.
pub(super) fn content(document: &Document, element: &str) -> String {
    let mut reader = Reader::from_str(document.as_str());
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(start) if start.name().as_ref() == element => {
                let raw = reader.read_text(start.name()).expect("text");
                let raw: &str = raw.as_ref();
                return quick_xml::escape::unescape(raw)
                    .expect("entities")
                    .into_owned();
            }
            Event::Eof => panic!("no <{element}>"),
            _ => {}
        }
    }
}
