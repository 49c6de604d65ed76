//! The verbs that many documents share.

use crate::carrier::argument::{Spoken, Voice, WebUrl};
use crate::carrier::document::Document;
use crate::carrier::markup::Xml;
use crate::carrier::number::E164;

pub(super) fn response(verbs: impl FnOnce(&mut Xml)) -> Document {
    let mut xml = Xml::new();
    xml.element("Response", [], verbs);
    Document::new(xml.finish())
}

pub(super) fn say(xml: &mut Xml, text: &Spoken, voice: &Voice) {
    if text.expose().is_empty() {
        return;
    }
    let attributes = [("voice", &voice.name), ("language", &voice.language)];
    let given = attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)));
    xml.element("Say", given, |xml| xml.text(text.expose()));
}

pub(super) fn redirect(xml: &mut Xml, url: &WebUrl) {
    xml.element("Redirect", [("method", "POST")], |xml| {
        xml.text(url.as_str());
    });
}

pub(super) fn hang_up(xml: &mut Xml) {
    xml.empty("Hangup", []);
}

pub(super) fn dial_attributes<'a>(
    ring: &'a str,
    caller_id: Option<&'a E164>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let caller_id = caller_id.map(|number| ("callerId", number.expose()));
    [("timeout", ring)].into_iter().chain(caller_id)
}
