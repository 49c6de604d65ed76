//! What of a document the load has to know: its stream, or whom it rings after how many words.
//!
//! Sources: Twilio's TwiML and Plivo's XML pages, read 2026-11-21. The stand-in carriers check documents;
//! here an element that is not looked for is passed over.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::account::Carrier;

/// The `<Stream>` of an answered document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamElement {
    /// Its address as written.
    pub url: String,
    /// Whether it asks for both sides of the conversation.
    pub both_tracks: bool,
    /// What the stream's `start` is to repeat.
    pub parameters: Vec<(String, String)>,
}

/// What a rewritten call does until a phone rings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingDocument {
    /// Characters that are spoken to the caller first.
    pub announcement: usize,
    /// Where the carrier tells that the phone rings, if the document asks for that.
    pub ringing_url: Option<String>,
}

/// A document is not what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ParseDocumentError {
    /// It is not well-formed.
    #[error("the answer is not XML")]
    Xml(#[from] quick_xml::Error),
    /// An attribute is not well-formed.
    #[error("the answer has a malformed attribute")]
    Attribute(#[from] quick_xml::events::attributes::AttrError),
    /// There is no stream that could be opened in it.
    #[error("the answer has no <Stream> with a url")]
    NoStream,
    /// It rings nobody.
    #[error("the document has no <Dial>")]
    NoDial,
}

/// Finds the first `<Stream>` of a document.
///
/// # Errors
/// [`ParseDocumentError`] when there is none or the document is broken.
pub fn parse_stream(carrier: Carrier, xml: &str) -> Result<StreamElement, ParseDocumentError> {
    let tags = read(xml)?;
    let place = tags.iter().position(|tag| tag.name == "Stream");
    let place = place.ok_or(ParseDocumentError::NoStream)?;
    let stream = &tags[place];
    let (url, both, parameters) = match carrier {
        Carrier::Twilio => {
            let children = tags.iter().filter(|tag| tag.parent == Some(place));
            let parameters = children
                .filter(|tag| tag.name == "Parameter")
                .map(|tag| {
                    let value = |name| tag.attribute(name).unwrap_or_default().to_owned();
                    (value("name"), value("value"))
                })
                .collect();
            let both = stream.attribute("track") == Some("both_tracks");
            (stream.attribute("url"), both, parameters)
        }
        Carrier::Plivo => {
            let headers = stream.attribute("extraHeaders").unwrap_or_default();
            // Plivo's pages separate pairs by one or the other.
            let parameters = headers
                .split([',', ';'])
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let both = stream.attribute("audioTrack") == Some("both");
            (Some(stream.text.trim()), both, parameters)
        }
    };
    let url = url.filter(|url| !url.is_empty());
    Ok(StreamElement {
        url: url.ok_or(ParseDocumentError::NoStream)?.to_owned(),
        both_tracks: both,
        parameters,
    })
}

/// Finds out what is spoken before the first `<Dial>`, and who wants to know when it rings.
///
/// # Errors
/// [`ParseDocumentError`] when nobody is dialled or the document is broken.
pub fn parse_ring(carrier: Carrier, xml: &str) -> Result<RingDocument, ParseDocumentError> {
    let tags = read(xml)?;
    let place = tags.iter().position(|tag| tag.name == "Dial");
    let place = place.ok_or(ParseDocumentError::NoDial)?;
    let spoken = |tag: &&Tag| tag.parent == Some(0) && ["Say", "Speak"].contains(&&*tag.name);
    let before = tags[..place].iter().filter(spoken);
    let announcement = before.map(|tag| tag.text.chars().count()).sum();
    let ringing_url = match carrier {
        Carrier::Twilio => {
            let mut targets = tags.iter().filter(|tag| tag.parent == Some(place));
            targets.find_map(|target| {
                let events = target.attribute("statusCallbackEvent").unwrap_or_default();
                let is_wanted = events.split_whitespace().any(|event| event == "ringing");
                target.attribute("statusCallback").filter(|_| is_wanted)
            })
        }
        // Its callbacks tell of an answer first.
        Carrier::Plivo => None,
    };
    Ok(RingDocument {
        announcement,
        ringing_url: ringing_url.map(str::to_owned),
    })
}

/// An element, in the order in which elements begin.
#[derive(Debug)]
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    /// The element around it, by its place.
    parent: Option<usize>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

fn read(xml: &str) -> Result<Vec<Tag>, ParseDocumentError> {
    let mut reader = Reader::from_str(xml);
    let mut tags: Vec<Tag> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                tags.push(tag(&start, open.last().copied())?);
                open.push(tags.len() - 1);
            }
            Event::Empty(start) => tags.push(tag(&start, open.last().copied())?),
            Event::End(_) => drop(open.pop()),
            Event::Text(text) => add(&mut tags, &open, &text.xml10_content()),
            Event::CData(text) => add(&mut tags, &open, &text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref()? {
                Some(character) => add(&mut tags, &open, &character.to_string()),
                None => {
                    let name = reference.into_inner();
                    let text = resolve_predefined_entity(&name).unwrap_or_default();
                    add(&mut tags, &open, text);
                }
            },
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => return Ok(tags),
        }
    }
}

fn tag(start: &BytesStart<'_>, parent: Option<usize>) -> Result<Tag, ParseDocumentError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(Tag {
        name: start.name().as_ref().to_owned(),
        attributes,
        text: String::new(),
        parent,
    })
}

fn add(tags: &mut [Tag], open: &[usize], text: &str) {
    if let Some(place) = open.last() {
        tags[*place].text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_at_twilio_is_found_with_its_parameters() {
        let twiml = r#"<?xml version="1.0" encoding="UTF-8"?><Response><Start>
            <Stream url="wss://a.example/m?x=1&amp;y=2" track="both_tracks"><Parameter name="tok" value="t&quot;1"/></Stream>
            </Start><Parameter name="other" value="x"/><Dial><Number>+15550100042</Number></Dial></Response>"#;
        let expected = StreamElement {
            url: "wss://a.example/m?x=1&y=2".to_owned(),
            both_tracks: true,
            parameters: vec![("tok".to_owned(), "t\"1".to_owned())],
        };
        assert_eq!(parse_stream(Carrier::Twilio, twiml).unwrap(), expected);
    }

    #[test]
    fn a_stream_at_plivo_has_its_url_as_text() {
        let xml = r#"<Response><Stream bidirectional="false" audioTrack="both" extraHeaders="tok=t1">
            wss://a.example/m?x=1&amp;y=2</Stream><Redirect>https://bot.example/</Redirect></Response>"#;
        let expected = StreamElement {
            url: "wss://a.example/m?x=1&y=2".to_owned(),
            both_tracks: true,
            parameters: vec![("tok".to_owned(), "t1".to_owned())],
        };
        assert_eq!(parse_stream(Carrier::Plivo, xml).unwrap(), expected);
    }

    #[test]
    fn a_document_without_a_stream_is_an_error() {
        for (carrier, xml) in [
            (Carrier::Twilio, "<Response><Hangup/></Response>"),
            (Carrier::Twilio, "<Response><Stream/></Response>"),
            (Carrier::Plivo, "<Response><Stream></Stream></Response>"),
        ] {
            let parsed = parse_stream(carrier, xml);
            assert!(matches!(parsed, Err(ParseDocumentError::NoStream)), "{xml}");
        }
    }

    #[test]
    fn what_is_spoken_before_the_dial_is_counted_and_nothing_else() {
        let twiml = r#"<Response><Say>&lt;é&gt;</Say><Dial>
            <Number statusCallback="https://a.example/leg/h1/2#rc=2"
                statusCallbackEvent="initiated ringing answered">+15550100042</Number>
            </Dial><Say>Nobody is here.</Say></Response>"#;
        let expected = RingDocument {
            announcement: 3,
            ringing_url: Some("https://a.example/leg/h1/2#rc=2".to_owned()),
        };
        assert_eq!(parse_ring(Carrier::Twilio, twiml).unwrap(), expected);
        let xml = r#"<Response><Speak>Wait</Speak><Dial callbackUrl="https://a.example/leg">
            <Number>15550100042</Number></Dial></Response>"#;
        let expected = RingDocument {
            announcement: 4,
            ringing_url: None,
        };
        assert_eq!(parse_ring(Carrier::Plivo, xml).unwrap(), expected);
    }

    #[test]
    fn ringing_is_told_only_to_who_asks_for_it() {
        let twiml = r#"<Response><Dial><Number statusCallback="https://a.example/leg"
            statusCallbackEvent="answered">+15550100042</Number></Dial></Response>"#;
        assert_eq!(
            parse_ring(Carrier::Twilio, twiml).unwrap().ringing_url,
            None
        );
        assert!(matches!(
            parse_ring(Carrier::Twilio, "<Response><Say>Bye</Say></Response>"),
            Err(ParseDocumentError::NoDial)
        ));
    }
}
