//! Writing of XML, and checking of XML that an operator wrote. Which elements there are is the
//! carrier's business.

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};

/// Whether XML 1.0 can carry the character at all, escaped or not (XML 1.0, production 2).
pub(super) fn is_allowed(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => false,
        _ => true,
    }
}

/// Writes one document into memory, with everything escaped.
pub(super) struct Xml(Writer<Vec<u8>>);

impl Xml {
    pub(super) fn new() -> Self {
        let mut xml = Self(Writer::new(Vec::with_capacity(1_024)));
        xml.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        xml
    }

    /// Writes an element around what `inner` writes, or an empty one if it writes nothing.
    pub(super) fn element<'a>(
        &mut self,
        name: &str,
        attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
        inner: impl FnOnce(&mut Self),
    ) {
        let start = Self::start(name, attributes);
        let mut content = Self(Writer::new(Vec::new()));
        inner(&mut content);
        let content = content.0.into_inner();
        if content.is_empty() {
            self.event(Event::Empty(start));
        } else {
            self.event(Event::Start(start));
            self.0.get_mut().extend_from_slice(&content);
            self.event(Event::End(BytesEnd::new(name)));
        }
    }

    pub(super) fn empty<'a>(
        &mut self,
        name: &str,
        attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) {
        self.event(Event::Empty(Self::start(name, attributes)));
    }

    pub(super) fn text(&mut self, text: &str) {
        let text: String = text.chars().filter(|&c| is_allowed(c)).collect();
        self.event(Event::Text(BytesText::new(&text)));
    }

    /// Puts in what [`checked`] let through.
    pub(super) fn verbatim(&mut self, checked: &str) {
        self.0.get_mut().extend_from_slice(checked.as_bytes());
    }

    pub(super) fn finish(self) -> String {
        String::from_utf8(self.0.into_inner()).expect("only strings were written")
    }

    fn start<'a, 'n>(
        name: &'n str,
        attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> BytesStart<'n> {
        let mut start = BytesStart::new(name);
        for (name, value) in attributes {
            let value: String = value
                .chars()
                .filter(|&c| is_allowed(c) && !c.is_control())
                .collect();
            start.push_attribute(Attribute::from((name, value.as_str())));
        }
        start
    }

    fn event(&mut self, event: Event<'_>) {
        self.0
            .write_event(event)
            .expect("writing to a Vec cannot fail");
    }
}

/// Why an operator's verbs are refused. Found by `check`, before any call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InlineVerbsError {
    /// Nothing in it.
    #[error("no verb")]
    Empty,
    /// Longer than is accepted.
    #[error("longer than {} bytes", INLINE_LIMIT_BYTES)]
    TooLong,
    /// Not well-formed, or with entities other than those of XML itself.
    #[error("not well-formed XML at byte {position}")]
    NotWellFormed {
        /// Where reading stopped.
        position: u64,
    },
    /// An XML declaration, document type or processing instruction.
    #[error("declaration, document type or processing instruction at byte {position}")]
    Declaration {
        /// Where it ends.
        position: u64,
    },
    /// Text between verbs.
    #[error("text outside of a verb, before byte {position}")]
    Text {
        /// Where it ends.
        position: u64,
    },
    /// An element that the carrier does not know there.
    #[error("<{0}> is not a verb")]
    UnknownVerb(String),
}

/// Half of what Twilio takes as a document (64 kB, error 11750) and a third of Plivo's (100 kB), so that
/// the whole fits.
pub(super) const INLINE_LIMIT_BYTES: usize = 32 * 1_024;

/// Checks that a text is well-formed and made of `verbs`, and gives it back trimmed. Attributes and what
/// is inside of a verb are the operator's.
pub(super) fn checked(xml: &str, verbs: &[&str]) -> Result<String, InlineVerbsError> {
    if xml.len() > INLINE_LIMIT_BYTES {
        return Err(InlineVerbsError::TooLong);
    }
    if let Some(position) = xml.find(|c| !is_allowed(c)) {
        return Err(InlineVerbsError::NotWellFormed {
            position: position as u64,
        });
    }
    let mut reader = Reader::from_str(xml);
    let mut depth = 0usize;
    let mut found = 0usize;
    loop {
        let event = reader
            .read_event()
            .map_err(|_| InlineVerbsError::NotWellFormed {
                position: reader.error_position(),
            })?;
        let position = reader.buffer_position();
        match event {
            Event::Start(element) => {
                check_element(&element, depth, position, verbs)?;
                found += usize::from(depth == 0);
                depth += 1;
            }
            Event::Empty(element) => {
                check_element(&element, depth, position, verbs)?;
                found += usize::from(depth == 0);
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Text(text) => {
                if depth == 0 && !text.as_bytes().iter().all(u8::is_ascii_whitespace) {
                    return Err(InlineVerbsError::Text { position });
                }
            }
            Event::CData(_) if depth > 0 => {}
            Event::GeneralRef(entity) if depth > 0 => {
                let known = match entity.resolve_char_ref() {
                    Ok(Some(c)) => is_allowed(c),
                    Ok(None) => ["amp", "lt", "gt", "quot", "apos"]
                        .contains(&entity.xml10_content().as_ref()),
                    Err(_) => false,
                };
                if !known {
                    return Err(InlineVerbsError::NotWellFormed { position });
                }
            }
            Event::CData(_) | Event::GeneralRef(_) => {
                return Err(InlineVerbsError::Text { position });
            }
            Event::Comment(_) => {}
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                return Err(InlineVerbsError::Declaration { position });
            }
            Event::Eof => break,
        }
    }
    if depth > 0 {
        return Err(InlineVerbsError::NotWellFormed {
            position: xml.len() as u64,
        });
    }
    if found == 0 {
        return Err(InlineVerbsError::Empty);
    }
    Ok(xml.trim().to_owned())
}

fn check_element(
    element: &BytesStart<'_>,
    depth: usize,
    position: u64,
    verbs: &[&str],
) -> Result<(), InlineVerbsError> {
    let malformed = InlineVerbsError::NotWellFormed { position };
    for attribute in element.attributes() {
        let Ok(attribute) = attribute else {
            return Err(malformed);
        };
        if attribute.value.contains('<') || quick_xml::escape::unescape(&attribute.value).is_err() {
            return Err(malformed);
        }
    }
    let name = element.name();
    let name: &str = name.as_ref();
    if depth == 0 && !verbs.contains(&name) {
        return Err(InlineVerbsError::UnknownVerb(name.to_owned()));
    }
    Ok(())
}
