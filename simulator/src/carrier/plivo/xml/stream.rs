//! `<Stream>`.

use std::time::Duration;

use reqwest::Url;

use super::document::{Codec, Stream, Tracks};
use super::reader::{Reader, attribute};
use crate::carrier::element::Element;

const MAX_URL_CHARACTERS: usize = 2048;
const MAX_EXTRA_HEADERS_BYTES: usize = 512;
const DAY: u64 = 86_400;

impl Reader {
    pub(super) fn stream(&mut self, element: &Element) -> Option<Stream> {
        self.attributes(
            element,
            &[
                "bidirectional",
                "audioTrack",
                "contentType",
                "keepCallAlive",
                "streamTimeout",
                "statusCallbackUrl",
                "statusCallbackMethod",
                "extraHeaders",
                "noiseCancellation",
                "noiseCancellationLevel",
            ],
        );
        self.no_children(element);
        let bidirectional = self.flag(element, "bidirectional", false);
        let keep_call_alive = self.flag(element, "keepCallAlive", false);
        let mut tracks = match self.one_of(element, "audioTrack", &["inbound", "outbound", "both"])
        {
            Some("outbound") => Tracks::Outbound,
            Some("both") => Tracks::Both,
            Some(_) | None => Tracks::Inbound,
        };
        if bidirectional && tracks != Tracks::Inbound {
            self.fault("a bidirectional <Stream> delivers the inbound track only");
            tracks = Tracks::Inbound;
        }
        if bidirectional && !keep_call_alive {
            self.fault(
                "a bidirectional <Stream> without keepCallAlive: the pages disagree on when the call ends",
            );
        }
        let codec = self.codec(element);
        let timeout = self.seconds(element, "streamTimeout", 1, DAY);
        self.flag(element, "noiseCancellation", false);
        self.integer(element, "noiseCancellationLevel", 60, 100);
        let extra_headers = self.extra_headers(element);
        let status_callback = self.callback(element, "statusCallbackUrl", "statusCallbackMethod");
        let url = element.text.trim();
        self.stream_url(url).then(|| Stream {
            url: url.to_owned(),
            bidirectional,
            tracks,
            codec,
            keep_call_alive,
            timeout: timeout.unwrap_or(Duration::from_secs(DAY)),
            status_callback,
            extra_headers,
        })
    }

    fn codec(&mut self, element: &Element) -> Codec {
        const KNOWN: &[&str] = &[
            "audio/x-mulaw;rate=8000",
            "audio/x-l16;rate=8000",
            "audio/x-l16;rate=16000",
        ];
        if attribute(element, "contentType").is_none() {
            self.fault("a <Stream> has no contentType, and the pages disagree on the default");
        }
        match self.one_of(element, "contentType", KNOWN) {
            Some("audio/x-l16;rate=8000") => Codec::L16At8k,
            Some("audio/x-l16;rate=16000") => Codec::L16At16k,
            Some(_) | None => Codec::Mulaw,
        }
    }

    fn stream_url(&mut self, url: &str) -> bool {
        if !url.starts_with("wss://") {
            self.fault(format!(
                "the text of a <Stream> must begin with wss://, and this is {url:?}"
            ));
            return false;
        }
        if url.chars().count() > MAX_URL_CHARACTERS {
            self.fault("the URL of a <Stream> has more than 2048 characters");
            return false;
        }
        if let Err(error) = Url::parse(url) {
            self.fault(format!("the URL of a <Stream> is malformed: {error}"));
            return false;
        }
        true
    }

    fn extra_headers(&mut self, element: &Element) -> Vec<(String, String)> {
        let Some(written) = attribute(element, "extraHeaders") else {
            return Vec::new();
        };
        if written.len() > MAX_EXTRA_HEADERS_BYTES {
            self.fault(format!(
                "extraHeaders has {} bytes; Plivo takes 512",
                written.len()
            ));
        }
        let pairs = self.pairs("extraHeaders", &written.replace(';', ","));
        if pairs.len() > 1 {
            self.fault(
                "extraHeaders has more than one pair, and the pages disagree on the separator",
            );
        }
        pairs
    }

    /// Reads `k=v,k2=v2` of letters and digits.
    pub(super) fn pairs(&mut self, what: &str, written: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for pair in written.split(',').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some((name, value)) => {
                    if !is_pair(pair) {
                        self.fault(format!(
                            "{what} has {pair:?}, and only letters and digits are sure to arrive"
                        ));
                    }
                    pairs.push((name.to_owned(), value.to_owned()));
                }
                None => self.fault(format!("{what} has {pair:?}, which is not name=value")),
            }
        }
        pairs
    }
}

/// Whether this is `name=value` of letters and digits.
pub(in crate::carrier::plivo) fn is_pair(written: &str) -> bool {
    let plain =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let pair = written.split_once('=');
    pair.is_some_and(|(name, value)| plain(name) && plain(value))
}
