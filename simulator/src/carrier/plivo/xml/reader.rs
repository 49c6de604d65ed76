//! What reading every element has in common: attributes, URLs, text, and noting faults.

use std::time::Duration;

use reqwest::Url;

use crate::carrier::callback::{Callback, Method};
use crate::carrier::element::Element;

/// Reads elements and notes the rules that they break.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) faults: Vec<String>,
    /// Plivo executes nothing of the document and ends the call.
    pub(super) unusable: bool,
}

impl Reader {
    /// A rule that is broken, and Plivo goes on.
    pub(super) fn fault(&mut self, sentence: impl Into<String>) {
        self.faults.push(sentence.into());
    }

    /// A rule that is broken, and Plivo hangs up.
    pub(super) fn fatal(&mut self, sentence: impl Into<String>) {
        self.unusable = true;
        self.faults.push(format!("{} (8011)", sentence.into()));
    }

    pub(super) fn attributes(&mut self, element: &Element, known: &[&str]) {
        for (name, _) in &element.attributes {
            if !known.contains(&name.as_str()) {
                self.fatal(format!("<{}> has no attribute {name}", element.name));
            }
        }
    }

    pub(super) fn callback(
        &mut self,
        element: &Element,
        url: &str,
        method: &str,
    ) -> Option<Callback> {
        let method_value = self.method(element, method);
        let Some(written) = attribute(element, url) else {
            if attribute(element, method).is_some() {
                self.fault(format!("<{}> has {method} but no {url}", element.name));
            }
            return None;
        };
        let url = self.url(&format!("{url} of <{}>", element.name), written)?;
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

    /// An absolute URL as it is written, byte for byte. No page of Plivo knows relative ones.
    pub(super) fn url(&mut self, what: &str, written: &str) -> Option<String> {
        if is_absolute_url(written) {
            return Some(written.to_owned());
        }
        self.fault(format!("{what} is {written:?}, not an absolute URL"));
        None
    }

    pub(super) fn flag(&mut self, element: &Element, name: &str, default: bool) -> bool {
        match self.one_of(element, name, &["true", "false"]) {
            Some(value) => value == "true",
            None => default,
        }
    }

    pub(super) fn seconds(
        &mut self,
        element: &Element,
        name: &str,
        least: u64,
        most: u64,
    ) -> Option<Duration> {
        let seconds = self.integer(element, name, least, most);
        seconds.map(Duration::from_secs)
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
        for child in &element.children {
            self.misplaced(child, element);
        }
    }

    pub(super) fn misplaced(&mut self, child: &Element, parent: &Element) {
        self.fatal(format!(
            "<{}> cannot be inside <{}>",
            child.name, parent.name
        ));
    }
}

pub(super) fn attribute<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    element
        .attributes
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

pub(in crate::carrier::plivo) fn is_absolute_url(written: &str) -> bool {
    let absolute = written.starts_with("https://") || written.starts_with("http://");
    absolute && Url::parse(written).is_ok()
}
