//! What reading every element has in common: attributes, URLs, text, and noting faults.

use reqwest::Url;

use crate::carrier::callback::{Callback, Method};
use crate::carrier::element::Element;

/// What relative URLs of a document are relative to.
#[derive(Debug, Clone, Copy)]
pub enum Base<'a> {
    /// The URL the document was fetched from.
    Fetched(&'a str),
    /// Nothing: the document came inline in a REST request, so every URL must be absolute.
    Inline,
}

/// Reads elements and notes the rules that they break.
pub(super) struct Reader<'a> {
    pub(super) base: Base<'a>,
    pub(super) faults: Vec<String>,
}

impl Reader<'_> {
    pub(super) fn callback(
        &mut self,
        element: &Element,
        url: &str,
        method: &str,
    ) -> Option<Callback> {
        let method_value = self.method(element, method);
        let Some(value) = attribute(element, url) else {
            if attribute(element, method).is_some() {
                self.fault(format!("<{}> has {method} but no {url}", element.name));
            }
            return None;
        };
        let url = self.url(&format!("{url} of <{}>", element.name), value)?;
        Some(Callback {
            url,
            method: method_value,
        })
    }

    pub(super) fn method(&mut self, element: &Element, name: &str) -> Method {
        match self.one_of(element, name, &["GET", "POST"]) {
            Some("GET") => Method::Get,
            Some(_) | None => Method::Post,
        }
    }

    /// The absolute form of a URL. An absolute one stays as it is written, byte for byte, because the
    /// signature is over what is written.
    pub(super) fn url(&mut self, what: &str, written: &str) -> Option<String> {
        if is_absolute(written) {
            if let Err(error) = Url::parse(written) {
                self.fault(format!("{what} is malformed: {error} (11100)"));
                return None;
            }
            return Some(written.to_owned());
        }
        let Base::Fetched(base) = self.base else {
            self.fault(format!(
                "{what} is {written:?}; URLs in an inline document must be absolute"
            ));
            return None;
        };
        match Url::parse(base).and_then(|base| base.join(written)) {
            Ok(url) if !written.is_empty() => Some(url.into()),
            Ok(_) | Err(_) => {
                self.fault(format!("{what} is {written:?}, which is not a URL (11100)"));
                None
            }
        }
    }

    pub(super) fn integer(
        &mut self,
        element: &Element,
        name: &str,
        least: u64,
        most: u64,
    ) -> Option<u64> {
        let value = attribute(element, name)?;
        match value.parse() {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            Ok(_) | Err(_) => {
                self.fault(format!(
                    "{name} of <{}> is {value:?}, not a number from {least} to {most}",
                    element.name
                ));
                None
            }
        }
    }

    pub(super) fn one_of<'e>(
        &mut self,
        element: &'e Element,
        name: &str,
        allowed: &[&str],
    ) -> Option<&'e str> {
        let value = attribute(element, name)?;
        if allowed.contains(&value) {
            return Some(value);
        }
        self.fault(format!(
            "{name} of <{}> is {value:?}, not one of {}",
            element.name,
            allowed.join(", ")
        ));
        None
    }

    pub(super) fn required(&mut self, element: &Element, name: &str) -> Option<String> {
        let value = attribute(element, name);
        if value.is_none() {
            self.fault(format!("<{}> has no {name}", element.name));
        }
        value.map(str::to_owned)
    }

    pub(super) fn only_child<'e>(
        &mut self,
        parent: &'e Element,
        name: &str,
    ) -> Option<&'e Element> {
        self.no_text(parent);
        match parent.children.as_slice() {
            [child] if child.name == name => {
                self.no_text(child);
                Some(child)
            }
            _ => {
                self.fault(format!(
                    "<{}> must have exactly one <{name}> to be played by this stand-in",
                    parent.name
                ));
                None
            }
        }
    }

    pub(super) fn attributes(&mut self, element: &Element, known: &[&str]) {
        for (name, _) in &element.attributes {
            if !known.contains(&name.as_str()) {
                self.fault(format!(
                    "<{}> has no attribute {name}; Twilio ignores it silently",
                    element.name
                ));
            }
        }
    }

    /// As [`Reader::attributes`], for an element that shares attributes with others.
    pub(super) fn attributes_of(&mut self, element: &Element, known: &[&[&str]]) {
        self.attributes(element, &known.concat());
    }

    /// A `<Parameter>` inside another element.
    pub(super) fn parameter(
        &mut self,
        parent: &Element,
        element: &Element,
    ) -> Option<(String, String)> {
        if element.name != "Parameter" {
            self.fault(format!(
                "<{}> cannot be inside a <{}>",
                element.name, parent.name
            ));
            return None;
        }
        self.attributes(element, &["name", "value"]);
        self.empty(element);
        let name = self.required(element, "name")?;
        let value = self.required(element, "value")?;
        Some((name, value))
    }

    pub(super) fn empty(&mut self, element: &Element) {
        self.no_text(element);
        self.no_children(element);
    }

    pub(super) fn no_text(&mut self, element: &Element) {
        if !element.text.trim().is_empty() {
            self.fault(format!("<{}> may not have text", element.name));
        }
    }

    pub(super) fn no_children(&mut self, element: &Element) {
        if let Some(child) = element.children.first() {
            self.fault(format!(
                "<{}> cannot be inside <{}>",
                child.name, element.name
            ));
        }
    }

    pub(super) fn fault(&mut self, sentence: impl Into<String>) {
        self.faults.push(sentence.into());
    }
}

pub(super) fn attribute<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    element
        .attributes
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

pub(super) fn is_absolute(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
