//! The elements that every kind of document has.

use crate::carrier::argument::{Spoken, Voice, WebUrl};
use crate::carrier::document::Document;
use crate::carrier::markup::Xml;

/// The longest document that Plivo takes. Texts have limits that keep ours below (test
/// `the_longest_documents_are_taken`).
pub const LIMIT_BYTES: usize = 100_000;

pub(super) fn response(elements: impl FnOnce(&mut Xml)) -> Document {
    let mut xml = Xml::new();
    xml.element("Response", [], elements);
    Document::new(xml.finish())
}

pub(super) fn speak(xml: &mut Xml, text: &Spoken, voice: &Voice) {
    if text.expose().is_empty() {
        return;
    }
    let attributes = [("voice", &voice.name), ("language", &voice.language)];
    let given = attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)));
    xml.element("Speak", given, |xml| xml.text(text.expose()));
}

pub(super) fn pause(xml: &mut Xml, seconds: u32) {
    xml.empty("Wait", [("length", seconds.to_string().as_str())]);
}

pub(super) fn redirect(xml: &mut Xml, url: &WebUrl) {
    xml.element("Redirect", [("method", "POST")], |xml| {
        xml.text(url.as_str());
    });
}

pub(super) fn hang_up(xml: &mut Xml) {
    xml.empty("Hangup", []);
}
