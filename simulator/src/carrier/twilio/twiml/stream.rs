//! `<Stream>` inside `<Start>` and `<Connect>`.

use reqwest::Url;

use super::document::{Stream, TrackChoice};
use super::reader::{Reader, attribute, is_absolute};
use crate::carrier::element::Element;

/// Name and value of a `<Parameter>` together stay under this.
const MAX_PARAMETER_CHARACTERS: usize = 500;

impl Reader<'_> {
    pub(super) fn only_stream(&mut self, parent: &Element) -> Option<Stream> {
        let element = self.only_child(parent, "Stream")?;
        self.attributes(
            element,
            &[
                "url",
                "name",
                "track",
                "statusCallback",
                "statusCallbackMethod",
            ],
        );
        let url = self.required(element, "url")?;
        let track = match self.one_of(
            element,
            "track",
            &["inbound_track", "outbound_track", "both_tracks"],
        ) {
            Some("outbound_track") => TrackChoice::Outbound,
            Some("both_tracks") => TrackChoice::Both,
            Some(_) | None => TrackChoice::Inbound,
        };
        if let Some(callback) = attribute(element, "statusCallback")
            && !is_absolute(callback)
        {
            self.fault("the statusCallback of a <Stream> must be an absolute URL");
        }
        let status_callback = self.callback(element, "statusCallback", "statusCallbackMethod");
        let parameters = element
            .children
            .iter()
            .filter_map(|child| self.stream_parameter(element, child))
            .collect();
        let usable = self.stream_url(&url);
        let name = attribute(element, "name").map(str::to_owned);
        usable.then_some(Stream {
            url,
            name,
            track,
            parameters,
            status_callback,
        })
    }

    fn stream_url(&mut self, url: &str) -> bool {
        if !url.starts_with("wss://") {
            self.fault(format!(
                "the url of a <Stream> must begin with wss://, and this is {url:?} (31922)"
            ));
            return false;
        }
        if url.contains(['?', '#']) {
            self.fault(format!(
                "the url of a <Stream> may not have a query string, and this is {url:?} (31920)"
            ));
        }
        if let Err(error) = Url::parse(url) {
            self.fault(format!(
                "the url of a <Stream> is malformed: {error} (31923)"
            ));
            return false;
        }
        true
    }

    fn stream_parameter(
        &mut self,
        stream: &Element,
        element: &Element,
    ) -> Option<(String, String)> {
        let (name, value) = self.parameter(stream, element)?;
        let characters = name.chars().count() + value.chars().count();
        if characters >= MAX_PARAMETER_CHARACTERS {
            self.fault(format!("the <Parameter> {name:?} has {characters} characters; name and value must stay under 500"));
        }
        Some((name, value))
    }
}
