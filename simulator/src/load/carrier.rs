//! The carrier's side of many calls: signed webhooks, the answers' streams, and the REST endpoint.
//!
//! Source: Twilio's Media Streams, webhook security and Call resource pages, read 2026-11-21.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::json;
use sha1::Sha1;

use crate::http1::{Answer, Request, Response, Server, form_pairs};
use crate::witness::Observed;

/// The value of `X-Twilio-Signature`: form parameters in any order, none for an upgrade.
pub fn sign(auth_token: &str, url: &str, parameters: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The `<Stream>` of an answered document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamElement {
    /// Its address as written.
    pub url: String,
    /// Its `track` attribute.
    pub track: Option<String>,
    /// Its `<Parameter>` children.
    pub parameters: Vec<(String, String)>,
}

/// A document has no stream that could be opened.
#[derive(Debug, thiserror::Error)]
pub enum ParseStreamError {
    /// The document is not well-formed.
    #[error("the answer is not XML")]
    Xml(#[from] quick_xml::Error),
    /// An attribute is not well-formed.
    #[error("the answer has a malformed attribute")]
    Attribute(#[from] quick_xml::events::attributes::AttrError),
    /// There is no `<Stream url>` in it.
    #[error("the answer has no <Stream> with a url")]
    NoStream,
}

/// Finds the first `<Stream>` of a TwiML document.
///
/// # Errors
/// [`ParseStreamError`] when there is none or the document is broken.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser's events, of which tags alone matter here"
)]
pub fn parse_stream(twiml: &str) -> Result<StreamElement, ParseStreamError> {
    let mut reader = Reader::from_str(twiml);
    let mut stream: Option<StreamElement> = None;
    loop {
        match reader.read_event()? {
            Event::Start(element) | Event::Empty(element) => {
                match (element.name().as_ref(), &mut stream) {
                    ("Stream", None) => {
                        stream = Some(StreamElement {
                            url: attribute(&element, "url")?.ok_or(ParseStreamError::NoStream)?,
                            track: attribute(&element, "track")?,
                            parameters: Vec::new(),
                        });
                    }
                    ("Parameter", Some(stream)) => {
                        let name = attribute(&element, "name")?.unwrap_or_default();
                        stream
                            .parameters
                            .push((name, attribute(&element, "value")?.unwrap_or_default()));
                    }
                    _ => {}
                }
            }
            Event::Eof => return stream.ok_or(ParseStreamError::NoStream),
            _ => {}
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, ParseStreamError> {
    for attribute in element.attributes() {
        let attribute = attribute?;
        if attribute.key.as_ref() == name {
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0)?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// One request to update a live call.
#[derive(Debug, Clone)]
pub struct Rewrite {
    /// Call it names.
    pub call_sid: String,
    /// When it had arrived whole.
    pub at: Instant,
    /// Whether it carries a new document.
    pub is_document: bool,
}

/// The carrier's REST endpoint: every call is in progress and every update succeeds.
#[derive(Debug)]
pub struct Rest {
    server: Server,
    rewrites: Observed<Vec<Rewrite>>,
}

impl Rest {
    /// Listens on a free port of the loopback.
    ///
    /// # Errors
    /// No port can be bound.
    pub async fn start(account_sid: &str) -> std::io::Result<Self> {
        let rewrites = Observed::new(Vec::new());
        let (seen, account_sid) = (rewrites.clone(), account_sid.to_owned());
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::start(listen, move |request| {
            Answer::Respond(answer(&seen, &account_sid, &request))
        })
        .await?;
        Ok(Self { server, rewrites })
    }

    /// The base URL, which stands for `https://api.twilio.com`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Every update so far.
    pub fn rewrites(&self) -> Vec<Rewrite> {
        self.rewrites.read(Clone::clone)
    }
}

fn answer(seen: &Observed<Vec<Rewrite>>, account_sid: &str, request: &Request) -> Response {
    let at = Instant::now();
    let prefix = format!("/2010-04-01/Accounts/{account_sid}/Calls/");
    let call_sid = request
        .path
        .strip_prefix(&prefix)
        .and_then(|rest| rest.strip_suffix(".json"));
    let Some(call_sid) = call_sid else {
        let body = json!({"code": 20404, "message": "The requested resource was not found", "status": 404});
        return Response::json(404, &body);
    };
    if request.method == "POST" {
        let form = std::str::from_utf8(&request.body)
            .ok()
            .and_then(form_pairs)
            .unwrap_or_default();
        let is_document = form
            .iter()
            .any(|(name, _)| name == "Twiml" || name == "Url");
        seen.update(|seen| {
            seen.push(Rewrite {
                call_sid: call_sid.to_owned(),
                at,
                is_document,
            })
        });
    }
    let body = json!({"sid": call_sid, "account_sid": account_sid, "status": "in-progress", "direction": "inbound",
        "api_version": "2010-04-01", "uri": request.path});
    Response::json(200, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_official_validators() {
        let token = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
        let parameters = [
            ("To", "+15550100002"),
            ("AccountSid", "AC00000000000000000000000000000001"),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", "CA00000000000000000000000000000001"),
            ("CallStatus", "in-progress"),
            ("Direction", "inbound"),
            ("From", "+15550100001"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            sign(
                token,
                "https://bridge.example.com/twilio/voice",
                &parameters
            ),
            "0DjI7Pigzw6kuQwmfIOinP2d4A8="
        );
        assert_eq!(
            sign(token, "wss://bridge.example.com/twilio/media/abc123", &[]),
            "x4z/wGlfMDcqEGJ+RIrJWERVvgI="
        );
    }

    #[test]
    fn the_stream_is_found_with_its_parameters() {
        let twiml = r#"<?xml version="1.0" encoding="UTF-8"?><Response><Start>
            <Stream url="wss://a.example/m?x=1&amp;y=2" track="both_tracks"><Parameter name="tok" value="t&quot;1"/></Stream>
            </Start><Parameter name="other" value="x"/><Dial><Number>+15550100042</Number></Dial></Response>"#;
        let stream = parse_stream(twiml).unwrap();
        assert_eq!(
            (stream.url.as_str(), stream.track.as_deref()),
            ("wss://a.example/m?x=1&y=2", Some("both_tracks"))
        );
        assert_eq!(stream.parameters[0], ("tok".to_owned(), "t\"1".to_owned()));
    }

    #[test]
    fn a_document_without_a_stream_is_an_error() {
        assert!(matches!(
            parse_stream("<Response><Hangup/></Response>"),
            Err(ParseStreamError::NoStream)
        ));
        assert!(matches!(
            parse_stream("<Response><Stream/></Response>"),
            Err(ParseStreamError::NoStream)
        ));
    }
}
